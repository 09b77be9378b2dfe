"""Measurements of models as facts: written to the evidence folder, where prices and comparisons look for them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from reelwise.evidence import Fact
from reelwise.evidence_store import Measurement, machine, write_measurement
from reelwise.facts import Entry, check_fact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["host_entry", "keep", "probe_entries"]


def _today() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()


def host_entry(host: str, frames_per_second: tuple[float, float, float], *, source: str, on: str = "") -> Entry:
    """Make the fact that says how many frames a second one machine of a fleet does.

    Args:
        host: the fleet's name in the plan.
        frames_per_second: value, low, high.
        source: which command measured it, and how.
        on: the machine, where it is not this one.

    Raises:
        DocumentError: the numbers are no speed.
    """
    value, low, high = frames_per_second
    # a part of the run without one answer leaves the low end open
    fact = Fact(
        value=value, low=low or None, high=high, kind="measured", source=source, day=_today(), on=on or machine()
    )
    name = f"host.{host}.frames_per_second"
    check_fact(name, fact, "bench-model")
    return Entry(name=name, fact=fact)


def probe_entries(
    lever: str,
    *,
    speed_ratio: tuple[float, float, float],
    quality: tuple[float, float, float],
    source: str,
    on: str,
) -> tuple[Entry, Entry]:
    """Make the two facts of a smaller model: how much faster it runs, and how like the teacher's its masks are.

    Args:
        lever: quantize or distil.
        speed_ratio: value, low, high; 2 is twice as fast.
        quality: mean IoU with the teacher on held-back frames: value, low, high.
        source: which command measured it, and how.
        on: clips and machine.

    Raises:
        DocumentError: the numbers are no speed, or no share.
    """
    made = []
    for name, (value, low, high) in ((f"probe.{lever}.speed_ratio", speed_ratio), (f"quality.{lever}", quality)):
        fact = Fact(value=value, low=low, high=high, kind="measured", source=source, day=_today(), on=on)
        check_fact(name, fact, "probe")
        made.append(Entry(name=name, fact=fact))
    return made[0], made[1]


def keep(
    folder: Path, entries: Sequence[Entry], *, clips: Sequence[tuple[str, str]] = (), seconds: float = 0.0
) -> Path:
    """Write measured facts as a new file of the evidence folder and return its path.

    Args:
        folder: the evidence folder; it is made where missing.
        entries: the facts.
        clips: name and content hash of each clip they were measured on.
        seconds: of footage, or as long as the measurement ran.

    Raises:
        OutputError: the folder cannot be written to.
    """
    measurement = Measurement(
        day=_today(), machine=machine(), clips=tuple(clips), seconds=round(seconds, 3), entries=tuple(entries)
    )
    return write_measurement(folder, measurement)
