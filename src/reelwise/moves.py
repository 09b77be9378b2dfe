"""Steps between two plans, and the lever that each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.errors import ReelwiseError
from reelwise.levers import Lever, kinds
from reelwise.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Move", "owner", "tag_of"]


class Move(Struct, frozen=True, kw_only=True):
    """A step that nobody has named yet: fields of the stages of one tag, or of hosts."""

    tag: str
    fields: tuple[str, ...]
    setting: str
    text: str
    plan: Plan
    whole: bool = False


def owner(move: Move, now: Plan, before: Plan, after: Plan, named: Sequence[Lever]) -> tuple[str, str]:
    """Find the lever that a step is, and whether it was pulled, let go or set otherwise."""
    if move.tag in {"route", "escalate"}:
        return _feeding(move.tag, before, after)
    owners = {name: kind for name, kind in kinds().items() if _owns(kind, move)}
    candidates = [lever for name in owners for lever in _settings(owners[name], move, now, named)]
    tests: tuple[tuple[str, Callable[[Lever], bool]], ...] = (
        ("pulled", lambda lever: _pulled(lever, after, before) and _reads(_applied(lever, now), move) == _reads(move.plan, move)),
        ("let go", lambda lever: _pulled(lever, before, after) and _reads(_applied(lever, move.plan), move) == _reads(now, move)),
        ("pulled", lambda lever: _in_part(lever, move, now, move.plan)),
        ("let go", lambda lever: _in_part(lever, move, move.plan, now)),
    )  # fmt: skip
    for direction, holds in tests:
        for lever in candidates:
            if holds(lever):
                return lever.name, "changed" if _set_otherwise(lever, move, now) else direction
    for name, kind in owners.items():
        if set(move.fields) & set(kind.__struct_fields__) or (move.whole and len(owners) == 1):
            return name, "changed"
    return "", ""


def _set_otherwise(lever: Lever, move: Move, now: Plan) -> bool:
    """Say whether a lever is pulled on both sides, only further or less far."""
    if move.whole or not set(move.fields) & set(lever.__struct_fields__):
        return False
    return all([*_reads(now, move), *_reads(move.plan, move)])


def _in_part(lever: Lever, move: Move, old: Plan, new: Plan) -> bool:
    """Say whether a lever of one setting takes some of the calls from one plan to another."""
    if len(lever.owns) != 1 or move.whole:
        return False
    return _explains(_reads(old, move), _reads(new, move), _reads(_applied(lever, old), move))


def _explains(old: tuple[Any, ...], new: tuple[Any, ...], applied: tuple[Any, ...]) -> bool:
    """Say whether every value that differs is the one that a lever would have set."""
    if not len(old) == len(new) == len(applied):
        return False
    return all(value == wanted for was, value, wanted in zip(old, new, applied, strict=True) if was != value)


def _feeding(tag: str, before: Plan, after: Plan) -> tuple[str, str]:
    names = [name for name, kind in kinds().items() if tag in kind.owns]
    bought = any(host.scale == "device" for plan in (before, after) for host in plan.hosts)
    name = "edge" if bought and "edge" in names else next(iter(names), "")
    there = [any(tag_of(stage) == tag for stage in plan.stages) for plan in (before, after)]
    return name, "changed" if all(there) else "pulled" if there[1] else "let go"


def _owns(kind: type[Lever], move: Move) -> bool:
    return move.tag in kind.owns or any(f"{move.tag}.{name}" in kind.owns for name in move.fields)


def _settings(kind: type[Lever], move: Move, now: Plan, named: Sequence[Lever]) -> Iterator[Lever]:
    """Offer a lever with the settings that could have led to a step: the user's, the step's own, its offers."""
    if kind.apply is Lever.apply:
        return
    yield from (lever for lever in named if type(lever) is kind)
    for plan in (move.plan, now):
        for thing in _things(plan, move.tag):
            own = {name: getattr(thing, name) for name in kind.__struct_fields__ if hasattr(thing, name)}
            yield kind(**{name: value for name, value in own.items() if value is not None})
    yield from (kind(**offer) for offer in kind.offers)


def _applied(lever: Lever, plan: Plan) -> Plan:
    try:
        return lever.apply(plan)
    except ReelwiseError:
        return plan


def _pulled(lever: Lever, there: Plan, not_there: Plan) -> bool:
    """Say whether a lever is pulled in one plan and not in another: pulling it again changes nothing."""
    return _applied(lever, there) == there and _applied(lever, not_there) != not_there


def _things(plan: Plan, tag: str) -> tuple[Any, ...]:
    return plan.hosts if tag == "host" else tuple(stage for stage in plan.stages if tag_of(stage) == tag)


def _reads(plan: Plan, move: Move) -> tuple[Any, ...]:
    return tuple(getattr(thing, name) for thing in _things(plan, move.tag) for name in move.fields)


def tag_of(stage: object) -> str:
    """Return the name of a stage as in YAML."""
    return type(stage).__name__.lower()
