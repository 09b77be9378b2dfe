"""One HTTP exchange, and what an end before its end means: not sent, maybe accepted, or answered in part."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

from reelwise.errors import AmbiguousError, InputError, NotSentError
from reelwise.models.sockets import Deadline, Line, Lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reelwise.models.body import Body

__all__ = ["Http", "Reply"]

_BODY_MAX = 64 * 1024 * 1024
_LINE_MAX = 4 * 1024 * 1024
_FOREIGN = (OSError, http.client.HTTPException)


class Reply:
    """An answer whose head came; the body is read from the wire when it is asked for.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
        where: the endpoint and path, without a query.
    """

    def __init__(self, lines: Lines, line: Line, response: http.client.HTTPResponse, where: str) -> None:
        self._lines, self._line, self._response = lines, line, response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.where = where
        self._over = False

    def read(self, limit: int = _BODY_MAX) -> bytes:
        """Read the rest.

        Raises:
            AmbiguousError: it was cut off, took too long or is longer than `limit`: the call was accepted, how it ended nobody knows.
        """
        chunks, size = [], 0
        try:
            while chunk := self._response.read1(65536):
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    self.close()
                    raise AmbiguousError(
                        f"its answer is longer than {limit:,} bytes",
                        where=self.where,
                        status=self.status,
                        reason="long",
                    )
        except _FOREIGN as error:
            self.close()
            raise AmbiguousError(
                f"its answer was cut off after {size:,} bytes ({_said(error)})",
                where=self.where, status=self.status, reason="cut",
            ) from error  # fmt: skip
        missing = self._response.length
        self._done()
        if missing:
            raise AmbiguousError(
                f"its answer ended {missing:,} bytes early", where=self.where, status=self.status, reason="cut"
            )
        return b"".join(chunks)

    def save(self, file: object, limit: int) -> int:
        """Write the body to an open binary file in pieces, and return its bytes.

        Raises:
            AmbiguousError: see `read`.
        """
        size = 0
        try:
            while chunk := self._response.read1(1 << 18):
                size += len(chunk)
                if size > limit:
                    raise AmbiguousError(f"longer than {limit:,} bytes", where=self.where, reason="long")
                file.write(chunk)  # type: ignore[attr-defined]
        except http.client.HTTPException as error:
            self.close()
            raise AmbiguousError(f"was cut off ({_said(error)})", where=self.where, reason="cut") from error
        self._done()
        return size

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of a body that comes bit by bit, without their ends.

        Raises:
            AmbiguousError: it was cut off, took too long, or a line is longer than 4 MB.
        """
        try:
            while True:
                line = self._response.readline(_LINE_MAX + 1)
                if len(line) > _LINE_MAX:
                    raise AmbiguousError("a line of its stream is too long", where=self.where, reason="long")
                if not line:
                    break
                yield line.rstrip(b"\r\n")
        except _FOREIGN as error:
            self.close()
            raise AmbiguousError(
                f"its stream was cut off ({_said(error)})", where=self.where, status=self.status, reason="cut"
            ) from error
        self._done()

    def waiting(self, limit: int = 1 << 20) -> bytes:
        """Return what came already and was not read, without waiting for more; the connection is of no use after that."""
        got = b""
        sock = self._line.sock
        if self._over or sock is None:
            return got
        sock.hang_up()
        try:
            while len(got) < limit and (more := self._response.read1(65536)):
                got += more
        except (*_FOREIGN, ValueError):  # no more is here
            return got
        return got

    def close(self) -> None:
        """Cut it off: the connection is closed, the endpoint notices."""
        if not self._over:
            self._over = True
            self._response.close()
            self._line.kill()

    def _done(self) -> None:
        if self._over:
            return
        self._over = True
        self._response.close()
        if self._response.will_close:
            self._line.kill()
        else:
            self._lines.put(self._line)


class Http:
    """One endpoint's address, with its connections. Safe for many threads.

    Args:
        url: the address that all paths are under.
        silent_seconds: the longest wait for a single byte of an answer.

    Raises:
        InputError: that is no such address.
    """

    def __init__(self, url: str, *, silent_seconds: float = 120.0) -> None:
        self._lines = Lines(url)
        self._silent = silent_seconds
        self.host = self._lines.host
        self.local = self._lines.local
        self.secure = self._lines.secure
        self.name = f"{self._lines.host}:{self._lines.port}" if self.local else self._lines.host

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: Body | None = None,
        seconds: float = 60.0,
        rooted: bool = False,
    ) -> Reply:
        """Send a request and return when the head of the answer came.

        Args:
            method: GET, POST, DELETE.
            path: below the address, with its query.
            headers: besides host, length and type.
            body: what is sent.
            seconds: for all of it, reading the body of the answer included.
            rooted: the path begins at the host, not at the address's own path.

        Raises:
            NotSentError: no connection, or it broke before the whole request was out.
            AmbiguousError: the request was out, and no answer came.
            InputError: the body's file cannot be read.
        """
        where = f"{self.name}{path.partition('?')[0]}"
        deadline = Deadline(seconds, self._silent)
        line = self._lines.get(deadline)
        full = path if rooted else self._lines.path + path
        early = self._out(line, (method, full, where), headers, body)
        try:
            response = line.getresponse()
        except _FOREIGN as error:
            line.kill()
            if early is not None:
                raise NotSentError(
                    f"the connection broke before the request was out ({_said(early)})", where=where, reason="broken"
                ) from early
            raise AmbiguousError(
                f"the request was sent and no answer came ({_said(error)})", where=where, reason="lost",
                hint="it may be billed: it is not sent again unless the endpoint knows it by its id",
            ) from error  # fmt: skip
        return Reply(self._lines, line, response, where)

    def _out(
        self, line: Line, head: tuple[str, str, str], headers: Mapping[str, str], body: Body | None
    ) -> OSError | None:
        """Write the request. An error after the head was out is returned: the endpoint may have answered early."""
        began = False
        method, path, where = head
        try:
            line.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                line.putheader(name, value)
            if body is not None:
                if body.mime:
                    line.putheader("Content-Type", body.mime)
                line.putheader("Content-Length", str(body.length))
            elif method == "POST":
                line.putheader("Content-Length", "0")
            line.endheaders()
            began = True
            for chunk in body.chunks() if body is not None else ():
                line.send(chunk)
        except InputError:
            line.kill()
            raise
        except _FOREIGN as error:
            if began and isinstance(error, OSError) and not isinstance(error, TimeoutError):
                return error
            line.kill()
            if began:
                raise NotSentError("the request could not be sent in time", where=where, reason="broken") from error
            raise NotSentError(
                _reach(error), where=where, hint="check the address and the network", reason="reach"
            ) from error
        return None

    def close(self) -> None:
        """Close all connections that are free."""
        self._lines.close()


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no time left"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was closed early"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__


def _reach(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "its host is not known"
    if isinstance(error, TimeoutError):
        return "it could not be reached in time"
    return f"it cannot be reached ({_said(error)})"
