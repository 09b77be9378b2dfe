"""A call turns items into requests, and conserves what it is asked to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reelwise.errors import InputError
from reelwise.flow import Item
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.requests import Request

SUMMED = ("seconds", "images", "tokens_image", "tokens_video", "tokens_audio", "megabytes")


def month(request: Request, name: str) -> Any:
    return request.count * getattr(request, name)


@given(chunk=st.floats(0.5, 5000), seconds=st.floats(1, 4000))
def test_splitting_conserves_the_footage_and_repeats_the_text(
    expect: Callable[..., Any], chunk: float, seconds: float
) -> None:
    one = Item(
        count=7.0, seconds=seconds, frames=seconds * 30, audio_seconds=seconds, megabytes=seconds / 2, width_px=640,
        height_px=360, tokens_prefix=2000.0, tokens_output=10.0,
    )  # fmt: skip
    (whole,) = expect(Call(model="gemini-2.5-pro"), one)[1].requests
    (split,) = expect(Call(model="gemini-2.5-pro", chunk=chunk), one)[1].requests
    for name in SUMMED:
        assert month(split, name) == pytest.approx(month(whole, name))
    calls = split.count / whole.count
    assert calls == pytest.approx(round(calls))
    assert split.seconds <= chunk * (1 + 1e-6) or calls == 1
    assert month(split, "tokens_text") == pytest.approx(calls * month(whole, "tokens_text"))


def test_below_the_cliff_no_call_is_above_it(expect: Callable[..., Any], item: Item) -> None:
    long = replace(item, seconds=3600.0, frames=108_000.0, audio_seconds=3600.0)
    (request,) = expect(Call(model="gemini-2.5-pro", chunk="below_cliff"), long)[1].requests
    sent = request.tokens_video + request.tokens_audio + request.tokens_text
    assert request.count > item.count * item.questions
    assert sent <= 200_000


def test_pictures_are_split_by_what_a_call_takes(expect: Callable[..., Any], item: Item) -> None:
    (request,) = expect(Call(model="gpt-4o", part="images", pictures_a_call=100), item)[1].requests
    assert request.images == 100
    assert request.count == 120 * 2 * 18


def test_asking_once_sends_the_video_once_and_all_questions(expect: Callable[..., Any], item: Item) -> None:
    (each,) = expect(Call(model="gemini-2.5-pro"), item)[1].requests
    (once,) = expect(Call(model="gemini-2.5-pro", ask="once"), item)[1].requests
    assert month(each, "tokens_video") == 2 * month(once, "tokens_video")
    assert month(each, "tokens_output") == month(once, "tokens_output")
    assert once.tokens_text == 2000 + 2 * 100


def test_a_prompt_cache_moves_tokens_and_loses_none(expect: Callable[..., Any], item: Item) -> None:
    (plain,) = expect(Call(model="claude-opus-5-5", part="images"), item)[1].requests
    (cached,) = expect(Call(model="claude-opus-5-5", part="images", cache="prefix"), item, cache__prefix_hit_share=0.9)[
        1
    ].requests
    assert cached.tokens_cached == pytest.approx(1800)
    assert cached.tokens_cache_write == pytest.approx(200)
    assert cached.tokens_cached + cached.tokens_cache_write + cached.tokens_text == pytest.approx(plain.tokens_text)
    short = replace(item, tokens_prefix=500.0)
    (uncached,) = expect(
        Call(model="claude-opus-5-5", part="images", cache="prefix"), short, cache__prefix_hit_share=0.9
    )[1].requests
    assert uncached.tokens_cached == 0, "a prefix too short for any cache"


def test_an_explicit_cache_is_filled_once_kept_and_read_for_each_question(
    expect: Callable[..., Any], item: Item
) -> None:
    _, out = expect(Call(model="gemini-2.5-pro", cache="explicit", cache_hours=2), item)
    fill, read = out.requests
    (kept,) = out.usages
    assert (fill.count, read.count) == (120, 240)
    assert read.tokens_cached == fill.tokens_video + fill.tokens_audio + fill.tokens_text
    assert kept.quantity == 120 * read.tokens_cached * 2


def test_a_level_is_asked_of_models_that_have_levels_and_ignored_by_others(
    expect: Callable[..., Any], item: Item
) -> None:
    def tokens(model: str, detail: str) -> float:
        (request,) = expect(Call(model=model, part="images", detail=detail), item)[1].requests
        return float(request.tokens_image)

    assert tokens("gpt-4o", "low") < tokens("gpt-4o", "")
    assert tokens("claude-opus-5-5", "low") == tokens("claude-opus-5-5", "")
    with pytest.raises(InputError, match="no detail level"):
        tokens("gpt-4o", "tiny")


def test_a_host_is_asked_for_frames_and_bills_nothing_by_the_call(expect: Callable[..., Any], item: Item) -> None:
    (request,) = expect(Call(host="own"), item)[1].requests
    assert (request.model, request.count, request.images) == ("host:own", 120, 1800)


CALLS = [
    Call(model="gemini-2.5-pro", part="video"),
    Call(model="gemini-2.5-pro", chunk="below_cliff"),
    Call(model="gemini-2.5-pro", chunk=7.0),
    Call(model="gpt-4o", part="images", ask="once"),
    Call(model="gemini-3.8-flash", part="audio"),
    Call(model="gemini-2.5-pro", cache="explicit"),
    Call(model="claude-opus-5-5", part="images", cache="prefix"),
    Call(model="openai/whisper-1", part="audio"),
    Call(host="own"),
]


@pytest.mark.parametrize(
    "call", CALLS, ids=lambda call: f"{call.model or call.host} {call.part} {call.chunk} {call.cache}"
)
def test_classes_of_items_are_asked_as_each_alone(expect: Callable[..., Any], item: Item, call: Call) -> None:
    seconds = np.array([3.0, 60.0, 4000.0])

    def sized(length: Any) -> Item:
        return replace(item, seconds=length, frames=length * 30, audio_seconds=length, megabytes=length / 2)

    facts = {"cache__prefix_hit_share": 0.9}
    together = expect(call, sized(seconds), **facts)[1].requests
    for index, length in enumerate(seconds):
        alone = expect(call, sized(float(length)), **facts)[1].requests
        for one, many in zip(alone, together, strict=True):
            for name in one.__struct_fields__:
                value, values = getattr(one, name), getattr(many, name)
                if isinstance(value, float):
                    assert float(np.broadcast_to(values, 3)[index]) == pytest.approx(value), name
