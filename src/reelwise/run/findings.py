"""What a model found, put where it belongs in the clip: labels and boxes by picture, stretches by time, words, masks in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.errors import OutputError
from reelwise.run.outcome import Found
from reelwise.run.rendering import at_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reelwise.models.answer import Answer
    from reelwise.run.rendering import Shown

__all__ = ["found_in", "keep_masks", "made_folder"]

_MOST = 10_000
_SURE = 0.5  # from here on a place is foreground: what networks are trained to


def found_in(answer: Answer, shown: Shown | None) -> tuple[Found, ...]:
    """List what an answer found, with times of the source.

    Args:
        answer: of a call.
        shown: what the call showed; None where nothing was.

    At most the first ten thousand things are kept.
    """
    found = [one for one, _ in zip(_each(answer, shown), range(_MOST), strict=False)]
    return tuple(found)


def _each(answer: Answer, shown: Shown | None) -> Iterator[Found]:
    boxed = {(one.part, one.label) for one in answer.boxes}
    for score in answer.scores:
        if answer.stretches or (score.part, score.label) in boxed:
            continue  # it is said with its time or its place
        yield Found(label=score.label, confidence=score.confidence, **_moment(shown, score.part))
    for box in answer.boxes:
        place = (box.left, box.top, box.right, box.bottom)
        yield Found(label=box.label, confidence=box.confidence, box=place, **_moment(shown, box.part))
    for stretch in answer.stretches:
        yield Found(label=stretch.label, confidence=stretch.confidence, **_span(shown, stretch))
    for word in answer.words:
        yield Found(text=word.text, **_span(shown, word))
    for at, text in enumerate(answer.texts):
        if text:
            yield Found(text=text, **_moment(shown, at))
    for at, mask in enumerate(answer.masks):
        yield Found(label="foreground", share=round(float((mask >= _SURE).mean()), 4), **_moment(shown, at))


def _moment(shown: Shown | None, part: int) -> dict[str, Any]:
    if shown is None or part >= len(shown.times):
        return {}
    at = round(shown.times[part], 3)
    return {"start_seconds": at, "stop_seconds": at}


def _span(shown: Shown | None, one: Any) -> dict[str, Any]:
    times = (one.start_seconds, one.stop_seconds)
    spans = shown.spans if shown is not None else ()
    start, stop = (round(at_source(spans, at) if spans else at, 3) for at in times)
    return {"start_seconds": start, "stop_seconds": stop}


def made_folder(folder: Path) -> None:
    """Make a folder where it is missing.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot write: {error.strerror or error}", where=str(folder), hint="another --out, or move what is there"
        ) from None


def keep_masks(found: tuple[Found, ...], masks: tuple[Any, ...], folder: Path, name: str) -> tuple[Found, ...]:
    """Write each mask as a grey PNG, 0 to 255, and name it in what was found.

    Raises:
        OutputError: the folder cannot be written to.
        MissingExtraError: OpenCV is not installed.
    """
    if not masks:
        return found
    import cv2
    import numpy as np

    kept, at = [], 0
    made_folder(folder)
    for one in found:
        if one.share is None:
            kept.append(one)
            continue
        path = folder / f"{name}-{at:04d}.png"
        _, data = cv2.imencode(".png", np.clip(np.rint(masks[at] * 255), 0, 255).astype(np.uint8))
        try:
            path.write_bytes(bytes(data))
        except OSError as error:
            raise OutputError(
                f"cannot write: {error.strerror or error}", where=str(path), hint="another --out"
            ) from None
        kept.append(msgspec.structs.replace(one, file=str(path)))
        at += 1
    return tuple(kept)
