"""What every signal of the cascade has: a name, what it costs, whether this stream lets it be believed, and what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reelwise.scan.stream import Stream
    from reelwise.scan.watch import Spans

__all__ = ["Signal"]


class Signal(Protocol):
    """One way to find when something happens.

    Attributes:
        name: as `--method` takes it.
        cost: rough share of a full decode that the coarse answer takes.
        decodes: whether it cannot answer without decoding pictures.
    """

    name: str
    cost: float
    decodes: bool

    def believed(self, stream: Stream) -> tuple[bool, str]:
        """Say whether this stream lets the signal be relied on, and why or why not, in words; empty where nothing is to say."""
        ...

    def coarse(self, stream: Stream) -> Spans:
        """Return which stretches to look at, in seconds."""
        ...

    def exact(self, stream: Stream) -> Spans:
        """Return start and stop of each activity, in seconds."""
        ...
