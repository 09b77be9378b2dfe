"""Call the real services where keys are given, for 0.05 dollars at most, and say which ones were not.

    python scripts/smoke_live.py

Each endpoint gets one small picture and one short question, whole and streamed, with at most 40 tokens of answer. What they may cost at most is
held first, and the run ends before it could pass the limit. It fails where an answer cannot be settled, or its usage is not what we held for.
"""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

from reelwise.charge import Ask, charge, hold
from reelwise.errors import ReelwiseError
from reelwise.models.anthropic import Anthropic
from reelwise.models.gemini import Gemini
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.openai_responses import OpenAIResponses
from reelwise.models.work import Picture, Text, Work, source
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


def main() -> int:
    book = Book.load(dt.datetime.now(tz=dt.UTC).date())
    spent, failed, ran = 0, 0, 0
    for kind, model in ENDS:
        with kind() as end:
            if not end.key.present():
                print(f"{kind.__name__} {model}: not run, {end.key.variable} is not set")
                continue
            try:
                spent += tried(end, model, book, LIMIT_NANO - spent)
                ran += 1
            except ReelwiseError as error:
                failed += 1
                print(f"{kind.__name__} {model}: FAILED: {error}")
    print(f"{ran} of {len(ENDS)} endpoints run, {failed} failed, {spent / 1e9:.9f} USD")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
