"""Several endpoints for one kind of work: the next one is asked where one surely did not accept the call, and the budget of retries allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.errors import BusyError, EndpointError, InputError, NotSentError, RefusedError
from reelwise.models.protocol import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reelwise.models.answer import Answer
    from reelwise.models.attempts import Attempts
    from reelwise.models.work import Work

__all__ = ["Fallback"]

_ENDS_MAX = 8
_ELSEWHERE = {"key", "model", "quota"}
"""Refusals that another endpoint may not share; content and requests that are refused are refused."""


class Fallback:
    """Endpoints in the order in which they are asked; see `reelwise.models.protocol.Model`.

    Args:
        ends: endpoints, each with the model's name there.
        attempts: the budget that all of them share: give each of them the same one.

    Raises:
        InputError: none, or more than eight.
    """

    def __init__(self, ends: Sequence[tuple[Any, str]], attempts: Attempts) -> None:
        if not 1 <= len(ends) <= _ENDS_MAX:
            raise InputError(f"{len(ends)} endpoints", where="fallback", hint=f"1 to {_ENDS_MAX}")
        self._ends, self._attempts = tuple(ends), attempts
        self.name = "+".join(end.name for end, _ in ends)
        self.can = frozenset[str].intersection(*(end.can for end, _ in ends))

    def __getattr__(self, task: str) -> Callable[[Work], Answer]:
        if task not in TASKS:
            raise AttributeError(task)
        return lambda work: self._do(task, work)

    def _do(self, task: str, work: Work) -> Answer:
        first, model = self._ends[0]
        try:
            answer: Answer = getattr(first, task)(msgspec.structs.replace(work, model=model))
        except EndpointError as error:
            last = error
        else:
            return answer
        for end, model in self._ends[1:]:
            if not _elsewhere(last) or not self._attempts.retry():
                raise last
            try:
                with self._attempts.part_of_a_call():
                    answer = getattr(end, task)(msgspec.structs.replace(work, model=model))
            except EndpointError as error:
                last = error
            else:
                return answer
        raise last


def _elsewhere(error: EndpointError) -> bool:
    return isinstance(error, (BusyError, NotSentError)) or (
        isinstance(error, RefusedError) and error.reason in _ELSEWHERE
    )
