"""What an audit found. `report` turns it into a page, `--json` prints it."""

from __future__ import annotations

from msgspec import Struct

from reelwise.stack import Stack

__all__ = [
    "AuditResult", "ClipCost", "ClipCount", "EvenPace", "FactCount", "HoldoutError", "LeverCount", "LookCount", "LookTried", "Looked", "Moment",
    "SignalCount", "StageCount",
]  # fmt: skip


class ClipCount(Struct, frozen=True, kw_only=True):
    """One clip: its size, and what decoding it cost.

    Attributes:
        path, sha256_head: which file.
        seconds, frames: decoded.
        width, height, fps, codec, audio_seconds: as found.
        active_seconds: seconds within stretches where something happens, by a full decode.
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


class ClipCost(Struct, frozen=True, kw_only=True):
    """What the calls for one clip cost: as it is, and with all levers that were pulled.

    Attributes:
        path, sha256_head: the clip.
        model: the model called most, with levers.
        plan: the hash of the plan with levers.
        usd_naive, usd_final: of this clip's calls, without free tiers and without machines that run anyway.
        units: what is sent and received with levers, by unit, as the ledger names them.
    """

    path: str
    sha256_head: str
    model: str
    plan: str
    usd_naive: float
    usd_final: float
    units: dict[str, int]


class SignalCount(Struct, frozen=True, kw_only=True):
    """What one signal cost over all clips, and what it saved against decoding all of them.

    What nobody decoded is credited to the signal that was believed; what a signal did decode, to itself, at what a full
    decode would have taken for as many pictures. So the savings of all signals sum to that of the whole scan.

    Attributes:
        signal: packets, sample (key frames that packets are held against), keyframes, luma, or full.
        cpu_seconds: on these clips.
        frames_decoded: pictures that came out of the decoder.
        saved_cpu_seconds: against a full decode; below 0 where it only cost.
        cpu_seconds_an_hour: CPU seconds for each hour of video.
        saved_usd_month: USD for the month's footage at the price of the CPU; None where that is not known.
    """

    signal: str
    cpu_seconds: float
    frames_decoded: int
    saved_cpu_seconds: float
    cpu_seconds_an_hour: float
    saved_usd_month: float | None


class Looked(Struct, frozen=True, kw_only=True):
    """How the active stretches of one clip were found, held against the activity that a full decode measured.

    Attributes:
        path: of the clip.
        method: the signal that was believed, or full.
        why: why that one, in words.
        separable: whether packet sizes tell active from quiet in this file; None where nobody looked.
        frames: pictures in the file.
        frames_decoded_share: decoded to decide, over those.
        bound_seconds: longest time between key frames, and `bound_share` the share of pictures from the key frame before
            each event to its end; None for a full decode.
        blind_seconds: what is over sooner and leaves nothing behind may have passed unseen.
        cpu_seconds: of the scan, or of the full decode.
        cpu_seconds_full: of the full decode.
        kept: stretches that are kept, (start, stop) in seconds, padded and joined as the gate does.
        kept_share: their share of the time.
        reference_share: the same for the full decode.
        activities: of the full decode, (start, stop).
        lost: those in which the gate's signal saw nothing.
        faint: how many more it saw nothing of that hold under 1 % of the change of the usual activity of the clip: a
            full decode calls them active because they differ from the background a little, and hardly anything moves.
        active_kept_share: share of the time of activities that is kept; None without any.
        change_kept_share: share of all that changed in them that is kept: less than 1 minus the share above where
            what was lost is something that had come to stand still.
        notes: what is wrong with the file, in words.
    """

    path: str
    method: str
    why: str
    separable: bool | None
    frames: int
    frames_decoded_share: float
    bound_seconds: float | None
    bound_share: float | None
    blind_seconds: float
    cpu_seconds: float
    cpu_seconds_full: float
    kept: tuple[tuple[float, float], ...]
    kept_share: float
    reference_share: float
    activities: tuple[tuple[float, float], ...]
    lost: tuple[tuple[float, float], ...]
    faint: int
    active_kept_share: float | None
    change_kept_share: float | None
    notes: tuple[str, ...] = ()


class LookTried(Struct, frozen=True, kw_only=True):
    """One method held against the full decode, over all clips.

    Attributes:
        method: as a gate's setting.
        believed: the signals that it ended with, one for each kind.
        activities, lost: how many the full decode found, faint ones that were not seen left out, and how many of them it
            saw nothing of.
        change_kept_share, frames_decoded_share: as in `Looked`, over all clips.
        cpu_seconds, cpu_seconds_full: what it took, and what a full decode took.
        trouble: why it could not be had, or empty.
    """

    method: str
    believed: tuple[str, ...]
    activities: int
    lost: int
    change_kept_share: float | None
    frames_decoded_share: float
    cpu_seconds: float
    cpu_seconds_full: float
    trouble: str = ""


class LookCount(Struct, frozen=True, kw_only=True):
    """How the gate finds the active stretches, what each signal cost, and what it saved.

    Attributes:
        method, mode: of the gate.
        chosen: why this method, in words.
        is_safe: whether it lost at most 1 % of the activities and kept 95 % of what changed in them.
        tried: the methods that were held against the full decode, in turn.
        signals: what each cost and saved, over all clips; the last one is the full decode.
        clips: one clip each.
        sku: what a CPU is priced as.
        factor: CPU seconds of a full decode over those of the scan.
    """

    method: str
    mode: str
    chosen: str
    is_safe: bool
    tried: tuple[LookTried, ...]
    signals: tuple[SignalCount, ...]
    clips: tuple[Looked, ...]
    sku: str
    factor: float


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


class EvenPace(Struct, frozen=True, kw_only=True):
    """Sampled frames of one clip beside as many at an even pace.

    Attributes:
        clip: file name.
        by: the way they were chosen.
        frames, frames_even: how many; the same, but where the clip has too few.
        chosen, even: figures by name, as `video.Seen` describes them.
        judged_by: the figures that this way is made for.
        verdict: better, level or worse than an even pace, by these.
    """

    clip: str
    by: str
    frames: int
    frames_even: int
    chosen: dict[str, float | None]
    even: dict[str, float | None]
    judged_by: tuple[str, ...]
    verdict: str


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
        even_pace: for a lever that samples, each clip's frames beside as many at an even pace; `even_pace_says` in words.
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
    even_pace: tuple[EvenPace, ...] = ()
    even_pace_says: str = ""


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
        costs: what the calls for each clip cost, as they are and with the levers that were pulled.
        stages: the final plan on the footage.
        levers: each lever alone.
        look: how the active stretches are found.
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
    costs: tuple[ClipCost, ...] = ()
    stages: tuple[StageCount, ...]
    levers: tuple[LeverCount, ...]
    look: LookCount
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
