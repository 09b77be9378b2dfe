"""Which stored clip, or part of one, a clip shows: votes of hits along offsets, then pictures laid over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from msgspec import Struct

from reelwise.duplicates.compare import Likeness, coarse, compare, fits_of
from reelwise.duplicates.cuts import PLAIN, Cut
from reelwise.duplicates.fingerprint import STORED, WHOLE, Fingerprint, paired
from reelwise.duplicates.keys import stored_keys
from reelwise.duplicates.level import Level
from reelwise.duplicates.motion import AROUND
from reelwise.duplicates.question import Question, View, ask, look_at
from reelwise.duplicates.store import Kept, Store
from reelwise.duplicates.votes import Lines, hits, lines, motion

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
_VOTES_WEIGHT = 4.0  # bits of what moves that are worth twice the votes
_FITS = 0.8  # correlation from which a cut is believed
_FIT_LEAST = 0.3  # correlation below which nothing is the same
_WORSE = 0.4  # correlation by which a place may fit worse than the best
_WORTH = 0.6  # of the best score, from which a place is compared second by second
_THROUGH = 3  # cuts off the middle through which what moves is looked up

Place = tuple[int, int]


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


class _Laid:
    """What was found out about places under one question; kept while it is asked.

    A place is a stored clip and an offset: second s of the asked clip lies on second s + offset of the stored one.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.under: dict[Place, tuple[NDArray[np.uint8], NDArray[np.uint8], float]] = {}
        self.fits: dict[Place, tuple[float, int]] = {}
        self.scored: dict[Place, tuple[float, int, int]] = {}
        self._views: dict[int, View] = {}

    def view(self, cut: int) -> View:
        """Return the question through a cut, made once."""
        if cut not in self._views:
            self._views[cut] = look_at(self.question, self.question.cuts[cut])
        return self._views[cut]


class Index:
    """Stored clips in one file, and tables of their keys in memory: about 60 bytes a second of video.

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
        self._main = Level()
        self._tail = Level()
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
            self._tail = Level(self._main.count)
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
        laid = _Laid(question)
        self._fit(laid, self._places(laid))
        least = max(_FIT_LEAST, max((fit for fit, _ in laid.fits.values()), default=0.0) - _WORSE)
        for place, (fit, cut) in laid.fits.items():
            if fit >= least:
                self._score(laid, place, cut)
        # hits say the offset to a second: the fit may lie on the other side of a whole one
        for clip, offset in self._ranked(laid)[:_NEIGHBOURS]:
            cut = laid.scored[clip, offset][1]
            for place in ((clip, offset - 1), (clip, offset + 1)):
                if place not in laid.scored and self._under(laid, place):
                    self._score(laid, place, cut)
        best: dict[str, Candidate] = {}
        tried, top = 0, 0.0
        for place in self._ranked(laid):
            kept, (score, cut, phase) = self._clips[place[0]], laid.scored[place]
            content = kept.content
            if content in best or tried >= _COMPARED or score < _WORTH * top:
                continue
            tried += 1
            top = max(top, score)
            candidate = self._compared(
                fingerprint, kept, offset=place[1], cut=question.cuts[cut], phase=phase, near=(start, stop)
            )
            if candidate is not None:
                best[content] = candidate
        return list(best.values())

    def _places(self, laid: _Laid) -> list[Place]:
        """Look up what stands still and what moves, then what moves through the cuts that the first hits are seen through."""
        question, levels = laid.question, (self._main, self._tail)
        centred = tuple(cut for cut in question.cuts if cut.centred and cut.size[0] != cut.size[1])
        plain = question.moves(PLAIN + centred, inner=False)
        found = hits(levels, question.still_look_ups() + plain.look_ups())
        along = lines(found)
        places = self._best(along, motion(levels, along, plain.some()))
        self._fit(laid, places)
        chosen: dict[Cut, float] = {}
        for fit, cut in laid.fits.values():
            if fit >= _FITS and not question.cuts[cut].centred:
                chosen[question.cuts[cut]] = max(fit, chosen.get(question.cuts[cut], 0.0))
        if not chosen:
            return places
        through = question.moves(tuple(sorted(chosen, key=lambda cut: -chosen[cut])[:_THROUGH]), inner=True)
        along = lines(np.sort(np.concatenate((found, hits(levels, through.look_ups())))))
        return [*places, *self._best(along, motion(levels, along, through))]

    def _best(self, along: Lines, moves: NDArray[np.int64]) -> list[Place]:
        """Return the places with most votes and most of what moves alike, at most eight."""
        score = moves + (_VOTES_WEIGHT * np.log2(1 + along.votes)).astype(np.int64)
        floor = np.sort(score)[-min(len(score), 96)] if len(score) else 0
        ranked = []
        for at in np.flatnonzero(score >= floor)[:4096].tolist():
            clip = int(along.clips[at])
            offset = int(along.rows[at]) - self._first[clip]
            ranked.append((-int(score[at]), self._clips[clip].content, offset, clip))
        chosen: list[Place] = []
        taken: dict[int, int] = {}
        for _, _, offset, clip in sorted(ranked):
            if taken.get(clip, 0) < _PER_CLIP:
                taken[clip] = taken.get(clip, 0) + 1
                chosen.append((clip, offset))
            if len(chosen) >= _CANDIDATES:
                break
        return chosen

    def _fit(self, laid: _Laid, places: list[Place]) -> None:
        """Find the cut through which each place fits a question; places where nothing lies under it get none."""
        new = [place for place in dict.fromkeys(places) if place not in laid.fits and self._under(laid, place)]
        if new:
            fits = fits_of(laid.question, np.stack([laid.under[place][0] for place in new]))
            laid.fits.update(zip(new, fits, strict=True))

    def _under(self, laid: _Laid, place: Place) -> bool:
        """Fetch what lies under a question; False where nothing does."""
        if place in laid.under:
            return True
        clip, offset = place
        kept = self._clips[clip]
        under = laid.question.seconds + offset
        there = (under >= 0) & (under < kept.count)
        if not there.any():
            return False
        low, high = max(0, int(under[there].min()) - 1), int(under[there].max()) + 1
        block = self._store.pictures(clip, low, high)[:, 0]
        seconds = np.zeros((len(under), *block.shape[1:]), np.uint8)
        before = np.zeros_like(seconds)
        seconds[there] = block[under[there] - low]
        before[there] = block[np.maximum(under[there] - 1 - low, 0)]
        laid.under[place] = seconds, before, min(1.0, 0.5 + int(there.sum()) / len(under))
        return True

    def _ranked(self, laid: _Laid) -> list[Place]:
        return sorted(laid.scored, key=lambda place: (-laid.scored[place][0], self._clips[place[0]].content, place[1]))

    def _score(self, laid: _Laid, place: Place, cut: int) -> None:
        """Lay one stored clip under a question, and note how well it fits, with which cut and at which phase."""
        seconds, before, share = laid.under[place]
        score, phase = coarse(laid.question, laid.view(cut), laid.question.cuts[cut], seconds, before)
        laid.scored[place] = (score * share, cut, phase * laid.question.step)

    def _compared(
        self, fingerprint: Fingerprint, kept: Kept, *, offset: int, cut: Cut, phase: int, near: tuple[int, int]
    ) -> Candidate | None:
        rate = fingerprint.rate
        seconds = -(-(len(fingerprint.pictures) - phase) // rate)
        first = max(0, -offset, near[0] - _COMPARE_MOST // 2)
        last = min(seconds, kept.count - offset, near[0] + _COMPARE_MOST // 2)
        if last <= first:
            return None
        theirs = self._store.pictures(kept.id, first + offset, last + offset)
        middle = (max(near[0], first) + min(near[1], last)) // 2 - first
        zero = first * rate + phase
        ours = np.stack(
            [paired(fingerprint.pictures, rate, zero + late, last - first) for late in range(-AROUND, AROUND + 1)]
        )
        ours, theirs = ours.reshape(len(ours), -1, *ours.shape[3:]), theirs.reshape(-1, *theirs.shape[2:])
        likeness = compare(ours, theirs, cut, around=middle)
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


def _rank(candidate: Candidate) -> tuple[float, float, str]:
    like = candidate.likeness
    moves = like.motion.agreement * min(like.motion.seconds, 4)
    return (moves + like.still, like.stop - like.start, candidate.clip.content)
