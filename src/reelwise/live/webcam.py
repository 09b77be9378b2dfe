"""A webcam: opened, read, and opened again when it was unplugged, through a device that tests can fake."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reelwise.errors import StreamError
from reelwise.live.opencv import opencv
from reelwise.live.source import Picture, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.live.source import Item

__all__ = ["Device", "Webcam", "first_camera", "is_webcam", "open_device"]

_NAME = re.compile(r"(?:webcam(?::(\d{1,3}))?|(\d{1,3})|/dev/video(\d{1,3}))")
_BACKOFF_SECONDS = 0.5
_BACKOFF_MAX_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_FPS_MAX = 1000.0


def is_webcam(name: str) -> bool:
    """Say whether a name is that of a webcam: webcam, webcam:1, 1, /dev/video1."""
    return _NAME.fullmatch(name) is not None


def _index(name: str) -> int:
    found = _NAME.fullmatch(name)
    return int(next((one for one in (found.groups() if found else ()) if one), "0"))


def first_camera() -> str:
    """Return the name of a camera that can be opened, without opening it; empty where there is none, or nobody can tell."""
    there = sorted(Path("/dev").glob("video[0-9]*")) if sys.platform.startswith("linux") else []
    return next((str(one) for one in there if os.access(one, os.R_OK | os.W_OK) and _captures(one)), "")


def _captures(path: Path) -> bool:
    """Say whether a video device is a camera: some only carry metadata, or put pictures out."""
    try:
        index = Path(f"/sys/class/video4linux/{path.name}/index").read_text(encoding="utf-8").strip()
    except OSError:
        return True
    return index == "0"


class Device(Protocol):
    """An opened camera.

    Attributes:
        fps: frames a second, 0 where unknown.
    """

    fps: float

    def read(self) -> NDArray[np.uint8] | None:
        """Wait for the next frame and return it, RGB uint8 (height, width, 3); None where none came."""

    def gone(self) -> str:
        """Say why no frame comes, where that is known: it was unplugged. Empty where it is not."""

    def close(self) -> None:
        """Let go of it."""


def _itself(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return frame


class Webcam:
    """A webcam as a source.

    Args:
        name: see `is_webcam`.
        tries: how often in a row it is opened again when it went away.
        timeout_seconds: how long no frame may come until it counts as gone.
        open_: opens a device by its number; raises `StreamError` where it cannot.
    """

    live = True
    length_seconds = 0.0

    def __init__(
        self,
        name: str = "webcam",
        *,
        tries: int = 5,
        timeout_seconds: float = 10.0,
        open_: Callable[[int], Device] | None = None,
    ) -> None:
        self.shown, self.fps, self.dropped = name, 0.0, 0
        self._index = _index(name)
        self._tries, self._timeout = tries, timeout_seconds
        self._open = open_ or open_device
        self._stopping = threading.Event()

    def items(self) -> Iterator[Item]:
        """See `Source`."""
        began, failed, first = time.monotonic(), 0, True
        while not self._stopping.is_set():
            received, why = False, ""
            try:
                device = self._open(self._index)
            except StreamError as error:
                if first:
                    raise
                why = error.message
            else:
                try:
                    self.fps = device.fps
                    for frame in self._frames(device):
                        received = True
                        yield Picture(time.monotonic() - began, partial(_itself, frame))
                    why = device.gone() or f"no picture came for {self._timeout:g} s"
                finally:
                    device.close()
            if self._stopping.is_set():
                return
            if first and not received:
                raise StreamError(f"gives no picture: {why}", where=self.shown, hint="is another program using it?")
            first, failed = False, 0 if received else failed + 1
            if failed >= self._tries:
                raise StreamError(
                    f"went away and did not come back in {self._tries} tries: {why}",
                    where=self.shown,
                    hint="is it plugged in? --reconnects N tries longer",
                )
            yield Said(f"the camera went away ({why}): opening it again", lost=True)
            self._stopping.wait(min(_BACKOFF_MAX_SECONDS, _BACKOFF_SECONDS * 2**failed))

    def _frames(self, device: Device) -> Iterator[NDArray[np.uint8]]:
        """Yield frames until none came for too long, or the device says that it is gone."""
        last = time.monotonic()
        while not self._stopping.is_set():
            frame = device.read()
            if frame is not None:
                last = time.monotonic()
                yield frame
            elif device.gone() or time.monotonic() - last > self._timeout:
                return
            else:
                self._stopping.wait(_PAUSE_SECONDS)

    def stop(self) -> None:
        """See `Source`."""
        self._stopping.set()

    def close(self) -> None:
        """See `Source`."""
        self.stop()


class _OpenCvDevice:
    """A camera through OpenCV."""

    def __init__(self, cv2: Any, capture: Any, path: Path | None) -> None:
        self._cv2, self._capture, self._path = cv2, capture, path
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if 0 < fps < _FPS_MAX else 0.0

    def read(self) -> NDArray[np.uint8] | None:
        there, frame = self._capture.read()
        if not there or frame is None or frame.ndim != 3:
            return None
        found: NDArray[np.uint8] = self._cv2.cvtColor(frame, self._cv2.COLOR_BGR2RGB)
        return found

    def gone(self) -> str:
        return "it was unplugged" if self._path is not None and not self._path.exists() else ""

    def close(self) -> None:
        self._capture.release()


def open_device(index: int) -> Device:
    """Open a camera through OpenCV.

    Raises:
        StreamError: there is none, it may not be used, or it is in use.
    """
    cv2 = opencv()
    linux = sys.platform.startswith("linux")
    path = Path(f"/dev/video{index}") if linux else None
    if path is not None:
        _check(path)
    silent, before = getattr(cv2, "setLogLevel", None), None
    if silent is not None:
        before = cv2.getLogLevel()
        silent(0)  # what it would say, we say
    try:
        capture = cv2.VideoCapture(index, cv2.CAP_V4L2 if linux else cv2.CAP_ANY)
        if not capture.isOpened():
            capture.release()
            raise StreamError(
                "cannot be opened", where=str(path or f"camera {index}"), hint="is another program using it?"
            )
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # frames that wait are old frames
    finally:
        if silent is not None:
            silent(before)
    return _OpenCvDevice(cv2, capture, path)


def _check(path: Path) -> None:
    if not path.exists():
        there = ", ".join(str(one) for one in sorted(Path("/dev").glob("video[0-9]*")))
        raise StreamError(
            "there is no such camera",
            where=str(path),
            hint=f"there are: {there}" if there else "plug one in, or name a file",
        )
    if not os.access(path, os.R_OK | os.W_OK):
        raise StreamError(
            "may not be used: permission denied",
            where=str(path),
            hint="sudo usermod -aG video $USER, and log in again; on other systems allow the terminal to use the camera",
        )
