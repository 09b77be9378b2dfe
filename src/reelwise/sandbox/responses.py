"""OpenAI's Responses API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.asked import Asked, Piece, picture_piece, text_piece
from reelwise.sandbox.counting import family_of, text_tokens
from reelwise.sandbox.drawing import pieces
from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.exchange import Event, Events, Exchange, Reply, answered
from reelwise.sandbox.openai_chat import service_mode
from reelwise.sandbox.schemas import checked, is_strict
from reelwise.sandbox.vendors import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.sandbox.counting import Family
    from reelwise.sandbox.desk import Desk, Served
    from reelwise.sandbox.exchange import Route

__all__ = ["ROUTES"]


class _Message(Struct):
    content: str | list[dict[str, Any]]
    role: str = "user"


class _Body(Struct):
    model: str
    input: str | list[_Message]
    instructions: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    text: dict[str, Any] | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    stream: bool | None = None


def _asked(desk: Desk, body: _Body, key: str, identity: str) -> Asked:
    model = desk.prices.model(body.model)
    family = family_of(model)
    words: list[str] = []
    messages = [_Message(body.input)] if isinstance(body.input, str) else body.input
    given = [body.instructions, *(one.content for one in messages)]
    parts: list[Piece] = []
    for content in given:
        said = [{"type": "input_text", "text": content}] if isinstance(content, str) else content or []
        for part in said:
            parts.append(_piece(part, family, words))  # noqa: PERF401 - words are added to on the way
    shape = (body.text or {}).get("format")
    schema = shape.get("schema") if isinstance(shape, dict) else None
    if schema is not None:
        parts.append(text_piece(msgspec.json.encode(checked(schema, "openai", strict=is_strict(shape))).decode()))
    if not parts:
        raise BadRequestError("Missing required parameter: 'input'.")
    return Asked(
        maker="openai", model=model, named=body.model, pieces=parts, prompt="\n".join(words), question=words[-1] if words else "",
        mode=service_mode(body.service_tier), schema=schema, most=body.max_output_tokens, stream=bool(body.stream),
        variant=None if body.temperature else 0, key=key, identity=identity, cache_key=body.prompt_cache_key or "",
    )  # fmt: skip


def _piece(part: dict[str, Any], family: Family, words: list[str]) -> Piece:
    kind = part.get("type")
    if kind == "input_text":
        words.append(str(part.get("text", "")))
        return text_piece(words[-1])
    if kind == "input_image":
        data, _ = bytes_of(str(part.get("image_url", "")), "image")
        detail = str(part.get("detail") or "auto")
        return picture_piece(family, data, "" if detail == "auto" else detail)
    raise BadRequestError(f"Invalid content part: {kind!r:.40}", code="invalid_value")


def _document(served: Served, *, empty: bool = False) -> dict[str, Any]:
    asked: Asked = served.asked  # type: ignore[assignment]
    drawn, tally = served.drawn, served.tally
    if drawn.finish == "refused":
        content = [{"type": "refusal", "refusal": "I can't help with that."}]
    else:
        content = [{"type": "output_text", "text": drawn.text, "annotations": []}]  # type: ignore[dict-item]
    status = "in_progress" if empty else "incomplete" if drawn.finish == "length" else "completed"
    usage = {
        "input_tokens": tally.input,
        "input_tokens_details": {"cached_tokens": tally.cached, "cache_write_tokens": tally.write},
        "output_tokens": tally.output,
        "output_tokens_details": {"reasoning_tokens": tally.reasoning},
        "total_tokens": tally.input + tally.output,
    }
    item = {"id": f"msg_{served.id}", "type": "message", "role": "assistant", "status": "completed", "content": content}
    return {
        "id": f"resp_{served.id}",
        "object": "response",
        "created_at": int(served.at),
        "model": asked.named,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "metadata": {},
        "output": [] if empty else [item],
        "parallel_tool_calls": True,
        "service_tier": "default" if asked.mode == "standard" else asked.mode,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None if empty else usage,
    }


def _events(served: Served) -> Iterator[Event]:
    drawn = served.drawn
    head = {"item_id": f"msg_{served.id}", "output_index": 0, "content_index": 0}
    number = 0
    yield _event("response.created", {"response": _document(served, empty=True)}, number, drawn.reasoning)
    item = {"id": head["item_id"], "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    number += 1
    yield _event("response.output_item.added", {"output_index": 0, "item": item}, number, drawn.reasoning)
    number += 1
    part = {"type": "output_text", "text": "", "annotations": []}
    yield _event("response.content_part.added", {**head, "part": part}, number, drawn.reasoning)
    text = ""
    for piece in pieces(drawn.text):
        text += piece
        number += 1
        delta = {**head, "delta": piece, "logprobs": []}
        yield _event("response.output_text.delta", delta, number, drawn.reasoning + text_tokens(text))
    number += 1
    whole = {**head, "text": drawn.text, "logprobs": []}
    yield _event("response.output_text.done", whole, number, drawn.output)
    document = _document(served)
    kind = "response.incomplete" if document["status"] == "incomplete" else "response.completed"
    yield _event(kind, {"response": document}, number + 1, drawn.output, last=True)


def _event(name: str, value: dict[str, Any], number: int, tokens: int, *, last: bool = False) -> Event:
    data = msgspec.json.encode({"type": name, "sequence_number": number, **value})
    return Event(b"event: " + name.encode() + b"\ndata: " + data + b"\n\n", tokens, last)


def _respond(exchange: Exchange) -> Reply:
    desk = exchange.desk
    asked = _asked(desk, exchange.json(_Body), exchange.key, exchange.headers.get("idempotency-key", ""))
    served = desk.serve(asked)
    if asked.stream:
        return Events(served=served, events=_events(served), headers={"x-request-id": served.id})
    return answered(desk, served, _document(served), {"x-request-id": served.id}, "usage")


ROUTES: tuple[Route, ...] = (("POST", r"/v1/responses", _respond),)
