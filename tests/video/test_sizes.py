from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.video import fit


def test_known_sizes() -> None:
    assert fit(1920, 1080, 640) == (640, 360)
    assert fit(1080, 1920, 640) == (360, 640)
    assert fit(320, 180, 640) == (320, 180)
    assert fit(1919, 1079, 4000) == (1918, 1078)
    assert fit(16000, 20, 100) == (100, 2)
    with pytest.raises(InputError):
        fit(0, 10, 10)


@given(st.integers(2, 16384), st.integers(2, 16384), st.integers(2, 4096))
def test_even_never_up_within_the_limit(width: int, height: int, long_side: int) -> None:
    w, h = fit(width, height, long_side)
    assert w % 2 == h % 2 == 0
    assert 2 <= w <= width
    assert 2 <= h <= height
    assert max(w, h) <= long_side
