"""One HTTP request after another over a connection that is kept, for measuring and for masks: bounded in time and in bytes."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from reelwise.errors import AmbiguousError, EndpointError, InputError, NotSentError
from reelwise.models.body import Body
from reelwise.models.http import Http

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Connection", "Endpoint", "endpoint_of"]

_BYTES_MAX = 64_000_000
_SILENT_SECONDS = 86_400.0  # a request's own time is the only limit here
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

    The same client as all wires': see `reelwise.models.http.Http`. Here nothing is raised and nothing is sent a second time: what went
    wrong is said in a word, so that many answers can be counted.

    Args:
        endpoint: where to.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        scheme = "https" if endpoint.is_secure else "http"
        self._http = Http(f"{scheme}://{host}:{endpoint.port}", silent_seconds=_SILENT_SECONDS)
        headers = dict(endpoint.headers)
        named = {name.lower(): name for name in headers}
        self._mime = headers.pop(named["content-type"]) if "content-type" in named else ""
        self._headers = headers

    def send(self, body: bytes, seconds: float) -> Answer:
        """Send a request once and wait for all of its answer; nothing is sent a second time.

        Args:
            body: what is sent.
            seconds: how long all of it may take.
        """
        where = self._endpoint
        sent = Body(pieces=(body,), mime=self._mime) if body else None
        try:
            reply = self._http.send(
                where.method, where.path, headers=self._headers, body=sent, seconds=max(0.001, seconds), rooted=True
            )
            data = reply.read(_BYTES_MAX)
        except NotSentError as error:
            return Answer(status=0, trouble=self._trouble(error), body=b"", reached=error.reason != "reach")
        except AmbiguousError as error:
            return Answer(
                status=error.status or 0 if error.reason == "long" else 0, trouble=self._trouble(error), body=b""
            )
        kind = reply.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
        trouble = "" if 200 <= reply.status < 300 else f"HTTP {reply.status}"
        return Answer(status=reply.status, trouble=trouble, body=data, kind=kind)

    def _trouble(self, error: EndpointError) -> str:
        """Say what went wrong, the same words for the same trouble."""
        cause = error.__cause__
        if error.reason == "long":
            return f"answers more than {_BYTES_MAX:,} bytes"
        if isinstance(cause, TimeoutError):
            return "no answer in time"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {cause.reason or cause}"
        if isinstance(cause, socket.gaierror):
            return f"no address is known for {self._endpoint.host}"
        closed = (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionResetError, BrokenPipeError)
        if cause is None or isinstance(cause, closed):
            return "closed the connection"
        return getattr(cause, "strerror", None) or type(cause).__name__

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._http.close()

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
