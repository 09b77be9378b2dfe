"""Vision APIs that are paid by the minute of video: Google's Video Intelligence."""

from __future__ import annotations

import time
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from reelwise.errors import AmbiguousError, AnswerError, BusyError, InputError, RefusedError
from reelwise.models.answer import Answer, Score, Stretch
from reelwise.models.body import Inliner, json_body
from reelwise.models.used import Used, unread
from reelwise.models.vision import Trouble, Vision
from reelwise.models.work import Clip, Work

__all__ = ["VisionMinute"]

_FEATURES = {
    "google/video-intelligence/label": "LABEL_DETECTION",
    "google/video-intelligence/shot": "SHOT_CHANGE_DETECTION",
    "google/video-intelligence/explicit": "EXPLICIT_CONTENT_DETECTION",
}
_LIKELY = {
    "VERY_UNLIKELY": 0.05,
    "UNLIKELY": 0.25,
    "POSSIBLE": 0.5,
    "LIKELY": 0.75,
    "VERY_LIKELY": 0.95,
}
"""Words of the API as numbers in their order; the API gives no numbers."""
_POLL_SECONDS = 1.0
_POLL_MAX_SECONDS = 15.0


class _Segment(Struct, rename="camel"):
    start_time_offset: str = "0s"
    end_time_offset: str = "0s"


class _Placed(Struct):
    segment: _Segment
    confidence: float | None = None


class _Entity(Struct):
    description: str = ""


class _Label(Struct):
    entity: _Entity
    segments: list[_Placed] = []


class _Frame(Struct, rename="camel"):
    time_offset: str = "0s"
    pornography_likelihood: str = ""


class _Explicit(Struct):
    frames: list[_Frame] = []


class _Result(Struct, rename="camel"):
    segment: _Segment | None = None
    segment_label_annotations: list[_Label] = []
    shot_label_annotations: list[_Label] = []
    shot_annotations: list[_Segment] = []
    explicit_annotation: _Explicit | None = None
    error: Trouble | None = None


class _Response(Struct, rename="camel"):
    annotation_results: list[_Result] = []


class _Operation(Struct):
    name: str
    done: bool = False
    response: _Response | None = None
    error: Trouble | None = None


class VisionMinute(Vision):
    """Video Intelligence; see `Vision`. The key is an access token.

    Args:
        url, key, rest: see `Endpoint`.
        poll_seconds: between the first two looks at a job; later ones are further apart.
    """

    can = frozenset({"detect", "moderate"})
    variable = "GOOGLE_ACCESS_TOKEN"
    address = "https://videointelligence.googleapis.com/v1"
    sells = _FEATURES

    def __init__(
        self, url: str = "", key: str | None = None, *, poll_seconds: float = _POLL_SECONDS, **rest: Any
    ) -> None:
        super().__init__(url, key, **rest)
        self._poll = poll_seconds

    def detect(self, work: Work) -> Answer:
        """Say what is shown when (label), or where shots begin (shot); fills `stretches`."""
        return self._annotate(work)

    def moderate(self, work: Work) -> Answer:
        """Find explicit content (explicit); fills `scores` with the likeliest moment and `stretches` with all."""
        return self._annotate(work)

    def _annotate(self, work: Work) -> Answer:
        feature, (clip,) = self.given(work, Clip)
        until, inliner = time.monotonic() + work.timeout_seconds, Inliner()
        given = clip.source
        document: dict[str, Any] = {"features": [feature]}
        document |= {"inputUri": given.uri} if given.uri else {"inputContent": inliner.base64(given)}
        if clip.start_seconds is not None or clip.stop_seconds is not None:
            raise InputError("bills the whole file, whatever the stretch", where=self.name, hint="cut the clip first")
        sent = self.post("/videos:annotate", json_body(document, inliner), work)
        operation, _ = self.json(sent, _Operation)
        found = self._finished(operation, until)
        used = _used(found, work.model, operation.name)
        if found.error is not None and found.error.code:
            self._failed(found.error)
        return self.note(_answer(found, used), sent, work.tokens_expected)

    def _finished(self, operation: _Operation, until: float) -> _Result:
        """Wait for the job."""
        wait = self._poll
        while not operation.done:
            if time.monotonic() + wait >= until:
                raise AmbiguousError(
                    f"the job is not done in time: {operation.name}", where=self.name, reason="time",
                    hint="it is billed when it is done; a longer timeout_seconds",
                )  # fmt: skip
            time.sleep(wait)
            wait = min(_POLL_MAX_SECONDS, wait * 1.5)
            sent = self.send("GET", f"/{operation.name}", seconds=until - time.monotonic(), safe=True, counted=False)
            operation, _ = self.json(sent, _Operation)
        if operation.error is not None and operation.error.code:
            self._failed(operation.error)
        results = operation.response.annotation_results if operation.response is not None else []
        if not results:
            raise AnswerError("the job is done and says nothing", where=self.name, reason="schema")
        return msgspec.structs.replace(results[0])

    def _failed(self, error: Trouble) -> NoReturn:
        said = self.said(error)
        if error.code in {8, 13, 14}:
            raise BusyError(f"the job failed: {said}", where=self.name, reason="failed")
        raise RefusedError(f"the job failed: {said}", where=self.name, hint="is it a clip?", reason="content")


def _seconds(offset: str) -> float:
    try:
        return float(offset.removesuffix("s"))
    except ValueError:
        return 0.0


def _used(found: _Result, model: str, name: str) -> Used:
    seconds = 0.0
    if found.segment is not None:
        seconds = _seconds(found.segment.end_time_offset) - _seconds(found.segment.start_time_offset)
    if seconds <= 0:
        return unread("google", model, "the answer does not say how long the video is", request_id=name)
    return Used(provider="google", model=model, seconds=seconds, request_id=name)


def _answer(found: _Result, used: Used) -> Answer:
    stretches = [
        Stretch(
            label=label.entity.description, confidence=one.confidence,
            start_seconds=_seconds(one.segment.start_time_offset), stop_seconds=_seconds(one.segment.end_time_offset),
        )
        for label in (*found.segment_label_annotations, *found.shot_label_annotations)
        for one in label.segments
    ]  # fmt: skip
    stretches += [
        Stretch(label="shot", confidence=None, start_seconds=_seconds(s.start_time_offset), stop_seconds=_seconds(s.end_time_offset))
        for s in found.shot_annotations
    ]  # fmt: skip
    scores = {one.label: Score(label=one.label, confidence=one.confidence) for one in stretches if one.label != "shot"}
    if found.explicit_annotation is not None:
        frames = found.explicit_annotation.frames
        marks = [(_seconds(one.time_offset), _LIKELY.get(one.pornography_likelihood)) for one in frames]
        stretches += [Stretch(label="explicit", confidence=p, start_seconds=at, stop_seconds=at) for at, p in marks]
        likeliest = max((p for _, p in marks if p is not None), default=None)
        scores["explicit"] = Score(label="explicit", confidence=likeliest)
    text = ", ".join(scores)
    return Answer(used=used, text=text, scores=tuple(scores.values()), stretches=tuple(stretches))
