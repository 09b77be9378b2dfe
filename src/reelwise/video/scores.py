"""Scores of moments for a question: what an embedding model of yours says, from a file or from a function.

None is required and none is shipped: a score is any number that is higher where the answer is more likely to be seen.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from reelwise.documents import read_text
from reelwise.errors import DocumentError, InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from reelwise.video.clips import Track

__all__ = ["Scores", "read_scores", "score_pictures", "scores_of", "scores_outside", "track_scores", "with_scores"]

_MOST = 1_000_000
_LARGEST = 50_000_000
_COLUMN = "question.score"
_HINT = 'JSON: {"0": 0.1, "1": 0.8} or [[0, 0.1], [1, 0.8]]; CSV: a line `second,score` each'


class Scores(Struct, kw_only=True, eq=False):
    """Scores of moments, ascending.

    Attributes:
        seconds: float64 (n,), seconds from the first frame, strictly increasing.
        values: float64 (n,), higher is better; any scale.
        step: seconds that one score stands for: the usual distance of moments.
    """

    seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    step: float

    def above_median(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the moments and by how much each exceeds the median score: similarities have a floor that says nothing."""
        return self.seconds, np.maximum(0.0, self.values - float(np.median(self.values)))


def scores_of(pairs: Iterable[tuple[float, float]], *, where: str = "scores") -> Scores:
    """Make scores of (second, score) pairs in any order.

    Raises:
        InputError: none, more than a million, two for one moment, or a number that is not finite or a second below 0.
    """
    rows = sorted((float(second), float(value)) for second, value in pairs)
    if not rows:
        raise InputError("no score", where=where, hint=_HINT)
    if len(rows) > _MOST:
        raise InputError(f"over {_MOST:,} scores", where=where, hint="one a second is enough")
    for second, value in rows:
        if not (math.isfinite(second) and math.isfinite(value) and second >= 0):
            raise InputError(
                f"no score: {value} at second {second}", where=where, hint="seconds from 0 and finite scores"
            )
    for (one, _), (other, _) in pairwise(rows):
        if other - one < 1e-6:
            raise InputError(f"two scores for second {one:g}", where=where, hint="give one score for each moment")
    table = np.array(rows, np.float64)
    steps = np.diff(table[:, 0])
    return Scores(seconds=table[:, 0], values=table[:, 1], step=float(np.median(steps)) if len(steps) else 1.0)


def read_scores(path: str | os.PathLike[str]) -> Scores:
    """Read scores from JSON or CSV.

    JSON is an object of seconds to scores, a list of [second, score], or a list of {"second": ..., "score": ...}; CSV has two
    columns, second and score, with or without a heading.

    Raises:
        DocumentError: the file is missing, too large, or says something else; `where` names the line or entry.
    """
    file = Path(path)
    text = read_text(file, largest=_LARGEST)
    where = str(file)
    pairs = _json_pairs(text, where) if text.lstrip()[:1] in {"{", "["} else _csv_pairs(text, where)
    try:
        return scores_of(pairs, where=where)
    except InputError as error:
        raise DocumentError(error.message, where=where, hint=error.hint) from None


def _number(value: Any, where: str) -> float:
    if not isinstance(value, bool):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise DocumentError(f"not a number: {value!r:.60}", where=where, hint=_HINT)


def _json_pairs(text: str, where: str) -> list[tuple[float, float]]:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise DocumentError(f"not JSON: {error}", where=where, hint=_HINT) from None
    if isinstance(value, dict) and isinstance(value.get("scores"), (dict, list)):
        value = value["scores"]
    if isinstance(value, dict):
        return [
            (_number(key, f"{where} {key!r:.40}"), _number(one, f"{where} {key!r:.40}")) for key, one in value.items()
        ]
    found: list[tuple[float, float]] = []
    for index, row in enumerate(value if isinstance(value, list) else ()):
        at = f"{where} [{index}]"
        if isinstance(row, dict):
            row = [row.get("second", row.get("seconds")), row.get("score")]  # noqa: PLW2901 - one shape from here on
        if not isinstance(row, list) or len(row) != 2:
            raise DocumentError("not a second and a score", where=at, hint=_HINT)
        found.append((_number(row[0], at), _number(row[1], at)))
    return found


def _csv_pairs(text: str, where: str) -> list[tuple[float, float]]:
    import csv

    found: list[tuple[float, float]] = []
    try:
        for number, row in enumerate(csv.reader(text.splitlines()), start=1):
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) != 2:
                raise DocumentError("not two columns, second and score", where=f"{where} line {number}", hint=_HINT)
            if not found and cells[0].lower().startswith(("second", "time")):
                continue
            found.append((_number(cells[0], f"{where} line {number}"), _number(cells[1], f"{where} line {number}")))
    except csv.Error as error:
        raise DocumentError(f"not CSV: {error}", where=where, hint=_HINT) from None
    return found


def score_pictures(
    track: Track,
    score: Callable[[NDArray[np.uint8]], float],
    *,
    every_seconds: float = 1.0,
    long_side: int = 448,
) -> Scores:
    """Let a function of yours score a picture of the clip every so often.

    Args:
        track: what one decode measured; its file is read again.
        score: gets an RGB uint8 (height, width, 3) picture, returns a number, higher where the answer is more likely to be
            seen: the similarity of its embedding with the question's.
        every_seconds: distance of the pictures, over 0.
        long_side: pixels of the longer side of a picture, at most.

    Raises:
        InputError: the function returned no number.
        MediaError: the clip cannot be read.
    """
    from reelwise.video.stills import pictures

    if not every_seconds > 0 or track.seconds / every_seconds > _MOST:
        raise InputError("every_seconds is a positive number of seconds", hint="1.0 scores a picture each second")
    times = np.arange(0.0, track.seconds, every_seconds)
    found: list[tuple[float, float]] = []
    for start in range(0, len(times), 32):  # so many pictures in memory at once
        some = times[start : start + 32].tolist()
        for time, (_, picture) in zip(some, pictures(track.info.path, some, long_side=long_side), strict=True):
            value = score(picture)
            try:
                found.append((time, float(value)))
            except (TypeError, ValueError):
                raise InputError(f"the scoring function returned {value!r:.60}", hint="return a number") from None
    return scores_of(found, where="the scoring function")


def scores_outside(scores: Scores, length: float, *, where: str = "scores") -> int:
    """Count the scores of moments that a clip does not have.

    Args:
        scores: of moments, in seconds from the first frame.
        length: of the clip, in seconds.
        where: what an error calls these scores.

    Raises:
        InputError: all of them lie behind its end.
    """
    outside = int(np.count_nonzero(scores.seconds > length))
    if outside == len(scores.seconds):
        raise InputError(
            f"none of the scores lies in the clip: the first is of second {scores.seconds[0]:,.1f}, and the clip "
            f"ends at {length:,.1f}",
            where=where,
            hint="seconds from the clip's first frame, not milliseconds nor frame numbers",
        )
    return outside


def scores_at(track: Track, scores: Scores | Callable[[float], float]) -> Scores:
    """Return scores as they are, or ask a function from seconds to a score for each second of a clip.

    Raises:
        InputError: the function returned no finite number, or no score lies in the clip.
    """
    if not callable(scores):
        scores_outside(scores, track.seconds)
        return scores
    moments = np.arange(0.0, max(track.seconds, 1e-3), 1.0).tolist()
    return scores_of(((time, scores(time)) for time in moments), where="the scoring function")


def with_scores(track: Track, scores: Scores | Callable[[float], float]) -> Track:
    """Return the track with scores for each frame, so that a plan's stage can sample by question.

    Args:
        track: what one decode measured.
        scores: scores of moments, or a function from seconds to a score.
    """
    scores = scores_at(track, scores)
    column = np.interp(track.times, scores.seconds, scores.values).astype(np.float32)
    return replace(track, extra={**track.extra, _COLUMN: column})


def track_scores(track: Track) -> Scores | None:
    """Return the scores that `with_scores` put into a track, or into the clip that it is a part of."""
    column = track.extra.get(_COLUMN)
    if column is None or not track.frames:
        return None
    return Scores(seconds=track.times, values=column.astype(np.float64), step=track.interval())
