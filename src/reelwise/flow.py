"""What flows through a plan: classes of items when it is priced, pieces of footage when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import Struct

from reelwise.units import Num

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from reelwise.rates import Book
    from reelwise.requests import Request, Usage
    from reelwise.stages import Call, Escalate, Reuse, Route
    from reelwise.video import Track  # noqa: TC004 - pricing must not import av

__all__ = ["START", "Item", "Out", "Piece", "Runner", "Tally"]


START = "start"
"""The hash of a plan before a stage in which nothing has cut the time."""


class Item(Struct, frozen=True, kw_only=True):
    """One class of clips or moments: `count` a month, all other amounts of ONE of them.

    Attributes:
        count: items a month.
        seconds, frames, audio_seconds, megabytes: what is left of the item at this point of the plan.
        tokens_prefix, tokens_prompt, tokens_output: text of one call about it.
        tokens_output_most: where answers are cut.
        width_px, height_px: size of a frame, plain integers: token rules are functions of whole pixels.
        sampled: frames were chosen by a stage, so a native video part is sent at that rate.
        has_sound: False of a clip that is known to have none: no call for sound alone is made about it.
        sheet: frames in one picture (contact sheet).
        questions, views, duplicates: repetition that no stage has used up yet.
        source_class: the class of users.
        footage: the kind of footage; facts measured on another kind do not hold.
        lane: which calls see it.
        place: edge or cloud.
        decoded: some stage has decoded it already, so that the next one need not.
        frames_again: the stage `reuse` that leaves out frames that look like one that is sent; None where none does.
        basis: evidence mask of the facts used so far.
    """

    count: Num
    seconds: Num
    frames: Num
    width_px: int
    height_px: int
    audio_seconds: Num = 0.0
    megabytes: Num = 0.0
    tokens_prefix: Num = 0.0
    tokens_prompt: Num = 0.0
    tokens_output: Num = 0.0
    tokens_output_most: Num = float("inf")
    sampled: bool = False
    has_sound: bool = True
    sheet: Num = 1.0
    questions: Num = 1.0
    views: Num = 1.0
    duplicates: Num = 1.0
    source_class: str = ""
    footage: str = ""
    lane: str = "main"
    place: str = "cloud"
    decoded: bool = False
    frames_again: Any = None
    basis: int = 0


class Out:
    """Collects what the stages of a plan would be billed for.

    Args:
        book: prices of the day, for stages that depend on them (a chunk below a price cliff).
        day: the day of token rules.
        tally: where counts on real footage go, or None when only pricing.
        runner: what calls models for stages that need their answers; None where none are called.

    Attributes:
        prefix: returns the hash of the plan before the stage that is running; called only where a measured fact needs it.
        calls: the plan's calls before the stage that is running.
    """

    __slots__ = ("book", "calls", "day", "prefix", "requests", "runner", "tally", "usages")

    def __init__(self, book: Book, day: dt.date, tally: Tally | None = None, runner: Runner | None = None) -> None:
        self.book = book
        self.day = day
        self.tally = tally
        self.runner = runner
        self.prefix: Callable[[], str] = str
        self.calls: tuple[Call, ...] = ()
        self.requests: list[Request] = []
        self.usages: list[Usage] = []


class Piece(Struct, frozen=True, kw_only=True):
    """A real clip on its way through a plan.

    Attributes:
        item: its amounts so far, counted (count is 1).
        track: what decoding it once has measured.
        stretches: (start, stop) seconds still in play.
        frames: indices of chosen frames, or None while all are in play.
        box: region of interest as fractions (left, top, right, bottom).
        scan: scans its file as `reelwise.scan.scan` does, and may remember; None scans it each time.
        script: what is said around it, a `reelwise.script.Script`; None where no model is called.
        sheet: columns and rows of frames in one picture; None for a frame a picture.
        answers: what calls answered so far, in order.
        heard: stretches of sound that are sent, in seconds; None for those of the picture.
        turn: of a call that a stage needs to decide: that stage's place in the plan, and what the call is for; None for an answer.
    """

    item: Item
    track: Track
    stretches: tuple[tuple[float, float], ...]
    frames: Any = None
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    scan: Any = None
    script: Any = None
    sheet: tuple[int, int] | None = None
    answers: tuple[Any, ...] = ()
    heard: tuple[tuple[float, float], ...] | None = None
    turn: tuple[int, str] | None = None

    def with_item(self, **changes: Any) -> Piece:
        """Return the piece with some of its item's amounts changed."""
        return msgspec.structs.replace(self, item=msgspec.structs.replace(self.item, **changes))


class Runner(Protocol):
    """Does for real what needs a model's answers, for the stages that ask for it; see `reelwise.run.runner`."""

    def call(self, stage: Call, pieces: Iterable[Piece], out: Out) -> Iterator[Piece]:
        """Call a model about each piece; those that failed do not come back."""

    def route(self, stage: Route, pieces: Iterable[Piece], out: Out) -> Iterator[Piece]:
        """Give each piece its lane."""

    def escalate(self, stage: Escalate, pieces: Iterable[Piece], out: Out) -> Iterator[Piece]:
        """Pass on the pieces whose answers are in doubt."""

    def reuse(self, stage: Reuse, pieces: Iterable[Piece], out: Out) -> Iterator[Piece]:
        """Pass on the pieces that nothing kept answers."""


class Tally:
    """Sums that become measured facts: a fact is the ratio of two sums over all pieces.

    Numerators and denominators are kept per piece, so that an interval can be had by resampling pieces.
    """

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str, str], list[tuple[float, float]]] = {}

    def add(self, name: str, settings: str, prefix: str, part: Num, whole: Num) -> None:
        """Record that `part` of `whole` came out of a stage with these settings behind this plan."""
        self.sums.setdefault((name, settings, prefix), []).append((float(part), float(whole)))
