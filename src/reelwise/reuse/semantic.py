"""The semantic cache: questions on the same video, asked in other words, under a bound on the error among hits."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING, Final, Self

import msgspec
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.reuse.bound import Counts, Verdict, counted, served
from reelwise.reuse.likeness import KINDS, Question, difference
from reelwise.reuse.vault import Vault

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from reelwise.reuse.vault import Entry

__all__ = ["Hit", "Miss", "SemanticCache"]

_APPLICATION: Final = 0x52454C59
_VERSION: Final = 2  # 1 knew other kinds: its counts and loose names mean something else
_REORDERED: Final = frozenset(("shuffled", "moved", "turned", "order"))
BUDGET_BYTES: Final = 200_000_000


class Hit(Struct, frozen=True, kw_only=True):
    """An answer that is served.

    Attributes:
        answer: its bytes.
        question: as it was asked when the answer was paid for.
        kind: in what the two questions differ, one of `KINDS`; give it back with `judge`.
        age_seconds: how old the answer is.
    """

    answer: bytes
    question: str
    kind: str
    age_seconds: float


class Miss(Struct, frozen=True, kw_only=True):
    """No answer is served.

    Attributes:
        reason: in words.
        kind: what the nearest stored question differs in; empty where none is near.
        question: that question.
        answer: its answer, for `judge` once the new one is known: misses teach the cache what it may serve.
    """

    reason: str
    kind: str = ""
    question: str = ""
    answer: bytes = b""


class SemanticCache:
    """Answers by scope and question. Threads and processes may share it.

    Only questions of the same scope are compared: put what is asked about and how into it, e.g. `request_key(pixels, model, system
    prompt, settings)`.

    Args:
        path: created where missing.
        bound: the share of hits that may be wrong, 0..1.
        risk: chance that the bound is missed, one side.
        budget_bytes: of all answers; the least recently used go first.
        keep_seconds: an answer is not served when it is older; None is for good.
        fresh_seconds: the same for questions that ask for what changes ("now", "latest").
        clock: seconds since 1970.

    Raises:
        InputError: a share outside 0..1; the file is something else, damaged, or of another version.
        OutputError: it cannot be opened or created.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        bound: float = 0.02,
        risk: float = 0.02,
        budget_bytes: int = BUDGET_BYTES,
        keep_seconds: float | None = None,
        fresh_seconds: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        served({}, bound, risk=risk)  # says what is wrong before the file is made
        self.bound, self.risk = bound, risk
        self.keep_seconds, self.fresh_seconds = keep_seconds, fresh_seconds
        self._clock = clock
        self._vault = Vault(
            path,
            application=_APPLICATION,
            what="semantic cache",
            budget_bytes=budget_bytes,
            clock=clock,
            version=_VERSION,
        )
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._served = frozenset[str]()
        self._refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._vault.close()

    def ask(self, scope: str, question: str) -> Hit | Miss:
        """Look for an answer that may be served.

        Args:
            scope: what is asked about and how.
            question: the words.
        """
        self._refresh()  # another process may have judged
        asked = Question.of(question)
        near = Miss(reason="nothing like it was asked")
        liked = [(entry, difference(asked, Question.of(entry.note))) for entry in self._vault.like(scope, asked.loose)]
        # of two stored orders of the same words nobody knows which one a shuffled question means
        rivals = sum(kind in _REORDERED for _, kind in liked) > 1
        for entry, kind in sorted(liked, key=lambda pair: KINDS.index(pair[1]) if pair[1] in KINDS else len(KINDS)):
            if kind not in KINDS or (kind in _REORDERED and rivals):
                why = kind if kind not in KINDS else "order"
                near = near if near.kind in KINDS else self._near(entry, why, f"they may differ: {why}")
                continue
            age = max(0.0, self._clock() - entry.made)
            if asked.fresh and age >= self.fresh_seconds:
                near = self._near(entry, "fresh", "it asks for what changes, and the answer is old")
            elif kind in self._served:
                self._vault.get(entry.key)  # marks it as used
                return Hit(answer=entry.value, question=entry.note, kind=kind, age_seconds=age)
            elif near.kind not in KINDS:
                near = self._near(entry, kind, f"not proved to be wrong in at most {self.bound:.0%} of hits: {kind}")
        return near

    @staticmethod
    def _near(entry: Entry, kind: str, reason: str) -> Miss:
        return Miss(reason=reason, kind=kind, question=entry.note, answer=entry.value)

    def put(self, scope: str, question: str, answer: bytes) -> bool:
        """Store an answer that was paid for; never store an error. False where it is larger than the whole budget."""
        asked = Question.of(question)
        key = hashlib.sha256(msgspec.json.encode([scope, asked.plain])).hexdigest()
        return self._vault.put(
            key, answer, scope=scope, loose=asked.loose, note=question, keep_seconds=self.keep_seconds
        )

    def judge(self, found: Hit | Miss, *, right: bool) -> None:
        """Say whether an answer was right for the question, or would have been: what may be served is decided anew.

        Exact repeats are served whatever was judged (the model contradicts itself there, and no cache cures that), but they count in
        the error of all hits. Judge a random sample of what happens, not what looks odd: the bound is as good as the sample.

        Raises:
            InputError: the miss had no near question, or a gate had closed on it.
        """
        if found.kind not in KINDS:
            raise InputError(
                "there is nothing to judge", where="judge", hint="judge hits, and misses whose kind is counted"
            )
        self._vault.add(f"{found.kind} {'right' if right else 'wrong'}")
        self._refresh()

    def learn(self, pairs: Iterable[tuple[str, str, bool]]) -> None:
        """Count judged pairs at once: two questions, and whether one's answer is right for the other."""
        for kind, counts in counted(pairs).items():
            for name, number in (("right", counts.right), ("wrong", counts.wrong)):
                if number:
                    self._vault.add(f"{kind} {name}", number)
        self._refresh()

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return for every kind whether it is served, and why."""
        return self._verdicts(self._vault.counts())

    def _verdicts(self, stored: dict[str, int]) -> tuple[Verdict, ...]:
        counts = {
            kind: Counts(right=stored.get(f"{kind} right", 0), wrong=stored.get(f"{kind} wrong", 0)) for kind in KINDS
        }
        return served(counts, self.bound, risk=self.risk)

    def _refresh(self) -> None:
        """Decide anew what may be served where the counts in the file have changed."""
        stored = self._vault.counts()
        with self._lock:
            if stored != self._counts or not self._served:
                self._counts = stored
                self._served = frozenset(verdict.kind for verdict in self._verdicts(stored) if verdict.served)

    def forget(self, scope: str) -> int:
        """Remove all answers of a scope; return how many."""
        return self._vault.drop(scope=scope)

    @property
    def bytes(self) -> int:
        """Bytes of answers and questions."""
        return self._vault.bytes

    def __len__(self) -> int:
        return len(self._vault)
