"""The sandbox's HTTP server: threads, keep-alive, and lines that break where the scenario wants it."""

from __future__ import annotations

import http.server
import re
import select
import socket
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

from reelwise.errors import OutputError
from reelwise.sandbox import (
    anthropic,
    anthropic_batches,
    embeddings,
    gemini,
    gemini_caches,
    gemini_more,
    google_videos,
    openai_chat,
    openai_more,
    responses,
    vendors,
    vision,
)
from reelwise.sandbox.desk import Desk
from reelwise.sandbox.errors import NotFoundError, RefusalError
from reelwise.sandbox.exchange import Document, Drop, Events, Exchange, FileOut, document, whole
from reelwise.sandbox.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from reelwise.sandbox.exchange import Reply, Route

__all__ = ["Sandbox"]

_IDLE_SECONDS = 120.0
_GONE = (ConnectionError, TimeoutError, ValueError)


def _invoice(exchange: Exchange) -> Document:
    return document(exchange.desk.invoice.document(rows=exchange.query.get("rows", "1") != "0"))


def _clear(exchange: Exchange) -> Document:
    exchange.desk.invoice.clear()
    return document({"cleared": True})


def _ahead(exchange: Exchange) -> Document:
    exchange.desk.clock.ahead(float(whole(exchange.query.get("seconds", "0"), "seconds")))
    return document({"now": exchange.desk.clock.now()})


def _health(exchange: Exchange) -> Document:
    return document({"status": "ok", "day": exchange.desk.clock.day().isoformat()})


_OWN: tuple[Route, ...] = (
    ("GET", r"/invoice", _invoice),
    ("DELETE", r"/invoice", _clear),
    ("POST", r"/clock", _ahead),
    ("GET", r"/health", _health),
)
_ROUTES = tuple(
    (method, re.compile(pattern), serve)
    for method, pattern, serve in (
        *_OWN,
        *openai_chat.ROUTES,
        *gemini.ROUTES,
        *gemini_caches.ROUTES,
        *anthropic.ROUTES,
        *anthropic_batches.ROUTES,
        *responses.ROUTES,
        *openai_more.ROUTES,
        *gemini_more.ROUTES,
        *google_videos.ROUTES,
        *vision.ROUTES,
        *embeddings.ROUTES,
    )
)


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "reelwise-sandbox"
    sys_version = ""
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Serve any method alike."""
        desk = self.server.desk
        exchange = Exchange(desk, (self.command, self.path), self.headers, self.rfile, self.server.url)  # type: ignore[arg-type]
        try:
            again = desk.remembered(exchange.key, exchange.headers.get("idempotency-key", ""))
            reply: Reply = again if again is not None else _routed(exchange)
        except RefusalError as error:
            reply = vendors.refusal(exchange, error)
        try:
            for _ in exchange.chunks():  # what the route did not read
                pass
            self._answer(reply)
        except (*_GONE, RefusalError):
            self.close_connection = True

    do_POST = do_DELETE = do_PATCH = do_PUT = do_GET  # noqa: N815 - http.server's names

    def _answer(self, reply: Reply) -> None:
        if isinstance(reply, Drop):
            self._break()
        elif isinstance(reply, Events):
            self._stream(reply)
        elif isinstance(reply, FileOut):
            self._head(200, reply.mime, reply.size, {})
            with reply.path.open("rb") as file:
                file.seek(reply.offset)
                left = reply.size
                while left > 0 and (data := file.read(min(left, 1 << 18))):
                    self.wfile.write(data)
                    left -= len(data)
        else:
            self._document(reply)

    def _head(self, status: int, mime: str, length: int | None, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", mime)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _document(self, reply: Document) -> None:
        body = reply.body
        if not reply.slow_seconds and reply.cut is None:
            self._head_buffer(reply)
            return
        self._head(reply.status, reply.mime, len(body), reply.headers)
        if reply.cut is not None:
            self.wfile.write(body[: reply.cut])
            self._break()
            return
        step = max(1, len(body) // 20)
        for at in range(0, len(body), step):
            time.sleep(reply.slow_seconds / 20)
            self.wfile.write(body[at : at + step])

    def _head_buffer(self, reply: Document) -> None:
        """Write head and body at once: one packet."""
        lines = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        lines += [f"Content-Type: {reply.mime}", f"Content-Length: {len(reply.body)}", "", ""]
        self.wfile.write("\r\n".join(lines).encode("latin-1", "replace") + reply.body)

    def _stream(self, reply: Events) -> None:
        desk, served = self.server.desk, reply.served
        if served.fault in {"lost_request", "lost_reply", "504"}:
            if served.fault != "lost_request":
                desk.bill(served, delivered=False)
            self._break()
            return
        desk.wait(served)
        cut_after = max(1, served.tally.output // 2) if served.fault == "cut_stream" else None
        pace, sent, row = desk.scenario.latency.tokens_second, 0, None
        self._head(200, "text/event-stream", None, reply.headers)
        try:
            for event in reply.events:
                if cut_after is not None and event.tokens >= cut_after:
                    break
                if pace and event.tokens > sent:
                    time.sleep((event.tokens - sent) / pace)
                if self._hung_up():
                    raise ConnectionResetError
                if event.last and row is None:
                    row = desk.bill(served, status="refused" if served.drawn.finish == "refused" else "ok")
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event.data), event.data))
                sent = max(sent, event.tokens)
            else:
                self.wfile.write(b"0\r\n\r\n")
                return
        except _GONE:
            pass
        if row is None:
            thought = served.tally.reasoning
            desk.bill(served, status="cut", delivered=False, output=max(sent, thought))
        else:
            row.status, row.delivered = "cut", False
        self._break()

    def _hung_up(self) -> bool:
        """Say whether the caller closed its side."""
        try:
            ready, _, _ = select.select([self.connection], [], [], 0)
            return bool(ready) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def _break(self) -> None:
        self.close_connection = True
        try:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing: the invoice says what was served."""


def _routed(exchange: Exchange) -> Reply:
    for method, pattern, serve in _ROUTES:
        if method == exchange.method and (found := pattern.fullmatch(exchange.path)):
            reply: Reply = serve(exchange, **found.groupdict())
            return reply
    raise NotFoundError(f"Unknown request URL: {exchange.method} {exchange.path:.120}", code="unknown_url")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True
    desk: Desk
    url: str

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a broken line pass; what else goes wrong in a route is our bug and is shown."""
        import sys

        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Sandbox:
    """A provider on this machine. Use it as a context manager, or `start` and `close` it.

    Args:
        scenario: what it does; None does nothing but answer.
        host: where it listens. It has no guard: leave it on this machine.
        port: 0 for a free one.
        invoice: a file that each row of the invoice is written to.

    Raises:
        OutputError: the port is taken, or the file cannot be written.
    """

    def __init__(
        self, scenario: Scenario | None = None, *, host: str = "127.0.0.1", port: int = 0, invoice: Path | None = None
    ) -> None:
        scenario = scenario or Scenario()
        scenario.check()
        self.desk = Desk(scenario, invoice)
        try:
            self._server = _Server((host, port), _Handler)
        except OSError as error:
            self.desk.close()
            raise OutputError(
                f"cannot listen there: {error.strerror or error}", where=f"{host}:{port}", hint="another --port"
            ) from None
        name, number = self._server.server_address[:2]
        self.url = f"http://{name if isinstance(name, str) else name.decode()}:{number}"
        self._server.desk, self._server.url = self.desk, self.url
        self._thread: threading.Thread | None = None

    @property
    def invoice(self) -> Any:
        """Its invoice; see `reelwise.sandbox.invoice.Invoice`."""
        return self.desk.invoice

    def begin_month(self, used: dict[str, float | Fraction]) -> None:
        """Say what the account had used this month before: minutes or pictures, by rate card. Free units and steps begin there."""
        self.desk.begin_month({sku: Fraction(quantity) for sku, quantity in used.items()})

    def start(self) -> Self:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="reelwise-sandbox", daemon=True
        )
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve here, until `KeyboardInterrupt`."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop, and remove what was uploaded."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5.0)
        self._server.server_close()
        self.desk.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
