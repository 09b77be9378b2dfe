"""What other people's code raises, kept: a model, a cue or a callback may fail in any way, and must not end the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from reelwise.errors import ReelwiseError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Caught"]

_SAID_MAX = 200


class Caught:
    """Keeps what a block raises in place of letting it pass; Ctrl-C and exits pass where `all_` is not set.

    Args:
        all_: keep those, too: in a thread of our own nobody else would hear of them.

    Attributes:
        error: what was raised; None for nothing.
    """

    def __init__(self, *, all_: bool = False) -> None:
        self.error: BaseException | None = None
        self._all = all_

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = error
        return error is not None and (self._all or isinstance(error, Exception))

    @property
    def said(self) -> str:
        """What was raised, in one line."""
        if self.error is None:
            return ""
        lines = str(self.error).strip().splitlines()
        if lines and isinstance(self.error, ReelwiseError):
            return lines[0][:_SAID_MAX]
        name = type(self.error).__name__
        return f"{name}: {lines[0][:_SAID_MAX]}" if lines else name
