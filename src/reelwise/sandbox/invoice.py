"""What the sandbox bills: a row a call, in integer nano-dollars, in memory and, where asked for, in a file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
from msgspec import Struct

from reelwise.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Invoice", "Row"]

_ROWS_MAX = 2_000_000


class Row(Struct, kw_only=True, omit_defaults=True):
    """One line of the invoice.

    Attributes:
        id: what the answer is called by its vendor.
        at: seconds of the sandbox's clock since 1970.
        day: that prices were taken at.
        maker, model, mode: what was called, and the tier that served it.
        nano: nano-USD.
        sku, quantity: of what is not sold by tokens.
        text, image, video, audio, cached, audio_cached, write, write_1h, output, reasoning: tokens.
        status: ok; cut (the line broke, or the caller hung up: billed for what was written); refused (content).
        delivered: whether the whole answer, with its usage, went out: False means that the caller cannot know the cost.
        identity: the caller's id of the call.
        kind: call, batch, cache, storage, video, vision.
        label, right, difficulty, confidence: what was answered, where it was one of some labels; the sandbox knows the truth.
    """

    id: str
    at: float
    day: str
    maker: str
    model: str
    mode: str = "standard"
    nano: int = 0
    sku: str = ""
    quantity: str = ""
    text: int = 0
    image: int = 0
    video: int = 0
    audio: int = 0
    cached: int = 0
    audio_cached: int = 0
    write: int = 0
    write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    status: str = "ok"
    delivered: bool = True
    identity: str = ""
    kind: str = "call"
    label: str = ""
    right: bool | None = None
    difficulty: float | None = None
    confidence: float | None = None


class Invoice:
    """All rows, safe for many threads.

    Args:
        file: where each row is written as it comes, a JSON document a line.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._rows: list[Row] = []
        self._dropped = 0
        self._file: BinaryIO | None = None
        if file is not None:
            try:
                self._file = file.open("wb")
            except OSError as error:
                raise OutputError(
                    error.strerror or "cannot be written", where=str(file), hint="check the folder"
                ) from None

    def add(self, row: Row) -> None:
        """Add a row."""
        with self._lock:
            if len(self._rows) >= _ROWS_MAX:
                self._dropped += 1
                return
            self._rows.append(row)
            if self._file is not None:
                self._file.write(msgspec.json.encode(row) + b"\n")
                self._file.flush()

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows so far."""
        with self._lock:
            return tuple(self._rows)

    @property
    def nano(self) -> int:
        """The sum, in nano-USD."""
        return sum(row.nano for row in self.rows)

    def document(self, *, rows: bool = True) -> dict[str, Any]:
        """Return it as a document: rows, sums by model and mode, what could not be kept."""
        kept = self.rows
        by: dict[str, dict[str, Any]] = {}
        for row in kept:
            one = by.setdefault(f"{row.sku or row.model}/{row.mode}", {"calls": 0, "nano": 0})
            one["calls"] += 1
            one["nano"] += row.nano
        total = sum(row.nano for row in kept)
        unsaid = [row for row in kept if not row.delivered]
        return {
            "total_nano": total,
            "total_usd": f"{total // 10**9}.{total % 10**9:09d}",
            "calls": len(kept),
            "undelivered": {"calls": len(unsaid), "nano": sum(row.nano for row in unsaid)},
            "by_model": by,
            "rows_dropped": self._dropped,
            **({"rows": kept} if rows else {}),
        }

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._rows.clear()
            self._dropped = 0

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
