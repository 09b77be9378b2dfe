"""Jobs that generate video (OpenAI's videos): create, look, fetch, fail, expire; what it costs is known from its first final state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from msgspec import Struct

from reelwise.errors import InputError, OutputError
from reelwise.models.body import json_body
from reelwise.models.endpoint import Endpoint
from reelwise.models.used import Used

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VideoJob", "VideoJobs"]

_STATES: dict[str, Literal["running", "done", "failed"]] = {"completed": "done", "failed": "failed"}
_BYTES_MAX = 4_000_000_000


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


class VideoJob(Struct, frozen=True, kw_only=True):
    """A job under way.

    Attributes:
        id: the vendor's; a hold is settled under it, once, however often the job is looked at.
        state: running, done or failed. The last two are final: done is billed, failed is not.
        used: what it is billed by; None while it runs, and where it failed.
        progress: percent.
        expires: seconds since 1970 after which its video is gone; None where nobody says.
        why: of a failure.
    """

    id: str
    state: Literal["running", "done", "failed"]
    used: Used | None = None
    progress: int = 0
    expires: int | None = None
    why: str = ""


class VideoJobs(Endpoint):
    """OpenAI's video API; see `Endpoint` for the arguments."""

    provider = "openai"
    variable = "OPENAI_API_KEY"
    address = "https://api.openai.com/v1"

    def create(
        self, model: str, prompt: str, seconds: int, size: str, *, identity: str, timeout_seconds: float = 120.0
    ) -> VideoJob:
        """Ask for a video.

        Args:
            model: sora-2, sora-2-pro.
            prompt: what it shows.
            seconds: its length: 4, 8 or 12.
            size: "1280x720".
            identity: the call's own id.
            timeout_seconds: for the exchange, not for the job.

        Raises:
            AmbiguousError: it may have been accepted, and be billed when it is done: it is not asked for again.
            EndpointError: it was refused; nothing is billed.
        """
        if not prompt.strip():
            raise InputError("shows nothing", where="prompt", hint="say what it shows")
        document = {"model": model, "prompt": prompt, "seconds": str(seconds), "size": size}
        sent = self.send("POST", "/videos", body=json_body(document), seconds=timeout_seconds, identity=identity)
        return self._job(self.json(sent, _Video)[0])

    def look(self, job_id: str, *, timeout_seconds: float = 60.0) -> VideoJob:
        """Ask how far it is."""
        path = f"/videos/{quote(job_id, safe='')}"
        sent = self.send("GET", path, seconds=timeout_seconds, safe=True, counted=False)
        return self._job(self.json(sent, _Video)[0])

    def fetch(self, job_id: str, file: Path, *, timeout_seconds: float = 600.0) -> int:
        """Write the video to a file and return its bytes.

        Raises:
            RefusedError: it is not there: not done, failed or expired.
            OutputError: the file cannot be written; nothing is left of it.
        """
        path = f"/videos/{quote(job_id, safe='')}/content"
        sent = self.send("GET", path, seconds=timeout_seconds, safe=True, counted=False)
        part = file.with_name(file.name + ".part")
        try:
            with part.open("wb") as out:
                size: int = sent.reply.save(out, _BYTES_MAX)
            part.replace(file)
        except OSError as error:
            raise OutputError(error.strerror or "cannot be written", where=str(file), hint="check the folder") from None
        finally:
            part.unlink(missing_ok=True)
        return size

    def _job(self, video: _Video) -> VideoJob:
        state = _STATES.get(video.status, "running")
        used = None
        if state == "done":
            unpriced = "" if video.seconds.isdigit() else f"it says {video.seconds!r:.20} of its length"
            used = Used(
                provider="openai", model=f"openai/{video.model}", resolution=video.size, unpriced=unpriced,
                seconds_output=float(video.seconds) if not unpriced else 0.0, request_id=video.id,
            )  # fmt: skip
        why = video.error.message or video.error.code if video.error is not None else ""
        return VideoJob(
            id=video.id, state=state, used=used, progress=video.progress, expires=video.expires_at, why=why
        )  # fmt: skip
