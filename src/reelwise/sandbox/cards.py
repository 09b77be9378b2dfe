"""Serving what is billed by the picture, the minute or the second: let it in, let go wrong what the scenario wants, bill it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.exchange import UNDELIVERED, Drop, document, spoilt, without

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from reelwise.sandbox.desk import Desk
    from reelwise.sandbox.exchange import Exchange, Reply
    from reelwise.sandbox.invoice import Row

__all__ = ["UNDELIVERED", "begun", "bill", "let_in", "served"]

_WHEN_DONE = frozenset({"bad_json", "no_usage", "cut_stream"})
"""Faults of a job that befall what it says when it is done; the others befall its beginning."""


def let_in(exchange: Exchange, sku: str, digest: bytes) -> str | None:
    """Check the key and the limits, and choose what goes wrong; None for nothing.

    Raises:
        RefusalError: it is not served; nothing is billed.
    """
    desk = exchange.desk
    desk.check_key(exchange.key)
    desk.enter(exchange.key, sku, 0)
    fault = desk.fault(sku, digest, desk.times_seen(digest))
    if fault == "refused":
        raise BadRequestError("This content is not allowed by the content policy", code="content_policy_violation")
    return fault


def bill(desk: Desk, sku: str, quantity: Fraction, row: Row, *, resolution: str = "", counted: bool = True) -> None:
    """Price a quantity of a card's unit, and write its row.

    Args:
        desk: the sandbox's state.
        sku: the card.
        quantity: in its unit.
        row: what else its row says.
        resolution: of generated video.
        counted: whether free units and steps of the month move on.
    """
    day = desk.clock.day()
    before = desk.before(sku, quantity) if counted else quantity * 0
    row.sku, row.quantity, row.day, row.at = sku, str(quantity), day.isoformat(), desk.clock.now()
    row.nano = desk.prices.card_nano(sku, quantity, before, day, resolution)
    desk.invoice.add(row)


def served(fault: str | None, answer: Callable[[], dict[str, Any]], usage: str = "") -> Reply:
    """Answer, unless the line breaks before the call is accepted.

    Args:
        fault: what goes wrong.
        answer: bills the call and returns the document.
        usage: the field that says what was used.
    """
    if fault == "lost_request":
        return Drop()
    value = answer()
    found = document(without(value, usage) if fault == "no_usage" else value)
    return spoilt(fault, found)


def begun(
    desk: Desk, name: str, job: dict[str, Any], *, done: Callable[[], None], answer: Callable[[], dict[str, Any]]
) -> Reply:
    """Begin a job, unless the line breaks before it is accepted.

    Args:
        desk: the sandbox's state.
        name: the job's id.
        job: what is kept of it, with its `fault`.
        done: bills the job; called at once where the caller never learns the id: it is made, and billed, all the same.
        answer: returns what the caller is told of it.
    """
    fault = None if job["fault"] in _WHEN_DONE else job["fault"]

    def begin() -> dict[str, Any]:
        desk.store.put(name, job)
        if fault is not None:
            done()
        return answer()

    return served(fault, begin)
