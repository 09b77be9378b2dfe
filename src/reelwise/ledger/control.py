"""What people set: budgets, ladders of modes, switches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import msgspec

from reelwise.errors import InputError
from reelwise.ledger.budgets import Budget, check_budget
from reelwise.ledger.modes import Feature, check_feature

if TYPE_CHECKING:
    from reelwise.ledger.clock import Clock
    from reelwise.ledger.events import Who
    from reelwise.ledger.holds import Posted
    from reelwise.ledger.kernel import Kernel
    from reelwise.ledger.sql import SqlStore
    from reelwise.ledger.writer import Writer

__all__ = ["Control"]


class Control(ABC):
    """The part of a ledger that sets budgets and switches; see `reelwise.ledger.ledger.Ledger`."""

    store: SqlStore
    clock: Clock
    _kernel: Kernel
    _writer: Writer
    _closed: bool

    @abstractmethod
    def flush(self) -> None:
        """Make everything that was posted so far durable."""

    @abstractmethod
    def _ready(self) -> None:
        """Take over what was set meanwhile."""

    @abstractmethod
    def _load(self) -> None:
        """Read definitions again."""

    @property
    def closed(self) -> bool:
        """Whether it was closed, or belongs to the parent process."""
        return self._closed

    def wait_for(self, posted: Posted, identity: str = "", wait_seconds: float = 30.0) -> None:
        """Wait until what was posted is durable.

        Raises:
            AlreadySettledError: the row's id was recorded before.
            LedgerError, OutputError: it cannot be written now; it is counted, stays queued, and is written later.
        """
        self._writer.wait(posted.number, identity, wait_seconds)

    def is_durable(self, posted: Posted) -> bool:
        """Say whether what was posted has been written (or refused, where its id was there)."""
        return self._writer.written >= posted.number

    def check_switch(self, who: Who) -> None:
        """Refuse a caller whose feature is switched off; asks no budget.

        Raises:
            BudgetError: it is.
        """
        self._ready()
        with self._kernel.lock:
            self._kernel.check_switch(who)

    def set_budget(self, budget: Budget) -> None:
        """Add a budget, or change one by name. What was spent in its present window counts, and what calls under way hold.

        Calls of this process and jobs are held in it when this returns, those of other processes within about a tenth of a second:
        each takes its own along when it hears of the budget. They may exceed the limit; nothing new passes then until they settle.
        Until all have done so, another process may be let through as if their calls were not there; a call that settles before its
        process has heard of the budget counts as overrun.

        Raises:
            InputError: see `check_budget`.
        """
        self.flush()
        self.store.put_budget(check_budget(budget), self.clock.now_ms())
        self._load()

    def drop_budget(self, name: str) -> None:
        """Drop a budget.

        Raises:
            InputError: there is none by this name.
        """
        if not self.store.drop_budget(name, self.clock.now_ms()):
            known = sorted(one.name for one in self.budgets())
            raise InputError(
                f"no budget {name[:64]!r}", where=name[:64], hint=f"there are: {', '.join(known) or 'none'}"
            )
        self._load()

    def budgets(self) -> list[Budget]:
        """Return the budgets that are in force."""
        return list(self.store.definitions().budgets.values())

    def features(self) -> list[Feature]:
        """Return the features that have ladders or switches."""
        return list(self.store.definitions().features.values())

    def feature(self, name: str) -> Feature:
        """Return one feature, as set or as it is by default."""
        return self.store.definitions().features.get(name) or Feature(name=name)

    def set_feature(self, feature: Feature) -> None:
        """Set ladders, modes and switches of a feature.

        Raises:
            InputError: see `check_feature`.
        """
        self.store.put_feature(check_feature(feature))
        self._load()

    def kill(self, feature: str, reason: str = "") -> None:
        """Let no further call of a feature through: in every process, from the next call on."""
        self.set_feature(msgspec.structs.replace(self.feature(feature), killed=True, reason=reason[:128]))

    def resume(self, feature: str) -> None:
        """Let calls of a feature through again, and forget a mode set by hand."""
        self.set_feature(msgspec.structs.replace(self.feature(feature), killed=False, forced="", reason=""))

    def force(self, feature: str, mode: str, reason: str = "") -> None:
        """Set a feature's mode by hand, whatever its budgets say."""
        self.set_feature(msgspec.structs.replace(self.feature(feature), forced=mode, reason=reason[:128]))
