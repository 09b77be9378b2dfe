"""For any call: a hold covers every usage within its bounds, grows with the clip, and is never nothing."""

from __future__ import annotations

from fractions import Fraction

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.charge import Ask, Media, charge, hold
from reelwise.errors import InputError

MODELS = (
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-3.8-flash",
    "gpt-4o",
    "gpt-5.4",
    "gpt-5.6-sol",
    "claude-sonnet-4-5",
    "claude-opus-5-5",
    "fireworks/qwen2p5-vl-72b-instruct",
    "aws/qwen.qwen3-vl-235b-a22b-v1:0",
    "aws/amazon.nova-lite-v1:0",
    "mistral/pixtral-12b",
    "aws/meta.llama4-maverick-17b-instruct-v1:0",
)
NATIVE = ("gemini-2.5-pro", "gemini-3.8-flash", "fireworks/qwen2p5-vl-72b-instruct", "aws/qwen.qwen3-vl-235b-a22b-v1:0", "aws/amazon.nova-lite-v1:0")  # fmt: skip
CARDS = (
    ("aws/rekognition/group1", "image"),
    ("google/vision/label", "image"),
    ("google/video-intelligence/label", "minute"),
    ("fal/sam-3", "block"),
    ("openai/whisper-1", "minute"),
    ("groq/whisper-large-v3", "hour"),
    ("twelvelabs/pegasus", "minute"),
)
UNITS = ("tokens_image", "tokens_video", "tokens_audio", "tokens_text")
lengths = st.floats(0.05, 12_000, allow_nan=False)
sides = st.integers(32, 2000)
shares = st.floats(0, 1)


@st.composite
def language_asks(draw, models=MODELS):
    media = Media(seconds=draw(lengths), width=draw(sides), height=draw(sides), fps=30, has_audio=draw(st.booleans()))
    return Ask(
        model=draw(st.sampled_from(models)),
        media=media,
        pictures=draw(st.integers(1, 90)),
        part=draw(st.sampled_from(["images", "auto"])),
        tokens_text=draw(st.integers(0, 50_000)),
        tokens_output=draw(st.integers(0, 8000)),
        cache_write=draw(st.booleans()),
        cache_hour=draw(st.booleans()),
    )


def _written(tokens, ask, book):
    hour = ask.cache_hour and "tokens_cache_write_1h" in book.language(ask.model).own
    return {"tokens_cache_write_1h" if hour else "tokens_cache_write": tokens}


@given(ask=language_asks(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_hold_covers_any_usage_within_its_bounds(book, ask, data):
    held = hold(ask, book)
    most = held.request
    sizes = {unit: getattr(most, unit) * data.draw(shares) for unit in UNITS}
    cached = {unit: size * data.draw(shares) for unit, size in sizes.items() if unit != "tokens_audio"}
    fresh = {unit: size - cached.get(unit, 0.0) for unit, size in sizes.items()}
    written = {}
    if (
        ask.cache_write
        or ask.cache_hour
        or (ask.model == "gpt-5.6-sol" and sum(getattr(most, unit) for unit in UNITS) >= 1024)
    ):
        written = {unit: size * data.draw(shares) for unit, size in fresh.items()}
    actual = msgspec.structs.replace(
        most,
        **{unit: size - written.get(unit, 0.0) for unit, size in fresh.items()},
        tokens_cached=sum(cached.values()),
        **_written(sum(written.values()), ask, book),
        tokens_output=most.tokens_output * data.draw(shares),
    )
    carry = data.draw(st.fractions(Fraction(-1, 2), Fraction(1, 2)))
    try:
        done = charge(actual, book, carry=carry)
    except InputError:  # nothing was used
        return

    assert done.nano <= held.nano


@given(ask=language_asks(NATIVE), more=st.floats(0, 5000), fps=st.sampled_from([None, 0.5, 2, 5]))
@settings(max_examples=100, deadline=None)
def test_a_longer_clip_is_never_held_for_less(book, ask, more, fps):
    fps = None if "nova" in ask.model else fps
    native = msgspec.structs.replace(ask, pictures=None, part="video", fps=fps)
    longer = msgspec.structs.replace(native.media, seconds=native.media.seconds + more)
    short, long = hold(native, book), hold(msgspec.structs.replace(native, media=longer), book)

    assert 0 < short.nano <= long.nano


@given(
    card=st.sampled_from(CARDS),
    lengths_of=st.tuples(lengths, lengths),
    places=st.tuples(*[st.floats(0, 4e7)] * 2),
    free=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_a_card_s_hold_covers_its_charge_at_any_later_position(book, card, lengths_of, places, free):
    (sku, unit), (seconds, more), (at, later) = card, lengths_of, places

    def held(length):
        media = Media(seconds=length, width=640, height=360, fps=25, has_audio=True)
        return hold(Ask(model=sku, media=media, tokens_output=100), book, position={(sku, unit): at})

    short, long = held(seconds), held(seconds + more)
    assert 0 < short.nano <= long.nano
    done = charge(short.request, book, position={(sku, unit): at + later}, free_tiers=free)
    assert done.nano <= short.nano


@given(
    model=st.sampled_from(
        ["openai/sora-2", "openai/sora-2-pro", "google/veo-3.1", "runway/seedance2", "xai/grok-imagine-video-1.5"]
    ),
    seconds=st.floats(0.5, 60),
    height=st.integers(240, 4320),
)
@settings(max_examples=100, deadline=None)
def test_generated_video_is_never_free_and_never_cheaper_with_more_pixels(book, model, seconds, height):
    nano = [
        hold(Ask(model=model, seconds_generated=seconds, resolution=f"{tall}p"), book).nano
        for tall in (height, height * 2)
    ]

    assert 0 < nano[0] <= nano[1]
