from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reelwise.live.thumb import CODES, SIDE, codes, keys
from reelwise.live.vote import vote


def halves():
    small = np.zeros((SIDE, SIDE, 3), np.uint8)
    small[:, : SIDE // 2] = (220, 40, 40)
    small[:, SIDE // 2 :] = (40, 60, 220)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:, : SIDE // 2] = 255
    return small, mask


def test_a_place_goes_with_the_places_of_its_colour():
    small, mask = halves()
    broken = np.zeros((SIDE, SIDE), np.uint8)
    broken[40:60, 50:80] = 255
    wrong = np.where(broken > 0, 128, mask).astype(np.uint8)
    places = np.flatnonzero(broken)
    votes = vote(small, wrong, places, broken)

    assert not votes.unknown.any()
    assert np.array_equal(votes.share, mask.ravel()[places])


def test_a_colour_that_nobody_has_stays_as_it_was_and_says_so():
    small, mask = halves()
    small[64, 64] = (10, 250, 10)
    broken = np.zeros((SIDE, SIDE), np.uint8)
    broken[64, 64], mask[64, 64] = 255, 77
    votes = vote(small, mask, np.array([64 * SIDE + 64]), broken)

    assert votes.unknown.tolist() == [True]
    assert votes.share.tolist() == [77]


def test_only_places_near_by_vote():
    small, mask = halves()
    small[:] = 128
    mask[:] = 0
    mask[:20, :20] = 255
    broken = np.zeros((SIDE, SIDE), np.uint8)
    broken[100, 100] = 255
    votes = vote(small, mask, np.array([100 * SIDE + 100]), broken)

    assert votes.share.tolist() == [0]


@given(st.integers(0, 2**32 - 1), st.integers(0, SIDE - 1), st.integers(0, SIDE - 1))
def test_rows_that_are_left_out_would_not_have_voted(seed, first, last):
    """Votes of some rows are the same as those of the same places among more: what is not near is not counted."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 64, (SIDE, SIDE, 3), dtype=np.uint8)
    mask = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    broken = np.where(rng.random((SIDE, SIDE)) < 0.3, 255, 0).astype(np.uint8)
    some = np.flatnonzero(broken)
    rows = some // SIDE
    few = some[(rows >= min(first, last)) & (rows <= max(first, last))]
    if not few.size:
        return
    votes, all_ = vote(small, mask, few, broken), vote(small, mask, some, broken)
    at = np.isin(some, few)

    assert np.array_equal(votes.share, all_.share[at])
    assert np.array_equal(votes.unknown, all_.unknown[at])


@given(st.integers(0, 2**32 - 1))
def test_shares_lie_between_those_who_vote(seed):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    broken = np.where(rng.random((SIDE, SIDE)) < max(0.01, rng.random()), 255, 0).astype(np.uint8)
    mask = rng.integers(100, 200, (SIDE, SIDE), dtype=np.uint8)
    votes = vote(small, mask, np.flatnonzero(broken), broken)

    assert ((votes.share >= 100) & (votes.share < 200)).all()


def test_codes_are_few_and_tell_hues_apart():
    rng = np.random.default_rng(0)
    assert codes(keys(rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8))).max() < CODES
    skin, wall = np.full((1, 1, 3), (200, 150, 120), np.uint8), np.full((1, 1, 3), (160, 160, 160), np.uint8)

    assert codes(keys(skin)) != codes(keys(wall))
