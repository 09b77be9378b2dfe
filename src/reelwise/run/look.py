"""How the active stretches are found: which signal is enough, what each cost, and what was lost against a full decode."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reelwise.errors import MediaError, UnknownModelError, UnpricedError
from reelwise.run.footage import piece_of
from reelwise.run.result import LookCount, Looked, LookTried, SignalCount
from reelwise.stages.decoding import CPU, VCPUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.case import Case
    from reelwise.flow import Piece
    from reelwise.run.scans import Scans
    from reelwise.stages import Gate
    from reelwise.stages.gate import Found, Spans
    from reelwise.video import Track

__all__ = ["full_cpu", "look", "scan_total"]

_DEARER = ("auto", "luma", "full")
_LOST_MAX = 0.01
_CHANGE_KEPT_MIN = 0.95
_DECODED_MAX = 1.02
_DEARER_MAX = 1.25  # CPU seconds over those of a full decode
_FAINT = 0.01
_NEAR_SECONDS = 0.5  # starts and stops are found to about this


def look(case: Case, tracks: Sequence[Track], scans: Scans, gate: Gate, *, is_free: bool) -> tuple[Gate, LookCount]:
    """Find the active stretches with a gate, and hold them against what a full decode of the same clips measured.

    Args:
        case: for the month's hours and the price of a CPU.
        tracks: the clips, decoded: the reference.
        scans: remembers what scanning them found.
        gate: its settings.
        is_free: whether the method is for the audit to choose: where auto loses activities, decodes more pictures than
            there are, or clearly takes longer than decoding all of them, the next one is taken, at last a full decode,
            which is the reference itself. Times decide only where they are far apart, so that machines agree.

    Returns:
        The gate with the method taken, and the receipt.

    Raises:
        MediaError: the method that was asked for cannot read a clip.
    """
    asked = gate
    pieces = [piece_of(case.workload, track, scans) for track in tracks]
    tried: list[LookTried] = []
    found: list[Found] = []
    clips: list[Looked] = []
    methods = _DEARER[_DEARER.index(gate.method) if gate.method in _DEARER else 0 :] if is_free else (gate.method,)
    for method in methods:
        gate = replace(asked, method=method)
        try:
            found = [gate.find(piece) for piece in pieces]
        except MediaError as error:
            if not is_free:
                raise
            tried.append(_failed(method, error))
            continue
        clips = [_looked(gate, piece, one, is_free=is_free) for piece, one in zip(pieces, found, strict=True)]
        tried.append(_tried(method, clips, tracks))
        if _is_safe(tried[-1]) and not _is_dear(tried[-1]):
            break
    return gate, LookCount(
        method=gate.method,
        mode=gate.mode,
        chosen=_chosen(tried, is_free=is_free),
        is_safe=_is_safe(tried[-1]),
        tried=tuple(tried),
        signals=_signals(case, tracks, found),
        clips=tuple(clips),
        sku=CPU,
        factor=sum(one.cpu_seconds_full for one in clips) / max(1e-9, sum(one.cpu_seconds for one in clips)),
    )


def full_cpu(track: Track) -> float:
    """Return the CPU seconds that decoding and measuring every picture of a clip took; its sound is not in it."""
    return sum(seconds for step, seconds in track.cpu_seconds.items() if step != "audio")


def _failed(method: str, error: MediaError) -> LookTried:
    return LookTried(
        method=method,
        believed=(),
        activities=0,
        lost=0,
        change_kept_share=None,
        frames_decoded_share=0.0,
        cpu_seconds=0.0,
        cpu_seconds_full=0.0,
        trouble=error.message,
    )


def _looked(gate: Gate, piece: Piece, found: Found, *, is_free: bool) -> Looked:
    from reelwise import video

    track, result = piece.track, found.scan
    activities = video.gate(track, pad_seconds=0.0, join_seconds=0.0)
    unseen = tuple(one for one in activities if not _seen(one, found.events))
    lost = _without_faint(track, activities, unseen)
    reference = video.gate(track, pad_seconds=gate.pad_seconds, join_seconds=gate.join_seconds)
    active, moved = _moved(track, activities), _moved(track, _overlap(activities, found.stretches))
    seconds, cpu = video.active_seconds(activities), full_cpu(track)
    whole = track.seconds or 1.0
    own = 1.0 if result is None else track.seconds / result.seconds  # a clip that was not decoded to its end
    return Looked(
        path=track.info.path,
        method="full" if result is None else result.method,
        why=_why(gate, found, is_free=is_free),
        separable=None if result is None else result.separable,
        frames=track.frames if result is None else result.frames,
        frames_decoded_share=1.0 if result is None else result.frames_decoded_share,
        bound_seconds=None if result is None else result.bound_seconds,
        bound_share=None if result is None else result.bound_share,
        blind_seconds=0.0 if result is None else result.blind_seconds,
        cpu_seconds=cpu if result is None else result.cpu_seconds * own,
        cpu_seconds_full=cpu,
        kept=found.stretches,
        kept_share=video.active_seconds(found.stretches) / whole,
        reference_share=video.active_seconds(reference) / whole,
        activities=activities,
        lost=lost,
        faint=len(unseen) - len(lost),
        active_kept_share=video.active_seconds(_overlap(activities, found.stretches)) / seconds if seconds else None,
        change_kept_share=min(1.0, moved / active) if active > 0 else None,
        notes=() if result is None else result.notes,
    )


def _why(gate: Gate, found: Found, *, is_free: bool) -> str:
    if found.scan is not None:
        return "cheaper signals were not enough, as above" if is_free and gate.method != "auto" else found.scan.why
    if found.trouble:
        return f"it could not be scanned: {found.trouble}"
    return "the threshold is one of a full decode" if gate.threshold is not None else "every frame is decoded"


def _seen(activity: tuple[float, float], events: Spans) -> bool:
    """Say whether any of the events, ascending and apart, lies in or near an activity."""
    start, stop = activity
    first = bisect_right(events, start - _NEAR_SECONDS, key=lambda one: one[1])
    return first < len(events) and events[first][0] < stop + _NEAR_SECONDS


def _without_faint(track: Track, activities: Spans, unseen: Spans) -> Spans:
    """Leave out what holds next to no change beside the clip's usual activity."""
    if not unseen:
        return ()
    usual = sorted(_moved(track, (one,)) for one in activities)[len(activities) // 2]
    return tuple(one for one in unseen if _moved(track, (one,)) >= _FAINT * usual)


def _overlap(one: Spans, two: Spans) -> Spans:
    """Cut two ascending rows of spans with each other."""
    found: list[tuple[float, float]] = []
    at = 0
    for start, stop in one:
        while at < len(two) and two[at][1] <= start:
            at += 1
        for index in range(at, len(two)):
            a, b = two[index]
            if a >= stop:
                break
            found.append((max(a, start), min(b, stop)))
    return tuple(found)


def _moved(track: Track, spans: Spans) -> float:
    """Add up the change of the frames in spans."""
    from reelwise import video

    return float(sum(track.change[first:last].sum() for first, last in video.frames_in(track, spans)))


def _tried(method: str, clips: Sequence[Looked], tracks: Sequence[Track]) -> LookTried:
    active = [_moved(track, one.activities) for one, track in zip(clips, tracks, strict=True)]
    kept = sum((one.change_kept_share or 0.0) * all_ for one, all_ in zip(clips, active, strict=True))
    return LookTried(
        method=method,
        believed=tuple(dict.fromkeys(one.method for one in clips)),
        activities=sum(len(one.activities) - one.faint for one in clips),
        lost=sum(len(one.lost) for one in clips),
        change_kept_share=kept / sum(active) if sum(active) > 0 else None,
        frames_decoded_share=sum(one.frames_decoded_share * one.frames for one in clips)
        / max(1, sum(one.frames for one in clips)),
        cpu_seconds=sum(one.cpu_seconds for one in clips),
        cpu_seconds_full=sum(one.cpu_seconds_full for one in clips),
    )


def _is_safe(one: LookTried) -> bool:
    if one.trouble:
        return False
    kept = 1.0 if one.change_kept_share is None else one.change_kept_share
    return one.lost <= _LOST_MAX * one.activities and kept >= _CHANGE_KEPT_MIN


def _is_dear(one: LookTried) -> bool:
    return one.frames_decoded_share > _DECODED_MAX or one.cpu_seconds > _DEARER_MAX * one.cpu_seconds_full


def _chosen(tried: Sequence[LookTried], *, is_free: bool) -> str:
    """Say why the last method was taken."""
    if not is_free:
        return "the plan or the lever asks for it"
    said = [f"{one.method} {_said(one)}" for one in tried[:-1]]
    last = tried[-1]
    name = last.method if said else "it"
    if not last.activities:
        taken = "a full decode finds no activity that could be lost"
    elif last.method == "full":
        taken = "full, which is the reference, loses none"
    else:
        taken = f"{name} loses {_of(last)}"
    return "; ".join([*said, taken])


def _of(one: LookTried) -> str:
    return f"{one.lost or 'none'} of {one.activities} {'activity' if one.activities == 1 else 'activities'}"


def _said(one: LookTried) -> str:
    """Say what was wrong with a method."""
    if one.trouble:
        return f"cannot be had ({one.trouble})"
    by = f" (by {', '.join(one.believed)})" if one.believed != (one.method,) else ""
    if one.lost > _LOST_MAX * one.activities:
        return f"loses {_of(one)}{by}"
    if not _is_safe(one):
        return f"keeps only {one.change_kept_share or 0.0:.0%} of what changes{by}"
    if one.frames_decoded_share <= _DECODED_MAX:
        more = one.cpu_seconds / max(1e-9, one.cpu_seconds_full)
        return f"takes {more:.1f} times the processor time of a full decode{by}"
    return f"decodes {one.frames_decoded_share:.0%} of the pictures, some twice{by}"


def _signals(case: Case, tracks: Sequence[Track], found: Sequence[Found]) -> tuple[SignalCount, ...]:
    """Sum up over the clips what each signal cost and saved; the last row is the full decode."""
    sums: dict[str, list[float]] = {}
    for track, one in zip(tracks, found, strict=True):
        for name, *spent in _spent(track, one):
            sums[name] = [a + b for a, b in zip(sums.get(name, [0.0, 0.0, 0.0]), spent, strict=True)]
    hours = sum(track.seconds for track in tracks) / 3600 or math.inf
    usd = _usd(case)
    month = None if usd is None else case.workload.seconds_month / 3600 * usd

    def row(name: str, cpu: float, pictures: float, saved: float) -> SignalCount:
        return SignalCount(
            signal=name,
            cpu_seconds=cpu,
            frames_decoded=round(pictures),
            saved_cpu_seconds=saved,
            cpu_seconds_an_hour=cpu / hours,
            saved_usd_month=None if month is None else saved / hours * month,
        )

    full = row("full", sum(map(full_cpu, tracks)), sum(track.frames for track in tracks), 0.0)
    return (*(row(name, *spent) for name, spent in sums.items()), full)


def _spent(track: Track, found: Found) -> Iterator[tuple[str, float, float, float]]:
    """Yield for each signal CPU seconds, pictures decoded and CPU seconds saved on one clip."""
    result = found.scan
    if result is None:
        if found.trouble:  # nobody asked for a full decode, but there was no other way
            yield "not scanned", full_cpu(track), float(track.frames), 0.0
        return
    own = track.seconds / result.seconds
    each = full_cpu(track) / track.frames if track.frames else 0.0
    spared = 0.0
    for one in result.signals:
        # a sample is decoded to check another signal: it spares nothing
        mine = 0.0 if one.signal == "sample" else one.frames_decoded * own
        spared += mine
        yield one.signal, one.cpu_seconds * own, one.frames_decoded * own, mine * each - one.cpu_seconds * own
    yield result.method, 0.0, 0.0, (result.frames * own - spared) * each


def scan_total(found: LookCount) -> SignalCount:
    """Add up the signals of the scan: all but the full decode."""
    used = [one for one in found.signals if one.signal != "full"]
    usd = [one.saved_usd_month for one in used if one.saved_usd_month is not None]
    return SignalCount(
        signal="scan",
        cpu_seconds=sum(one.cpu_seconds for one in used),
        frames_decoded=sum(one.frames_decoded for one in used),
        saved_cpu_seconds=sum(one.saved_cpu_seconds for one in used),
        cpu_seconds_an_hour=sum(one.cpu_seconds_an_hour for one in used),
        saved_usd_month=sum(usd) if len(usd) == len(used) else None,
    )


def _usd(case: Case) -> float | None:
    """Return USD for a CPU second, or None where there is no price."""
    try:
        rate = case.book.rate(CPU, "hour").usd
    except (UnknownModelError, UnpricedError):
        return None
    return float(rate.flat[0] if hasattr(rate, "flat") else rate) / 3600 / VCPUS
