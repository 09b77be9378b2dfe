"""A sample stands for the footage: active and quiet parts in their shares, every clip before one comes again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.run.drawing import ordered, weights

FOOTAGE = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=60)


def items_of(footage):
    return [SimpleNamespace(info=SimpleNamespace(path=f"clip{clip}")) for clip, _ in footage]


@given(FOOTAGE, st.integers(0, 5))
def test_every_beginning_of_the_order_has_active_and_quiet_in_their_shares(footage, seed):
    active = [moves for _, moves in footage]
    order = ordered(items_of(footage), active, seed)

    assert sorted(order) == list(range(len(footage)))
    share = sum(active) / len(active)
    for size in range(1, len(order) + 1):
        assert abs(sum(active[place] for place in order[:size]) - share * size) < 1


@given(FOOTAGE, st.integers(0, 5))
def test_of_each_kind_every_clip_comes_once_before_one_comes_again(footage, seed):
    active = [moves for _, moves in footage]
    order = ordered(items_of(footage), active, seed)
    for kind in (True, False):
        clips = [footage[place][0] for place in order if active[place] is kind]
        first = len(set(clips))
        assert len(set(clips[:first])) == first


def test_another_seed_is_another_order_and_the_same_seed_the_same():
    footage = [(number % 3, number % 2 == 0) for number in range(30)]
    items, active = items_of(footage), [moves for _, moves in footage]

    assert ordered(items, active, 1) == ordered(items, active, 1)
    assert ordered(items, active, 1) != ordered(items, active, 2)


@given(FOOTAGE, st.data())
def test_weights_give_each_kind_what_there_is_of_it(footage, data):
    active = [moves for _, moves in footage]
    chosen = data.draw(st.lists(st.sampled_from(range(len(footage))), min_size=1, unique=True))
    found, drawn = weights(active, chosen)

    assert sum(found.values()) == pytest.approx(len(chosen))
    assert drawn.active + drawn.quiet == len(footage)
    if drawn.active_drawn and drawn.quiet_drawn:
        weight = sum(found[place] for place in chosen if active[place])
        assert weight / len(chosen) == pytest.approx(drawn.active / len(footage))
