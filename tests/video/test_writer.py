from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from reelwise.errors import InputError, OutputError
from reelwise.video import draw_demo, jpeg

if TYPE_CHECKING:
    from pathlib import Path


def test_jpeg_holds_the_picture(tmp_path: Path) -> None:
    x, y = np.meshgrid(np.arange(160), np.arange(90))
    picture = np.stack((x, y * 2, 128 + 0 * x), axis=-1).astype(np.uint8)
    data = jpeg(picture)
    assert data[:3] == b"\xff\xd8\xff"
    assert data[-2:] == b"\xff\xd9"
    file = tmp_path / "a.jpg"
    file.write_bytes(data)
    with av.open(str(file)) as back:
        decoded = next(back.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(decoded.astype(int) - picture).mean() < 4
    assert len(jpeg(picture, quality=20)) < len(data)


def test_odd_sides_lose_a_pixel() -> None:
    assert jpeg(np.zeros((91, 161, 3), np.uint8))[:2] == b"\xff\xd8"


def test_what_is_no_picture() -> None:
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(InputError):
            jpeg(bad)
    with pytest.raises(InputError):
        jpeg(np.zeros((4, 4, 3), np.uint8), quality=50)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        draw_demo(tmp_path / "file" / "demo.mp4", seconds=2, width=64, height=36, fps=2)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
