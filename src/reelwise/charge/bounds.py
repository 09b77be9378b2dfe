"""From a call that is about to be made to the most that it can use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.charge.margins import FRAMING_TOKENS, FRAMING_WHY, picture_tokens, video_tokens
from reelwise.charge.outputs import SOURCE, output_most
from reelwise.charge.resolutions import generated
from reelwise.errors import InputError, UnknownModelError
from reelwise.requests import Request
from reelwise.tokens import rule as rule_named
from reelwise.tokens import rule_for

if TYPE_CHECKING:
    from reelwise.charge.ask import Ask
    from reelwise.charge.media import Media
    from reelwise.rates import Book
    from reelwise.tokens import Rule

__all__ = ["Bounds", "bounds_of"]


class Bounds(Struct, frozen=True, kw_only=True):
    """The most that one call can use.

    Attributes:
        request: every amount at its upper bound.
        why: by unit, how the bound came about.
        writes_cache: whether the call asks for its input to be written to a prompt cache; `writes_hour`: for an hour.
        notes: what a reader must know.
    """

    request: Request
    why: dict[str, str]
    writes_cache: bool = False
    writes_hour: bool = False
    notes: tuple[str, ...] = ()


def bounds_of(ask: Ask, book: Book) -> Bounds:
    """Bound what a call can use.

    Raises:
        UnknownModelError: no price, or no token rule for the pictures that are sent.
        UnpricedError: no sourced price.
        InputError: something that the bill depends on is neither said nor known.
    """
    ask.check()
    if book.is_language_model(ask.model):
        return _language(ask, book)
    return _card(ask, book)


def _language(ask: Ask, book: Book) -> Bounds:
    why: dict[str, str] = {}
    notes = list(ask.media.notes if ask.media else ())
    image, video, audio, frames = 0, 0, 0, 0.0
    if ask.media is not None or ask.stills:
        rule = rule_named(ask.token_rule) if ask.token_rule else rule_for(ask.model, book.day)
        detail = ask.detail
        image, pictures = _stills(ask, rule, why)
        frames += pictures
        if ask.media is not None:
            more, video, audio, count = _sent(ask, ask.media, rule, detail, why)
            image += more
            frames += count
        if image and rule.images_max is not None and frames > rule.images_max:
            notes.append(f"{rule.name} takes {rule.images_max} pictures a call")
    text = ask.tokens_text + ask.text_bytes
    why["tokens_text"] = "; ".join(
        part
        for part in (
            f"{ask.tokens_text:,} counted" if ask.tokens_text else "",
            f"{ask.text_bytes:,} bytes, a token each at most" if ask.text_bytes else "",
            FRAMING_WHY,
        )
        if part
    )
    output = _output(ask, book, why)
    request = Request(
        model=ask.model, count=1, mode=ask.mode, seconds=ask.media.seconds if ask.media else 0.0, images=frames,
        tokens_image=float(image), tokens_video=float(video), tokens_audio=float(audio),
        tokens_text=float(text + FRAMING_TOKENS), tokens_output=float(output), stage="hold",
    )  # fmt: skip
    return Bounds(
        request=request,
        why=why,
        writes_cache=ask.cache_write or ask.cache_hour,
        writes_hour=ask.cache_hour,
        notes=tuple(notes),
    )


def _stills(ask: Ask, rule: Rule, why: dict[str, str]) -> tuple[int, int]:
    if not ask.stills:
        return 0, 0
    found = [picture_tokens(rule, *size, ask.detail) for size in ask.stills]
    why["tokens_image"] = f"{len(found)} pictures; {found[0].why}"
    return sum(most.tokens for most in found), len(found)


def _sent(ask: Ask, media: Media, rule: Rule, detail: str, why: dict[str, str]) -> tuple[int, int, int, float]:
    """Bound image, video and audio tokens of a clip, and its frames."""
    if ask.part == "audio":
        return 0, 0, _sound(media, rule, why, must=True), 0.0
    native = ask.part == "video" or (ask.part == "auto" and rule.fps_default is not None and ask.pictures is None)
    if not all(ask.size):
        raise InputError("the size of its frames is not known", where="media", hint="give width and height in pixels")
    if not native:
        count, said = _pictures(ask, media)
        each = picture_tokens(rule, *ask.size, detail)
        before = f"{why['tokens_image']}; " if "tokens_image" in why else ""
        why["tokens_image"] = f"{before}{said}; {each.why}"
        return count * each.tokens, 0, 0, float(count)
    frames = float(rule.frames(media.picture_seconds, ask.fps))
    most = video_tokens(rule, ask.size, media.picture_seconds, frames, detail)
    why["tokens_video"] = most.why
    audio = _sound(media, rule, why) if ask.audio and media.has_audio else 0
    return 0, most.tokens, audio, frames


def _sound(media: Media, rule: Rule, why: dict[str, str], *, must: bool = False) -> int:
    seconds = math.ceil(media.sound_seconds or (media.seconds if must else 0.0))
    tokens = math.ceil(rule.audio(float(seconds)))
    if must and not tokens:
        raise InputError(f"{rule.name} has no published rate for sound", where="part", hint="use a speech model's card")
    why["tokens_audio"] = f"{rule.name}: {tokens:,} for {seconds:,} s of sound"
    return tokens


def _pictures(ask: Ask, media: Media) -> tuple[int, str]:
    """Bound the pictures cut from a clip."""
    if ask.pictures is not None:
        return ask.pictures, f"{ask.pictures:,} pictures"
    if ask.fps is None:
        raise InputError(
            "how many pictures are cut from the clip is not known",
            where="fps",
            hint="give `pictures`, or the frames a second that are cut",
        )
    count = math.floor(media.picture_seconds * ask.fps * (1 + 1e-9)) + 1
    return count, f"{count:,} pictures: {ask.fps:g} a second of {media.picture_seconds:g} s, both ends"


def _output(ask: Ask, book: Book, why: dict[str, str]) -> int:
    times = f" x {ask.answers} answers" if ask.answers > 1 else ""
    if ask.tokens_output is not None:
        why["tokens_output"] = f"the maximum the call sets{times}; reasoning counts as output"
        return ask.tokens_output * ask.answers
    most = output_most(ask.model)
    if most is not None:
        why["tokens_output"] = f"no maximum set: the model's own limit ({SOURCE}){times}"
        return most * ask.answers
    most = book.context_limit(ask.model)
    if most is None:
        raise InputError(
            "it sets no maximum of output tokens, and no limit of the model is known",
            where=ask.model,
            hint="set the maximum in the call and give it as tokens_output",
        )
    why["tokens_output"] = f"no maximum set, no limit known: the model's whole context{times}"
    return most * ask.answers


def _card(ask: Ask, book: Book) -> Bounds:
    media = ask.media
    why: dict[str, str] = {}
    sku, resolution = generated(ask, book) if ask.seconds_generated else (ask.model, ask.resolution)
    rates = book.card_rates(sku, ask.mode, resolution)
    units = {rate.unit for rate in rates}
    kind = _kind(sku, book)
    seconds = 0.0
    if media is not None:
        heard = ask.part == "audio" or kind == "speech"
        seconds = _whole((media.sound_seconds or media.seconds) if heard else media.seconds)
    images = float(len(ask.stills))
    if units & {"image", "block"} and media is not None:
        images += _card_pictures(ask, media, why)
    made = _whole(ask.seconds_generated) * ask.answers
    output = 0
    if "tokens_output" in units:
        if ask.tokens_output is None:
            raise InputError(
                "it bills output tokens, and the call sets no maximum",
                where=sku,
                hint="set the maximum in the call and give it as tokens_output",
            )
        output = _output(ask, book, why)
    for unit in units & {"second", "minute", "hour"}:
        length = made if kind == "video_generation" else seconds
        said = f"{made:g} s to generate" if kind == "video_generation" else f"{seconds:g} s sent, whole seconds"
        why[unit] = said + (f" at {resolution}" if resolution else "")
        if length <= 0:
            field = "seconds_generated" if kind == "video_generation" else "media"
            raise InputError(f"it is billed by the {unit}, and no length is given", where=sku, hint=f"give {field}")
    request = Request(
        model=sku, count=1, mode=ask.mode, seconds=seconds, images=images, tokens_output=float(output),
        seconds_output=made, megabytes=ask.megabytes, resolution=resolution, stage="hold",
    )  # fmt: skip
    return Bounds(request=request, why=why, notes=media.notes if media else ())


def _whole(seconds: float) -> float:
    """Round up to whole seconds: services that bill by time count these, or nearer ones."""
    return float(math.ceil(seconds * (1 - 1e-9)))


def _kind(sku: str, book: Book) -> str:
    try:
        return book.entry(sku).kind
    except UnknownModelError:  # a private price for something that no card lists
        return "vision"


def _card_pictures(ask: Ask, media: Media, why: dict[str, str]) -> int:
    """Bound the pictures that a card bills: those cut from the clip, else each of its frames."""
    if ask.pictures is not None or ask.fps is not None:
        count, said = _pictures(ask, media)
    else:
        count, said = media.frames_most, f"each of the clip's {media.frames_most:,} frames"
        if not count:
            raise InputError("how many frames the clip has is not known", where="media", hint="give fps or frames")
    why["image"] = why["block"] = said
    return count
