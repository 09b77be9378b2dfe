"""Jobs that generate video with Gemini's API (Veo): an operation is begun, looked at, and its video fetched from where it says.

Shapes as google-genai 3.6.1 reads and writes them. A third party's notes say that Veo left the Gemini API for Vertex AI (wiki of
gunpal5/Google_GenerativeAI, read 2026-11-28): then a model is refused as gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from reelwise.errors import AnswerError, InputError, RefusedError
from reelwise.models.body import json_body
from reelwise.models.endpoint import Endpoint
from reelwise.models.films import VideoJob, save_film
from reelwise.models.used import Used
from reelwise.models.vision import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.models.films import Film

__all__ = ["GeminiVideos"]

_MODELS = {
    "google/veo-3.1": "veo-3.1-generate-preview",
    "google/veo-3.1-fast": "veo-3.1-fast-generate-preview",
    "google/veo-3.1-lite": "veo-3.1-lite-generate-preview",
    "google/veo-3.0": "veo-3.0-generate-001",
    "google/veo-2.0": "veo-2.0-generate-001",
}
"""Rate cards, and the API's names of them (docs of gemini_ex 0.11.0 and 0.14.0; that of the lite model from public code, read 2026-11-28)."""
_SIZES = {720: "720p", 1080: "1080p", 2160: "4k"}
_REFUSED = 3  # INVALID_ARGUMENT: what the safety filters say no to before anything is made


class _Uri(Struct):
    uri: str = ""


class _Sample(Struct):
    video: _Uri | None = None


class _Made(Struct, rename="camel"):
    generated_samples: list[_Sample] = []
    rai_media_filtered_count: int = 0
    rai_media_filtered_reasons: list[str] = []


class _Response(Struct, rename="camel"):
    generate_video_response: _Made = msgspec.field(default_factory=_Made)


class _Operation(Struct):
    name: str
    done: bool = False
    error: Trouble | None = None
    response: _Response | None = None


class GeminiVideos(Endpoint):
    """Gemini's video generation; see `Endpoint` for the arguments and `FilmWire` for what it does."""

    provider = "google"
    variable = "GEMINI_API_KEY"
    address = "https://generativelanguage.googleapis.com/v1beta"
    lengths = (4, 6, 8)
    sells: ClassVar[frozenset[str]] = frozenset(_MODELS)

    def _headers(self) -> dict[str, str]:
        key = self._key.read()
        return {"x-goog-api-key": key} if key else {}

    def create(self, film: Film, *, identity: str, timeout_seconds: float = 120.0) -> VideoJob:
        """Ask for a video; see `FilmWire.create`.

        Raises:
            InputError: a size that it does not make.
        """
        film.check()
        size = _resolution(film)
        parameters = {
            "durationSeconds": film.seconds, "aspectRatio": "16:9" if film.width >= film.height else "9:16",
            "resolution": size, "sampleCount": 1,
        }  # fmt: skip
        document = {"instances": [{"prompt": film.prompt}], "parameters": parameters}
        path = f"/models/{_MODELS.get(film.model, film.model)}:predictLongRunning"
        sent = self.send("POST", path, body=json_body(document), seconds=timeout_seconds, identity=identity)
        return self._job(self.json(sent, _Operation)[0], film)

    def look(self, job_id: str, film: Film, *, timeout_seconds: float = 60.0) -> VideoJob:
        """Ask how far it is; its length and size are those that were asked for, since the answer does not repeat them."""
        sent = self.send("GET", f"/{job_id}", seconds=timeout_seconds, safe=True, counted=False)
        return self._job(self.json(sent, _Operation)[0], film)

    def fetch(self, job: VideoJob, file: Path, *, timeout_seconds: float = 600.0) -> int:
        """Write the video to a file; see `FilmWire.fetch`. Its address must be on the endpoint's own host: the key goes with it."""
        if not job.at:
            raise RefusedError("there is no video", where=job.id, hint="it is not done, or failed", reason="missing")
        parts = urlsplit(job.at)
        if parts.hostname != self._http.host:
            raise AnswerError(f"its video lies on another host ({parts.hostname})", where=job.id, reason="schema")
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        sent = self.send("GET", path, seconds=timeout_seconds, safe=True, counted=False, rooted=True)
        return save_film(sent, file)

    def _job(self, found: _Operation, film: Film) -> VideoJob:
        if not found.done:
            return VideoJob(id=found.name, state="running")
        if found.error is not None and found.error.code:
            why = self._key.scrub(found.error.message)[:300]
            return VideoJob(id=found.name, state="failed", why=why, refused=found.error.code == _REFUSED)
        made = found.response.generate_video_response if found.response is not None else _Made()
        at = next((one.video.uri for one in made.generated_samples if one.video is not None and one.video.uri), "")
        if not at:
            why = "; ".join(made.rai_media_filtered_reasons)[:300] or "no video came of it"
            return VideoJob(
                id=found.name, state="failed", why=why, refused=bool(made.rai_media_filtered_count), unsure=True
            )
        used = Used(
            provider="google", model=film.model, seconds_output=float(film.seconds), resolution=_resolution(film),
            request_id=found.name,
        )  # fmt: skip
        return VideoJob(id=found.name, state="done", used=used, progress=100, at=at)


def _resolution(film: Film) -> str:
    size = _SIZES.get(min(film.width, film.height))
    if size is None:
        raise InputError(f"makes no {film.width}x{film.height} px", where=film.model, hint="1280x720, 1920x1080")
    return size
