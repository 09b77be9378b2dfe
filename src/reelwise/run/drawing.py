"""Which parts of the footage are asked about: drawn so that a few of them stand for all, active ones and quiet ones alike."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.video import Track

__all__ = ["Drawn", "ordered", "strata_of", "weights"]


class Drawn(Struct, frozen=True, kw_only=True):
    """How a sample was drawn.

    Attributes:
        active, quiet: parts of the footage in which something moves, and in which nothing does.
        active_drawn, quiet_drawn: how many of them were asked about.
    """

    active: int
    quiet: int
    active_drawn: int
    quiet_drawn: int


def strata_of(items: Sequence[Track]) -> list[bool]:
    """Say of each item whether something moves in it."""
    from reelwise import video

    return [bool(video.gate(item, pad_seconds=0.0)) for item in items]


def ordered(items: Sequence[Track], active: Sequence[bool], seed: int) -> list[int]:
    """Order items so that every beginning of the order stands for the whole.

    Active and quiet ones come in their shares (as near as whole items allow); within each kind every clip comes once before one comes
    again; what is left is chance.

    Args:
        items: all of them.
        active: of each, whether something moves.
        seed: of the chance.

    Returns:
        Their places, each once.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    kinds = {
        kind: _turns([place for place, one in enumerate(active) if one is kind], items, chance)
        for kind in (True, False)
    }
    totals = {kind: len(places) for kind, places in kinds.items()}
    taken = dict.fromkeys(kinds, 0)
    order: list[int] = []
    while len(order) < len(items):
        left = [kind for kind in kinds if taken[kind] < totals[kind]]
        # whichever is furthest behind its share of the next one
        kind = max(left, key=lambda one: (totals[one] * (len(order) + 1) / len(items) - taken[one], totals[one]))
        order.append(kinds[kind][taken[kind]])
        taken[kind] += 1
    return order


def _turns(places: list[int], items: Sequence[Track], chance: random.Random) -> list[int]:
    """Take one item of each clip in turn."""
    chance.shuffle(places)
    clips: dict[str, list[int]] = {}
    for place in places:
        clips.setdefault(items[place].info.path, []).append(place)
    order: list[int] = []
    for turn in range(max((len(one) for one in clips.values()), default=0)):
        order += [one[turn] for one in clips.values() if len(one) > turn]
    return order


def weights(active: Sequence[bool], chosen: Iterable[int]) -> tuple[dict[int, float], Drawn]:
    """Weigh chosen items so that active and quiet footage count as much as there is of each.

    Args:
        active: of each item, whether something moves.
        chosen: the places of those that were answered.

    Returns:
        The weight of each chosen place, 1 on average where both kinds were chosen, and how they were drawn.
    """
    places = list(chosen)
    totals = {kind: sum(one is kind for one in active) for kind in (True, False)}
    taken = {kind: sum(active[place] is kind for place in places) for kind in (True, False)}
    seen = sum(totals[kind] for kind in totals if taken[kind])
    found = {
        place: totals[active[place]] / taken[active[place]] * len(places) / seen for place in places
    }  # fmt: skip
    return found, Drawn(active=totals[True], quiet=totals[False], active_drawn=taken[True], quiet_drawn=taken[False])
