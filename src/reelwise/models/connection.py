"""One HTTP request after another over a connection that is kept: bounded in time and in bytes, with the standard library."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from reelwise.errors import EndpointError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Connection", "Endpoint", "endpoint_of"]

_BYTES_MAX = 64_000_000
_CHUNK = 65_536
_SAID = 200


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where requests go and what they carry.

    Attributes:
        url: without credentials; as errors and facts call it.
        is_secure: https.
        host, port, path: its parts; the path with its query.
        headers: sent with each request; they may hold secrets and are shown nowhere.
        method: POST or GET.
    """

    url: str
    is_secure: bool
    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, by its name."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")


class Answer(Struct, frozen=True, kw_only=True):
    """What came back.

    Attributes:
        status: the HTTP status; 0 where none came.
        trouble: empty for a status of 200 to 299, else in words, the same words for the same trouble.
        body: all of it.
        kind: its media type.
        reached: whether there was a connection at all: without one nothing was sent.
    """

    status: int
    trouble: str
    body: bytes
    kind: str = ""
    reached: bool = True


def endpoint_of(url: str, headers: Mapping[str, str] | None = None, method: str = "POST") -> Endpoint:
    """Read an address.

    Raises:
        InputError: no http(s) address, one with a password in it, or a header that cannot be sent.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise InputError(f"not an address: {error}", where=f"{url!r:.80}", hint="http://host:port/path") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(c <= " " or c > "~" for c in url):
        raise InputError("not an address", where=f"{url!r:.80}", hint="http://host:port/path")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "an address with a password in it would be written down",
            where=parts.hostname,
            hint='--header "Authorization: ..."',
        )
    named = dict(headers or {})
    for name, value in named.items():
        if not name or not name.isascii() or any(c in name + value for c in "\r\n\0") or ":" in name:
            raise InputError(f"not a header: {name!r:.40}", where="--header", hint='"Name: value"')
    path = parts.path or "/"
    return Endpoint(
        url=f"{parts.scheme}://{parts.netloc}{path}",
        is_secure=parts.scheme == "https",
        host=parts.hostname,
        port=port,
        path=f"{path}?{parts.query}" if parts.query else path,
        headers=tuple(named.items()),
        method=method,
    )


class Connection:
    """Sends requests one after another; opens itself again where the other side closed. Used by one thread.

    Args:
        endpoint: where to.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._open: http.client.HTTPConnection | None = None
        self._reached = False

    def send(self, body: bytes, seconds: float) -> Answer:
        """Send a request once and wait for all of its answer; nothing is sent a second time.

        Args:
            body: what is sent.
            seconds: how long all of it may take.
        """
        until = time.perf_counter() + seconds
        try:
            return self._sent(body, until)
        except TimeoutError:
            trouble = "no answer in time"
        except ssl.SSLError as error:
            trouble = f"TLS: {error.reason or error}"
        except socket.gaierror:
            trouble = f"no address is known for {self._endpoint.host}"
        except (http.client.HTTPException, ConnectionError) as error:
            trouble = "closed the connection" if _is_closed(error) else _words(error)
        except (OSError, ValueError) as error:
            trouble = _words(error)
        self.close()
        return Answer(status=0, trouble=trouble, body=b"", reached=self._reached)

    def _sent(self, body: bytes, until: float) -> Answer:
        where = self._endpoint
        self._reached = self._still_open()
        if self._open is None:
            kind = http.client.HTTPSConnection if where.is_secure else http.client.HTTPConnection
            self._open = kind(where.host, where.port, timeout=max(0.001, until - time.perf_counter()))
            self._open.connect()
            self._reached = True
            if self._open.sock is not None:
                self._open.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left(until)
        self._open.request(where.method, where.path, body=body or None, headers=dict(where.headers))
        self._left(until)
        response = self._open.getresponse()
        parts: list[bytes] = []
        size = 0
        try:
            while not response.isclosed() and size <= _BYTES_MAX:
                self._left(until)
                part = response.read1(_CHUNK)
                if not part:
                    break
                size += len(part)
                parts.append(part)
        finally:
            response.close()  # a response that was not read to its end holds the socket
        if response.will_close or size > _BYTES_MAX:
            self.close()
        trouble = "" if 200 <= response.status < 300 else f"HTTP {response.status}"
        if size > _BYTES_MAX:
            trouble = f"answers more than {_BYTES_MAX:,} bytes"
        media = response.headers.get_content_type()
        return Answer(status=response.status, trouble=trouble, body=b"".join(parts), kind=media)

    def _still_open(self) -> bool:
        """Say whether there is a connection that the other side has not closed meanwhile; close it where it has."""
        if self._open is None or self._open.sock is None:
            self.close()
            return False
        if select.select((self._open.sock,), (), (), 0)[
            0
        ]:  # nothing was asked, so there is nothing to read but its end
            self.close()
            return False
        return True

    def _left(self, until: float) -> None:
        """Let the next wait be no longer than what is left."""
        left = until - time.perf_counter()
        if left <= 0:
            raise TimeoutError
        if self._open is not None and self._open.sock is not None:
            self._open.sock.settimeout(left)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def first(self, body: bytes, seconds: float) -> float:
        """Send a first request and return how long it took: the cold start of what is behind it.

        Raises:
            EndpointError: it cannot be reached, refuses, or does not answer in time.
        """
        began = time.perf_counter()
        answer = self.send(body, seconds)
        if not answer.trouble:
            return time.perf_counter() - began
        self.close()
        said = answer.body[:_SAID].decode("utf-8", "replace").strip().replace("\n", " ")
        hint = {
            0: "does it run, is the address right? give a first answer more time: --cold-timeout",
            401: 'give the key: --header "Authorization: Bearer ..."',
            403: 'give the key: --header "Authorization: Bearer ..."',
            404: "check the path of the address",
            405: "--method GET",
            413: "send less: --size 640x360",
            415: "--content-type, or --body FILE",
        }.get(answer.status, "see what it says; --body FILE sends what it expects")
        if 300 <= answer.status < 400:
            hint = "give the address that it redirects to"
        raise EndpointError(
            f"the first request failed: {answer.trouble}{f': {said}' if said else ''}",
            where=self._endpoint.url,
            hint=hint,
        )


def _is_closed(error: Exception) -> bool:
    return isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError))


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
