"""One half of the footage held out: how far the month moves when the other half is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.facts import Facts
from reelwise.price import price_one
from reelwise.run.footage import halves, piece_of
from reelwise.run.measure import collect, entries_of
from reelwise.run.result import HoldoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.case import Case
    from reelwise.flow import Piece
    from reelwise.levers import Lever
    from reelwise.plan import Plan
    from reelwise.run.scans import Scans
    from reelwise.stack import Stack
    from reelwise.video import Track

__all__ = ["holdout"]


def holdout(
    case: Case, result: Stack, levers: Sequence[Lever], tracks: Sequence[Track], scans: Scans | None = None
) -> tuple[HoldoutError, ...]:
    """Measure on one half of each clip and predict what the month costs if all of it is like the other half; both ways.

    Both figures are the month: predicted from facts of one half, counted from those of the other. Done for the plan with
    all levers, and for each lever alone whose effect is read off the footage.

    Args:
        case: with the facts that were measured.
        result: the waterfall.
        levers: to test alone.
        tracks: the clips.
        scans: remembers what scanning them found.
    """
    cut = [pair for pair in (halves(track) for track in tracks) if pair is not None]
    if not cut:
        return ()
    sides = [[piece_of(case.workload, pair[side], scans) for pair in cut] for side in (0, 1)]
    alone = [(f"{lever.name} alone", lever.apply(case.plan)) for lever in levers]
    plans = [
        ("all levers", result.plan),
        *((name, plan) for name, plan in alone if _measured_plan(case, plan, sides[0])),
    ]
    rows = []
    for name, plan in plans:
        months = []
        for side in (0, 1):
            _, _, tally = collect(plan, sides[side], case.facts, case.book)
            entries = entries_of(tally, None, footage=case.workload.footage, on=f"half {side + 1}", day=case.day)
            facts = _without_measured(case.facts).with_entries(entries)
            months.append(float(price_one(case.workload, plan, facts, case.book, case.account).total_usd))
        halves_named = ("first half", "second half")
        rows += [
            HoldoutError(
                plan=name,
                measured_on=halves_named[learn],
                predicted=halves_named[guess],
                usd_predicted=months[learn],
                usd_counted=months[guess],
                error=months[learn] / months[guess] - 1,
            )
            for learn, guess in ((0, 1), (1, 0))
            if months[guess] > 0
        ]
    return tuple(rows)


def _measured_plan(case: Case, plan: Plan, pieces: Sequence[Piece]) -> bool:
    """Say whether running a plan measures anything on footage."""
    return bool(collect(plan, pieces, case.facts, case.book)[2].sums)


def _without_measured(facts: Facts) -> Facts:
    return Facts(e for e in facts.entries if e.fact.kind != "measured")
