"""Decode a clip once and measure it, at most 17 frames a second."""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from reelwise.errors import InputError
from reelwise.video.clips import Track
from reelwise.video.cuts import Shots
from reelwise.video.motion import Motion
from reelwise.video.reader import Reader

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from reelwise.video.signals import Signal

__all__ = ["track"]

# all frames of up to 16 a second, 12.5 of 25, 15 of 30 or 60; a little under 0.06, which three frames of 50 a second are
_INTERVAL_SECONDS = 0.0595
_BLOCK_SECONDS = 1.0
_FIRST = 96  # the first background is the median over these
_FIRST_SECONDS = 4.0


def track(
    path: str | os.PathLike[str],
    *,
    signals: Sequence[Signal] = (),
    progress: Callable[[float], None] | None = None,
    audio: bool = True,
    seconds_max: float | None = None,
) -> Track:
    """Decode a clip once, on one thread, and measure change, activity and loudness.

    Memory stays constant in the length, but for a few numbers a frame.

    Args:
        path: the clip: any container and codec that PyAV opens.
        signals: further signals; what they measure is in `Track.extra`.
        progress: called with the share done, 0..1, at most a few times a second of footage.
        audio: whether to measure loudness.
        seconds_max: stop there.

    Raises:
        MediaError: the clip cannot be read, or nothing of it decodes.
    """
    if seconds_max is not None and not seconds_max > 0:
        raise InputError("seconds_max is a positive number of seconds", hint="leave it out to read the whole clip")
    with Reader(path, audio=audio) as reader:
        blocks = _Blocks((Motion(), Shots(), *signals))
        declared = reader.info.seconds or 0.0
        end = min(declared, seconds_max) if seconds_max is not None else declared
        began = time.thread_time()
        for seconds, grid, rotation in reader.grids(_INTERVAL_SECONDS):
            if seconds_max is not None and seconds >= seconds_max:
                break
            if blocks.add(seconds, grid, rotation) and progress is not None and end > 0:
                progress(min(1.0, seconds / end))
        blocks.flush()
        spent = time.thread_time() - began
        if not blocks.times:
            raise reader.nothing()
        if progress is not None:
            progress(1.0)
        return _assemble(reader, blocks, cut=seconds_max, spent=spent)


def _assemble(reader: Reader, blocks: _Blocks, *, cut: float | None, spent: float) -> Track:
    times = np.array(blocks.times, dtype=np.float64)
    steps = np.diff(times)
    info = reader.settled()
    usual = float(np.median(steps)) if len(steps) else (1.0 / info.fps if info.fps > 0 else 0.04)
    info = replace(info, variable_frame_rate=_varies(steps))
    seconds = float(times[-1]) + usual
    motion, held = blocks.table(0), blocks.held()
    change = np.zeros(len(times), np.float32)
    change[blocks.measured] = motion[:, 0]
    notes = reader.close_notes()
    if cut is None and info.seconds > 0 and seconds < 0.95 * info.seconds - 0.5:
        notes.append(f"ends after {seconds:.1f} s of the {info.seconds:.1f} s that it declares")
    loud = reader.loudness.windows()
    return Track(
        info=info,
        seconds=seconds,
        frames=len(times),
        times=times,
        change=change,
        activity=motion[held, 1],
        boxes=motion[held, 2:].astype(np.uint8),
        grid=blocks.grid,
        audio=loud,
        cpu_seconds={
            "decode": max(0.0, spent - reader.cpu_luma - reader.cpu_audio - blocks.cpu),
            "luma": reader.cpu_luma,
            "signals": blocks.cpu,
            "audio": reader.cpu_audio,
        },
        notes=tuple(notes),
        extra=blocks.extra(),
    )


def _varies(steps: NDArray[np.float64]) -> bool:
    """Say whether frame times vary by more than rounding: over 2 % of the steps are 20 % off the median."""
    if len(steps) < 2:
        return False
    usual = np.median(steps)
    return bool(np.mean(np.abs(steps - usual) > 0.2 * usual) > 0.02)


class _Blocks:
    """Collects grids and hands them to the signals some at a time, which costs numpy's overhead once a block."""

    def __init__(self, signals: tuple[Signal, ...]) -> None:
        self._signals = signals
        self._found: list[array[float]] = [array("f") for _ in signals]
        self._buffer: NDArray[np.uint8] = np.zeros((0, 0, 0), np.uint8)
        self._turns = 0
        self._taken = 0  # frames since the last block
        self._held = 0  # of these, measured
        self._size = _FIRST
        self._span = _FIRST_SECONDS
        self.times: array[float] = array("d")
        self.measured: array[int] = array("q")
        self.cpu = 0.0

    @property
    def grid(self) -> tuple[int, int]:
        """Columns and rows as displayed."""
        rows, columns = self._buffer.shape[1:]
        return (rows, columns) if self._turns % 2 else (columns, rows)

    def add(self, seconds: float, grid: NDArray[np.uint8] | None, rotation: int) -> bool:
        """Take one frame, with a grid where it is to be measured; say whether a block is done."""
        self.times.append(seconds)
        self._taken += 1
        if grid is not None:
            if not self.measured:
                self._buffer = np.zeros((_FIRST, *grid.shape), np.uint8)
                self._turns = rotation // 90
            self._buffer[self._held] = grid
            self._held += 1
            self.measured.append(len(self.times) - 1)
        if self._taken < self._size and seconds - self.times[-self._taken] < self._span:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Measure what is held."""
        self._taken = 0
        if not self._held:
            return
        began = time.thread_time()
        grids = self._buffer[: self._held]
        if self._turns:
            grids = np.ascontiguousarray(np.rot90(grids, self._turns, axes=(1, 2)))
        times = np.array([self.times[index] for index in self.measured[-self._held :]], dtype=np.float64)
        for signal, found in zip(self._signals, self._found, strict=True):
            found.frombytes(np.ascontiguousarray(signal.measure(grids, times), np.float32).tobytes())
        self._held = 0
        self._span = _BLOCK_SECONDS
        self.cpu += time.thread_time() - began

    def table(self, index: int) -> NDArray[np.float32]:
        """Return what a signal measured: float32 (frames, columns)."""
        columns = len(self._signals[index].columns)
        return np.array(self._found[index], dtype=np.float32).reshape(-1, columns)

    def held(self) -> NDArray[np.intp]:
        """Return for each frame the row of the tables that holds for it: its own, or that of the measured frame before."""
        return np.searchsorted(np.array(self.measured, dtype=np.int64), np.arange(len(self.times)), side="right") - 1

    def extra(self) -> dict[str, NDArray[np.float32]]:
        """Return what the further signals measured, by "name.column"."""
        found, held = {}, self.held()
        for index, signal in enumerate(self._signals[1:], start=1):
            table = self.table(index)
            for column, name in enumerate(signal.columns):
                found[f"{signal.name}.{name}"] = table[held, column]
        return found
