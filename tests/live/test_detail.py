"""What is scaled up in part is what scaling all of it up would give."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.live.detail import Detail
from reelwise.live.thumb import SIDE


def enlarged(low, size):
    return cv2.resize(low.astype(np.float32) * np.float32(1 / 255), size[::-1], interpolation=cv2.INTER_LINEAR)


def disc(x=64.0):
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    return 255 * (np.hypot(across - x, down - 64) < 30).astype(np.uint8)


@given(
    st.sampled_from([(256, 256), (128, 128), (384, 256), (128, 512)]),
    st.integers(0, SIDE - 1), st.integers(0, SIDE - 1), st.integers(1, SIDE), st.integers(1, SIDE),
)  # fmt: skip
def test_what_has_changed_is_scaled_up_and_the_rest_keeps_its_detail(size, top, left, height, width):
    rng = np.random.default_rng(top + left)
    answer = rng.random(size, np.float32)
    then = rng.integers(0, 128, (SIDE, SIDE), dtype=np.uint8)
    low = then.copy()
    low[top : top + height, left : left + width] += 100
    detail = Detail(size)
    detail.learn(answer, then)
    changed = np.kron(low != then, np.ones((size[0] // SIDE, size[1] // SIDE))) > 0
    full = detail.of(low)

    assert np.array_equal(full[~changed], answer[~changed])
    assert np.allclose(full[changed], enlarged(low, size)[changed], atol=1e-5)


@pytest.mark.parametrize("size", [(256, 256), (144, 256), (96, 200)])
def test_a_mask_that_is_as_it_was_is_the_answer_and_an_array_of_its_own(size):
    answer = np.random.default_rng(1).random(size, np.float32)
    detail = Detail(size)
    detail.learn(answer, disc())
    first = detail.of(disc())
    first[:] = 0

    assert np.array_equal(detail.of(disc()), answer)


def test_sizes_that_places_do_not_divide_keep_detail_too():
    size = (144, 256)
    answer = np.random.default_rng(1).random(size, np.float32)
    detail = Detail(size)
    detail.learn(answer, disc())
    full = detail.of(disc(70))

    assert np.array_equal(full[:20], answer[:20])
    assert full[72, 2 * 98] == pytest.approx(1)


def test_without_an_answer_all_of_it_is_scaled_up():
    detail = Detail((256, 256))
    detail.learn(np.ones((256, 256), np.float32), disc())
    detail.forget()

    assert np.array_equal(detail.of(disc()), enlarged(disc(), (256, 256)))
