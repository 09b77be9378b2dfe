"""Explicit caches in a run: what all questions about an item share goes up once, is read for each of them, and is paid while it is kept."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.charge import charge, hold
from reelwise.errors import EndpointError
from reelwise.flow import Out
from reelwise.models.gemini_caches import create_cache, delete_cache
from reelwise.requests import Usage
from reelwise.run.outcome import Outcome, metered_units
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.charge import Ask
    from reelwise.facts import Facts
    from reelwise.flow import Item, Piece
    from reelwise.models.gemini import Gemini
    from reelwise.models.gemini_caches import Kept
    from reelwise.models.work import Work
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.run.job import Job
    from reelwise.run.settle import Desk

__all__ = ["Filled", "break_even", "dear_caches", "fill", "let_go"]

_NEARLY_OVER_SECONDS = 60.0
_QUESTIONS_MAX = 1000


class Filled(Struct, frozen=True, kw_only=True):
    """A cache that calls can read.

    Attributes:
        name: what calls name it by.
        outcome: of filling it: what that and keeping it cost.
        until: seconds since 1970 when it is over.
        kept: as it was made; None where an earlier part of the run made it.
    """

    name: str
    outcome: Outcome
    until: float
    kept: Any = None


def fill(desk: Desk, gemini: Gemini, call: Call, work: Work, *, ask: Ask, head: Outcome) -> Filled:
    """Put what the calls of an item share into a cache, or find the one that an earlier part of the run made.

    Held for, posted and written down like a call: the input at the model's price, and keeping it for all of `cache_hours`.

    Args:
        desk: makes and settles.
        gemini: the endpoint.
        call: the stage.
        work: what is shared.
        ask: what it can use at most.
        head: its outcome so far.

    Raises:
        EndpointError: it was refused (too small, no such model), or nobody knows.
        BudgetError: a budget said no.
    """
    note = desk.journal.notes.get(f"cache/{head.identity}")
    before = desk.journal.over.get(head.identity)
    if (
        note is not None
        and before is not None
        and before.status == "ok"
        and note["until"] > time.time() + _NEARLY_OVER_SECONDS
    ):
        return Filled(name=note["name"], outcome=before, until=note["until"])
    if before is not None or head.identity in desk.journal.lost:
        head = msgspec.structs.replace(head, identity=f"{head.identity}-{len(desk.journal.over)}")
    seconds = call.cache_hours * 3600
    bound = hold(ask, desk.book)
    request = bound.request
    tokens = sum(getattr(request, f"tokens_{kind}") for kind in ("image", "video", "audio", "text")) if request else 0.0
    storage = Usage(sku=f"{call.model}/cache-storage", unit="token_hour", quantity=tokens * call.cache_hours)
    made: list[Kept] = []

    def make() -> tuple[int, dict[str, float], str]:
        kept = create_cache(gemini, work, seconds)
        made.append(kept)
        filled = kept.used.request(model=call.model)
        nano = charge(filled, desk.book).nano + charge(kept.storage(), desk.book).nano
        return nano, metered_units(filled), kept.name

    outcome = desk.other(head, bound.nano + hold(storage, desk.book).nano, make)
    until = time.time() + seconds
    desk.journal.note(f"cache/{head.identity}", {"name": made[0].name, "until": until})
    return Filled(name=made[0].name, outcome=outcome, until=until, kept=made[0])


def let_go(gemini: Gemini, filled: Filled) -> None:
    """Remove a cache that no call will read any more; where that fails it ends by itself."""
    if filled.kept is not None:
        with suppress(EndpointError):
            delete_cache(gemini, filled.kept)


def break_even(call: Call, item: Item, facts: Facts, book: Book) -> int | None:
    """Return the number of questions about an item from which on a cache costs less than sending it each time; None for never."""
    for questions in range(1, _QUESTIONS_MAX + 1):
        asked = msgspec.structs.replace(item, questions=float(questions))
        cached, plain = (
            _usd(msgspec.structs.replace(call, cache=how), asked, facts, book) for how in ("explicit", "none")
        )
        if cached < plain:
            return questions
    return None


def dear_caches(job: Job, plan: Plan, pieces: Sequence[Piece]) -> tuple[str, ...]:
    """Say where an explicit cache costs more than it saves, and from how many questions on it would not."""
    said = []
    for call in plan.of(Call, lambda call: call.cache == "explicit"):
        least = break_even(call, pieces[0].item, job.case.facts, job.case.book)
        asked = len(job.script.asked)
        if least is None or asked < least:
            when = "for no number of them" if least is None else f"from {least} on"
            said.append(
                f"the explicit cache of {call.model} costs more than it saves with {asked} questions: it pays {when}"
            )
    return tuple(said)


def _usd(call: Call, item: Item, facts: Facts, book: Book) -> float:
    out = Out(book, book.day)
    call.expect(item, facts, out)
    calls = sum(
        float(usage.quantity) * float(rate.usd)
        for request in out.requests
        for usage, rate in book.price_request(request)
    )
    return calls + sum(float(one.quantity) * float(book.rate(one.sku, one.unit).usd) for one in out.usages)
