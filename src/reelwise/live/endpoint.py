"""A model behind an HTTP endpoint: a picture goes there, a mask comes back."""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from reelwise.errors import EndpointError, InputError, UnreachableError
from reelwise.live.opencv import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HttpModel", "RefusedError"]

_ANSWER_MAX = 32 * 2**20
_SIDE_MIN, _SIDE_MAX = 16, 16_384
_JPEG_QUALITY = 85
_SAID_MAX = 160


class RefusedError(EndpointError):
    """The endpoint answered with an HTTP status that is no success; `status` is it."""

    def __init__(self, message: str, *, status: int, where: str, hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
        self.status = status


class HttpModel:
    """Sends each frame as JPEG and reads the mask: a PNG (grey, or its alpha), or JSON.

    JSON is `{"mask": ...}` with rows of numbers 0..1, or a PNG in base64. A connection is kept for each thread. Redirects
    are not followed, and nothing is tried twice: who calls decides that.

    Args:
        url: http:// or https://.
        timeout_seconds: for connecting, and for each wait for the answer.
        token: sent as `Authorization: Bearer`; empty for none.
        long_side: frames are scaled down to it before they are sent; 0 sends them as they are.

    Raises:
        InputError: no such address.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 10.0, token: str = "", long_side: int = 0) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if parts.scheme not in {"http", "https"} or not host:
            raise InputError("is no address of an endpoint", where=url[:120], hint="http://HOST:PORT/PATH")
        if long_side and not _SIDE_MIN <= long_side <= _SIDE_MAX:
            raise InputError(
                f"a long side of {long_side}", where="--send-size", hint=f"{_SIDE_MIN} to {_SIDE_MAX}, or 0"
            )
        if not token.isascii() or any(one < " " for one in token):
            raise InputError("holds characters that no header can have", where="the endpoint's token")
        self.name = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
        self._host, self._port, self._tls = host, port, parts.scheme == "https"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout, self._token, self._long_side = timeout_seconds, token, long_side
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, http.client.HTTPConnection] = {}

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the endpoint's mask of a frame.

        Raises:
            UnreachableError: no connection could be made: nothing was sent.
            RefusedError: it answered with an error; `status` says which.
            EndpointError: it broke off, took too long, or answered what is no mask.
        """
        body = self._encoded(frame)
        connection = self._connected()
        head = {"Content-Type": "image/jpeg", "Accept": "image/png, application/json"}
        if self._token:
            head["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request("POST", self._path, body, head)
            answer = connection.getresponse()
            kind = answer.headers.get_content_type()
            data = answer.read(_ANSWER_MAX + 1)
            status, keep = answer.status, not answer.will_close
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise self._broke(error) from None
        if len(data) > _ANSWER_MAX or not keep:
            self._drop()
        if status != http.HTTPStatus.OK:
            said = data[:_SAID_MAX].decode("utf-8", "replace").split("\n")[0]
            raise RefusedError(f"answered {status} {answer.reason}: {said}", status=status, where=self.name)
        if len(data) > _ANSWER_MAX:
            raise EndpointError(f"answered more than {_ANSWER_MAX >> 20} MiB", where=self.name)
        return self._mask(kind, data)

    def _encoded(self, frame: NDArray[np.uint8]) -> bytes:
        cv2 = opencv()
        longest = max(frame.shape[:2])
        if 0 < self._long_side < longest:
            scale = self._long_side / longest
            size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        done, data = cv2.imencode(
            ".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        )
        if not done:
            raise InputError("a frame cannot be encoded as JPEG", where=self.name)
        return bytes(data)

    def _connected(self) -> http.client.HTTPConnection:
        known: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if known is not None and known.sock is not None and not select.select((known.sock,), (), (), 0)[0]:
            return known
        self._drop()  # none yet, or one that the other side has closed meanwhile
        made: http.client.HTTPConnection
        if self._tls:
            made = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=ssl.create_default_context()
            )
        else:
            made = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            made.connect()
        except (OSError, ValueError) as error:
            made.close()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise UnreachableError(f"cannot be reached: {reason}", where=self.name, hint="is it running?") from None
        if made.sock is not None:
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._local.connection = made
        with self._lock:
            ended = [self._open.pop(one) for one in list(self._open) if not one.is_alive()]
            self._open[threading.current_thread()] = made
        for one in ended:
            one.close()
        return made

    def _drop(self) -> None:
        connection, self._local.connection = getattr(self._local, "connection", None), None
        if connection is not None:
            connection.close()
        with self._lock:
            self._open.pop(threading.current_thread(), None)

    def close(self) -> None:
        """Close all connections; the next call opens another one."""
        with self._lock:
            connections = list(self._open.values())
            self._open.clear()
        for one in connections:
            one.close()

    def _broke(self, error: Exception) -> EndpointError:
        if isinstance(error, TimeoutError):
            return EndpointError(f"no answer in {self._timeout:g} s", where=self.name)
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return EndpointError(f"broke off: {reason}", where=self.name)

    def _mask(self, kind: str, data: bytes) -> NDArray[Any]:
        if kind == "application/json":
            return self._from_json(data)
        return self._from_png(data, f"{kind} that is no picture")

    def _from_json(self, data: bytes) -> NDArray[Any]:
        try:
            mask = json.loads(data)["mask"]
            if isinstance(mask, str):
                return self._from_png(base64.b64decode(mask, validate=True), "base64 that is no picture")
            return np.asarray(mask, np.float32)
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
            said = f"{type(error).__name__}: {error}"[:_SAID_MAX]
            raise EndpointError(
                f"answered JSON without a mask ({said})",
                where=self.name,
                hint='{"mask": [[0.0, 1.0], ...]} or a PNG in base64',
            ) from None

    def _from_png(self, data: bytes, what: str) -> NDArray[Any]:
        cv2 = opencv()
        try:
            found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
        except cv2.error:
            found = None
        if found is None:
            raise EndpointError(f"answered {what}", where=self.name, hint="a PNG, or JSON with a mask")
        if found.ndim == 3:
            found = found[..., 3] if found.shape[2] == 4 else found[..., 0]
        if found.dtype == np.uint16:
            found = (found >> 8).astype(np.uint8)
        # a picture of 0 and 1 is as likely a mask as one of 0 and 255: `checked_mask` takes both
        plain: NDArray[Any] = found
        return plain
