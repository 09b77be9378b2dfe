"""Calls in batches: held row by row, handed in, looked at until they end, collected, each row settled once; found again after a crash."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.charge import charge, hold
from reelwise.errors import (
    AlreadySettledError,
    AmbiguousError,
    BusyError,
    EndpointError,
    InputError,
    NotSentError,
    ReelwiseError,
    RefusedError,
)
from reelwise.ledger.events import What, who_of
from reelwise.models.batches import BatchRow
from reelwise.month import label_of, units_of
from reelwise.run.outcome import Outcome, metered_units
from reelwise.run.reading import read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reelwise.models.batches import BatchWire, Job
    from reelwise.models.batches import Outcome as RowOutcome
    from reelwise.run.endpoints import Endpoints
    from reelwise.run.journal import Journal
    from reelwise.run.settle import Desk, Order

__all__ = ["Batching", "Waits", "held_before"]

_ROWS_MAX = 1_000
_BYTES_MAX = 100_000_000
_HOLD_SECONDS = 2 * 86_400.0
_POLL_FIRST, _POLL_MOST, _POLL_GROWTH = 0.25, 60.0, 1.5


class Waits(Struct, frozen=True, kw_only=True):
    """How long to wait for a job at a vendor's: a batch, a video.

    Attributes:
        seconds: the longest wait; after that the run ends, and goes on when it is given again.
        sleep: for tests.
    """

    seconds: float = 90_000.0
    sleep: Any = time.sleep

    def turns(self, what: str, where: str, most_seconds: float) -> Iterator[None]:
        """Let a job be looked at now and after each pause; pauses grow up to `most_seconds`.

        Raises:
            BusyError: it has taken too long: `what` says what is missing, after how long.
        """
        waited, pause = 0.0, _POLL_FIRST
        while True:
            yield
            if waited + pause > self.seconds:
                raise BusyError(
                    f"{what} after {waited:,.0f} s", where=where, reason="running",
                    hint="give the same command again later: it goes on where it is",
                )  # fmt: skip
            self.sleep(pause)
            waited += pause
            pause = min(most_seconds, pause * _POLL_GROWTH)


class _Noted(Struct, frozen=True, kw_only=True):
    """What the journal keeps of a batch.

    Attributes:
        identity: what it is handed in as.
        model: of its endpoint.
        heads: its rows.
        id: its vendor's; empty where nobody knows.
        sent: it was handed in, or may have been; else its rows were being held for.
        over: all of it is settled.
    """

    identity: str
    model: str
    heads: tuple[Outcome, ...]
    id: str = ""
    sent: bool = True
    over: bool = False


def held_before(journal: Journal) -> int:
    """Sum what rows of batches hold that an earlier part of a run handed in and that are not over, in nano-USD."""
    found = (msgspec.convert(note, _Noted) for name, note in journal.notes.items() if name.startswith("batch/"))
    return sum(
        head.held_nano for noted in found if not noted.over for head in noted.heads if _settled(journal, head) is None
    )


def _settled(journal: Journal, head: Outcome) -> Outcome | None:
    """Return what became of a row that was collected already."""
    found = journal.over.get(head.identity)
    return found if found is not None and found.sent_as == head.sent_as else None


class Batching:
    """Makes the calls of one stage in batches.

    Args:
        desk: book, ledger, journal and cap of the run.
        endpoints: who answers.
        waits: how long to wait.
        feature: the budget's label.
        plan: the plan's hash.
        form: the JSON Schema of one answer; None for free text.
    """

    def __init__(
        self, desk: Desk, endpoints: Endpoints, waits: Waits, *, feature: str, plan: str, form: Any = None
    ) -> None:
        self._desk, self._endpoints, self._waits, self._form = desk, endpoints, waits, form
        self._who, self._plan = who_of(feature), plan

    # batches that were begun

    def unfinished(self, stage: int) -> Iterator[Outcome]:
        """Collect the batches of a stage that an earlier part of the run handed in.

        Raises:
            AmbiguousError: nobody knows whether one of them was accepted.
            BusyError: one is not over.
        """
        for name, note in sorted(self._desk.journal.notes.items()):
            if not name.startswith(f"batch/{stage}/"):
                continue
            noted = msgspec.convert(note, _Noted)
            if noted.over:
                continue
            if not noted.sent:
                self._release(list(noted.heads))
                self._note(name, noted, over=True)
                continue
            wire = self._wire(noted.model)
            if noted.id:
                job = wire.look(noted.id)
            else:
                found = wire.find(noted.identity)
                if found is None and self._endpoints.kind_of(noted.model) == "anthropic":
                    raise AmbiguousError(
                        "nobody knows whether this batch was accepted", where=noted.identity, reason="lost",
                        hint="look for it in the vendor's console; the run goes on when it is over",
                    )  # fmt: skip
                if found is None:
                    self._void(noted, "the batch was never accepted")
                    self._note(name, noted, over=True)
                    continue
                job = found
                noted = msgspec.structs.replace(noted, id=job.id)
                self._note(name, noted)
            yield from self._ended(name, noted, wire, job)

    # new batches

    def make(self, stage: int, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Hand orders in, as few batches as fit, and wait for all of them.

        Raises:
            BudgetError: a row cannot be held for; what was handed in before is collected when the run goes on.
            EndpointError: see `unfinished`; or the batch was refused: nothing is billed.
        """
        open_: list[tuple[str, _Noted, Job]] = []
        rows: list[Order] = []
        size = 0
        for order in orders:
            weight = sum(part.source.bytes_count for part in order.work.parts if hasattr(part, "source"))
            if rows and (len(rows) >= _ROWS_MAX or size + weight > _BYTES_MAX):
                open_.append(self._submit(stage, rows))
                rows, size = [], 0
            rows.append(order)
            size += weight
        if rows:
            open_.append(self._submit(stage, rows))
        for name, noted, job in open_:
            yield from self._ended(name, noted, self._wire(noted.model), job)

    def _submit(self, stage: int, orders: list[Order]) -> tuple[str, _Noted, Job]:
        journal = self._desk.journal
        number = sum(name.startswith(f"batch/{stage}/") for name in journal.notes)
        name, identity = f"batch/{stage}/{number:04d}", f"run-{journal.run}-{stage}-{number}"
        works = [BatchRow(name=f"{identity}-{at}", work=order.work) for at, order in enumerate(orders)]
        heads = tuple(
            msgspec.structs.replace(order.head, held_nano=hold(order.ask, self._desk.book).nano, sent_as=row.name)
            for order, row in zip(orders, works, strict=True)
        )
        # noted before anything is held: a run that ends between finds what to let go of
        noted = _Noted(identity=identity, model=orders[0].work.model, heads=heads, sent=False)
        self._note(name, noted)
        self._held(name, noted)
        noted = msgspec.structs.replace(noted, sent=True)
        self._note(name, noted)
        try:
            job = self._wire(noted.model).submit(works, identity)
        except (RefusedError, NotSentError, BusyError, InputError):
            self._release(list(heads))
            self._note(name, noted, over=True)
            raise
        noted = msgspec.structs.replace(noted, id=job.id)
        self._note(name, noted)
        return name, noted, job

    def _held(self, name: str, noted: _Noted) -> None:
        """Hold for all rows, or for none."""
        held: list[Outcome] = []
        try:
            for head in noted.heads:
                self._desk.cap.take(head.held_nano)
                held.append(head)
                self._desk.ledger.hold_job(head.sent_as, self._who, head.held_nano, timeout_seconds=_HOLD_SECONDS)
        except ReelwiseError:
            self._release(held)
            self._note(name, noted, over=True)
            raise
        except BaseException:
            self._release(held)
            raise

    def _note(self, name: str, noted: _Noted, *, over: bool = False) -> None:
        self._desk.journal.note(name, msgspec.to_builtins(msgspec.structs.replace(noted, over=over)))

    def _wire(self, model: str) -> BatchWire:
        from reelwise.models.anthropic_batch import AnthropicBatches
        from reelwise.models.gemini_batch import GeminiBatches
        from reelwise.models.openai_batch import OpenAIBatches

        made: dict[str, Callable[[Any], BatchWire]] = {
            "openai": OpenAIBatches, "gemini": GeminiBatches, "anthropic": AnthropicBatches,
        }  # fmt: skip
        return made[self._endpoints.kind_of(model)](self._endpoints.of(model))

    # what became of them

    def _ended(self, name: str, noted: _Noted, wire: BatchWire, job: Job) -> Iterator[Outcome]:
        job = self._awaited(wire, job)
        heads = {head.sent_as: head for head in noted.heads}
        journal = self._desk.journal
        if job.state != "failed":
            for row in list(wire.outcomes(job)):  # at once, so that its connection is not left open
                head = heads.pop(row.name, None)
                if head is not None:
                    yield self._settled(head, row)
        for head in heads.values():  # rows that never ran
            why = job.why or f"the batch {'expired' if job.state == 'expired' else 'ended'} before it ran"
            yield self._voided(head, why, "expired" if job.state == "expired" else "failed")
        journal.note(name, msgspec.to_builtins(msgspec.structs.replace(noted, over=True)))

    def _awaited(self, wire: BatchWire, job: Job) -> Job:
        turns = self._waits.turns("the batch is not over", job.id, _POLL_MOST)
        next(turns)  # what it was when it was handed in is the first look
        while job.state == "running":
            next(turns)
            job = wire.look(job.id)
        return job

    def _settled(self, head: Outcome, row: RowOutcome) -> Outcome:
        before = _settled(self._desk.journal, head)
        if before is not None:
            return before
        if row.state != "ok" or row.answer is None:
            return self._voided(head, row.why or row.state, row.state)
        answer = row.answer
        used = answer.used
        request = used.request(model=head.model)
        found = msgspec.structs.replace(
            head, mode=used.mode, units=metered_units(request), request_id=used.request_id, unpriced=used.unpriced,
            status="refused" if answer.finish == "refused" else "ok", text=answer.text, confidence=answer.confidence,
            finish=answer.finish,
        )  # fmt: skip
        found, nano = self._read(found, answer), head.held_nano
        if not found.unpriced:
            try:
                nano = charge(request, self._desk.book).nano
            except InputError as error:
                found = msgspec.structs.replace(found, unpriced=str(error))
        what = What(
            model=label_of(request)[:120], plan=self._plan, stage="call", status="ambiguous" if found.unpriced else "ok"
        )
        with suppress(
            AlreadySettledError
        ):  # by the part of the run before, which ended before it could write that down
            self._desk.ledger.post_job(head.sent_as, nano, what=what, units=units_of(request))
        return self._over(msgspec.structs.replace(found, cost_nano=nano))

    def _read(self, found: Outcome, answer: Any) -> Outcome:
        if found.status != "ok":
            return found
        try:
            said = read_answer(
                answer, questions=found.asked, labelled=found.labelled, form=None if found.task else self._form
            )
        except EndpointError as error:
            return msgspec.structs.replace(found, status="unreadable", error=error.message, reason=error.reason)
        return msgspec.structs.replace(found, label=said.label, confidence=said.confidence, answers=said.answers)

    def _voided(self, head: Outcome, why: str, reason: str) -> Outcome:
        before = _settled(self._desk.journal, head)
        if before is not None:
            return before
        with suppress(AlreadySettledError):
            self._desk.ledger.void_job(head.sent_as)
        return self._over(msgspec.structs.replace(head, status="failed", error=why, reason=reason, cost_nano=0))

    def _void(self, noted: _Noted, why: str) -> None:
        for head in noted.heads:
            self._voided(head, why, "failed")

    def _release(self, heads: list[Outcome]) -> None:
        """Let go of rows that were not handed in."""
        for head in heads:
            self._desk.cap.settle(head.held_nano, 0)
            try:
                self._desk.ledger.void_job(head.sent_as)
            except (AlreadySettledError, InputError):  # it was the one that could not be held for
                continue

    def _over(self, found: Outcome) -> Outcome:
        self._desk.cap.settle(found.held_nano, found.cost_nano)
        self._desk.journal.end(found)
        return found
