"""What became of one call, and of one item."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

__all__ = ["Outcome", "OutcomeStatus", "metered_units"]

OutcomeStatus = Literal["ok", "refused", "unreadable", "ambiguous", "failed", "cached"]

UNITS = (
    "tokens_text", "tokens_image", "tokens_video", "tokens_audio", "tokens_cached", "tokens_cache_write", "tokens_output",
)  # fmt: skip


class Outcome(Struct, frozen=True, kw_only=True):
    """One call about one item, or a part of one.

    Attributes:
        identity: the call's own id, the same when a run is resumed; what the endpoint and the ledger know it by.
        sent_as: what they know it by where that is another: a row of a batch, a call that is made again.
        clip: path of the clip; `item` is its place in the source.
        lane, stage: where in the plan.
        chunk, chunks: which part of the item, of how many.
        question: which of the questions; -1 for all of them at once, which are `asked` many.
        labelled: whether the answer is one of some labels.
        kind: call; cache: what all questions about an item share was put into an explicit cache; embed: the vector that a router decides on,
            which belongs to no item (-1).
        model, mode: what was called, and the tier that the answer names.
        status: ok; refused (content); unreadable (billed, and no use); ambiguous (nobody knows whether it is billed: all that was held
            is counted); failed (not billed); cached (answered from what is kept: no call).
        text, label, confidence, finish: the answer.
        answers: to several questions asked at once.
        cost_nano: what was posted for it; `held_nano` what was held.
        units: what it used, as its answer says, by unit.
        text_expected: tokens of text that were expected; image_expected of pictures; prefix_expected of what a prompt cache was to keep.
        unpriced: why what it used cannot be priced (all that was held is counted); empty where it can.
        error: what went wrong, in words; `reason` in a word.
        attempts, latency_ms: how often it was sent, and how long the one that was answered took.
        request_id: the vendor's id of it.
    """

    identity: str
    clip: str
    item: int
    sent_as: str = ""
    lane: str = "main"
    stage: int = 0
    chunk: int = 0
    chunks: int = 1
    question: int = 0
    asked: int = 1
    labelled: bool = False
    kind: Literal["call", "cache", "embed"] = "call"
    model: str = ""
    mode: str = "standard"
    status: OutcomeStatus = "ok"
    text: str = ""
    label: str = ""
    confidence: float | None = None
    finish: str = "stop"
    answers: tuple[str, ...] = ()
    cost_nano: int = 0
    held_nano: int = 0
    units: dict[str, float] = msgspec.field(default_factory=dict)
    text_expected: int = 0
    image_expected: int = 0
    prefix_expected: int = 0
    unpriced: str = ""
    error: str = ""
    reason: str = ""
    attempts: int = 1
    latency_ms: float = 0.0
    request_id: str = ""

    @property
    def paid(self) -> bool:
        """Whether it is over: answered, refused, or perhaps billed. What is not is made again when a run is resumed."""
        return self.status != "failed"

    @property
    def text_metered(self) -> float:
        """Tokens of text: where an answer does not tell pictures from text, less those that its pictures are by rule."""
        text = self.units.get("tokens_text", 0.0)
        return text if self.units.get("tokens_image") else max(0.0, text - self.image_expected)

    @property
    def known(self) -> bool:
        """Whether its cost is known, and not just what was held."""
        return self.status not in {"ambiguous", "failed"} and not self.unpriced


def metered_units(request: Any) -> dict[str, float]:
    """List what a request used, by unit, without zeros."""
    found = {name: float(getattr(request, name)) for name in (*UNITS, "images", "seconds", "seconds_output")}
    return {name: value for name, value in found.items() if value}
