"""OpenAI's Responses API: the same pictures and text as chats, in other words."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from reelwise.errors import AnswerError, InputError
from reelwise.models.answer import Answer
from reelwise.models.body import Inliner, json_body
from reelwise.models.chat import Chat
from reelwise.models.chat_text import asked
from reelwise.models.openai import OpenAI, openai_options, read_openai
from reelwise.models.stream import Events, Stream
from reelwise.models.used import Used
from reelwise.models.work import Picture, Text, Work

__all__ = ["OpenAIResponses"]


class _TextPart(Struct, tag_field="type", tag="input_text"):
    text: str


class _ImagePart(Struct, tag_field="type", tag="input_image"):
    image_url: str
    detail: str = "auto"


class _Message(Struct):
    content: list[_TextPart | _ImagePart]
    role: Literal["user"] = "user"


class _Format(Struct, rename={"schema_": "schema"}):
    schema_: Any
    name: str = "answer"
    type: Literal["json_schema"] = "json_schema"
    strict: bool = True


class _TextConfig(Struct):
    format: _Format


class ResponseRequest(Struct, kw_only=True):
    """The body of a request."""

    model: str
    input: list[_Message]
    instructions: str | UnsetType = UNSET
    max_output_tokens: int | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    text: _TextConfig | UnsetType = UNSET
    service_tier: str | UnsetType = UNSET
    prompt_cache_key: str | UnsetType = UNSET
    store: bool = False
    stream: bool | UnsetType = UNSET


class _Content(Struct):
    type: str
    text: str = ""
    refusal: str = ""


class _Item(Struct):
    type: str
    content: list[_Content] | None = None


class _Why(Struct):
    reason: str | None = None


class ResponseReply(Struct):
    """The part of an answer that is needed."""

    id: str
    model: str
    status: str
    output: list[_Item]
    incomplete_details: _Why | None = None
    service_tier: str | None = None


class OpenAIResponses(OpenAI, Chat):
    """OpenAI's Responses API; see `Endpoint` for the arguments. Answers are not stored there."""

    def stream(self, work: Work) -> Stream:
        """Answer what the text asks, bit by bit."""
        request, inliner = self.request(asked(work))
        request.stream = True
        return Stream(self, self._send(work, request, inliner), _ResponseEvents(work.model), work.tokens_expected)

    def request(self, work: Work) -> tuple[ResponseRequest, Inliner]:
        """Make the body of a request; the bytes of pictures are stood in for.

        Raises:
            InputError: something that this endpoint cannot be sent.
        """
        work.check()
        if work.seed is not None or work.cache or work.confidence:
            raise InputError(
                "has no seed, no probabilities and no caches with a name", where=self.name, hint="leave them out"
            )
        inliner = Inliner()
        content: list[_TextPart | _ImagePart] = []
        for part in work.parts:
            if isinstance(part, Text):
                content.append(_TextPart(text=part.text))
            elif isinstance(part, Picture):
                content.append(_ImagePart(image_url=inliner.data_uri(part.source), detail=part.detail or "auto"))
            else:
                raise InputError("takes pictures and text only", where=self.name, hint="cut the clip into pictures")
        request = ResponseRequest(
            model=work.model,
            input=[_Message(content=content)],
            instructions=work.system or UNSET,
            max_output_tokens=UNSET if work.tokens_output is None else work.tokens_output,
            **openai_options(work),
        )
        if work.schema:
            request.text = _TextConfig(format=_Format(schema_=msgspec.json.decode(work.schema)))
        return request, inliner

    def _send(self, work: Work, request: ResponseRequest, inliner: Inliner) -> Any:
        return self.post("/responses", json_body(request, inliner), work)

    def exchange(self, work: Work) -> Answer:
        """Send a work as it is, and read the answer."""
        request, inliner = self.request(work)
        sent = self._send(work, request, inliner)
        reply, raw = self.json(sent, ResponseReply)
        if reply.status == "failed":
            error = AnswerError("says that it failed", where=self.name, reason="failed")
            error.spent = self._read(raw)
            raise error
        return self.note(_answered(reply, self._read(raw, work.model)), sent, work.tokens_expected)

    def _read(self, raw: dict[str, Any], model: str = "") -> Used:
        return read_openai(raw, "responses", model)


def _answered(reply: ResponseReply, used: Used) -> Answer:
    parts = [part for item in reply.output if item.type == "message" for part in item.content or []]
    refused = any(part.type == "refusal" for part in parts)
    reason = reply.incomplete_details.reason if reply.incomplete_details is not None else None
    finish: Any = "refused" if refused or reason == "content_filter" else "length" if reason else "stop"
    return Answer(used=used, text="".join(part.text for part in parts if part.type == "output_text"), finish=finish)


class _ResponseEvents(Events):
    """Events of a response; the last one is the whole of it, with its usage."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._raw: dict[str, Any] = {}

    def take(self, event: dict[str, Any]) -> str:
        kind = str(event.get("type"))
        if kind in {"response.output_text.delta", "response.refusal.delta"}:
            delta = event.get("delta")
            return self.add(delta) if isinstance(delta, str) else ""
        inner = event.get("response")
        if kind in {"error", "response.failed"}:
            error = AnswerError("its stream ended with an error", where=self._model, reason="stream")
            error.spent = self.used()
            raise error
        if isinstance(inner, dict) and kind in {"response.completed", "response.incomplete"}:
            self._raw, self.over = inner, True
            self.finish = _answered(msgspec.convert(inner, ResponseReply), self.used()).finish
        return ""

    def used(self) -> Used:
        if self._raw.get("usage"):
            return read_openai(self._raw, "responses", self._model)
        return Used(
            provider="openai", model=self._model, tokens_output=self.tokens_came, complete=False, input_known=False
        )  # fmt: skip
