"""A model behind an HTTP endpoint: a picture goes there, a mask comes back."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.errors import EndpointError, InputError, RefusedError, UnreachableError
from reelwise.live.opencv import opencv
from reelwise.models.connection import Connection, endpoint_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["HttpModel"]

_SIDE_MIN, _SIDE_MAX = 16, 16_384
_JPEG_QUALITY = 85
_SAID_MAX = 160
_REFUSED, _FAILED = 400, 500
_HINT = 'a PNG (0..255), or JSON as {"mask": [[0.0, 1.0], ...]}; a PNG in base64 will do, too'


class HttpModel:
    """Sends each frame as JPEG and reads the mask: a PNG (grey, or its alpha), or JSON.

    JSON is `{"mask": ...}` with rows of numbers 0..1, or a PNG in base64. A connection is kept for each thread. Redirects
    are not followed, and nothing is sent a second time: who calls decides that.

    Args:
        url: http:// or https://.
        timeout_seconds: for all of a request, from connecting to the answer's last byte.
        headers: sent with each request, an `Authorization` say.
        long_side: frames are scaled down to it before they are sent; 0 sends them as they are.

    Raises:
        InputError: no such address, or a header that cannot be sent.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 10.0,
        headers: Mapping[str, str] | None = None,
        long_side: int = 0,
    ) -> None:
        if long_side and not _SIDE_MIN <= long_side <= _SIDE_MAX:
            raise InputError(f"a long side of {long_side}", where="long_side", hint=f"{_SIDE_MIN} to {_SIDE_MAX}, or 0")
        own = {"Content-Type": "image/jpeg", "Accept": "image/png, application/json"}
        self._endpoint = endpoint_of(url, {**own, **(headers or {})})
        self.name = self._endpoint.url
        self._timeout, self._long_side = timeout_seconds, long_side
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, Connection] = {}

    def __call__(self, frame: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the endpoint's mask of a frame.

        Raises:
            UnreachableError: no connection could be made: nothing was sent.
            RefusedError: it said no (HTTP 400 to 499): nothing is billed; `status` says which.
            EndpointError: it failed, broke off, took too long, or answered what is no mask: it may be billed.
        """
        answer = self._connection().send(self._encoded(frame), self._timeout)
        if not answer.reached:
            raise UnreachableError(f"cannot be reached: {answer.trouble}", where=self.name, hint="is it running?")
        if answer.trouble and answer.status:
            said = answer.body[:_SAID_MAX].decode("utf-8", "replace").split("\n")[0].strip()
            message = f"answered {answer.trouble}{f': {said}' if said else ''}"
            refused = _REFUSED <= answer.status < _FAILED
            raise (RefusedError if refused else EndpointError)(message, status=answer.status, where=self.name)
        if answer.trouble:
            raise EndpointError(f"{answer.trouble} ({self._timeout:g} s)", where=self.name)
        if answer.kind == "application/json":
            return self._from_json(answer.body)
        return self._from_png(answer.body, f"{answer.kind} that is no picture")

    def _encoded(self, frame: NDArray[np.uint8]) -> bytes:
        cv2 = opencv()
        longest = max(frame.shape[:2])
        if 0 < self._long_side < longest:
            scale = self._long_side / longest
            size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        turned = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        done, data = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:
            raise InputError("a frame cannot be encoded as JPEG", where=self.name)
        return bytes(data)

    def _connection(self) -> Connection:
        known: Connection | None = getattr(self._local, "connection", None)
        if known is not None:
            return known
        made = self._local.connection = Connection(self._endpoint)
        with self._lock:
            ended = [self._open.pop(one) for one in list(self._open) if not one.is_alive()]
            self._open[threading.current_thread()] = made
        for one in ended:
            one.close()
        return made

    def close(self) -> None:
        """Close all connections; the next call opens another one."""
        with self._lock:
            connections = list(self._open.values())
        for one in connections:
            one.close()

    def _from_json(self, data: bytes) -> NDArray[Any]:
        try:
            mask = json.loads(data)["mask"]
            if isinstance(mask, str):
                return self._from_png(base64.b64decode(mask, validate=True), "base64 that is no picture")
            return np.asarray(mask, np.float32)
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
            said = f"{type(error).__name__}: {error}"[:_SAID_MAX]
            raise EndpointError(f"answered JSON without a mask ({said})", where=self.name, hint=_HINT) from None

    def _from_png(self, data: bytes, what: str) -> NDArray[Any]:
        cv2 = opencv()
        try:
            found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
        except cv2.error:
            found = None
        if found is None:
            raise EndpointError(f"answered {what}", where=self.name, hint=_HINT)
        if found.ndim == 3:
            found = found[..., 3] if found.shape[2] == 4 else found[..., 0]
        # by its own depth, whatever its values are: one that is nearly all 0 is a mask of nothing
        mask: NDArray[np.float32] = (found / np.float32(np.iinfo(found.dtype).max)).astype(np.float32)
        return mask
