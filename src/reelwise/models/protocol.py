"""What every model looks like to those who use it, whatever is behind it: a chat, a vision API, a network on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reelwise.models.answer import Answer
    from reelwise.models.work import Work

__all__ = ["TASKS", "Model"]

TASKS = ("describe", "ask", "moderate", "segment", "detect", "transcribe", "embed")
"""What a model may be asked to do."""


class Model(Protocol):
    """A model behind an endpoint. What it cannot do it refuses with an InputError before anything is sent.

    Every method returns an `Answer` with what it used, and raises:
        InputError: the work does not fit the model.
        RefusedError, BusyError, NotSentError: it failed, and nothing is billed.
        AmbiguousError: nobody knows whether it is billed.
        AnswerError: it is billed, and of no use.
    """

    @property
    def name(self) -> str:
        """What receipts call the endpoint."""

    @property
    def can(self) -> frozenset[str]:
        """What it can do, of `TASKS`."""

    def describe(self, work: Work) -> Answer:
        """Say what is shown."""

    def ask(self, work: Work) -> Answer:
        """Answer what the text asks."""

    def moderate(self, work: Work) -> Answer:
        """Choose among the labels, or say what is objectionable; fills `scores`."""

    def segment(self, work: Work) -> Answer:
        """Separate foreground from background; fills `mask`."""

    def detect(self, work: Work) -> Answer:
        """Find what is there; fills `scores`, `boxes` or `stretches`."""

    def transcribe(self, work: Work) -> Answer:
        """Write down what is said; fills `text` and `words`."""

    def embed(self, work: Work) -> Answer:
        """Make vectors; fills `vectors`, one for each part."""
