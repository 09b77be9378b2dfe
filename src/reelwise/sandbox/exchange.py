"""One HTTP request, as routes see it, and what they answer with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from reelwise.sandbox.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from reelwise.sandbox.desk import Desk, Served

__all__ = [
    "UNDELIVERED",
    "Document",
    "Drop",
    "Event",
    "Events",
    "Exchange",
    "FileOut",
    "Reply",
    "Route",
    "spoilt",
    "whole",
    "without",
]

T = TypeVar("T")
UNDELIVERED = frozenset({"lost_reply", "504", "bad_json", "no_usage", "cut_stream"})
"""Faults after which the caller cannot know what it cost."""
_MEMORY_MAX = 128 * 1024 * 1024
_FILE_MAX = 20 * 1024 * 1024 * 1024
_PIECE = 1 << 18


class Document(Struct, kw_only=True):
    """An answer in one piece.

    Attributes:
        body: its bytes.
        status: HTTP.
        headers: besides length and type.
        mime: its media type.
        slow_seconds: the time over which it trickles out.
        cut: bytes after which the line breaks; None for never.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = {}
    mime: str = "application/json"
    slow_seconds: float = 0.0
    cut: int | None = None


class FileOut(Struct, kw_only=True):
    """An answer that is a stretch of a file."""

    path: Any
    size: int
    offset: int = 0
    mime: str = "application/octet-stream"


class Drop(Struct):
    """No answer: the line breaks."""


class Event(Struct):
    """A piece of a stream.

    Attributes:
        data: its bytes.
        tokens: output tokens written when it is out.
        last: it says what was used: the call is billed before it.
    """

    data: bytes
    tokens: int = 0
    last: bool = False


class Events(Struct, kw_only=True):
    """An answer bit by bit."""

    served: Any
    events: Any
    headers: dict[str, str] = {}


Reply: TypeAlias = Document | FileOut | Drop | Events
Route: TypeAlias = "tuple[str, str, Callable[..., Reply]]"


class Exchange:
    """A request under way.

    Attributes:
        desk: the sandbox's state.
        method, path, query, headers: of the request; names of headers in lower case.
        url: the sandbox's own address.
        key: the caller's, in whichever place its vendor wants it.
    """

    def __init__(
        self, desk: Desk, line: tuple[str, str], headers: Mapping[str, str], source: BinaryIO, url: str
    ) -> None:
        method, target = line
        parts = urlsplit(target)
        self.desk, self.method, self.path, self.url = desk, method, parts.path, url
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.headers = {name.lower(): value for name, value in headers.items()}
        self._source = source
        self._read = False
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ").strip()
        self.key = (
            self.headers.get("x-api-key") or self.headers.get("x-goog-api-key") or self.query.get("key") or bearer
        )

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it comes, once.

        Raises:
            BadRequestError: it ended early.
        """
        if self._read:
            return
        self._read = True
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            yield from self._chunked()
            return
        left = whole(self.headers.get("content-length") or "0", "content-length")
        while left > 0:
            data = self._source.read(min(_PIECE, left))
            if not data:
                raise BadRequestError("the body ended early")
            left -= len(data)
            yield data

    def _chunked(self) -> Iterator[bytes]:
        while True:
            line = self._source.readline(1024).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,12}", line):
                raise BadRequestError("the body's chunks are broken")
            size = int(line, 16)
            data = self._source.read(size)
            if len(data) < size:
                raise BadRequestError("the body ended early")
            self._source.readline(1024)
            if not size:
                return
            yield data

    def body(self, limit: int = _MEMORY_MAX) -> bytes:
        """Read the body into memory.

        Raises:
            BadRequestError: larger than `limit`.
        """
        parts, size = [], 0
        for chunk in self.chunks():
            size += len(chunk)
            if size <= limit:
                parts.append(chunk)
        if size > limit:
            error = BadRequestError("the request is too large: upload the file", code="request_too_large")
            error.status = 413
            raise error
        return b"".join(parts)

    def spool(self, path: Path) -> int:
        """Write the body to a file, piece by piece, and return its bytes."""
        size = 0
        with path.open("wb") as file:
            for chunk in self.chunks():
                size += len(chunk)
                if size > _FILE_MAX:
                    raise BadRequestError("the file is too large")
                file.write(chunk)
        return size

    def json(self, kind: type[T]) -> T:
        """Read the body as a JSON document of some kind.

        Raises:
            BadRequestError: no JSON, or not that kind; it says where.
        """
        return read_json(self.body(), kind)


def whole(text: str, name: str) -> int:
    """Read a number of a header or a query.

    Raises:
        BadRequestError: it is none.
    """
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise BadRequestError(f"{name}: {text!r:.40} is no number")
    return int(text)


def read_json(data: bytes, kind: type[T]) -> T:
    """Decode a document; see `Exchange.json`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequestError(f"Invalid request: {error}", code="invalid_value") from None
    except msgspec.DecodeError as error:
        raise BadRequestError(f"We could not parse the JSON body of your request: {error!s:.100}") from None


def document(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Document:
    """Make an answer of a value."""
    return Document(body=msgspec.json.encode(value), status=status, headers=headers or {})


def answered(desk: Desk, served: Served, value: dict[str, Any], headers: dict[str, str], usage: str) -> Reply:
    """Bill a call and answer it in one piece, unless the scenario wants something to go wrong.

    Args:
        desk: the sandbox's state.
        served: the call.
        value: the answer.
        headers: of the answer.
        usage: the field that says what was used.
    """
    fault = served.fault
    if fault == "lost_request":
        return Drop()
    desk.wait(served)
    latency = desk.scenario.latency
    pace = 0.0 if latency.streams_only else latency.tokens_second
    if pace:
        import time

        time.sleep(served.tally.output / pace)
    if fault in UNDELIVERED:
        desk.bill(served, delivered=False)
    else:
        desk.bill(served, status="refused" if served.drawn.finish == "refused" else "ok")
    found = document(without(value, usage) if fault == "no_usage" else value, headers=headers)
    if fault != "504":
        desk.remember(served, found)
    return spoilt(fault, found)


def without(value: dict[str, Any], field: str) -> dict[str, Any]:
    """Return a document without one of its fields."""
    return {name: inner for name, inner in value.items() if name != field}


def spoilt(fault: str | None, found: Document) -> Reply:
    """Let go wrong with an answer that is billed what the scenario wants; None for nothing."""
    if fault == "lost_reply":
        return Drop()
    if fault == "504":
        return document({"error": {"message": "upstream timed out"}}, status=504)
    if fault == "bad_json":
        found.body = found.body[: len(found.body) // 2]
    if fault == "cut_stream":
        found.cut = len(found.body) // 2
    if fault == "slow":
        found.slow_seconds = 0.5
    return found
