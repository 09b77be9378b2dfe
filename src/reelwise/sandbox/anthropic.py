"""Anthropic's messages, streams and count_tokens."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.asked import Asked, Piece, picture_piece, text_piece
from reelwise.sandbox.counting import family_of, text_tokens
from reelwise.sandbox.drawing import pieces
from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.exchange import Event, Events, Exchange, Reply, answered, document
from reelwise.sandbox.schemas import checked
from reelwise.sandbox.vendors import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.sandbox.counting import Family
    from reelwise.sandbox.desk import Desk, Served
    from reelwise.sandbox.exchange import Document, Route
    from reelwise.sandbox.prices import Tally

__all__ = ["ROUTES", "MessageBody", "asked_of", "message"]

_GROUP = 4
_TTL = {"5m": 300.0, "1h": 3600.0}
_MARKS_MAX = 4


class _Message(Struct):
    role: str
    content: str | list[dict[str, Any]]


class MessageBody(Struct):
    """The body of a request."""

    model: str
    messages: list[_Message]
    max_tokens: int
    system: str | list[dict[str, Any]] = ""
    temperature: float | None = None
    stream: bool = False
    service_tier: str | None = None
    speed: str | None = None
    output_config: dict[str, Any] | None = None


class _CountBody(Struct):
    model: str
    messages: list[_Message]
    system: str | list[dict[str, Any]] = ""
    output_config: dict[str, Any] | None = None


def asked_of(desk: Desk, body: MessageBody, *, key: str, identity: str = "", batch: bool = False) -> Asked:
    """Understand a request.

    Raises:
        RefusalError: something in it cannot be.
    """
    model = desk.prices.model(body.model)
    if body.max_tokens < 1:
        raise BadRequestError("max_tokens: must be greater than or equal to 1")
    if not body.messages:
        raise BadRequestError("messages: at least one message is required")
    family = family_of(model)
    words: list[str] = []
    parts = [
        _piece(part, family, words)
        for content in (body.system, *(one.content for one in body.messages))
        for part in ([{"type": "text", "text": content}] if isinstance(content, str) else content)
        if content
    ]
    if sum(1 for piece in parts if piece.mark) > _MARKS_MAX:
        raise BadRequestError(f"A maximum of {_MARKS_MAX} blocks with cache_control may be provided.")
    shape = (body.output_config or {}).get("format")
    schema = shape.get("schema") if isinstance(shape, dict) else None
    if schema is not None:
        parts.append(text_piece(msgspec.json.encode(checked(schema, "anthropic", strict=True)).decode()))
    mode = "batch" if batch else "fast" if body.speed == "fast" else "standard"
    return Asked(
        maker="anthropic", model=model, named=body.model, pieces=parts, prompt="\n".join(words), question=words[-1] if words else "", mode=mode,
        schema=schema, most=body.max_tokens, stream=body.stream, variant=None if body.temperature else 0, key=key,
        identity=identity, batch=batch,
    )  # fmt: skip


def _piece(part: dict[str, Any], family: Family, words: list[str]) -> Piece:
    control = part.get("cache_control")
    mark = 0.0
    if isinstance(control, dict):
        mark = _TTL.get(str(control.get("ttl", "5m")), 0.0)
        if not mark:
            raise BadRequestError("cache_control.ttl: must be 5m or 1h")
    kind = part.get("type")
    if kind == "text":
        words.append(str(part.get("text", "")))
        return text_piece(words[-1], mark)
    source = part.get("source")
    if kind != "image" or not isinstance(source, dict):
        raise BadRequestError(f"content: {kind!r:.40} is not supported")
    if source.get("type") != "base64":
        data, _ = bytes_of(str(source.get("url", "")), "image")
        return picture_piece(family, data, "", mark)
    try:
        data = base64.b64decode(str(source.get("data", "")), validate=True)
    except ValueError:  # no base64, or not even ASCII
        raise BadRequestError("image.source.base64.data: invalid base64 data") from None
    return picture_piece(family, data, "", mark)


def usage(asked: Asked, tally: Tally, output: int | None = None) -> dict[str, Any]:
    """Write what was used."""
    return {
        "input_tokens": tally.fresh,
        "output_tokens": tally.output if output is None else output,
        "cache_creation_input_tokens": tally.write + tally.write_1h,
        "cache_read_input_tokens": tally.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": tally.write, "ephemeral_1h_input_tokens": tally.write_1h},
        "service_tier": "batch" if asked.batch else "standard",
        **({"speed": "fast"} if asked.mode == "fast" else {}),
    }


def message(served: Served, *, empty: bool = False) -> dict[str, Any]:
    """Write an answer, or the head of a stream."""
    asked: Asked = served.asked  # type: ignore[assignment]
    drawn = served.drawn
    reason = {"stop": "end_turn", "length": "max_tokens", "refused": "refusal"}[drawn.finish]
    return {
        "id": f"msg_{served.id}",
        "type": "message",
        "role": "assistant",
        "model": asked.named,
        "content": [] if empty or drawn.finish == "refused" else [{"type": "text", "text": drawn.text}],
        "stop_reason": None if empty else reason,
        "stop_sequence": None,
        "usage": usage(asked, served.tally, 1 if empty else None),
    }


def _events(served: Served) -> Iterator[Event]:
    drawn = served.drawn
    asked: Asked = served.asked  # type: ignore[assignment]
    yield _event("message_start", {"message": message(served, empty=True)}, drawn.reasoning)
    block = {"type": "text", "text": ""}
    yield _event("content_block_start", {"index": 0, "content_block": block}, drawn.reasoning)
    text, group = "", ""
    parts = list(pieces(drawn.text))
    for at, piece in enumerate(parts, 1):
        group += piece
        if at % _GROUP == 0 or at == len(parts):
            text += group
            delta = {"type": "text_delta", "text": group}
            yield _event("content_block_delta", {"index": 0, "delta": delta}, drawn.reasoning + text_tokens(text))
            group = ""
    yield _event("content_block_stop", {"index": 0}, drawn.output)
    reason = message(served)["stop_reason"]
    end = {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage(asked, served.tally)}
    yield _event("message_delta", end, drawn.output, last=True)
    yield _event("message_stop", {}, drawn.output, last=True)


def _event(name: str, value: dict[str, Any], tokens: int, *, last: bool = False) -> Event:
    data = msgspec.json.encode({"type": name, **value})
    return Event(b"event: " + name.encode() + b"\ndata: " + data + b"\n\n", tokens, last)


def _messages(exchange: Exchange) -> Reply:
    desk = exchange.desk
    identity = exchange.headers.get("idempotency-key", "")
    asked = asked_of(desk, exchange.json(MessageBody), key=exchange.key, identity=identity)
    served = desk.serve(asked)
    headers = {"request-id": f"req_{served.id}"}
    if asked.stream:
        return Events(served=served, events=_events(served), headers=headers)
    return answered(desk, served, message(served), headers, "usage")


def _count(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    given = exchange.json(_CountBody)
    body = MessageBody(given.model, given.messages, 1, given.system, output_config=given.output_config)
    asked = asked_of(desk, body, key=exchange.key)
    return document({"input_tokens": sum(piece.tokens for piece in asked.pieces)})


ROUTES: tuple[Route, ...] = (
    ("POST", r"/v1/messages", _messages),
    ("POST", r"/v1/messages/count_tokens", _count),
)
