"""What a drill sees: figures that promises are made about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["METRICS", "Metric", "Promise", "judged", "shown", "side_of"]

Unit = Literal["share", "usd", "number", "word", "seconds"]
_SIDES = {"max": "at most", "min": "at least", "is": "is"}


class Metric(Struct, frozen=True):
    """A figure that promises may be made about.

    Attributes:
        words: what it is, for people.
        unit: share (of 1), usd, number, seconds or word.
        kinds: the kinds of scenarios that see it.
        needs: what a scenario must set for it to be seen, as the name of a field or of an event; empty for nothing.
    """

    words: str
    unit: Unit = "number"
    kinds: tuple[str, ...] = ("live", "plan")
    needs: str = ""


_LIVE, _PLAN = ("live",), ("plan",)
METRICS: dict[str, Metric] = {
    "cost_usd": Metric("dollars that were posted", "usd"),
    "cost_usd_hour": Metric("dollars for an hour of one stream", "usd"),
    "estimate_error": Metric("error of the estimate, up or down, of what was metered", "share", _PLAN),
    "over_estimate": Metric("metered above the estimate, of the estimate", "share", _PLAN),
    "residual_nano": Metric("nano-dollars that the invoice and what was posted differ by", "number", _PLAN),
    "ledger_nano": Metric("nano-dollars that the ledger's rows and the receipts differ by"),
    "inference_share": Metric("frames that were sent to the model", "share", _LIVE),
    "device_share": Metric("frames that the model on the device looked at", "share", _LIVE),
    "iou_mean": Metric("overlap of the masks with the model's own (IoU), on average", "share", _LIVE),
    "iou_p5": Metric("the same, that 95 of 100 frames reach", "share", _LIVE),
    "age_seconds": Metric("the oldest mask that was shown, in seconds", "seconds", _LIVE),
    "behind": Metric("calls that were begun after the one whose mask was shown", "number", _LIVE),
    "answered_share": Metric("frames, or clips, that got what they need", "share"),
    "attempts_per_call": Metric("how often a call was sent, on average", "number", _PLAN),
    "calls": Metric("calls that were made"),
    "timeouts": Metric("calls that were given up because no answer came", "number", _LIVE),
    "calls_after_revoke": Metric("calls that began after the camera was taken away", "number", _LIVE, "revoke"),
    "calls_while_failing": Metric("calls to the endpoint while it did not answer", "number", _LIVE, "fail"),
    "denied": Metric("calls that a budget denied before they were made"),
    "notices": Metric("times that somebody was told of a budget"),
    "over_budget_usd": Metric("dollars posted above the budget", "usd", needs="budget_usd"),
    "users_factor": Metric("cost of all users at once, over what they cost alone", "number", needs="users"),
    "mode": Metric("the mode at the end", "word", _LIVE),
    "mode_changes": Metric("changes of mode", "number", _LIVE),
}
"""Each figure and what it means."""


class Promise(Struct, frozen=True, kw_only=True):
    """One promise and what came of it.

    Attributes:
        name: the figure, with _max, _min or _is.
        wanted, seen: the promise, and the figure; None where it was not seen.
        kept: whether it holds.
    """

    name: str
    wanted: float | str
    seen: float | str | None
    kept: bool

    @property
    def words(self) -> str:
        """The figure, for people."""
        return METRICS[side_of(self.name)[0]].words

    @property
    def wanted_words(self) -> str:
        """What was promised of it: `at most 10%`."""
        metric, side = side_of(self.name)
        return f"{_SIDES[side]} {shown(metric, self.wanted)}"

    @property
    def seen_words(self) -> str:
        """What was seen."""
        return shown(side_of(self.name)[0], self.seen)


def side_of(name: str) -> tuple[str, str]:
    """Split a promise's name into the figure and its side: max, min or is."""
    metric, _, side = name.rpartition("_")
    return metric, side


def shown(metric: str, value: float | str | None) -> str:
    """Write a figure as people read it."""
    if value is None:
        return "not seen"
    if isinstance(value, str):
        return value
    unit = METRICS[metric].unit
    if unit == "share":
        return f"{value:.1%}" if value < 1 or value > 1 + 1e-9 else "100%"
    if unit == "usd":
        return f"{value:.4g} USD"
    return f"{value:.4g} s" if unit == "seconds" else f"{value:,.4g}"


def judged(expect: Mapping[str, float | str], seen: Mapping[str, float | str]) -> tuple[Promise, ...]:
    """Hold promises against what was seen; what was not seen breaks its promise."""
    found = []
    for name, wanted in expect.items():
        metric, side = side_of(name)
        value = seen.get(metric)
        if side == "is":
            kept = value == wanted
        elif isinstance(value, str) or isinstance(wanted, str) or value is None:
            kept = False
        else:
            kept = value <= wanted + 1e-12 if side == "max" else value >= wanted - 1e-12
        found.append(Promise(name=name, wanted=wanted, seen=value, kept=kept))
    return tuple(found)
