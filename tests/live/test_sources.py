"""Where frames come from: clips, cameras that go away, files that grow; a webcam through a device that the tests fake."""

from __future__ import annotations

import os
import shutil
import threading
import time as system_time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from reelwise.errors import MediaError, StreamError
from reelwise.live import source as sourcing
from reelwise.live import webcam as webcams
from reelwise.live.latest import Latest
from reelwise.live.source import Paced, Picture, Said
from reelwise.live.sources import FileSource, StreamSource
from reelwise.live.webcam import Webcam, first_camera, is_webcam, open_device
from reelwise.scan.feeds import GrowingFile
from reelwise.video.writer import Recording

from .conftest import blob


def record(path: Path, frames, *, fps=10) -> Path:
    recording = Recording(path, fps=fps)
    for index, frame in enumerate(frames):
        recording.write(frame, index / fps)
    recording.close()
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return record(tmp_path_factory.mktemp("clips") / "box.mkv", [blob(i) for i in range(30)])


def all_of(source, *, most=10_000):
    pictures, said = [], []
    for item in source.items():
        if isinstance(item, Picture):
            pictures.append(item)
        elif isinstance(item, Said):
            said.append(item)
        if len(pictures) >= most:
            break
    return pictures, said


# files


def test_a_file_gives_every_frame_with_its_time(clip):
    source = FileSource(clip)
    frames = [(one.seconds, one.rgb()) for one in source.items() if isinstance(one, Picture)]
    source.close()
    assert [round(seconds, 3) for seconds, _ in frames] == [round(i / 10, 3) for i in range(30)]
    assert frames[7][1].shape == (72, 128, 3)
    assert np.abs(frames[7][1].astype(int) - blob(7)).mean() < 6
    assert source.length_seconds == pytest.approx(3.0, abs=0.2)


def test_a_file_is_stopped_in_the_middle(clip):
    source = FileSource(clip)
    for count, _ in enumerate(source.items(), start=1):
        if count == 5:
            source.stop()
    source.close()
    assert count == 5


@pytest.mark.parametrize(
    "make", [lambda _path: None, lambda path: path.write_bytes(b""), lambda path: path.write_text("no clip" * 99)]
)
def test_what_is_no_clip_is_an_error(make, tmp_path):
    path = tmp_path / "x.mp4"
    make(path)
    with pytest.raises(MediaError):
        all_of(FileSource(path))


def test_the_pace_of_a_file_is_kept_and_what_comes_too_late_is_dropped(clip):
    source = Paced(FileSource(clip))
    began, seen = system_time.monotonic(), []
    for item in source.items():
        seen.append((system_time.monotonic() - began, item.seconds))
        if len(seen) == 5:
            system_time.sleep(0.6)  # six frames, or more on a busy machine
    source.close()
    assert source.dropped >= 4
    assert len(seen) == 30 - source.dropped
    assert all(wall >= seconds - 0.01 for wall, seconds in seen)


def test_a_file_has_caught_up_after_what_it_dropped(monkeypatch):
    """By a clock of the test's own: each frame takes 10 ms, one of them 0.6 s."""
    now = [100.0]
    monkeypatch.setattr(sourcing, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Drawn(Fast):
        fps = 10.0

        def items(self):
            yield from (Picture(index / 10, lambda: blob(0)) for index in range(30))

    source = Paced(Drawn())
    monkeypatch.setattr(source._stopping, "wait", lambda seconds: now.__setitem__(0, now[0] + seconds))
    seen = []
    for item in source.items():
        seen.append((now[0] - 100.0, item.seconds))
        now[0] += 0.6 if len(seen) == 5 else 0.01
    assert source.dropped == 4
    assert [seconds for _, seconds in seen[4:7]] == [0.4, 0.9, 1.0]
    assert seen[-1][0] == pytest.approx(2.9)


def test_a_paced_file_is_stopped_while_it_waits(clip):
    source = Paced(FileSource(clip))
    threading.Timer(0.25, source.stop).start()
    pictures, _ = all_of(source)
    source.close()
    assert len(pictures) + source.dropped < 30


# a growing file


def test_a_file_that_grows_is_read_as_it_grows(clip, tmp_path):
    growing = tmp_path / "growing.mkv"
    data = clip.read_bytes()
    growing.write_bytes(data[: len(data) // 2])

    def finish():
        with growing.open("ab") as file:
            file.write(data[len(data) // 2 :])

    threading.Timer(0.3, finish).start()
    source = StreamSource(GrowingFile(growing, idle_seconds=3))
    pictures, _ = all_of(source)
    source.close()
    assert len(pictures) == 30
    assert [round(one.seconds, 2) for one in pictures[:3]] == [0.0, 0.1, 0.2]


def test_a_growing_file_that_is_not_there():
    with pytest.raises(MediaError, match="no such file"):
        StreamSource(GrowingFile(Path("/nowhere/x.mkv")))


def test_a_stream_ends_soon_when_it_is_stopped(clip, tmp_path):
    growing = tmp_path / "growing.mkv"
    shutil.copy(clip, growing)
    source = StreamSource(GrowingFile(growing, idle_seconds=60))
    threading.Timer(0.3, source.stop).start()
    began = system_time.monotonic()
    all_of(source)
    source.close()
    assert system_time.monotonic() - began < 50


# the newest frame wins


class Fast:
    """A live source of numbered frames, as fast as it can or at a pace."""

    live, fps, shown, length_seconds, dropped = True, 100.0, "fast", 0.0, 0

    def __init__(self, count=400, pause=0.001, error=None):
        self.count, self.pause, self.error, self.given = count, pause, error, 0
        self.stopped = threading.Event()
        self.closed = False

    def items(self):
        for index in range(self.count):
            if self.stopped.is_set():
                return
            self.given = index + 1
            yield Picture(float(index), lambda: blob(0))
            if self.pause:
                system_time.sleep(self.pause)
        if self.error is not None:
            raise self.error

    def stop(self):
        self.stopped.set()

    def close(self):
        self.closed = True


def test_a_slow_consumer_gets_the_newest_frame_and_drops_are_counted(until):
    fast = Fast()
    source = Latest(fast)
    taken = []
    for item in source.items():
        if isinstance(item, Picture):
            taken.append(item.seconds)
            before = fast.given
            until(lambda before=before: fast.given >= min(400, before + 5))
    source.close()
    assert taken == sorted(taken)
    assert len(taken) + source.dropped == 400
    assert source.dropped > 200
    assert taken[-1] == 399


def test_what_ends_a_source_ends_the_consumer():
    with pytest.raises(StreamError, match="gone"):
        all_of(Latest(Fast(10, error=StreamError("gone"))))


def test_nothing_that_was_said_is_lost():
    class Talking(Fast):
        def items(self):
            yield Said("one")
            yield Picture(0.0, lambda: blob(0))
            yield Said("two", lost=True)

    pictures, said = all_of(Latest(Talking()))
    assert [one.text for one in said] == ["one", "two"]
    assert len(pictures) == 1


def test_a_source_that_gives_nothing_lets_its_consumer_look_around():
    class Silent(Fast):
        def items(self):
            self.stopped.wait(30)
            yield from ()

    source = Latest(Silent())
    items = source.items()
    began = system_time.monotonic()
    assert next(items) is None
    assert system_time.monotonic() - began < 20
    source.close()


# a webcam


class FakeCamera:
    """Gives frames, then nothing; `plugged` says whether it is there."""

    fps = 30.0

    def __init__(self, frames, *, gone="it was unplugged"):
        self.frames, self.closed, self._gone = list(frames), False, gone

    def read(self):
        return self.frames.pop(0) if self.frames else None

    def gone(self):
        return "" if self.frames else self._gone

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("webcam", True),
        ("webcam:2", True),
        ("0", True),
        ("/dev/video12", True),
        ("clip.mp4", False),
        ("rtsp://x/1", False),
        ("", False),
        ("webcam:", False),
    ],
)
def test_names_of_webcams(name, is_one):
    assert is_webcam(name) is is_one


def test_a_camera_that_is_unplugged_and_plugged_in_again(monkeypatch):
    monkeypatch.setattr(webcams, "_BACKOFF_SECONDS", 0.01)
    cameras = [FakeCamera([blob(0)] * 3), None, FakeCamera([blob(1)] * 2)]
    opened = []

    def open_(index):
        camera = cameras.pop(0) if cameras else None
        opened.append((index, camera))
        if camera is None:
            raise StreamError("there is no such camera", where="/dev/video1")
        return camera

    source = Webcam("webcam:1", tries=3, open_=open_)
    pictures, said = [], []

    def read():
        for item in source.items():
            (pictures if isinstance(item, Picture) else said).append(item)

    with pytest.raises(StreamError, match="did not come back in 3 tries"):
        read()
    assert len(pictures) == 5
    assert "unplugged" in said[0].text
    assert said[0].lost
    assert opened[0][0] == 1
    assert all(camera.closed for _, camera in opened if camera is not None)
    assert source.fps == 30.0


def test_a_camera_that_cannot_be_opened_is_an_error_at_once():
    def open_(index):
        raise StreamError("may not be used: permission denied", where=f"/dev/video{index}")

    with pytest.raises(StreamError, match="permission denied"):
        all_of(Webcam(open_=open_))


def test_a_camera_that_gives_no_picture_is_in_use():
    with pytest.raises(StreamError, match="gives no picture"):
        all_of(Webcam(timeout_seconds=0.1, open_=lambda _index: FakeCamera([], gone="")))


def test_a_camera_that_stalls_counts_as_gone(monkeypatch):
    monkeypatch.setattr(webcams, "_BACKOFF_SECONDS", 0.01)
    cameras = [FakeCamera([blob(0)], gone=""), FakeCamera([blob(0)], gone="")]
    source = Webcam(tries=0, timeout_seconds=0.1, open_=lambda _index: cameras.pop(0))
    with pytest.raises(StreamError, match=r"no picture came for 0\.1 s"):
        all_of(source)


def test_a_camera_is_stopped_while_it_waits():
    source = Webcam(timeout_seconds=60, open_=lambda _index: FakeCamera([blob(0)], gone=""))
    threading.Timer(0.1, source.stop).start()
    began = system_time.monotonic()
    all_of(source)
    assert system_time.monotonic() - began < 50


def test_there_is_no_such_camera():
    with pytest.raises(StreamError, match=r"no such camera|cannot be opened|permission"):
        open_device(973)


def test_a_camera_that_may_not_be_used(monkeypatch, tmp_path):
    device = tmp_path / "video0"
    device.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StreamError, match="permission denied") as caught:
        webcams._check(device)
    assert "video" in caught.value.hint


def test_the_first_camera_is_one_that_captures(monkeypatch):
    monkeypatch.setattr(Path, "glob", lambda *_: iter([Path("/dev/video0"), Path("/dev/video1")]))
    monkeypatch.setattr(os, "access", lambda *_: True)
    monkeypatch.setattr(webcams, "_captures", lambda path: path.name == "video1")
    monkeypatch.setattr(webcams.sys, "platform", "linux")
    assert first_camera() == "/dev/video1"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert first_camera() == ""
