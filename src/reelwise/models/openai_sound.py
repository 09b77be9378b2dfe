"""OpenAI's transcripts, by the minute of sound."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import Any, ClassVar

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.models.answer import Answer, Word
from reelwise.models.body import multipart
from reelwise.models.openai import OpenAI
from reelwise.models.used import Used, unread
from reelwise.models.work import Clip, Sound, Work

__all__ = ["BYTES_MAX", "OpenAISound"]

BYTES_MAX = 25 * 2**20 - 2**16
"""Largest sound that it takes, the form around it left out ("the maximum request size is 25 MiB", help.openai.com/en/articles/7031512, read
2026-11-28); of 16 kHz sound in WAV that is 13 minutes."""


class _Usage(Struct):
    type: str = ""
    seconds: float = 0.0


class _Segment(Struct):
    start: float
    end: float
    text: str


class _Transcript(Struct):
    text: str
    usage: dict[str, Any] | None = None
    segments: list[_Segment] = []


class OpenAISound(OpenAI):
    """OpenAI's transcriptions that are billed by duration (whisper-1); see `Endpoint` for the arguments.

    A work's model is its name there, or the id of its rate card, openai/whisper-1.
    """

    can = frozenset({"transcribe"})
    sells: ClassVar[frozenset[str]] = frozenset({"openai/whisper-1"})

    def transcribe(self, work: Work) -> Answer:
        """Write down what is said; the sound goes up from the disk.

        Raises:
            InputError: not one sound, or an address in place of its bytes.
            EndpointError: see `reelwise.models.protocol.Model`.
        """
        work.check()
        sounds = [part for part in work.parts if isinstance(part, (Sound, Clip))]
        if len(sounds) != 1 or sounds[0].source.uri:
            raise InputError("wants one sound, as a file or bytes", where=self.name, hint="add a Sound")
        given = sounds[0].source
        if given.bytes_count > BYTES_MAX:
            size = given.bytes_count / 1e6
            raise InputError(
                f"{size:,.1f} MB of sound are more than it takes at once ({BYTES_MAX / 1e6:.0f} MB)", where=self.name,
                hint="send less of it: chunk: 600",
            )  # fmt: skip
        model = work.model.removeprefix("openai/")
        ending = PurePath(given.path).suffix if given.path else "." + given.mime.rpartition("/")[2]
        fields = [("model", model), ("response_format", "verbose_json")]
        sent = self.post("/audio/transcriptions", multipart(fields, "file", f"sound{ending}", given), work)
        found, _ = self.json(sent, _Transcript)
        words = tuple(
            Word(text=one.text.strip(), start_seconds=one.start, stop_seconds=one.end) for one in found.segments
        )
        answer = Answer(used=_used(found.usage, model), text=found.text, words=words)
        return self.note(answer, sent, work.tokens_expected)


def _used(usage: dict[str, Any] | None, model: str) -> Used:
    seconds = (usage or {}).get("seconds")
    whole = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds < math.inf
    if not usage or usage.get("type") != "duration" or not whole:
        return unread("openai", model, "its usage is no duration", raw=usage)
    return Used(provider="openai", model=f"openai/{model}", seconds=float(seconds or 0.0))
