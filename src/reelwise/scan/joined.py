"""A file's scan joined with triggers: sound in the file, and callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reelwise.errors import InputError
from reelwise.scan.receipt import Spent
from reelwise.scan.triggers import as_events, spans_of, trigger_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.scan.ears import Ear
    from reelwise.scan.receipt import Scan
    from reelwise.scan.triggers import Spans, Trigger

__all__ = ["join_triggers"]


def join_triggers(
    result: Scan, triggers: Sequence[Trigger] = (), *, ears: Sequence[Ear] = (), require_trigger: bool = False
) -> Scan:
    """Join what a scan found in a file's pictures with what triggers say.

    Args:
        result: what `scan` answered; its file is read again where there are ears.
        triggers: callbacks, asked once for the whole file, see `triggers.Trigger`.
        ears: what listens to the sound of the file, see `ears.ear`.
        require_trigger: keep only what pictures and a trigger agree on (intersection); otherwise all of both (union).

    Returns:
        The scan with the joined events, each with the signals that gave it, and with what listening cost.

    Raises:
        InputError: a trigger is required and there is none, or a trigger's answer is no list of spans.
        MediaError: the file cannot be read any more.
    """
    from reelwise.scan.ears import sound_of

    if require_trigger and not triggers and not ears:
        raise InputError("requires a trigger, and there is none", where=result.path, hint="add --sound or a callback")
    if not triggers and not ears:
        return replace(result, events=tuple(replace(one, by=one.by or (result.method,)) for one in result.events))
    sources: dict[str, Spans] = {result.method: [(one.start_seconds, one.stop_seconds) for one in result.events]}
    spent, notes = list(result.signals), list(result.notes)
    if ears:
        heard, cpu = sound_of(result.path, list(ears))
        if heard is None:
            notes.append("there is no sound in the file: the sound trigger stays off")
        for name, spans in (heard or {}).items():
            sources[name] = [(a, min(b, result.seconds)) for a, b in spans if a < result.seconds]
        spent.append(Spent(signal="sound", cpu_seconds=round(cpu, 4), frames_decoded=0))
    for trigger in triggers:
        sources.setdefault(trigger_name(trigger), []).extend(spans_of(trigger, 0.0, result.seconds))
    # what the scan found stays as it is where nothing was joined
    gap = 0.0 if len(sources) == 1 else None
    joined = as_events(sources, seen=result.method, require=require_trigger, gap=gap)
    events = tuple(replace(one, found_by=_found_by(result, one.start_seconds, one.stop_seconds)) for one in joined)
    kept = sum(one.stop_seconds - one.start_seconds for one in events)
    more = sum(one.cpu_seconds for one in spent) - sum(one.cpu_seconds for one in result.signals)
    cpu_seconds = result.cpu_seconds + more
    return replace(
        result,
        events=events,
        kept_share=round(min(1.0, kept / result.seconds), 5) if result.seconds else 0.0,
        cpu_seconds=round(cpu_seconds, 4),
        realtime_factor=round(result.seconds / max(cpu_seconds, 1e-6), 1),
        signals=tuple(spent),
        notes=tuple(notes),
    )


def _found_by(result: Scan, start: float, stop: float) -> str:
    """Say how the edges of the scan's own event in a stretch were found; empty where only a trigger gave it."""
    return next((one.found_by for one in result.events if one.start_seconds < stop and one.stop_seconds > start), "")
