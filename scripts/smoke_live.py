"""Call the real services where keys are given, for 0.05 dollars at most, and say which ones were not.

    python scripts/smoke_live.py

Each chat gets one small picture and one short question, whole and streamed, with at most 40 tokens of answer; Cloud Vision a picture, Whisper two
seconds of silence. What they may cost at most is held first, and the run ends before it could pass the limit. It fails where an answer cannot be settled, or its usage is not what we held for.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
import wave
from typing import Any

from reelwise.charge import Ask, Media, charge, hold
from reelwise.errors import ReelwiseError
from reelwise.models.anthropic import Anthropic
from reelwise.models.gemini import Gemini
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.openai_responses import OpenAIResponses
from reelwise.models.openai_sound import OpenAISound
from reelwise.models.vision_image import VisionImage
from reelwise.models.work import Picture, Sound, Text, Work, source
from reelwise.rates import Book
from reelwise.testing import png

LIMIT_NANO = 50_000_000
SIDE_PX = 64
QUESTION = "What colour is this picture? One word."
ENDS: tuple[tuple[type[Any], str], ...] = (
    (OpenAIChat, "gpt-5-nano"),
    (OpenAIResponses, "gpt-5-nano"),
    (Gemini, "gemini-2.5-flash-lite"),
    (Anthropic, "claude-haiku-4-5"),
)


def work_of(model: str) -> Work:
    picture = Picture(source=source(png(SIDE_PX, SIDE_PX, 128)))
    return Work(model=model, parts=(picture, Text(text=QUESTION)), tokens_output=40, timeout_seconds=60)


def tried(end: Any, model: str, book: Book, left: int) -> int:
    """Call one endpoint twice and return what it cost, in nano-USD."""
    ask = Ask(model=model, stills=((SIDE_PX, SIDE_PX),), text_bytes=len(QUESTION), tokens_output=40)
    most = hold(ask, book).nano
    if 2 * most > left:
        print(f"{end.name} {model}: not run, {2 * most} nano-USD may pass the limit")
        return 0
    whole = end.ask(work_of(model))
    with end.stream(work_of(model)) as stream:
        pieces = list(stream)
    spent = 0
    for answer in (whole, stream.answer):
        if answer.used.unpriced:
            raise SystemExit(f"{end.name} {model}: {answer.used.unpriced}: {answer.used.raw}")
        nano = charge(answer.used.request(model=model), book).nano
        if nano > most:
            raise SystemExit(f"{end.name} {model}: cost {nano} nano-USD, held {most}: {answer.used.raw}")
        spent += nano
    print(
        f"{end.name} {model}: ok, {spent} nano-USD of {2 * most} held; {len(pieces)} pieces; tier {whole.used.mode}; {whole.text[:40]!r}"
    )
    return spent


def silence() -> bytes:
    """Make two seconds of it, as WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 2 * 8000))
    return out.getvalue()


CARDS: tuple[tuple[type[Any], str, str], ...] = (
    (VisionImage, "google/vision/label", "detect"),
    (OpenAISound, "openai/whisper-1", "transcribe"),
)


def found(end: Any, model: str, task: str, book: Book, left: int) -> int:
    """Call one service that bills no tokens, once, and return what it cost at list price, in nano-USD."""
    picture, sound = Picture(source=source(png(SIDE_PX, SIDE_PX, 128))), Sound(source=source(silence(), "audio/wav"))
    heard = task == "transcribe"
    media = Media(seconds=2.0, has_audio=True) if heard else None
    ask = Ask(
        model=model, media=media, part="audio" if heard else "images", stills=() if heard else ((SIDE_PX, SIDE_PX),)
    )
    most = hold(ask, book).nano
    if most > left:
        print(f"{end.name} {model}: not run, {most} nano-USD may pass the limit")
        return 0
    answer = getattr(end, task)(Work(model=model, parts=(sound if heard else picture,), timeout_seconds=60))
    if answer.used.unpriced:
        raise SystemExit(f"{end.name} {model}: {answer.used.unpriced}: {answer.used.raw}")
    nano = charge(answer.used.request(model=model), book, free_tiers=False).nano
    if nano > most:
        raise SystemExit(f"{end.name} {model}: cost {nano} nano-USD, held {most}")
    print(f"{end.name} {model}: ok, {nano} nano-USD of {most} held; {answer.text[:40]!r}")
    return nano


def main() -> int:
    book = Book.load(dt.datetime.now(tz=dt.UTC).date())
    spent, failed, ran = 0, 0, 0
    for kind, model, task in (*((kind, model, "") for kind, model in ENDS), *CARDS):
        with kind() as end:
            if not end.key.present():
                print(f"{kind.__name__} {model}: not run, {end.key.variable} is not set")
                continue
            left = LIMIT_NANO - spent
            try:
                spent += found(end, model, task, book, left) if task else tried(end, model, book, left)
                ran += 1
            except ReelwiseError as error:
                failed += 1
                print(f"{kind.__name__} {model}: FAILED: {error}")
    print(f"{ran} of {len(ENDS) + len(CARDS)} endpoints run, {failed} failed, {spent / 1e9:.9f} USD")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
