"""Which levers could act on which part of a bill, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.bills import verdicts
from reelwise.levers import Effort, kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reelwise.bills.line import BillLine
    from reelwise.rates import Book

__all__ = ["SMALL_SHARE", "Fit", "Group", "map_levers"]

SMALL_SHARE = 0.01
"""A part of the bill smaller than this gets no credit: whatever is done to it, nobody sees it."""

_INPUT = ("tokens_text", "tokens_image", "tokens_video", "tokens_audio")
_SEEN = ("tokens_image", "tokens_video", "tokens_audio", "vision", "gpu")
_MEDIA = ("tokens_image", "tokens_video", "tokens_audio")
_FOR_PICTURES = ("sample_frames", "downscale", "ask_once", "explicit_cache")
_TOKENS = (*_INPUT, "tokens_cached", "tokens_cache_write", "tokens_output")
_CALLS = (*_TOKENS, "speech", "vision", "generation")
_MACHINES = ("gpu", "compute")

ACTS_ON: dict[str, tuple[str, ...]] = {
    "sample_frames": (*_SEEN, "tokens_text"),
    "downscale": ("tokens_image", "tokens_video", "generation", "gpu", "tokens_text"),
    "crop": ("tokens_image", "gpu"),
    "gate": (*_CALLS, "gpu", "egress"),
    "trim_prompt": ("tokens_text", "tokens_output", "tokens_cached", "tokens_cache_write"),
    "route": _TOKENS,
    "cascade": _TOKENS,
    "open_model": _CALLS,
    "distil": ("gpu",),
    "quantize": ("gpu",),
    "continuous_batching": ("gpu",),
    "kv_cache": ("gpu",),
    "speculative_decoding": ("gpu",),
    "serving_runtime": ("gpu",),
    "right_size_gpu": ("gpu",),
    "batch_api": (*_TOKENS, "speech"),
    "prompt_cache": ("tokens_text",),
    "answer_cache": (*_CALLS, "gpu"),
    "spot": _MACHINES,
    "reserved": _MACHINES,
    "serverless": ("gpu",),
    "provider": ("gpu", "egress", "storage", "speech", "generation"),
    "edge": ("vision", "tokens_image", "tokens_video", "gpu", "egress"),
    "precompute": (*_CALLS, "gpu"),
    "budgets": (*_CALLS, "gpu", "compute", "storage", "egress", "cache_storage"),
    "ask_once": ("tokens_image", "tokens_video", "tokens_audio", "tokens_text"),
    "chunk_below_cliff": ("tokens_text", "tokens_image", "tokens_video", "tokens_audio", "tokens_output"),
    "contact_sheet": ("tokens_image",),
    "drop_audio": ("tokens_audio",),
    "explicit_cache": ("tokens_video", "tokens_audio", "tokens_text", "cache_storage"),
    "flex": _TOKENS,
    "native_video": ("tokens_image",),
    "tile_resize": ("tokens_image",),
    "trim_silence": ("speech",),
}
"""What each lever changes; a lever that is not here gets no mapping. The rest of a bill is another lever's."""

NAMES: dict[str, str] = {
    "tokens_text": "text and other input tokens",
    "tokens_image": "picture tokens",
    "tokens_video": "video tokens",
    "tokens_audio": "audio tokens",
    "tokens_cached": "cached tokens",
    "tokens_cache_write": "cache writes",
    "tokens_output": "output tokens",
    "cache_storage": "cache storage",
    "speech": "audio minutes",
    "vision": "vision calls",
    "generation": "generated seconds",
    "gpu": "GPU hours",
    "compute": "other machines",
    "storage": "stored bytes",
    "egress": "traffic",
    "other": "taxes, credits, the rest",
}


class Fit(Struct, frozen=True, kw_only=True):
    """Whether a lever could act on a part of the bill, and why (not).

    Attributes:
        lever: its name.
        title: its title.
        applies: whether it could.
        reason: why, and what must be known first; or why not.
        factor: price before over price after where list prices alone decide it (batch, flex), else None.
        effort: how long a team needs for it.
    """

    lever: str
    title: str
    applies: bool
    reason: str
    factor: float | None
    effort: Effort


class Group(Struct, frozen=True, kw_only=True):
    """Lines of a bill that are billed alike.

    Attributes:
        service, model, kind, mode: what they share; `sku` is the largest line's.
        usd: their sum; share: of the whole bill.
        quantity: units, or None where some line does not say or units differ.
        unit: their unit.
        lines: how many.
        credit: whether the part is large enough for any lever to matter.
        fits: every lever's verdict, those that apply first.
    """

    service: str
    sku: str
    model: str
    kind: str
    mode: str
    usd: float
    share: float
    quantity: float | None
    unit: str
    lines: int
    credit: bool
    fits: tuple[Fit, ...]


class _Seen(Struct, frozen=True):
    """What the whole bill says of its models.

    Attributes:
        cached: share of each model's text input that is read from a cache.
        split: models whose pictures, video or sound are lines of their own.
    """

    cached: dict[str, float]
    split: frozenset[str]


def map_levers(lines: Iterable[BillLine], book: Book | None = None) -> tuple[Group, ...]:
    """Group lines by what is billed and say for each group which levers could act on it.

    Args:
        lines: of one bill; those without an amount are left out.
        book: prices, to say which modes a model has; today's if not given.

    Returns:
        The groups, the largest first. A group under 1 % of the bill gets no credit and no lever applies to it.
    """
    if book is None:
        import datetime as dt

        from reelwise.rates import Book

        book = Book.load(dt.datetime.now(tz=dt.UTC).date())
    parts: dict[tuple[str, str, str, str], list[BillLine]] = {}
    for line in lines:
        if line.usd is not None:
            name = line.model or line.sku
            parts.setdefault((line.service, name, line.kind, line.mode), []).append(line)
    charged = sum(max(sum(one.usd or 0.0 for one in part), 0.0) for part in parts.values())
    seen = _Seen(
        cached=_cached_shares(parts),
        split=frozenset(part[0].model for (_, _, kind, _), part in parts.items() if kind in _MEDIA and part[0].model),
    )
    groups = [_group(part, charged, book, seen) for part in parts.values()]
    return tuple(sorted(groups, key=lambda group: -group.usd))


def _cached_shares(parts: dict[tuple[str, str, str, str], list[BillLine]]) -> dict[str, float]:
    """Say for each model which share of its text input was read from a cache, where quantities are known."""
    sums: dict[str, list[float]] = {}
    for (_, _, kind, _), part in parts.items():
        if kind in {"tokens_text", "tokens_cached"} and part[0].model:
            pair = sums.setdefault(part[0].model, [0.0, 0.0])
            pair[kind == "tokens_cached"] += sum(one.quantity or 0.0 for one in part)
    return {model: read / (read + fresh) for model, (fresh, read) in sums.items() if read + fresh > 0}


def _group(part: list[BillLine], charged: float, book: Book, seen: _Seen) -> Group:
    usd = sum(one.usd or 0.0 for one in part)
    share = usd / charged if charged > 0 else 0.0
    largest = max(part, key=lambda one: one.usd or 0.0)
    same = len({one.unit for one in part}) == 1 and all(one.quantity is not None for one in part)
    credit = share >= SMALL_SHARE
    fits = [_fit(name, largest, share, credit=credit, book=book, seen=seen) for name in kinds() if name in ACTS_ON]
    return Group(
        service=largest.service,
        sku=largest.sku,
        model=largest.model,
        kind=largest.kind,
        mode=largest.mode,
        usd=usd,
        share=share,
        quantity=sum(one.quantity or 0.0 for one in part) if same else None,
        unit=largest.unit if same else "",
        lines=len(part),
        credit=credit,
        fits=tuple(sorted(fits, key=lambda fit: not fit.applies)),
    )


def _fit(name: str, line: BillLine, share: float, *, credit: bool, book: Book, seen: _Seen) -> Fit:
    card = kinds()[name].card
    acts = ACTS_ON[name]
    factor: float | None = None
    if line.kind not in acts:
        ok, reason = False, f"acts on {_listing(acts)}, not on {NAMES[line.kind]}"
    elif not credit:
        ok, reason = False, f"no credit: this is {max(share, 0.0):.2%} of the bill"
    else:
        ok, reason, factor = _verdict(name, line, book, seen)
    return Fit(lever=name, title=card.title, applies=ok, reason=reason, factor=factor, effort=card.effort)


def _listing(acts: tuple[str, ...]) -> str:
    if set(_TOKENS) <= set(acts):
        rest = [NAMES[one] for one in acts if one not in _TOKENS]
        return " and ".join(["tokens", *rest[:2]])
    names = [NAMES[one] for one in acts[:3]]
    return " and ".join(names) + (" and more" if len(acts) > 3 else "")


def _verdict(name: str, line: BillLine, book: Book, seen: _Seen) -> tuple[bool, str, float | None]:
    """Judge a lever on a line it could act on, from what the bill and the list prices say."""
    if line.kind == "tokens_text" and name in _FOR_PICTURES:
        return verdicts.unsplit(line, seen.split)
    judges: dict[str, Callable[[], verdicts.Judgement]] = {
        "batch_api": lambda: verdicts.mode("batch", line, book),
        "flex": lambda: verdicts.mode("flex", line, book),
        "spot": lambda: verdicts.machine("spot", line),
        "reserved": lambda: verdicts.machine("reserved", line),
        "route": lambda: verdicts.route(line, book),
        "chunk_below_cliff": lambda: verdicts.cliff(line, book),
        "prompt_cache": lambda: verdicts.prompt_cache(line, seen.cached),
        "downscale": lambda: verdicts.downscale(line, book),
    }
    judge = judges.get(name)
    if judge is not None:
        return judge()
    questions = kinds()[name].card.ask
    return True, f"ask first: {questions[0]}" if questions else "applies to what is billed here", None
