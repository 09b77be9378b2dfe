"""Audit clips: count what would be sent, price it with and without each lever, project it to the month."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise import __version__
from reelwise.account import Account
from reelwise.case import Case, make
from reelwise.errors import MediaError, ReelwiseError
from reelwise.evidence import Fact
from reelwise.evidence_store import Measurement, machine, write_measurement
from reelwise.facts import Entry
from reelwise.levers import Lever, find, kinds
from reelwise.levers.process_less.gate import Gate as GateLever
from reelwise.price import price_collected, price_one
from reelwise.run.footage import Footage, footage_of
from reelwise.run.holdout import holdout
from reelwise.run.look import full_cpu, look
from reelwise.run.losses import active_coverage, lost_moments, sentence
from reelwise.run.measure import collect, entries_of
from reelwise.run.pace import against_even_pace, even_pace_says
from reelwise.run.record import clip_costs
from reelwise.run.result import AuditResult, LeverCount, LookCount
from reelwise.run.rows import (
    clip_row,
    demand_words,
    fact_rows,
    per_units,
    skewed,
    source_rows,
    stage_rows,
    warnings_of,
)
from reelwise.run.scans import Scans
from reelwise.sensitivity import band
from reelwise.stack import Stack, ordered, stack
from reelwise.stages import Gate, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reelwise.bill import Bill
    from reelwise.flow import Out, Piece
    from reelwise.plan import Plan
    from reelwise.video import Track

__all__ = ["audit", "decode_clips", "default_tree"]

_ROUNDS = 4
_MOST_CLIPS = 1000


def decode_clips(
    paths: Sequence[Path], progress: Callable[[Path, float], None] | None = None, seconds_max: float | None = None
) -> list[Track]:
    """Decode each clip once and keep a few numbers a frame.

    Raises:
        MediaError: a clip that cannot be read; its name is in it.
    """
    from reelwise import video

    if len(paths) > _MOST_CLIPS:
        raise MediaError(f"{len(paths):,} clips at once", hint=f"audit at most {_MOST_CLIPS:,}; a sample will do")
    tracks = []
    for path in paths:
        show = None if progress is None else (lambda share, path=path: progress(path, share))
        tracks.append(video.track(path, progress=show, seconds_max=seconds_max))
    return tracks


def default_tree(tracks: Sequence[Track]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Write the workload that is assumed where none is given, and say what was assumed."""
    first = tracks[0].info
    mean = sum(t.seconds for t in tracks) / len(tracks)
    bits = sum(t.info.bytes for t in tracks) * 8 / max(1e-9, sum(t.seconds for t in tracks)) / 1e6
    tree = {
        "feature": "audit",
        "task": "understand every clip",
        "source": {
            "width": first.width,
            "height": first.height,
            "fps": min(1000.0, max(0.1, first.fps or 1 / tracks[0].interval())),
            "audio": any(t.info.has_audio for t in tracks),
            "megabits_per_second": min(100_000.0, max(0.001, bits)),
        },
        "demand": {"hours": 1000},
        "lengths": [{"seconds": max(0.1, mean)}],
        "latency": "day",
        "prompt": {"prefix": 1500, "question": 100, "output": 300},
        "model": "gemini-2.5-pro",
    }
    assumed = (
        "1,000 hours of such footage a month, in clips as long as these",
        "a prompt of 1,600 tokens and an answer of 300 for each clip",
        "gemini-2.5-pro, the whole clip as native video; answers may take a day",
    )
    return tree, assumed


def audit(
    tracks: Sequence[Track],
    tree: Mapping[str, Any] | None = None,
    *,
    where: str = "audit",
    rates: Path | None = None,
    levers: Sequence[str] | None = None,
    evidence: Path | None = None,
    folder: Path = Path(),
    again: str = "",
    progress: Callable[[Path, float], None] | None = None,
) -> AuditResult:
    """Audit decoded clips.

    Args:
        tracks: from `decode_clips`.
        tree: a workload document, or None to assume one (the result says what was assumed).
        where: what messages call that document.
        rates: private prices.
        levers: names of levers, in place of those in the document.
        evidence: a folder to add the measured facts to, or None to keep them out of any store.
        folder: what a relative rates file in the document is relative to.
        again: the command that does it again, for the report.
        progress: called with what is being done and the share done.

    Returns:
        Counts, prices, the month's waterfall and how far to trust it.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    tree, assumed = default_tree(tracks) if tree is None else (tree, ())
    case = make(tree, where=where, rates=rates, levers=levers, folder=folder)
    tracks, twice = _distinct(tracks)
    scans = Scans(tracks)
    candidates, looked = _look(case, tracks, scans, progress)
    footage = footage_of(case.workload, tracks, scans)
    case, entries, result = _measure(case, footage, candidates, _decoding(case, tracks))
    _keep(evidence, tracks, entries)
    naive = price_one(case.workload, case.plan, case.facts, case.book, case.account)
    final = price_one(case.workload, result.plan, case.facts, case.book, case.account)
    shown = _shown(case, result, candidates)
    held_out = holdout(case, result, shown, tracks, scans)
    band_final = _band(case, result.plan)
    return AuditResult(
        feature=case.workload.feature,
        task=case.workload.task,
        again=again,
        day=case.day.isoformat(),
        machine=machine(),
        version=__version__,
        clips=tuple(clip_row(track) for track in tracks),
        demand=demand_words(case.workload),
        assumed=assumed,
        costs=clip_costs(case, result.plan, footage),
        stages=stage_rows(case, result.plan, footage),
        levers=tuple(_lever(case, lever, footage) for lever in shown),
        look=looked,
        stack=result,
        per=per_units(case, naive, final),
        band_naive=_band(case, case.plan),
        band_final=band_final,
        facts=fact_rows(entries, result.plan, footage),
        holdout=held_out,
        holdout_error=max((abs(h.error) for h in held_out), default=None),
        sources=source_rows(naive, final),
        explained_naive=tuple(line.explain() for line in naive.lines),
        explained=tuple(line.explain() for line in final.lines),
        evidence=final.share(),
        warnings=(*twice, *warnings_of(case, tracks, footage, naive, looked), *skewed(final.total_usd, band_final)),
        seconds_wall=time.perf_counter() - wall,
        cpu_seconds=time.process_time() - cpu + sum(sum(t.cpu_seconds.values()) for t in tracks),
    )


def _distinct(tracks: Sequence[Track]) -> tuple[list[Track], tuple[str, ...]]:
    """Leave out clips of the same content: they would count as more evidence than they are."""
    kept: dict[str, Track] = {}
    said = []
    for track in tracks:
        first = kept.setdefault(track.info.sha256_head, track)
        if first is not track:
            said.append(f"{track.info.path} is the same clip as {first.info.path}: left out")
    return list(kept.values()), tuple(said)


def _decoding(case: Case, tracks: Sequence[Track]) -> Entry:
    """Measure what decoding these clips costs on this machine, in CPU seconds a second of footage."""
    each = [full_cpu(t) / t.seconds for t in tracks if t.seconds > 0]
    fact = Fact(
        value=sum(each) / len(each),
        low=min(each) * 0.8,
        high=max(each) * 1.25,
        kind="measured",
        source="reelwise audit, on this machine",
        day=dt.datetime.now(tz=dt.UTC).date().isoformat(),
    )
    return Entry(name="decode.cpu_seconds_per_second", source_class=case.workload.footage, fact=fact)


def _look(
    case: Case, tracks: Sequence[Track], scans: Scans, progress: Callable[[Path, float], None] | None
) -> tuple[list[Lever], LookCount]:
    """Find the active stretches, and say so while that lasts; return the levers to try and the receipt."""
    name = Path("finding the active stretches")
    if progress is not None:
        progress(name, 0.0)
    gate, is_free = _gate(case)
    gate, looked = look(case, tracks, scans, gate, is_free=is_free)
    if progress is not None:
        progress(name, 1.0)
    return _candidates(case, gate), looked


def _gate(case: Case) -> tuple[Gate, bool]:
    """Return the gate to look with, of the plan or of the lever, and whether its method is for the audit to choose."""
    if case.plan.of(Gate):
        return case.plan.of(Gate)[0], False
    named = [lever for lever in case.levers if isinstance(lever, GateLever)]
    return (named[0].stage(), False) if named else (GateLever().stage(), True)


def _candidates(case: Case, gate: Gate) -> list[Lever]:
    """Return the levers to try: those named, or all, with what can be measured here: adaptive sampling, and a gate that sees."""
    if case.levers:
        return list(case.levers)
    found = [kind() for kind in kinds().values()]
    adaptive = msgspec.convert({"lever": "sample_frames", "fps": 1.0, "by": "change"}, type(find("sample_frames")))
    own: dict[str, Lever] = {"sample_frames": adaptive, "gate": GateLever(method=gate.method)}
    return [own.get(lever.name, lever) for lever in found]


def _measure(
    case: Case, footage: Footage, levers: Sequence[Lever], decoding: Entry
) -> tuple[Case, tuple[Entry, ...], Stack]:
    """Measure each lever alone, then each step of the waterfall, until no step stands behind a plan not yet measured."""
    today = dt.datetime.now(tz=dt.UTC).date()
    base = case.facts.with_entries([decoding])
    case = msgspec.structs.replace(case, facts=base)
    entries: dict[tuple[str, str, str], Entry] = {}
    plans: dict[str, Plan] = {case.plan.hash: case.plan}
    for lever in levers:
        if lever.is_priced:
            plan = lever.apply(case.plan)
            plans[plan.hash] = plan
    done: set[str] = set()
    result: Stack | None = None
    for _ in range(_ROUNDS):
        for key in [key for key in plans if key not in done]:
            done.add(key)
            for entry in _facts_of(plans[key], case, footage, today):
                entries[entry.name, entry.settings, entry.prefix] = entry
        case = msgspec.structs.replace(case, facts=base.with_entries(entries.values()))
        result = stack(case, list(levers) if case.levers else ordered(case, levers))
        plan = case.plan
        for step in result.steps:
            plan = next(lever for lever in levers if lever.name == step.lever).apply(plan)
            plans.setdefault(plan.hash, plan)
        if all(key in done for key in plans):
            break
    assert result is not None  # noqa: S101 - _ROUNDS is not 0
    return case, (*entries.values(), decoding), result


def _facts_of(plan: Plan, case: Case, footage: Footage, today: dt.date) -> tuple[Entry, ...]:
    try:
        _, _, tally = collect(plan, footage.whole, case.facts, case.book)
        _, _, by_segment = collect(plan, footage.parts, case.facts, case.book)
    except ReelwiseError:  # a lever that needs a fact or a price nobody has; the stack says so
        return ()
    return entries_of(tally, by_segment, footage=case.workload.footage, on=footage.on, day=today)


def _keep(folder: Path | None, tracks: Sequence[Track], entries: Sequence[Entry]) -> None:
    if folder is None:
        return
    write_measurement(
        folder,
        Measurement(
            day=dt.datetime.now(tz=dt.UTC).date().isoformat(),
            machine=machine(),
            clips=tuple((Path(t.info.path).name, t.info.sha256_head) for t in tracks),
            seconds=sum(t.seconds for t in tracks),
            entries=tuple(entries),
        ),
    )


def _shown(case: Case, result: Stack, levers: Sequence[Lever]) -> list[Lever]:
    """Return the levers whose effect on the footage is shown: those pulled, and those skipped although they apply alone."""
    pulled = {step.lever for step in result.steps}
    return [
        lever
        for lever in levers
        if lever.is_priced
        and (lever.name in pulled or lever.applies(case.workload, case.plan, case.facts, case.book).ok)
    ]


def _clips_bill(case: Case, plan: Plan, footage: Footage) -> tuple[Bill, Out, list[Piece]]:
    out, left, _ = collect(plan, footage.whole, case.facts, case.book)
    account = Account(free_tiers=False)  # a clip inside the free tier would hide what it costs
    return price_collected([(case.workload, plan, out)], case.facts, case.book, account), out, left


def _sent(out: Out) -> tuple[float, float, float]:
    """Sum frames, seconds and input tokens of requests."""
    frames = seconds = tokens = 0.0
    for r in out.requests:
        count = float(r.count)
        frames += count * float(r.images)
        seconds += count * float(r.seconds)
        tokens += count * float(
            r.tokens_image
            + r.tokens_video
            + r.tokens_audio
            + r.tokens_text
            + r.tokens_cached
            + r.tokens_cache_write
            + r.tokens_cache_write_1h
        )
    return frames, seconds, tokens


def _lever(case: Case, lever: Lever, footage: Footage) -> LeverCount:
    plan = lever.apply(case.plan)
    bill_without, out_without, left_without = _clips_bill(case, case.plan, footage)
    bill_with, out_with, left_with = _clips_bill(case, plan, footage)
    before, after = _sent(out_without), _sent(out_with)
    changed = [s for s in plan.stages if s not in case.plan.stages]
    cuts = any(isinstance(s, Gate | Sample) for s in changed)
    paces = against_even_pace(plan, case.plan, left_with)
    return LeverCount(
        lever=lever.name,
        title=lever.card.title,
        usd_clips_without=float(bill_without.total_usd),
        usd_clips_with=float(bill_with.total_usd),
        frames_without=before[0],
        frames_with=after[0],
        seconds_without=before[1],
        seconds_with=after[1],
        tokens_without=before[2],
        tokens_with=after[2],
        thrown_away=sentence(
            left_without,
            left_with,
            frames=(before[0], after[0]),
            audio=case.workload.source.audio,
            plans=(case.plan, plan),
        ),
        coverage=active_coverage(footage.whole, left_with) if cuts else None,
        lost=lost_moments(footage.whole, left_with) if cuts else (),
        counted=all(type(s).counted for s in changed),
        even_pace=paces,
        even_pace_says=even_pace_says(paces),
    )


def _band(case: Case, plan: Plan) -> tuple[float, float, float]:
    found = band(case.workload, plan, case.facts, case.book, case.account)
    return found.p10, found.p50, found.p90
