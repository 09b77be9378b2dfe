"""What decides where an item goes: the route before its call, the doubt after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.facts import settings_hash
from reelwise.flow import Out
from reelwise.run.asking import heard, said_easy
from reelwise.run.doubting import calibrated, in_doubt
from reelwise.run.machines import busy_usd
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Piece
    from reelwise.plan import Plan
    from reelwise.stages import Escalate, Route

__all__ = ["active_share", "doubted", "routed"]


def routed(
    stage: Route, pieces: list[Piece], plan: Plan, facts: Facts, out: Out, *, runner: Any = None
) -> Iterator[Piece]:
    """Give each piece its lane, and count the share that is easy.

    Args:
        stage: the rule.
        pieces: to decide on.
        plan: whose calls follow.
        facts: for what a call would cost.
        out: prices, and where the share is counted.
        runner: makes the calls of a model that decides, and of an embedding that costs money.
    """
    settings, prefix = settings_hash(stage), out.prefix()
    for piece, said in zip(pieces, _easy(stage, pieces, plan.stages.index(stage), runner), strict=True):
        easy = said
        if said:  # never where it costs more
            here, there = (_usd(plan, piece.item, lane, facts, out) for lane in (piece.item.lane, stage.to))
            easy = there is not None and (here is None or there < here)
        if out.tally:
            out.tally.add("route.easy_share", settings, prefix, float(easy), 1.0)
        yield piece.with_item(lane=stage.to) if easy else piece


def _easy(stage: Route, pieces: list[Piece], index: int, runner: Any) -> list[bool]:
    """Say which pieces are easy; a model that decides is asked about several at once."""
    if stage.router is not None:
        said: list[bool] = runner.spread(
            lambda piece: said_easy(stage, index, piece, runner, active_share(piece)), pieces
        )
        return said
    if stage.trained is not None:
        router, known = _router(stage.trained, runner), dict[str, bool]()
        return [_chosen(router, piece, known) for piece in pieces]
    return [stage.rule == "price" or active_share(piece) < stage.easy_below for piece in pieces]


def _router(path: str, runner: Any) -> Any:
    from reelwise.route import Router
    from reelwise.route.embedding import is_endpoint
    from reelwise.route.saved import read_saved

    facts = read_saved(Path(path), "router").embedding
    paid = runner.embedding(facts) if facts is not None and is_endpoint(facts.name) else None
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
    """Price the calls of one lane about an item, a host's by its machine time; None where it has none.

    Raises:
        InputError: nobody knows how fast a host is.
    """
    calls = [call for call in plan.of(Call) if call.lane in {None, lane}]
    if not calls:
        return None
    tried = Out(out.book, out.day)
    calls[0].expect(msgspec.structs.replace(item, lane=lane), facts, tried)
    usd = 0.0
    for request in tried.requests:
        if request.model.startswith("host:"):
            usd += busy_usd(request, plan, facts, out.book)
        else:
            usd += sum(float(usage.quantity) * float(rate.usd) for usage, rate in out.book.price_request(request))
    return usd


def doubted(
    stage: Escalate, index: int, pieces: list[Piece], runner: Any, out: Out, *, verifier: Any = None
) -> Iterator[Piece]:
    """Pass on what is in doubt, and count its share. What was refused is not asked again of any model.

    Args:
        stage: what decides.
        index: its place in the plan.
        pieces: that were answered.
        runner: makes the calls that deciding needs.
        out: the plan's calls so far, and where the share is counted.
        verifier: a function of question and answer, for `verifier: own`.
    """
    settings, prefix = settings_hash(stage), out.prefix()
    saved = calibrated(stage)
    served = [piece for piece in pieces if piece.answers and any(_served(one) for one in piece.answers[-1])]
    others = heard(stage, index, served, runner, out)
    kept = {id(piece.track) for piece in served}
    for piece in pieces:
        track = id(piece.track)
        doubt = track in kept and in_doubt(stage, piece, others.get(track, {}), saved=saved, verifier=verifier)
        if out.tally:
            out.tally.add("escalate.doubt_share", settings, prefix, float(doubt), 1.0)
        if doubt:
            yield piece.with_item(lane=stage.to)


def _served(one: Any) -> bool:
    return one.status in {"ok", "cached"}
