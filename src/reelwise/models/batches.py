"""Batch jobs, whichever vendor runs them: submit, look, collect, cancel; and find a job again whose number was lost in a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.models.answer import Answer
from reelwise.models.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["BatchRow", "BatchWire", "Job", "Outcome", "check_rows"]

_ROWS_MAX = 50_000
_NAME_MAX = 64


class BatchRow(Struct, frozen=True, kw_only=True):
    """One call of a batch.

    Attributes:
        name: its own in the batch, 1 to 64 letters, digits, _ and -: what its answer is found by, and settled once under.
        work: the call.
    """

    name: str
    work: Work


class Job(Struct, frozen=True, kw_only=True):
    """A batch under way.

    Attributes:
        id: the vendor's.
        state: running; done (all rows ended, well or not), expired, cancelled or failed (nothing ran). All but running are final.
        total, succeeded, failed: rows; failed ones may include those that expired.
        created: ISO or seconds, as the vendor writes it.
        results: where the answers are: files, an address, or nothing where they come with the job itself.
        why: what the vendor says of a failure.
    """

    id: str
    state: Literal["running", "done", "expired", "cancelled", "failed"]
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    created: str = ""
    results: tuple[str, ...] = ()
    why: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one row.

    Attributes:
        name: of the row.
        state: ok; error; expired or cancelled: not run, not billed.
        answer: with what it used, on the batch tier; None unless ok.
        why: what went wrong. Rows with an error are not billed by any of the three vendors.
    """

    name: str
    state: Literal["ok", "error", "expired", "cancelled"]
    answer: Answer | None = None
    why: str = ""


class BatchWire(Protocol):
    """A vendor's batch API.

    A submission that is ambiguous (`AmbiguousError`) may have been accepted: `find` says so by the identity, before anything is sent again.
    """

    def submit(self, rows: Sequence[BatchRow], identity: str) -> Job:
        """Hand a batch in.

        Args:
            rows: its calls; all of one model where the vendor wants that.
            identity: the batch's own id, kept with it where the vendor keeps one.
        """

    def look(self, job_id: str) -> Job:
        """Ask for its state."""

    def outcomes(self, job: Job) -> Iterator[Outcome]:
        """Collect what became of its rows, once it is final; rows that never ran are missing or have no answer."""

    def cancel(self, job_id: str) -> Job:
        """Stop it; what ran is billed."""

    def find(self, identity: str) -> Job | None:
        """Find a job that was handed in under an identity; None where there is none, or the vendor does not say."""


def check_rows(rows: Sequence[BatchRow]) -> None:
    """Refuse what no vendor takes.

    Raises:
        InputError: none, too many, or names that are not their own.
    """
    if not 1 <= len(rows) <= _ROWS_MAX:
        raise InputError(f"{len(rows):,} rows", where="batch", hint=f"1 to {_ROWS_MAX:,}")
    names = {row.name for row in rows}
    if len(names) != len(rows):
        raise InputError("two rows have one name", where="batch", hint="each has a name of its own")
    for name in names:
        if not 1 <= len(name) <= _NAME_MAX or not all(c.isascii() and (c.isalnum() or c in "_-") for c in name):
            raise InputError(
                f"{name!r:.80} is no name of a row", where="batch", hint="1 to 64 letters, digits, _ and -"
            )
    for row in rows:
        if row.work.mode not in {"standard", "batch"}:
            raise InputError(f"mode {row.work.mode} in a batch", where=row.name, hint="standard")
