"""The way from one plan to another, one setting at a time, and which lever each step is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reelwise.levers import kinds
from reelwise.moves import Move, owner, tag_of
from reelwise.plan import Plan
from reelwise.stages import AnyStage, Call, Escalate, Route, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reelwise.hosts import Host
    from reelwise.levers import Lever

__all__ = ["Edit", "edits", "shown"]

_LONGEST = 60


class Edit(Struct, frozen=True, kw_only=True):
    """One step on the way.

    Attributes:
        setting: what is changed: "sample.fps", or a stage that comes or goes: "gate".
        text: the change in words: "sample.fps 1 -> 0.5".
        lever: the lever that it is, empty where no lever owns the setting.
        direction: pulled (the lever is new), let go (it was there before), or changed (its setting is another one).
        plan: the plan after the step.
    """

    setting: str
    text: str
    lever: str = ""
    direction: str = ""
    plan: Plan


def edits(before: Plan, after: Plan, levers: Iterable[Lever] = ()) -> tuple[Edit, ...]:
    """Walk from one plan to another in canonical order: stages before the calls, lanes, settings of calls, hosts.

    Plans on the way are there to be priced, not to be run; one that cannot be priced belongs to the step after it.
    Lanes come and go in one step with what feeds them, because half a route would leave items that nobody calls for.

    Args:
        before: a plan that passed `Plan.check`.
        after: another one.
        levers: levers with the settings that the user has named; they are recognised first.

    Returns:
        The steps; the last one's plan is `after`.
    """
    named = tuple(levers)
    now = before
    found = []
    for move in _moves(before, after):
        lever, direction = owner(move, now, before, after, named)
        found.append(Edit(setting=move.setting, text=move.text, lever=lever, direction=direction, plan=move.plan))
        now = move.plan
    if now.fees != after.fees:
        text = f"fees {_fees(now)} -> {_fees(after)}"
        now = replace(now, fees=after.fees)
        found.append(Edit(setting="fees", text=text, plan=now))
    if found and now != after and replace(now, hosts=_called(now)) == replace(after, hosts=_called(after)):
        found[-1] = replace(found[-1], plan=after)  # hosts that nothing calls any more went with the last step
        return tuple(found)
    if now != after:
        found.append(Edit(setting="plan", text="the rest: order, lanes, hosts that nothing calls", plan=after))
    return tuple(found)


def _called(plan: Plan) -> tuple[Host, ...]:
    names = {call.host for call in plan.of(Call)}
    return tuple(host for host in plan.hosts if host.name in names)


def _fees(plan: Plan) -> str:
    return ", ".join(f"{fee.name} {fee.usd_month:,.10g}" for fee in plan.fees) or "none"


def shown(value: object) -> str:
    """Write a setting for people: 0.5, 50,000, none, batch."""
    if value in (None, "", ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,.10g}"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


# Steps


def _moves(before: Plan, after: Plan) -> Iterator[Move]:
    hosts = (*before.hosts, *(host for host in after.hosts if host.name not in {one.name for one in before.hosts}))
    tail = _tail(before)
    stages: tuple[AnyStage, ...] = ()

    def plan_of(stages: tuple[AnyStage, ...], tail: tuple[AnyStage, ...]) -> Plan:
        return Plan(stages=(*stages, *tail), hosts=hosts, fees=before.fees)

    for move_stages, move in _before_calls(before, after):
        stages = move_stages
        yield replace(move, plan=plan_of(stages, tail))
    stages = _head(after)
    if _lanes(tail) != _lanes(_tail(after)):
        new_tail = _new_lanes(tail, _tail(after))
        yield _lane_move(tail, new_tail, plan_of(stages, new_tail))
        tail = new_tail
    for name in _call_fields():
        new_tail, texts = _set_calls(tail, _tail(after), name)
        if texts:
            tail = new_tail
            plan = plan_of(stages, tail)
            yield Move(tag="call", fields=(name,), setting=f"call.{name}", text="; ".join(texts), plan=plan)
    yield from _host_moves(plan_of(stages, tail), after)


def _head(plan: Plan) -> tuple[AnyStage, ...]:
    return tuple(stage for stage in plan.stages if not isinstance(stage, Route | Call | Escalate))


def _tail(plan: Plan) -> tuple[AnyStage, ...]:
    return tuple(stage for stage in plan.stages if isinstance(stage, Route | Call | Escalate))


def _lane(stage: Stage) -> str:
    return stage.lane or "main"


def _identity(stage: Stage) -> str:
    return str(getattr(stage, "model", "") or getattr(stage, "host", "") or getattr(stage, "sku", ""))


def _pairs(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pair stages of one kind: equal ones, then those of the same lane and model or card, then the same lane in order.

    Pairs come in the order of `new`, with those that are gone at the end.
    """
    left = list(old)
    found: dict[int, Any] = {}
    for same in (
        lambda a, b: a == b,
        lambda a, b: _lane(a) == _lane(b) and _identity(a) == _identity(b),
        lambda a, b: _lane(a) == _lane(b),
    ):
        for index, stage in enumerate(new):
            match = next((one for one in left if index not in found and same(one, stage)), None)
            if match is not None:
                left.remove(match)
                found[index] = match
    return [(found.get(index), stage) for index, stage in enumerate(new)] + [(stage, None) for stage in left]


def _before_calls(before: Plan, after: Plan) -> Iterator[tuple[tuple[AnyStage, ...], Move]]:
    """Change the stages in front of the calls, kind by kind; yields them as they are after each step."""
    heads = (_head(before), _head(after))
    order = sorted({type(stage) for head in heads for stage in head}, key=lambda kind: kind.slot)
    now: dict[type[Stage], list[Any]] = {kind: [s for s in heads[0] if type(s) is kind] for kind in order}
    for kind in order:
        pairs = _pairs(now[kind], [s for s in heads[1] if type(s) is kind])
        places: list[Any] = [old for old, _ in pairs]
        for index, (old, new) in enumerate(pairs):
            for stage, fields, text in _stage_steps(old, new):
                places[index] = stage
                now[kind] = [one for one in places if one is not None]
                tag = kind.__name__.lower()
                setting = tag if old is None or new is None else f"{tag}.{fields[0]}"
                yield (
                    tuple(one for each in order for one in now[each]),
                    Move(tag=tag, fields=fields, setting=setting, text=text, plan=after, whole=old is None or new is None),
                )  # fmt: skip


def _stage_steps(old: Any, new: Any) -> Iterator[tuple[Any, tuple[str, ...], str]]:
    """Say how one stage becomes another, comes or goes: the stage after each step, the fields, the words."""
    some = new if old is None else old
    tag = tag_of(some)
    base = _defaults(some)
    if old is not None and new is not None:
        stage = old
        for name in base:
            if getattr(old, name) != getattr(new, name):
                stage = replace(stage, **{name: getattr(new, name)})
                yield stage, (name,), f"{tag}.{name} {shown(getattr(old, name))} -> {shown(getattr(new, name))}"
        return
    groups = _groups(tag, [name for name, default in base.items() if getattr(some, name) != default]) or [tuple(base)]
    if old is None:
        for index, group in enumerate(groups):
            later = {name: base[name] for rest in groups[index + 1 :] for name in rest}
            said = ", ".join(
                f"{name} {shown(getattr(new, name))}" for name in group if getattr(new, name) != base[name]
            )
            word = "added" if index == 0 else "also"
            yield replace(new, **later), group, f"{tag} {word}{': ' if said else ''}{said}"
        return
    for index, group in enumerate(groups):
        gone = {name: base[name] for done in groups[: index + 1] for name in done}
        said = ", ".join(f"{name} {shown(getattr(old, name))}" for name in group if getattr(old, name) != base[name])
        last = index == len(groups) - 1
        yield None if last else replace(old, **gone), group, f"{tag} removed{': ' if said else ''}{said}"


def _defaults(stage: Any) -> dict[str, Any]:
    fields = msgspec.structs.fields(type(stage))
    return {
        field.name: getattr(stage, field.name) if field.default is msgspec.NODEFAULT else field.default
        for field in fields
        if field.name != "lane"
    }


def _groups(tag: str, names: list[str]) -> list[tuple[str, ...]]:
    """Group a new stage's fields by the lever that owns them.

    A field of several levers goes with one that is there anyway, a field of no lever with the first group.
    """
    owners = {name: [lever for lever, kind in kinds().items() if f"{tag}.{name}" in kind.owns] for name in names}
    grouped: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: (len(owners[name]) != 1, not owners[name])):
        own = next(
            (lever for lever in owners[name] if lever in grouped), (owners[name] or [next(iter(grouped), "")])[0]
        )
        grouped.setdefault(own, []).append(name)
    return [tuple(group) for group in grouped.values()]


# Lanes and calls


def _lanes(tail: Sequence[AnyStage]) -> tuple[Any, ...]:
    """Say what feeds which lane, and how many calls are in each."""
    feeds = tuple(stage for stage in tail if not isinstance(stage, Call))
    return feeds, tuple(sorted(_lane(stage) for stage in tail if isinstance(stage, Call)))


def _calls(tail: Sequence[AnyStage]) -> list[Call]:
    return [stage for stage in tail if isinstance(stage, Call)]


def _new_lanes(old: Sequence[AnyStage], new: Sequence[AnyStage]) -> tuple[AnyStage, ...]:
    """Take the new lanes; calls in them keep their settings, and in a lane that is new, those of the main call.

    A call in a new lane has its new model. A cascade is a change of models, so with it all calls have theirs.
    """
    calls = _calls(old)
    main = next((call for call in calls if _lane(call) == "main"), calls[0])
    cascaded = [s for s in old if isinstance(s, Escalate)] != [s for s in new if isinstance(s, Escalate)]
    base = {id(stage): match for match, stage in _pairs(calls, _calls(new)) if stage is not None}
    tail: list[AnyStage] = []
    for stage in new:
        if not isinstance(stage, Call):
            tail.append(stage)
            continue
        match = base[id(stage)]
        source = stage if match is None or cascaded else match
        tail.append(replace(match or main, lane=stage.lane, model=source.model, host=source.host))
    return tuple(tail)


def _lane_move(old: Sequence[AnyStage], new: Sequence[AnyStage], plan: Plan) -> Move:
    feeds = [[stage for stage in tail if isinstance(stage, Route | Escalate)] for tail in (old, new)]
    tags = sorted({tag_of(stage) for one, other in (feeds, feeds[::-1]) for stage in one if stage not in other})
    tag = tags[0] if len(tags) == 1 else "lanes" if tags else "call"
    was, now = ({_lane(call): call for call in _calls(tail)} for tail in (old, new))
    texts = [f"{one} added" for one in tags if not any(tag_of(stage) == one for stage in old)]
    texts += [f"{one} removed" for one in tags if not any(tag_of(stage) == one for stage in new)]
    for lane in dict.fromkeys([*now, *was]):
        texts += _lane_texts(lane, was.get(lane), now.get(lane))
    return Move(tag=tag, fields=(), setting=tag, text="; ".join(texts) or f"{tag} changed", plan=plan, whole=True)


def _lane_texts(lane: str, old: Call | None, new: Call | None) -> list[str]:
    if old is None or new is None:
        call = old or new
        return [f"lane {lane} {'new' if old is None else 'gone'}: {_call_value(call, 'model')}"] if call else []
    was, now = _call_value(old, "model"), _call_value(new, "model")
    return [f"lane {lane}: {was} -> {now}"] if was != now else []


def _call_fields() -> tuple[str, ...]:
    return tuple(name for name in Call.__struct_fields__ if name not in {"lane", "host"})


def _set_calls(
    tail: Sequence[AnyStage], after: Sequence[AnyStage], name: str
) -> tuple[tuple[AnyStage, ...], list[str]]:
    """Set one field of every call to what it is after (a model together with the host in its place, a cache with its hours)."""
    calls = _calls(tail)
    wanted = {id(old): new for old, new in _pairs(calls, _calls(after)) if old is not None and new is not None}
    found: list[AnyStage] = []
    texts = []
    for stage in tail:
        target = wanted.get(id(stage))
        changes = {name: getattr(target, name)} if target is not None else {}
        if target is not None and name == "model":
            changes["host"] = target.host
        if target is not None and name == "cache" and target.cache != getattr(stage, "cache", ""):
            changes["cache_hours"] = target.cache_hours
        if (
            target is None
            or not isinstance(stage, Call)
            or all(getattr(stage, key) == value for key, value in changes.items())
        ):
            found.append(stage)
            continue
        changed = replace(stage, **changes)
        found.append(changed)
        lane = f"[{_lane(stage)}]" if len(calls) > 1 else ""
        texts += [
            f"call{lane}.{key} {_call_value(stage, key)} -> {_call_value(changed, key)}"
            for key in changes
            if key != "host" and _call_value(stage, key) != _call_value(changed, key)
        ]
    return tuple(found), texts


def _call_value(call: Call, name: str) -> str:
    return f"host {call.host}" if name == "model" and call.host else shown(getattr(call, name))


# Hosts


def _host_moves(plan: Plan, after: Plan) -> Iterator[Move]:
    """Change the fleets that both plans have; those that nothing calls any more cost nothing and go at the end."""
    now: dict[str, Host] = {host.name: host for host in plan.hosts}
    for host in after.hosts:
        for name in host.__struct_fields__:
            value, old = getattr(host, name), getattr(now[host.name], name)
            if value != old:
                now[host.name] = replace(now[host.name], **{name: value})
                text = f"host[{host.name}].{name} {shown(old)} -> {shown(value)}"
                yield Move(tag="host", fields=(name,), setting=f"host.{name}", text=text,
                            plan=replace(plan, hosts=tuple(now.values())))  # fmt: skip
