"""Lever 6: route easy work to a cheaper tier."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec.structs import replace

from reelwise.errors import UnpricedError
from reelwise.levers.base import Card, Lever, Verdict, edit_calls, no, rule_of, yes
from reelwise.levers.smaller_model.siblings import cheaper_sibling
from reelwise.stages import Call
from reelwise.stages import Route as RouteStage

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Route"]


class Route(Lever, frozen=True, kw_only=True):
    """Send the easy share to model `to` (its maker's small model if null).

    What decides, as in the stage `route`: `rule`, a file of a `trained` router, or a model (`router`).
    """

    to: str | None = None
    rule: Literal["difficulty", "price"] = "difficulty"
    trained: str | None = None
    router: str | None = None

    card: ClassVar[Card] = Card(
        number=6,
        family="smaller_model",
        title="Route easy work to a cheaper tier",
        summary="A router sends routine work to a model at an eighth of the price. Compare tokens times price: gpt-4o-mini costs twice gpt-4o a picture.",
        effort="days",
        risk="hard cases that look easy get the weak answer; measure both on your own cases",
        latency="shorter for the easy share; the router adds its own call",
        prerequisites=("a set of cases with known answers: `reelwise router train`",),
        ask=("What share is really easy, and who says so?",),
        sources=(
            "RouteLLM, arXiv:2406.18665: 95 % of GPT-4's quality at about 85 % lower cost on MT-Bench",
            "25-levers article, lever 6",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = ("route", "call[easy].model")
    excludes: ClassVar[tuple[str, ...]] = ("cascade",)

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit calls to a language model that has a cheaper one beside it."""
        calls = plan.of(Call, lambda call: call.host is None)
        if not calls:
            return no("no call goes to a model of a provider")
        if plan.lanes:
            return no("the plan already sends work to more than one model")
        if self.to is None and not any(cheaper_sibling(call.model) for call in calls):
            return no(f"no cheaper model is known beside {calls[0].model}: name one with `to`")
        for call in self.apply(plan).of(Call, lambda call: call.lane == "easy"):
            try:
                book.rate(call.model, mode=call.mode, resolution=call.resolution)
            except UnpricedError as error:
                return no(str(error))
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Split the items and copy the call for the easy lane."""
        main = main_call(plan)
        model = (self.to or cheaper_sibling(main.model)) if main else None
        if main is None or model is None or plan.of(RouteStage):
            return plan
        plan = edit_calls(plan, lambda call: replace(call, lane="main") if call.lane is None else call)
        return plan.put(RouteStage(rule=self.rule, trained=self.trained, router=self.router)).put(
            replace(stand_in(main, model), lane="easy")
        )


def stand_in(call: Call, model: str) -> Call:
    """Put another model into a call, without the settings it does not have."""
    other = replace(call, model=model)
    found = rule_of(other)
    if found is None:
        return other
    detail = other.detail if not found.details or other.detail in found.details else ""
    part = "auto" if other.part == "video" and found.fps_default is None else other.part
    return replace(other, detail=detail, part=part)


def main_call(plan: Plan) -> Call | None:
    """Return the model call that items see unless something sends them elsewhere."""
    calls = plan.of(Call, lambda call: call.host is None and call.lane in {None, "main"})
    return calls[0] if calls else None
