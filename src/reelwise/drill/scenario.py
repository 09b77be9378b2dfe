"""Scenarios of a drill: what happens, and what must come of it. YAML; the seven of the testing matrix ship with Reelwise."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from reelwise.documents import decode, parse_yaml, read_yaml
from reelwise.drill.seen import METRICS
from reelwise.errors import DocumentError
from reelwise.sandbox.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Drill", "Event", "read_drills"]

_DRILLS_MAX = 200
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happens in a live stream.

    Attributes:
        at: seconds from its start.
        do: slow (answers take `seconds` from then on), fail (calls fail), well (they answer again), revoke (the user takes the camera
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
        repeats: how often the plan is run, as a bug would that calls too often.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    expect: dict[str, float | str]
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
    repeats: Annotated[int, Meta(ge=1, le=1000)] = 1

    def check(self, where: str) -> None:
        """Refuse what cannot be judged.

        Raises:
            DocumentError: a promise about nothing that is seen, or none at all; targets that contradict each other; a sandbox that cannot be.
        """
        if not self.expect:
            raise DocumentError("promises nothing", where=f"{where} $.expect", hint="cost_usd_max: 0.05")
        for name, wanted in self.expect.items():
            metric, _, side = name.rpartition("_")
            if side == "is":
                if metric not in METRICS or not isinstance(wanted, str):
                    raise DocumentError(f"no such promise: {name}", where=f"{where} $.expect", hint="mode_is: off")
            elif side not in {"max", "min"} or metric not in METRICS or isinstance(wanted, str):
                known = ", ".join(sorted(METRICS))
                raise DocumentError(
                    f"no such promise: {name}", where=f"{where} $.expect", hint=f"_max or _min behind one of {known}"
                )
        if sum(one is not None for one in (self.quality, self.usd_an_hour, self.inferences_a_minute)) > 1:
            raise DocumentError(
                "holds two things at once", where=where, hint="quality, usd_an_hour or inferences_a_minute"
            )
        decode({**self.sandbox}, Scenario, where=f"{where} $.sandbox").check()


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
    if not 1 <= len(found) <= _DRILLS_MAX or len({one.name for one in found}) != len(found):
        raise DocumentError(
            f"{len(found)} scenarios", where=where, hint=f"1 to {_DRILLS_MAX}, each with a name of its own"
        )
    for number, one in enumerate(found):
        one.check(f"{where} $.scenarios[{number}]")
    return found
