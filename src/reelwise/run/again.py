"""Answers that are there already for one call: to the same pixels and words, or to a question on them that means the same.

A hit is asked all the same now and then, and a call that had to be made tells whether the answer to a like question would have been right:
so the cache goes on learning what it may serve.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from reelwise.models.work import Text
from reelwise.reuse.likeness import KINDS
from reelwise.reuse.semantic import Hit, Miss
from reelwise.run.doubting import says_same
from reelwise.run.orders import content_key
from reelwise.run.outcome import COPIED, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.models.work import Work
    from reelwise.reuse import ExactCache, SemanticCache
    from reelwise.run.settle import Order

__all__ = ["Again", "Looked"]

_ALIKE: Final = 0.8
"""Two texts say the same from this F1 of their words on; labels must be equal."""


class Looked(Struct, frozen=True, kw_only=True):
    """What a look into the caches found.

    Attributes:
        found: the answer, where one may be served.
        key: of the exact cache; empty without one.
        scope: of the semantic cache; empty without one, or where several questions are asked at once.
        question: as it is asked.
        near: the hit that is asked all the same, or the miss with a like question: its answer is judged by the new one.
    """

    found: Outcome | None = None
    key: str = ""
    scope: str = ""
    question: str = ""
    near: Hit | Miss | None = None


class Again:
    """Both caches of answers of a run; safe for many threads.

    Args:
        exact: by pixels and words, or None.
        questions: by pixels and meaning, or None.
        explore: share of the hits of `questions` that are asked all the same.
    """

    def __init__(self, exact: ExactCache | None, questions: SemanticCache | None, *, explore: float = 0.05) -> None:
        self._exact, self._questions, self._explore = exact, questions, explore
        self._free, self._busy = threading.Condition(), set[str]()

    @contextmanager
    def alone(self, order: Order, work: Work) -> Iterator[None]:
        """Let one call at a time be made of those that are the same: the others find its answer."""
        if self._exact is None and self._questions is None:
            yield
            return
        key = self._key(order, work)
        with self._free:
            self._free.wait_for(lambda: key not in self._busy)
            self._busy.add(key)
        try:
            yield
        finally:
            with self._free:
                self._busy.discard(key)
                self._free.notify_all()

    @staticmethod
    def _key(order: Order, work: Work) -> str:
        shown = order.shown if order.alone else None
        place = f"{order.place}|{order.task}|{order.head.task}|{order.head.turn}"  # a second opinion is another answer
        return content_key(work, shown, place=place, form=order.form)

    def kept(self, head: Outcome, key: str) -> Outcome | None:
        """Return the answer to equal pixels and words, where there is one."""
        data = self._exact.get(key) if self._exact is not None else None
        return None if data is None else _copied(data, head, "exact")

    def look(self, order: Order, work: Work | None = None, *, questions: bool = True) -> Looked:
        """Look for the answer of a call.

        Args:
            order: the call.
            work: all that it says and shows, before anything of it went up by itself; None is what the order says.
            questions: look among questions that mean the same, too.
        """
        if self._exact is None and self._questions is None:
            return Looked()
        head, work = order.head, work or order.work
        key = self._key(order, work) if self._exact is not None else ""
        if (found := self.kept(head, key)) is not None:
            return Looked(found=found)
        last = work.parts[-1] if work.parts else None
        if not questions or self._questions is None or head.question < 0 or head.turn or not isinstance(last, Text):
            return Looked(key=key)
        scope = self._key(order, msgspec.structs.replace(work, parts=work.parts[:-1]))
        near = self._questions.ask(scope, last.text)
        if isinstance(near, Hit) and not self._explored(head.identity):
            found = _copied(near.answer, head, f"question {near.kind}")
        judged = near if found is None and near.kind in KINDS else None
        return Looked(found=found, key=key, scope=scope, question=last.text, near=judged)

    def _explored(self, identity: str) -> bool:
        """Choose by the call's id: a run that is resumed chooses the same."""
        draw = int.from_bytes(hashlib.sha256(f"explore {identity}".encode()).digest()[:8], "big") / 2**64
        return draw < self._explore

    def keep(self, looked: Looked, found: Outcome) -> Outcome:
        """Judge a like answer by a call's own, and keep that; errors, refusals and answers that were cut off are never kept.

        Returns:
            The outcome, with what was learned from it.
        """
        if found.status != "ok" or found.finish != "stop":
            return found
        data = msgspec.json.encode(msgspec.structs.replace(found, reused=""))
        near = looked.near
        if near is not None and self._questions is not None:
            right = says_same(msgspec.json.decode(near.answer, type=Outcome), found, _ALIKE)
            self._questions.judge(near, right=right)
            how = "explored" if isinstance(near, Hit) else "learned"
            found = msgspec.structs.replace(found, reused=f"{how} {near.kind} {'right' if right else 'wrong'}")
        if self._exact is not None and looked.key:
            self._exact.put(looked.key, data)
        if self._questions is not None and looked.scope:
            self._questions.put(looked.scope, looked.question, data)
        return found


def _copied(data: bytes, head: Outcome, how: str) -> Outcome:
    found = msgspec.json.decode(data, type=Outcome)
    return msgspec.structs.replace(
        found, identity=head.identity, clip=head.clip, item=head.item, lane=head.lane, stage=head.stage, chunk=head.chunk,
        chunks=head.chunks, question=head.question, asked=head.asked, task=head.task, turn=head.turn, labelled=head.labelled,
        model=head.model, reused=how, **COPIED,
    )  # fmt: skip
