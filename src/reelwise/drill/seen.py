"""What a drill sees: figures that promises are made about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["METRICS", "Promise", "judged"]

METRICS: dict[str, str] = {
    "cost_usd": "dollars that were posted",
    "cost_usd_hour": "the same for an hour of one stream",
    "estimate_error": "absolute error of the estimate against what was metered, as a share",
    "residual_nano": "what the invoice and the ledger differ by, in nano-dollars",
    "inference_share": "frames that were sent to the model, of all",
    "iou_mean": "overlap of the masks with the model's own, on average",
    "iou_p5": "likewise, that 95 of 100 frames reach",
    "answered_share": "frames, or items, that got an answer",
    "attempts_per_call": "how often a call was sent, on average",
    "calls": "calls that were made",
    "calls_after_revoke": "calls that began after the user took the camera away",
    "calls_while_failing": "calls to an endpoint that does not answer, after it stopped to",
    "denied": "calls that a budget denied before they were made",
    "notices": "notices of budgets",
    "over_budget_usd": "dollars posted above the budget",
    "users_factor": "cost of all users over users times the cost of one",
    "mode": "the mode at the end",
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


def judged(expect: Mapping[str, float | str], seen: Mapping[str, float | str]) -> tuple[Promise, ...]:
    """Hold promises against what was seen; what was not seen breaks its promise."""
    found = []
    for name, wanted in expect.items():
        metric, _, side = name.rpartition("_")
        value = seen.get(metric)
        if side == "is":
            kept = value == wanted
        elif isinstance(value, str) or isinstance(wanted, str) or value is None:
            kept = False
        else:
            kept = value <= wanted + 1e-12 if side == "max" else value >= wanted - 1e-12
        found.append(Promise(name=name, wanted=wanted, seen=value, kept=kept))
    return tuple(found)
