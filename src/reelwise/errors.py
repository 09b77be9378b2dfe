"""Every error Reelwise raises on purpose.

    ReelwiseError                 exit 1   our bug, unless a leaf below says otherwise
    ├── InputError                exit 2   what you gave us cannot be used
    │   ├── DocumentError                  a YAML document: wrong field, type or value
    │   ├── UnknownModelError              no token rule or no price under that name
    │   ├── UnpricedError                  the thing is known, its price is not
    │   ├── MediaError                     a clip: missing, empty, truncated, without video
    │   ├── MissingExtraError              an optional package is not installed
    │   └── LedgerError                    the ledger is damaged, of another version, or used wrongly
    │       ├── LedgerLockedError          another process kept it locked for longer than the bounded wait
    │       └── AlreadySettledError        posted or voided before; nothing was counted twice
    ├── GateError                 exit 3   a budget or a gate said no
    │   └── BudgetError                    a call was denied before it was made
    ├── EndpointError             exit 4   a model endpoint failed
    │   ├── StreamError                    a live stream cannot be opened, or went away for good
    │   ├── RefusedError                   it said no: key, model, content or request; nothing is billed
    │   ├── BusyError                      too many requests, or overloaded: nothing is billed, try later
    │   ├── NotSentError                   it was not reached, or did not get the whole request: nothing is billed
    │   │   └── UnreachableError           no connection to it was made
    │   ├── AmbiguousError                 the request was sent and no answer came: it may be billed
    │   └── AnswerError                    it answered, and the answer cannot be used: it is billed
    └── OutputError               exit 5   the result could not be written

Each error has a ``hint``: the next thing to try. Foreign errors are mapped to these where they enter.
"""

from __future__ import annotations

__all__ = [
    "EXIT_DONE",
    "EXIT_INTERRUPTED",
    "AlreadySettledError",
    "AmbiguousError",
    "AnswerError",
    "BudgetError",
    "BusyError",
    "DocumentError",
    "EndpointError",
    "GateError",
    "InputError",
    "LedgerError",
    "LedgerLockedError",
    "MediaError",
    "MissingExtraError",
    "NotSentError",
    "OutputError",
    "ReelwiseError",
    "RefusedError",
    "StreamError",
    "UnknownModelError",
    "UnpricedError",
    "UnreachableError",
]

EXIT_DONE = 0
EXIT_INTERRUPTED = 130


class ReelwiseError(Exception):
    """The base of the tree.

    Args:
        message: what is wrong, in one sentence.
        where: the file, field or clip it is wrong in.
        hint: what to do next.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InputError(ReelwiseError):
    """What was given cannot be used: a file, a field, an option."""

    exit_code = 2


class DocumentError(InputError):
    """A YAML or JSON document does not say what it should; ``where`` is its path and field."""


class UnknownModelError(InputError):
    """No token rule, or no price, is known under this model's name."""


class UnpricedError(InputError):
    """The thing is known, a sourced price for it is not; it is never taken as 0."""


class MediaError(InputError):
    """A clip is missing, empty, truncated, or has no video that can be decoded."""


class MissingExtraError(InputError):
    """An optional package is missing; ``hint`` is the command that installs it."""


class LedgerError(InputError):
    """The ledger is damaged, of another version, or was used wrongly."""


class LedgerLockedError(LedgerError):
    """Another process kept the ledger locked for longer than the bounded wait; what waits is kept."""


class AlreadySettledError(LedgerError):
    """A hold was posted or voided before, or an event's id is taken: nothing was counted twice."""


class GateError(ReelwiseError):
    """A budget or a gate said no."""

    exit_code = 3


class BudgetError(GateError):
    """A call was denied before it was made.

    Attributes:
        reason: what said no: over_limit, over_window (it can never fit), others_hold, killed, off, ledger.
        budget: the budget's name; empty for a switch.
        retryable: whether the same call may be let through later.
        retry_seconds: when to try again; None where nobody knows.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        budget: str = "",
        retryable: bool = False,
        retry_seconds: float | None = None,
        where: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.reason = reason
        self.budget = budget
        self.retryable = retryable
        self.retry_seconds = retry_seconds


class EndpointError(ReelwiseError):
    """A model endpoint failed or answered nonsense.

    Attributes:
        billed: whether the call may be billed although it failed.
        status: the HTTP status it answered; 0 where none came.
        retry_seconds: when to try again, where it said so.
        reason: a word for programs: key, model, content, quota, input, limit, overload, ...
        attempts: how often the call was sent.
    """

    exit_code = 4
    billed = True

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        hint: str = "",
        status: int = 0,
        retry_seconds: float | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.status = status
        self.retry_seconds = retry_seconds
        self.reason = reason
        self.attempts = 0


class StreamError(EndpointError):
    """A live stream cannot be opened, or went away and did not come back."""


class RefusedError(EndpointError):
    """The endpoint said no: a wrong key, a model that is gone, content or a request it does not take. Nothing is billed."""

    billed = False


class BusyError(EndpointError):
    """Too many requests, or the endpoint is overloaded or failed before it began. Nothing is billed; the same call may work later."""

    billed = False


class NotSentError(EndpointError):
    """The endpoint was not reached, or did not get the whole request: nothing is billed."""

    billed = False


class UnreachableError(NotSentError):
    """No connection to an endpoint was made: nothing was sent, and nothing is billed."""


class AmbiguousError(EndpointError):
    """The whole request was sent and no answer came back: it may have been accepted and be billed. It is not sent again blindly."""


class AnswerError(EndpointError):
    """The endpoint answered, and is paid for it, but the answer cannot be used: no JSON, cut off, fields missing.

    Attributes:
        spent: what the answer said that it used (a `reelwise.models.used.Used`); None where it did not.
    """

    spent: object = None


class OutputError(ReelwiseError):
    """The result could not be written: folder missing, read-only or full."""

    exit_code = 5
