"""Jobs, as users call them: holds that outlive their process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from reelwise.ledger.events import ONE_CALL, Units, What, check_amount, check_units, check_what

if TYPE_CHECKING:
    from reelwise.ledger.desk import Desk
    from reelwise.ledger.events import Who
    from reelwise.ledger.holds import Posted
    from reelwise.ledger.jobs import Job
    from reelwise.ledger.sql import SqlStore

__all__ = ["JobCalls"]


class JobCalls(ABC):
    """The part of a ledger that holds for jobs; see `reelwise.ledger.ledger.Ledger`."""

    store: SqlStore
    _desk: Desk

    @abstractmethod
    def _ready(self) -> None:
        """Take over what was set meanwhile."""

    def hold_job(
        self, name: str, who: Who, nano: int, *, calls: int = 1, frames: int = 0, timeout_seconds: float = 86_400.0
    ) -> Job:
        """Hold for a job that may outlive this process: written down before it returns, and settled by whichever process comes first.

        Args:
            name: the job's id: the provider's, or your own.
            who: the caller.
            nano: the most that the job can cost.
            calls: what it counts as in budgets of calls.
            frames: and in budgets of frames.
            timeout_seconds: after this it is let go of.

        Raises:
            BudgetError: a budget has not that much left.
            AlreadySettledError: a job of this name was held before.
        """
        self._ready()
        for amount, kind in ((calls, "calls"), (frames, "frames")):
            check_amount(amount, kind)
        return self._desk.hold(name, who, (check_amount(nano, "hold"), calls, frames), round(timeout_seconds * 1000))

    def post_job(
        self,
        name: str,
        cost_nano: int,
        *,
        what: What | None = None,
        units: Units = ONE_CALL,
        avoided_nano: int = 0,
        latency_ms: int = 0,
    ) -> Posted:
        """Settle a job with what it cost: durable when it returns. One that had expired is posted as late.

        Raises:
            AlreadySettledError: it was posted or voided before.
            InputError: no job was held under this name.
        """
        self._ready()
        check_amount(cost_nano, "cost")
        check_amount(avoided_nano, "avoided")
        check_amount(latency_ms, "latency_ms")
        what = check_what(what) if what is not None else What()
        check_units(units)
        return self._desk.post(name, cost_nano, what, units, avoided_nano=avoided_nano, latency_ms=latency_ms)

    def void_job(self, name: str) -> bool:
        """Let go of a job's hold: nothing was spent. False where it had expired.

        Raises:
            AlreadySettledError: it was posted or voided before.
            InputError: no job was held under this name.
        """
        self._ready()
        return self._desk.void(name)

    def jobs(self) -> list[Job]:
        """List jobs that wait to be settled, the next to expire first."""
        return self.store.jobs()
