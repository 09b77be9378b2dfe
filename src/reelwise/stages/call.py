"""Call a model: the stage that is billed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from reelwise.errors import DocumentError
from reelwise.requests import Request, Usage
from reelwise.stages.base import Stage, class_of
from reelwise.stages.prefixes import kept_an_hour, prefix_min
from reelwise.tokens import rule as rule_named
from reelwise.tokens import rule_for
from reelwise.units import ceil, maximum, minimum, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece
    from reelwise.tokens import TokenRule
    from reelwise.units import Num

__all__ = ["PICTURES_A_REQUEST", "Call", "made_seconds"]

PICTURES_A_REQUEST = 16
"""Pictures in one request to Cloud Vision (cloud.google.com/vision/product-search/quotas, read 2026-11-28)."""
_BY_PICTURE = "google/vision/"

_LENGTHS = (("openai/sora-2", (4.0, 8.0, 12.0)), ("google/veo-3", (4.0, 6.0, 8.0)))
"""Seconds that generated videos come in: openai 2.x, types.VideoSeconds; docs of resellers of Veo 3.1, which agree (docs.gmicloud.ai,
docs.jiekou.ai, docs.modellix.ai, read 2026-11-28)."""


def made_seconds(model: str, seconds: Num) -> Num:
    """Round a length up to one that the model makes; beyond the longest it is left as it is, and takes several videos."""
    lengths = next((found for start, found in _LENGTHS if model.startswith(start)), ())
    for longest in reversed(lengths):
        shorter = [one for one in lengths if one < longest]
        least = shorter[-1] if shorter else 0.0
        seconds = where((seconds > least) & (seconds <= longest), longest, seconds)
    return seconds


class Call(Stage, frozen=True, kw_only=True):
    """One billable call for each item, or more where it is split.

    Attributes:
        model: a language model, the id of a rate card, or empty with `host`.
        task: what it does where that is not what `ask` says: its own question alone, and none of those under `ask`. A label detector finds
            (detect), Whisper writes down (transcribe), a network separates (segment), beside a model that is asked.
        mode: how it is billed: standard, batch (within 24 h), flex, priority.
        detail: the model's media resolution or image detail; empty is its default.
        part: native video where the model takes it and pictures elsewhere (auto), or one of them, sound alone, or a
            video to generate.
        cache: none, the prompt's prefix, or explicit: prefix and video are kept and read for each question.
        cache_hours: how long; null is the vendor's own time: an hour for an explicit cache (a day in a batch, which may take one),
            five minutes for a prefix. Anthropic keeps a prefix for an hour at most, at a dearer write.
        chunk: split a long item into calls: none, below_cliff (of the model's long-context price), or seconds a call.
        ask: each question in its own call, or all at once.
        pictures_a_call: pictures in one call at most; null is the model's own limit.
        resolution: of generated video, where the price depends on it.
        token_rule: a token rule by name, in place of the model's own.
        host: name of a host of the plan that serves it, in place of an API.
    """

    model: str = ""
    task: Literal["", "describe", "detect", "segment", "transcribe"] = ""
    mode: Literal["standard", "batch", "flex", "priority"] = "standard"
    detail: str = ""
    part: Literal["auto", "video", "images", "audio", "generate"] = "auto"
    cache: Literal["none", "prefix", "explicit"] = "none"
    cache_hours: Annotated[float, Meta(gt=0, le=8760)] | None = None
    chunk: Literal["none", "below_cliff"] | Annotated[float, Meta(gt=0, le=1e6)] = "none"
    ask: Literal["each", "once"] = "each"
    pictures_a_call: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    resolution: str = ""
    token_rule: str | None = None
    host: str | None = None

    slot: ClassVar[int] = 11

    def check(self, where: str) -> None:
        """Refuse a call to nothing, or to two things."""
        if bool(self.model) == bool(self.host):
            raise DocumentError(
                "a call needs a model or a host, and not both", where=where, hint="set `model`, or `host`"
            )

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Add the requests of one class of items."""
        if self.part == "audio" and not item.has_sound:  # no such call is made about it
            return (item,)
        asked = replace(item, questions=1.0) if self.task else item
        if self.host is not None:
            split = self.parts_of(item)
            self._add(
                item, out, model=self.serves, count=item.count * split, images=item.frames / split,
                seconds=item.seconds / split,
            )  # fmt: skip
        elif out.book.is_language_model(self.model):
            self._ask(asked, facts, out)
        else:
            self._card(asked, out)
        return (item,)

    @property
    def serves(self) -> str:
        """The model's name; a host's as `host:NAME`."""
        return self.model if self.host is None else f"host:{self.host}"

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Call the model for real where there is a runner; else count what would be sent."""
        if out.runner is None:
            yield from super().process(pieces, facts, out)
        else:
            yield from out.runner.call(self, pieces, out)

    def unrun(self) -> str:
        """Say why it cannot be called here; empty where it can."""
        return ""

    @property
    def kept_hours(self) -> float:
        """Hours that an explicit cache is kept: as it says, or the vendor's own; a batch may take a day until it reads it."""
        return self.cache_hours or (24.0 if self.mode == "batch" else 1.0)

    def _add(self, item: Item, out: Out, *, model: str, count: Num, mode: str = "", **amounts: Any) -> None:
        out.requests.append(
            Request(
                model=model,
                count=count,
                mode=mode or self.mode,
                resolution=self.resolution,
                lane=item.lane,
                source_class=item.source_class,
                basis=item.basis,
                **amounts,
            )
        )

    def _card(self, item: Item, out: Out) -> None:
        """A call billed by the minute, picture, block or generated second."""
        count = item.count if self.ask == "once" else item.count * item.questions
        seconds = item.audio_seconds if self.part == "audio" else item.seconds
        generated = made_seconds(self.model, item.seconds) if self.part == "generate" else 0.0
        output = item.tokens_output * (item.questions if self.ask == "once" else 1.0)
        split = self.parts_of(item) if self.part != "generate" else 1.0
        self._add(
            item, out, model=self.model, count=count * split, seconds=seconds / split, images=item.frames / split,
            seconds_output=generated, tokens_output=output, megabytes=item.megabytes / split,
        )  # fmt: skip

    def parts_of(self, item: Item) -> Num:
        """Say into how many calls an item is split that no token rule counts: each is a call, so minimums and blocks act on each."""
        split: Num = 1.0
        if not isinstance(self.chunk, str):
            split = maximum(ceil((item.audio_seconds if self.part == "audio" else item.seconds) / self.chunk), 1.0)
        limit = self.pictures_a_call or (PICTURES_A_REQUEST if self.model.startswith(_BY_PICTURE) else None)
        if limit is not None and self.part != "audio":
            split = maximum(split, ceil(item.frames / limit))
        return split

    def rule(self, out: Out) -> TokenRule:
        """Return the token rule this call is counted by."""
        return rule_named(self.token_rule) if self.token_rule is not None else rule_for(self.model, out.day)

    def native(self, item: Item, rule: TokenRule) -> bool:
        """Say whether an item is sent as a video, not as pictures."""
        return self.part == "video" or (self.part == "auto" and rule.fps_default is not None and not _packed(item))

    def calls_of(self, item: Item, out: Out) -> tuple[int, float]:
        """Say into how many calls one real item is split, and how many tokens of media it has."""
        if self.part == "generate":
            return 1, 0.0
        if self.host is not None or not out.book.is_language_model(self.model):
            return int(self.parts_of(item)), 0.0
        rule = self.rule(out)
        image, video, audio, pictures = self._media(item, rule)
        text = item.tokens_prefix + item.tokens_prompt * (item.questions if self.ask == "once" else 1.0)
        media = image + video + audio
        return int(self._split(item, out, rule=rule, media=media, pictures=pictures, text=text)), float(media)

    def _media(self, item: Item, rule: TokenRule) -> tuple[Num, Num, Num, Num]:
        """Count image, video and audio tokens of the whole item, and the pictures in it."""
        if self.part == "audio":
            return 0.0, 0.0, rule.audio(item.audio_seconds), 0.0
        detail = (
            self.detail if rule.details else ""
        )  # asked of a model that has levels, where this one stands in for it
        if not self.native(item, rule):
            return item.frames * rule.image(item.width_px, item.height_px, detail), 0.0, 0.0, item.frames
        frames = item.frames
        if not item.sampled:
            frames = minimum(frames, ceil(item.seconds * (rule.fps_default or 1.0)))
        video = rule.video(item.width_px, item.height_px, item.seconds, frames, detail)
        return 0.0, video, rule.audio(item.audio_seconds), frames

    def _split(self, item: Item, out: Out, *, rule: TokenRule, media: Num, pictures: Num, text: Num) -> Num:
        """Say into how many calls one item is split."""
        calls: Num = 1.0
        if self.chunk == "below_cliff":
            limit = out.book.cliff(self.model, self.mode)
            if limit is not None:
                calls = maximum(ceil(media / maximum(limit - text, 1.0)), 1.0)
        elif self.chunk != "none":
            calls = maximum(ceil(item.seconds / self.chunk), 1.0)
        if self.part == "images" or (self.part == "auto" and (rule.fps_default is None or _packed(item))):
            limit = self.pictures_a_call or rule.images_max
            if limit is not None:
                calls = maximum(calls, ceil(pictures / limit))
            calls = minimum(calls, maximum(pictures, 1.0))  # each call shows a picture at least
        return calls

    def _told(self, item: Item, facts: Facts) -> Item:
        """Put what answers of this model were measured to be in place of what the workload takes them to be."""
        changes: dict[str, Any] = {}
        basis = item.basis
        if facts.known("call.tokens_output", item.footage):
            tokens, bit = facts.get("call.tokens_output", stage=(self.model,), source_class=item.footage)
            changes["tokens_output"] = minimum(tokens, item.tokens_output_most)
            basis |= bit
        if facts.known("call.text_factor", item.footage):
            factor, bit = facts.get("call.text_factor", stage=(self.model,), source_class=item.footage)
            changes |= {"tokens_prefix": item.tokens_prefix * factor, "tokens_prompt": item.tokens_prompt * factor}
            basis |= bit
        return replace(item, basis=basis, **changes) if changes else item

    def _ask(self, item: Item, facts: Facts, out: Out) -> None:
        item = self._told(item, facts)
        rule = self.rule(out)
        image, video, audio, pictures = self._media(item, rule)
        once = self.ask == "once"
        questions = item.questions
        question = item.tokens_prompt * (questions if once else 1.0)
        output = item.tokens_output * (questions if once else 1.0)
        calls: Num = 1.0 if once else questions
        prefix = item.tokens_prefix
        split = self._split(
            item, out, rule=rule, media=image + video + audio, pictures=pictures, text=prefix + question
        )
        image, video, audio = image / split, video / split, audio / split
        each: dict[str, Any] = {
            "seconds": item.seconds / split,
            "images": pictures / split,
            "megabytes": item.megabytes / split,
        }
        if self.cache == "explicit":
            kept = image + video + audio + prefix
            # filling is a call of its own, at the standard price, whatever the mode of those that read it
            self._add(item, out, model=self.model, count=item.count * split, mode="standard", tokens_image=image,
                      tokens_video=video, tokens_audio=audio, tokens_text=prefix, **each)  # fmt: skip
            out.usages.append(
                Usage(sku=f"{self.model}/cache-storage", unit="token_hour", quantity=item.count * split * kept * self.kept_hours,
                      lane=item.lane, source_class=item.source_class, basis=item.basis)
            )  # fmt: skip
            self._add(item, out, model=self.model, count=item.count * calls * split, tokens_text=question, tokens_cached=kept,
                      tokens_output=output)  # fmt: skip
            return
        cached: Num = 0.0
        write: Num = 0.0
        written = "tokens_cache_write"
        fresh = prefix + question
        bit = 0
        if self.cache == "prefix":
            hits, bit = facts.get(
                "cache.prefix_hit_share", source_class=class_of(item, facts, "cache.prefix_hit_share")
            )
            long_enough = prefix >= prefix_min(self.model)
            cached = where(long_enough, prefix * hits, 0.0)
            own = out.book.language(self.model).own
            if kept_an_hour(self.cache_hours) and "tokens_cache_write_1h" in own:
                written = "tokens_cache_write_1h"
            write = where(long_enough, prefix * (1 - hits), 0.0) if written in own else 0.0
            fresh = fresh - cached - write
        each[written] = write
        self._add(
            item, out, model=self.model, count=item.count * calls * split, basis_text=bit, tokens_image=image, tokens_video=video,
            tokens_audio=audio, tokens_text=fresh, tokens_cached=cached, tokens_output=output, **each,
        )  # fmt: skip


def _packed(item: Item) -> bool:
    return bool(item.sheet > 1)
