from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from reelwise.duplicates import Index, fingerprint_clip
from reelwise.errors import MediaError
from reelwise.reuse import clip_pixels, same_upload

if TYPE_CHECKING:
    from pathlib import Path


def drawn(path: Path, *, seed: int = 0, size: tuple[int, int] = (160, 96), seconds: int = 6) -> Path:
    """A clip in which two shapes walk over a ground of their own."""
    rng = np.random.default_rng(seed)
    width, height = size
    ground = np.kron(rng.integers(40, 200, (6, 10)), np.ones((16, 16)))[:96, :160]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * 10):
            picture = ground.copy()
            for shape in range(2):
                x = int(60 + 50 * np.sin(number / (4 + seed + shape)))
                y = int(40 + 30 * np.cos(number / (5 + 2 * seed + shape)))
                picture[y : y + 16, x : x + 16] = 255 * shape
            grey = np.repeat(picture.astype(np.uint8)[..., None], 3, axis=2)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(width=width, height=height)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def remuxed(source: Path, target: Path) -> Path:
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target


def test_another_container_and_name_is_the_same_and_other_pictures_are_not(tmp_path):
    one = drawn(tmp_path / "one.mp4")
    copy = tmp_path / "signed-url-42.mp4"
    shutil.copy(one, copy)

    assert clip_pixels(one) == clip_pixels(copy) == clip_pixels(remuxed(one, tmp_path / "one.mkv"))
    assert clip_pixels(one) != clip_pixels(drawn(tmp_path / "two.mp4", seed=1))


def test_a_clip_that_cannot_be_read_has_no_name(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(MediaError):
        clip_pixels(tmp_path / "a.mp4")


def test_a_smaller_upload_of_the_same_clip_is_found_and_another_clip_is_not(tmp_path):
    one = drawn(tmp_path / "one.mp4", seconds=12)
    with Index(tmp_path / "i.db") as index:
        index.add(fingerprint_clip(one), clip_pixels(one))
        small = fingerprint_clip(drawn(tmp_path / "small.mp4", size=(128, 76), seconds=12))
        other = fingerprint_clip(drawn(tmp_path / "two.mp4", seed=3, seconds=12))

        assert same_upload(index, small) == clip_pixels(one)
        assert same_upload(index, other) is None
