"""Run scenarios one after another and judge what came of them."""

from __future__ import annotations

import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.drill.plans import run_plan
from reelwise.drill.seen import Promise, judged
from reelwise.run.pictures import picture_usd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reelwise.drill.scenario import Drill
    from reelwise.run.job import Job

__all__ = ["Drilled", "drill"]


class Drilled(Struct, frozen=True, kw_only=True):
    """One scenario, played.

    Attributes:
        name, row, what, kind: of the scenario.
        promises: each with what came of it.
        seen: all figures.
        seconds: that playing it took.
    """

    name: str
    row: str
    what: str
    kind: str
    promises: tuple[Promise, ...]
    seen: dict[str, float | str]
    seconds: float

    @property
    def kept(self) -> bool:
        """Whether every promise holds."""
        return all(promise.kept for promise in self.promises)

    @property
    def cost_usd(self) -> float:
        """What it cost."""
        return float(self.seen.get("cost_usd", 0.0))


def drill(job: Job, drills: Sequence[Drill], tell: Callable[[str], None] | None = None) -> tuple[Drilled, ...]:
    """Play scenarios.

    Args:
        job: the plan, what is asked, prices.
        drills: the scenarios.
        tell: called with each one's name before it is played.

    Raises:
        InputError: the plan cannot be run, or none of its calls takes a picture where a live scenario wants to know its price.
    """
    found = []
    for one in drills:
        if tell is not None:
            tell(one.name)
        began = time.perf_counter()
        seen = _played(one, job)
        found.append(
            Drilled(
                name=one.name, row=one.row, what=one.what, kind=one.kind, promises=judged(one.expect, seen), seen=seen,
                seconds=round(time.perf_counter() - began, 2),
            )
        )  # fmt: skip
    return tuple(found)


def _played(one: Drill, job: Job) -> dict[str, Any]:
    if one.kind == "plan":
        plain = msgspec.structs.replace(job, notes=())
        with tempfile.TemporaryDirectory(prefix="reelwise-drill-") as folder:
            return run_plan(one, plain, Path(folder))
    from reelwise.drill.streams import run_streams

    usd = picture_usd(job) if one.usd_per_call is None else Decimal(str(one.usd_per_call))
    return run_streams(one, usd)
