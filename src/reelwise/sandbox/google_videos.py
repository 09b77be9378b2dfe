"""Google's video generation (Veo on Vertex AI): an operation, billed by the second when its video is there."""

from __future__ import annotations

import base64
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.cards import UNDELIVERED, begun, bill, let_in
from reelwise.sandbox.errors import BadRequestError, NotFoundError
from reelwise.sandbox.exchange import Exchange, document, spoilt
from reelwise.sandbox.invoice import Row
from reelwise.sandbox.vendors import read_google

if TYPE_CHECKING:
    from reelwise.sandbox.desk import Desk
    from reelwise.sandbox.exchange import Reply, Route

__all__ = ["FILM", "ROUTES"]

FILM = b"\0\0\0\x18ftypmp42" + bytes(1000)
"""What stands for a generated video."""
_KEPT_SECONDS = 172_800.0
"""After that an operation is gone, and its video with it."""
_LENGTHS = {4, 6, 8}
_SIZES = {"720p", "1080p", "4k"}
_BLOCKED = "blocked by the safety filter"
"""A prompt that holds these words is generated and then held back."""


class _Instance(Struct):
    prompt: str = ""


class _Parameters(Struct, rename="camel"):
    duration_seconds: int | str = 8
    aspect_ratio: str = "16:9"
    resolution: str = "720p"
    sample_count: int = 1


class _Asked(Struct, rename="camel"):
    operation_name: str


class _Body(Struct):
    instances: list[_Instance]
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


def _begin(exchange: Exchange, place: str, model: str) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    short = re.sub(r"-generate-(preview|001)$", "", model)
    sku = f"google/{short}"
    if not short.startswith("veo-"):
        raise NotFoundError(f"Publisher Model `{model:.60}` was not found", code="model_not_found")
    desk.prices.card(sku)
    body = read_google(exchange.body(), _Body)
    asked = body.parameters
    seconds = int(asked.duration_seconds) if str(asked.duration_seconds).isdigit() else 0
    if len(body.instances) != 1 or not body.instances[0].prompt or asked.sample_count != 1:
        raise BadRequestError("one instance with a prompt, and one sample")
    if seconds not in _LENGTHS or asked.resolution not in _SIZES or asked.aspect_ratio not in {"16:9", "9:16"}:
        raise BadRequestError("durationSeconds: 4, 6 or 8; resolution: 720p, 1080p or 4k; aspectRatio: 16:9 or 9:16")
    fault = let_in(exchange, sku, msgspec.json.encode(body))
    name = desk.new_id(f"{place}/publishers/google/models/{model}/operations/sb")
    job = {
        "sku": sku, "seconds": seconds, "size": asked.resolution, "created": desk.clock.now(), "billed": False,
        "identity": exchange.headers.get("idempotency-key", ""), "blocked": _BLOCKED in body.instances[0].prompt,
        "fault": fault,
    }  # fmt: skip
    return begun(desk, name, job, done=lambda: _made(desk, name, job), answer=lambda: {"name": name})


def _look(exchange: Exchange, place: str, model: str) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    name = read_google(exchange.body(), _Asked).operation_name
    if not name.startswith(f"{place}/publishers/google/models/{model}/operations/"):
        raise BadRequestError("The operation is not one of this model")
    job = desk.store.get(name)
    end = job["created"] + desk.scenario.video_seconds
    if desk.clock.now() < end:
        return document({"name": name})
    if desk.clock.now() >= end + _KEPT_SECONDS:
        raise NotFoundError("the operation has expired", code="expired")
    if desk.failed("veo", name):
        return document({"name": name, "done": True, "error": {"code": 13, "message": "The video could not be made."}})
    made: dict[str, Any] = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["The video was blocked."]}
    if not job["blocked"]:
        _made(desk, name, job)
        video = {"bytesBase64Encoded": base64.b64encode(FILM).decode(), "mimeType": "video/mp4"}
        made = {"raiMediaFilteredCount": 0, "videos": [video]}
    kind = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"
    return spoilt(job["fault"], document({"name": name, "done": True, "response": {"@type": kind, **made}}))


def _made(desk: Desk, name: str, job: dict[str, Any]) -> None:
    """Write the row of a video that is there, once."""
    if job["billed"]:
        return
    job["billed"] = True
    row = Row(
        id=name, at=0.0, day="", maker="google", model=job["sku"], kind="video", identity=job["identity"],
        delivered=job["fault"] not in UNDELIVERED,
    )  # fmt: skip
    bill(desk, job["sku"], Fraction(job["seconds"]), row, resolution=job["size"], counted=False)


_MODEL = r"/v1(?:beta1)?/(?P<place>projects/[^/]+/locations/[^/]+)/publishers/google/models/(?P<model>[^/:]+)"
ROUTES: tuple[Route, ...] = (
    ("POST", rf"{_MODEL}:predictLongRunning", _begin),
    ("POST", rf"{_MODEL}:fetchPredictOperation", _look),
)
