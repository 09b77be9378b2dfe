"""What decides where an item goes: the route before its call, the doubt after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.facts import settings_hash
from reelwise.flow import Out
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Piece
    from reelwise.plan import Plan
    from reelwise.stages import Escalate, Route

__all__ = ["confidence_of", "doubted", "routed"]


def routed(stage: Route, pieces: list[Piece], plan: Plan, facts: Facts, out: Out) -> Iterator[Piece]:
    """Give each piece its lane, and count the share that is easy.

    Args:
        stage: the rule.
        pieces: to decide on.
        plan: whose calls follow.
        facts: for what a call would cost.
        out: prices, and where the share is counted.
    """
    settings, prefix = settings_hash(stage), out.prefix()
    for piece in pieces:
        easy = stage.rule == "price" or active_share(piece) < stage.easy_below
        if easy:
            here, there = (_usd(plan, piece.item, lane, facts, out) for lane in (piece.item.lane, stage.to))
            easy = there is not None and (here is None or there < here)
        if out.tally:
            out.tally.add("route.easy_share", settings, prefix, float(easy), 1.0)
        yield piece.with_item(lane=stage.to) if easy else piece


def active_share(piece: Piece) -> float:
    """Return the share of a piece's time in which something happens."""
    from reelwise import video

    seconds = sum(stop - start for start, stop in piece.stretches)
    if seconds <= 0:
        return 0.0
    found = video.gate(piece.track, pad_seconds=0.0, join_seconds=0.0)
    active = sum(max(0.0, min(b, d) - max(a, c)) for a, b in found for c, d in piece.stretches)
    return min(1.0, active / seconds)


def _usd(plan: Plan, item: Item, lane: str, facts: Facts, out: Out) -> float | None:
    """Price the calls of one lane about an item; None where it has none."""
    calls = [call for call in plan.of(Call) if call.lane in {None, lane}]
    if not calls:
        return None
    tried = Out(out.book, out.day)
    calls[0].expect(msgspec.structs.replace(item, lane=lane), facts, tried)
    return sum(
        float(usage.quantity) * float(rate.usd)
        for request in tried.requests
        for usage, rate in out.book.price_request(request)
    )


def confidence_of(outcomes: tuple[Any, ...]) -> float | None:
    """Return how sure the least sure of some answers is; None where one does not say."""
    found = [one.confidence for one in outcomes]
    return None if not found or any(one is None for one in found) else min(found)


def doubted(stage: Escalate, pieces: list[Piece], out: Out) -> Iterator[Piece]:
    """Pass on what is in doubt, and count its share. What was refused is not asked again of a dearer model."""
    settings, prefix = settings_hash(stage), out.prefix()
    for piece in pieces:
        last = piece.answers[-1] if piece.answers else ()
        sure = confidence_of(last)
        doubt = any(one.status in {"ok", "cached"} for one in last) and (sure is None or sure < stage.sure)
        if out.tally:
            out.tally.add("escalate.doubt_share", settings, prefix, float(doubt), 1.0)
        if doubt:
            yield piece.with_item(lane=stage.to)
