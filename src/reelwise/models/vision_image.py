"""Vision APIs that are paid by the picture: Google's Cloud Vision."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from reelwise.errors import AnswerError
from reelwise.models.answer import Answer, Box, Score
from reelwise.models.body import Inliner, json_body
from reelwise.models.used import Used
from reelwise.models.vision import Trouble, Vision
from reelwise.models.work import Picture, Work

__all__ = ["PICTURES_MAX", "VisionImage"]

_FEATURES = {
    "google/vision/label": "LABEL_DETECTION",
    "google/vision/object-localization": "OBJECT_LOCALIZATION",
    "google/vision/text": "TEXT_DETECTION",
    "google/vision/document-text": "DOCUMENT_TEXT_DETECTION",
}
_MOST = 50
PICTURES_MAX = 16
"""Pictures in one request (cloud.google.com/vision/product-search/quotas, "Images per request", read 2026-11-28)."""


class _Vertex(Struct):
    x: float = 0.0
    y: float = 0.0


class _Poly(Struct, rename="camel"):
    normalized_vertices: list[_Vertex] = []


class _Label(Struct):
    description: str = ""
    score: float | None = None


class _Object(Struct, rename="camel"):
    name: str
    score: float | None = None
    bounding_poly: _Poly = msgspec.field(default_factory=_Poly)


class _Full(Struct):
    text: str = ""


class _One(Struct, rename="camel"):
    label_annotations: list[_Label] = []
    localized_object_annotations: list[_Object] = []
    text_annotations: list[_Label] = []
    full_text_annotation: _Full | None = None
    error: Trouble | None = None


class _Reply(Struct):
    responses: list[_One]


class VisionImage(Vision):
    """Cloud Vision; see `Vision`. Each picture of a work is billed apart, and its findings say by `part` which one they are from."""

    can = frozenset({"describe", "detect"})
    variable = "GOOGLE_API_KEY"
    address = "https://vision.googleapis.com/v1"
    sells = _FEATURES

    def _headers(self) -> dict[str, str]:
        key = self._key.read()
        return {"x-goog-api-key": key} if key else {}

    def describe(self, work: Work) -> Answer:
        """Read what is written in pictures (google/vision/text, document-text), or name what is shown (label)."""
        return self._annotate(work)

    def detect(self, work: Work) -> Answer:
        """Name what is shown (label), or find things with their places (object-localization)."""
        return self._annotate(work)

    def _annotate(self, work: Work) -> Answer:
        feature, pictures = self.given(work, Picture, PICTURES_MAX)
        inliner = Inliner()
        asked = [{"type": feature, "maxResults": _MOST}]
        document = {"requests": [{"image": _image(one, inliner), "features": asked} for one in pictures]}
        sent = self.post("/images:annotate", json_body(document, inliner), work)
        reply, _ = self.json(sent, _Reply)
        used = Used(provider=self.provider, model=work.model, images=float(len(pictures)))
        if len(reply.responses) != len(pictures):
            raise self._unusable("answers for another number of pictures", used)
        wrong = [one.error for one in reply.responses if one.error is not None and one.error.code]
        if len(wrong) == len(pictures):
            raise self._unusable(f"could not read the picture: {self.said(wrong[0])}", used)
        answer = Answer(used=used)
        texts = []
        for at, found in enumerate(reply.responses):
            answer.scores += _scores(found, at)
            answer.boxes += tuple(
                _box(one, at) for one in found.localized_object_annotations if one.bounding_poly.normalized_vertices
            )
            texts.append(_text(found))
        answer.texts = tuple(texts)
        labels = dict.fromkeys(one.label for one in sorted(answer.scores, key=_surest))
        answer.text = "\n".join(dict.fromkeys(filter(None, texts))) or ", ".join(labels)
        return self.note(answer, sent, work.tokens_expected)

    def _unusable(self, message: str, used: Used) -> AnswerError:
        error = AnswerError(message, where=self.name, hint="is it a picture?", reason="content")
        error.spent = used  # whether a picture that cannot be read is billed, no page says: taken as billed
        return error


def _image(picture: Picture, inliner: Inliner) -> dict[str, Any]:
    given = picture.source
    return {"source": {"imageUri": given.uri}} if given.uri else {"content": inliner.base64(given)}


def _text(found: _One) -> str:
    written = found.full_text_annotation.text if found.full_text_annotation else ""
    return written or (found.text_annotations[0].description if found.text_annotations else "")


def _scores(found: _One, at: int) -> tuple[Score, ...]:
    named = (*((one.description, one.score) for one in found.label_annotations),
             *((one.name, one.score) for one in found.localized_object_annotations))  # fmt: skip
    return tuple(Score(label=label, confidence=score, part=at) for label, score in named)


def _surest(score: Score) -> float:
    return -(score.confidence if score.confidence is not None else -1.0)


def _box(one: Any, at: int) -> Box:
    xs = [vertex.x for vertex in one.bounding_poly.normalized_vertices]
    ys = [vertex.y for vertex in one.bounding_poly.normalized_vertices]
    return Box(label=one.name, confidence=one.score, left=min(xs), top=min(ys), right=max(xs), bottom=max(ys), part=at)
