"""One call made for real: held before, metered, settled after by what its answer says, exactly once, whatever happens."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.charge import Ask, charge, hold
from reelwise.errors import (
    AlreadySettledError,
    AnswerError,
    BudgetError,
    EndpointError,
    InputError,
    LedgerError,
    OutputError,
)
from reelwise.metering import meter
from reelwise.models.used import Used
from reelwise.models.work import Work
from reelwise.month import is_graduated
from reelwise.requests import Request
from reelwise.run.findings import found_in, keep_masks
from reelwise.run.machines import Machines, Share
from reelwise.run.outcome import Outcome, metered_units
from reelwise.run.reading import read_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.ledger.ledger import Ledger
    from reelwise.metering import Call as Metered
    from reelwise.models.answer import Answer
    from reelwise.rates import Book
    from reelwise.run.journal import Journal

__all__ = ["STOPPING", "Cap", "Desk", "Order"]

STOPPING = frozenset({"key", "model", "quota"})


class Cap:
    """The most that a run may spend: what is posted and what is held never exceed it.

    Args:
        nano: nano-USD; None for no cap besides the ledger's budgets.
        spent: what was spent before, by the part of the run that is resumed, with what it holds still.
        held: what it holds still: batches that are not over.
    """

    def __init__(self, nano: int | None, spent: int = 0, held: int = 0) -> None:
        self.nano = nano
        self._room = threading.Condition()
        self._taken, self._held = spent, held

    def take(self, nano: int, *, wait_seconds: float = 0.0) -> None:
        """Keep room for a call.

        Args:
            nano: the most that it may cost.
            wait_seconds: how long to wait where calls under way hold what may come back; only for a thread that holds for no call itself.

        Raises:
            BudgetError: there is none: the call must not be made.
        """
        with self._room:
            if self.nano is not None and wait_seconds:
                self._room.wait_for(lambda: self._fits(nano) or not self._may_fit(nano), wait_seconds)
            if not self._fits(nano) and self.nano is not None:
                raise BudgetError(
                    f"the next call may cost {nano / 1e9:.6f} USD, and {max(0, self.nano - self._taken) / 1e9:.6f} are left",
                    reason="over_limit", budget="--max-usd", where="--max-usd",
                    hint="raise it and run again: what is done is kept; a cap on the answer (output_most) makes holds smaller",
                )  # fmt: skip
            self._taken += nano
            self._held += nano

    def _fits(self, nano: int) -> bool:
        return self.nano is None or self._taken + nano <= self.nano

    def _may_fit(self, nano: int) -> bool:
        """Say whether it would fit if the calls under way cost nothing."""
        return self.nano is None or (self._held > 0 and self._taken - self._held + nano <= self.nano)

    def settle(self, held: int, cost: int) -> None:
        """Give back what the call did not cost."""
        with self._room:
            self._taken += cost - held
            self._held -= held
            self._room.notify_all()


class _NotBegunError(Exception):
    """A call could not be noted, and was not made."""

    def __init__(self, why: BaseException) -> None:
        super().__init__(str(why))
        self.why = why


class Order(Struct, frozen=True, kw_only=True):
    """A call to be made.

    Attributes:
        head: its outcome so far: who, what, where in the plan.
        endpoint: what answers it.
        task: the method of the endpoint.
        work: what is sent.
        ask: what it can use at most.
        questions: how many are answered at once.
        form: the JSON Schema of one answer; None for free text.
        shown: what it shows, for the times of what is found.
        alone: the endpoint finds things and answers no question.
        place: who answers, see `Endpoints.marks`.
    """

    head: Outcome
    endpoint: Any
    task: str
    work: Work
    ask: Ask
    questions: int = 1
    form: Any = None
    shown: Any = None
    alone: bool = False
    place: str = ""


class Desk:
    """Makes calls and settles them; safe for many threads.

    Args:
        book: prices of the day.
        ledger: where rows are written.
        journal: where calls are noted before and after.
        cap: the run's own limit.
        feature: the budget's label.
        plan: the plan's hash, on each row.
        machines: prices what a host's calls take.
        in_turn: calls whose price depends on the month are made one at a time, so that an invoice that is held against them, call by call,
            has them in the same order.
    """

    def __init__(
        self,
        book: Book,
        ledger: Ledger,
        journal: Journal,
        cap: Cap,
        *,
        feature: str,
        plan: str,
        machines: Machines | None = None,
        in_turn: bool = False,
    ) -> None:
        self.book, self.ledger, self.journal, self.cap = book, ledger, journal, cap
        self._feature, self._plan = feature, plan
        self.machines = machines or Machines((), book)
        self._in_turn, self._turn = in_turn, threading.Lock()

    def make(self, order: Order) -> Outcome:
        """Make a call, and say what became of it.

        Raises:
            BudgetError: a budget said no: nothing was sent.
            EndpointError: no call like it can succeed (a wrong key, a model that is gone, no quota); its outcome is written down.
            LedgerError, OutputError: it could not be written down.
        """
        head, host = order.head, order.head.hosted
        bound = self.machines.bound(host, order.work.timeout_seconds) if host else hold(order.ask, self.book).nano
        self.cap.take(bound, wait_seconds=order.work.timeout_seconds + 60.0)
        call: Metered | None = None
        found, share = msgspec.structs.replace(head, held_nano=bound), Share()
        stop: EndpointError | None = None
        try:
            with meter(
                self._feature, hold_nano=bound, model=head.model, stage="call", ledger=self.ledger, id=head.identity,
                timeout_seconds=order.work.timeout_seconds + 60.0, strict=True,
                not_billed=(_NotBegunError, EndpointError) if host else (_NotBegunError,),
            ) as call:  # fmt: skip
                self._begin(head, bound)
                call.was(plan=self._plan, provider=str(getattr(order.endpoint, "provider", ""))[:100])
                with self._turn if self._waits_its_turn(order) else nullcontext():
                    found = self._called(order, call, found, share)
        except AlreadySettledError as error:
            self.cap.settle(bound, bound)
            raise LedgerError(
                "the ledger knows this call already", where=head.identity, hint="run with another --out"
            ) from error
        except _NotBegunError as error:
            self.cap.settle(bound, 0)
            raise error.why from None
        except EndpointError as error:
            found = msgspec.structs.replace(_failed(found, error, hosted=bool(host)), busy_seconds=share.seconds)
            stop = error if error.reason in STOPPING and not error.billed else None
        except (BudgetError, LedgerError):
            self.cap.settle(bound, 0 if call is None else bound)
            raise
        except BaseException:
            self._over(found, call, bound, interrupted=True)
            raise
        found = self._over(found, call, bound)
        if stop is not None:
            raise stop
        return found

    def unsent(self, head: Outcome, error: EndpointError) -> Outcome:
        """Write down a call that was not made, because what it needs could not be sent before it: nothing is billed.

        Raises:
            EndpointError: no call like it can succeed.
        """
        found = msgspec.structs.replace(_failed(head, error), status="failed", cost_nano=0, held_nano=0)
        self.journal.end(found)
        if error.reason in STOPPING:
            raise error
        return found

    def _waits_its_turn(self, order: Order) -> bool:
        return (
            self._in_turn
            and not order.head.hosted
            and is_graduated(Request(model=order.head.model, count=1), self.book)
        )

    def other(
        self, head: Outcome, bound: int, make: Callable[[], tuple[Used, int, str]], *, wait_seconds: float = 0.0
    ) -> Outcome:
        """Do something else that is billed, held for and written down like a call.

        Args:
            head: its outcome so far.
            bound: the most that it can cost, nano-USD.
            make: does it; returns what it used, what it cost besides, nano-USD, and what the vendor calls it.
            wait_seconds: see `Cap.take`.

        Raises:
            BudgetError, EndpointError, LedgerError: it is written down before they are passed on.
        """
        self.cap.take(bound, wait_seconds=wait_seconds)
        found = msgspec.structs.replace(head, held_nano=bound)
        call: Metered | None = None
        try:
            with meter(
                self._feature, hold_nano=bound, model=head.model, stage="call", ledger=self.ledger, id=head.identity,
                timeout_seconds=3600.0, strict=True, not_billed=(_NotBegunError,),
            ) as call:  # fmt: skip
                self._begin(head, bound)
                used, more, name = make()
                call.was(plan=self._plan)
                found = self._charge(call, used, msgspec.structs.replace(found, sent_as=name))
                if not found.unpriced:
                    call.cost(nano=charge(used.request(model=head.model), self.book).nano + more)
        except _NotBegunError as error:
            self.cap.settle(bound, 0)
            raise error.why from None
        except EndpointError as error:
            self._over(_failed(found, error), call, bound)
            raise
        except (BudgetError, LedgerError):
            self.cap.settle(bound, 0 if call is None else bound)
            raise
        except BaseException:
            self._over(found, call, bound, interrupted=True)
            raise
        return self._over(found, call, bound)

    def _begin(self, head: Outcome, bound: int) -> None:
        """Note that a call is about to be made; where that cannot be, it is not made, and costs nothing."""
        try:
            self.journal.begin(head.identity, head.clip, bound)
        except (OutputError, KeyboardInterrupt) as error:
            raise _NotBegunError(error) from error

    def _over(self, found: Outcome, call: Metered | None, bound: int, *, interrupted: bool = False) -> Outcome:
        """Write down what was posted."""
        posted = call.posted.cost_nano if call is not None and call.posted is not None else 0
        if interrupted:
            found = msgspec.structs.replace(found, status="ambiguous" if posted else "failed", error="interrupted")
        found = msgspec.structs.replace(found, cost_nano=posted)
        self.cap.settle(bound, posted)
        self.journal.end(found)
        return found

    def _called(self, order: Order, call: Metered, found: Outcome, share: Share) -> Outcome:
        host = order.head.hosted
        try:
            with self.machines.busy(host, share) if host else nullcontext():
                answer: Answer = getattr(order.endpoint, order.task)(order.work)
            said = read_answer(answer, questions=order.questions, labelled=order.head.labelled, form=order.form)
        except AnswerError as error:
            if host:
                found = self._charge_time(call, host, share, found)
            elif isinstance(error.spent, Used):
                found = self._charge(call, error.spent, found)
            else:
                why = "its answer cannot be read, and what it used neither"
                found = msgspec.structs.replace(found, unpriced=why)
                call.was(status="ambiguous")
            return msgspec.structs.replace(
                found, status="unreadable", error=error.message, reason=error.reason, attempts=max(1, error.attempts)
            )
        if host:
            found = self._charge_time(call, host, share, found, answer.used)
        else:
            found = self._charge(call, answer.used, found)
        surest = max(answer.scores, key=lambda one: -1.0 if one.confidence is None else one.confidence, default=None)
        things = found_in(answer, order.shown) if order.alone else ()
        return msgspec.structs.replace(
            found,
            status="refused" if answer.finish == "refused" else "ok",
            text=answer.text,
            label=said.label or (surest.label if surest is not None else ""),
            confidence=surest.confidence if order.alone and surest is not None else said.confidence,
            answers=said.answers,
            found=keep_masks(things, answer.masks, self.journal.path.parent / "masks", found.identity),
            finish=answer.finish,
            attempts=answer.attempts,
            latency_ms=round(answer.latency_ms, 3),
        )

    def _charge_time(self, call: Metered, host: str, share: Share, found: Outcome, used: Used | None = None) -> Outcome:
        """Settle a host's call by the machine time that it had; what it used in tokens is noted, and priced by nobody."""
        call.cost(nano=self.machines.nano(host, share.seconds))
        call.used(gpu_ms=round(share.seconds * 1000))
        units = metered_units(used.request(model=found.model)) if used is not None and not used.unpriced else {}
        return msgspec.structs.replace(found, units=units, busy_seconds=share.seconds)

    def _charge(self, call: Metered, used: Used, found: Outcome) -> Outcome:
        """Settle by what the answer says it used, on the tier that it names; what cannot be priced posts all that is held."""
        request = used.request(model=found.model)
        found = msgspec.structs.replace(
            found, mode=used.mode, units=metered_units(request), request_id=used.request_id, unpriced=used.unpriced
        )
        if not used.unpriced:
            try:
                call.charge(request, self.book)
            except InputError as error:
                found = msgspec.structs.replace(found, unpriced=str(error))
        if found.unpriced:
            call.was(status="ambiguous")
        return found


def _failed(found: Outcome, error: EndpointError, *, hosted: bool = False) -> Outcome:
    status = "ambiguous" if error.billed and not hosted else "refused" if error.reason == "content" else "failed"
    return msgspec.structs.replace(
        found, status=status, error=error.message, reason=error.reason, attempts=max(1, error.attempts)
    )
