"""Google's Cloud Vision by the picture, and Video Intelligence by the minute."""

from __future__ import annotations

import base64
import hashlib
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.sandbox.cards import UNDELIVERED, begun, bill, let_in, served
from reelwise.sandbox.clips import clip_size
from reelwise.sandbox.drawing import hashed
from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.exchange import Exchange, Reply, document, spoilt
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
_REQUESTS_MAX = 16
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


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # no base64, or not even ASCII
        raise BadRequestError("Base64 decoding failed") from None


def _pictures(exchange: Exchange) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    raw = exchange.body()
    body = read_google(raw, _Pictures)
    if not 1 <= len(body.requests) <= _REQUESTS_MAX:
        raise BadRequestError(f"Too many images per request: {len(body.requests)}, at most {_REQUESTS_MAX}")
    skus = [[_PICTURES.get(feature.type) for feature in one.features] for one in body.requests]
    if not all(skus) or any(None in row for row in skus):
        raise BadRequestError("features: " + ", ".join(_PICTURES))
    fault = let_in(exchange, str(skus[0][0]), hashlib.blake2b(raw, digest_size=16).digest())
    return served(
        fault,
        lambda: {"responses": [_answered(exchange, one, delivered=fault not in UNDELIVERED) for one in body.requests]},
    )


def _answered(exchange: Exchange, one: _One, *, delivered: bool) -> dict[str, Any]:
    """Look at one picture, and bill it for each thing that is looked for."""
    data = _bytes(one.image.content)
    if picture_size(data) is None:
        return {"error": {"code": 3, "message": "Bad image data."}}
    for feature in one.features:
        sku = _PICTURES[feature.type]
        bill(
            exchange.desk, sku, Fraction(1), _row(exchange, exchange.desk.new_id("vision_sb"), sku, delivered=delivered)
        )
    return _seen(exchange.desk, data, [feature.type for feature in one.features])


def _row(exchange: Exchange, name: str, sku: str, *, delivered: bool = True) -> Row:
    return Row(
        id=name, at=0.0, day="", maker="google", model=sku, kind="vision", delivered=delivered,
        identity=exchange.headers.get("idempotency-key", ""),
    )  # fmt: skip


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


def _annotate(exchange: Exchange) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    raw = exchange.body()
    body = read_google(raw, _Clip)
    skus = [_CLIPS.get(feature) for feature in body.features]
    if not skus or None in skus:
        raise BadRequestError("features: " + ", ".join(_CLIPS))
    data = _bytes(body.input_content)
    size = clip_size(data)
    if size is None or not size.width:
        raise BadRequestError("the video cannot be read")
    fault = let_in(exchange, str(skus[0]), hashlib.blake2b(raw, digest_size=16).digest())
    name = desk.new_id("projects/sandbox/locations/here/operations/sb")
    job = {
        "name": name, "features": body.features, "skus": skus, "data": hashed(data), "seconds": round(size.seconds, 3),
        "created": desk.clock.now(), "billed": False, "exchange": exchange, "fault": fault,
    }  # fmt: skip
    return begun(desk, name, job, done=lambda: _done(desk, job), answer=lambda: {"name": name})


def _done(desk: Desk, job: dict[str, Any]) -> None:
    """Bill a job, once."""
    if job["billed"]:
        return
    job["billed"] = True
    minutes = Fraction(str(job["seconds"])) / 60
    delivered = job["fault"] not in UNDELIVERED
    for sku in job["skus"]:
        bill(desk, sku, minutes, _row(job["exchange"], job["name"], sku, delivered=delivered))


def _operation(exchange: Exchange, name: str) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    job = desk.store.get(name)
    if desk.clock.now() < job["created"] + min(desk.scenario.video_seconds, job["seconds"] / 10):
        return document({"name": name, "done": False})
    if desk.failed("operation", name):
        return document({"name": name, "done": True, "error": {"code": 13, "message": "Internal error encountered."}})
    _done(desk, job)
    result = _result(desk, job)
    if job["fault"] == "no_usage":
        result.pop("segment")
    return spoilt(job["fault"], document({"name": name, "done": True, "response": {"annotationResults": [result]}}))


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
