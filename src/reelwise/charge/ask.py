"""A call that is about to be made: what is known of it before."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from reelwise.charge.media import Media
from reelwise.errors import InputError

__all__ = ["Ask"]


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call, described before it is made. What is left out is taken at the most it can be, or is an error.

    Attributes:
        model: a language model ("gemini-2.5-pro") or the id of a rate card ("google/veo-3.1").
        mode: standard, batch, flex, priority or fast.
        media: the clip or sound that is sent, see `media_of`.
        part: how the clip is sent: as native video where the model takes it and as pictures elsewhere (auto), or one of
            these, or its sound alone.
        fps: frames a second that are sampled; None is the model's own rate, or each frame where it has none.
        pictures: pictures cut from the clip, where their number is known; a card's images likewise.
        width: of the frames as they are sent, where they were scaled; 0 is the clip's own. height likewise.
        stills: further pictures as (width, height).
        audio: whether the clip's sound is sent with native video.
        detail: the model's media resolution or image detail; empty is its default.
        token_rule: a token rule by name, in place of the model's own.
        tokens_text: tokens of prompt text, counted by the model's tokenizer.
        text_bytes: bytes of prompt text (UTF-8) that were not counted: a token is a byte at least.
        tokens_output: the maximum of output tokens that the call sets; None is the model's own limit.
        answers: answers or generated clips asked for (n, candidate count).
        cache_write: the call asks for its input to be kept in a prompt cache; `cache_hour`: for an hour.
        seconds_generated: seconds of video to generate.
        resolution: of generated video: "720p", "1080p", "4k" or "1792x1024".
        megabytes: bytes sent, in units of 10^6, where the traffic is billed.
    """

    model: str
    mode: str = "standard"
    media: Media | None = None
    part: Literal["auto", "video", "images", "audio"] = "auto"
    fps: float | None = None
    pictures: int | None = None
    width: int = 0
    height: int = 0
    stills: tuple[tuple[int, int], ...] = ()
    audio: bool = True
    detail: str = ""
    token_rule: str = ""
    tokens_text: int = 0
    text_bytes: int = 0
    tokens_output: int | None = None
    answers: int = 1
    cache_write: bool = False
    cache_hour: bool = False
    seconds_generated: float = 0.0
    resolution: str = ""
    megabytes: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames as they are sent; (0, 0) without a picture."""
        media = self.media
        return (
            self.width or (media.width if media else 0),
            self.height or (media.height if media else 0),
        )

    def check(self) -> None:
        """Refuse what cannot be: negative, infinite, none.

        Raises:
            InputError: says which field.
        """
        if self.media is not None:
            self.media.check()
        for name in ("tokens_text", "text_bytes", "seconds_generated", "megabytes", "width", "height"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise InputError(f"{name} is {value}", where=name, hint="give 0 or more")
        for name in ("fps", "pictures"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} is {value}", where=name, hint="give more than 0, or leave it out")
        if self.tokens_output is not None and self.tokens_output < 0:
            raise InputError(f"tokens_output is {self.tokens_output}", where="tokens_output", hint="give 0 or more")
        if not 1 <= self.answers <= 1000:
            raise InputError(f"{self.answers} answers", where="answers", hint="give 1 to 1000")
