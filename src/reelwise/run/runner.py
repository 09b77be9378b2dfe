"""Runs the stages that call models: each call once, a few at a time, noted before and after."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from reelwise.errors import EndpointError, InputError, LedgerError, MediaError, ReelwiseError, RefusedError
from reelwise.run.batched import in_batches
from reelwise.run.caching import fills, let_go, through
from reelwise.run.deciding import doubted, routed
from reelwise.run.embedding import EndpointEmbedding, JournaledCaller
from reelwise.run.filming import film_of
from reelwise.run.kinds import KINDS, sends
from reelwise.run.orders import ask_of, expected_text, kept_tokens, task_of, work_of
from reelwise.run.outcome import Outcome
from reelwise.run.rendering import by_rule, shown
from reelwise.run.settle import STOPPING, Order
from reelwise.run.silent import told_apart
from reelwise.run.uploading import Uploads
from reelwise.stages import Call, Escalate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Out, Piece
    from reelwise.models.work import Work
    from reelwise.plan import Plan
    from reelwise.route.embedding import EmbeddingFacts
    from reelwise.run.batching import Batching
    from reelwise.run.caching import Filled
    from reelwise.run.endpoints import Endpoints
    from reelwise.run.filming import Filming
    from reelwise.run.rendering import Shown
    from reelwise.run.reusing import Reusing
    from reelwise.run.settle import Desk
    from reelwise.stages import Reuse, Route

__all__ = ["Runner"]

T = TypeVar("T")
_FAILED_IN_A_ROW = 5


class Runner:
    """The stages' hands: see `reelwise.flow.Runner`.

    Args:
        plan: the plan that runs.
        desk: makes and settles calls.
        endpoints: who answers.
        batching: makes calls in batches.
        filming: has video made.
        reusing: what is kept of earlier answers.
        facts: for what a call would cost, where its price decides.
        at_once: calls under way at once.
        verifier: a function of question and answer, for escalations with `verifier: own`.

    Attributes:
        outcomes: of all calls so far, in no order.
        before: ids of calls of an earlier part of the run.
        broken: items that could not be read or sent, with why.
        silent: places of items without sound that a call for sound was not made about.
    """

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        plan: Plan,
        desk: Desk,
        endpoints: Endpoints,
        batching: Batching,
        filming: Filming,
        reusing: Reusing,
        facts: Facts,
        *,
        at_once: int = 4,
        verifier: Callable[[str, str], bool] | None = None,
    ) -> None:
        self.batching, self._filming, self._reusing, self._facts = batching, filming, reusing, facts
        self.plan, self.desk, self.endpoints, self.again = plan, desk, endpoints, reusing.again
        self._at_once, self._verifier = at_once, verifier
        self._lock = threading.Lock()
        self._stop: BaseException | None = None
        self._failed = 0
        self._place: dict[int, int] = {}
        self.before = frozenset(name for name, one in desk.journal.over.items() if one.paid) | frozenset(
            desk.journal.lost
        )
        self.known = desk.journal.known
        self.outcomes: list[Outcome] = []
        self.broken: list[tuple[str, ReelwiseError]] = []
        self.silent: set[int] = set()

    @property
    def halted(self) -> bool:
        """Whether it ended before it was complete."""
        return self._stop is not None

    # stages

    def call(self, stage: Call, pieces: Iterable[Piece], out: Out) -> Iterator[Piece]:
        """Call a model about each piece; those that failed do not come back."""
        todo, silent = told_apart(stage, pieces)
        self.silent |= {self._place.get(id(piece.track), 0) for piece in silent}
        yield from silent
        if stage.mode == "batch":
            yield from in_batches(self, stage, todo, out)
            return
        found = self.spread(lambda piece: self._about(stage, piece, out), todo)
        yield from (piece for piece in found if piece is not None)

    def spread(self, make: Callable[[Piece], T], pieces: Iterable[Piece]) -> list[T]:
        """Do something that calls about each piece, a few at a time; the first error ends it all."""
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="reelwise-run") as pool:
            waiting = [pool.submit(make, piece) for piece in pieces]
            try:
                found = [one.result() for one in waiting]
            except BaseException as error:
                self._halt(error)
                for one in waiting:
                    one.cancel()
                raise
        if self._stop is not None:
            raise self._stop
        return found

    def one(self, call: Call, piece: Piece, order: Callable[[Outcome, Any, str, str], Order]) -> Outcome | None:
        """Make a call that shows nothing of a piece, or find what became of it; None where the run has ended."""
        if self._stop is not None:
            return None
        head = self._head(call, piece, (0, 1), 0)
        if self.known(head) is not None:
            return self._kept(head)
        ends = self.endpoints
        made = order(head, ends.of(call.serves), ends.name_of(call.serves), ends.marks(call.serves))
        return self._one(made, Uploads(None))

    def route(self, stage: Route, pieces: Iterable[Piece], out: Out) -> Iterator[Piece]:
        """Give each piece its lane."""
        return routed(stage, list(pieces), self.plan, self._facts, out, runner=self)

    def embedding(self, facts: EmbeddingFacts) -> EndpointEmbedding:
        """Open the embedding of a trained router whose calls are billed."""
        caller = JournaledCaller(self.desk, self.endpoints.embedding(facts.name), self.note)
        return EndpointEmbedding(facts.name, caller, dimension=facts.dimension)

    def escalate(self, stage: Escalate, pieces: Iterable[Piece], out: Out) -> Iterator[Piece]:
        """Pass on the pieces whose answers are in doubt."""
        return doubted(stage, self.plan.stages.index(stage), list(pieces), self, out, verifier=self._verifier)

    def reuse(self, stage: Reuse, pieces: Iterable[Piece], out: Out) -> Iterator[Piece]:
        """Pass on the pieces that nothing kept answers."""
        yield from list(self._reusing.left(stage, list(pieces), out, self._place))

    # one piece

    def _halt(self, error: BaseException) -> None:
        with self._lock:
            self._stop = self._stop or error

    def _about(self, stage: Call, piece: Piece, out: Out) -> Piece | None:
        """Make all calls about a piece; None where none was answered."""
        if self._stop is not None:
            return None
        try:
            found = self._made(stage, piece, out)
        except LedgerError as error:  # what was made cannot be written down: no more is made
            self._halt(error)
            raise
        except (InputError, MediaError) as error:
            self.broken.append((piece.track.info.path, error))
            return None
        except BaseException as error:
            self._halt(error)
            raise
        answered = [one for one in found if one.status in {"ok", "refused", "cached"}]
        return msgspec.structs.replace(piece, answers=(*piece.answers, tuple(found))) if answered else None

    def _made(self, stage: Call, piece: Piece, out: Out) -> list[Outcome]:
        heads = self.heads(stage, piece, out)
        if stage.part == "generate":
            return [self._film(stage, piece, head) for head in heads[0] if self._stop is None]
        found: list[Outcome] = []
        if all(self.known(head) is not None for row in heads for head in row):
            for row in heads:
                found += [self._kept(head) for head in row]
                for one in fills(self.desk, row[0].identity):
                    self.note(one)
            return found
        kind = self.endpoints.kind_of(stage.serves)
        sent = sends(stage, kind, by_rule=by_rule(stage, out))
        with (
            tempfile.TemporaryDirectory(prefix="reelwise-run-") as folder,
            self.uploads(stage) as uploads,
        ):
            for row, view in zip(heads, shown(stage, piece, out, Path(folder), sent), strict=False):
                orders = [self.order(stage, piece, view, head, out) for head in row if self.known(head) is None]
                found += [self._kept(head) for head in row if self.known(head) is not None]
                if stage.cache == "explicit" and orders:
                    found += self._cached(stage, row[0], orders, uploads)
                else:
                    found += [self._one(order, uploads) for order in orders if self._stop is None]
        return found

    def heads(self, stage: Call, piece: Piece, out: Out) -> list[list[Outcome]]:
        """List the calls about a piece, by part of it and question."""
        asked = len(piece.script.of(stage.task).asked)
        questions = [-1] if stage.ask == "once" and asked > 1 else list(range(asked))
        split, _ = stage.calls_of(piece.item, out)
        return [
            [self._head(stage, piece, (chunk, split), question) for question in questions] for chunk in range(split)
        ]

    def _head(self, stage: Call, piece: Piece, chunk: tuple[int, int], question: int) -> Outcome:
        index, turn = (self.plan.stages.index(stage), "") if piece.turn is None else piece.turn
        item = self._place.get(id(piece.track), 0)
        text = f"{item}/{piece.track.info.sha256_head}/{index}/{chunk[0]}/{chunk[1]}/{question}" + (turn and f"/{turn}")
        name = hashlib.sha256(text.encode()).hexdigest()[:24]
        return Outcome(
            identity=f"run-{self.desk.journal.run}-{name}", clip=piece.track.info.path, item=item, lane=piece.item.lane,
            stage=index, chunk=chunk[0], chunks=chunk[1], question=question, model=stage.serves, mode=stage.mode,
            task=stage.task, turn=turn,
        )  # fmt: skip

    def number(self, pieces: Iterable[Piece]) -> None:
        """Say which place in the source each piece has."""
        self._place = {id(piece.track): at for at, piece in enumerate(pieces)}

    def _kept(self, head: Outcome) -> Outcome:
        found = self.known(head) or head
        with self._lock:
            self.outcomes.append(found)
        return found

    def _film(self, stage: Call, piece: Piece, head: Outcome) -> Outcome:
        """Have a video made, or find what became of it."""
        if self.known(head) is not None:
            return self._kept(head)
        wire = self.endpoints.of(stage.serves)
        name = self.endpoints.name_of(stage.serves)
        own = "" if name == stage.serves else name
        found = self._filming.make(head, wire, lambda: film_of(stage, piece, head.question, wire, own))
        self.note(found)
        return found

    def order(self, stage: Call, piece: Piece, view: Shown, head: Outcome, out: Out) -> Order:
        """Put a call together."""
        kind, script = self.endpoints.kind_of(stage.serves), piece.script.of(stage.task)
        endpoint, alone = self.endpoints.of(stage.serves), KINDS[kind].alone
        sure = any(isinstance(one, Escalate) and one.by_confidence for one in self.plan.stages)
        work = work_of(
            stage, piece, view, question=head.question, kind=kind, identity=head.identity, sure=sure,
            name=self.endpoints.name_of(stage.serves), alone=alone, turn=head.turn,
        )  # fmt: skip
        questions = len(script.asked) if head.question < 0 else 1
        head = msgspec.structs.replace(
            head, text_expected=expected_text(work), image_expected=view.tokens_of(stage, out), asked=questions,
            labelled=task_of(script, questions=questions) == "moderate",
            prefix_expected=kept_tokens(stage, script),
        )  # fmt: skip
        return Order(
            head=head, endpoint=endpoint, task=task_of(script, questions=questions, alone=alone), work=work,
            ask=ask_of(stage, view, work), questions=questions, shown=view, alone=alone,
            form=None if alone else script.form, place=self.endpoints.marks(stage.serves),
        )  # fmt: skip

    def uploads(self, stage: Call) -> Uploads:
        """Open what sends large clips up, where the stage's endpoint needs that."""
        gemini = self.endpoints.kind_of(stage.serves) == "gemini"
        return Uploads(self.endpoints.of(stage.serves) if gemini else None)

    def up(self, order: Order, uploads: Uploads) -> Order | None:
        """Send up what an order's request cannot hold; None where that failed: its call is not made.

        Raises:
            EndpointError: no call like it can succeed.
        """
        try:
            return msgspec.structs.replace(order, work=uploads.sent(order.work))
        except EndpointError as error:
            try:
                self.note(self.desk.unsent(order.head, error))
            except EndpointError:
                self.note(self.desk.journal.over.get(order.head.identity))
                raise error from None
            return None

    def _cached(self, stage: Call, of: Outcome, orders: list[Order], uploads: Uploads) -> list[Outcome]:
        """Put what some calls share into a cache, and make them from it; those whose answers are all there need none."""
        if all(self.again.look(order).found is not None for order in orders):
            return [self._one(order, uploads) for order in orders if self._stop is None]
        found, filled, pairs = self.through(stage, of, orders, uploads)
        for one in fills(self.desk, of.identity):
            self.note(one)
        found += [self._one(ready, uploads, given.work) for given, ready in pairs if self._stop is None]
        if filled is not None:
            let_go(self.desk, self.endpoints.of(stage.serves), filled)
        return found

    def through(
        self, stage: Call, of: Outcome, orders: list[Order], uploads: Uploads
    ) -> tuple[list[Outcome], Filled | None, list[tuple[Order, Order]]]:
        """Fill a cache with what some calls about an item share; where it is refused (too small), each sends all of it.

        Args:
            stage: the stage.
            of: the first call that the cache is for, made or not.
            orders: the calls.
            uploads: files that go up for them.

        Returns:
            What became of calls that cannot be made now; the cache; each call, and what it is with the cache.

        Raises:
            EndpointError: no call like it can succeed.
        """
        pairs = [(order, up) for order in orders if (up := self.up(order, uploads)) is not None]
        sent = {order.head.identity for order, _ in pairs}
        lost = [self.desk.journal.over[one.head.identity] for one in orders if one.head.identity not in sent]
        if not pairs:
            return lost, None, []
        try:
            filled, ready = through(self.desk, stage, [up for _, up in pairs], of)
        except EndpointError as error:
            if error.reason in STOPPING:
                raise
            if isinstance(error, RefusedError):
                return lost, None, pairs
            return [*lost, *(self._unsent(order, error) for order, _ in pairs)], None, []
        return lost, filled, [(order, one) for (order, _), one in zip(pairs, ready, strict=True)]

    def _unsent(self, order: Order, error: EndpointError) -> Outcome:
        found = self.desk.unsent(order.head, error)
        self.note(found)
        return found

    def _one(self, order: Order, uploads: Uploads, whole: Work | None = None) -> Outcome:
        """Make a call, or find its answer among those that are there.

        Args:
            order: the call.
            uploads: files that went up for it.
            whole: all that it says and shows, where part of it is in an explicit cache.
        """
        with self.again.alone(order, whole or order.work):
            looked = self.again.look(order, whole)
            if looked.found is not None:
                self.desk.journal.end(looked.found)
                self.note(looked.found)
                return looked.found
            ready = self.up(order, uploads)
            if ready is None:
                return self._checked(self.desk.journal.over[order.head.identity])
            try:
                found = self.desk.make(ready)
                if found.reason == "file":
                    uploads.forget(ready.work)
                found = self.again.keep(looked, found)
            except EndpointError as error:
                self.note(self.desk.journal.over.get(order.head.identity))
                raise error from None
        if found.reused:
            self.desk.journal.end(found)
        self.note(found)
        return self._checked(found)

    def _checked(self, found: Outcome) -> Outcome:
        """End the run where too many calls failed one after another.

        Raises:
            EndpointError: they did.
        """
        if self._failed >= _FAILED_IN_A_ROW:
            raise EndpointError(
                f"{self._failed} calls failed one after another: {found.error}", where=found.model, reason=found.reason,
                hint="what is done is kept: run it again when the endpoint is well",
            )  # fmt: skip
        return found

    def note(self, found: Outcome | None) -> None:
        """Count what became of a call."""
        if found is None:
            return
        with self._lock:
            self.outcomes.append(found)
            self._failed = self._failed + 1 if found.status == "failed" else 0
