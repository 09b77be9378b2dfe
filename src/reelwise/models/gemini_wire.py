"""The shapes of Gemini's generateContent: what a request and an answer look like."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from reelwise.errors import InputError
from reelwise.models.body import Inliner
from reelwise.models.work import Clip, Picture, Sound, Text, Work

__all__ = ["Content", "GenerateReply", "GenerateRequest", "generate_request"]

_LEVELS = {
    "low": "MEDIA_RESOLUTION_LOW",
    "medium": "MEDIA_RESOLUTION_MEDIUM",
    "high": "MEDIA_RESOLUTION_HIGH",
    "ultra_high": "MEDIA_RESOLUTION_ULTRA_HIGH",
}


class _Blob(Struct, rename="camel"):
    mime_type: str
    data: str


class _File(Struct, rename="camel"):
    file_uri: str
    mime_type: str | UnsetType = UNSET


class _VideoMetadata(Struct, rename="camel"):
    fps: float | UnsetType = UNSET
    start_offset: str | UnsetType = UNSET
    end_offset: str | UnsetType = UNSET


class _Level(Struct):
    level: str


class PartOut(Struct, rename="camel"):
    """A part of a request."""

    text: str | UnsetType = UNSET
    inline_data: _Blob | UnsetType = UNSET
    file_data: _File | UnsetType = UNSET
    video_metadata: _VideoMetadata | UnsetType = UNSET
    media_resolution: _Level | UnsetType = UNSET


class Content(Struct):
    """Parts that one side says."""

    parts: list[PartOut]
    role: str | UnsetType = UNSET


class _Config(Struct, rename="camel", omit_defaults=True):
    max_output_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    response_mime_type: str | None = None
    response_json_schema: Any = None
    response_logprobs: bool | None = None
    media_resolution: str | None = None


class GenerateRequest(Struct, rename="camel", kw_only=True):
    """The body of a request."""

    system_instruction: Content | UnsetType = UNSET  # what repeats goes first, in the bytes too
    contents: list[Content]
    generation_config: _Config | UnsetType = UNSET
    cached_content: str | UnsetType = UNSET
    service_tier: str | UnsetType = UNSET


class _PartIn(Struct):
    text: str | None = None
    thought: bool = False


class _ContentIn(Struct):
    parts: list[_PartIn] = []


class _Candidate(Struct, rename="camel"):
    content: _ContentIn = msgspec.field(default_factory=_ContentIn)
    finish_reason: str | None = None
    avg_logprobs: float | None = None


class _Feedback(Struct, rename="camel"):
    block_reason: str | None = None


class GenerateReply(Struct, rename="camel"):
    """The part of an answer that is needed."""

    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None
    usage_metadata: dict[str, Any] | None = None
    model_version: str | None = None
    response_id: str | None = None


def generate_request(work: Work, *, name: str) -> tuple[GenerateRequest, Inliner]:
    """Make the body of a request; the bytes of pictures and clips are stood in for.

    Raises:
        InputError: something that Gemini cannot be sent.
    """
    work.check()
    inliner = Inliner()
    levels = {part.detail for part in work.parts if isinstance(part, (Picture, Clip))}
    one = levels.pop() if len(levels) == 1 else ""
    shared = one if one in {"low", "medium", "high"} else ""
    parts = [_part(part, inliner, name, shared=bool(shared)) for part in work.parts]
    schema = msgspec.json.decode(work.schema) if work.schema else None
    config = _Config(
        max_output_tokens=work.tokens_output,
        temperature=work.temperature,
        seed=work.seed,
        response_mime_type="application/json" if work.schema else None,
        response_json_schema=schema,
        response_logprobs=work.confidence or None,
        media_resolution=_LEVELS[shared] if shared else None,
    )
    request = GenerateRequest(contents=[Content(parts=parts, role="user")])
    if msgspec.to_builtins(config):
        request.generation_config = config
    if work.system:
        request.system_instruction = Content(parts=[PartOut(text=work.system)])
    if work.cache:
        request.cached_content = work.cache
    if work.mode == "fast":
        raise InputError("has no mode fast", where=name, hint="standard, flex or priority")
    if work.mode in {"flex", "priority"}:
        request.service_tier = work.mode
    return request, inliner


def _part(part: Any, inliner: Inliner, name: str, *, shared: bool) -> PartOut:
    if isinstance(part, Text):
        return PartOut(text=part.text)
    source = part.source
    out = PartOut()
    if source.uri:
        out.file_data = _File(file_uri=source.uri, mime_type=source.mime or UNSET)
    else:
        out.inline_data = _Blob(mime_type=source.mime, data=inliner.base64(source))
    if isinstance(part, Sound):
        return out
    if part.detail and not shared:
        if part.detail not in _LEVELS:
            raise InputError(f"no media resolution {part.detail!r}", where=name, hint=", ".join(_LEVELS))
        out.media_resolution = _Level(level=_LEVELS[part.detail])
    if isinstance(part, Clip):
        out.video_metadata = _metadata(part)
    return out


def _metadata(clip: Clip) -> _VideoMetadata | UnsetType:
    found = _VideoMetadata(
        fps=UNSET if clip.fps is None else clip.fps,
        start_offset=UNSET if clip.start_seconds is None else _seconds(clip.start_seconds),
        end_offset=UNSET if clip.stop_seconds is None else _seconds(clip.stop_seconds),
    )
    return found if msgspec.to_builtins(found) else UNSET


def _seconds(value: float) -> str:
    """Write seconds as the protocol wants them: "12.5s"."""
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"
