"""OpenAI's chat completions: what is asked, and what is answered."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.asked import Asked, Piece, clip_piece, picture_piece, sound_piece, text_piece
from reelwise.sandbox.counting import family_of, text_tokens
from reelwise.sandbox.drawing import pieces
from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.exchange import Event, Events, Exchange, Reply, answered
from reelwise.sandbox.schemas import checked, is_strict
from reelwise.sandbox.vendors import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.sandbox.counting import Family
    from reelwise.sandbox.desk import Desk, Served
    from reelwise.sandbox.exchange import Route
    from reelwise.sandbox.prices import Tally

__all__ = ["ROUTES", "asked_of", "completion", "service_mode"]

TIERS = {
    None: "standard",
    "auto": "standard",
    "default": "standard",
    "flex": "flex",
    "priority": "priority",
    "fast": "fast",
}
_DETAILS = {"", "auto", "low", "high", "original"}


class _Message(Struct):
    role: str
    content: str | list[dict[str, Any]] | None = None


class _StreamOptions(Struct):
    include_usage: bool = False


class ChatBody(Struct):
    """The body of a request; fields that bear on neither answer nor bill are left alone."""

    model: str
    messages: list[_Message]
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    n: int | None = None
    logprobs: bool | None = None
    response_format: dict[str, Any] | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None


def service_mode(tier: str | None) -> str:
    """Read the tier that is asked for.

    Raises:
        BadRequestError: there is none of that name.
    """
    if tier not in TIERS:
        raise BadRequestError(f"Invalid service_tier argument: {tier!r:.40}", code="invalid_value")
    return TIERS[tier]


def asked_of(desk: Desk, body: ChatBody, *, key: str, identity: str, batch: bool = False) -> Asked:
    """Understand a request.

    Raises:
        RefusalError: something in it cannot be.
    """
    model = desk.prices.model(body.model)
    if not body.messages:
        raise BadRequestError("messages: expected at least one", code="invalid_value")
    if (body.n or 1) != 1:
        raise BadRequestError("the sandbox answers once: n must be 1", code="invalid_value")
    family = family_of(model)
    parts: list[Piece] = []
    words: list[str] = []
    for message in body.messages:
        content = message.content or ""
        said = [{"type": "text", "text": content}] if isinstance(content, str) else content
        parts.extend(_piece(part, family, words) for part in said)
    most = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    if most is not None and most < 1:
        raise BadRequestError("max_completion_tokens must be 1 or more", code="invalid_value")
    shape = (body.response_format or {}).get("json_schema")
    schema = shape.get("schema") if isinstance(shape, dict) else None
    if schema is None and (body.response_format or {}).get("type") == "json_object":
        schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    if schema is not None:
        parts.append(text_piece(msgspec.json.encode(checked(schema, "openai", strict=is_strict(shape))).decode()))
    return Asked(
        maker="openai", model=model, named=body.model, pieces=parts, prompt="\n".join(words), question=words[-1] if words else "",
        mode="batch" if batch else service_mode(body.service_tier), schema=schema, most=most, stream=bool(body.stream),
        logprobs=bool(body.logprobs), variant=_variant(body.seed, body.temperature), key=key, identity=identity,
        batch=batch, cache_key=body.prompt_cache_key or "",
    )  # fmt: skip


def _variant(seed: int | None, temperature: float | None) -> int | None:
    return seed if seed is not None else (None if temperature else 0)


def _piece(part: dict[str, Any], family: Family, words: list[str]) -> Piece:
    kind = part.get("type")
    if kind == "text":
        words.append(str(part.get("text", "")))
        return text_piece(words[-1])
    inner = part.get(str(kind))
    if not isinstance(inner, dict):
        raise BadRequestError(f"Invalid content part: {kind!r:.40}", code="invalid_value")
    if kind == "image_url":
        data, _ = bytes_of(str(inner.get("url", "")), "image")
        detail = str(inner.get("detail") or "")
        if detail not in _DETAILS:
            raise BadRequestError(f"Invalid detail: {detail!r:.20}", code="invalid_value")
        return picture_piece(family, data, "" if detail == "auto" else detail)
    if kind == "video_url":
        data, _ = bytes_of(str(inner.get("url", "")), "video")
        return clip_piece(family, data, fps=None, start=None, stop=None, detail="")
    if kind == "input_audio":
        try:
            return sound_piece(family, base64.b64decode(str(inner.get("data", "")), validate=True))
        except ValueError:  # no base64, or not even ASCII
            raise BadRequestError("the audio is no base64", code="invalid_base64") from None
    raise BadRequestError(f"Invalid content part: {kind!r:.40}", code="invalid_value")


def usage(tally: Tally) -> dict[str, Any]:
    """Write what was used."""
    details = {"cached_tokens": tally.cached, "audio_tokens": tally.audio}
    if tally.write:
        details["cache_write_tokens"] = tally.write
    return {
        "prompt_tokens": tally.input,
        "completion_tokens": tally.output,
        "total_tokens": tally.input + tally.output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": tally.reasoning, "audio_tokens": 0},
    }


_TIER_NAMES = {"standard": "default", "batch": "default"}


def completion(served: Served) -> dict[str, Any]:
    """Write an answer."""
    asked: Asked = served.asked  # type: ignore[assignment]
    drawn = served.drawn
    refused = drawn.finish == "refused"
    return {
        "id": f"chatcmpl-{served.id}",
        "object": "chat.completion",
        "created": int(served.at),
        "model": asked.named,
        "service_tier": _TIER_NAMES.get(asked.mode, asked.mode),
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None if refused else drawn.text,
                    "refusal": "I can't help with that." if refused else None,
                    "annotations": [],
                },
                "finish_reason": "content_filter" if refused else drawn.finish,
                "logprobs": _logprobs(served) if asked.logprobs else None,
            }
        ],
        "usage": usage(served.tally),
    }


def _logprobs(served: Served) -> dict[str, Any]:
    value = math.log(max(served.drawn.confidence, 1e-6))
    return {
        "content": [
            {"token": t, "logprob": value, "bytes": list(t.encode()), "top_logprobs": []}
            for t in pieces(served.drawn.text)
        ],
        "refusal": None,
    }


def _events(served: Served, *, with_usage: bool) -> Iterator[Event]:
    asked: Asked = served.asked  # type: ignore[assignment]
    drawn = served.drawn
    head = {
        "id": f"chatcmpl-{served.id}",
        "object": "chat.completion.chunk",
        "created": int(served.at),
        "model": asked.named,
        "service_tier": _TIER_NAMES.get(asked.mode, asked.mode),
    }
    value = math.log(max(drawn.confidence, 1e-6))
    tokens, text = drawn.reasoning, ""
    yield _event({**head, "choices": [_choice({"role": "assistant", "content": ""})]}, tokens)
    for piece in pieces(drawn.text):
        text += piece
        tokens = drawn.reasoning + text_tokens(text)
        logprobs: dict[str, Any] = {
            "content": [{"token": piece, "logprob": value, "bytes": None, "top_logprobs": []}],
            "refusal": None,
        }
        choice = _choice({"content": piece}) | ({"logprobs": logprobs} if asked.logprobs else {})
        yield _event({**head, "choices": [choice]}, tokens)
    finish = "content_filter" if drawn.finish == "refused" else drawn.finish
    yield _event({**head, "choices": [_choice({}, finish)]}, drawn.output, last=not with_usage)
    if with_usage:
        yield _event({**head, "choices": [], "usage": usage(served.tally)}, drawn.output, last=True)
    yield Event(b"data: [DONE]\n\n", drawn.output, last=True)


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(value: dict[str, Any], tokens: int, *, last: bool = False) -> Event:
    return Event(b"data: " + msgspec.json.encode(value) + b"\n\n", tokens, last)


def _chat(exchange: Exchange) -> Reply:
    desk = exchange.desk
    body = exchange.json(ChatBody)
    asked = asked_of(desk, body, key=exchange.key, identity=exchange.headers.get("idempotency-key", ""))
    served = desk.serve(asked)
    if not asked.stream:
        return answered(desk, served, completion(served), {"x-request-id": served.id}, "usage")
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    return Events(served=served, events=_events(served, with_usage=with_usage), headers={"x-request-id": served.id})


ROUTES: tuple[Route, ...] = (("POST", r"/v1/chat/completions", _chat),)
