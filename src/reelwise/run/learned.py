"""What a run teaches prices: how long answers are, how long the text really is, which shares are cached, doubted or easy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from reelwise.evidence import Fact
from reelwise.evidence_store import Measurement, machine, write_measurement
from reelwise.facts import Entry, settings_hash
from reelwise.run.measure import entries_of, interval
from reelwise.stages.asking import SHORT_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.flow import Tally
    from reelwise.run.agreement import Agreement
    from reelwise.run.outcome import Outcome
    from reelwise.video import Track

__all__ = ["keep", "learned", "quality"]

_SOURCE = "reelwise run"
_SHORT = frozenset({"verify", "route"})
"""Turns whose answers are one word."""
_CACHE = ("tokens_cached", "tokens_cache_write", "tokens_cache_write_1h")


def learned(outcomes: Sequence[Outcome], tally: Tally, *, footage: str, on: str, asked: int = 1) -> tuple[Entry, ...]:
    """Turn what calls used into facts.

    Args:
        outcomes: of the calls.
        tally: what stages counted.
        footage: the kind of footage, part of the key.
        on: the clips' names.
        asked: questions in a call that asks all at once.
    """
    today = dt.datetime.now(tz=dt.UTC).date()
    entries = list(entries_of(tally, tally, footage=footage, on=on, day=today))
    metered = [
        one
        for one in outcomes
        if one.known
        and one.kind == "call"
        and one.status in {"ok", "refused"}
        and not one.hosted
        and any(unit.startswith("tokens_") for unit in one.units)
    ]
    for model in sorted({one.model for one in metered}):
        mine = [one for one in metered if one.model == model and one.status == "ok"]
        for name, short in (("call.tokens_output", False), (SHORT_OUTPUT, True)):
            each = [
                (one.units.get("tokens_output", 0.0), float(asked if one.question < 0 else 1))
                for one in mine
                if (one.turn in _SHORT) == short
            ]
            entries += _entry(name, model, each, footage=footage, on=on, today=today)
        fresh = [one for one in mine if not any(one.units.get(name) for name in _CACHE)]
        texts = [(one.text_metered, float(one.text_expected)) for one in fresh if one.text_expected]
        entries += _entry("call.text_factor", model, texts, footage=footage, on=on, today=today)
    kept = [one for one in metered if one.prefix_expected]
    if kept:
        hits = [
            (min(one.units.get("tokens_cached", 0.0), one.prefix_expected), float(one.prefix_expected)) for one in kept
        ]
        entries += _entry("cache.prefix_hit_share", "", hits, footage=footage, on=on, today=today)
    return tuple(entries)


def _entry(
    name: str, model: str, sums: Sequence[tuple[float, float]], *, footage: str, on: str, today: dt.date
) -> Iterable[Entry]:
    whole = sum(w for _, w in sums)
    if whole <= 0:
        return ()
    value = sum(p for p, _ in sums) / whole
    low, high = interval(sums, value, 0)
    fact = Fact(value=value, low=low, high=high, kind="measured", source=_SOURCE, day=today.isoformat(), on=on)
    return (Entry(name=name, settings=settings_hash((model,)) if model else "", source_class=footage, fact=fact),)


def quality(lever: str, found: Agreement, *, on: str) -> Entry:
    """Make the fact that says what one lever's answers are worth: how far they agree with those without it.

    Args:
        lever: its name.
        found: labels or texts.
        on: the clips' names.
    """
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    fact = Fact(
        value=found.value, low=found.low, high=found.high, kind="measured", day=today, on=f"{on}: {found.items} answers",
        source=f"reelwise verify: agreement of {found.what} with the full plan",
    )  # fmt: skip
    return Entry(name=f"quality.{lever}", fact=fact)


def keep(folder: Path, tracks: Sequence[Track], entries: Sequence[Entry]) -> Path:
    """Add facts to the evidence folder; return the file.

    Raises:
        OutputError: the folder cannot be written to.
    """
    return write_measurement(
        folder,
        Measurement(
            day=dt.datetime.now(tz=dt.UTC).date().isoformat(),
            machine=machine(),
            clips=tuple((Path(t.info.path).name, t.info.sha256_head) for t in tracks),
            seconds=sum(t.seconds for t in tracks),
            entries=tuple(entries),
        ),
    )
