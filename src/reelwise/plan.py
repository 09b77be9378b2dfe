"""How video is processed: an ordered tuple of stages and the hosts they run on. Settings only, so it can be hashed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from reelwise.errors import DocumentError
from reelwise.facts import settings_hash
from reelwise.fee import Fee
from reelwise.flow import START
from reelwise.hosts import Host
from reelwise.stages import AnyStage, Call, Escalate, Gate, Reuse, Route, Sample, Send, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Plan", "fold", "run"]

S = TypeVar("S", bound=Stage)

_MOST_STAGES = 64
_MOST_ROUTES = 8


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stages in canonical order, hosts, and what is paid whatever is used.

    Attributes:
        stages: keep gate reuse crop sample scale audio pack prompt send route call escalate; a call (or a `send`) in a lane that an
            escalation feeds comes after it.
        hosts: fleets that calls name.
        fees: fixed amounts a month: subscriptions, the least that a contract bills.
    """

    stages: tuple[AnyStage, ...]
    hosts: tuple[Host, ...] = ()
    fees: tuple[Fee, ...] = ()

    def check(self, where: str = "plan") -> None:
        """Refuse a plan that could not run, or that pays for a host no call uses.

        Raises:
            DocumentError: no call, stages out of order, a lane nobody feeds, a host nobody defines or two define, bad
                settings, more stages or routes than any plan needs (each route can double the classes of items).
        """
        if len(self.stages) > _MOST_STAGES or len(self.of(Route)) > _MOST_ROUTES:
            raise DocumentError(
                f"more than {_MOST_STAGES} stages, or {_MOST_ROUTES} routes", where=f"{where} $.stages",
                hint="make two features of it",
            )  # fmt: skip
        if not self.of(Call):
            raise DocumentError(
                "a plan needs a call", where=f"{where} $.stages", hint="add a stage `call` with a model"
            )
        doubts = {stage.to for stage in self.of(Escalate)}
        lanes = {"main"} | doubts | {stage.to for stage in self.of(Route)}
        names = {host.name for host in self.hosts}
        self._check_parts(where, names)
        last = (0, "")
        for index, stage in enumerate(self.stages):
            at = f"{where} $.stages[{index}]"
            stage.check(at)
            slot = _slot(stage, doubts)
            if slot < last[0]:
                raise DocumentError(
                    f"`{_tag(stage)}` comes before `{last[1]}` in the canonical order", where=at,
                    hint="order: keep gate reuse crop sample scale audio pack prompt send route call escalate",
                )  # fmt: skip
            last = (slot, _tag(stage))
            if stage.lane is not None and stage.lane not in lanes:
                raise DocumentError(
                    f"no stage feeds the lane `{stage.lane}`", where=at, hint=f"lanes: {', '.join(sorted(lanes))}"
                )
            if isinstance(stage, Call) and stage.host is not None and stage.host not in names:
                raise DocumentError(f"no host is named `{stage.host}`", where=at, hint="add it under `hosts`")

    def _check_parts(self, where: str, names: set[str]) -> None:
        """Check hosts and fees, and what stages need of each other."""
        parts: tuple[tuple[tuple[Host | Fee, ...], str], ...] = ((self.hosts, "hosts"), (self.fees, "fees"))
        for many, kind in parts:
            if len({one.name for one in many}) < len(many):
                raise DocumentError(f"two {kind} have the same name", where=f"{where} $.{kind}", hint="rename one")
            for index, one in enumerate(many):
                one.check(f"{where} $.{kind}[{index}]")
        if self.of(Reuse, lambda stage: stage.frames) and not self.of(Sample):
            raise DocumentError(
                "frames that look alike are left out of those that a stage `sample` chose, and there is none",
                where=f"{where} $.stages", hint="add {stage: sample, fps: 1}, or leave `frames` out",
            )  # fmt: skip
        idle = names - {call.host for call in self.of(Call)}
        if idle:
            raise DocumentError(
                f"no call uses the host `{min(idle)}`",
                where=f"{where} $.hosts",
                hint="name it in a call, or leave it out",
            )

    @property
    def hash(self) -> str:
        """16 hex digits of the plan's canonical JSON; equal plans have equal hashes."""
        return settings_hash(self)

    def of(self, kind: type[S], where: Callable[[S], bool] = lambda _: True) -> tuple[S, ...]:
        """Return its stages of one kind."""
        return tuple(stage for stage in self.stages if isinstance(stage, kind) and where(stage))

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes that routes and escalations send items to, beside main."""
        return tuple(stage.to for stage in self.stages if isinstance(stage, Route | Escalate))

    def put(self, stage: AnyStage) -> Plan:
        """Add a stage in its canonical place, or replace the one of the same kind and lane."""
        kept = [s for s in self.stages if not (type(s) is type(stage) and s.lane == stage.lane)]
        doubts = {s.to for s in (*kept, stage) if isinstance(s, Escalate)}
        slot = _slot(stage, doubts)
        # a route comes before calls; equal slots keep their order by lane, so that two levers in either order agree
        key = (slot, stage.lane or "")
        index = next((i for i, s in enumerate(kept) if (_slot(s, doubts), s.lane or "") > key), len(kept))
        return msgspec.structs.replace(self, stages=(*kept[:index], stage, *kept[index:]))

    def edit(self, kind: type[S], change: Callable[[S], S]) -> Plan:
        """Change every stage of one kind."""
        stages = tuple(change(s) if isinstance(s, kind) else s for s in self.stages)
        return msgspec.structs.replace(self, stages=stages)

    def with_host(self, host: Host) -> Plan:
        """Add a fleet, or replace the one of its name; fleets are kept in the order of their names, so that levers agree."""
        kept = [one for one in self.hosts if one.name != host.name]
        return msgspec.structs.replace(self, hosts=tuple(sorted((*kept, host), key=lambda one: one.name)))

    def merge(self, kind: type[S], make: Callable[[], S], change: Callable[[S], S]) -> Plan:
        """Change the stages of one kind, or add one where there is none."""
        if self.of(kind):
            return self.edit(kind, change)
        return self.put(change(make()))  # type: ignore[arg-type]


def _tag(stage: Stage) -> str:
    return type(stage).__name__.lower()


def _slot(stage: Stage, doubts: set[str]) -> int:
    return Escalate.slot + 1 if isinstance(stage, Send | Call) and stage.lane in doubts else stage.slot


@lru_cache(maxsize=4096)
def _prefix(stages: tuple[Gate, ...]) -> str:
    if not stages:
        return START
    return settings_hash(stages)


def prefix_of(plan: Plan, index: int) -> str:
    """Hash what the plan before a stage does to the footage: only gates choose stretches; other stages keep time as it is."""
    return _prefix(tuple(s for s in plan.stages[:index] if isinstance(s, Gate)))


def fold(plan: Plan, items: Iterable[Item], facts: Facts, out: Out, *, start: int = 0) -> tuple[Item, ...]:
    """Run a month's classes of items through every stage's `expect`, from a stage on; `out` collects what is billed."""
    now = tuple(items)
    for index, stage in enumerate(plan.stages[start:], start):
        out.prefix, out.calls = _later(plan, index), _calls(plan, index)
        after: list[Item] = []
        for item in now:
            if stage.lane is None or stage.lane == item.lane:
                after.extend(stage.expect(item, facts, out))
            else:
                after.append(item)
        now = tuple(after)
    return now


def run(
    plan: Plan,
    pieces: Iterable[Piece],
    facts: Facts,
    out: Out,
    *,
    watch: Callable[[AnyStage, list[Piece], list[Piece]], None] | None = None,
) -> list[Piece]:
    """Run real footage through every stage's `process`; `watch` sees each stage with its pieces before and after."""
    now = list(pieces)
    for index, stage in enumerate(plan.stages):
        out.prefix, out.calls = _later(plan, index), _calls(plan, index)
        before = [piece for piece in now if stage.lane is None or piece.item.lane == stage.lane]
        after = list(stage.process(before, facts, out))
        if watch is not None:
            watch(stage, before, after)
        now = [*(piece for piece in now if not (stage.lane is None or piece.item.lane == stage.lane)), *after]
    return now


def _calls(plan: Plan, index: int) -> tuple[Call, ...]:
    """List the calls before a stage, for one that asks them again."""
    if not isinstance(plan.stages[index], Escalate):
        return ()
    return tuple(stage for stage in plan.stages[:index] if isinstance(stage, Call))


def _later(plan: Plan, index: int) -> Callable[[], str]:
    return lambda: prefix_of(plan, index)
