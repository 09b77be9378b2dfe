"""One call to a model, as data: what is shown to it, what is asked, and how it may answer."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    import os

__all__ = ["Clip", "Part", "Picture", "Sound", "Source", "Text", "Work", "identity", "source"]

_MODES = ("standard", "batch", "flex", "priority", "fast")
_PARTS_MAX = 10_000
_TIMEOUT_MAX_SECONDS = 7_200.0
_IDENTITY = re.compile(r"[A-Za-z0-9_.:/-]{1,120}")
_MIMES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".ts": "video/mp2t",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
}


def identity() -> str:
    """Make an id for a call."""
    return secrets.token_hex(16)


class Source(Struct, frozen=True, kw_only=True):
    """Where the bytes of a picture, clip or sound are: in memory, in a file, or at an address that the endpoint fetches.

    Attributes:
        data: the bytes; or
        path: a file, read in pieces when it is sent; or
        uri: an address, or what the endpoint returned for an upload.
        mime: its media type.
    """

    data: bytes = b""
    path: str = ""
    uri: str = ""
    mime: str = ""

    def check(self) -> None:
        """Refuse none or several of them.

        Raises:
            InputError: says what is missing.
        """
        if (bool(self.data) + bool(self.path) + bool(self.uri)) != 1:
            raise InputError("give bytes, a file or an address, one of them", where="source", hint="source(path)")
        if not self.mime and not self.uri:
            raise InputError("its media type is not known", where="source", hint='mime="video/mp4"')

    @property
    def bytes_count(self) -> int:
        """Bytes that are sent; 0 for an address."""
        return Path(self.path).stat().st_size if self.path else len(self.data)


def source(given: bytes | str | os.PathLike[str], mime: str = "") -> Source:
    """Make a source of bytes, a path, or an address (http, https, gs, data or files/...).

    Raises:
        InputError: no such file, or a media type that cannot be told.
    """
    if isinstance(given, bytes):
        found = Source(data=given, mime=mime or _sniffed(given))
    elif isinstance(given, str) and re.match(r"(?:https?|gs|data):|files/", given):
        found = Source(uri=given, mime=mime)
    else:
        path = Path(given)
        if not path.is_file():
            raise InputError("no such file", where=str(path), hint="name a clip, a picture or a sound")
        found = Source(path=str(path), mime=mime or _MIMES.get(path.suffix.lower(), ""))
    found.check()
    return found


def _sniffed(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF":
        return "image/webp" if data[8:12] == b"WEBP" else "audio/wav"
    return "video/mp4" if data[4:8] == b"ftyp" else ""


class Text(Struct, frozen=True, kw_only=True, tag="text"):
    """Words.

    Attributes:
        text: what is said.
        keep: everything up to here is to be kept in a prompt cache, where the endpoint takes marks; elsewhere it does nothing.
    """

    text: str
    keep: bool = False


class Picture(Struct, frozen=True, kw_only=True, tag="picture"):
    """A still picture.

    Attributes:
        source: its bytes.
        detail: the model's level: low, high, original, ...; empty is its default.
        keep: see `Text`.
    """

    source: Source
    detail: str = ""
    keep: bool = False


class Clip(Struct, frozen=True, kw_only=True, tag="clip"):
    """A video that is sent as a video.

    Attributes:
        source: its bytes.
        fps: frames a second that the model looks at; None is its own rate.
        start_seconds, stop_seconds: the stretch that it looks at; None for the whole clip.
        detail: the model's media resolution; empty is its default.
        keep: see `Text`.
    """

    source: Source
    fps: float | None = None
    start_seconds: float | None = None
    stop_seconds: float | None = None
    detail: str = ""
    keep: bool = False


class Sound(Struct, frozen=True, kw_only=True, tag="sound"):
    """Sound alone.

    Attributes:
        source: its bytes.
        keep: see `Text`.
    """

    source: Source
    keep: bool = False


Part: TypeAlias = Text | Picture | Clip | Sound


class Work(Struct, frozen=True, kw_only=True):
    """One call to a model.

    Attributes:
        model: the model's name at this endpoint.
        parts: what it is shown and asked, in this order.
        system: instructions in front of it all.
        system_keep: the instructions are to be kept in a prompt cache.
        keep_hour: what is marked to be kept is kept for an hour, at a dearer write, where the endpoint has two times.
        labels: what it may answer, for moderate and detect; empty for whatever it knows.
        schema: a JSON Schema that the answer must follow, as JSON; empty for free text.
        tokens_output: the most tokens it may write; None is the model's own limit.
        temperature: None is the endpoint's default.
        seed: likewise.
        confidence: ask how sure it is, where the endpoint says.
        mode: standard, flex, priority or fast; batch is for the batch wires.
        cache: an explicit cache that the call reads from (its name at the endpoint).
        cache_key: what the endpoint may route equal prefixes by.
        identity: the call's own id; the same id is the same call, however often it is sent.
        tokens_expected: tokens that the limiter counts it as before it is made; 0 is unknown.
        timeout_seconds: for the whole call, waiting for the limiter and all attempts included.
    """

    model: str
    parts: tuple[Part, ...]
    system: str = ""
    system_keep: bool = False
    keep_hour: bool = False
    labels: tuple[str, ...] = ()
    schema: bytes = b""
    tokens_output: int | None = None
    temperature: float | None = None
    seed: int | None = None
    confidence: bool = False
    mode: Literal["standard", "batch", "flex", "priority", "fast"] = "standard"
    cache: str = ""
    cache_key: str = ""
    identity: str = msgspec.field(default_factory=identity)
    tokens_expected: int = 0
    timeout_seconds: float = 600.0

    def check(self) -> None:
        """Refuse what no endpoint can take.

        Raises:
            InputError: says which field.
        """
        if not self.model or len(self.model) > 200:
            raise InputError(f"{self.model!r:.40} is no model", where="model", hint="its name at the endpoint")
        if not 1 <= len(self.parts) <= _PARTS_MAX:
            raise InputError(f"{len(self.parts)} parts", where="parts", hint=f"1 to {_PARTS_MAX:,}")
        if self.mode not in _MODES:
            raise InputError(f"{self.mode!r:.40} is no mode", where="mode", hint=", ".join(_MODES))
        if self.tokens_output is not None and not 1 <= self.tokens_output <= 10_000_000:
            raise InputError(f"{self.tokens_output} output tokens", where="tokens_output", hint="1 or more")
        if not _IDENTITY.fullmatch(self.identity):
            raise InputError(f"{self.identity!r:.40} is no id", where="identity", hint="letters, digits and _.:/-")
        if not 0.001 <= self.timeout_seconds <= _TIMEOUT_MAX_SECONDS:
            raise InputError(f"{self.timeout_seconds} s", where="timeout_seconds", hint="up to two hours")
        for part in self.parts:
            if not isinstance(part, Text):
                part.source.check()
            if isinstance(part, Clip) and part.fps is not None and not 0 < part.fps <= 240:
                raise InputError(f"{part.fps} frames a second", where="fps", hint="above 0")
        self._check_schema()

    def _check_schema(self) -> None:
        if not self.schema:
            return
        try:
            found = msgspec.json.decode(self.schema)
        except msgspec.DecodeError as error:
            raise InputError(f"is no JSON: {error}", where="schema", hint="a JSON Schema, as text") from None
        if not isinstance(found, dict):
            raise InputError("is no JSON Schema", where="schema", hint='{"type": "object", ...}')

    @property
    def words(self) -> str:
        """All of its text, instructions first."""
        return "\n".join([self.system, *(part.text for part in self.parts if isinstance(part, Text))]).strip()
