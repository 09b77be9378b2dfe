"""Whose tiles frames are fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.levers.base import rule_of
from reelwise.levers.smaller_model.route import main_call
from reelwise.stages import Call, Escalate

if TYPE_CHECKING:
    from reelwise.plan import Plan

__all__ = ["grid_call"]


def grid_call(plan: Plan) -> tuple[str, str] | None:
    """Return the model and detail level whose tokens count: the main call's, or those of the call that doubtful items go to.

    None where no such call is billed by tokens, or it is counted by a rule of the plan's own.
    """
    doubts = {stage.to for stage in plan.of(Escalate)}
    passed_on = plan.of(Call, lambda call: call.host is None and call.lane in doubts)
    main = passed_on[0] if passed_on else main_call(plan)
    rule = rule_of(main) if main is not None else None
    if main is None or rule is None or main.token_rule is not None:
        return None
    return main.model, main.detail if main.detail in rule.details else ""
