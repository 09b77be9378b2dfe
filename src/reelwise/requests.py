"""What is billed: one class of calls, and the quantities it is billed by."""

from __future__ import annotations

from msgspec import Struct

from reelwise.units import Num

__all__ = ["Request", "Usage"]


class Request(Struct, frozen=True, kw_only=True):
    """`count` identical calls to one billable endpoint a month.

    Every amount but `count` is of ONE call. Amounts are floats, or arrays with classes of items on the last axis
    and draws or plan variants on the first.

    Attributes:
        model: a language model ("gemini-2.5-pro") or the id of a rate card ("aws/rekognition/labels").
        mode: standard, batch, flex or priority.
        count: calls a month.
        seconds: seconds of video or audio the call covers.
        images: frames or pictures in the call.
        tokens_image: billable tokens of still pictures; likewise video, audio, text (fresh), cached (read from a
            prompt cache), cache_write, cache_write_1h (kept for an hour) and output.
        tokens_audio_cached: the part of tokens_cached that is audio, where a model bills it apart.
        seconds_output: generated seconds.
        megabytes: bytes sent, in units of 10^6.
        resolution: for prices that depend on it ("720p"); empty otherwise.
        lane: the lane the items were in.
        source_class: the class of items (a user class, a kind of footage).
        stage: the stage that issued it.
        basis: evidence mask.
        basis_text: what the split of the text into fresh, cached and written tokens rests on besides.
    """

    model: str
    count: Num
    mode: str = "standard"
    seconds: Num = 0.0
    images: Num = 0.0
    tokens_image: Num = 0.0
    tokens_video: Num = 0.0
    tokens_audio: Num = 0.0
    tokens_text: Num = 0.0
    tokens_cached: Num = 0.0
    tokens_audio_cached: Num = 0.0
    tokens_cache_write: Num = 0.0
    tokens_cache_write_1h: Num = 0.0
    tokens_output: Num = 0.0
    seconds_output: Num = 0.0
    megabytes: Num = 0.0
    resolution: str = ""
    lane: str = ""
    source_class: str = ""
    stage: str = "call"
    basis: int = 0
    basis_text: int = 0


class Usage(Struct, frozen=True, kw_only=True):
    """A quantity of one billable unit in a month.

    Attributes:
        sku: what is billed: a model, or the id of a rate card.
        unit: tokens_text, image, minute, hour, gb_month, ...
        quantity: units a month, after the rules that round or raise each call.
        lane, source_class, stage: where it comes from.
        basis: evidence mask.
    """

    sku: str
    unit: str
    quantity: Num
    lane: str = ""
    source_class: str = ""
    stage: str = "call"
    basis: int = 0
