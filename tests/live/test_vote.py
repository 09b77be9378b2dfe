from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reelwise.live.thumb import CODES, SIDE, codes
from reelwise.live.vote import vote


def halves():
    small = np.zeros((SIDE, SIDE, 3), np.uint8)
    small[:, : SIDE // 2] = (220, 40, 40)
    small[:, SIDE // 2 :] = (40, 60, 220)
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[:, : SIDE // 2] = 1
    return small, mask


def test_a_place_goes_with_the_places_of_its_colour():
    small, mask = halves()
    wrong = mask.copy()
    wrong[40:60, 50:80] = 0.5
    sure = np.ones((SIDE, SIDE), bool)
    sure[40:60, 50:80] = False
    places = np.flatnonzero(~sure)
    votes = vote(small, wrong, places, sure)

    assert not votes.unknown.any()
    assert np.array_equal(votes.share, mask.ravel()[places])


def test_a_colour_that_nobody_has_stays_as_it_was_and_says_so():
    small, mask = halves()
    small[64, 64] = (10, 250, 10)
    sure = np.ones((SIDE, SIDE), bool)
    sure[64, 64] = False
    votes = vote(small, np.where(sure, mask, 0.3).astype(np.float32), np.array([64 * SIDE + 64]), sure)

    assert votes.unknown.tolist() == [True]
    assert votes.share.tolist() == [np.float32(0.3)]


def test_only_places_near_by_vote():
    small, mask = halves()
    small[:] = 128
    mask[:] = 0
    mask[:20, :20] = 1
    sure = np.ones((SIDE, SIDE), bool)
    sure[100, 100] = False
    votes = vote(small, mask, np.array([100 * SIDE + 100]), sure)

    assert votes.share.tolist() == [0.0]


@given(st.integers(0, 2**32 - 1))
def test_shares_are_shares(seed):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    sure = rng.random((SIDE, SIDE)) < rng.random()
    mask = rng.random((SIDE, SIDE)).astype(np.float32)
    votes = vote(small, mask, np.flatnonzero(~sure), sure)

    assert ((votes.share >= 0) & (votes.share <= 1.0001)).all()


def test_codes_are_few_and_tell_hues_apart():
    rng = np.random.default_rng(0)
    assert codes(rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)).max() < CODES
    skin, wall = np.full((1, 1, 3), (200, 150, 120), np.uint8), np.full((1, 1, 3), (160, 160, 160), np.uint8)

    assert codes(skin) != codes(wall)
