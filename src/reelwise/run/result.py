"""What an audit found. `report` turns it into a page, `--json` prints it."""

from __future__ import annotations

from msgspec import Struct

from reelwise.stack import Stack

__all__ = ["AuditResult", "ClipCount", "FactCount", "HoldoutError", "LeverCount", "Moment", "StageCount"]


class ClipCount(Struct, frozen=True, kw_only=True):
    """One clip: its size, and what decoding it cost.

    Attributes:
        path, sha256_head: which file.
        seconds, frames: decoded.
        width, height, fps, codec, audio_seconds: as found.
        active_seconds: seconds within stretches where something happens.
        stretches: those stretches, (start, stop) in seconds.
        activity: at most 600 points of (time, share of the picture that is active), for a chart.
        cpu_seconds: of decoding and measuring.
        notes: what was repaired or left out.
    """

    path: str
    sha256_head: str
    seconds: float
    frames: int
    width: int
    height: int
    fps: float
    codec: str
    audio_seconds: float
    active_seconds: float
    stretches: tuple[tuple[float, float], ...]
    activity: tuple[tuple[float, float], ...]
    cpu_seconds: float
    notes: tuple[str, ...] = ()


class StageCount(Struct, frozen=True, kw_only=True):
    """One stage of the final plan on the footage: what went in and what came out, over all clips."""

    stage: str
    settings: str
    seconds_in: float
    seconds_out: float
    frames_in: float
    frames_out: float
    cpu_seconds: float


class Moment(Struct, frozen=True, kw_only=True):
    """One moment of a clip as a picture.

    Attributes:
        clip: file name.
        seconds: time in the clip.
        change: share of the picture that changed.
        jpeg: thumbnail, base64.
    """

    clip: str
    seconds: float
    change: float
    jpeg: str


class LeverCount(Struct, frozen=True, kw_only=True):
    """One lever alone on the footage: the plan with and without it, counted.

    Attributes:
        usd_clips_without, usd_clips_with: bill of these clips themselves.
        frames_without, frames_with; seconds_without, seconds_with: what would be sent.
        tokens_without, tokens_with: input tokens that would be billed.
        thrown_away: in words, what the model no longer sees.
        coverage: share of active time that is still seen, or None where time is not cut.
        lost: the largest changes that are not sent.
        counted: False where the effect needs a model's answers and comes from a fact.
    """

    lever: str
    title: str
    usd_clips_without: float
    usd_clips_with: float
    frames_without: float
    frames_with: float
    seconds_without: float
    seconds_with: float
    tokens_without: float
    tokens_with: float
    thrown_away: str
    coverage: float | None
    lost: tuple[Moment, ...]
    counted: bool


class FactCount(Struct, frozen=True, kw_only=True):
    """A fact that was measured, with its interval over segments."""

    name: str
    value: float
    low: float
    high: float
    segments: int
    on: str


class HoldoutError(Struct, frozen=True, kw_only=True):
    """One half of the footage predicted from facts of the other.

    Attributes:
        plan: which plan: all levers, or one alone.
        measured_on, predicted: which half.
        usd_predicted, usd_counted: the month with the final plan, from facts of the one half and from counts on the other.
        error: predicted over counted, minus 1.
    """

    plan: str
    measured_on: str
    predicted: str
    usd_predicted: float
    usd_counted: float
    error: float


class AuditResult(Struct, frozen=True, kw_only=True):
    """Everything an audit found.

    Attributes:
        feature, task: of the workload.
        again: the command that does this audit again.
        day: prices of this day; `machine`, `version`: what measured.
        clips: the footage.
        demand: in words, what the month is.
        assumed: what was assumed because no workload was given.
        stages: the final plan on the footage.
        levers: each lever alone.
        stack: the month's waterfall, with measured facts.
        per: USD per frame, minute, hour, session, user before and after.
        band_naive, band_final: (p10, p50, p90) of the month.
        facts: measured, with intervals.
        holdout: for all levers and for each measured one, both ways; `holdout_error`: the largest absolute error, or None on too little footage.
        sources: each price used: (sku, unit, USD per unit, source, date).
        explained: lines of the final bill in words; `explained_naive` likewise.
        evidence: share of the final bill by kind of evidence.
        warnings: what a reader must know before quoting a figure.
        seconds_wall, cpu_seconds: what the audit itself took.
    """

    feature: str
    task: str
    again: str
    day: str
    machine: str
    version: str
    clips: tuple[ClipCount, ...]
    demand: str
    assumed: tuple[str, ...]
    stages: tuple[StageCount, ...]
    levers: tuple[LeverCount, ...]
    stack: Stack
    per: dict[str, tuple[float | None, float | None]]
    band_naive: tuple[float, float, float]
    band_final: tuple[float, float, float]
    facts: tuple[FactCount, ...]
    holdout: tuple[HoldoutError, ...]
    holdout_error: float | None
    sources: tuple[tuple[str, str, float, str, str], ...]
    explained_naive: tuple[str, ...]
    explained: tuple[str, ...]
    evidence: dict[str, float]
    warnings: tuple[str, ...]
    seconds_wall: float
    cpu_seconds: float
