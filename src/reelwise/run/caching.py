"""Explicit caches in a run: what all questions about an item share goes up once, is read for each of them, and is paid while it is kept."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.charge import charge, hold
from reelwise.errors import EndpointError
from reelwise.flow import Out
from reelwise.models.gemini_caches import create_cache, delete_cache
from reelwise.requests import Usage
from reelwise.run.orders import expected_text
from reelwise.run.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.charge import Ask
    from reelwise.facts import Facts
    from reelwise.flow import Item
    from reelwise.models.gemini import Gemini
    from reelwise.models.gemini_caches import Kept
    from reelwise.models.used import Used
    from reelwise.models.work import Work
    from reelwise.rates import Book
    from reelwise.run.settle import Desk, Order
    from reelwise.stages import Call

__all__ = ["Filled", "break_even", "fill", "fills", "let_go", "through"]

_NEARLY_OVER_SECONDS = 60.0
_QUESTIONS_MAX = 1000
_FILLS_MAX = 1000


class Filled(Struct, frozen=True, kw_only=True):
    """A cache that calls can read.

    Attributes:
        name: what calls name it by.
        outcome: of filling it: what that and keeping it cost.
        until: seconds since 1970 when it is over.
    """

    name: str
    outcome: Outcome
    until: float


def fills(desk: Desk, identity: str) -> tuple[Outcome, ...]:
    """List what became of all fillings of a cache so far: it is filled again where it was over before all had read it.

    Args:
        desk: makes and settles.
        identity: of the first call that reads it.
    """
    found = []
    for name in _names(identity):
        if name in desk.journal.over:
            found.append(desk.journal.over[name])
        elif name in desk.journal.lost:
            clip, held = desk.journal.lost[name]
            why = "the run ended while it was filled: it may be billed"
            found.append(
                Outcome(
                    identity=name, clip=clip, item=0, kind="cache", status="ambiguous", cost_nano=held, held_nano=held,
                    reason="lost", error=why,
                )
            )  # fmt: skip
        else:
            break
    return tuple(found)


def _names(identity: str) -> Iterator[str]:
    yield f"{identity}-cache"
    yield from (f"{identity}-cache-{number}" for number in range(2, _FILLS_MAX))


def fill(desk: Desk, gemini: Gemini, call: Call, work: Work, *, ask: Ask, head: Outcome) -> Filled:
    """Put what the calls of an item share into a cache, or find the one that an earlier part of the run made.

    Held for, posted and written down like a call: the input at the model's price, and keeping it for all of its hours.

    Args:
        desk: makes and settles.
        gemini: the endpoint.
        call: the stage.
        work: what is shared.
        ask: what it can use at most.
        head: of the first call that reads it.

    Raises:
        EndpointError: it was refused (too small, no such model), or nobody knows.
        BudgetError: a budget said no.
    """
    before = fills(desk, head.identity)
    note = desk.journal.notes.get(f"cache/{before[-1].identity}") if before and before[-1].status == "ok" else None
    if note is not None and note["until"] > time.time() + _NEARLY_OVER_SECONDS:
        return Filled(name=note["name"], outcome=before[-1], until=note["until"])
    name = next(itertools.islice(_names(head.identity), len(before), None))
    head = msgspec.structs.replace(
        head, identity=name, kind="cache", question=0, labelled=False, text_expected=0, mode="standard"
    )
    seconds = call.kept_hours * 3600
    bound = hold(msgspec.structs.replace(ask, mode="standard"), desk.book)
    request = bound.request
    tokens = sum(getattr(request, f"tokens_{kind}") for kind in ("image", "video", "audio", "text")) if request else 0.0
    storage = Usage(sku=f"{call.model}/cache-storage", unit="token_hour", quantity=tokens * call.kept_hours)
    made: list[Kept] = []

    def make() -> tuple[Used, int, str]:
        kept = create_cache(gemini, work, seconds)
        made.append(kept)
        return kept.used, charge(kept.storage(), desk.book).nano, kept.name

    most = bound.nano + hold(storage, desk.book).nano
    outcome = desk.other(head, most, make, wait_seconds=work.timeout_seconds)
    until = time.time() + seconds
    desk.journal.note(f"cache/{name}", {"name": made[0].name, "until": until})
    return Filled(name=made[0].name, outcome=outcome, until=until)


def through(desk: Desk, call: Call, orders: Sequence[Order], head: Outcome) -> tuple[Filled, list[Order]]:
    """Fill a cache with what some calls about an item share, and make them read it: each sends its question alone.

    Args:
        desk: makes and settles.
        call: the stage.
        orders: calls that show the same.
        head: of the first call about it, made or not: its identity names the cache.

    Raises:
        EndpointError, BudgetError: see `fill`.
    """
    first = orders[0]
    shared = msgspec.structs.replace(first.work, parts=first.work.parts[:-1], schema=b"", labels=())
    filled = fill(
        desk,
        first.endpoint,
        call,
        shared,
        ask=first.ask,
        head=msgspec.structs.replace(first.head, identity=head.identity),
    )
    found = []
    for order in orders:
        work = msgspec.structs.replace(order.work, parts=order.work.parts[-1:], system="", cache=filled.name)
        told = msgspec.structs.replace(order.head, text_expected=expected_text(work))
        found.append(msgspec.structs.replace(order, work=work, head=told))
    return filled, found


def let_go(desk: Desk, gemini: Gemini, filled: Filled) -> None:
    """Remove a cache that no call will read any more; where that fails it ends by itself."""
    desk.journal.note(f"cache/{filled.outcome.identity}", {"name": filled.name, "until": 0.0})
    with suppress(EndpointError):
        delete_cache(gemini, filled.name)


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


def _usd(call: Call, item: Item, facts: Facts, book: Book) -> float:
    out = Out(book, book.day)
    call.expect(item, facts, out)
    calls = sum(
        float(usage.quantity) * float(rate.usd)
        for request in out.requests
        for usage, rate in book.price_request(request)
    )
    return calls + sum(float(one.quantity) * float(book.rate(one.sku, one.unit).usd) for one in out.usages)
