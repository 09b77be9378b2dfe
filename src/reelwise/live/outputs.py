"""Where frames and masks go: a video file, a pipe, a virtual camera, or masks. Nothing opens a window."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import zipfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from reelwise.documents import write_whole
from reelwise.errors import InputError, MissingExtraError, OutputError
from reelwise.live.masks import scaled
from reelwise.live.opencv import opencv
from reelwise.live.output import NobodyReadsError
from reelwise.video.writer import RECORDINGS, Recording

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from reelwise.live.answer import Answer
    from reelwise.live.output import Output

__all__ = ["MaskFolder", "MaskTable", "MaskVideo", "Pipe", "VideoFile", "VirtualCamera", "masks_of"]

_COLUMNS = ("file", "seconds", "kind", "model", "age_seconds")
_BLOCK = 1 << 20
_NPZ_FPS = 30.0


class VideoFile:
    """Composed frames as a video file.

    Args:
        path: see `Recording`.
        fps: the usual rate.
    """

    wants_frames = True

    def __init__(self, path: Path, *, fps: float) -> None:
        self.shown = str(path)
        self._recording = Recording(path, fps=fps)

    def write(self, frame: NDArray[np.uint8], answer: Answer) -> None:
        """See `Output`."""
        self._recording.write(frame, answer.seconds)

    def close(self) -> None:
        """See `Output`."""
        self._recording.close()

    def abandon(self) -> None:
        """See `Output`."""
        self._recording.abandon()


class Pipe:
    """Composed frames on a stream of bytes: raw RGB, or YUV4MPEG2, which says its own size.

    Frames of another size than the first are scaled to it.

    Args:
        stream: where to.
        kind: rgb24 or y4m.
        fps: for the head of y4m.
    """

    wants_frames = True
    shown = "standard output"

    def __init__(self, stream: IO[bytes], *, kind: str, fps: float) -> None:
        if kind not in {"rgb24", "y4m"}:
            raise InputError(f"no kind {kind!r:.20}", where="pipe", hint="rgb24 or y4m")
        self._stream, self._y4m, self._fps = stream, kind == "y4m", fps if fps > 0 else _NPZ_FPS
        self._size: tuple[int, int] | None = None
        self._cv2 = opencv()

    def write(self, frame: NDArray[np.uint8], answer: Answer) -> None:  # noqa: ARG002 - see Output
        """See `Output`."""
        cv2 = self._cv2
        if self._size is None:
            even = 2 if self._y4m else 1
            self._size = (frame.shape[1] // even * even, frame.shape[0] // even * even)
            if self._y4m:
                rate = round(self._fps * 1000)
                self._send(f"YUV4MPEG2 W{self._size[0]} H{self._size[1]} F{rate}:1000 Ip A1:1 C420jpeg\n".encode())
        if (frame.shape[1], frame.shape[0]) != self._size:
            frame = cv2.resize(frame, self._size)
        if self._y4m:
            planes = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)
            self._send(b"FRAME\n", planes.tobytes())
        else:
            self._send(np.ascontiguousarray(frame).tobytes())

    def _send(self, *parts: bytes) -> None:
        try:
            for part in parts:
                self._stream.write(part)
            self._stream.flush()
        except BrokenPipeError:
            raise NobodyReadsError("nobody reads it any more", where=self.shown) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OutputError(f"cannot write: {reason}", where=self.shown) from None

    def close(self) -> None:
        """See `Output`."""

    def abandon(self) -> None:
        """See `Output`."""


class VirtualCamera:
    """Composed frames as a camera that other programs can choose, through pyvirtualcam.

    Args:
        device: its name; None for the first one.
        fps: frames a second.

    Raises:
        MissingExtraError: pyvirtualcam is not installed.
    """

    wants_frames = True

    def __init__(self, device: str | None, *, fps: float) -> None:
        try:
            import pyvirtualcam
        except ImportError:
            raise MissingExtraError(
                "a virtual camera needs pyvirtualcam, which is not installed",
                where="--virtual-camera",
                hint="pip install 'reelwise[virtual-camera]'",
            ) from None
        self.shown = device or "the virtual camera"
        self._make, self._device, self._fps = pyvirtualcam.Camera, device, fps if fps > 0 else _NPZ_FPS
        self._camera: Any = None
        self._cv2 = opencv()

    def write(self, frame: NDArray[np.uint8], answer: Answer) -> None:  # noqa: ARG002 - see Output
        """See `Output`."""
        try:
            if self._camera is None:
                self._camera = self._make(
                    width=frame.shape[1], height=frame.shape[0], fps=self._fps, device=self._device
                )
                self.shown = str(self._camera.device)
            size = (self._camera.width, self._camera.height)
            if (frame.shape[1], frame.shape[0]) != size:
                frame = self._cv2.resize(frame, size)
            self._camera.send(np.ascontiguousarray(frame))
        except (RuntimeError, OSError, ValueError) as error:
            raise OutputError(
                f"cannot be used: {error}",
                where=self.shown,
                hint="it needs a driver: v4l2loopback on Linux (modprobe v4l2loopback), OBS elsewhere",
            ) from None

    def close(self) -> None:
        """See `Output`."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def abandon(self) -> None:
        """See `Output`."""
        self.close()


def _grey(answer: Answer, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask at the frame's size, uint8 0..255."""
    large = scaled(answer.mask, (frame.shape[0], frame.shape[1]))
    levels: NDArray[np.uint8] = opencv().convertScaleAbs(large, alpha=255.0)
    return levels


class MaskVideo:
    """Masks as a grey video at the frames' size, 255 for foreground; lossless in .mkv.

    Args:
        path: see `Recording`.
        fps: the usual rate.
    """

    wants_frames = False

    def __init__(self, path: Path, *, fps: float) -> None:
        self.shown = str(path)
        self._recording = Recording(path, fps=fps, grey=True)

    def write(self, frame: NDArray[np.uint8], answer: Answer) -> None:
        """See `Output`."""
        self._recording.write(_grey(answer, frame), answer.seconds)

    def close(self) -> None:
        """See `Output`."""
        self._recording.close()

    def abandon(self) -> None:
        """See `Output`."""
        self._recording.abandon()


class MaskFolder:
    """Masks as PNG files at the frames' size, 000000.png and on, and masks.csv that says where each comes from.

    Args:
        path: the folder; it may be there, empty.

    Raises:
        OutputError: it is a file, or holds something.
    """

    wants_frames = False

    def __init__(self, path: Path) -> None:
        self.shown = str(path)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise OutputError("is no empty folder", where=self.shown, hint="name a new one for the masks")
        self._path = path
        self._table = io.StringIO()
        self._rows = csv.writer(self._table)
        self._rows.writerow(_COLUMNS)
        self._count = 0

    def write(self, frame: NDArray[np.uint8], answer: Answer) -> None:
        """See `Output`."""
        name = f"{self._count:06d}.png"
        done, data = opencv().imencode(".png", _grey(answer, frame))
        if not done:
            raise OutputError("a mask cannot be encoded", where=self.shown)
        write_whole(self._path / name, data.tobytes())
        self._rows.writerow((name, f"{answer.seconds:.3f}", answer.kind, answer.model, f"{answer.age_seconds:.3f}"))
        self._count += 1

    def close(self) -> None:
        """See `Output`."""
        if self._count:
            write_whole(self._path / "masks.csv", self._table.getvalue())

    def abandon(self) -> None:
        """See `Output`."""
        self.close()


class MaskTable:
    """Masks as one NumPy file (.npz) at the size that masks are carried at: masks uint8 (n, h, w), seconds, kinds.

    Args:
        path: the file.
    """

    wants_frames = False

    def __init__(self, path: Path) -> None:
        self.shown = str(path)
        self._path = path
        self._raw: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the output
        self._seconds: list[float] = []
        self._kinds: list[str] = []
        self._size: tuple[int, int] | None = None

    def write(self, frame: NDArray[np.uint8], answer: Answer) -> None:  # noqa: ARG002 - see Output
        """See `Output`."""
        self._size = self._size or (answer.mask.shape[0], answer.mask.shape[1])
        levels = opencv().convertScaleAbs(scaled(answer.mask, self._size), alpha=255.0)
        try:
            self._raw.write(levels.tobytes())
        except OSError as error:
            raise OutputError(f"cannot write: {error.strerror}", where=self.shown) from None
        self._seconds.append(answer.seconds)
        self._kinds.append(answer.kind)

    def close(self) -> None:
        """See `Output`."""
        if self._size is None or self._raw.closed:
            return
        part = self._path.with_name(f".{self._path.name}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as out:
                with out.open("masks.npy", "w", force_zip64=True) as masks:
                    head = {"descr": "|u1", "fortran_order": False, "shape": (len(self._seconds), *self._size)}
                    np.lib.format.write_array_header_2_0(masks, head)
                    self._raw.seek(0)
                    shutil.copyfileobj(self._raw, masks, _BLOCK)
                for name, values in (("seconds", np.array(self._seconds)), ("kinds", np.array(self._kinds))):
                    with out.open(f"{name}.npy", "w") as member:
                        np.lib.format.write_array(member, values)
            part.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise OutputError(f"cannot write: {error.strerror}", where=self.shown, hint="name another place") from None
        finally:
            self._raw.close()

    def abandon(self) -> None:
        """See `Output`."""
        self._raw.close()


def masks_of(path: Path, *, fps: float) -> Output:
    """Make what masks are written to: a .npz, a video, or a folder.

    Raises:
        InputError, OutputError: no such kind, or a folder that holds something.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return MaskTable(path)
    if suffix in RECORDINGS:
        return MaskVideo(path, fps=fps)
    if suffix:
        raise InputError(
            f"no masks are written as {suffix[:20]}", where=str(path), hint=f"a folder, .npz, {', '.join(RECORDINGS)}"
        )
    return MaskFolder(path)
