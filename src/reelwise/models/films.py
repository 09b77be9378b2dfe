"""Video that is generated: what is asked for, and a job under way. The same for all who sell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec import Struct

from reelwise.errors import InputError, OutputError
from reelwise.models.used import Used

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reelwise.models.endpoint import Sent

__all__ = ["Film", "FilmWire", "VideoJob", "save_film", "write_film"]

_BYTES_MAX = 4_000_000_000


class Film(Struct, frozen=True, kw_only=True):
    """A video to be made.

    Attributes:
        model: what makes it: the id of its rate card, or its name at the endpoint.
        name: its name there, where that is another.
        prompt: what it shows.
        seconds: its length.
        width, height: pixels.
    """

    model: str
    prompt: str
    seconds: int
    width: int = 1280
    height: int = 720
    name: str = ""

    def check(self) -> None:
        """Refuse what nobody can make.

        Raises:
            InputError: no prompt, no length or no size.
        """
        if not self.prompt.strip():
            raise InputError("shows nothing", where="prompt", hint="say what it shows")
        if min(self.seconds, self.width, self.height) < 1:
            raise InputError(f"{self.seconds} s of {self.width}x{self.height} px", where="film", hint="more than 0")


class VideoJob(Struct, frozen=True, kw_only=True):
    """A job under way.

    Attributes:
        id: the vendor's; a hold is settled under it, once, however often the job is looked at.
        state: running, done or failed. The last two are final: done is billed, failed is not.
        used: what it is billed by; None while it runs, and where it failed.
        progress: percent.
        expires: seconds since 1970 after which its video is gone; None where nobody says.
        why: of a failure; `refused` where it was the content.
        film: what was asked for, where the endpoint has to be told again.
        unsure: of a failure after which no page of the vendor's says whether it is billed: what was made and then held back.
    """

    id: str
    state: Literal["running", "done", "failed"]
    used: Used | None = None
    progress: int = 0
    expires: int | None = None
    why: str = ""
    refused: bool = False
    film: Film | None = None
    unsure: bool = False


class FilmWire(Protocol):
    """Who generates video: create once, look as often as you like, fetch while it is there."""

    lengths: tuple[int, ...]
    """Seconds that a video may last."""

    def create(self, film: Film, *, identity: str, timeout_seconds: float = 120.0) -> VideoJob:
        """Ask for a video.

        Raises:
            AmbiguousError: it may have been accepted, and be billed when it is done: it is not asked for again.
            EndpointError: it was refused; nothing is billed.
        """

    def look(self, job_id: str, film: Film, *, timeout_seconds: float = 60.0) -> VideoJob:
        """Ask how far it is; `film` is what was asked for, which not every endpoint repeats."""

    def fetch(self, job: VideoJob, file: Path, *, timeout_seconds: float = 600.0) -> int:
        """Write the video to a file and return its bytes.

        Raises:
            RefusedError: it is not there: not done, failed or expired.
            OutputError: the file cannot be written; nothing is left of it.
        """


def save_film(sent: Sent, file: Path) -> int:
    """Write the body of an answer to a file, whole or not at all; return its bytes.

    Raises:
        AmbiguousError: it was cut off.
        OutputError: the file cannot be written.
    """
    return _written(file, lambda out: sent.reply.save(out, _BYTES_MAX))


def write_film(data: bytes, file: Path) -> int:
    """Write a video to a file, whole or not at all; return its bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    return _written(file, lambda out: out.write(data))


def _written(file: Path, write: Callable[[Any], int]) -> int:
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as out:
            size = write(out)
        part.replace(file)
    except OSError as error:
        raise OutputError(error.strerror or "cannot be written", where=str(file), hint="check the folder") from None
    finally:
        part.unlink(missing_ok=True)
    return size
