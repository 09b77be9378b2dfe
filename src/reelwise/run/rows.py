"""Rows of an audit's result: clips, stages, facts, sources, and what a reader must be told."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.facts import settings_hash
from reelwise.flow import START, Out
from reelwise.plan import prefix_of, run
from reelwise.price import per_unit
from reelwise.run.result import ClipCount, FactCount, LookCount, StageCount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.bill import Bill
    from reelwise.case import Case
    from reelwise.facts import Entry
    from reelwise.flow import Piece
    from reelwise.plan import Plan
    from reelwise.run.footage import Footage
    from reelwise.stages import AnyStage
    from reelwise.units import Num
    from reelwise.video import Track
    from reelwise.workload import Workload

__all__ = [
    "clip_row",
    "demand_words",
    "fact_rows",
    "per_units",
    "skewed",
    "source_rows",
    "stage_rows",
    "warnings_of",
]

_POINTS = 600
_SHORT_SECONDS = 600.0


def clip_row(track: Track) -> ClipCount:
    """Sum up one clip, with a line of activity short enough for a chart."""
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


def stage_rows(case: Case, plan: Plan, footage: Footage) -> tuple[StageCount, ...]:
    """Run a plan on the clips and note what goes into each stage and what comes out."""
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

    run(plan, footage.whole, case.facts, Out(case.book, case.book.day), watch=watch)
    return tuple(rows)


def _settings(stage: AnyStage) -> str:
    """Write the settings that differ from the defaults."""
    fields = msgspec.structs.fields(stage)
    own = [(f.name, getattr(stage, f.name)) for f in fields if f.name != "lane" and getattr(stage, f.name) != f.default]
    return ", ".join(f"{name} {value}" for name, value in own)


def per_units(case: Case, naive: Bill, final: Bill) -> dict[str, tuple[float | None, float | None]]:
    """Put USD per frame, minute, hour, session, user and month side by side, before and after."""
    before = per_unit(case.workload, naive.total_usd)
    after = per_unit(case.workload, final.total_usd)
    return {
        name: (None if usd is None else float(usd), None if after[name] is None else float(after[name] or 0.0))
        for name, usd in before.items()
    }


def fact_rows(entries: Sequence[Entry], plan: Plan, footage: Footage) -> tuple[FactCount, ...]:
    """List what was measured: on the footage as it is, and behind what the final plan does to it."""
    used = {(settings_hash(stage), prefix_of(plan, index)) for index, stage in enumerate(plan.stages)}
    rows = []
    for entry in entries:
        if entry.prefix not in {"", START} and (entry.settings, entry.prefix) not in used:
            continue
        fact = entry.fact
        low, high = fact.low if fact.low is not None else fact.value, fact.high if fact.high is not None else fact.value
        name = entry.name if entry.prefix in {"", START} else f"{entry.name} (behind the gate)"
        rows.append(FactCount(name=name, value=fact.value, low=low, high=high, segments=len(footage.parts), on=fact.on))
    return tuple(rows)


def source_rows(*bills: Bill) -> tuple[tuple[str, str, float, str, str], ...]:
    """List each price that bills use: sku, unit, USD a unit, source, day it was read."""
    rows = {
        (line.sku, line.unit, float(_first(line.rate.usd)), line.rate.source, line.rate.checked)
        for bill in bills
        for line in bill.lines
    }
    return tuple(sorted(rows))


def _first(value: Any) -> Any:
    return value.flat[0] if hasattr(value, "flat") else value


def demand_words(workload: Workload) -> str:
    """Say the month's demand in words."""
    hours = workload.seconds_month / 3600
    demand = workload.demand
    if demand.cameras is not None:
        return f"{demand.cameras:,.0f} cameras x {demand.hours_a_day:g} hours a day: {hours:,.0f} hours a month"
    if demand.users is not None:
        return f"{demand.users:,.0f} users x {demand.sessions:g} sessions x {demand.seconds:g} s: {hours:,.0f} hours a month"
    if demand.classes:
        return f"{workload.users_month:,.0f} users in {len(demand.classes)} classes: {hours:,.0f} hours a month"
    return f"{hours:,.0f} hours a month"


def skewed(total: Num, band: tuple[float, float, float]) -> tuple[str, ...]:
    """Explain a figure that is not in the middle of its band."""
    usd, p50 = float(total), band[1]
    if usd <= 0 or abs(p50 / usd - 1) < 0.1:
        return ()
    side = "dearer" if p50 > usd else "cheaper"
    text = (
        f"{usd:,.2f} USD takes every fact at its stated value; drawn at random, half of the months cost more than {p50:,.2f}: "
        f"some facts have more room on the {side} side (see the facts and their ranges)."
    )
    return (text,)


def _misses(look: LookCount) -> tuple[str, ...]:
    """Warn where the gate's signal does not see what a full decode sees."""
    if look.is_safe:
        return ()
    last = look.tried[-1]
    kept = "" if last.change_kept_share is None else f", and keeps {last.change_kept_share:.0%} of what changes"
    if look.method == "person":
        said = (
            f"the gate keeps only where people are: {last.lost} of {last.activities} activities that a full decode found "
            f"are without one{kept}, and the model does not see them"
        )
        return (said,)
    said = (
        f"the gate's method {look.method} sees nothing of {last.lost} of {last.activities} activities that a full decode "
        f"found{kept}: method full finds them all"
    )
    return (said,)


def warnings_of(case: Case, tracks: Sequence[Track], footage: Footage, naive: Bill, look: LookCount) -> tuple[str, ...]:
    """Say what a reader must know before quoting a figure."""
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
    said.extend(_misses(look))
    return tuple(said)
