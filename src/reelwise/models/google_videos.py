"""Jobs that generate video at Google (Veo): an operation is begun, asked after, and brings its video with its last answer.

The paths and shapes are Vertex AI's, as google-genai 3.6.1 writes and reads them: since then that client generates no video by the Gemini
API any more ("only supported in Gemini Enterprise Agent Platform mode").
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from msgspec import Struct

from reelwise.errors import InputError, RefusedError
from reelwise.models.body import json_body
from reelwise.models.endpoint import Endpoint
from reelwise.models.films import VideoJob, write_film
from reelwise.models.used import Used
from reelwise.models.vision import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.models.films import Film

__all__ = ["GoogleVideos"]

_MODELS = {
    "google/veo-3.1": "veo-3.1-generate-001",
    "google/veo-3.1-fast": "veo-3.1-fast-generate-001",
    "google/veo-3.1-lite": "veo-3.1-lite-generate-001",
    "google/veo-3.0": "veo-3.0-generate-001",
    "google/veo-2.0": "veo-2.0-generate-001",
}
"""Rate cards, and the API's names of them where nothing else is said (docs of gemini_ex 0.14.0 and of docs.gmicloud.ai, read 2026-11-28; that
of 3.1 fast is taken to be like the others)."""
_SIZES = {720: "720p", 1080: "1080p", 2160: "4k"}
_REFUSED = 3  # INVALID_ARGUMENT: what the safety filters say no to before anything is made


class _Made(Struct, rename="camel"):
    bytes_base64_encoded: str = msgspec.field(default="", name="bytesBase64Encoded")
    gcs_uri: str = ""


class _Response(Struct, rename="camel"):
    videos: list[_Made] = []
    rai_media_filtered_count: int = 0
    rai_media_filtered_reasons: list[str] = []


class _Operation(Struct):
    name: str
    done: bool = False
    error: Trouble | None = None
    response: _Response | None = None


class GoogleVideos(Endpoint):
    """Google's video generation; see `Endpoint` for the arguments and `FilmWire` for what it does. The key is an access token.

    Args:
        url: with the project that is billed: https://us-central1-aiplatform.googleapis.com/v1/projects/PROJECT/locations/us-central1
        key, rest: see `Endpoint`.

    Raises:
        InputError: no address: nobody knows which project to bill.
    """

    provider = "google"
    variable = "GOOGLE_ACCESS_TOKEN"
    lengths = (4, 6, 8)
    sells: ClassVar[frozenset[str]] = frozenset(_MODELS)

    def __init__(self, url: str = "", key: str | None = None, **rest: Any) -> None:
        if not url:
            raise InputError(
                "which project is billed is not said", where="url",
                hint="https://us-central1-aiplatform.googleapis.com/v1/projects/PROJECT/locations/us-central1",
            )  # fmt: skip
        super().__init__(url, key, **rest)

    def create(self, film: Film, *, identity: str, timeout_seconds: float = 120.0) -> VideoJob:
        """Ask for a video; see `FilmWire.create`.

        Raises:
            InputError: a size that it does not make.
        """
        film.check()
        parameters = {
            "durationSeconds": film.seconds, "aspectRatio": "16:9" if film.width >= film.height else "9:16",
            "resolution": _resolution(film), "sampleCount": 1,
        }  # fmt: skip
        document = {"instances": [{"prompt": film.prompt}], "parameters": parameters}
        path = f"{_path(film)}:predictLongRunning"
        sent = self.send("POST", path, body=json_body(document), seconds=timeout_seconds, identity=identity)
        return self._job(self.json(sent, _Operation)[0], film)

    def look(self, job_id: str, film: Film, *, timeout_seconds: float = 60.0) -> VideoJob:
        """Ask how far it is; its length and size are those that were asked for, since the answer does not repeat them."""
        return self._job(self._operation(job_id, film, timeout_seconds), film)

    def fetch(self, job: VideoJob, file: Path, *, timeout_seconds: float = 600.0) -> int:
        """Write the video to a file; see `FilmWire.fetch`."""
        found = self._operation(job.id, job.film, timeout_seconds) if job.film is not None else None
        videos = found.response.videos if found is not None and found.response is not None else []
        data = next((one.bytes_base64_encoded for one in videos if one.bytes_base64_encoded), "")
        if not data:
            raise RefusedError("there is no video", where=job.id, hint="it is not done, or failed", reason="missing")
        return write_film(base64.b64decode(data), file)

    def _operation(self, job_id: str, film: Film, seconds: float) -> _Operation:
        path, document = f"{_path(film)}:fetchPredictOperation", {"operationName": job_id}
        sent = self.send("POST", path, body=json_body(document), seconds=seconds, safe=True, counted=False)
        return self.json(sent, _Operation)[0]

    def _job(self, found: _Operation, film: Film) -> VideoJob:
        if not found.done:
            return VideoJob(id=found.name, state="running", film=film)
        if found.error is not None and found.error.code:
            why = self._key.scrub(found.error.message)[:300]
            return VideoJob(id=found.name, state="failed", why=why, refused=found.error.code == _REFUSED)
        made = found.response or _Response()
        if not any(one.bytes_base64_encoded or one.gcs_uri for one in made.videos):
            why = "; ".join(made.rai_media_filtered_reasons)[:300] or "no video came of it"
            return VideoJob(
                id=found.name, state="failed", why=why, refused=bool(made.rai_media_filtered_count), unsure=True
            )
        used = Used(
            provider="google", model=film.model, seconds_output=float(film.seconds), resolution=_resolution(film),
            request_id=found.name,
        )  # fmt: skip
        return VideoJob(id=found.name, state="done", used=used, progress=100, film=film)


def _path(film: Film) -> str:
    return f"/publishers/google/models/{film.name or _MODELS.get(film.model, film.model)}"


def _resolution(film: Film) -> str:
    size = _SIZES.get(min(film.width, film.height))
    if size is None:
        raise InputError(f"makes no {film.width}x{film.height} px", where=film.model, hint="1280x720, 1920x1080")
    return size
