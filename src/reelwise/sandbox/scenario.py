"""What a sandbox does: how hard the items are, how good the models, how slow the lines, and what goes wrong. One YAML file."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from reelwise.documents import decode, read_yaml
from reelwise.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AnswerRule", "Fault", "Latency", "Limits", "ModelSkill", "Need", "Output", "Scenario"]

FaultKind = Literal[
    "429", "500", "503", "504", "lost_request", "lost_reply", "cut_stream", "slow", "bad_json", "no_usage", "refused"
]


class ModelSkill(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How good some models are.

    Attributes:
        match: a pattern of their names; the first that fits counts.
        skill: 0..1: an item whose difficulty is that gets a right answer half of the time.
        sharpness: how quickly right turns to wrong with difficulty.
        doubt: how far what it says of its confidence may be off, 0..1.
    """

    match: str
    skill: float = 0.8
    sharpness: float = 12.0
    doubt: float = 0.1


class AnswerRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is answered to some prompts.

    Attributes:
        match: a pattern that the prompt's text must hold.
        labels: what a right or wrong answer is chosen from.
        text: the answer as it is; {label} and {confidence} are filled in.
        means: what the prompt means: all prompts with the same meaning are answered alike, about the same item.
    """

    match: str = ""
    labels: tuple[str, ...] = ()
    text: str = ""
    means: str = ""


class Need(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of the instructions that some answers depend on: without them, these items get another answer.

    With needs, what is right of an item, and what is answered, is drawn from the item and the question alone (the last text of a call): other
    instructions may be reworded or left out, and change nothing.

    Attributes:
        match: a pattern that the prompt must hold.
        share: of the items, 0..1, whose answers need it.
    """

    match: str
    share: float


class Output(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long answers are, in tokens: a median, and the spread of its logarithm; reasoning likewise, hidden and billed."""

    tokens: float = 60.0
    spread: float = 0.35
    reasoning: float = 0.0


class Latency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How slow it is: to the first byte (median, spread of its logarithm), and tokens a second; 0 for at once.

    With `streams_only` whole answers come at once, which spares tests the wait.
    """

    first_ms: float = 0.0
    spread: float = 0.3
    tokens_second: float = 0.0
    streams_only: bool = False


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests and tokens a minute for each key and model; 0 for no limit."""

    requests_minute: float = 0.0
    tokens_minute: float = 0.0


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong, and how often.

    Attributes:
        kind: a status that is answered unbilled (429, 500, 503) or billed (504); lost_request (the line breaks before it is accepted),
            lost_reply (it is done, billed, and the line breaks), cut_stream (the line breaks within an answer), slow (bytes trickle), bad_json
            and no_usage (billed answers that cannot be read, or do not say what they used), refused (content, billed for its input).
        share: of the calls, 0..1.
        match: a pattern of the model's name.
        retry_after: seconds that a 429 or 503 asks for.
    """

    kind: FaultKind
    share: float
    match: str = ""
    retry_after: float | None = None


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it; what is left out does nothing.

    Attributes:
        seed: everything that is drawn comes from it and from the bytes of the call: the same call gets the same answer.
        day: the first day that prices are taken at, and the clock begins at noon of; empty is today.
        clock_speed: seconds of the sandbox's clock in one of ours: batches, caches and video jobs end sooner.
        difficulty: how hard items are, 0..1: mean and spread.
        models: how good which models are; others are 0.8.
        answers: what is answered to which prompts.
        needs: which words of the instructions some answers depend on; without any, each word changes every answer.
        output: how long answers are.
        latency: how slow the line is.
        limits: what is let through.
        faults: what goes wrong.
        keys: the keys that are taken; empty takes any.
        prices: in place of the sandbox's own: {"gpt-4o": {"input": 2.6}}.
        automatic_cache: makers whose models keep prefixes by themselves (openai, google). Without it OpenAI's do so for calls that carry
            a prompt_cache_key: what is kept by chance in reality would make a bill depend on chance here.
        cache_seconds: how long kept prefixes live (Anthropic's and OpenAI's; each use begins it anew).
        batch_seconds: how long a batch takes, of the sandbox's clock; above 86,400 it expires.
        batch_done: the share of a batch's rows that are answered; the rest fail, or expire with it.
        video_seconds: how long a video job takes, likewise.
        video_failed: the share of video jobs that fail, unbilled.
        idempotent: calls with an Idempotency-Key that was seen are answered again, and billed once.
    """

    seed: int = 0
    day: str = ""
    clock_speed: float = 1.0
    difficulty: tuple[float, float] = (0.4, 0.25)
    models: tuple[ModelSkill, ...] = ()
    answers: tuple[AnswerRule, ...] = ()
    needs: tuple[Need, ...] = ()
    output: Output = Output()
    latency: Latency = Latency()
    limits: Limits = Limits()
    faults: tuple[Fault, ...] = ()
    keys: tuple[str, ...] = ()
    prices: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    automatic_cache: tuple[str, ...] = ()
    cache_seconds: float = 300.0
    batch_seconds: float = 60.0
    batch_done: float = 1.0
    video_seconds: float = 60.0
    video_failed: float = 0.0
    idempotent: bool = False

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            DocumentError: says which field.
        """
        shares = {"batch_done": self.batch_done, "video_failed": self.video_failed}
        shares |= {f"faults[{at}].share": fault.share for at, fault in enumerate(self.faults)}
        shares |= {f"needs[{at}].share": one.share for at, one in enumerate(self.needs)}
        shares |= {f"models[{at}].skill": one.skill for at, one in enumerate(self.models)}
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise DocumentError(f"{value} is no share", where=name, hint="0 to 1")
        if sum(fault.share for fault in self.faults if not fault.match) > 1:
            raise DocumentError("the shares of all faults are more than 1", where="faults", hint="lower them")
        if self.day:
            try:
                dt.date.fromisoformat(self.day)
            except ValueError:
                raise DocumentError(f"{self.day!r:.40} is no day", where="day", hint="2026-11-28") from None
        positive = {"clock_speed": self.clock_speed, "output.tokens": self.output.tokens}
        for name, value in positive.items():
            if not 0 < value < math.inf:
                raise DocumentError(f"{value}", where=name, hint="more than 0")
        patterns = [one.match for one in self.models] + [one.match for one in self.answers]
        patterns += [*(one.match for one in self.faults), *(one.match for one in self.needs)]
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise DocumentError(
                    f"{pattern!r:.40} is no pattern: {error}", where="match", hint="a word does"
                ) from None

    @classmethod
    def load(cls, path: Path) -> Scenario:
        """Read a scenario file.

        Raises:
            DocumentError: says what is wrong where.
        """
        found = decode(read_yaml(path) or {}, cls, where=str(path))
        found.check()
        return found
