"""What became of one call, and of one item."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

__all__ = ["COPIED", "MORE_UNITS", "UNITS", "Found", "Outcome", "OutcomeStatus", "metered_units"]

OutcomeStatus = Literal["ok", "refused", "unreadable", "ambiguous", "failed", "cached"]

UNITS = (
    "tokens_text", "tokens_image", "tokens_video", "tokens_audio", "tokens_cached", "tokens_cache_write", "tokens_cache_write_1h",
    "tokens_output",
)  # fmt: skip

MORE_UNITS = ("images", "seconds", "seconds_output")
"""What is billed where tokens are not."""


class Found(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a model found: a label with its moment, a box, a stretch of a transcript, a mask. What it does not say is left out.

    Attributes:
        label, confidence: what, and how sure the model is, 0..1.
        text: what was said or written.
        start_seconds, stop_seconds: when, in the clip; the same for a single picture.
        box: left, top, right, bottom in shares of the picture.
        share: of the picture that is foreground, 0..1.
        file: of the mask.
    """

    label: str = ""
    confidence: float | None = None
    text: str = ""
    start_seconds: float | None = None
    stop_seconds: float | None = None
    box: tuple[float, float, float, float] | None = None
    share: float | None = None
    file: str = ""


COPIED: dict[str, Any] = {
    "status": "cached",
    "cost_nano": 0,
    "held_nano": 0,
    "attempts": 0,
    "latency_ms": 0.0,
    "units": {},
    "sent_as": "",
}
"""What an answer that was there already has in place of what the first call cost."""


class Outcome(Struct, frozen=True, kw_only=True):
    """One call about one item, or a part of one.

    Attributes:
        identity: the call's own id, the same when a run is resumed; what the endpoint and the ledger know it by.
        sent_as: what they know it by where that is another: a row of a batch, a call that is made again.
        clip: path of the clip; `item` is its place in the source.
        lane, stage: where in the plan.
        chunk, chunks: which part of the item, of how many.
        question: which of the questions; -1 for all of them at once, which are `asked` many.
        task: what the call did where that is a task of its own: detect, segment, transcribe, describe, generate; empty where it answers `ask`.
        labelled: whether the answer is one of some labels.
        turn: of a call that a stage needs to decide, what it is for: sample 2, second, verify, route; empty for an answer.
        kind: call, or cache: what all questions about an item share was put into an explicit cache.
        model, mode: what was called, and the tier that the answer names.
        status: ok; refused (content); unreadable (billed, and no use); ambiguous (nobody knows whether it is billed: all that was held
            is counted); failed (not billed); cached (answered from what is kept: no call).
        text, label, confidence, finish: the answer.
        answers: to several questions asked at once.
        found: labels with their moments, boxes, stretches of a transcript, masks.
        files: that it left: masks, generated video.
        busy_seconds: of a host's machine: its share where several calls ran at once.
        cost_nano: what was posted for it; `held_nano` what was held.
        units: what it used, as its answer says, by unit.
        text_expected: tokens of text that were expected; image_expected of pictures; prefix_expected of what a prompt cache was to keep.
        reused: how a kept answer was found (exact, question KIND, upload, artefact), or what a call taught of a like question (explored or
            learned, KIND, right or wrong); empty else.
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
    task: str = ""
    labelled: bool = False
    turn: str = ""
    kind: Literal["call", "cache"] = "call"
    model: str = ""
    mode: str = "standard"
    status: OutcomeStatus = "ok"
    text: str = ""
    label: str = ""
    confidence: float | None = None
    finish: str = "stop"
    answers: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    files: tuple[str, ...] = ()
    busy_seconds: float = 0.0
    cost_nano: int = 0
    held_nano: int = 0
    units: dict[str, float] = msgspec.field(default_factory=dict)
    text_expected: int = 0
    image_expected: int = 0
    prefix_expected: int = 0
    reused: str = ""
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
    def hosted(self) -> str:
        """The host that served it; empty where a vendor did."""
        return self.model.removeprefix("host:") if self.model.startswith("host:") else ""

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
    found = {name: float(getattr(request, name)) for name in (*UNITS, *MORE_UNITS)}
    return {name: value for name, value in found.items() if value}
