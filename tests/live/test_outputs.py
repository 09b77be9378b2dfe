"""What comes out: videos, pipes, masks, a virtual camera; whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import sys
import types
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reelwise.errors import InputError, MissingExtraError, OutputError
from reelwise.live.answer import Answer
from reelwise.live.backdrop import Backdrop, backdrop_of, read_picture
from reelwise.live.masks import iou
from reelwise.live.output import NobodyReadsError
from reelwise.live.outputs import MaskFolder, MaskTable, MaskVideo, Pipe, VideoFile, VirtualCamera, masks_of
from reelwise.live.sources import FileSource
from reelwise.video.writer import Recording

from .conftest import blob, mask_of

if TYPE_CHECKING:
    from pathlib import Path


def answer_of(index: int, *, mask=None, kind="carried") -> Answer:
    mask = mask_of(blob(index)) if mask is None else mask
    return Answer(mask, kind, "full", "main", index / 10, 0.1, 0.5, "", black=False)


def frames_of(path: Path):
    source = FileSource(path)
    found = [(round(one.seconds, 3), one.rgb()) for one in source.items()]
    source.close()
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


# videos


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_video_has_every_frame_at_its_time(suffix, tmp_path):
    path = tmp_path / f"out{suffix}"
    out = VideoFile(path, fps=10)
    for index in (0, 1, 2, 5, 9):  # a live stream keeps its gaps
        out.write(blob(index), answer_of(index))
    assert not path.exists()  # whole or not at all
    out.close()
    found = frames_of(path)
    assert [seconds for seconds, _ in found] == pytest.approx([0.0, 0.1, 0.2, 0.5, 0.9], abs=0.002)
    assert np.abs(found[3][1].astype(int) - blob(5)).mean() < 6
    assert names_in(tmp_path) == [path.name]


def test_a_frame_of_another_size_is_scaled_into_the_first(tmp_path):
    out = VideoFile(tmp_path / "out.mp4", fps=10)
    out.write(blob(0), answer_of(0))
    out.write(blob(1, height=145, width=257), answer_of(1))
    out.close()
    assert [one.shape for _, one in frames_of(tmp_path / "out.mp4")] == [(72, 128, 3)] * 2


def test_odd_sizes_are_made_even(tmp_path):
    out = VideoFile(tmp_path / "out.mp4", fps=10)
    out.write(blob(0, height=73, width=129), answer_of(0))
    out.close()
    assert frames_of(tmp_path / "out.mp4")[0][1].shape == (72, 128, 3)


def test_an_abandoned_video_leaves_nothing(tmp_path):
    out = VideoFile(tmp_path / "out.mp4", fps=10)
    out.write(blob(0), answer_of(0))
    out.abandon()
    out.close()
    assert names_in(tmp_path) == []


def test_no_frame_no_file(tmp_path):
    VideoFile(tmp_path / "out.mp4", fps=10).close()
    assert names_in(tmp_path) == []


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_text("before")
    out = VideoFile(path, fps=10)
    out.write(blob(0), answer_of(0))
    assert path.read_text() == "before"
    out.close()
    assert len(frames_of(path)) == 1


def test_times_that_do_not_grow_are_put_one_after_the_other(tmp_path):
    recording = Recording(tmp_path / "x.mkv", fps=10)
    for seconds in (0.0, 0.0, -1.0, 0.5):
        recording.write(blob(0), seconds)
    recording.close()
    assert len(frames_of(tmp_path / "x.mkv")) == 4


@pytest.mark.parametrize("name", ["out.avi", "out", "out.mp3"])
def test_no_such_video(name, tmp_path):
    with pytest.raises(InputError, match="no video"):
        VideoFile(tmp_path / name, fps=10)


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    out = VideoFile(tmp_path / "file" / "out.mp4", fps=10)
    with pytest.raises(OutputError, match="cannot write"):
        out.write(blob(0), answer_of(0))


# pipes


def test_raw_frames():
    stream = io.BytesIO()
    out = Pipe(stream, kind="rgb24", fps=10)
    out.write(blob(0), answer_of(0))
    out.write(blob(1, height=144, width=256), answer_of(1))
    assert len(stream.getvalue()) == 2 * 72 * 128 * 3
    assert stream.getvalue()[: 72 * 128 * 3] == blob(0).tobytes()


def test_y4m_says_its_own_size(tmp_path):
    path = tmp_path / "x.y4m"
    with path.open("wb") as file:
        out = Pipe(file, kind="y4m", fps=10)
        for index in range(3):
            out.write(blob(index), answer_of(index))
    found = frames_of(path)
    assert [seconds for seconds, _ in found] == [0.0, 0.1, 0.2]
    assert np.abs(found[2][1].astype(int) - blob(2)).mean() < 6


def test_nobody_reads():
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb", buffering=0) as file, pytest.raises(NobodyReadsError):
        Pipe(file, kind="rgb24", fps=10).write(blob(0), answer_of(0))


def test_no_such_kind_of_pipe():
    with pytest.raises(InputError, match="no kind"):
        Pipe(io.BytesIO(), kind="gif", fps=10)


# masks


def test_masks_as_pictures(tmp_path):
    folder = tmp_path / "masks"
    out = masks_of(folder, fps=10)
    assert isinstance(out, MaskFolder)
    for index in range(3):
        out.write(blob(index), answer_of(index, kind="inferred" if index == 0 else "carried"))
    out.close()
    assert names_in(folder) == ["000000.png", "000001.png", "000002.png", "masks.csv"]
    mask = read_picture(folder / "000002.png")
    assert mask.shape == (72, 128, 3)
    assert iou(mask_of(blob(2)), mask[..., 0] / np.float32(255)) > 0.95
    rows = list(csv.DictReader((folder / "masks.csv").read_text().splitlines()))
    assert [one["kind"] for one in rows] == ["inferred", "carried", "carried"]
    assert rows[2]["seconds"] == "0.200"


def test_a_folder_that_holds_something_is_not_mixed_with_masks(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OutputError, match="no empty folder"):
        masks_of(tmp_path, fps=10)


def test_masks_as_an_array(tmp_path):
    path = tmp_path / "masks.npz"
    out = masks_of(path, fps=10)
    assert isinstance(out, MaskTable)
    for index in range(4):
        out.write(blob(index), answer_of(index))
    assert not path.exists()
    out.close()
    found = np.load(path)
    assert found["masks"].shape == (4, 36, 64)
    assert found["masks"].dtype == np.uint8
    assert np.array_equal(found["masks"][3], mask_of(blob(3)) * 255)
    assert found["seconds"].tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert found["kinds"].tolist() == ["carried"] * 4
    out.close()


def test_masks_as_a_lossless_video(tmp_path):
    path = tmp_path / "masks.mkv"
    out = masks_of(path, fps=10)
    assert isinstance(out, MaskVideo)
    for index in range(3):
        out.write(blob(index), answer_of(index))
    out.close()
    found = frames_of(path)
    assert len(found) == 3
    assert iou(mask_of(blob(2)), found[2][1][..., 0] / np.float32(255)) > 0.95


def test_no_such_masks(tmp_path):
    with pytest.raises(InputError, match="no masks"):
        masks_of(tmp_path / "masks.gif", fps=10)


# a virtual camera


def test_a_virtual_camera(monkeypatch):
    sent = []

    class Camera:
        def __init__(self, width, height, fps, device):
            self.width, self.height, self.fps, self.device = width, height, fps, device or "/dev/video7"
            self.closed = False
            sent.append(self)

        def send(self, frame):
            sent.append(frame)

        def close(self):
            self.closed = True

    monkeypatch.setitem(sys.modules, "pyvirtualcam", types.SimpleNamespace(Camera=Camera))
    out = VirtualCamera(None, fps=25)
    out.write(blob(0), answer_of(0))
    out.write(blob(0, height=144, width=256), answer_of(1))
    out.close()
    camera, first, second = sent
    assert (camera.width, camera.height, camera.fps, camera.closed) == (128, 72, 25, True)
    assert out.shown == "/dev/video7"
    assert first.shape == second.shape == (72, 128, 3)


def test_a_virtual_camera_without_a_driver(monkeypatch):
    def camera(**_):
        raise RuntimeError("no such device")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", types.SimpleNamespace(Camera=camera))
    with pytest.raises(OutputError, match="no such device") as caught:
        VirtualCamera("/dev/video9", fps=25).write(blob(0), answer_of(0))
    assert "v4l2loopback" in caught.value.hint


def test_a_virtual_camera_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingExtraError) as caught:
        VirtualCamera(None, fps=25)
    assert caught.value.hint == "pip install 'reelwise[virtual-camera]'"


# backgrounds


def person(height=120, width=160):
    """A red foreground over black and white stripes, and its mask."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[:, ::8] = frame[:, 1::8] = frame[:, 2::8] = frame[:, 3::8] = 255
    mask = np.zeros((height // 2, width // 2), np.float32)
    mask[height // 8 : 3 * height // 8, width // 8 : 3 * width // 8] = 1.0
    frame[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = (200, 20, 20)
    return frame, mask


def test_the_foreground_stays_and_the_background_is_blurred():
    frame, mask = person()
    made = Backdrop().compose(frame, mask)
    assert made.shape == frame.shape
    assert np.abs(made[40:80, 50:110].astype(int) - frame[40:80, 50:110]).max() <= 2
    stripes = made[:10, :, 0].astype(int)
    assert np.ptp(stripes[:, 20:-20]) < 40  # black and white before
    assert 90 < stripes.mean() < 165


def test_the_foreground_does_not_bleed_into_the_blur():
    """Beside the red box the stripes have no red that is not there: no halo."""
    frame, mask = person()
    made = Backdrop(strength=60).compose(frame, mask).astype(int)
    beside = made[50:70, 8:30]
    assert (beside[..., 0] - beside[..., 1]).mean() < 6


def test_no_mask_blurs_everything_and_a_full_one_nothing():
    frame, mask = person()
    blurred = Backdrop().compose(frame, mask * 0)
    assert np.abs(blurred.astype(int) - frame).mean() > 30
    assert np.array_equal(Backdrop().compose(frame, mask * 0 + 1), frame)


def test_a_colour_and_a_picture(tmp_path):
    frame, mask = person()
    green = backdrop_of("#00ff00").compose(frame, mask)
    assert (green[0, 0] == (0, 255, 0)).all()
    assert (green[60, 80] == (200, 20, 20)).all()
    import cv2

    picture = np.zeros((50, 300, 3), np.uint8)
    picture[..., 0] = 250  # blue, in BGR
    cv2.imwrite(str(tmp_path / "beach.png"), picture)
    beach = backdrop_of(str(tmp_path / "beach.png")).compose(frame, mask)
    assert (beach[0, 0] == (0, 0, 250)).all()
    assert backdrop_of("00FF00").compose(frame, mask)[0, 0].tolist() == [0, 255, 0]


def test_edges_are_soft_and_the_input_stays_as_it_was():
    frame, mask = person()
    kept = frame.copy()
    made = backdrop_of("#0000ff").compose(frame, mask[::8, ::8]).astype(int)
    assert np.array_equal(frame, kept)
    edge = made[60, 20:60, 2]
    assert len(set(edge.tolist())) > 5


@pytest.mark.parametrize("size", [(16, 16), (90, 35), (721, 1281), (240, 320)])
@pytest.mark.parametrize("shape", [(256, 256), (144, 256), (7, 5)])
def test_any_size_of_frame_and_mask(size, shape):
    frame = np.full((*size, 3), 90, np.uint8)
    mask = np.random.default_rng(1).random(shape, np.float32)
    assert Backdrop().compose(frame, mask).shape == frame.shape


@pytest.mark.parametrize("text", ["blurry", "#12345", "#gggggg", "nowhere.png"])
def test_no_such_background(text):
    with pytest.raises(InputError, match="no background"):
        backdrop_of(text)


def test_a_picture_that_is_none(tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(InputError, match="no picture"):
        backdrop_of(str(tmp_path / "x.png"))
    with pytest.raises(InputError, match="no picture"):
        backdrop_of(str(tmp_path))


@pytest.mark.parametrize("strength", [0, 101])
def test_a_blur_out_of_range(strength):
    with pytest.raises(InputError, match="blur"):
        Backdrop(strength=strength)
