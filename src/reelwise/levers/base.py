"""What a lever is: a card for people, and for those that can be priced here, a change to a plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from msgspec import Struct

from reelwise.errors import UnknownModelError
from reelwise.stages import Call
from reelwise.tokens import rule, rule_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.tokens import TokenRule
    from reelwise.workload import Workload

__all__ = ["FAMILIES", "Card", "Effort", "Lever", "Verdict", "edit_calls", "yes"]

Effort = Literal["minutes", "hours", "days", "weeks"]

FAMILIES: dict[str, str] = {
    "process_less": "Process less video",
    "smaller_model": "Run a smaller, cheaper model",
    "serve_better": "Serve the model more efficiently",
    "pay_less": "Pay less per unit of compute",
    "govern": "Architect and govern for cost",
    "beyond": "Beyond the article",
}


class Card(Struct, frozen=True, kw_only=True):
    """What a person should know before pulling a lever.

    Attributes:
        number: its number in the article, or None beyond it.
        family: folder it lives in.
        title: a short imperative.
        summary: what it does and why it saves, in a sentence or two.
        effort: how long a team needs for it.
        prerequisites: what must be there first.
        risk: what can go wrong.
        latency: what it does to the time to an answer.
        ask: what to ask before pulling it.
        sources: who says so, with dates.
    """

    number: int | None
    family: Literal["process_less", "smaller_model", "serve_better", "pay_less", "govern", "beyond"]
    title: str
    summary: str
    effort: Effort
    risk: str
    latency: str
    prerequisites: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Verdict(Struct, frozen=True):
    """Whether a lever applies, and why (not)."""

    ok: bool
    reason: str = ""


def yes(reason: str = "") -> Verdict:
    """Say that a lever applies."""
    return Verdict(ok=True, reason=reason)


def no(reason: str) -> Verdict:
    """Say why a lever does not apply."""
    return Verdict(ok=False, reason=reason)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Lever(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="lever", tag=_snake):
    """One way of cutting the bill. Its fields are the settings it would be pulled with.

    A lever that can be priced defines `apply`; one that only has a card yet does not. It owns fields of the plan and
    merges them so that two levers in either order agree; those that cannot be combined name each other in `excludes`.
    """

    card: ClassVar[Card]
    owns: ClassVar[tuple[str, ...]] = ()
    """Fields of the plan it changes, as "stage.field"; "stage[lane]" is the whole stage of a lane."""
    excludes: ClassVar[tuple[str, ...]] = ()
    """Names of levers that make no sense beside it."""
    offers: ClassVar[tuple[dict[str, object], ...]] = ({},)
    """Settings that a search may try."""
    lossless: ClassVar[bool] = False
    """Whether the same model gets the same input, so that no answer can get worse."""

    @property
    def name(self) -> str:
        """The lever's name, as in YAML."""
        return _snake(type(self).__name__)

    @property
    def is_priced(self) -> bool:
        """Whether it changes a plan (and so a price) here."""
        return type(self).apply is not Lever.apply

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:
        """Say whether it fits this workload and plan, with the reason."""
        raise NotImplementedError

    def apply(self, plan: Plan) -> Plan:
        """Return the plan with the lever pulled."""
        raise NotImplementedError


def edit_calls(plan: Plan, change: Callable[[Call], Call]) -> Plan:
    """Change every model call of a plan (not those served by a host)."""
    return plan.edit(Call, lambda call: call if call.host is not None else change(call))


def language_calls(plan: Plan, book: Book) -> tuple[Call, ...]:
    """Return the calls to language models: those billed by tokens."""
    return plan.of(Call, lambda call: call.host is None and book.is_language_model(call.model))


def set_calls(plan: Plan, **changes: object) -> Plan:
    """Set fields of every model call."""
    return edit_calls(plan, lambda call: msgspec.structs.replace(call, **changes))


def sees_pictures(workload: Workload) -> bool:
    """Say whether frames are part of the job at all."""
    return workload.kind in {"understand", "segment"}


def rule_of(call: Call) -> TokenRule | None:
    """Return the token rule of a call; None where it is not billed by tokens."""
    try:
        return rule(call.token_rule) if call.token_rule is not None else rule_for(call.model)
    except UnknownModelError:
        return None


def takes_video(call: Call) -> bool:
    """Say whether a call's model takes native video."""
    found = rule_of(call)
    return found is not None and found.fps_default is not None
