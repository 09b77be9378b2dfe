"""Jobs that generate video (OpenAI's videos): create, look, fetch, fail, expire; what it costs is known from its first final state."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import quote

from msgspec import Struct

from reelwise.models.body import json_body
from reelwise.models.films import VideoJob, save_film
from reelwise.models.openai import OpenAI
from reelwise.models.used import Used

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.models.films import Film

__all__ = ["VideoJobs"]

_STATES: dict[str, Literal["running", "done", "failed"]] = {"completed": "done", "failed": "failed"}
_REFUSED = ("moderation", "content_policy", "safety")
_HIGH = "-high-res"


class _Error(Struct):
    code: str = ""
    message: str = ""


class _Video(Struct):
    id: str
    status: str
    model: str
    seconds: str
    size: str
    progress: int = 0
    expires_at: int | None = None
    error: _Error | None = None


class VideoJobs(OpenAI):
    """OpenAI's video API; see `Endpoint` for the arguments and `FilmWire` for what it does."""

    lengths = (4, 8, 12)
    sells: ClassVar[frozenset[str]] = frozenset({"openai/sora-2", "openai/sora-2-pro", "openai/sora-2-pro-high-res"})

    def create(self, film: Film, *, identity: str, timeout_seconds: float = 120.0) -> VideoJob:
        """Ask for a video; see `FilmWire.create`."""
        film.check()
        model = film.name or film.model.removeprefix("openai/").removesuffix(_HIGH)  # that card is a price, not a model
        size = f"{film.width}x{film.height}"
        document = {"model": model, "prompt": film.prompt, "seconds": str(film.seconds), "size": size}
        sent = self.send("POST", "/videos", body=json_body(document), seconds=timeout_seconds, identity=identity)
        return self._job(self.json(sent, _Video)[0])

    def look(self, job_id: str, film: Film, *, timeout_seconds: float = 60.0) -> VideoJob:  # noqa: ARG002 - its answer says it all
        """Ask how far it is."""
        path = f"/videos/{quote(job_id, safe='')}"
        sent = self.send("GET", path, seconds=timeout_seconds, safe=True, counted=False)
        return self._job(self.json(sent, _Video)[0])

    def fetch(self, job: VideoJob, file: Path, *, timeout_seconds: float = 600.0) -> int:
        """Write the video to a file; see `FilmWire.fetch`."""
        path = f"/videos/{quote(job.id, safe='')}/content"
        return save_film(self.send("GET", path, seconds=timeout_seconds, safe=True, counted=False), file)

    def _job(self, video: _Video) -> VideoJob:
        state = _STATES.get(video.status, "running")
        used = None
        if state == "done":
            unpriced = "" if video.seconds.isdigit() else f"it says {video.seconds!r:.20} of its length"
            used = Used(
                provider="openai", model=f"openai/{video.model}", resolution=video.size, unpriced=unpriced,
                seconds_output=float(video.seconds) if not unpriced else 0.0, request_id=video.id,
            )  # fmt: skip
        code = video.error.code if video.error is not None else ""
        why = self._key.scrub(video.error.message or code)[:300] if video.error is not None else ""
        return VideoJob(
            id=video.id, state=state, used=used, progress=video.progress, expires=video.expires_at, why=why,
            refused=any(word in code.lower() for word in _REFUSED),
        )  # fmt: skip
