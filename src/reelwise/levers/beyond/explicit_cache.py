"""Keep the video in the model's cache while questions come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.errors import ReelwiseError
from reelwise.levers.base import Card, Lever, Verdict, edit_calls, language_calls, no, yes

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.stages import Call
    from reelwise.workload import Workload

__all__ = ["ExplicitCache"]


class ExplicitCache(Lever, frozen=True, kw_only=True):
    """Fill a cache with prefix and video, pay its storage for `hours` (null: an hour, in a batch a day), read it for each question."""

    hours: Annotated[float, Meta(gt=0, le=8760)] | None = None

    card: ClassVar[Card] = Card(
        number=None,
        family="beyond",
        title="Cache the video explicitly",
        summary="Questions that come one by one read the video from the cache. Storage is billed by the hour: on gemini-2.5-pro it pays from 4 questions in an hour, not from ten a day.",
        effort="days",
        risk="a cache that is kept too long costs more than it saves",
        latency="shorter from the second question on",
        prerequisites=("several questions about one video within hours",),
        ask=("How long after the first question does the last one come?",),
        sources=("break-even: N > (input + storage x hours) / (input - cached); storage prices in docs/rates.md",),
    )
    owns: ClassVar[tuple[str, ...]] = ("call.cache", "call.cache_hours")
    lossless: ClassVar[bool] = True
    excludes: ClassVar[tuple[str, ...]] = ("prompt_cache", "ask_once")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit several questions on a model whose cache storage has a price."""
        if workload.repetition.questions <= 1:
            return no("one question a video: repetition.questions is 1")
        calls = language_calls(plan, book)
        if not calls:
            return no("no call goes to a language model")
        for call in calls:
            try:
                book.rate(f"{call.model}/cache-storage")
            except ReelwiseError:
                return no(f"no price is known for keeping a cache of {call.model}")
        return yes()

    def apply(self, plan: Plan) -> Plan:
        """Turn it on where no cache is used."""
        return edit_calls(plan, self._keep)

    def _keep(self, call: Call) -> Call:
        return replace(call, cache="explicit", cache_hours=self.hours) if call.cache == "none" else call
