"""From a piece of footage to what a call sends: pictures, contact sheets, a clip that is cut to what is left, sound."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.charge import media_of
from reelwise.charge.media import Media
from reelwise.errors import InputError
from reelwise.models.work import Clip, Part, Picture, Sound, Source, source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.flow import Out, Piece
    from reelwise.stages import Call
    from reelwise.tokens import TokenRule
    from reelwise.video.cutter import Cut

__all__ = ["Shown", "at_source", "by_rule", "shown"]

_PICTURES_MAX = 3_000
_SPLIT_MAX = 1_000
_SENT_AS_IT_IS = {".mp4", ".mov", ".webm", ".m4v"}
_LONGEST_SIDE = 16_384
_WHOLE = (0.0, 0.0, 1.0, 1.0)
_NEAR = 1e-3
_HEAD = 0.5  # a clip that was decoded to its end may say that it is a little longer
Spans = tuple[tuple[float, float], ...]


class Shown(Struct, frozen=True, kw_only=True):
    """What one call shows.

    Attributes:
        parts: for the endpoint.
        stills: sizes of pictures, for the hold.
        media: the clip or sound, for the hold; None for pictures.
        fps: the rate that a clip is looked at; None is the model's own.
        audio_only: only sound is sent.
        spans: which seconds of the source it shows.
        frames: pictures, or frames of a clip that holds chosen ones.
        times: of each picture, in seconds of the source.
    """

    parts: tuple[Part, ...]
    stills: tuple[tuple[int, int], ...] = ()
    media: Media | None = None
    fps: float | None = None
    audio_only: bool = False
    spans: Spans = ()
    frames: int = 0
    times: tuple[float, ...] = ()

    def tokens_of(self, call: Call, out: Out) -> int:
        """Count the tokens of its pictures, for answers that do not tell these from text; 0 where no token rule does."""
        if not by_rule(call, out):
            return 0
        rule = call.rule(out)
        detail = call.detail if rule.details else ""
        return sum(rule.image(width, height, detail) for width, height in self.stills)


def by_rule(call: Call, out: Out) -> bool:
    """Say whether a call's model has a token rule: a language model has one, a host and a card have none."""
    return call.host is None and out.book.is_language_model(call.model)


def shown(call: Call, piece: Piece, out: Out, folder: Path, sends: str = "") -> Iterator[Shown]:
    """Make what each call about a piece shows, one after another: an item that is split has several.

    Args:
        call: the stage.
        piece: what is left of the clip.
        out: prices and the day of token rules.
        folder: for files that are made; they are needed until the call is over.
        sends: images, video or audio; empty where the model's token rule and the item decide.

    Raises:
        MediaError: the clip cannot be read.
        InputError: more pictures than any call takes.
    """
    split, _ = call.calls_of(piece.item, out)
    if split > _SPLIT_MAX:
        raise InputError(f"{split:,} calls about one item", where=piece.track.info.path, hint="sample fewer frames")
    if sends == "audio" or call.part == "audio":
        for number, spans in enumerate(_cut_spans(piece.heard or piece.stretches, split)):
            yield _sound(piece, spans, folder, number)
        return
    if not by_rule(call, out):
        if sends == "video":  # whole: who bills by the minute looks at each frame of it, whatever was sampled
            for number, spans in enumerate(_cut_spans(piece.stretches, split)):
                yield _clip(piece, spans, "", folder, number)
        else:
            yield from _pictures(piece, split, call.detail)
        return
    rule = call.rule(out)
    detail = call.detail if rule.details else ""
    if call.native(piece.item, rule):
        yield from _clips(piece, rule, split, detail, folder)
    else:
        yield from _pictures(piece, split, detail)


def _times(piece: Piece) -> list[float]:
    """Return the moments of the frames that are in play."""
    from reelwise import video

    track = piece.track
    if piece.frames is not None:
        return [float(track.times[int(i)]) for i in piece.frames]
    found = [float(t) for first, last in video.frames_in(track, piece.stretches) for t in track.times[first:last]]
    if len(found) > _PICTURES_MAX:
        raise InputError(
            f"{len(found):,} pictures, each frame of it", where=track.info.path,
            hint="add a stage `sample`: {stage: sample, fps: 1}",
        )  # fmt: skip
    return found


def _groups(count: int, parts: int) -> list[tuple[int, int]]:
    """Split a row of things into parts that differ by one at most; parts without any are left out."""
    edges = [round(count * number / parts) for number in range(parts + 1)]
    return [(a, b) for a, b in itertools.pairwise(edges) if b > a]


def _cut_spans(spans: Spans, parts: int) -> list[Spans]:
    """Split stretches into parts of equal length."""
    if parts <= 1:
        return [spans]
    total = sum(stop - start for start, stop in spans)
    found: list[Spans] = []
    for number in range(parts):
        low, high, before = total * number / parts, total * (number + 1) / parts, 0.0
        part = []
        for start, stop in spans:
            a, b = max(start, start + low - before), min(stop, start + high - before)
            if b > a:
                part.append((a, b))
            before += stop - start
        if part:
            found.append(tuple(part))
    return found


def _pictures(piece: Piece, split: int, detail: str) -> Iterator[Shown]:
    """Cut pictures out, or lay them on sheets; the pictures of one call are in memory together, as JPEG."""
    from reelwise.video.cutter import Cut, framed, picture_jpeg, stills_at

    times, item = _times(piece), piece.item
    cut = Cut(box=piece.box, width=item.width_px, height=item.height_px)
    columns, rows = piece.sheet or (1, 1)
    cells = columns * rows
    sheets = -(-len(times) // cells)
    offset = piece.track.start_seconds
    path = piece.track.info.path
    for first, last in _groups(sheets, split):
        mine = times[first * cells : last * cells]
        jpegs: list[bytes] = []
        held: list[Any] = []
        for rgb in stills_at(path, [offset + t for t in mine], _LONGEST_SIDE):
            if cells == 1:
                jpegs.append(picture_jpeg(framed(rgb, cut)))
                continue
            height, width = rgb.shape[:2]
            held.append(framed(rgb, Cut(box=piece.box, width=width, height=height)) if piece.box != _WHOLE else rgb)
            if len(held) == cells:
                jpegs.append(_sheet(held, (columns, rows), cut))
                held = []
        if held:
            jpegs.append(_sheet(held, (columns, rows), cut))
        parts = tuple(Picture(source=Source(data=data, mime="image/jpeg"), detail=detail) for data in jpegs)
        span = ((mine[0], mine[-1]),) if mine else ()
        yield Shown(
            parts=parts, stills=((item.width_px, item.height_px),) * len(parts), spans=span, frames=len(parts),
            times=tuple(mine[::cells]),
        )  # fmt: skip


def _sheet(frames: Sequence[Any], grid: tuple[int, int], cut: Cut) -> bytes:
    from reelwise.video.cutter import picture_jpeg, sheet_of

    return picture_jpeg(sheet_of(frames, columns=grid[0], rows=grid[1], width=cut.width, height=cut.height))


def _clips(piece: Piece, rule: TokenRule, split: int, detail: str, folder: Path) -> Iterator[Shown]:
    """Send it as a clip: as it lies there, cut to what is left, or chosen frames in a row."""
    if piece.frames is not None:
        yield from _slides(piece, rule, split, detail, folder)
        return
    for number, spans in enumerate(_cut_spans(piece.stretches, split)):
        yield _clip(piece, spans, detail, folder, number)


def _sends_sound(piece: Piece) -> bool:
    return piece.track.info.has_audio and float(piece.item.audio_seconds) > 0


def _clip(piece: Piece, spans: Spans, detail: str, folder: Path, number: int) -> Shown:
    from reelwise.video.cutter import Cut, cut_clip

    info, item = piece.track.info, piece.item
    sound, apart = _sends_sound(piece), piece.heard is not None
    path = Path(info.path)
    as_it_is = (
        path.suffix.lower() in _SENT_AS_IT_IS
        and sound == info.has_audio
        and not apart
        and piece.box == _WHOLE
        and (item.width_px, item.height_px) == (info.width, info.height)
        and not piece.track.start_seconds
        and path.stat().st_size == info.bytes  # a part of a clip says less
        and len(spans) == 1
        and spans[0][0] <= _NEAR
        and abs(spans[0][1] - piece.track.seconds) <= _NEAR
        and info.seconds <= piece.track.seconds + _HEAD
    )
    if not as_it_is:
        path = folder / f"cut-{number}.mp4"
        cut = Cut(box=piece.box, width=item.width_px, height=item.height_px)
        cut_clip(info.path, path, stretches=_at(piece, spans), cut=cut, sound=sound and not apart)
    media = media_of(path)
    parts: tuple[Part, ...] = (Clip(source=source(path), detail=detail),)
    if sound and apart:
        extra = _sound(piece, _inside(piece.heard or (), spans), folder, number)
        parts, media = (*parts, *extra.parts), _with_sound(media, extra.media)
    return Shown(parts=parts, media=media, spans=spans)


def _slides(piece: Piece, rule: TokenRule, split: int, detail: str, folder: Path) -> Iterator[Shown]:
    from reelwise.video.cutter import Cut, slides

    times, item = _times(piece), piece.item
    cut = Cut(box=piece.box, width=item.width_px, height=item.height_px)
    fps = max(1, round(rule.fps_default or 1.0))
    groups = _groups(len(times), split)
    spans_of = _cut_spans(piece.heard or piece.stretches, len(groups))
    for number, (first, last) in enumerate(groups):
        mine = times[first:last]
        path = folder / f"frames-{number}.mp4"
        slides(piece.track.info.path, path, times=[piece.track.start_seconds + t for t in mine], cut=cut, fps=fps)
        media = media_of(path)
        parts: tuple[Part, ...] = (Clip(source=source(path), detail=detail),)
        if _sends_sound(piece) and number < len(spans_of):
            extra = _sound(piece, spans_of[number], folder, number)
            parts, media = (*parts, *extra.parts), _with_sound(media, extra.media)
        yield Shown(parts=parts, media=media, spans=((mine[0], mine[-1]),), frames=len(mine))


def _sound(piece: Piece, spans: Spans, folder: Path, number: int) -> Shown:
    from reelwise.video.cutter import cut_sound

    if not piece.track.info.has_audio:
        raise InputError("has no sound", where=piece.track.info.path, hint="send pictures, or leave this clip out")
    path = folder / f"sound-{number}.wav"
    seconds = cut_sound(piece.track.info.path, path, _at(piece, spans))
    if seconds <= 0:
        return Shown(parts=(), media=None, audio_only=True, spans=spans)
    media = Media(seconds=seconds, has_audio=True, seconds_sound=seconds, bytes=path.stat().st_size)
    return Shown(parts=(Sound(source=source(path)),), media=media, audio_only=True, spans=spans)


def _with_sound(clip: Media, sound: Media | None) -> Media:
    """Describe a clip and a sound beside it as one, for the hold."""
    from msgspec.structs import replace

    if sound is None:
        return clip
    picture = clip.picture_seconds
    return replace(
        clip, seconds=max(clip.seconds, sound.seconds), seconds_picture=picture, has_audio=True,
        seconds_sound=sound.sound_seconds,
    )  # fmt: skip


def _at(piece: Piece, spans: Spans) -> Spans:
    """Move stretches of a part to where they are in its file."""
    offset = piece.track.start_seconds
    return tuple((start + offset, stop + offset) for start, stop in spans)


def at_source(spans: Spans, seconds: float) -> float:
    """Say which moment of the source a moment of the joined stretches is; beyond their end it is the end."""
    before = 0.0
    for start, stop in spans:
        if seconds <= before + (stop - start):
            return start + max(0.0, seconds - before)
        before += stop - start
    return spans[-1][1] if spans else seconds


def _inside(heard: Spans, spans: Spans) -> Spans:
    both = ((max(a, c), min(b, d)) for a, b in heard for c, d in spans)
    return tuple(sorted((start, stop) for start, stop in both if stop > start))
