"""What a fingerprint is made of, and what does not change it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.duplicates.cuts import Cut, cuts, grids
from reelwise.duplicates.fingerprint import RATE, Builder, bars, picture_of, reduced
from reelwise.duplicates.keys import (
    CORE,
    INNER,
    middle,
    moved,
    moved_keys,
    moving,
    still_keys,
    stored_keys,
    unrest,
    waves,
)
from reelwise.duplicates.windows import resampled, weights
from reelwise.errors import InputError


def test_two_pictures_a_second(footage, print_of):
    found = print_of(footage(1, 1, 5))

    assert found.pictures.shape == (40, 24, 24)
    assert found.rate == RATE
    assert found.each_second().shape == (5, 2, 24, 24)
    assert np.array_equal(found.each_second()[2, 1], found.pictures[2 * RATE + RATE // 2])
    assert found.box == (0, 0, 1, 1)


def test_the_mean_is_kept(footage):
    grids = footage(2, 1, 2)
    small = picture_of(reduced(grids))

    assert np.abs(small.mean(axis=(1, 2)) - grids.mean(axis=(1, 2))).max() < 1.0


def test_nothing_is_no_clip():
    with pytest.raises(InputError, match="needs a frame"):
        Builder().done()


def test_gaps_hold_the_last_picture():
    builder = Builder()
    dark, light = np.full((90, 160), 50, np.uint8), np.full((90, 160), 150, np.uint8)
    builder.add(0.0, dark)
    builder.add(2.0, light)
    found = builder.done()

    assert len(found.pictures) == 17
    assert found.pictures[15].mean() == pytest.approx(50, abs=1)
    assert found.pictures[16].mean() == pytest.approx(150, abs=1)


def test_a_long_clip_is_thinned_and_memory_stays_bounded():
    builder = Builder()
    grid = np.zeros((9, 16), np.uint8)
    for second in range(3000):
        for part in range(RATE):
            time = second + part / RATE
            if builder.wants(time):
                builder.add(time, grid)
    found = builder.done()

    assert found.rate < RATE
    assert len(found.pictures) <= RATE * 1200 + 64
    assert len(found.each_second()) == pytest.approx(3000, abs=2)


def test_more_than_a_week_is_refused():
    with pytest.raises(InputError, match="week"):
        Builder().add(8 * 86_400.0, np.zeros((90, 160), np.uint8))


@pytest.mark.parametrize(("top", "left"), [(0, 0), (11, 0), (0, 20), (15, 20), (20, 3)])
def test_bars_are_found(footage, top, left):
    grids = footage(3, 1, 2)[:, ::1]
    framed = np.full_like(grids, 16)
    framed[:, top : 90 - top, left : 160 - left] = grids[:, top : 90 - top, left : 160 - left]
    box = bars(framed.min(axis=0), framed.max(axis=0))

    assert box == pytest.approx((left / 160, top / 90, 1 - left / 160, 1 - top / 90), abs=0.03)


def test_a_dark_clip_has_no_bars():
    dark = np.full((90, 160), 18, np.uint8)

    assert bars(dark, dark) == (0, 0, 1, 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 160), st.floats(0, 0.6), st.floats(0.1, 0.4))
def test_weights_are_means(out, cells, low, width):
    matrix = weights(out, cells, low, low + width)

    assert matrix.shape == (out, cells)
    assert np.allclose(matrix.sum(axis=1), 1, atol=1e-4)
    assert matrix.min() >= 0


def test_the_middle_of_a_crop_is_the_middle_of_the_whole(footage):
    whole = picture_of(reduced(footage(4, 1, 1)))
    cropped = picture_of(reduced(footage(4, 1, 1)[:, 9:81, 16:144]))
    seen = resampled(cropped, 16, (0, 0, 1, 1))
    stored = resampled(whole, 16, middle(CORE))

    assert np.corrcoef(seen.ravel(), stored.ravel())[0, 1] > 0.98


def test_light_does_not_move(footage):
    pictures = resampled(picture_of(reduced(footage(5, 1, 1))), 16, middle(CORE))
    lit = pictures * 0.7 + 30

    assert unrest(moved(lit, pictures)).max() < 0.5
    assert not moving(moved(lit, pictures)).any()


def test_noise_does_not_move_and_a_walker_does(footage):
    still = footage(6, 1, 4, movers=0)
    rng = np.random.default_rng(0)
    noisy = np.clip(still + rng.normal(0, 10, still.shape), 0, 255).astype(np.uint8)
    seconds = picture_of(reduced(noisy))[::RATE]

    assert not stored_keys(seconds)[1][:, 2:4].any()
    assert stored_keys(picture_of(reduced(footage(6, 1, 4)))[::RATE])[1][1:, 2:].all()


def test_a_flat_picture_has_no_key():
    assert not stored_keys(np.full((3, 24, 24), 90, np.uint8))[1].any()


def test_keys_are_sixteen_signs():
    coefficients = np.full((1, 32), -1.0, np.float32)
    coefficients[0, [0, 2]] = 1

    assert moved_keys(coefficients).tolist() == [[0b1100_0000_0000_0000, 0]]
    assert still_keys(coefficients).tolist() == [[0b1100_0000_0000_0000, 0b1010_0000_0000_0000]]
    assert middle(0.5) == (0.25, 0.25, 0.75, 0.75)


def test_between_two_frames_pictures_are_blended():
    builder = Builder()
    for second, level in ((0.0, 40), (0.1, 80), (0.2, 120)):
        assert builder.wants(second)
        builder.add(second, np.full((90, 160), level, np.uint8))

    assert builder.done().pictures[:, 0, 0].tolist() == [40, 90]


def test_only_frames_next_to_an_eighth_of_a_second_are_wanted():
    builder = Builder()
    wanted = []
    for number in range(60):
        if builder.wants(number / 60):
            wanted.append(number)
            builder.add(number / 60, np.zeros((9, 16), np.uint8))

    assert 8 <= len(wanted) <= 18
    assert builder.taken == 8


def test_waves_of_a_grid_are_those_of_its_parts(footage):
    pictures = picture_of(reduced(footage(4, 1, 1))).astype(np.float32)
    across, down = ((0.0, 0.8), (0.2, 1.0)), ((0.1, 0.9),)
    both = waves(pictures, [(across, down)])

    assert both.shape == (len(pictures), 2, 32)
    assert np.allclose(both[:, 1], waves(pictures, [((across[1],), down)])[:, 0], atol=1e-2)


@pytest.mark.parametrize(("left", "top"), [(0.0, 0.0), (0.1, 0.2), (0.2, 0.05)])
def test_a_crop_anywhere_shows_the_inner_part(left, top):
    window = Cut(left, top, left + 0.8, top + 0.8).window(INNER)

    assert (window[2] - window[0], window[3] - window[1]) == pytest.approx((INNER / 0.8, INNER / 0.8), abs=0.03)
    assert all(0 <= side <= 1 for side in window)


def test_every_cut_has_its_window():
    for barred in (False, True):
        windows = [
            (left, top, right, bottom)
            for across, down in grids(barred=barred)
            for top, bottom in down
            for left, right in across
        ]
        assert np.allclose(windows, [cut.window(INNER) for cut in cuts(barred=barred)])
