"""OpenAI's chat completions, and the many endpoints that speak them: vLLM, SGLang, routers. Pictures, and clips where the server takes them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from reelwise.errors import AnswerError, InputError
from reelwise.models.answer import Answer
from reelwise.models.body import Inliner, json_body
from reelwise.models.chat import Chat
from reelwise.models.chat_text import asked, confidence_of
from reelwise.models.openai import OpenAI, openai_options, read_openai
from reelwise.models.stream import Events, Stream
from reelwise.models.used import Used, read_usage, tier_of
from reelwise.models.work import Clip, Picture, Sound, Text, Work

__all__ = ["OpenAIChat"]

_FINISH: dict[str, str] = {"stop": "stop", "length": "length", "content_filter": "refused"}
_SOUNDS = {"audio/wav": "wav", "audio/mpeg": "mp3"}


class _Url(Struct):
    url: str
    detail: str | UnsetType = UNSET


class _SoundData(Struct):
    data: str
    format: str


class _TextPart(Struct, tag_field="type", tag="text"):
    text: str


class _ImagePart(Struct, tag_field="type", tag="image_url"):
    image_url: _Url


class _VideoPart(Struct, tag_field="type", tag="video_url"):
    video_url: _Url


class _AudioPart(Struct, tag_field="type", tag="input_audio"):
    input_audio: _SoundData


class _Message(Struct):
    role: Literal["system", "user"]
    content: str | list[_TextPart | _ImagePart | _VideoPart | _AudioPart]


class _Schema(Struct, rename={"schema_": "schema"}):
    name: str
    schema_: Any
    strict: bool = True


class _Format(Struct):
    json_schema: _Schema
    type: Literal["json_schema"] = "json_schema"


class _StreamOptions(Struct):
    include_usage: bool = True


class ChatRequest(Struct, kw_only=True):
    """The body of a request."""

    model: str
    messages: list[_Message]
    max_completion_tokens: int | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    logprobs: bool | UnsetType = UNSET
    response_format: _Format | UnsetType = UNSET
    service_tier: str | UnsetType = UNSET
    prompt_cache_key: str | UnsetType = UNSET
    stream: bool | UnsetType = UNSET
    stream_options: _StreamOptions | UnsetType = UNSET


class _Logprob(Struct):
    logprob: float


class _Logprobs(Struct):
    content: list[_Logprob] | None = None


class _Said(Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(Struct):
    message: _Said
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class ChatReply(Struct):
    """The part of an answer that is needed; what else it holds is left alone."""

    id: str
    model: str
    choices: list[_Choice]
    service_tier: str | None = None


class _DeltaChoice(Struct):
    delta: _Said = msgspec.field(default_factory=_Said)
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Chunk(Struct):
    id: str = ""
    model: str = ""
    choices: list[_DeltaChoice] = []
    service_tier: str | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


class OpenAIChat(OpenAI, Chat):
    """An endpoint that speaks OpenAI's chat completions; see `Endpoint` for the arguments.

    Args:
        video: send clips as `video_url`, which vLLM and SGLang take and OpenAI does not.
        rest: see `Endpoint`.
    """

    def __init__(self, url: str = "", key: str | None = None, *, video: bool = False, **rest: Any) -> None:
        super().__init__(url, key, **rest)
        self._video = video

    def stream(self, work: Work) -> Stream:
        """Answer what the text asks, bit by bit."""
        request, inliner = self.request(asked(work), stream=True)
        sent = self.post("/chat/completions", json_body(request, inliner), work)
        return Stream(self, sent, _ChatEvents(self.provider, work.model), work.tokens_expected)

    def request(self, work: Work, *, stream: bool = False) -> tuple[ChatRequest, Inliner]:
        """Make the body of a request; the bytes of pictures are stood in for.

        Raises:
            InputError: something that this endpoint cannot be sent.
        """
        work.check()
        inliner = Inliner()
        content = [self._part(part, inliner) for part in work.parts]
        messages = [_Message(role="system", content=work.system)] if work.system else []
        messages.append(_Message(role="user", content=content))
        if work.cache:
            raise InputError("has no caches with a name", where=self.name, hint="cache_key, or leave it out")
        request = ChatRequest(
            model=work.model,
            messages=messages,
            max_completion_tokens=UNSET if work.tokens_output is None else work.tokens_output,
            seed=UNSET if work.seed is None else work.seed,
            logprobs=True if work.confidence else UNSET,
            **openai_options(work),
        )
        if work.schema:
            schema = msgspec.json.decode(work.schema)
            request.response_format = _Format(json_schema=_Schema(name="answer", schema_=schema))
        if stream:
            request.stream, request.stream_options = True, _StreamOptions()
        return request, inliner

    def _part(self, part: Any, inliner: Inliner) -> _TextPart | _ImagePart | _VideoPart | _AudioPart:
        if isinstance(part, Text):
            return _TextPart(text=part.text)
        if isinstance(part, Picture):
            return _ImagePart(image_url=_Url(url=inliner.data_uri(part.source), detail=part.detail or UNSET))
        if isinstance(part, Sound):
            kind = _SOUNDS.get(part.source.mime)
            if kind is None or part.source.uri:
                raise InputError("takes sound as WAV or MP3 bytes", where=self.name, hint="convert it first")
            return _AudioPart(input_audio=_SoundData(data=inliner.base64(part.source), format=kind))
        if isinstance(part, Clip) and self._video:
            if part.fps is not None or part.start_seconds is not None or part.stop_seconds is not None or part.detail:
                raise InputError(
                    "its clips have neither a rate nor a stretch nor a detail of their own", where=self.name,
                    hint="set them at the server, or cut the clip",
                )  # fmt: skip
            return _VideoPart(video_url=_Url(url=inliner.data_uri(part.source)))
        raise InputError("takes no video", where=self.name, hint="send pictures, or use an endpoint that takes clips")

    def exchange(self, work: Work) -> Answer:
        """Send a work as it is, and read the answer."""
        request, inliner = self.request(work)
        sent = self.post("/chat/completions", json_body(request, inliner), work)
        reply, raw = self.json(sent, ChatReply)
        return self.note(self.answer(reply, raw, work.model), sent, work.tokens_expected)

    def answer(self, reply: ChatReply, raw: dict[str, Any], model: str, *, mode: str = "") -> Answer:
        """Make an answer of a reply; batches come here too.

        Args:
            reply: the part of it that is needed.
            raw: all of it.
            model: what was asked for.
            mode: the tier where the reply's own does not say it: a batch's.
        """
        used = self._read(raw, model)
        if mode and not used.unpriced:
            used = msgspec.structs.replace(used, mode=mode)
        if not reply.choices:
            error = AnswerError("its answer is empty", where=self.name, reason="schema")
            error.spent = used
            raise error
        first = reply.choices[0]
        refused = first.message.refusal is not None
        probabilities = (one.logprob for one in (first.logprobs.content or ())) if first.logprobs else ()
        return Answer(
            used=used,
            text=first.message.content or "",
            finish="refused" if refused else _FINISH.get(first.finish_reason or "", "other"),  # type: ignore[arg-type]
            confidence=confidence_of(probabilities),
        )

    def _read(self, raw: dict[str, Any], model: str = "") -> Used:
        return read_openai(raw, "chat", model)


class _ChatEvents(Events):
    """Chunks of a chat completion; the usage is in the last one."""

    def __init__(self, provider: str, model: str) -> None:
        super().__init__()
        self._provider, self._model = provider, model
        self._id = ""
        self._tier: str | None = None
        self._usage: dict[str, Any] | None = None
        self._logprobs: list[float] = []

    def take(self, event: dict[str, Any]) -> str:
        chunk = msgspec.convert(event, _Chunk)
        if chunk.error is not None:
            raise AnswerError("its stream ended with an error", where=self._model, reason="stream")
        self._id, self._model = chunk.id or self._id, chunk.model or self._model
        self._tier = chunk.service_tier or self._tier
        self._usage = chunk.usage or self._usage
        added = ""
        for choice in chunk.choices[:1]:
            if choice.logprobs is not None:
                self._logprobs += [one.logprob for one in choice.logprobs.content or ()]
                self.confidence = confidence_of(self._logprobs)
            if choice.finish_reason:
                self.finish = _FINISH.get(choice.finish_reason, "other")
            added += self.add(choice.delta.content or choice.delta.refusal or "")
        return added

    def used(self) -> Used:
        raw = {"id": self._id, "model": self._model, "usage": self._usage}
        if self._usage is not None:
            return read_usage(
                raw, provider=self._provider, flavor="chat", model=self._model, tier=self._tier, request_id=self._id
            )
        mode, unpriced = tier_of(self._tier)
        return Used(
            provider=self._provider, model=self._model, mode=mode, unpriced=unpriced, tokens_output=self.tokens_came,
            complete=False, input_known=False, request_id=self._id,
        )  # fmt: skip
