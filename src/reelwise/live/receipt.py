"""What an adaptive run answers when it is over: what was inferred, what it cost, what was spared, and what went wrong."""

from __future__ import annotations

from msgspec import Struct

from reelwise.live.modes import ModeChange

__all__ = ["LiveReceipt", "Moment", "Overlap", "Timing"]


class Overlap(Struct, frozen=True, kw_only=True):
    """How well masks overlap (IoU) with the same model's mask of the same frame: fidelity to inferring every frame, not to the truth.

    Attributes:
        mean, p5, p1, min: over `frames` frames.
        frames: frames compared.
    """

    mean: float
    p5: float
    p1: float
    min: float
    frames: int


class Timing(Struct, frozen=True, kw_only=True):
    """Milliseconds.

    Attributes:
        mean, p50, p95, p99: mean and percentiles.
    """

    mean: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


class Moment(Struct, frozen=True, kw_only=True):
    """One stretch of the run, for drawing it.

    Attributes:
        seconds: its beginning, in the stream.
        need: the largest need in it; None where nothing was judged.
        frames, inferences: how many there were.
    """

    seconds: float
    need: float | None
    frames: int
    inferences: int


class LiveReceipt(Struct, frozen=True, kw_only=True):
    """The receipt of an adaptive run.

    Attributes:
        model: the main model's name.
        device: the name of the model on the device; empty for none.
        target: what was to be held, in words.
        mode: the mode at the end.
        seconds: from the first frame to the last, in the stream.
        frames: frames that were answered.
        inferences: frames that were sent to the main model.
        inference_share: inferences over frames.
        answers: inferences that brought a usable mask.
        device_inferences: frames that the model on the device looked at.
        reasons: inferences by what asked for them: first, need, age, refresh, again, every frame, a cue's name.
        usd_per_call: the price, exact; empty where none was given.
        cost_usd: what inferences cost.
        cost_nano: the same in whole nano-dollars.
        cost_usd_every_frame: what it had cost to send every frame.
        cost_usd_hour_most: the most that any 60 minutes can have cost under a target in dollars an hour; None without one.
        retries: failures that were tried again at once.
        timeouts: calls that were given up.
        failures: calls that failed, by kind: raised, timeout, shape, dtype, nan, range, or ended (under way when the stream ended).
        failure_last: what went wrong with the last of them, in words.
        denied: calls that a budget refused.
        revoked: calls that were taken back before they began.
        waited: frames that asked for an inference while one was under way.
        dropped: frames that came while another one was being worked on, and were left out.
        frames_blank: frames without a mask that may be shown: the whole picture counts as background.
        frames_black: frames that were black.
        size_changes: how often the picture's size changed.
        stalls: how often no frame came for over a second.
        stall_seconds: how long, in all.
        age_seconds_most: the oldest mask shown as good.
        behind_most: inferences begun after the one whose mask was shown, at most.
        iou: the quality, where it was verified.
        iou_refresh: how well the carried mask overlapped with the new one whenever an inference came back; None where none did.
        threshold: the need from which on frames were inferred, at the end.
        skip_path_ms: CPU of decision and carrying, of frames that were not sent.
        carried_ms: by the clock, what a frame waited that got a carried mask, or none.
        inferred_ms: the same of frames that got their own inference.
        model_ms: the main model's answers.
        mode_changes: the last 100.
        mode_changes_count: all of them.
        mode_seconds: seconds in each mode.
        first_mask_seconds: from the beginning of the run to the first mask; None where there was none.
        moments: the run in up to 1,000 stretches.
        notes: what else was wrong, in words.
    """

    model: str
    device: str
    target: str
    mode: str
    seconds: float
    frames: int
    inferences: int
    inference_share: float
    answers: int
    device_inferences: int
    reasons: dict[str, int]
    usd_per_call: str
    cost_usd: float
    cost_nano: int
    cost_usd_every_frame: float
    cost_usd_hour_most: float | None
    retries: int
    timeouts: int
    failures: dict[str, int]
    failure_last: str
    denied: int
    revoked: int
    waited: int
    dropped: int
    frames_blank: int
    frames_black: int
    size_changes: int
    stalls: int
    stall_seconds: float
    age_seconds_most: float
    behind_most: int
    iou: Overlap | None
    iou_refresh: Overlap | None
    threshold: float
    skip_path_ms: Timing
    carried_ms: Timing
    inferred_ms: Timing
    model_ms: Timing
    mode_changes: tuple[ModeChange, ...]
    mode_changes_count: int
    mode_seconds: dict[str, float]
    first_mask_seconds: float | None
    moments: tuple[Moment, ...]
    notes: tuple[str, ...]
