"""Count the tokens of one request, and say how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.tokens.llama import LlamaCross
from reelwise.tokens.models import rule_for
from reelwise.units import ceil

if TYPE_CHECKING:
    import datetime as dt

    from reelwise.tokens.rule import Rule

__all__ = ["Count", "count"]


class Count(Struct, frozen=True, kw_only=True):
    """The tokens of one request.

    Attributes:
        model: as asked.
        rule: the rule that counted.
        unit: "tokens", or "minute" where tokens are 0 because the bill is by the minute.
        tokens: all of it: frames or pictures, and sound.
        per_frame: tokens of one frame or picture.
        frames: frames that are sampled, or pictures.
        audio_tokens: the part of `tokens` that is sound.
        sent_as: "video" (a native part) or "pictures".
        detail: the detail level that counted; empty where the family has none.
        how: the rule in a line.
        source: who published or measured it.
        checked: the day that was read.
        notes: known conflicts and open questions.
    """

    model: str
    rule: str
    unit: str
    tokens: float
    per_frame: float
    frames: float
    audio_tokens: float
    sent_as: str
    detail: str
    how: str
    source: str
    checked: str
    notes: tuple[str, ...] = ()


def count(
    model: str,
    *,
    width: int,
    height: int,
    seconds: float | None = None,
    fps: float | None = None,
    detail: str = "",
    audio: bool = False,
    images: int = 1,
    day: dt.date | None = None,
) -> Count:
    """Count one request: `images` pictures, or `seconds` of video.

    Where the family takes native video, the video is one part; where it does not, `fps` is needed and the frames are sent
    as pictures.

    Args:
        model: model name, see `rule_for`.
        width: in pixels.
        height: in pixels.
        seconds: length of the video; None for pictures.
        fps: frames a second to sample; None for the family's own rate.
        detail: detail level; empty for the default.
        audio: whether the video's sound is sent too.
        images: pictures in the request, where no `seconds` are given.
        day: the day of the rule; None for today.

    Raises:
        UnknownModelError: no rule is known for the model.
        InputError: a size, level, rate or length that cannot be.
    """
    rule = rule_for(model, day)
    notes = list(rule.notes)
    sound = 0.0
    if seconds is None:
        _check_pictures(images, timed=fps is not None or audio)
        frames, each = float(images), float(rule.image(width, height, detail))
        tokens = frames * each
    else:
        frames, tokens = _video(rule, (width, height), seconds, fps, detail)
        each = tokens / frames if frames else 0.0
        sound = float(rule.audio(seconds)) if audio else 0.0
        if audio and not sound and rule.unit == "tokens":
            notes.append("Sound adds no tokens under this rule.")
    native = seconds is not None and rule.fps_default is not None
    if seconds is not None and not native:
        notes.append("The family takes no native video: the frames are sent as pictures.")
    if not native and rule.images_max is not None and frames > rule.images_max:
        notes.append(
            f"{frames:,.0f} pictures need {ceil(frames / rule.images_max):,.0f} requests of {rule.images_max}."
        )
    if isinstance(rule, LlamaCross):
        notes.append(f"A picture of this size is {rule.tiles(width, height)} tiles of 1,601 vision states.")
    return Count(
        model=model,
        rule=rule.name,
        unit=rule.unit,
        tokens=tokens + sound,
        per_frame=each,
        frames=frames,
        audio_tokens=sound,
        sent_as="video" if native else "pictures",
        detail=rule.level(detail),
        how=rule.formula,
        source=rule.source,
        checked=rule.checked,
        notes=tuple(notes),
    )


def _check_pictures(images: int, *, timed: bool) -> None:
    if timed:
        raise InputError("pictures have no frame rate and no sound", where="seconds", hint="give the seconds of video")
    if images < 1:
        raise InputError(f"{images} pictures", where="images", hint="give 1 or more")


def _video(rule: Rule, size: tuple[int, int], seconds: float, fps: float | None, detail: str) -> tuple[float, float]:
    """Count frames and their tokens, as a native part or as pictures."""
    if not 0 < seconds < float("inf"):
        raise InputError(f"{seconds:g} seconds of video", where="seconds", hint="give more than 0")
    if fps is not None and not 0 < fps < float("inf"):
        raise InputError(f"{fps:g} frames a second", where="fps", hint="give more than 0")
    if rule.fps_default is not None:
        frames = float(rule.frames(seconds, fps))
        return frames, float(rule.video(*size, seconds, frames, detail))
    if fps is None:
        raise InputError(
            f"{rule.name} takes no native video",
            where="fps",
            hint="give a frame rate: the frames are then counted as pictures",
        )
    frames = float(ceil(seconds * fps))
    return frames, frames * rule.image(*size, detail)
