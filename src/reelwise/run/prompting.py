"""Where the tokens of a call go, part by part: what each costs, what a prompt cache keeps of it, and what keeps a cache from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from reelwise.requests import Request
from reelwise.script import text_tokens
from reelwise.stages import Call, Prompt
from reelwise.stages.prefixes import prefix_min
from reelwise.units import total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.run.outcome import Outcome
    from reelwise.script import Script

__all__ = ["PromptRow", "PromptSheet", "metered_sheets", "prompt_notes", "prompt_sheets"]

_MEDIA = ("tokens_image", "tokens_video", "tokens_audio")
_KEPT = ("tokens_cached", "tokens_cache_write", "tokens_cache_write_1h")
_MOMENTS = (
    ("a time of day", re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?|\b\d{1,2}:\d\d:\d\d\b")),
    ("an id", re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)),
    ("a number of seconds since 1970", re.compile(r"\b1[6-9]\d{8}(?:\d{3})?\b")),
    ("a hash", re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{32,64}\b")),
)


class PromptRow(Struct, frozen=True, kw_only=True):
    """One part of a call.

    Attributes:
        part: its name.
        kind: repeated (in front of every call), item (differs from item to item), question, form (of the answer), media, answer, storage.
        tokens: of one call, on average; 0 for storage.
        usd: of all calls.
        share: of their bill, 0..1.
        cached: the share of its tokens that is read from a cache, 0..1.
    """

    part: str
    kind: str
    tokens: float
    usd: float
    share: float
    cached: float


class PromptSheet(Struct, frozen=True, kw_only=True):
    """All calls of one stage.

    Attributes:
        model, lane: of the stage.
        calls: how many.
        usd: what they cost; of a month, or of a run.
        rows: in the order in which they are sent.
        prefix_tokens: what every call repeats in front; caches of this model take `prefix_least` tokens and more.
    """

    model: str
    lane: str
    calls: float
    usd: float
    rows: tuple[PromptRow, ...]
    prefix_tokens: int
    prefix_least: int


class _Sums:
    """What requests add up to, by what of a call it is for."""

    def __init__(self) -> None:
        self.calls = self.usd = 0.0
        self.tokens = dict.fromkeys(("repeated", "behind", "media", "answer"), 0.0)
        self.paid = dict.fromkeys(("repeated", "behind", "media", "answer", "storage"), 0.0)
        self.cached = dict.fromkeys(("repeated", "media"), 0.0)

    def add(self, request: Request, book: Book, prefix: float, behind: float, *, filling: bool) -> None:
        """Add calls: the repeated text is what caches keep first, the media next."""
        count = float(total(request.count))
        names = (*_MEDIA, *_KEPT, "tokens_text", "tokens_output")
        # classes of items are on the last axis: the mean over calls
        each = {name: float(total(request.count * getattr(request, name))) / count if count else 0.0 for name in names}
        usd = dict.fromkeys(each, 0.0)
        for usage, rate in book.price_request(request):
            unit = usage.unit if usage.unit in usd else "tokens_cached" if "cached" in usage.unit else "tokens_output"
            usd[unit] += float(total(usage.quantity * rate.usd))
        kept, text = sum(each[name] for name in _KEPT), each["tokens_text"]
        media = sum(each[name] for name in _MEDIA)
        known = prefix + behind
        told = text + min(kept, prefix)
        factor = told / known if known and not filling else 1.0
        front = min(prefix * factor, kept + text) if known else 0.0
        kept_front = min(kept, front)
        fresh_front = min(text, front - kept_front)
        rest_of_kept = kept - kept_front
        part = kept_front / kept if kept else 0.0
        paid_kept = sum(usd[name] for name in _KEPT)
        first = fresh_front / text if text else 0.0
        self.calls += 0.0 if filling else count
        self.usd += sum(usd.values())
        self.paid["repeated"] += paid_kept * part + usd["tokens_text"] * first
        self.paid["behind"] += usd["tokens_text"] * (1 - first)
        self.paid["media"] += sum(usd[name] for name in _MEDIA) + paid_kept * (1 - part)
        self.paid["answer"] += usd["tokens_output"]
        if filling:
            return
        self.tokens["repeated"] += count * front
        self.tokens["behind"] += count * (text - fresh_front)
        self.tokens["media"] += count * (media + rest_of_kept)
        self.tokens["answer"] += count * each["tokens_output"]
        read = each["tokens_cached"] / kept if kept else 0.0
        self.cached["repeated"] += count * kept_front * read
        self.cached["media"] += count * rest_of_kept * read


def prompt_sheets(
    plan: Plan, script: Script, requests: Iterable[Request], book: Book, storage: Iterable[tuple[str, float]] = ()
) -> tuple[PromptSheet, ...]:
    """Say for each call of a plan where its tokens go.

    Args:
        plan: with the calls.
        script: what is said.
        requests: what they use, expected or metered.
        book: prices of the day.
        storage: what keeping explicit caches costs: (model, USD).
    """
    asked = [request for request in requests if book.is_language_model(request.model)]
    found = []
    for call in plan.of(Call):
        mine = [one for one in asked if one.model == call.model and one.lane in {call.lane or "main", ""}]
        if not mine:
            continue
        said = _shortened(plan, script, call)
        once = call.ask == "once" and len(said.asked) > 1
        sums = _Sums()
        prefix, behind = float(said.prefix_tokens), said.question_tokens(once=once) * (len(said.asked) if once else 1)
        for one in mine:
            filling = (
                call.cache == "explicit" and not float(total(one.tokens_output)) and not float(total(one.tokens_cached))
            )
            sums.add(one, book, prefix, behind, filling=filling)
        sums.paid["storage"] = sum(usd for model, usd in storage if model == call.model)
        sums.usd += sums.paid["storage"]
        found.append(_sheet(call, said, sums, once=once))
    return tuple(found)


def metered_sheets(plan: Plan, script: Script, outcomes: Sequence[Outcome], book: Book) -> tuple[PromptSheet, ...]:
    """Say where the tokens of calls that were made went, as their answers count them; see `prompt_sheets`."""
    requests, storage = [], []
    for one in outcomes:
        if one.status in {"cached", "failed"} or not one.units:
            continue
        units = {name: value for name, value in one.units.items() if name.startswith("tokens_")}
        if not units.get("tokens_image") and one.image_expected:  # answers that do not tell pictures from text
            pictures = min(float(one.image_expected), units.get("tokens_text", 0.0))
            units |= {"tokens_image": pictures, "tokens_text": units.get("tokens_text", 0.0) - pictures}
        made = Request(model=one.model, count=1.0, mode=one.mode, lane=one.lane)
        request = structs.replace(made, **units)
        requests.append(request)
        if one.kind == "cache":
            filled = sum(float(usage.quantity) * float(rate.usd) for usage, rate in book.price_request(request))
            storage.append((one.model, max(0.0, one.cost_nano / 1e9 - filled)))
    return prompt_sheets(plan, script, requests, book, storage)


def _shortened(plan: Plan, script: Script, call: Call) -> Script:
    """Leave out what the plan's own caps leave out for this call."""
    script = script.of(call.task)
    for stage in plan.of(Prompt):
        if stage.lane in {None, call.lane or "main"}:
            script, _ = script.trimmed(stage.prefix, stage.question)
    return script


def _sheet(call: Call, script: Script, sums: _Sums, *, once: bool) -> PromptSheet:
    calls = sums.calls or 1.0
    rows: list[PromptRow] = []

    def add(kind: str, names: Sequence[tuple[str, int]], of: str) -> None:
        whole = sum(size for _, size in names) or 1
        for name, size in names:
            part = size / whole
            paid, tokens = sums.paid[of] * part, sums.tokens.get(of, 0.0) * part
            cached = sums.cached.get(of, 0.0) / sums.tokens[of] if sums.tokens.get(of) else 0.0
            rows.append(
                PromptRow(
                    part=name, kind=kind, tokens=tokens / calls, usd=paid, share=paid / sums.usd if sums.usd else 0.0,
                    cached=cached,
                )
            )  # fmt: skip

    add("repeated", [(part.name, text_tokens(script.filled(part.text))) for part in script.repeated], "repeated")
    if sums.tokens["media"] or sums.paid["media"]:
        add("media", [("video, pictures, sound", 1)], "media")
    _behind(script, add, sums, once=once)
    add("answer", [("answer", 1)], "answer")
    if sums.paid["storage"]:
        add("storage", [("keeping the cache", 1)], "storage")
    return PromptSheet(
        model=call.model, lane=call.lane or "main", calls=sums.calls, usd=sums.usd, rows=tuple(rows),
        prefix_tokens=script.prefix_tokens, prefix_least=prefix_min(call.model),
    )  # fmt: skip


def _behind(script: Script, add: Any, sums: _Sums, *, once: bool) -> None:
    """Share out what differs from call to call: parts about the item, the question, the form of the answer."""
    asked = script.asked
    count = len(asked) if once else 1
    question = text_tokens(script.joined(asked)) if once else sum(map(text_tokens, asked)) / len(asked)
    sized = [(part.name, "item", float(text_tokens(script.filled(part.text)))) for part in script.varying]
    sized.append(("question" if len(asked) == 1 else f"questions ({len(asked)})", "question", float(question)))
    form = text_tokens(script.schema(count).decode())
    if form:
        sized.append(("form of the answer", "form", float(form)))
    whole, paid, tokens = sum(size for *_, size in sized) or 1.0, sums.paid["behind"], sums.tokens["behind"]
    for name, kind, size in sized:
        sums.paid["one"], sums.tokens["one"] = paid * size / whole, tokens * size / whole
        add(kind, [(name, 1)], "one")


def prompt_notes(plan: Plan, script: Script, outcomes: Sequence[Outcome] = ()) -> tuple[str, ...]:
    """Say what keeps a prompt cache from the instructions, and what was never needed.

    Args:
        plan: with the calls.
        script: what is said.
        outcomes: of calls that were made; empty where none were.
    """
    said = []
    if script.varying:
        names = ", ".join(part.name for part in script.varying)
        said.append(
            f"{names} {'differs' if len(script.varying) == 1 else 'differ'} from item to item: sent behind the "
            f"{script.prefix_tokens:,} tokens that repeat, so that a prompt cache can keep these"
        )
    said += _moments(script)
    for call in plan.of(Call):
        if call.cache != "prefix":
            continue
        own = _shortened(plan, script, call)
        tokens, least = own.prefix_tokens, prefix_min(call.model)
        mine = [one for one in outcomes if one.model == call.model and one.status == "ok" and one.prefix_expected]
        read = sum(one.units.get("tokens_cached", 0.0) > 0 for one in mine)
        if tokens < least:
            said.append(
                f"the prefix for {call.model} has {tokens:,} tokens; its prompt cache starts at {least:,}: nothing is kept"
            )
        elif len(mine) > 1 and not read:
            said.append(
                f"none of {len(mine)} calls to {call.model} read the prefix of {tokens:,} tokens from its cache"
            )
    return tuple(said)


def _moments(script: Script) -> list[str]:
    """Name text that repeats as it is written, and looks as if it were written anew for each run."""
    said, before = [], 0
    for part in script.repeated:
        for what, pattern in _MOMENTS:
            if found := pattern.search(part.text):
                at = before + text_tokens(part.text[: found.start()])
                said.append(
                    f"part {part.name} holds {what} ({found[0]:.40}): where that changes, what a prompt cache keeps ends "
                    f"there, after {at:,} of {script.prefix_tokens:,} tokens; make it a field of the item ({{{{...}}}}), or leave it out"
                )
                break
        before += part.tokens
    return said
