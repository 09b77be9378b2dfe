"""Gemini's generateContent: pictures, sound, and clips as clips, with a rate, a stretch and a media resolution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.models.answer import Answer
from reelwise.models.body import json_body
from reelwise.models.chat import Chat
from reelwise.models.chat_text import asked
from reelwise.models.gemini_embed import embed
from reelwise.models.gemini_wire import GenerateReply, generate_request
from reelwise.models.stream import Events, Stream
from reelwise.models.used import TIERS, Used, read_usage, unread
from reelwise.models.work import Clip, Sound, Text, Work

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Gemini", "model_path"]

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length", "OTHER": "other", "FINISH_REASON_UNSPECIFIED": "other"}
_TRAFFIC = {"ON_DEMAND": "standard", "ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"}
_TRANSCRIBE = "Write down what is said, word for word, and nothing else."


class _Total(Struct, rename="camel"):
    total_tokens: int
    prompt_tokens_details: list[dict[str, Any]] = []


def model_path(model: str) -> str:
    """Write a model's name as a path: models/gemini-2.5-pro."""
    name = model.removeprefix("models/").removeprefix("google/")
    return f"/models/{quote(name, safe='')}"


class Gemini(Chat):
    """Google's Gemini API; see `Endpoint` for the arguments."""

    provider = "google"
    can = frozenset({"describe", "ask", "moderate", "transcribe", "embed"})
    variable = "GEMINI_API_KEY"
    address = "https://generativelanguage.googleapis.com/v1beta"

    def _headers(self) -> dict[str, str]:
        key = self._key.read()
        return {"x-goog-api-key": key} if key else {}

    def transcribe(self, work: Work) -> Answer:
        """Write down what is said."""
        if not any(isinstance(part, Text) for part in work.parts):
            if not any(isinstance(part, (Sound, Clip)) for part in work.parts):
                raise InputError("there is no sound", where="parts", hint="add a Sound or a Clip")
            work = msgspec.structs.replace(work, parts=(*work.parts, Text(text=_TRANSCRIBE)))
        return self.exchange(work)

    def embed(self, work: Work) -> Answer:
        """Make a vector of each part: text, pictures, clips, sound."""
        answer, sent = embed(self, work, model_path(work.model))
        return self.note(answer, sent, work.tokens_expected)

    def count_tokens(self, work: Work) -> int:
        """Ask what the input comes to; the vendor bills nothing for it.

        Raises:
            EndpointError, InputError: see `reelwise.models.protocol.Model`.
        """
        return self._count(work).total_tokens

    def count_details(self, work: Work) -> list[dict[str, Any]]:
        """Ask what the input comes to by modality: [{"modality": "VIDEO", "tokenCount": 2580}, ...]."""
        return self._count(work).prompt_tokens_details

    def _count(self, work: Work) -> _Total:
        request, inliner = generate_request(work, name=self.name)
        request.generation_config = msgspec.UNSET
        model = work.model.removeprefix("models/")
        document = {"generateContentRequest": {"model": f"models/{model}", **msgspec.to_builtins(request)}}
        sent = self.send(
            "POST", f"{model_path(work.model)}:countTokens", body=json_body(document, inliner),
            seconds=work.timeout_seconds, safe=True,
        )  # fmt: skip
        return self.json(sent, _Total)[0]

    def stream(self, work: Work) -> Stream:
        """Answer what the text asks, bit by bit."""
        request, inliner = generate_request(asked(work), name=self.name)
        path = f"{model_path(work.model)}:streamGenerateContent?alt=sse"
        sent = self.post(path, json_body(request, inliner), work)
        return Stream(self, sent, _GenerateEvents(work.model, _tier_of(sent.reply.headers)), work.tokens_expected)

    def exchange(self, work: Work) -> Answer:
        """Send a work as it is, and read the answer."""
        request, inliner = generate_request(work, name=self.name)
        sent = self.post(f"{model_path(work.model)}:generateContent", json_body(request, inliner), work)
        reply, raw = self.json(sent, GenerateReply)
        return self.note(self.answer(reply, raw, work.model, _tier_of(sent.reply.headers)), sent, work.tokens_expected)

    def answer(self, reply: GenerateReply, raw: dict[str, Any], model: str, tier: Any = None) -> Answer:
        """Make an answer of a reply; batches come here too.

        Args:
            reply: the part of it that is needed.
            raw: all of it.
            model: what was asked for.
            tier: the service tier, where the body does not name it.
        """
        used = read_generated(raw, model, tier)
        if not reply.candidates:
            blocked = reply.prompt_feedback is not None and reply.prompt_feedback.block_reason is not None
            return Answer(used=used, finish="refused" if blocked else "other")
        first = reply.candidates[0]
        text = "".join(part.text or "" for part in first.content.parts if not part.thought)
        return Answer(
            used=used, text=text, finish=_finish(first.finish_reason), confidence=_sure(first.avg_logprobs)
        )  # fmt: skip

    def _read(self, raw: dict[str, Any]) -> Used:
        return read_generated(raw, "", None)


def read_generated(raw: dict[str, Any], model: str, tier: Any) -> Used:
    """Read the usage of a reply of generateContent.

    The parts by modality must add up to the sum where there are any: the documents' modality was once dropped by a client and under-billed.
    """
    usage = raw.get("usageMetadata")
    usage = usage if isinstance(usage, dict) else {}
    named = usage.get("serviceTier") or tier or _TRAFFIC.get(str(usage.get("trafficType")), usage.get("trafficType"))
    model = model.removeprefix("models/").removeprefix("google/")
    used = read_usage(
        raw, provider="google", flavor="default", model=model, tier=named, usage_at="usageMetadata",
        request_id=str(raw.get("responseId") or ""),
    )  # fmt: skip
    total = usage.get("totalTokenCount")
    if not used.unpriced and isinstance(total, int) and total != used.tokens_input + used.tokens_output:
        return unread("google", model, "its usage does not add up to its total", raw=usage, request_id=used.request_id)
    return used


def _tier_of(headers: Mapping[str, str]) -> str | None:
    found = headers.get("x-gemini-service-tier")
    return TIERS.get(found.lower(), found) if found else None


def _finish(reason: str | None) -> Any:
    return _FINISH.get(reason or "", "refused")


def _sure(average: float | None) -> float | None:
    return math.exp(min(0.0, average)) if average is not None and math.isfinite(average) else None


class _GenerateEvents(Events):
    """Chunks of generateContent; each says what was used so far."""

    def __init__(self, model: str, tier: str | None) -> None:
        super().__init__()
        self._model, self._tier = model, tier
        self._raw: dict[str, Any] = {}

    def take(self, event: dict[str, Any]) -> str:
        chunk = msgspec.convert(event, GenerateReply)
        for name in ("usageMetadata", "modelVersion", "responseId"):
            if event.get(name) is not None:
                self._raw[name] = event[name]
        added = ""
        for candidate in chunk.candidates[:1]:
            added += self.add("".join(part.text or "" for part in candidate.content.parts if not part.thought))
            if candidate.finish_reason:
                self.finish, self.over = _finish(candidate.finish_reason), True
            self.confidence = _sure(candidate.avg_logprobs) if candidate.avg_logprobs is not None else self.confidence
        if not chunk.candidates and chunk.prompt_feedback is not None:
            self.finish, self.over = "refused", True
        return added

    def used(self) -> Used:
        used = read_generated(self._raw, self._model, self._tier)
        if self.over:
            return used
        if used.unpriced and not self._raw.get("usageMetadata"):
            model = self._model.removeprefix("models/")
            return Used(
                provider="google", model=model, tokens_output=self.tokens_came, complete=False, input_known=False
            )
        came = max(used.tokens_output, self.tokens_came + used.tokens_reasoning)
        return msgspec.structs.replace(used, tokens_output=came, complete=False)
