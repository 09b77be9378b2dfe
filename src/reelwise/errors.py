"""Every error Reelwise raises on purpose.

    ReelwiseError                 exit 1   our bug, unless a leaf below says otherwise
    ├── InputError                exit 2   what you gave us cannot be used
    │   ├── DocumentError                  a YAML document: wrong field, type or value
    │   ├── UnknownModelError              no token rule or no price under that name
    │   ├── UnpricedError                  the thing is known, its price is not
    │   ├── MediaError                     a clip: missing, empty, truncated, without video
    │   └── MissingExtraError              an optional package is not installed
    ├── GateError                 exit 3   a budget or a gate said no
    ├── EndpointError             exit 4   a model endpoint failed
    │   └── StreamError                    a live stream cannot be opened, or went away for good
    └── OutputError               exit 5   the result could not be written

Each error has a ``hint``: the next thing to try. Foreign errors are mapped to these where they enter.
"""

from __future__ import annotations

__all__ = [
    "EXIT_DONE",
    "EXIT_INTERRUPTED",
    "DocumentError",
    "EndpointError",
    "GateError",
    "InputError",
    "MediaError",
    "MissingExtraError",
    "OutputError",
    "ReelwiseError",
    "StreamError",
    "UnknownModelError",
    "UnpricedError",
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


class GateError(ReelwiseError):
    """A budget or a gate said no."""

    exit_code = 3


class EndpointError(ReelwiseError):
    """A model endpoint failed or answered nonsense."""

    exit_code = 4


class StreamError(EndpointError):
    """A live stream cannot be opened, or went away and did not come back."""


class OutputError(ReelwiseError):
    """The result could not be written: folder missing, read-only or full."""

    exit_code = 5
