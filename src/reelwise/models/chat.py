"""What all chats share, whatever they speak: describing, asking and moderating are one exchange with another text around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.models.chat_text import asked, described, labelled, scored
from reelwise.models.endpoint import Endpoint

if TYPE_CHECKING:
    from reelwise.models.answer import Answer
    from reelwise.models.work import Work

__all__ = ["Chat"]


class Chat(Endpoint):
    """An endpoint that answers text; each kind says in `exchange` how."""

    can = frozenset({"describe", "ask", "moderate"})

    def describe(self, work: Work) -> Answer:
        """Say what is shown."""
        return self.exchange(described(work))

    def ask(self, work: Work) -> Answer:
        """Answer what the text asks."""
        return self.exchange(asked(work))

    def moderate(self, work: Work) -> Answer:
        """Choose among the labels."""
        return scored(self.exchange(labelled(work)))

    def exchange(self, work: Work) -> Answer:
        """Send a work as it is, and read the answer.

        Raises:
            EndpointError, InputError: see `reelwise.models.protocol.Model`.
        """
        raise NotImplementedError
