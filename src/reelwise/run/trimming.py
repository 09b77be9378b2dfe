"""Leave out one part of the instructions after another on a sample, under a budget, and say whether answers change and what it saves."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.errors import BudgetError, InputError, ReelwiseError
from reelwise.run.agreement import Agreement, Scored, agreement, text_likeness
from reelwise.run.footage import segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.run.executing import RunResult
    from reelwise.run.job import Job
    from reelwise.run.merged import ItemResult
    from reelwise.run.session import Session
    from reelwise.script import Script
    from reelwise.video import Track

__all__ = ["LeftOut", "Trimmed", "trim"]

_PARTS_MAX = 50


class LeftOut(Struct, frozen=True, kw_only=True):
    """What leaving a part out did.

    Attributes:
        part: its name, or several.
        tokens: that it has, estimated.
        agreement: of the answers with those to the whole prompt.
        usd: metered, of the items that both answered; `saved_share` is what that is less than with the whole prompt.
        verdict: not needed (at least `floor` of all answers stay, at 95 %), needed (fewer stay than when the whole prompt is asked twice),
            or open: too few answers to tell.
    """

    part: str
    tokens: int
    agreement: Agreement
    usd: float
    saved_share: float
    verdict: str


class Trimmed(Struct, frozen=True, kw_only=True):
    """What a test of all parts found.

    Attributes:
        what: what was compared: labels, the fields of answers, or their texts.
        parts: each left out by itself.
        again: the whole prompt asked a second time: models differ from themselves, too.
        together: all that was not needed left out at once; None where that is one part, or none.
        items: that were asked about, of `of` there were: as the budget allowed.
        usd: of these items with the whole prompt; `cost_usd` of the whole test.
        floor: see `LeftOut.verdict`.
        stopped: what ended it early; empty where it is complete.
        notes: what a reader must know.
    """

    what: str
    parts: tuple[LeftOut, ...]
    again: Agreement
    together: LeftOut | None
    items: int
    of: int
    usd: float
    cost_usd: float
    floor: float
    stopped: str = ""
    notes: tuple[str, ...] = ()


def trim(
    session: Session,
    job: Job,
    tracks: Sequence[Track],
    *,
    most_usd: float,
    parts: bool = True,
    floor: float = 0.9,
    seed: int = 0,
) -> Trimmed:
    """Ask about a sample with the whole prompt, twice, and without each part.

    Args:
        session: open.
        job: the plan, and what is asked.
        tracks: decoded clips.
        most_usd: what all of it may cost: it decides on the number of items, which chance takes.
        parts: cut clips into parts of ten seconds or more: more items, a narrower interval.
        floor: the share of answers that must stay the same where a part is called not needed.
        seed: of the sample.

    Raises:
        InputError: instructions without parts, or with more than a test takes.
        BudgetError: it does not pay for one item.
    """
    names = [part.name for part in job.script.parts]
    if not names or len(names) > _PARTS_MAX:
        raise InputError(
            f"{len(names)} parts to leave out",
            where="ask.policy",
            hint=f"1 to {_PARTS_MAX} named parts: [{{name, text}}]",
        )
    items = [part for track in tracks for part in segments(track)] if parts else list(tracks)
    chosen = _affordable(session, job, items, most_usd, times=len(names) + 3, seed=seed)
    whole = session.run(job.case.plan, chosen, name="whole")
    tally = _Test(session, job, chosen, whole, floor)
    again = tally.run("again", job.script)
    if again is None:
        raise tally.stopped or InputError("nothing was answered", where="prompt", hint="try other clips")
    found = []
    for number, part in enumerate(job.script.parts):
        one = tally.left_out(f"without-{number}", part.name, job.script.without(part.name), part.tokens)
        if one is None:
            break
        found.append(one)
    free = [one for one in found if one.verdict == "not needed"]
    together = None
    if len(free) > 1 and tally.stopped is None:
        script = job.script
        for one in free:
            script = script.without(one.part)
        together = tally.left_out(
            "together", ", ".join(one.part for one in free), script, sum(one.tokens for one in free)
        )
    return Trimmed(
        what=tally.what, parts=tuple(found), again=again, together=together, items=len(chosen), of=len(items),
        usd=whole.receipt.cost_usd, cost_usd=tally.cost_usd, floor=floor,
        stopped="" if tally.stopped is None else str(tally.stopped), notes=tuple(_notes(session, job, found, floor)),
    )  # fmt: skip


def _affordable(
    session: Session, job: Job, items: Sequence[Track], most_usd: float, *, times: int, seed: int
) -> list[Track]:
    """Choose items in an order that chance decides, as many as the budget is expected to pay for."""
    order = list(range(len(items)))
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample, no secret
    chosen, left = [], most_usd
    for number in order:
        cost = times * session.expected(job, job.case.plan, [items[number]]).usd
        if cost > left:
            break
        left -= cost
        chosen.append(items[number])
    if not chosen:
        raise BudgetError(
            f"does not pay for one item asked {times} times",
            reason="over_limit",
            where="--max-usd",
            hint="raise it, or use --parts",
        )
    return chosen


class _Test:
    """Runs the same items with other prompts, and holds the answers against those to the whole one."""

    def __init__(self, session: Session, job: Job, items: Sequence[Track], whole: RunResult, floor: float) -> None:
        self._session, self._job, self._items, self._whole, self._floor = session, job, items, whole, floor
        self.stopped: ReelwiseError | None = whole.stopped
        self.cost_usd = whole.receipt.cost_usd
        self.what = "labels" if job.script.labels else "fields" if _compared(job.script) else "text"
        self._again: Agreement | None = None

    def _run(self, name: str, script: Script) -> list[tuple[ItemResult, ItemResult]]:
        if self.stopped is not None:
            return []
        job = msgspec.structs.replace(self._job, script=script)
        found = self._session.run(job.case.plan, self._items, name=name, job=job)
        self.cost_usd += found.receipt.cost_usd
        self.stopped = found.stopped
        if found.stopped is not None:
            return []
        pairs = zip(self._whole.results, found.results, strict=True)
        return [(one, other) for one, other in pairs if one.status == "ok" and other.status == "ok"]

    def run(self, name: str, script: Script) -> Agreement | None:
        """Ask with the whole prompt once more."""
        self._again = self._agreement(self._run(name, script))
        return self._again

    def left_out(self, name: str, part: str, script: Script, tokens: int) -> LeftOut | None:
        """Ask without a part; None where nothing was answered."""
        both = self._run(name, script)
        found = self._agreement(both)
        if found is None or self._again is None:
            return None
        before, after = (sum(pair[side].cost_usd for pair in both) for side in (0, 1))
        verdict = "open"
        if found.low >= self._floor:
            verdict = "not needed"
        elif _fewer(found, self._again):
            verdict = "needed"
        return LeftOut(
            part=part, tokens=tokens, agreement=found, usd=after, saved_share=1 - after / before if before else 0.0,
            verdict=verdict,
        )  # fmt: skip

    def _agreement(self, both: Sequence[tuple[ItemResult, ItemResult]]) -> Agreement | None:
        said = [(a, b) for one, other in both for a, b in zip(one.answers, other.answers, strict=True)]
        names = _compared(self._job.script)
        if self.what == "text":
            scores = [text_likeness(a.text, b.text) for a, b in said]
        elif self.what == "labels":
            scores = [float((a.label or a.text) == (b.label or b.text)) for a, b in said]
        else:
            scores = [float(_told(a.value, names) == _told(b.value, names)) for a, b in said]
        # each answer counts by itself: what is asked is whether words of the prompt change it, not what clips hold
        return agreement(self.what, [Scored(score, f"{number}") for number, score in enumerate(scores)])


def _fewer(one: Agreement, again: Agreement) -> bool:
    """Say whether one share is below another at 95 %: Newcombe's interval of their difference, of the two intervals, is above 0."""
    apart = again.value - one.value
    room: float = ((again.value - again.low) ** 2 + (one.high - one.value) ** 2) ** 0.5
    return apart > room


def _compared(script: Script) -> tuple[str, ...]:
    """Name the fields of answers that are the same or not: choices, counts, yes and no; not free text, nor how sure the model is."""
    form = script.form if script.answer else None
    if form is None:
        return ()
    plain = {"integer", "number", "boolean"}
    return tuple(
        name
        for name, one in form["properties"].items()
        if name != "confidence"
        and ("enum" in one or plain & set(one["type"] if isinstance(one["type"], list) else [one["type"]]))
    )


def _told(value: Any, names: Sequence[str]) -> str:
    many = value if isinstance(value, list) else [value]
    return msgspec.json.encode([[one.get(name) for name in names] for one in many if isinstance(one, dict)]).decode()


def _notes(session: Session, job: Job, found: Sequence[LeftOut], floor: float) -> list[str]:
    said = [*job.notes]
    if any(one.verdict == "open" for one in found):
        said.append(
            f"open: more answers tell; where none of n changes, {floor:.0%} is proved from {_least(floor)} answers on, each of another clip"
        )
    if session.box is not None and not session.box.desk.scenario.needs:
        said.append(
            "this sandbox lets every word of a prompt change every answer: say under `needs` of a scenario which words matter"
        )
    return said


def _least(floor: float) -> int:
    """Return the number of answers, all the same, from which on the interval's lower end is at a floor."""
    for count in range(1, 10_000):
        found = agreement("labels", [Scored(1.0, f"{number}") for number in range(count)])
        if found is not None and found.low >= floor:
            return count
    return 10_000
