"""A text embedding behind an endpoint: every call is held for before, metered, and settled by what its answer says."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
import numpy as np

from reelwise.charge import Ask, hold
from reelwise.errors import AnswerError, EndpointError, InputError
from reelwise.metering import meter
from reelwise.models.used import Used
from reelwise.models.work import Text, Work
from reelwise.route.embedding import Embedded, EmbeddingFacts, is_endpoint
from reelwise.run.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reelwise.ledger.ledger import Ledger
    from reelwise.metering import Call as Metered
    from reelwise.models.answer import Answer
    from reelwise.rates import Book
    from reelwise.run.settle import Cap, Desk

    Vectors = tuple[tuple[float, ...], ...]

__all__ = ["Caller", "EndpointEmbedding", "JournaledCaller", "MeteredCaller", "endpoint_of", "priced"]

_TEXTS_AT_ONCE: Final = 64
_BYTES_MOST: Final = 8_000  # of a text: OpenAI takes 8,191 tokens, and a token is a byte at least


class Caller(Protocol):
    """Makes one call to an embedding's endpoint and settles it."""

    def __call__(self, work: Work, ask: Ask) -> tuple[Vectors, int]:
        """Return the vectors, and what was posted for them, nano-USD."""


class EndpointEmbedding:
    """An embedding that costs money; see `reelwise.route.embedding.Embedding`.

    Args:
        name: openai:MODEL or gemini:MODEL.
        call: makes a call; holds for it and meters it.
        dimension: of the vectors that are expected; 0 takes those of the first answer.
    """

    def __init__(self, name: str, call: Caller, *, dimension: int = 0) -> None:
        self._name, self._call, self._dimension = name, call, dimension

    @property
    def facts(self) -> EmbeddingFacts:
        """Which one it is; its dimension is known once it has answered."""
        return EmbeddingFacts(name=self._name, dimension=self._dimension, sha256="")

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Return a vector for each text; of a long one its first 8,000 bytes count.

        Raises:
            BudgetError: a budget said no: what was answered before is paid.
            EndpointError: it did not answer; or with vectors of another size (billed).
        """
        rows: list[tuple[float, ...]] = []
        nano = 0
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            some = [_short(text) for text in texts[start : start + _TEXTS_AT_ONCE]]
            work = Work(model=self._name.partition(":")[2], parts=tuple(Text(text=text) for text in some))
            vectors, cost = self._call(work, _ask(self._name, some))
            nano += cost
            for vector in vectors:
                self._dimension = self._dimension or len(vector)
                if len(vector) != self._dimension:
                    raise AnswerError(
                        f"a vector of {len(vector)} numbers; {self._dimension} were expected", where=self._name,
                        reason="schema", hint="is it still the model that the router was trained with?",
                    )  # fmt: skip
            rows += vectors
        return Embedded(np.array(rows, float).reshape(len(texts), self._dimension), nano)


def _short(text: str) -> str:
    return text.encode()[:_BYTES_MOST].decode("utf-8", "ignore")


def priced(name: str) -> str:
    """Return the name that an embedding's prices are found under."""
    return f"openai:{name.partition(':')[2]}" if name.startswith("openai:") else name.partition(":")[2]


def _ask(name: str, texts: Sequence[str]) -> Ask:
    # an embedding writes nothing
    return Ask(model=priced(name), text_bytes=sum(len(text.encode()) for text in texts), tokens_output=0)


class MeteredCaller:
    """Makes calls under a cap and the ledger's budgets.

    Args:
        endpoint: what answers.
        book: prices of the day.
        ledger: where each call is held for and written.
        cap: the most that may be spent.
        feature: the budget's label.
        say: is told of calls whose use cannot be priced.
    """

    def __init__(
        self, endpoint: Any, *, book: Book, ledger: Ledger, cap: Cap, feature: str, say: Callable[[str], None]
    ) -> None:
        self._endpoint, self._book, self._ledger = endpoint, book, ledger
        self._cap, self._feature, self._say = cap, feature, say

    def __call__(self, work: Work, ask: Ask) -> tuple[Vectors, int]:
        """Make a call; see `Caller`.

        Raises:
            BudgetError: it was not made.
            EndpointError: it failed, or its answer is of no use.
        """
        bound = hold(ask, self._book).nano
        self._cap.take(bound)
        call: Metered | None = None
        try:
            with meter(
                self._feature, hold_nano=bound, model=ask.model, stage="embed", ledger=self._ledger,
                id=f"embed-{secrets.token_hex(12)}", timeout_seconds=work.timeout_seconds + 60.0, strict=True,
            ) as call:  # fmt: skip
                call.was(provider=str(getattr(self._endpoint, "provider", ""))[:100])
                try:
                    answer: Answer = self._endpoint.embed(work)
                except AnswerError as error:
                    self._charge(call, error.spent, ask.model)
                    raise
                self._charge(call, answer.used, ask.model)
        finally:
            posted = call.posted.cost_nano if call is not None and call.posted is not None else 0
            self._cap.settle(bound, posted)
        return answer.vectors, posted

    def _charge(self, call: Metered, used: Any, model: str) -> None:
        """Settle by what the answer says; where it says nothing that can be priced, all that was held is posted."""
        why = used.unpriced if isinstance(used, Used) else "its answer does not say what it used"
        if not why:
            try:
                call.charge(used.request(model=model), self._book)
            except InputError as error:
                why = str(error)
        if why:
            call.was(status="ambiguous")
            self._say(f"{model}: {why}; all that was held is counted")


def endpoint_of(name: str, /, *, url: str = "", key: str | None = None, **more: Any) -> Any:
    """Open the endpoint of an embedding.

    Args:
        name: openai:MODEL or gemini:MODEL.
        url: in place of the vendor's; a sandbox's, for example, with its path.
        key: name of the variable that holds the key; None is the vendor's own.
        more: for the endpoint, see `reelwise.models.endpoint.Endpoint`.

    Raises:
        InputError: neither of the two.
    """
    if not is_endpoint(name) or not name.partition(":")[2]:
        raise InputError("is no endpoint of an embedding", where=name, hint="openai:MODEL or gemini:MODEL")
    if name.startswith("openai:"):
        from reelwise.models.openai_embed import OpenAIEmbed

        return OpenAIEmbed(url, key, **more)
    from reelwise.models.gemini import Gemini

    return Gemini(url, key, **more)


class JournaledCaller:
    """Makes calls as a part of a run: each is in its journal and its receipt, and is not paid twice when the run is resumed.

    Args:
        desk: makes and settles.
        endpoint: what answers.
        note: is given the outcome of each call.
    """

    def __init__(self, desk: Desk, endpoint: Any, note: Callable[[Outcome], None]) -> None:
        self._desk, self._endpoint, self._note = desk, endpoint, note

    def __call__(self, work: Work, ask: Ask) -> tuple[Vectors, int]:
        """Make a call, or find what it answered in an earlier part of the run; see `Caller`.

        Raises:
            BudgetError: it was not made.
            EndpointError: it failed.
        """
        journal = self._desk.journal
        key = hashlib.sha256(
            "\0".join((ask.model, *(part.text for part in work.parts if isinstance(part, Text)))).encode()
        )
        identity = f"run-{journal.run}-embed-{key.hexdigest()[:20]}"
        before, vectors = journal.over.get(identity), journal.notes.get(f"embed/{identity}")
        if before is not None and vectors is not None:
            self._note(before)
            return tuple(map(tuple, vectors)), before.cost_nano
        head = Outcome(
            identity=identity if before is None and identity not in journal.lost else f"{identity}-{len(journal.over)}",
            clip="", item=-1, kind="embed", model=ask.model,
        )  # fmt: skip
        sent = msgspec.structs.replace(work, identity=head.identity)
        made: list[Vectors] = []

        def make() -> tuple[Used, int, str]:
            answer: Answer = self._endpoint.embed(sent)
            made.append(answer.vectors)
            return answer.used, 0, head.identity

        try:
            outcome = self._desk.other(head, hold(ask, self._desk.book).nano, make)
        except EndpointError:
            failed = journal.over.get(head.identity)
            if failed is not None:
                self._note(failed)
            raise
        journal.note(f"embed/{identity}", made[0])
        self._note(outcome)
        return made[0], outcome.cost_nano
