"""Scenarios of a drill: what happens, and what must come of it. YAML; those of the testing matrix ship with Reelwise."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from reelwise.documents import decode, parse_yaml, read_yaml
from reelwise.drill.seen import METRICS, side_of
from reelwise.errors import DocumentError, InputError
from reelwise.sandbox.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Drill", "Event", "check_names", "read_drills"]

_DRILLS_MAX = 200
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happens in a live stream.

    Attributes:
        at: seconds from its start.
        do: slow (answers take `seconds` from then on; more than ten is a call that is stuck), fail (calls fail), well (they answer again), revoke (the user takes the camera
            away), allow, motion (the picture moves so much from then on).
        seconds: of slow.
        motion: of motion.
    """

    at: Seconds
    do: Literal["slow", "fail", "well", "revoke", "allow", "motion"]
    seconds: Seconds = 0.0
    motion: Literal["still", "normal", "fast"] = "normal"


class Drill(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario.

    Attributes:
        name: what it is called.
        row: the row of the testing matrix that it belongs to; empty for one of your own.
        what: in words, what happens.
        kind: live (the adaptive loop on drawn frames, in simulated time) or plan (the plan on a clip, against a sandbox).
        expect: what must come of it: a figure with _max or _min behind its name; see `reelwise.drill.seen.METRICS`.
        seconds: of the stream, or of the clip that is drawn.
        fps: of the stream.
        motion: how much moves: still, normal, fast.
        users: streams at once, or runs at once.
        quality, usd_an_hour, inferences_a_minute: what the loop holds; none is a quality of 0.9.
        usd_per_call: what an inference costs; null is what one picture costs by the plan.
        call_seconds: how long an answer takes.
        fallback: a model on the device stands by.
        events: what happens on the way.
        mode: of the loop: full, saver, max, ...
        budget_usd: a hard budget for all of it.
        budget_calls: a hard budget of calls for all of it; denied calls raise a notice.
        sandbox: what the sandbox does; see `reelwise.sandbox.scenario.Scenario`.
        clips: clips in each run of the plan; they are run once before, for the facts of the estimate.
        repeats: how often the plan is run, as a bug would that calls too often.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    expect: dict[str, float | str]
    row: Annotated[str, Meta(max_length=80)] = ""
    what: str = ""
    kind: Literal["live", "plan"] = "live"
    seconds: Annotated[float, Meta(gt=0, le=14_400)] = 60.0
    fps: Annotated[float, Meta(gt=0, le=60)] = 10.0
    motion: Literal["still", "normal", "fast"] = "normal"
    users: Annotated[int, Meta(ge=1, le=64)] = 1
    quality: Annotated[float, Meta(gt=0, lt=1)] | None = None
    usd_an_hour: Annotated[float, Meta(gt=0)] | None = None
    inferences_a_minute: Annotated[float, Meta(gt=0)] | None = None
    usd_per_call: Annotated[float, Meta(ge=0)] | None = None
    call_seconds: Seconds = 0.0
    fallback: bool = False
    events: tuple[Event, ...] = ()
    mode: str = "full"
    budget_usd: Annotated[float, Meta(ge=0)] | None = None
    budget_calls: Annotated[int, Meta(ge=0)] | None = None
    sandbox: dict[str, Any] = msgspec.field(default_factory=dict)
    clips: Annotated[int, Meta(ge=1, le=32)] = 1
    repeats: Annotated[int, Meta(ge=1, le=1000)] = 1

    def check(self, where: str) -> None:
        """Refuse what cannot be judged, and what would be set and change nothing.

        Raises:
            DocumentError: a promise about nothing that is seen, or none at all; targets that contradict each other; a mode or a sandbox that
                cannot be; an event after the end; a field of the other kind of scenario.
        """
        if not self.expect:
            raise DocumentError("promises nothing", where=f"{where} $.expect", hint="cost_usd_max: 0.05")
        for name, wanted in self.expect.items():
            self._check_promise(name, wanted, where)
        unused = [name for name in _OF_KIND["plan" if self.kind == "live" else "live"] if self._is_set(name)]
        if unused:
            raise DocumentError(
                f"{unused[0]} does nothing in a scenario of kind {self.kind}", where=f"{where} $.{unused[0]}",
                hint=f"kind: {'plan' if self.kind == 'live' else 'live'}, or leave it out",
            )  # fmt: skip
        held = [name for name in ("quality", "usd_an_hour", "inferences_a_minute") if self._is_set(name)]
        if len(held) > 1:
            raise DocumentError(
                "holds two things at once", where=f"{where} $.{held[1]}",
                hint="quality, usd_an_hour or inferences_a_minute",
            )  # fmt: skip
        for number, event in enumerate(self.events):
            if event.at >= self.seconds:
                raise DocumentError(
                    f"happens at {event.at:g} s, and the stream ends at {self.seconds:g} s",
                    where=f"{where} $.events[{number}].at", hint="sooner, or a longer stream",
                )  # fmt: skip
        self._check_live(where)
        decode({**self.sandbox}, Scenario, where=f"{where} $.sandbox").check()

    def _is_set(self, name: str) -> bool:
        return bool(getattr(self, name) != _USUAL[name])

    def _check_live(self, where: str) -> None:
        from reelwise.live.modes import check_mode
        from reelwise.live.target import Target

        try:
            check_mode(self.mode)
        except InputError as error:
            raise DocumentError(error.message, where=f"{where} $.mode", hint=error.hint) from None
        try:
            Target(
                quality=self.quality, inferences_a_minute=self.inferences_a_minute, usd_an_hour=self.usd_an_hour
            ).check()
        except InputError as error:
            raise DocumentError(error.message, where=f"{where} $.{error.where}", hint=error.hint) from None
        if self.usd_an_hour is not None and self.usd_per_call == 0:
            raise DocumentError(
                "dollars an hour need a price", where=f"{where} $.usd_per_call", hint="usd_per_call: 0.001"
            )

    def _check_promise(self, name: str, wanted: float | str, where: str) -> None:
        at = f"{where} $.expect.{name}"
        metric, side = side_of(name)
        known = METRICS.get(metric)
        if known is None or side not in {"max", "min", "is"}:
            near = get_close_matches(name, [f"{one}_{end}" for one in METRICS for end in ("max", "min", "is")], 1, 0.5)
            names = ", ".join(sorted(one for one, it in METRICS.items() if self.kind in it.kinds))
            hint = f"did you mean {near[0]}?" if near else f"_max or _min behind one of {names}"
            raise DocumentError(f"no such promise: {name}", where=at, hint=hint)
        words = known.unit == "word"
        if words != (side == "is") or words != isinstance(wanted, str):
            raise DocumentError(
                f"no such promise: {name}: {wanted}", where=at,
                hint=f"{metric}_is: WORD" if words else f"{metric}_max: NUMBER, or {metric}_min: NUMBER",
            )  # fmt: skip
        if self.kind not in known.kinds:
            raise DocumentError(
                f"{metric} is not seen in a scenario of kind {self.kind}", where=at, hint=f"kind: {known.kinds[0]}"
            )
        if known.needs and not self._has(known.needs):
            raise DocumentError(f"{metric} is not seen without {known.needs}", where=at, hint=_NEEDS[known.needs])

    def _has(self, needed: str) -> bool:
        if needed == "users":
            return self.users > 1
        return self.budget_usd is not None if needed == "budget_usd" else any(e.do == needed for e in self.events)


_OF_KIND: dict[str, tuple[str, ...]] = {
    "live": (
        "fps", "quality", "usd_an_hour", "inferences_a_minute", "usd_per_call", "call_seconds", "fallback", "events",
        "mode",
    ),
    "plan": ("sandbox", "clips", "repeats"),
}  # fmt: skip
"""Fields that only one kind of scenario reads."""
_NEEDS = {
    "users": "users: 2 or more",
    "budget_usd": "budget_usd: 0.05",
    "revoke": "events: [{at: 20, do: revoke}]",
    "fail": "events: [{at: 20, do: fail}]",
}
_USUAL: dict[str, Any] = {
    name: msgspec.structs.asdict(Drill(name="usual", expect={}))[name] for kind in _OF_KIND.values() for name in kind
}


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    scenarios: tuple[Drill, ...]


def read_drills(path: Path | None = None) -> tuple[Drill, ...]:
    """Read the scenarios of a file, or those of the testing matrix.

    Raises:
        DocumentError: anything in it that cannot be.
    """
    if path is None:
        where = "data/drills.yaml"
        tree = parse_yaml(resources.files("reelwise").joinpath(where).read_text(encoding="utf-8"), where=where)
    else:
        where, tree = str(path), read_yaml(path)
    found = decode(tree, _File, where=where).scenarios
    if not 1 <= len(found) <= _DRILLS_MAX:
        raise DocumentError(f"{len(found)} scenarios", where=f"{where} $.scenarios", hint=f"1 to {_DRILLS_MAX}")
    check_names(found, where)
    for number, one in enumerate(found):
        one.check(f"{where} $.scenarios[{number}] ({one.name})")
    return found


def check_names(drills: Sequence[Drill], where: str) -> None:
    """Refuse two scenarios of one name.

    Raises:
        DocumentError: says which.
    """
    names = [one.name for one in drills]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DocumentError(f"two scenarios are called `{twice}`", where=where, hint="give each a name of its own")
