"""Which stored clip, or part of one, a clip shows: votes of hits along offsets, then pictures laid over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from msgspec import Struct

from reelwise.duplicates.compare import Likeness, coarse, compare
from reelwise.duplicates.fingerprint import STORED, WHOLE, Fingerprint, paired
from reelwise.duplicates.keys import stored_keys
from reelwise.duplicates.question import Cut, Question, ask
from reelwise.duplicates.store import Kept, Store
from reelwise.duplicates.table import Table

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["Candidate", "Index"]

STRETCH = 32
"""Seconds of a clip that are asked about at once."""
_CANDIDATES = 8
_PER_CLIP = 2
_NEIGHBOURS = 2
_COMPARED = 3  # candidates that are compared second by second
_MATCHES_MOST = 8
_COMPARE_MOST = 7200  # seconds laid over each other at most
_TAIL_MOST = 50_000
_BIAS = 1 << 20  # seconds a question may be long without an offset turning negative
_MOTION_WEIGHT = 16.0


class Candidate(Struct, frozen=True):
    """A stored clip laid under the asked one.

    Attributes:
        clip: which one.
        asked: start and stop of the like run in the asked clip, in seconds.
        stored: the same in the stored clip.
        asked_seconds, stored_seconds: whole seconds of either that were fingerprinted.
        cut: what part of the stored picture the asked one shows.
        likeness: how alike the run is.
    """

    clip: Kept
    asked: tuple[float, float]
    stored: tuple[float, float]
    asked_seconds: int
    stored_seconds: int
    cut: Cut
    likeness: Likeness


class Index:
    """Stored clips in one file, and tables of their keys in memory: about 40 bytes a second of video.

    Args:
        path: the file; created where missing.

    Raises:
        InputError: the file is no index.
        OutputError: it cannot be opened or created.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._store = Store(path)
        self._clips: dict[int, Kept] = {}
        self._first: dict[int, int] = {}
        self._last = 0
        self._rows = 0
        self._main = _Level()
        self._tail = _Level()
        try:
            self.refresh()
        except BaseException:
            self._store.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return self._rows

    @property
    def clips(self) -> int:
        """Count the stored clips."""
        return len(self._clips)

    @property
    def bytes(self) -> int:
        """Count the memory of keys and tables."""
        return self._main.bytes + self._tail.bytes

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def add(self, fingerprint: Fingerprint, name: str) -> bool:
        """Store a clip; on return it is on disk. False where the same content is stored already.

        Raises:
            OutputError: the disk is full, or another process holds the file for too long.
        """
        seconds = fingerprint.each_second()
        keys, valid = stored_keys(seconds[:, 0])
        return self._store.put(
            content=fingerprint.content_hash(),
            name=name,
            seconds=fingerprint.seconds,
            pictures=seconds,
            keys=keys,
            valid=valid,
        )

    def has(self, fingerprint: Fingerprint) -> bool:
        """Say whether this very content is stored."""
        return self._store.has(fingerprint.content_hash())

    def refresh(self) -> None:
        """Take in what was added since, by any process."""
        parts = []
        for kept, keys, valid in self._store.since(self._last):
            self._clips[kept.id], self._first[kept.id] = kept, self._rows
            parts.append((kept, keys, valid))
            self._rows += kept.count
            self._last = kept.id
        if not parts:
            return
        self._tail.extend(parts)
        if self._tail.count > max(_TAIL_MOST, self._main.count // 4):
            self._main.merge(self._tail)
            self._tail = _Level(self._main.count)
        self._tail.build()

    def find(self, fingerprint: Fingerprint) -> list[Candidate]:
        """Lay the stored clips that fit best under a clip: at most 8, one a clip, in no particular order of truth.

        `verdict.judge` says what each means. Clips longer than half a minute are asked about half a minute at a time.
        """
        self.refresh()
        count = -(-len(fingerprint.pictures) // fingerprint.rate)
        found: dict[str, Candidate] = {}
        start = 0
        while start < count and self._rows:
            stop = min(count, start + STRETCH)
            if count - stop < STRETCH // 4:
                stop = count  # no stretch of a few seconds at the end
            for candidate in self._stretch(fingerprint, start, stop):
                key = candidate.clip.content
                if key not in found or _rank(candidate) > _rank(found[key]):
                    found[key] = candidate
            if len(found) > 8 * _MATCHES_MOST:
                found = dict(sorted(found.items(), key=lambda item: _rank(item[1]), reverse=True)[:_MATCHES_MOST])
            start = stop
        return sorted(found.values(), key=_rank, reverse=True)[:_MATCHES_MOST]

    def _stretch(self, fingerprint: Fingerprint, start: int, stop: int) -> list[Candidate]:
        question = ask(fingerprint.pictures, fingerprint.rate, start, stop, barred=fingerprint.box != WHOLE)
        scored: dict[tuple[int, int], tuple[float, int, int]] = {}
        for place in self._votes(question):
            self._score(question, place, scored)
        # hits say the offset to a second: the fit may lie on the other side of a whole one
        for clip, offset in sorted(scored, key=lambda place: self._order_of(place, scored))[:_NEIGHBOURS]:
            for place in ((clip, offset - 1), (clip, offset + 1)):
                if place not in scored:
                    self._score(question, place, scored)
        best: dict[str, Candidate] = {}
        tried = 0
        for place in sorted(scored, key=lambda place: self._order_of(place, scored)):
            kept, (_, cut, phase) = self._clips[place[0]], scored[place]
            content = kept.content
            if content in best or tried >= _COMPARED:
                continue
            tried += 1
            candidate = self._laid(
                fingerprint, kept, offset=place[1], cut=question.cuts[cut], phase=phase, near=(start, stop)
            )
            if candidate is not None:
                best[content] = candidate
        return list(best.values())

    def _order_of(
        self, place: tuple[int, int], scored: dict[tuple[int, int], tuple[float, int, int]]
    ) -> tuple[float, str, int]:
        return (-scored[place][0], self._clips[place[0]].content, place[1])

    def _score(
        self, question: Question, place: tuple[int, int], scored: dict[tuple[int, int], tuple[float, int, int]]
    ) -> None:
        """Lay one stored clip under a question, and note how well it fits, with which cut and phase."""
        clip, offset = place
        kept = self._clips[clip]
        under = question.seconds + offset
        there = (under >= 0) & (under < kept.count)
        if not there.any():
            return
        low, high = max(0, int(under[there].min()) - 1), int(under[there].max()) + 1
        block = self._store.pictures(clip, low, high)[:, 0]
        seconds = np.zeros((len(under), *block.shape[1:]), np.uint8)
        before = np.zeros_like(seconds)
        seconds[there] = block[under[there] - low]
        before[there] = block[np.maximum(under[there] - 1 - low, 0)]
        score, cut, phase = coarse(question, seconds, before)
        scored[place] = (score * min(1.0, 0.5 + int(there.sum()) / len(under)), cut, phase)

    def _laid(
        self, fingerprint: Fingerprint, kept: Kept, *, offset: int, cut: Cut, phase: int, near: tuple[int, int]
    ) -> Candidate | None:
        rate = fingerprint.rate
        ours = paired(fingerprint.pictures, rate, phase)
        first = max(0, -offset, near[0] - _COMPARE_MOST // 2)
        last = min(len(ours), kept.count - offset, near[0] + _COMPARE_MOST // 2)
        if last <= first:
            return None
        theirs = self._store.pictures(kept.id, first + offset, last + offset)
        middle = (max(near[0], first) + min(near[1], last)) // 2 - first
        likeness = compare(ours[first:last], theirs, cut, around=middle)
        if likeness is None:
            return None
        begin, end = first + likeness.start / STORED, first + likeness.stop / STORED
        late = phase / rate
        return Candidate(
            clip=kept,
            asked=(begin + late, min(end + late, fingerprint.seconds)),
            stored=(float(begin + offset), min(float(end + offset), kept.seconds)),
            asked_seconds=-(-len(fingerprint.pictures) // rate),
            stored_seconds=kept.count,
            cut=cut,
            likeness=likeness,
        )

    def _hits(self, question: Question) -> NDArray[np.int64]:
        """Look every key up: one number a hit, sorted: the clip, the offset's line and, in the last byte, its weight."""
        _, phases, asked, bands = question.keys.shape
        second = np.broadcast_to(question.seconds, (len(question.cuts), phases, asked))
        tallies = [np.zeros(0, np.int64)]
        for level in (self._main, self._tail):
            if level.table is None:
                continue
            for band in range(bands):
                use = question.valid[..., band]
                if band < 2:  # what stands still changes little within a second: two phases do
                    use = use.copy()
                    use[:, np.arange(phases) % max(1, phases // 2) != 0] = False
                which, rows, size = level.table.find(band, question.keys[..., band][use])
                weight = (_MOTION_WEIGHT if band >= 2 else 1.0) * 16.0 / (1.0 + np.sqrt(size))
                clip = level.clip_of[rows].astype(np.int64)
                line = rows.astype(np.int64) + level.base - second[use][which] + _BIAS
                tallies.append(((clip << 32 | line) << 8) | np.clip(weight, 1, 255).astype(np.int64))
        return np.sort(np.concatenate(tallies))

    def _votes(self, question: Question) -> list[tuple[int, int]]:
        """Return (clip, offset in seconds) of the offsets along which most hits lie, at most eight."""
        hits = self._hits(question)
        if not len(hits):
            return []
        lines = hits >> 8
        begins = np.flatnonzero(np.concatenate(([True], lines[1:] != lines[:-1])))
        sums = np.add.reduceat(hits & 255, begins)
        lines = lines[begins]
        floor = np.sort(sums)[-min(len(sums), 96)]
        ranked = []
        for at in np.flatnonzero(sums >= floor)[:4096]:
            clip = int(lines[at] >> 32)
            offset = int(lines[at] & 0xFFFFFFFF) - _BIAS - self._first[clip]
            ranked.append((-int(sums[at]), self._clips[clip].content, offset, clip))
        chosen: list[tuple[int, int]] = []
        taken: dict[int, int] = {}
        for _, _, offset, clip in sorted(ranked):
            if taken.get(clip, 0) < _PER_CLIP:
                taken[clip] = taken.get(clip, 0) + 1
                chosen.append((clip, offset))
            if len(chosen) >= _CANDIDATES:
                break
        return chosen


def _rank(candidate: Candidate) -> tuple[float, float, str]:
    like = candidate.likeness
    return (like.motion * min(like.moving_seconds, 4) + like.still, like.stop - like.start, candidate.clip.content)


class _Level:
    """Keys of consecutive rows and their tables: one level holds most, a small one what is new."""

    def __init__(self, base: int = 0) -> None:
        self.base = base
        self.table: Table | None = None
        self.clip_of = np.zeros(0, np.int32)
        self._keys = np.zeros((0, 4), np.uint16)
        self._valid = np.zeros((0, 4), np.bool_)
        self._order = np.zeros(0, np.uint64)

    @property
    def count(self) -> int:
        return len(self.clip_of)

    @property
    def bytes(self) -> int:
        arrays = (self.clip_of, self._keys, self._valid, self._order)
        return sum(array.nbytes for array in arrays) + (self.table.bytes if self.table else 0)

    def extend(self, parts: list[tuple[Kept, NDArray[np.uint16], NDArray[np.bool_]]]) -> None:
        clips = [np.full(kept.count, kept.id, np.int32) for kept, _, _ in parts]
        orders = [_order(kept) for kept, _, _ in parts]
        self.clip_of = np.concatenate((self.clip_of, *clips))
        self._keys = np.concatenate((self._keys, *(keys for _, keys, _ in parts)))
        self._valid = np.concatenate((self._valid, *(valid for _, _, valid in parts)))
        self._order = np.concatenate((self._order, *orders))

    def build(self) -> None:
        self.table = Table(self._keys, self._valid, self._order) if self.count else None

    def merge(self, other: _Level) -> None:
        self.clip_of = np.concatenate((self.clip_of, other.clip_of))
        self._keys = np.concatenate((self._keys, other._keys))
        self._valid = np.concatenate((self._valid, other._valid))
        self._order = np.concatenate((self._order, other._order))
        self.build()


def _order(kept: Kept) -> NDArray[np.uint64]:
    """Give each second of a clip a number that depends on its content alone."""
    seed = np.uint64(int(kept.content[:16], 16))
    mixed = (np.arange(kept.count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ seed
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(27))
