"""What a live scan reads: a camera's RTSP stream, or a file that is still being written. Every wait has an end."""

from __future__ import annotations

import os
import time
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

import av

from reelwise.errors import InputError, MediaError
from reelwise.video.reader import SIDE_MAX

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from av.container import InputContainer

__all__ = ["Camera", "GrowingFile", "is_stream"]

_SCHEMES = ("rtsp", "rtsps")
_ANALYZE_MICROSECONDS = "1500000"
_POLL_SECONDS = 0.1
_BOXES_MAX = 64
_MOVIE_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"sidx", b"uuid"})


def is_stream(name: str) -> bool:
    """Say whether a name is the address of a live stream."""
    return name.split("://", 1)[0].lower() in _SCHEMES if "://" in name else False


class Camera:
    """An RTSP stream.

    Args:
        address: rtsp://user:password@host:port/path.
        transport: udp or tcp.
        timeout_seconds: how long opening and each read may take before the stream counts as gone.
        tries: how often in a row to open it again; 0 ends where the stream ends.

    Raises:
        InputError: no such scheme or transport, or limits out of range.
    """

    lossy = True

    def __init__(self, address: str, *, transport: str = "tcp", timeout_seconds: float = 10.0, tries: int = 5) -> None:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme.lower() not in _SCHEMES or not host:
            raise InputError(
                "is no address of an RTSP stream", where=address.rpartition("@")[2], hint="rtsp://HOST/PATH"
            )
        if transport not in {"tcp", "udp"} or not 0.1 <= timeout_seconds <= 600 or not 0 <= tries <= 1000:
            raise InputError(
                "the transport is tcp or udp, the timeout 0.1 to 600 s, reconnects 0 to 1000", where="live stream"
            )
        self.shown = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
        self.tries = tries
        self._address, self._transport, self._timeout = address, transport, timeout_seconds

    def open(self, stop: threading.Event) -> InputContainer:  # noqa: ARG002 - see Feed
        """Open the stream; libav's errors pass."""
        options = {
            "rtsp_transport": self._transport,
            "analyzeduration": _ANALYZE_MICROSECONDS,
            "max_pixels": str(SIDE_MAX * SIDE_MAX // 2),
            "protocol_whitelist": "rtsp,rtsps,rtp,udp,tcp,tls,crypto",
            "threads": "1",
        }
        return av.open(
            self._address, mode="r", metadata_errors="replace", options=options, timeout=(self._timeout, self._timeout)
        )

    def over(self, error: Exception | None) -> str:
        """Say why a connection ended."""
        if error is None:
            return "the stream ended"
        if isinstance(error, av.error.ExitError | av.error.TimeoutError):
            return f"nothing came for {self._timeout:g} s"
        return str(getattr(error, "strerror", None) or type(error).__name__)

    def close(self) -> None:
        """Do nothing: the container holds all."""


class GrowingFile:
    """A file that is still being written; read as it grows, ended when it has not grown for some time.

    Args:
        path: the file; it must exist.
        idle_seconds: how long it may stand still before it counts as ended.

    Raises:
        MediaError: it cannot be read, or is an MP4 whose index comes last.
        InputError: an idle time out of range.
    """

    lossy = False
    tries = 0

    def __init__(self, path: Path, *, idle_seconds: float = 10.0) -> None:
        if not 0.1 <= idle_seconds <= 3600:
            raise InputError("the idle time is 0.1 to 3,600 s", where=str(path))
        if not path.is_file():
            raise MediaError("no such file" if not path.exists() else "is not a regular file", where=str(path),
                             hint="--follow reads a file that has begun; check the path")  # fmt: skip
        self.shown = str(path)
        self.shrunk = False
        self._path, self._idle = path, idle_seconds
        self._raw: IO[bytes] | None = None

    def open(self, stop: threading.Event) -> InputContainer:
        """Open the file from its beginning; libav's errors pass."""
        try:
            raw = self._path.open("rb", buffering=0)
        except OSError as error:
            raise MediaError(f"cannot be read: {error.strerror}", where=self.shown, hint="check the path") from None
        self._raw = raw
        return self._opened(_Growing(raw, self, stop, self._idle))

    def close(self) -> None:
        """Close the file."""
        if self._raw is not None:
            self._raw.close()

    def _opened(self, grows: _Growing) -> InputContainer:
        readable = _movie_index(grows)
        if readable is None:
            raise MediaError("has stayed empty", where=self.shown, hint="is anything being written to it?")
        if not readable:
            raise MediaError(
                "is an MP4 whose index is not at its beginning: it cannot be read while it is written",
                where=self.shown,
                hint="record MKV, MPEG-TS or fragmented MP4 (-movflags +frag_keyframe+empty_moov); "
                "once it is complete, scan it without --follow",
            )
        grows.rewind()
        options = {"analyzeduration": _ANALYZE_MICROSECONDS, "protocol_whitelist": "", "threads": "1"}
        return av.open(grows, mode="r", metadata_errors="replace", options=options)

    def over(self, error: Exception | None) -> str:
        """Say why reading ended."""
        if self.shrunk:
            return "the file was cut or replaced"
        if error is not None:
            return f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
        return f"the file did not grow for {self._idle:g} s"


class _Growing:
    """What libav reads from: at the end of the file it waits for more, up to a limit."""

    def __init__(self, raw: IO[bytes], file: GrowingFile, stop: threading.Event, idle: float) -> None:
        self.name = file.shown
        self.at = 0
        self._raw, self._file, self._stop, self._idle = raw, file, stop, idle

    def read(self, count: int) -> bytes:
        """Return up to so many bytes; none once the file stands still, shrinks, or the scan stops."""
        since = time.monotonic()
        while not self._stop.is_set():
            data = self._raw.read(count)
            if data:
                self.at += len(data)
                return data
            if os.fstat(self._raw.fileno()).st_size < self.at:
                self._file.shrunk = True
                break
            if time.monotonic() - since > self._idle:
                break
            self._stop.wait(_POLL_SECONDS)
        return b""

    def exactly(self, count: int) -> bytes:
        """Read so many bytes, fewer at the end."""
        parts = b""
        while len(parts) < count:
            more = self.read(count - len(parts))
            if not more:
                break
            parts += more
        return parts

    def rewind(self) -> None:
        """Begin again at the first byte."""
        self._raw.seek(0)
        self.at = 0

    def skip(self, count: int) -> None:
        """Go on so many bytes further, or back; whether they are written yet or not."""
        self._raw.seek(count, os.SEEK_CUR)
        self.at = 0  # may lie past the end, which is no shrinking


def _movie_index(file: _Growing) -> bool | None:
    """Say whether a stream can be read from its beginning: False where an MP4's contents come before its index."""
    for index in range(_BOXES_MAX):
        head = file.exactly(16)
        if not head:
            return None if index == 0 else True
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if kind not in _MOVIE_BOXES or kind == b"moov":
            return True
        if kind == b"mdat":
            return False
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:
            return True
        file.skip(size - len(head))
    return True
