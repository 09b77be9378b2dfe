"""Gemini's video generation: an operation, billed by the second when its video is there."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.cards import UNDELIVERED, bill, let_in, served
from reelwise.sandbox.errors import BadRequestError, NotFoundError
from reelwise.sandbox.exchange import Exchange, document, spoilt
from reelwise.sandbox.invoice import Row
from reelwise.sandbox.store import Stored
from reelwise.sandbox.vendors import read_google

if TYPE_CHECKING:
    from reelwise.sandbox.exchange import Reply, Route

__all__ = ["FILM", "ROUTES"]

FILM = b"\0\0\0\x18ftypmp42" + bytes(1000)
"""What stands for a generated video."""
_KEPT_SECONDS = 172_800.0
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


class _Body(Struct):
    instances: list[_Instance]
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


def _begin(exchange: Exchange, model: str) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    short = re.sub(r"-generate-(preview|001)$", "", model)
    sku = f"google/{short}"
    if not short.startswith("veo-"):
        raise NotFoundError(f"models/{model:.60} is not found for API version v1beta", code="model_not_found")
    desk.prices.card(sku)
    body = read_google(exchange.body(), _Body)
    asked = body.parameters
    seconds = int(asked.duration_seconds) if str(asked.duration_seconds).isdigit() else 0
    if len(body.instances) != 1 or not body.instances[0].prompt or asked.sample_count != 1:
        raise BadRequestError("one instance with a prompt, and one sample")
    if seconds not in _LENGTHS or asked.resolution not in _SIZES or asked.aspect_ratio not in {"16:9", "9:16"}:
        raise BadRequestError("durationSeconds: 4, 6 or 8; resolution: 720p, 1080p or 4k; aspectRatio: 16:9 or 9:16")
    fault = let_in(exchange, sku, msgspec.json.encode(body))
    name = desk.new_id(f"models/{model}/operations/sb")
    job = {
        "sku": sku, "seconds": seconds, "size": asked.resolution, "created": desk.clock.now(), "file": "",
        "identity": exchange.headers.get("idempotency-key", ""), "blocked": _BLOCKED in body.instances[0].prompt,
        "fault": fault,
    }  # fmt: skip
    if fault in {"bad_json", "no_usage", "cut_stream"}:  # these befall what it says when it is done
        fault = None

    def begin() -> dict[str, Any]:
        desk.store.put(name, job)
        if fault is not None:  # nobody will look: it is made, and billed, all the same
            _made(exchange, name, job)
        return {"name": name}

    return served(fault, begin)


def _look(exchange: Exchange, name: str) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    job = desk.store.get(name)
    if desk.clock.now() < job["created"] + desk.scenario.video_seconds:
        return document({"name": name})
    if desk.failed("veo", name):
        return document({"name": name, "done": True, "error": {"code": 13, "message": "The video could not be made."}})
    made: dict[str, Any] = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["The video was blocked."]}
    if not job["blocked"]:
        _made(exchange, name, job)
        made = {"generatedSamples": [{"video": {"uri": f"{exchange.url}/v1beta/{job['file']}:download?alt=media"}}]}
    kind = "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse"
    found = document({"name": name, "done": True, "response": {"@type": kind, "generateVideoResponse": made}})
    return spoilt(job["fault"], found)


def _made(exchange: Exchange, name: str, job: dict[str, Any]) -> None:
    """Make the file, and write the row, once."""
    if job["file"]:
        return
    desk = exchange.desk
    path = desk.store.new_path()
    path.write_bytes(FILM)
    job["file"] = desk.new_id("files/sb")
    until = job["created"] + desk.scenario.video_seconds + _KEPT_SECONDS
    desk.store.add(job["file"], Stored(path=path, size=path.stat().st_size, mime="video/mp4", until=until))
    row = Row(
        id=name, at=0.0, day="", maker="google", model=job["sku"], kind="video", identity=job["identity"],
        delivered=job["fault"] not in UNDELIVERED,
    )  # fmt: skip
    bill(desk, job["sku"], Fraction(job["seconds"]), row, resolution=job["size"], counted=False)


ROUTES: tuple[Route, ...] = (
    ("POST", r"/v1(?:beta|alpha)?/models/(?P<model>[^/:]+):predictLongRunning", _begin),
    ("GET", r"/v1(?:beta|alpha)?/(?P<name>models/[^/:]+/operations/\w+)", _look),
)
