"""Anthropic's messages: pictures and text, with marks up to which a prompt cache keeps them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from reelwise.errors import AnswerError, BusyError, InputError
from reelwise.models.answer import Answer
from reelwise.models.body import Inliner, json_body
from reelwise.models.chat import Chat
from reelwise.models.chat_text import asked
from reelwise.models.stream import Events, Stream
from reelwise.models.used import Used, read_usage
from reelwise.models.work import Picture, Text, Work

__all__ = ["Anthropic", "MessageReply", "MessageRequest"]

_VERSION = "2023-06-01"
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "refusal": "refused"}
_MARKS_MAX = 4


class _TextPart(Struct, tag_field="type", tag="text"):
    text: str
    cache_control: dict[str, str] | UnsetType = UNSET


class _ImageSource(Struct):
    type: Literal["base64", "url"]
    media_type: str | UnsetType = UNSET
    data: str | UnsetType = UNSET
    url: str | UnsetType = UNSET


class _ImagePart(Struct, tag_field="type", tag="image"):
    source: _ImageSource
    cache_control: dict[str, str] | UnsetType = UNSET


class _Message(Struct):
    content: list[_TextPart | _ImagePart]
    role: Literal["user"] = "user"


class _SchemaFormat(Struct):
    schema: Any
    type: Literal["json_schema"] = "json_schema"


class _OutputConfig(Struct):
    format: _SchemaFormat


class MessageRequest(Struct, kw_only=True):
    """The body of a request."""

    model: str
    max_tokens: int
    system: list[_TextPart] | UnsetType = UNSET  # what repeats goes first, in the bytes too
    messages: list[_Message]
    output_config: _OutputConfig | UnsetType = UNSET
    service_tier: str | UnsetType = UNSET
    speed: str | UnsetType = UNSET
    stream: bool | UnsetType = UNSET


class _Block(Struct):
    type: str
    text: str = ""


class MessageReply(Struct):
    """The part of an answer that is needed."""

    id: str
    model: str
    content: list[_Block]
    stop_reason: str | None = None


class Anthropic(Chat):
    """Anthropic's API; see `Endpoint` for the arguments.

    Args:
        tokens_output: the most tokens an answer may have where the work does not say: its API wants a number.
        rest: see `Endpoint`.
    """

    provider = "anthropic"
    variable = "ANTHROPIC_API_KEY"
    address = "https://api.anthropic.com"

    def __init__(self, url: str = "", key: str | None = None, *, tokens_output: int = 1024, **rest: Any) -> None:
        super().__init__(url, key, **rest)
        self._tokens_output = tokens_output

    def _headers(self) -> dict[str, str]:
        key = self._key.read()
        return {"anthropic-version": _VERSION, **({"x-api-key": key} if key else {})}

    def count_tokens(self, work: Work) -> int:
        """Ask what the input comes to; the vendor bills nothing for it."""
        request, inliner = self.request(work)
        document = msgspec.to_builtins(request)
        for name in ("max_tokens", "service_tier"):
            document.pop(name, None)
        sent = self.send(
            "POST", "/v1/messages/count_tokens", body=json_body(document, inliner), seconds=work.timeout_seconds,
            safe=True,
        )  # fmt: skip
        return self.json(sent, _Count)[0].input_tokens

    def stream(self, work: Work) -> Stream:
        """Answer what the text asks, bit by bit."""
        request, inliner = self.request(asked(work))
        request.stream = True
        sent = self._send(work, request, inliner)
        return Stream(self, sent, _MessageEvents(work.model), work.tokens_expected)

    def request(self, work: Work) -> tuple[MessageRequest, Inliner]:
        """Make the body of a request; the bytes of pictures are stood in for.

        Raises:
            InputError: something that this endpoint cannot be sent.
        """
        work.check()
        inliner = Inliner()
        content = [self._part(part, inliner, hour=work.keep_hour) for part in work.parts]
        marks = sum(one.cache_control is not UNSET for one in content) + work.system_keep
        if marks > _MARKS_MAX:
            raise InputError(f"{marks} cache marks", where=self.name, hint=f"it takes {_MARKS_MAX}")
        if work.seed is not None or work.confidence or work.cache:
            raise InputError(
                "has no seed, no probabilities and no caches with a name", where=self.name, hint="leave them out"
            )
        if work.temperature is not None:
            raise InputError("its API has no temperature", where=self.name, hint="leave it out")
        if work.mode == "flex":
            raise InputError("has no mode flex", where=self.name, hint="standard, priority, fast or batch")
        request = MessageRequest(
            model=work.model,
            max_tokens=work.tokens_output or self._tokens_output,
            messages=[_Message(content=content)],
            service_tier="auto" if work.mode == "priority" else UNSET,
            speed="fast" if work.mode == "fast" else UNSET,
        )
        if work.system:
            request.system = [_TextPart(text=work.system, cache_control=_mark(work.system_keep, hour=work.keep_hour))]
        if work.schema:
            request.output_config = _OutputConfig(format=_SchemaFormat(schema=msgspec.json.decode(work.schema)))
        return request, inliner

    def _part(self, part: Any, inliner: Inliner, *, hour: bool) -> _TextPart | _ImagePart:
        if isinstance(part, Text):
            return _TextPart(text=part.text, cache_control=_mark(part.keep, hour=hour))
        if not isinstance(part, Picture):
            raise InputError("takes pictures and text only", where=self.name, hint="cut the clip into pictures")
        if part.detail:
            raise InputError("its pictures have no levels of detail", where=self.name, hint="scale them")
        given = part.source
        if given.uri:
            shown = _ImageSource(type="url", url=given.uri)
        else:
            shown = _ImageSource(type="base64", media_type=given.mime, data=inliner.base64(given))
        return _ImagePart(source=shown, cache_control=_mark(part.keep, hour=hour))

    def _send(self, work: Work, request: MessageRequest, inliner: Inliner) -> Any:
        headers = {"anthropic-beta": "fast-mode-2026-02-01"} if work.mode == "fast" else {}
        return self.post("/v1/messages", json_body(request, inliner), work, headers=headers)

    def exchange(self, work: Work) -> Answer:
        """Send a work as it is, and read the answer."""
        request, inliner = self.request(work)
        sent = self._send(work, request, inliner)
        reply, raw = self.json(sent, MessageReply)
        return self.note(self.answer(reply, raw, work.model), sent, work.tokens_expected)

    def answer(self, reply: MessageReply, raw: dict[str, Any], model: str, *, mode: str = "") -> Answer:
        """Make an answer of a reply; batches come here too.

        Args:
            reply: the part of it that is needed.
            raw: all of it.
            model: what was asked for.
            mode: the tier where the reply's own does not say it.
        """
        used = self._read(raw, model)
        if mode and not used.unpriced:
            used = msgspec.structs.replace(used, mode=mode)
        text = "".join(block.text for block in reply.content if block.type == "text")
        return Answer(used=used, text=text, finish=_FINISH.get(reply.stop_reason or "", "other"))  # type: ignore[arg-type]

    def _read(self, raw: dict[str, Any], model: str = "") -> Used:
        usage = raw.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        tier = "fast" if usage.get("speed") == "fast" else usage.get("service_tier")
        return read_usage(
            raw, provider="anthropic", flavor="default", model=model, tier=tier, request_id=str(raw.get("id") or "")
        )


class _Count(Struct):
    input_tokens: int


def _mark(keep: bool, *, hour: bool) -> dict[str, str] | UnsetType:
    if not keep:
        return UNSET
    return {"type": "ephemeral", "ttl": "1h"} if hour else {"type": "ephemeral"}


class _MessageEvents(Events):
    """Events of a message: its input is counted in the first, its output in the last but one."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._asked = model
        self._raw: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._counted = False

    def take(self, event: dict[str, Any]) -> str:
        kind = str(event.get("type"))
        if kind == "message_start" and isinstance(event.get("message"), dict):
            self._raw = {name: event["message"].get(name) for name in ("id", "model")}
            self._note(event["message"].get("usage"))
        elif kind == "content_block_delta" and isinstance(event.get("delta"), dict):
            text = event["delta"].get("text")
            return self.add(text) if isinstance(text, str) else ""
        elif kind == "message_delta":
            self._counted = True
            self._note(event.get("usage"))
            delta = event.get("delta")
            reason = delta.get("stop_reason") if isinstance(delta, dict) else None
            self.finish = _FINISH.get(str(reason), "other")
        elif kind == "message_stop":
            self.over = True
        elif kind == "error":
            self._failed(event.get("error"))
        return ""

    def _note(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self._usage.update({name: value for name, value in usage.items() if value is not None})

    def _failed(self, error: Any) -> None:
        kind = error.get("type") if isinstance(error, dict) else ""
        if kind == "overloaded_error" and not self.text:
            raise BusyError("is overloaded", where=self._asked, status=529, reason="overload")
        wrong = AnswerError(f"its stream ended with an error: {kind!s:.60}", where=self._asked, reason="stream")
        wrong.spent = self.used()
        raise wrong

    def used(self) -> Used:
        usage = dict(self._usage)
        if not usage:
            return Used(
                provider="anthropic", model=self._asked, tokens_output=self.tokens_came, complete=False,
                input_known=False,
            )  # fmt: skip
        if not self._counted:
            usage["output_tokens"] = max(int(usage.get("output_tokens") or 0), self.tokens_came)
        tier = "fast" if usage.get("speed") == "fast" else usage.get("service_tier")
        used = read_usage(
            {**self._raw, "usage": usage}, provider="anthropic", flavor="default", model=self._asked, tier=tier,
            request_id=str(self._raw.get("id") or ""),
        )  # fmt: skip
        return used if self._counted else msgspec.structs.replace(used, complete=False)
