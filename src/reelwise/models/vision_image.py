"""Vision APIs that are paid by the picture: Google's Cloud Vision."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from reelwise.errors import AnswerError, InputError
from reelwise.models.answer import Answer, Box, Score
from reelwise.models.body import Inliner, json_body
from reelwise.models.endpoint import Endpoint
from reelwise.models.used import Used
from reelwise.models.work import Picture, Work

__all__ = ["VisionImage"]

_FEATURES = {
    "google/vision/label": "LABEL_DETECTION",
    "google/vision/object-localization": "OBJECT_LOCALIZATION",
    "google/vision/text": "TEXT_DETECTION",
    "google/vision/document-text": "DOCUMENT_TEXT_DETECTION",
}
_MOST = 50


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


class _Error(Struct):
    code: int = 0
    message: str = ""


class _One(Struct, rename="camel"):
    label_annotations: list[_Label] = []
    localized_object_annotations: list[_Object] = []
    text_annotations: list[_Label] = []
    full_text_annotation: _Full | None = None
    error: _Error | None = None


class _Reply(Struct):
    responses: list[_One]


class VisionImage(Endpoint):
    """Cloud Vision; see `Endpoint` for the arguments. A work's model is what is bought: the id of its rate card, google/vision/label."""

    provider = "google"
    can = frozenset({"describe", "detect"})
    variable = "GOOGLE_API_KEY"
    address = "https://vision.googleapis.com/v1"

    def _headers(self) -> dict[str, str]:
        key = self._key.read()
        return {"x-goog-api-key": key} if key else {}

    def describe(self, work: Work) -> Answer:
        """Read what is written in a picture (google/vision/text, document-text), or name what is shown (label)."""
        return self._annotate(work)

    def detect(self, work: Work) -> Answer:
        """Name what is shown (label), or find things with their places (object-localization)."""
        return self._annotate(work)

    def _annotate(self, work: Work) -> Answer:
        work.check()
        feature = _FEATURES.get(work.model)
        if feature is None:
            raise InputError(f"sells no {work.model!r:.60}", where=self.name, hint=", ".join(_FEATURES))
        if len(work.parts) != 1 or not isinstance(work.parts[0], Picture):
            raise InputError("wants one picture", where=self.name, hint="a Work with one Picture")
        inliner, given = Inliner(), work.parts[0].source
        image = {"source": {"imageUri": given.uri}} if given.uri else {"content": inliner.base64(given)}
        document = {"requests": [{"image": image, "features": [{"type": feature, "maxResults": _MOST}]}]}
        sent = self.send(
            "POST", "/images:annotate", body=json_body(document, inliner), seconds=work.timeout_seconds,
            tokens=work.tokens_expected, identity=work.identity,
        )  # fmt: skip
        reply, _ = self.json(sent, _Reply)
        used = Used(provider=self.provider, model=work.model, images=1.0)
        if len(reply.responses) != 1:
            raise self._unusable("answers for another number of pictures", used)
        found = reply.responses[0]
        if found.error is not None and found.error.code:
            raise self._unusable(f"could not read the picture: {self._key.scrub(found.error.message)[:200]}", used)
        texts = found.full_text_annotation.text if found.full_text_annotation else ""
        texts = texts or (found.text_annotations[0].description if found.text_annotations else "")
        boxes = tuple(_box(one) for one in found.localized_object_annotations if one.bounding_poly.normalized_vertices)
        scores = tuple(Score(label=one.description, confidence=one.score) for one in found.label_annotations)
        text = texts or ", ".join(score.label for score in scores)
        return self.note(Answer(used=used, text=text, scores=scores, boxes=boxes), sent, work.tokens_expected)

    def _unusable(self, message: str, used: Used) -> AnswerError:
        error = AnswerError(message, where=self.name, hint="is it a picture?", reason="content")
        error.spent = used  # whether a picture that cannot be read is billed, no page says: taken as billed
        return error


def _box(one: Any) -> Box:
    xs = [vertex.x for vertex in one.bounding_poly.normalized_vertices]
    ys = [vertex.y for vertex in one.bounding_poly.normalized_vertices]
    return Box(label=one.name, confidence=one.score, left=min(xs), top=min(ys), right=max(xs), bottom=max(ys))
