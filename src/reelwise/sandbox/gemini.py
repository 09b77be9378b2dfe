"""Gemini's generateContent, streams, countTokens and explicit caches."""

from __future__ import annotations

import base64
import math
import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.asked import Asked, Piece, clip_piece, picture_piece, sound_piece, text_piece
from reelwise.sandbox.counting import family_of, text_tokens
from reelwise.sandbox.drawing import pieces
from reelwise.sandbox.errors import BadRequestError, GoneError
from reelwise.sandbox.exchange import Event, Events, Exchange, Reply, answered, document
from reelwise.sandbox.prices import Tally
from reelwise.sandbox.schemas import checked
from reelwise.sandbox.vendors import read_google

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reelwise.sandbox.counting import Family
    from reelwise.sandbox.desk import Desk, Served
    from reelwise.sandbox.exchange import Document, Route

__all__ = ["ROUTES", "Cache", "Config", "Content", "GenerateBody", "asked_of", "cache_of", "generated", "seconds_of"]

_LEVELS = {
    "": "",
    "MEDIA_RESOLUTION_UNSPECIFIED": "",
    "MEDIA_RESOLUTION_LOW": "low",
    "MEDIA_RESOLUTION_MEDIUM": "medium",
    "MEDIA_RESOLUTION_HIGH": "high",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "ultra_high",
}
_GROUP = 8
_URL_SAFE = str.maketrans("-_", "+/")


class _Blob(Struct, rename="camel"):
    data: str
    mime_type: str = ""


class _File(Struct, rename="camel"):
    file_uri: str
    mime_type: str = ""


class _VideoMetadata(Struct, rename="camel"):
    fps: float | None = None
    start_offset: str | None = None
    end_offset: str | None = None


class _Part(Struct, rename="camel"):
    text: str | None = None
    inline_data: _Blob | None = None
    file_data: _File | None = None
    video_metadata: _VideoMetadata | None = None
    media_resolution: Any = None


class Content(Struct):
    """Parts that one side says."""

    parts: list[_Part] = []
    role: str | None = None


class Config(Struct, rename="camel"):
    """How it answers."""

    max_output_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None
    media_resolution: str | None = None


class GenerateBody(Struct, rename="camel"):
    """The body of a request."""

    contents: list[Content] = []
    system_instruction: Content | None = None
    generation_config: Config = msgspec.field(default_factory=Config)
    cached_content: str | None = None
    service_tier: str | None = None


class Cache(Struct, kw_only=True):
    """An explicit cache."""

    name: str
    model: str
    pieces: list[Piece]
    prompt: str
    tokens: int
    created: float
    expires: float
    display: str = ""


def cache_of(desk: Desk, name: str) -> Cache:
    """Find a cache that lives.

    Raises:
        RefusalError: none of that name, or it expired.
    """
    cache: Cache = desk.store.get(name)
    if desk.clock.now() >= cache.expires:
        raise GoneError(f"CachedContent not found (or permission denied): {name:.60}")
    return cache


def asked_of(desk: Desk, name: str, body: GenerateBody, *, key: str, identity: str = "", batch: bool = False) -> Asked:
    """Understand a request.

    Raises:
        RefusalError: something in it cannot be.
    """
    model = desk.prices.model(name)
    family, config = family_of(model), body.generation_config
    level = _level(config.media_resolution)
    words: list[str] = []
    parts = [
        _piece(desk, part, family, level, words)
        for content in ([body.system_instruction] if body.system_instruction else []) + body.contents
        for part in content.parts
    ]
    if not body.contents:
        raise BadRequestError("contents is not specified")
    kept: list[Piece] = []
    if body.cached_content:
        cache = cache_of(desk, body.cached_content)
        if desk.prices.model(cache.model) != model:
            raise BadRequestError("Model used by GenerateContent request and CachedContent has to be the same.")
        kept, words = cache.pieces, [cache.prompt, *words]
    schema = config.response_json_schema or config.response_schema
    if schema is not None:
        checked(schema, "google")
    tier = (body.service_tier or "standard").lower().removeprefix("service_tier_")
    if tier not in {"standard", "unspecified", "flex", "priority"}:
        raise BadRequestError(f"service_tier: {tier!r:.40}")
    mode = "batch" if batch else {"unspecified": "standard"}.get(tier, tier)
    variant = config.seed if config.seed is not None else (None if config.temperature else 0)
    return Asked(
        maker="google", model=model, named=model, pieces=parts, prompt="\n".join(words), question=words[-1] if words else "", mode=mode, schema=schema,
        most=config.max_output_tokens, kept=kept, variant=variant, key=key, identity=identity, batch=batch,
    )  # fmt: skip


def _level(named: Any) -> str:
    named = named.get("level") if isinstance(named, dict) else named
    if (named or "") not in _LEVELS:
        raise BadRequestError(f"Invalid media resolution: {named!r:.40}")
    return _LEVELS[named or ""]


def _piece(desk: Desk, part: _Part, family: Family, level: str, words: list[str]) -> Piece:
    if part.text is not None:
        words.append(part.text)
        return text_piece(part.text)
    data, mime = _data(desk, part)
    level = _level(part.media_resolution) or level
    if mime.startswith("image/"):
        return picture_piece(family, data if isinstance(data, bytes) else data.read_bytes(), level)
    if mime.startswith("audio/"):
        return sound_piece(family, data)
    if mime.startswith("video/"):
        meta = part.video_metadata or _VideoMetadata()
        return clip_piece(
            family,
            data,
            fps=meta.fps,
            start=seconds_of(meta.start_offset),
            stop=seconds_of(meta.end_offset),
            detail=level,
        )
    raise BadRequestError(f"Unsupported MIME type: {mime!r:.60}")


def _data(desk: Desk, part: _Part) -> tuple[bytes | Path, str]:
    if part.inline_data is not None:
        try:
            plain = part.inline_data.data.translate(_URL_SAFE)  # Google takes both alphabets
            return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True), part.inline_data.mime_type
        except ValueError:  # no base64, or not even ASCII
            raise BadRequestError("Base64 decoding failed") from None
    if part.file_data is None:
        raise BadRequestError("contents.parts must not be empty.")
    found = re.search(r"files/[a-z0-9-]+", part.file_data.file_uri)
    if found is None:
        raise BadRequestError("the sandbox fetches nothing: upload the file")
    stored = desk.store.file(found[0])
    return stored.path, part.file_data.mime_type or stored.mime


def seconds_of(text: str | None) -> float | None:
    """Read a duration: "12.5s".

    Raises:
        BadRequestError: that is none.
    """
    if text is None:
        return None
    if not re.fullmatch(r"\d+(\.\d+)?s", text):
        raise BadRequestError(f"Illegal duration: {text!r:.40}")
    return float(text[:-1])


def usage(asked: Asked, tally: Tally, output: int | None = None) -> dict[str, Any]:
    """Write what was used, so far or in all."""
    written = tally.output if output is None else output
    kinds: dict[str, int] = {}
    cached: dict[str, int] = {}
    for piece in asked.kept:
        cached[piece.kind] = cached.get(piece.kind, 0) + piece.tokens
        cached["audio"] = cached.get("audio", 0) + piece.sound
    for name in ("text", "image", "video", "audio"):
        kinds[name] = getattr(tally, name) + cached.get(name, 0)
    if not asked.kept and tally.cached:  # an implicit cache: its parts by kind are not told apart but for sound
        cached = {"text": tally.cached - tally.audio_cached, "audio": tally.audio_cached}
        kinds["audio"] += tally.audio_cached
        kinds["text"] += tally.cached - tally.audio_cached
    found: dict[str, Any] = {
        "promptTokenCount": tally.input,
        "totalTokenCount": tally.input + written,
        "promptTokensDetails": _modalities(kinds),
    }
    if written - tally.reasoning > 0:
        found["candidatesTokenCount"] = written - tally.reasoning
    if tally.reasoning:
        found["thoughtsTokenCount"] = tally.reasoning
    if tally.cached:
        found["cachedContentTokenCount"] = tally.cached
        found["cacheTokensDetails"] = _modalities(cached)
    return found


def _modalities(kinds: dict[str, int]) -> list[dict[str, Any]]:
    return [{"modality": name.upper(), "tokenCount": count} for name, count in kinds.items() if count]


def generated(served: Served) -> dict[str, Any]:
    """Write an answer."""
    asked: Asked = served.asked  # type: ignore[assignment]
    head = {"modelVersion": asked.named, "responseId": served.id, "usageMetadata": usage(asked, served.tally)}
    if served.drawn.finish == "refused":
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **head}
    return {"candidates": [_candidate(served, served.drawn.text, last=True)], **head}


def _candidate(served: Served, text: str, *, last: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if last:
        found["finishReason"] = "MAX_TOKENS" if served.drawn.finish == "length" else "STOP"
        found["avgLogprobs"] = math.log(max(served.drawn.confidence, 1e-6))
    return found


def _events(served: Served) -> Iterator[Event]:
    asked: Asked = served.asked  # type: ignore[assignment]
    head = {"modelVersion": asked.named, "responseId": served.id}
    if served.drawn.finish == "refused":
        yield _event(generated(served), served.drawn.output, last=True)
        return
    text, group = "", ""
    for at, piece in enumerate(pieces(served.drawn.text), 1):
        group += piece
        if at % _GROUP == 0:
            text, tokens = text + group, served.drawn.reasoning + text_tokens(text + group)
            so_far = usage(asked, served.tally, tokens)
            yield _event(
                {"candidates": [_candidate(served, group, last=False)], "usageMetadata": so_far, **head}, tokens
            )
            group = ""
    whole = usage(asked, served.tally)
    yield _event(
        {"candidates": [_candidate(served, group, last=True)], "usageMetadata": whole, **head},
        served.drawn.output,
        last=True,
    )


def _event(value: dict[str, Any], tokens: int, *, last: bool = False) -> Event:
    return Event(b"data: " + msgspec.json.encode(value) + b"\r\n\r\n", tokens, last)


def _generate(exchange: Exchange, model: str) -> Reply:
    desk = exchange.desk
    identity = exchange.headers.get("idempotency-key", "")
    served = desk.serve(
        asked_of(desk, model, read_google(exchange.body(), GenerateBody), key=exchange.key, identity=identity)
    )
    return answered(desk, served, generated(served), _tier(served), "usageMetadata")


def _stream(exchange: Exchange, model: str) -> Reply:
    desk = exchange.desk
    identity = exchange.headers.get("idempotency-key", "")
    asked = asked_of(desk, model, read_google(exchange.body(), GenerateBody), key=exchange.key, identity=identity)
    asked.stream = True
    served = desk.serve(asked)
    return Events(served=served, events=_events(served), headers=_tier(served))


def _tier(served: Served) -> dict[str, str]:
    asked: Asked = served.asked  # type: ignore[assignment]
    return {"x-gemini-service-tier": asked.mode}


class _CountBody(Struct, rename="camel"):
    contents: list[Content] = []
    generate_content_request: GenerateBody | None = None


def _count(exchange: Exchange, model: str) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    body = read_google(exchange.body(), _CountBody)
    asked = asked_of(
        desk, model, body.generate_content_request or GenerateBody(contents=body.contents), key=exchange.key
    )
    tally = Tally()
    for piece in (*asked.kept, *asked.pieces):
        setattr(tally, piece.kind, getattr(tally, piece.kind) + piece.tokens)
        tally.audio += piece.sound
    found = usage(msgspec.structs.replace(asked, kept=[]), tally)
    return document({"totalTokens": tally.input, "promptTokensDetails": found["promptTokensDetails"]})


ROUTES: tuple[Route, ...] = (
    ("POST", r"/v1(?:beta|alpha)?/models/(?P<model>[^/:]+):generateContent", _generate),
    ("POST", r"/v1(?:beta|alpha)?/models/(?P<model>[^/:]+):streamGenerateContent", _stream),
    ("POST", r"/v1(?:beta|alpha)?/models/(?P<model>[^/:]+):countTokens", _count),
)
