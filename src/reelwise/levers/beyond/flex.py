"""Use the flex tier."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reelwise.levers.base import Card, Lever, Verdict, no, set_calls
from reelwise.levers.pay_less.batch_api import mode_offered

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Flex"]


class Flex(Lever, frozen=True, kw_only=True):
    """Bill every call at the flex price: slower, and refused when capacity is short."""

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Use the flex tier",
        summary="Half the price without the day's wait of a batch: the call is answered when there is room, usually within minutes.",
        effort="minutes",
        risk="a call may be refused; retry at the standard price",
        latency="minutes in place of seconds",
        prerequisites=("work that can wait minutes and be retried",),
        sources=("OpenAI flex processing; flex variants in genai-prices 0.2.3 (21 models)",),
    )
    owns: ClassVar[tuple[str, ...]] = ("call.mode",)
    lossless: ClassVar[bool] = True
    excludes: ClassVar[tuple[str, ...]] = ("batch_api",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit work that can wait minutes, on models with a flex price."""
        if workload.latency in {"realtime", "seconds"}:
            return no(f"answers are due within `{workload.latency}`, flex may take minutes")
        return mode_offered("flex", plan, book)

    def apply(self, plan: Plan) -> Plan:
        """Set the mode of every call."""
        return set_calls(plan, mode="flex")
