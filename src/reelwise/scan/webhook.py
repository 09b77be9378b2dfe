"""A small HTTP server that takes events from outside: a camera's own motion sensor, a door contact, another system.

It listens on this machine only, unless an address and a secret are given. What a request may hold, how long it may take,
how many are served at a time and how many events wait are all bounded.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import math
import socket
import threading
import time
from collections import deque
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any, cast

from reelwise.errors import InputError

__all__ = ["Webhook", "parse_event"]

_BODY_MAX = 16_384
_QUEUE_MAX = 1_000
_REQUEST_SECONDS = 5.0
_AT_A_TIME = 8
_OPEN_MAX_SECONDS = 600.0  # an event that is never ended
_LENGTH_MAX_SECONDS = 24 * 3600.0
_AHEAD_MAX_SECONDS = 10.0
_TOKEN_MIN = 8


class Webhook:
    """Takes events over HTTP in a thread of its own, from construction until `close`.

    An event is a JSON object, sent by POST with `Content-Type: application/json`:
    `{"start": TIME, "stop": TIME}`, `{"start": TIME, "duration": SECONDS}`, `{"start": TIME}` for one that goes on, ended by
    `{"stop": TIME}` or after ten minutes. TIME is ISO 8601 with a zone, or seconds since 1970; `"now"` is when it arrives.
    With a token, `Authorization: Bearer TOKEN` must be sent. Answers: 202 taken, 400 what is wrong with it, 401, 404, 411,
    413, 415, 503 too many wait.

    Args:
        host: an address of this machine.
        port: 0 for a free one, see `port`.
        token: the secret; needed where the address is not the loopback one.

    Raises:
        InputError: the address cannot be listened on, or would take events from anyone.
    """

    name = "webhook"

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, token: str = "") -> None:
        where = f"{host}:{port}"
        if token and (len(token) < _TOKEN_MIN or not token.isascii()):
            raise InputError(f"the token needs {_TOKEN_MIN} ASCII characters or more", where="webhook")
        if not token and not _loopback(host):
            raise InputError(
                "would take events from anyone on the network",
                where=where,
                hint="give it a token, or listen on 127.0.0.1",
            )
        self.refused = 0
        self._token = token
        self._lock = threading.Lock()
        self._queue: deque[tuple[float | None, float | None]] = deque()
        self._since = math.nan
        try:
            self._server = _Server((host, port), self)
        except (OSError, OverflowError) as error:
            raise InputError(f"cannot listen: {error}", where=where, hint="another port; 0 takes a free one") from None
        self.host, self.port = str(self._server.server_address[0]), int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="webhook", daemon=True)
        self._thread.start()

    def allows(self, header: str | None) -> bool:
        """Say whether a request's `Authorization` will do."""
        return not self._token or hmac.compare_digest((header or "").encode(), f"Bearer {self._token}".encode())

    def put(self, start: float | None, stop: float | None) -> bool:
        """Queue an event; False where too many wait."""
        with self._lock:
            if len(self._queue) >= _QUEUE_MAX:
                self.refused += 1
                return False
            self._queue.append((start, stop))
            return True

    def take(self, now: float) -> list[tuple[float, float]]:
        """Return what arrived as spans in seconds since 1970; one that goes on has an infinite stop.

        Args:
            now: seconds since 1970.
        """
        with self._lock:
            waiting, self._queue = list(self._queue), deque()
        spans: list[tuple[float, float]] = []
        for start, stop in waiting:
            if start is not None and stop is not None:
                spans.append((start, stop))
            elif start is not None:
                if math.isnan(self._since):
                    self._since = start
                    spans.append((start, math.inf))
            elif stop is not None and not math.isnan(self._since):
                spans.append((self._since, max(stop, self._since)))
                self._since = math.nan
        if now - self._since > _OPEN_MAX_SECONDS:
            spans.append((self._since, self._since + _OPEN_MAX_SECONDS))
            self._since = math.nan
        return spans

    def close(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(_REQUEST_SECONDS)
        self._server.server_close()


def parse_event(body: bytes, now: float) -> tuple[float | None, float | None]:
    """Read one event.

    Args:
        body: JSON.
        now: seconds since 1970.

    Returns:
        Start and stop in seconds since 1970; None where not given.

    Raises:
        InputError: it is no event.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("is no JSON", where="webhook") from None
    if not isinstance(event, dict) or not {"start", "stop"} & event.keys():
        raise InputError('needs "start", "stop" or both', where="webhook", hint='{"start": "now", "duration": 5}')
    if unknown := sorted(map(str, event.keys() - {"start", "stop", "duration", "id"})):
        raise InputError(f"unknown field {unknown[0][:40]!r}", where="webhook", hint="start, stop, duration, id")
    start = None if event.get("start") is None else _moment("start", event["start"], now)
    stop = None if event.get("stop") is None else _moment("stop", event["stop"], now)
    if "duration" in event:
        seconds = event["duration"]
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LENGTH_MAX_SECONDS:
            raise InputError("duration is seconds, above 0 and up to a day", where="webhook")
        if start is None or stop is not None:
            raise InputError("duration goes with start, without stop", where="webhook")
        stop = start + float(seconds)
    if start is not None and stop is not None and not start < stop <= start + _LENGTH_MAX_SECONDS:
        raise InputError("stop must come after start, by a day at most", where="webhook")
    return start, stop


def _moment(field: str, value: Any, now: float) -> float:
    if value == "now":
        return now
    moment = math.nan
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            read = None
        if read is None or read.tzinfo is None:
            raise InputError(f"{field} is no ISO 8601 time with a zone", where="webhook", hint="2026-01-31T08:00:00Z")
        moment = read.timestamp()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        moment = float(value) if abs(value) < 1e15 else math.nan
    if not now - _LENGTH_MAX_SECONDS <= moment <= now + _LENGTH_MAX_SECONDS:
        raise InputError(
            f"{field} is no time within a day from now", where="webhook", hint="seconds since 1970, or ISO"
        )
    if field == "start" and moment > now + _AHEAD_MAX_SECONDS:
        raise InputError("start lies in the future", where="webhook", hint="do the clocks agree?")
    return moment


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Server(ThreadingHTTPServer):
    """Serves a bounded number of requests at a time; more are hung up on."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, address: tuple[str, int], webhook: Webhook) -> None:
        self.webhook = webhook
        self._places = threading.BoundedSemaphore(_AT_A_TIME)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a request in a thread if there is a place."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one request; it is cut off when it takes too long."""
        timer = threading.Timer(_REQUEST_SECONDS, _cut, (request,))
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of ours."""


def _cut(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    server_version = "reelwise"
    sys_version = ""
    timeout = _REQUEST_SECONDS

    def do_POST(self) -> None:
        """Take an event."""
        webhook = cast("_Server", self.server).webhook
        refused = self._refused(webhook)
        if refused is not None:
            return self._answer(*refused)
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return None  # hung up, or too slow
        try:
            start, stop = parse_event(body, time.time())
        except InputError as error:
            hint = f"; {error.hint}" if error.hint else ""
            return self._answer(HTTPStatus.BAD_REQUEST, f"{error.message}{hint}")
        if not webhook.put(start, stop):
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "too many events wait")
        return self._answer(HTTPStatus.ACCEPTED, "taken")

    def _refused(self, webhook: Webhook) -> tuple[HTTPStatus, str] | None:
        """Say why a request is not read, if it is not."""
        length = self.headers.get("Content-Length", "")
        known = length.isascii() and length.isdigit()
        # a page in a browser cannot send this type to another site without asking it first
        checks = (
            (
                webhook.allows(self.headers.get("Authorization")),
                HTTPStatus.UNAUTHORIZED,
                "the token is missing or wrong",
            ),
            (self.path in {"/", "/event"}, HTTPStatus.NOT_FOUND, "POST to /event"),
            (
                self.headers.get_content_type() == "application/json",
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "Content-Type: application/json",
            ),
            (known, HTTPStatus.LENGTH_REQUIRED, "Content-Length is needed"),
            (
                known and len(length) <= 9 and int(length) <= _BODY_MAX,
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"at most {_BODY_MAX} bytes",
            ),
        )
        return next(((status, text) for fine, status, text in checks if not fine), None)

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = json.dumps({"result": text}).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing: standard error is the command's."""
