from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reelwise.errors import InputError
from reelwise.probe.likeness import checked_mask, iou, likeness_of, masks_of

pytest.importorskip("cv2")

masks = arrays(np.float32, (20, 30), elements=st.floats(0, 1, width=32))


def block(top, bottom, left, right, shape=(100, 100)):
    mask = np.zeros(shape, np.float32)
    mask[top:bottom, left:right] = 1
    return mask


@given(masks, masks)
def test_it_is_a_share_and_the_same_both_ways(one, two):
    assert 0 <= iou(one, two) <= 1
    assert iou(one, two) == iou(two, one)
    assert iou(one, one) == 1


def test_known_overlaps():
    assert iou(block(0, 50, 0, 100), block(25, 75, 0, 100)) == pytest.approx(1 / 3)
    assert iou(block(0, 50, 0, 100), block(50, 100, 0, 100)) == 0


def test_two_empty_masks_are_alike_and_specks_count_as_empty():
    empty, speck, person = block(0, 0, 0, 0), block(0, 7, 0, 7), block(20, 60, 20, 60)
    assert iou(empty, empty) == iou(speck, empty) == iou(empty, speck) == iou(speck, speck) == 1
    assert iou(block(0, 7, 50, 57), speck) == 1  # 0.49 % each, elsewhere
    assert iou(person, empty) == iou(empty, person) == 0


def test_masks_of_other_sizes_are_scaled_to_the_teachers():
    assert iou(block(0, 32, 0, 64, (64, 64)), block(0, 128, 0, 256, (256, 256))) > 0.98


def test_percentiles_and_the_spread_of_the_mean():
    good, bad = block(0, 50, 0, 100), block(50, 100, 0, 100)
    found = likeness_of([good] * 90 + [bad] * 10, [good] * 100)
    assert found.mean == 0.9
    assert found.worst == found.p5 == 0
    assert found.frames == 100
    assert 0.6 < found.low < 0.9 < found.high <= 1  # one block of ten is bad: it may be drawn twice, or not at all
    same = likeness_of([good] * 30, [good] * 30)
    assert (same.low, same.mean, same.high) == (1, 1, 1)


def test_nothing_to_compare():
    with pytest.raises(InputError, match="no frame"):
        likeness_of([], [])


@pytest.mark.parametrize(
    "answer",
    [np.zeros((2, 2, 2)), np.zeros(4), np.zeros((0, 3)), np.full((2, 2), np.nan), np.full((2, 2), np.inf)],
)
def test_what_is_no_mask_is_refused(answer):
    with pytest.raises(InputError, match="answered with an array"):
        checked_mask(answer, "nonsense")


def test_all_masks_are_checked(disc, frames):
    assert len(masks_of(disc(), frames)) == len(frames)
