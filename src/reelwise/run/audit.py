"""Audit clips: count what would be sent, price it with and without each lever, project it to the month."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise import __version__
from reelwise.account import Account
from reelwise.case import Case, make
from reelwise.errors import MediaError, ReelwiseError
from reelwise.evidence_store import Measurement, machine, write_measurement
from reelwise.flow import Piece
from reelwise.levers import Lever, find, kinds
from reelwise.plan import Plan, run
from reelwise.price import per_unit, price_collected, price_one
from reelwise.run.footage import halves, piece_of, segments
from reelwise.run.losses import active_coverage, lost_moments, sentence
from reelwise.run.measure import collect, entries_of
from reelwise.run.result import AuditResult, ClipCount, FactCount, HoldoutError, LeverCount, StageCount
from reelwise.stack import Stack, ordered, stack
from reelwise.stages import Gate, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reelwise.bill import Bill
    from reelwise.facts import Entry, Facts
    from reelwise.flow import Out
    from reelwise.stages import AnyStage
    from reelwise.video import Track
    from reelwise.workload import Workload

__all__ = ["audit", "decode_clips", "default_tree"]

_DRAWS = 2000
_ROUNDS = 4
_POINTS = 600
_SHORT_SECONDS = 600.0
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


class _Footage(Struct, frozen=True):
    """The clips as pieces: whole, and cut into segments."""

    whole: list[Piece]
    parts: list[Piece]
    on: str


def _footage(workload: Workload, tracks: Sequence[Track]) -> _Footage:
    names = ", ".join(Path(t.info.path).name for t in tracks[:3])
    more = f" and {len(tracks) - 3} more" if len(tracks) > 3 else ""
    return _Footage(
        [piece_of(workload, t) for t in tracks],
        [piece_of(workload, part) for t in tracks for part in segments(t)],
        f"{names}{more}",
    )


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

    Returns:
        Counts, prices, the month's waterfall and how far to trust it.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    assumed: tuple[str, ...] = ()
    if tree is None:
        tree, assumed = default_tree(tracks)
    case = make(tree, where=where, rates=rates, levers=levers, folder=folder)
    footage = _footage(case.workload, tracks)
    case, entries, result = _measure(case, footage)
    if evidence is not None:
        _keep(evidence, tracks, entries)
    naive = price_one(case.workload, case.plan, case.facts, case.book, case.account)
    final = price_one(case.workload, result.plan, case.facts, case.book, case.account)
    holdout = _holdout(case, result, tracks)
    band_final = _band(case, result.plan)
    return AuditResult(
        feature=case.workload.feature,
        task=case.workload.task,
        again=again,
        day=case.day.isoformat(),
        machine=machine(),
        version=__version__,
        clips=tuple(_clip(track) for track in tracks),
        demand=_demand(case.workload),
        assumed=assumed,
        stages=_stages(case, result.plan, footage),
        levers=tuple(_lever(case, lever, footage) for lever in _shown(case, result)),
        stack=result,
        per=_per(case, naive, final),
        band_naive=_band(case, case.plan),
        band_final=band_final,
        facts=_fact_rows(entries, result.plan, footage),
        holdout=holdout,
        holdout_error=max((abs(h.error) for h in holdout), default=None),
        sources=_sources(naive, final),
        explained_naive=tuple(line.explain() for line in naive.lines),
        explained=tuple(line.explain() for line in final.lines),
        evidence=final.share(),
        warnings=(*_warnings(case, tracks, footage, naive), *_skewed(float(final.total_usd), band_final)),
        seconds_wall=time.perf_counter() - wall,
        cpu_seconds=time.process_time() - cpu + sum(sum(t.cpu_seconds.values()) for t in tracks),
    )


def _candidates(case: Case) -> list[Lever]:
    """Return the levers to try: those named, or all, with adaptive sampling because it can be measured here."""
    if case.levers:
        return [lever for lever in case.levers if lever.is_priced]
    found = [kind() for kind in kinds().values()]
    adaptive = msgspec.convert({"lever": "sample_frames", "fps": 1.0, "adaptive": True}, type(find("sample_frames")))
    return [adaptive if lever.name == "sample_frames" else lever for lever in found if lever.is_priced]


def _measure(case: Case, footage: _Footage) -> tuple[Case, tuple[Entry, ...], Stack]:
    """Measure each lever alone, then each step of the waterfall, until no step stands behind a plan not yet measured."""
    today = dt.datetime.now(tz=dt.UTC).date()
    base = case.facts
    levers = _candidates(case)
    entries: dict[tuple[str, str, str], Entry] = {}
    plans: dict[str, Plan] = {case.plan.hash: case.plan}
    for lever in levers:
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
        result = stack(case, levers if case.levers else ordered(case, levers))
        plan = case.plan
        for step in result.steps:
            plan = next(lever for lever in levers if lever.name == step.lever).apply(plan)
            plans.setdefault(plan.hash, plan)
        if all(key in done for key in plans):
            break
    assert result is not None  # noqa: S101 - _ROUNDS is not 0
    return case, tuple(entries.values()), result


def _facts_of(plan: Plan, case: Case, footage: _Footage, today: dt.date) -> tuple[Entry, ...]:
    try:
        _, _, tally = collect(plan, footage.whole, case.facts, case.book)
        _, _, by_segment = collect(plan, footage.parts, case.facts, case.book)
    except ReelwiseError:  # a lever that needs a fact or a price nobody has; the stack says so
        return ()
    return entries_of(tally, by_segment, footage=case.workload.footage, on=footage.on, day=today)


def _keep(folder: Path, tracks: Sequence[Track], entries: Sequence[Entry]) -> None:
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


def _clip(track: Track) -> ClipCount:
    from reelwise import video

    stretches = video.gate(track)
    step = max(1, -(-track.frames // _POINTS))
    activity = tuple(
        (round(float(track.times[i]), 3), float(track.activity[i : i + step].max()))
        for i in range(0, track.frames, step)
    )
    info = track.info
    return ClipCount(
        path=info.path,
        sha256_head=info.sha256_head,
        seconds=track.seconds,
        frames=track.frames,
        width=info.width,
        height=info.height,
        fps=info.fps,
        codec=info.codec,
        audio_seconds=info.audio_seconds,
        active_seconds=video.active_seconds(stretches),
        stretches=tuple(stretches),
        activity=activity,
        cpu_seconds=sum(track.cpu_seconds.values()),
        notes=track.notes,
    )


def _stages(case: Case, plan: Plan, footage: _Footage) -> tuple[StageCount, ...]:
    rows: list[StageCount] = []
    clock = time.process_time()

    def watch(stage: AnyStage, before: list[Piece], after: list[Piece]) -> None:
        nonlocal clock
        now = time.process_time()
        name = type(stage).__name__.lower()
        rows.append(
            StageCount(
                stage=name if stage.lane is None else f"{name} ({stage.lane})",
                settings=_settings(stage),
                seconds_in=sum(float(p.item.seconds * p.item.count) for p in before),
                seconds_out=sum(float(p.item.seconds * p.item.count) for p in after),
                frames_in=sum(float(p.item.frames * p.item.count) for p in before),
                frames_out=sum(float(p.item.frames * p.item.count) for p in after),
                cpu_seconds=now - clock,
            )
        )
        clock = time.process_time()

    from reelwise.flow import Out

    run(plan, footage.whole, case.facts, Out(case.book, case.book.day), watch=watch)
    return tuple(rows)


def _settings(stage: AnyStage) -> str:
    """Write the settings that differ from the defaults."""
    fields = msgspec.structs.fields(stage)
    own = [(f.name, getattr(stage, f.name)) for f in fields if f.name != "lane" and getattr(stage, f.name) != f.default]
    return ", ".join(f"{name} {value}" for name, value in own)


def _shown(case: Case, result: Stack) -> list[Lever]:
    """Return the levers whose effect on the footage is shown: those pulled, and those skipped although they apply alone."""
    pulled = {step.lever for step in result.steps}
    return [
        lever
        for lever in _candidates(case)
        if lever.name in pulled or lever.applies(case.workload, case.plan, case.facts, case.book).ok
    ]


def _clips_bill(case: Case, plan: Plan, footage: _Footage) -> tuple[Bill, Out, list[Piece]]:
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
            r.tokens_image + r.tokens_video + r.tokens_audio + r.tokens_text + r.tokens_cached + r.tokens_cache_write
        )
    return frames, seconds, tokens


def _lever(case: Case, lever: Lever, footage: _Footage) -> LeverCount:
    plan = lever.apply(case.plan)
    bill_without, out_without, left_without = _clips_bill(case, case.plan, footage)
    bill_with, out_with, left_with = _clips_bill(case, plan, footage)
    before, after = _sent(out_without), _sent(out_with)
    changed = [s for s in plan.stages if s not in case.plan.stages]
    cuts = any(isinstance(s, Gate | Sample) for s in changed)
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
    )


def _holdout(case: Case, result: Stack, tracks: Sequence[Track]) -> tuple[HoldoutError, ...]:
    """Measure on one half of each clip and predict what the month costs if all of it is like the other half; both ways.

    Both figures are the month: predicted from facts of one half, counted from those of the other. Done for the plan with
    all levers, and for each lever alone whose effect is read off the footage.
    """
    cut = [pair for pair in (halves(track) for track in tracks) if pair is not None]
    if not cut:
        return ()
    sides = [[piece_of(case.workload, pair[side]) for pair in cut] for side in (0, 1)]
    alone = [(f"{lever.name} alone", lever.apply(case.plan)) for lever in _shown(case, result)]
    plans = [
        ("all levers", result.plan),
        *((name, plan) for name, plan in alone if _measured_plan(case, plan, sides[0])),
    ]
    rows = []
    for name, plan in plans:
        months = []
        for side in (0, 1):
            _, _, tally = collect(plan, sides[side], case.facts, case.book)
            entries = entries_of(tally, None, footage=case.workload.footage, on=f"half {side + 1}", day=case.day)
            facts = _without_measured(case.facts).with_entries(entries)
            months.append(float(price_one(case.workload, plan, facts, case.book, case.account).total_usd))
        halves_named = ("first half", "second half")
        rows += [
            HoldoutError(
                plan=name,
                measured_on=halves_named[learn],
                predicted=halves_named[guess],
                usd_predicted=months[learn],
                usd_counted=months[guess],
                error=months[learn] / months[guess] - 1,
            )
            for learn, guess in ((0, 1), (1, 0))
            if months[guess] > 0
        ]
    return tuple(rows)


def _measured_plan(case: Case, plan: Plan, pieces: Sequence[Piece]) -> bool:
    """Say whether running a plan measures anything on footage."""
    return bool(collect(plan, pieces, case.facts, case.book)[2].sums)


def _without_measured(facts: Facts) -> Facts:
    from reelwise.facts import Facts as Layers

    return Layers(e for e in facts.entries if e.fact.kind != "measured")


def _per(case: Case, naive: Bill, final: Bill) -> dict[str, tuple[float | None, float | None]]:
    before = per_unit(case.workload, naive.total_usd)
    after = per_unit(case.workload, final.total_usd)
    return {
        name: (None if usd is None else float(usd), None if after[name] is None else float(after[name] or 0.0))
        for name, usd in before.items()
    }


def _band(case: Case, plan: Plan) -> tuple[float, float, float]:
    """Draw every uncertain fact and return the month's 10th, 50th and 90th percentile."""
    import numpy as np

    totals = price_one(case.workload, plan, case.facts.draw(_DRAWS), case.book, case.account).total_usd
    p10, p50, p90 = (float(q) for q in np.percentile(totals, [10, 50, 90]))
    return p10, p50, p90


def _fact_rows(entries: Sequence[Entry], plan: Plan, footage: _Footage) -> tuple[FactCount, ...]:
    """List what was measured: on the footage as it is, and behind what the final plan does to it."""
    from reelwise.facts import settings_hash
    from reelwise.plan import START, prefix_of

    used = {(settings_hash(stage), prefix_of(plan, index)) for index, stage in enumerate(plan.stages)}
    rows = []
    for entry in entries:
        if entry.prefix != START and (entry.settings, entry.prefix) not in used:
            continue
        fact = entry.fact
        low, high = fact.low if fact.low is not None else fact.value, fact.high if fact.high is not None else fact.value
        name = entry.name if entry.prefix == START else f"{entry.name} (behind the gate)"
        rows.append(FactCount(name=name, value=fact.value, low=low, high=high, segments=len(footage.parts), on=fact.on))
    return tuple(rows)


def _sources(*bills: Bill) -> tuple[tuple[str, str, float, str, str], ...]:
    rows = {
        (line.sku, line.unit, float(_first(line.rate.usd)), line.rate.source, line.rate.checked)
        for bill in bills
        for line in bill.lines
    }
    return tuple(sorted(rows))


def _first(value: Any) -> Any:
    return value.flat[0] if hasattr(value, "flat") else value


def _demand(workload: Workload) -> str:
    hours = workload.seconds_month / 3600
    demand = workload.demand
    if demand.cameras is not None:
        return f"{demand.cameras:,.0f} cameras x {demand.hours_a_day:g} hours a day: {hours:,.0f} hours a month"
    if demand.users is not None:
        return f"{demand.users:,.0f} users x {demand.sessions:g} sessions x {demand.seconds:g} s: {hours:,.0f} hours a month"
    if demand.classes:
        return f"{workload.users_month:,.0f} users in {len(demand.classes)} classes: {hours:,.0f} hours a month"
    return f"{hours:,.0f} hours a month"


def _skewed(usd: float, band: tuple[float, float, float]) -> tuple[str, ...]:
    """Explain a figure that is not in the middle of its band."""
    p50 = band[1]
    if usd <= 0 or abs(p50 / usd - 1) < 0.1:
        return ()
    side = "dearer" if p50 > usd else "cheaper"
    text = (
        f"{usd:,.2f} USD takes every fact at its stated value; drawn at random, half of the months cost more than {p50:,.2f}: "
        f"some facts have more room on the {side} side (see the facts and their ranges)."
    )
    return (text,)


def _warnings(case: Case, tracks: Sequence[Track], footage: _Footage, naive: Bill) -> tuple[str, ...]:
    said = []
    seconds = sum(t.seconds for t in tracks)
    if seconds < _SHORT_SECONDS:
        said.append(
            f"{seconds:,.0f} seconds of footage in {len(footage.parts)} segments are not a month: the interval covers how these "
            "segments differ, not nights, weekends or other cameras. Audit more clips before you quote a figure."
        )
    source = case.workload.source
    sizes = {(t.info.width, t.info.height) for t in tracks}
    if sizes != {(source.width, source.height)}:
        found = ", ".join(f"{w}x{h}" for w, h in sorted(sizes))
        said.append(
            f"the month is priced at {source.width}x{source.height} as the workload says; the clips are {found}"
        )
    said.extend(f"the plan as it is could not do the job: {reason}" for reason in naive.why)
    said.extend(f"{Path(t.info.path).name}: {note}" for t in tracks for note in t.notes)
    return tuple(said)
