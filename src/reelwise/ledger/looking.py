"""What callers ask a ledger: their mode, what is left, what is being spent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from reelwise.ledger.queries import live

if TYPE_CHECKING:
    from reelwise.ledger.clock import Clock
    from reelwise.ledger.events import Who
    from reelwise.ledger.modes import Mode
    from reelwise.ledger.queries import Live
    from reelwise.ledger.sql import SqlStore
    from reelwise.ledger.standing import Standing

__all__ = ["Looking"]


class Looking(ABC):
    """The part of a ledger that answers questions; see `reelwise.ledger.ledger.Ledger`."""

    store: SqlStore
    clock: Clock
    _standing: Standing

    @abstractmethod
    def flush(self) -> None:
        """Make everything that was posted so far durable."""

    @abstractmethod
    def _ready(self) -> None:
        """Take over what was set meanwhile."""

    def mode(self, who: Who) -> Mode:
        """Return what the caller's feature should do now: its best mode, or a lower one where a budget runs out."""
        self._ready()
        return self._standing.mode(who)

    def remaining(self, who: Who) -> dict[str, int]:
        """Return what is left of each hard budget that a caller counts in, by the budget's name, as this process sees it."""
        return self._standing.remaining(who)

    def live(self, who: Who) -> list[Live]:
        """Return what everybody, and the caller's feature, user and session, spend today and by the hour; see `Live`."""
        self.flush()
        return live(self.store, who, self.clock.now_ms())
