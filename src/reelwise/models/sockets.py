"""Connections whose every read and write knows how long the whole call may still take."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from reelwise.errors import InputError
from reelwise.models.proxy import open_tunnel, proxy_for

if TYPE_CHECKING:
    from reelwise.models.proxy import Proxy

__all__ = ["Deadline", "Line", "Lines"]

_IDLE_MAX_SECONDS = 45.0
_IDLE_MAX = 32


class Deadline:
    """When a call must be over, and how long it may be silent before that.

    Args:
        seconds: from now on, for all of it.
        silent_seconds: the longest wait for a single byte.
    """

    def __init__(self, seconds: float, silent_seconds: float = 120.0) -> None:
        self._until = time.monotonic() + seconds
        self._silent = silent_seconds

    @property
    def left(self) -> float:
        """Seconds left; 0 when it is over."""
        return max(0.0, self._until - time.monotonic())

    def step(self) -> float:
        """Return how long one read or write may wait.

        Raises:
            TimeoutError: no time is left.
        """
        left = self.left
        if left <= 0:
            raise TimeoutError("the call's time is up")
        return min(left, self._silent)


class _Raw(io.RawIOBase):
    """What is read from a connection."""

    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        return self._timed.receive(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._timed.release()


class _Timed:
    """A socket as http.client wants it, under a deadline that is set anew for each call."""

    def __init__(self, plain: socket.socket) -> None:
        self.plain = plain
        self.deadline = Deadline(60.0)
        self.wait = True  # False: take what is here, and no more
        self._readers = 0
        self._closed = False

    def sendall(self, data: bytes) -> None:
        self.plain.settimeout(self.deadline.step())
        self.plain.sendall(data)

    def receive(self, buffer: Any) -> int | None:
        if not self.wait:
            self.plain.settimeout(0.0)
            try:
                return self.plain.recv_into(buffer)
            except (BlockingIOError, ssl.SSLWantReadError):
                return None
        self.plain.settimeout(self.deadline.step())
        return self.plain.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Raw(self), 65536)

    def release(self) -> None:
        self._readers -= 1
        if self._closed and self._readers <= 0:
            self.plain.close()

    def close(self) -> None:
        self._closed = True
        if self._readers <= 0:
            self.plain.close()

    def hang_up(self) -> None:
        """Say that nothing more is wanted; from now on, take what is here and do not wait."""
        self.wait = False
        if not isinstance(self.plain, ssl.SSLSocket):  # there it would end the reading too
            with contextlib.suppress(OSError):
                self.plain.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        self._closed = True
        self.plain.close()


class Line(http.client.HTTPConnection):
    """One connection to an endpoint."""

    sock: Any

    def __init__(
        self, address: tuple[str, int], context: ssl.SSLContext | None, deadline: Deadline, proxy: Proxy | None = None
    ) -> None:
        super().__init__(*address)
        self._context, self._proxy = context, proxy
        self._deadline = deadline
        self.idle_since = 0.0

    def connect(self) -> None:
        """Open it, through a proxy where there is one, TLS included, within the deadline.

        Raises:
            OSError: unknown host, refused, no time left, a certificate that does not fit.
        """
        step = min(10.0, self._deadline.step())
        proxy = self._proxy
        plain = socket.create_connection((proxy.host, proxy.port) if proxy else (self.host, self.port), timeout=step)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if proxy is not None:
                open_tunnel(plain, proxy, self.host, self.port)
            if self._context is not None:
                plain = self._context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
        self.sock = _Timed(plain)
        self.sock.deadline = self._deadline

    def begin(self, deadline: Deadline) -> None:
        """Use it for one more call."""
        self._deadline = deadline
        if self.sock is not None:
            self.sock.deadline = deadline

    def alive(self) -> bool:
        """Say whether it can be used again: open, silent, and not idle for too long."""
        if self.sock is None or time.monotonic() - self.idle_since > _IDLE_MAX_SECONDS:
            return False
        plain: socket.socket = self.sock.plain
        try:
            plain.settimeout(0.0)
            plain.recv(1)  # its end, or what nobody asked for
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        return False

    def kill(self) -> None:
        """Close it at once, whatever is still to be read."""
        if self.sock is not None:
            self.sock.kill()
        self.close()


class Lines:
    """The connections to one address, kept for the next call; safe for many threads.

    Args:
        url: http or https, with a path in front of all paths or none.

    Raises:
        InputError: that is no such address, or the environment names no proxy's.
    """

    def __init__(self, url: str) -> None:
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InputError("is no address", where="url", hint="https://host/v1") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise InputError(
                "is no address of an endpoint", where="url", hint="https://host/v1, without user and query"
            )
        self.secure = parts.scheme == "https"
        self.host, self.port = parts.hostname, port or (443 if self.secure else 80)
        self.path = parts.path.rstrip("/")
        self.local = self.host in {"localhost", "127.0.0.1", "::1"} or self.host.startswith("127.")
        self._context = ssl.create_default_context() if self.secure else None
        self._proxy = proxy_for(self.host, self.port) if self.secure and not self.local else None
        self._lock = threading.Lock()
        self._idle: list[Line] = []
        weakref.finalize(self, _kill, self._idle)  # nobody closes an endpoint by hand

    def get(self, deadline: Deadline) -> Line:
        """Return a connection that is free, or a new one that connects when it is used."""
        while True:
            with self._lock:
                line = self._idle.pop() if self._idle else None
            if line is None:
                return Line((self.host, self.port), self._context, deadline, self._proxy)
            if line.alive():
                line.begin(deadline)
                return line
            line.kill()

    def put(self, line: Line) -> None:
        """Keep a connection whose answer was read to its end."""
        line.idle_since = time.monotonic()
        with self._lock:
            if line.sock is not None and len(self._idle) < _IDLE_MAX:
                self._idle.append(line)
                return
        line.kill()

    def close(self) -> None:
        """Close all that are free."""
        with self._lock:
            lines = list(self._idle)
            self._idle.clear()
        _kill(lines)


def _kill(lines: list[Line]) -> None:
    for line in lines:
        line.kill()
