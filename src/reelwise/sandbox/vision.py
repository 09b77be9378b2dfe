"""Google's Cloud Vision by the picture, and Video Intelligence by the minute."""

from __future__ import annotations

import base64
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.sandbox.clips import clip_size
from reelwise.sandbox.drawing import hashed
from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.exchange import Document, Exchange, document
from reelwise.sandbox.invoice import Row
from reelwise.sandbox.pictures import picture_size
from reelwise.sandbox.vendors import read_google

if TYPE_CHECKING:
    from reelwise.sandbox.desk import Desk
    from reelwise.sandbox.exchange import Route

__all__ = ["ROUTES"]

_PICTURES = {
    "LABEL_DETECTION": "google/vision/label",
    "OBJECT_LOCALIZATION": "google/vision/object-localization",
    "TEXT_DETECTION": "google/vision/text",
    "DOCUMENT_TEXT_DETECTION": "google/vision/document-text",
}
_CLIPS = {
    "LABEL_DETECTION": "google/video-intelligence/label",
    "SHOT_CHANGE_DETECTION": "google/video-intelligence/shot",
    "EXPLICIT_CONTENT_DETECTION": "google/video-intelligence/explicit",
}
_NAMES = ("person", "car", "dog", "bicycle", "chair", "screen", "tree", "box")
_LIKELY = ("VERY_UNLIKELY", "UNLIKELY", "POSSIBLE", "LIKELY", "VERY_LIKELY")


class _Image(Struct):
    content: str = ""


class _Feature(Struct):
    type: str


class _One(Struct):
    image: _Image
    features: list[_Feature]


class _Pictures(Struct):
    requests: list[_One]


class _Clip(Struct, rename="camel"):
    features: list[str]
    input_content: str = ""


def _bill(exchange: Exchange, sku: str, quantity: Fraction, name: str, kind: str) -> None:
    desk = exchange.desk
    day, before = desk.clock.day(), desk.before(sku, quantity)
    desk.invoice.add(
        Row(
            id=name, at=desk.clock.now(), day=day.isoformat(), maker="google", model=sku, sku=sku, quantity=str(quantity),
            nano=desk.prices.card_nano(sku, quantity, before, day), kind=kind,
            identity=exchange.headers.get("idempotency-key", ""),
        )
    )  # fmt: skip


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # no base64, or not even ASCII
        raise BadRequestError("Base64 decoding failed") from None


def _pictures(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    body = read_google(exchange.body(), _Pictures)
    found = []
    for one in body.requests:
        skus = [_PICTURES.get(feature.type) for feature in one.features]
        if not skus or None in skus:
            raise BadRequestError("features: " + ", ".join(_PICTURES))
        data = _bytes(one.image.content)
        if picture_size(data) is None:
            found.append({"error": {"code": 3, "message": "Bad image data."}})
            continue
        desk.enter(exchange.key, "vision", 0)
        for sku in skus:
            _bill(exchange, str(sku), Fraction(1), desk.new_id("vision_sb"), "vision")
        found.append(_seen(desk, data, [feature.type for feature in one.features]))
    return document({"responses": found})


def _seen(desk: Desk, data: bytes, features: list[str]) -> dict[str, Any]:
    chance = random.Random(hashed(desk.scenario.seed, data))  # noqa: S311 - no secret
    names = chance.sample(_NAMES, 3)
    found: dict[str, Any] = {}
    if "LABEL_DETECTION" in features:
        found["labelAnnotations"] = [
            {"mid": f"/m/{name}", "description": name, "score": s, "topicality": s}
            for name, s in zip(
                names, sorted((round(chance.uniform(0.5, 1), 4) for _ in names), reverse=True), strict=True
            )
        ]
    if "OBJECT_LOCALIZATION" in features:
        found["localizedObjectAnnotations"] = [_object(name, chance) for name in names[:2]]
    if {"TEXT_DETECTION", "DOCUMENT_TEXT_DETECTION"} & set(features):
        found["textAnnotations"] = [{"locale": "en", "description": " ".join(names)}]
        found["fullTextAnnotation"] = {"text": " ".join(names)}
    return found


def _object(name: str, chance: random.Random) -> dict[str, Any]:
    left, top = round(chance.uniform(0, 0.5), 3), round(chance.uniform(0, 0.5), 3)
    corners = [
        {"x": left, "y": top},
        {"x": left + 0.4, "y": top},
        {"x": left + 0.4, "y": top + 0.4},
        {"x": left, "y": top + 0.4},
    ]
    score = round(chance.uniform(0.5, 1), 4)
    return {"mid": f"/m/{name}", "name": name, "score": score, "boundingPoly": {"normalizedVertices": corners}}


def _annotate(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    body = read_google(exchange.body(), _Clip)
    skus = [_CLIPS.get(feature) for feature in body.features]
    if not skus or None in skus:
        raise BadRequestError("features: " + ", ".join(_CLIPS))
    data = _bytes(body.input_content)
    size = clip_size(data)
    if size is None or not size.width:
        raise BadRequestError("the video cannot be read")
    name = desk.new_id("projects/sandbox/locations/here/operations/sb")
    job = {
        "name": name, "features": body.features, "skus": skus, "data": hashed(data), "seconds": round(size.seconds, 6),
        "created": desk.clock.now(), "billed": False, "exchange": exchange,
    }  # fmt: skip
    desk.store.put(name, job)
    return document({"name": name})


def _operation(exchange: Exchange, name: str) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    job = desk.store.get(name)
    if desk.clock.now() < job["created"] + min(desk.scenario.video_seconds, job["seconds"] / 10):
        return document({"name": name, "done": False})
    if not job["billed"]:
        job["billed"] = True
        minutes = Fraction(str(job["seconds"])) / 60
        for sku in job["skus"]:
            _bill(job["exchange"], sku, minutes, name, "vision")
    response = {"annotationResults": [_result(desk, job)]}
    return document({"name": name, "done": True, "response": response})


def _result(desk: Desk, job: dict[str, Any]) -> dict[str, Any]:
    chance = random.Random(hashed(desk.scenario.seed, job["data"]))  # noqa: S311 - no secret
    whole = {"startTimeOffset": "0s", "endTimeOffset": f"{job['seconds']:.6f}s"}
    found: dict[str, Any] = {"segment": whole}
    if "LABEL_DETECTION" in job["features"]:
        found["segmentLabelAnnotations"] = [
            {
                "entity": {"description": name},
                "segments": [{"segment": whole, "confidence": round(chance.uniform(0.4, 1), 4)}],
            }
            for name in chance.sample(_NAMES, 3)
        ]
    if "SHOT_CHANGE_DETECTION" in job["features"]:
        half = f"{job['seconds'] / 2:.6f}s"
        found["shotAnnotations"] = [
            {"startTimeOffset": "0s", "endTimeOffset": half},
            {"startTimeOffset": half, "endTimeOffset": whole["endTimeOffset"]},
        ]
    if "EXPLICIT_CONTENT_DETECTION" in job["features"]:
        frames = [
            {"timeOffset": f"{at}s", "pornographyLikelihood": chance.choice(_LIKELY[:3])}
            for at in range(int(job["seconds"]))
        ]
        found["explicitAnnotation"] = {"frames": frames}
    return found


ROUTES: tuple[Route, ...] = (
    ("POST", r"/v1/images:annotate", _pictures),
    ("POST", r"/v1/videos:annotate", _annotate),
    ("GET", r"/v1/(?P<name>projects/sandbox/locations/here/operations/\w+)", _operation),
)
