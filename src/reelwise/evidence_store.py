"""Measured facts on disk: one YAML file for each measurement, in a folder.

A file says which clip, machine, day and plan it was measured with. Files are only added: a newer measurement under the
same key wins, and one older than `days_valid` is passed over.
"""

from __future__ import annotations

import datetime as dt
import platform
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.documents import decode, read_yaml, write_whole
from reelwise.errors import DocumentError
from reelwise.facts import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["DAYS_VALID", "Measurement", "machine", "read_store", "write_measurement"]

DAYS_VALID = 365
"""Footage changes with the seasons and cameras are moved: after a year a measurement counts no more."""
_MOST_FILES = 10_000


class Measurement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one audit, bench or probe measured.

    Attributes:
        day: ISO day of the measurement.
        machine: what it ran on.
        clips: name and content hash of each clip.
        seconds: footage measured.
        entries: facts with their keys.
        days_valid: how long it counts.
    """

    day: str
    machine: str
    clips: tuple[tuple[str, str], ...]
    seconds: float
    entries: tuple[Entry, ...]
    days_valid: int = DAYS_VALID


def machine() -> str:
    """Name this machine without naming its owner: processor, cores, system, Python."""
    import os

    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def read_store(folder: Path, today: dt.date | None = None) -> tuple[Entry, ...]:
    """Read every measurement of a folder; the newest of a key wins, expired ones are passed over.

    Raises:
        DocumentError: a file in it is broken.
    """
    today = today or dt.datetime.now(tz=dt.UTC).date()
    files = sorted(folder.glob("*.yaml"))
    if len(files) > _MOST_FILES:
        raise DocumentError(f"more than {_MOST_FILES:,} files", where=str(folder), hint="move old measurements away")
    found: list[tuple[dt.date, int, Measurement]] = []
    for path in files:
        measurement = decode(read_yaml(path), Measurement, where=str(path))
        try:
            day = dt.date.fromisoformat(measurement.day)
        except ValueError:
            raise DocumentError(
                f"`{measurement.day}` is no day", where=f"{path} $.day", hint="write 2026-11-22"
            ) from None
        if (today - day).days <= measurement.days_valid:
            found.append((day, path.stat().st_mtime_ns, measurement))
    newest: dict[tuple[str, str, str, str], Entry] = {}
    for _, _, measurement in sorted(found, key=lambda one: one[:2]):
        for entry in measurement.entries:
            newest[entry.name, entry.settings, entry.prefix, entry.source_class] = entry
    return tuple(newest.values())


def write_measurement(folder: Path, measurement: Measurement) -> Path:
    """Write one measurement as a new file and return its path.

    Raises:
        OutputError: the folder cannot be written to.
    """
    import hashlib

    import yaml

    clips = "-".join(content[:8] for _, content in measurement.clips[:3]) or "none"
    body = msgspec.to_builtins(measurement)
    key = hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:8]
    path = folder / f"{measurement.day}-{clips}-{key}.yaml"
    write_whole(
        path,
        "# Written by reelwise: what was measured, with the keys it holds under.\n"
        + yaml.safe_dump(body, sort_keys=False),
    )
    return path


def merge(entries: Iterable[Entry], more: Iterable[Entry]) -> tuple[Entry, ...]:
    """Merge two sets of entries; the second wins under the same key."""
    merged = {(e.name, e.settings, e.prefix, e.source_class): e for e in (*entries, *more)}
    return tuple(merged.values())
