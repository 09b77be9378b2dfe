"""What a live run answers: the loop's receipt, what reading, composing and writing took, and frames to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from reelwise.live.receipt import LiveReceipt, Timing
from reelwise.live.tally import timing_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelwise.live.answer import Answer
    from reelwise.live.histogram import Durations

__all__ = ["LiveReport", "Shot", "document", "report_of"]

_LONG_SIDE = 480


class Shot(NamedTuple):
    """One frame of the run, small: the frame, its mask, and the frame as it was put out (None where nothing was composed)."""

    seconds: float
    kind: str
    reason: str
    frame: NDArray[np.uint8]
    mask: NDArray[np.float32]
    composed: NDArray[np.uint8] | None

    @classmethod
    def of(cls, frame: NDArray[np.uint8], composed: NDArray[np.uint8] | None, answer: Answer) -> Shot:
        """Take a frame, scaled down."""
        small = _small(frame)
        return cls(
            answer.seconds,
            answer.kind,
            answer.reason,
            small,
            answer.mask,
            None if composed is None else _small(composed),
        )


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from reelwise.live.opencv import opencv

    cv2 = opencv()
    scale = min(1.0, _LONG_SIDE / max(picture.shape[:2]))
    size = (max(2, round(picture.shape[1] * scale) // 2 * 2), max(2, round(picture.shape[0] * scale) // 2 * 2))
    small: NDArray[np.uint8] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return small


class LiveReport(Struct, frozen=True, kw_only=True):
    """The report of a live run.

    Attributes:
        source: path or address without a password.
        width, height: of the frames, the last ones.
        ended: why it ended, in words.
        wall_seconds: how long it took.
        first_mask_seconds: from the command to the first mask; None where there was none.
        reconnects: how often the source was opened again.
        source_stalls: how often no picture came for over a second, by the clock.
        read_ms: getting a frame's picture (for a camera without waiting for it).
        compose_ms: putting a background behind it.
        write_ms: writing to all outputs.
        outputs: what was written.
        receipt: the loop's.
        shots: frames to look at.
    """

    source: str
    width: int
    height: int
    ended: str
    wall_seconds: float
    first_mask_seconds: float | None
    reconnects: int
    source_stalls: int
    read_ms: Timing
    compose_ms: Timing
    write_ms: Timing
    outputs: tuple[str, ...]
    receipt: LiveReceipt
    shots: tuple[Shot, ...] = ()


def report_of(
    receipt: LiveReceipt,
    *,
    source: str,
    size: tuple[int, int],
    ended: str,
    wall_seconds: float,
    first_mask_seconds: float | None,
    reconnects: int,
    stalls: int,
    durations: tuple[Durations, Durations, Durations],
    outputs: tuple[str, ...],
    shots: tuple[Shot, ...],
) -> LiveReport:
    """Put a report together; see `LiveReport`."""
    read, compose, write = (timing_of(one) for one in durations)
    return LiveReport(
        source=source,
        width=size[0],
        height=size[1],
        ended=ended,
        wall_seconds=round(wall_seconds, 3),
        first_mask_seconds=None if first_mask_seconds is None else round(first_mask_seconds, 3),
        reconnects=reconnects,
        source_stalls=stalls,
        read_ms=read,
        compose_ms=compose,
        write_ms=write,
        outputs=outputs,
        receipt=receipt,
        shots=shots,
    )


def document(report: LiveReport) -> dict[str, Any]:
    """Return a report as one flat JSON document: the receipt's keys beside its own, without pictures and moments."""
    own = {name: getattr(report, name) for name in LiveReport.__struct_fields__ if name not in {"receipt", "shots"}}
    receipt: dict[str, Any] = msgspec.to_builtins(report.receipt)
    receipt.pop("moments")
    plain: dict[str, Any] = msgspec.to_builtins(own)
    return {**plain, **receipt, "first_mask_seconds": report.first_mask_seconds}
