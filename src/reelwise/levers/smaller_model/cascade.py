"""Lever 7: try the cheap model first, escalate only on doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, edit_calls, language_calls, no, yes
from reelwise.levers.smaller_model.route import main_call, stand_in
from reelwise.levers.smaller_model.siblings import cheaper_sibling
from reelwise.stages import Escalate

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Cascade"]


class Cascade(Lever, frozen=True, kw_only=True):
    """Ask model `first` (the maker's small model if null) and pass doubtful answers to the model of the plan.

    What doubts, as in the stage `escalate`: `sure`, or one of `samples`, `second`, `verifier` and `calibrated`.
    """

    first: str | None = None
    sure: Annotated[float, Meta(ge=0, le=1)] = 0.8
    samples: Annotated[int, Meta(ge=1, le=16)] = 1
    second: str = ""
    verifier: str = ""
    calibrated: str | None = None

    card: ClassVar[Card] = Card(
        number=7,
        family="smaller_model",
        title="Cascade: try the cheap model first, escalate only on doubt",
        summary="The cheap model answers; where it is unsure the dear one is asked too. Costs the cheap call always and the dear one for the doubtful share.",
        effort="weeks",
        risk="a confident wrong answer is never escalated",
        latency="longer for the doubtful share: two calls in a row",
        prerequisites=(
            "a doubt that means something, measured on known cases: `reelwise cascade calibrate`, `reelwise verify`",
        ),
        ask=("May a doubtful answer take twice as long?",),
        sources=("25-levers article, lever 7: about 97 % of accuracy at a quarter of the cost",),
    )
    owns: ClassVar[tuple[str, ...]] = ("escalate", "call[main].model", "call[doubt].model")
    excludes: ClassVar[tuple[str, ...]] = ("route",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit calls that may take a second try."""
        if workload.latency == "realtime":
            return no("real-time answers leave no time for a second model")
        calls = language_calls(plan, book)
        if not calls:
            return no("no call goes to a language model")
        if plan.lanes:
            return no("the plan already sends work to more than one model")
        if self.first is None and not any(cheaper_sibling(call.model) for call in calls):
            return no(f"no cheaper model is known beside {calls[0].model}: name one with `first`")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Put the cheap call in front, and the dear one behind the doubt."""
        main = main_call(plan)
        model = (self.first or cheaper_sibling(main.model)) if main else None
        if main is None or model is None or plan.of(Escalate):
            return plan
        plan = edit_calls(
            plan, lambda call: replace(stand_in(call, model), lane="main") if call.lane in {None, "main"} else call
        )
        doubt = Escalate(
            lane="main", sure=self.sure, samples=self.samples, second=self.second, verifier=self.verifier,
            calibrated=self.calibrated,
        )  # fmt: skip
        return plan.put(doubt).put(replace(main, lane="doubt"))
