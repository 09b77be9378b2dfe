"""What decides where an item goes: the route before its call, the doubt after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.errors import InputError
from reelwise.facts import settings_hash
from reelwise.flow import Out
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Piece
    from reelwise.plan import Plan
    from reelwise.route.embedding import Embedding, EmbeddingFacts
    from reelwise.stages import Escalate, Route

__all__ = ["confidence_of", "doubted", "routed"]


def routed(  # noqa: PLR0917 - called in one place
    stage: Route,
    pieces: list[Piece],
    plan: Plan,
    facts: Facts,
    out: Out,
    opened: Callable[[EmbeddingFacts], Embedding],
) -> Iterator[Piece]:
    """Give each piece its lane, and count the share that is easy.

    Args:
        stage: the rule.
        pieces: to decide on.
        plan: whose calls follow.
        facts: for what a call would cost.
        out: prices, and where the share is counted.
        opened: opens the embedding of a trained router where it costs money.
    """
    settings, prefix = settings_hash(stage), out.prefix()
    router = _router(stage.trained, opened) if stage.trained is not None else None
    chosen: dict[str, bool] = {}
    for piece in pieces:
        easy = (
            _chosen(router, piece, chosen)
            if router is not None
            else stage.rule == "price" or active_share(piece) < stage.easy_below
        )
        if easy:
            here, there = (_usd(plan, piece.item, lane, facts, out) for lane in (piece.item.lane, stage.to))
            easy = there is not None and (here is None or there < here)
        if out.tally:
            out.tally.add("route.easy_share", settings, prefix, float(easy), 1.0)
        yield piece.with_item(lane=stage.to) if easy else piece


def _router(path: str, opened: Callable[[EmbeddingFacts], Embedding]) -> Any:
    from reelwise.route import Router
    from reelwise.route.embedding import is_endpoint
    from reelwise.route.saved import read_saved

    facts = read_saved(Path(path), "router").embedding
    paid = opened(facts) if facts is not None and is_endpoint(facts.name) else None
    return Router.load(Path(path), embedding=paid)


def _chosen(router: Any, piece: Piece, known: dict[str, bool]) -> bool:
    """Ask a trained router about the words of a call, once for the same words: its embedding may cost money."""
    text = "\n".join(piece.script.asked)
    if text not in known:
        known[text] = router.choose(text).model == router.saved.cheap
    return known[text]


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


def _cascade(path: str) -> Any:
    from reelwise.route import Cascade

    saved = Cascade.load(Path(path)).saved
    if saved is None or saved.answers != 1:
        raise InputError("looks at more than one answer", where=path, hint="calibrate it on the cheap model's alone")
    return saved


def _scored(saved: Any, piece: Piece, last: tuple[Any, ...]) -> bool:
    """Say whether a calibrated score doubts any answer; where no cut-off was proved, all are doubted."""
    if saved.floor.cut is None:
        return True
    asked = piece.script.asked
    return any(saved.floor.to_dear(saved.score(asked[max(0, one.question)], [one.text])) for one in last)


def doubted(stage: Escalate, pieces: list[Piece], out: Out) -> Iterator[Piece]:
    """Pass on what is in doubt, and count its share. What was refused is not asked again of a dearer model."""
    settings, prefix = settings_hash(stage), out.prefix()
    saved = _cascade(stage.calibrated) if stage.calibrated is not None else None
    for piece in pieces:
        last = piece.answers[-1] if piece.answers else ()
        sure = confidence_of(last)
        unsure = sure is None or sure < stage.sure if saved is None else _scored(saved, piece, last)
        doubt = any(one.status in {"ok", "cached"} for one in last) and unsure
        if out.tally:
            out.tally.add("escalate.doubt_share", settings, prefix, float(doubt), 1.0)
        if doubt:
            yield piece.with_item(lane=stage.to)
