"""How far each lever is built, read off the code: whether it is priced, executed and measured."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.facts import Facts
from reelwise.flow import Item, Out
from reelwise.hosts import Host
from reelwise.plan import Plan
from reelwise.rates import Book
from reelwise.stages import Call, Sample, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.levers.base import Lever

__all__ = ["Flags", "changed_stages", "flags", "probes"]

_DAY = dt.date(2026, 11, 22)
"""Any day would do: flags depend on code, not on prices."""


class Flags(Struct, frozen=True, kw_only=True):
    """How far a lever is built.

    Attributes:
        priced: it changes a plan, so the bill with and without it can be compared.
        executed: priced, and `reelwise run` does every stage it adds or changes for real: the stage has its own `process`,
            and names nothing that it cannot run yet (`unrun`). A host that a lever adds has no address until you name one, so such a
            lever is not run by itself.
        measured: priced, and every fact that it asks for can be told here: by an audit, which counts the plan with and without it on
            footage (the stages it changes are `counted`), or, where it is executed, by a run, from what models answered. A lever whose
            effect no run can show is priced only; so is one that changes nothing but hosts.
    """

    priced: bool
    executed: bool
    measured: bool


def probes() -> tuple[Plan, ...]:
    """Return plans of each kind of call that a lever may act on: native video, pictures, speech, generated video, a host."""
    return (
        Plan(stages=(Call(model="gemini-2.5-pro"),)),
        Plan(stages=(Sample(fps=1.0), Call(model="gpt-4o", part="images"))),
        Plan(stages=(Sample(fps=1.0), Call(model="gemini-2.5-pro", part="images"))),
        Plan(stages=(Call(model="openai/whisper-1", part="audio"),)),
        Plan(stages=(Call(model="google/veo-3.1-fast", part="generate", resolution="1080p"),)),
        Plan(stages=(Sample(fps=1.0), Call(host="own")), hosts=(Host(name="own", sku="aws/g4dn.xlarge"),)),
    )


def flags(lever: Lever) -> Flags:
    """Read a lever's flags off what it does to the probe plans, with its own settings and with those it offers."""
    if not lever.is_priced:
        return Flags(priced=False, executed=False, measured=False)
    pairs = list(changed_stages(lever))
    added = [stage for stage, after in pairs if after]
    runs = [stage for stage, after in changed_stages(lever, _runnable()) if after]
    executed = bool(runs) and all(_runs(stage) for stage in runs)
    counted = bool(pairs) and all(stage.counted for stage, _ in pairs) and all(_told(stage, ()) for stage in added)
    measured = counted or (executed and all(_told(stage, _FROM_RUNS) for stage in added))
    return Flags(priced=True, executed=executed, measured=measured)


def _runs(stage: Stage) -> bool:
    """Say whether a run does what a stage says without being told more than the plan."""
    hosted = isinstance(stage, Call) and stage.host is not None
    return type(stage).process is not Stage.process and not stage.unrun() and not hosted


def _runnable() -> tuple[Plan, ...]:
    """Return the probe plans that can be run here as they are."""
    return tuple(plan for plan in probes() if not any(stage.unrun() for stage in plan.stages))


def changed_stages(lever: Lever, plans: tuple[Plan, ...] = ()) -> Iterator[tuple[Stage, bool]]:
    """List the stages that differ on any probe plan (or of `plans`), and whether each is in the plan after the lever (or only before)."""
    variants = (lever, *(type(lever)(**settings) for settings in lever.offers))
    for pulled in variants:
        for plan in plans or probes():
            after = pulled.apply(plan)
            yield from ((stage, False) for stage in plan.stages if stage not in after.stages)
            yield from ((stage, True) for stage in after.stages if stage not in plan.stages)


_FROM_FOOTAGE = ("gate.", "crop.", "sample.", "audio.", "decode.", "scan.")
"""Facts that scanning or decoding a clip can tell, by the first part of their names."""


_FROM_RUNS = ("call.", "route.", "escalate.", "cache.", "reuse.")
"""Facts that a run tells from what models answered."""


def _told(stage: Stage, more: tuple[str, ...]) -> bool:
    if isinstance(stage, Call) and stage.host is not None:
        return False  # its machines' speed decides
    asked = _Asked()
    item = Item(
        count=1.0, seconds=60.0, frames=1800.0, audio_seconds=60.0, width_px=1920, height_px=1080, tokens_prefix=5000.0
    )
    stage.expect(item, asked, Out(Book.load(_DAY), _DAY))
    return all(name.startswith((*_FROM_FOOTAGE, *more)) for name in asked.names)


class _Asked(Facts):
    """Facts that know nothing and remember what they were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def has(self, name: str, *_: Any, **__: Any) -> bool:
        self.names.add(name)
        return False

    def find(self, name: str, *_: Any, **__: Any) -> None:
        self.names.add(name)

    def get(self, name: str, *_: Any, **__: Any) -> tuple[float, int]:
        self.names.add(name)
        return 0.5, 0
