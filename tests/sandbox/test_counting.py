"""The sandbox's own token rules against the vectors that vendors publish, and against reelwise.tokens, which it does not know."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.sandbox.counting import family_of, text_tokens
from reelwise.sandbox.errors import BadRequestError
from reelwise.tokens import rule_for

DAY = dt.date(2026, 11, 28)
PUBLISHED = [
    ("gemini-2.5-pro", 960, 540, "", 1548),
    ("gemini-3.8-flash", 1024, 1024, "", 1089),
    ("claude-haiku-4-5", 1000, 1000, "", 1296),
    ("claude-haiku-4-5", 1092, 1092, "", 1521),
    ("claude-haiku-4-5", 2000, 1500, "", 1564),
    ("claude-haiku-4-5", 3840, 2160, "", 1560),
    ("claude-opus-4-7", 2000, 1500, "", 3888),
    ("claude-opus-4-7", 3840, 2160, "", 4784),
    ("gpt-5.4", 2048, 2048, "high", 3000),
    ("gpt-6-sol", 512, 512, "", 308),
    ("gpt-6-sol", 1920, 1080, "", 2448),
    ("gpt-6-sol", 4032, 3024, "", 14364),
    ("gpt-6-sol", 3840, 2160, "high", 2931),
    ("gpt-4o", 1920, 1080, "", 1105),
    ("gpt-4o", 910, 512, "", 425),
    ("gpt-4o", 912, 513, "", 765),
    ("gpt-4o-mini", 1920, 1080, "", 36835),
]
MODELS = {
    "gpt-4o": ("", "low", "high"),
    "gpt-4o-mini": ("", "low"),
    "gpt-5": ("", "low"),
    "gpt-4.1-mini": ("", "low", "high"),
    "gpt-5-mini": ("", "high"),
    "gpt-5-nano": ("",),
    "gpt-5.4": ("", "low", "high", "original"),
    "gpt-5.4-mini": ("", "high"),
    "gpt-5.6-sol": ("", "low", "high"),
    "gpt-6-sol": ("", "high"),
    "gemini-2.5-flash": ("", "low", "medium", "high"),
    "gemini-3.8-flash": ("", "low", "medium", "high", "ultra_high"),
    "claude-haiku-4-5": ("",),
    "claude-opus-5-5": ("",),
}


@pytest.mark.parametrize(("model", "width", "height", "detail", "tokens"), PUBLISHED)
def test_published_and_measured_counts(model, width, height, detail, tokens):
    assert family_of(model).picture(width, height, detail) == tokens


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=150, deadline=None)
@given(width=st.integers(1, 4000), height=st.integers(1, 4000), pick=st.integers(0, 4))
def test_two_implementations_agree(model, width, height, pick):
    detail = MODELS[model][pick % len(MODELS[model])]
    try:
        expected = rule_for(model, DAY).image(width, height, detail)
    except InputError:
        with pytest.raises(BadRequestError):
            family_of(model).picture(width, height, detail)
        return

    assert family_of(model).picture(width, height, detail) == expected


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-3.8-flash"])
@settings(max_examples=100, deadline=None)
@given(
    seconds=st.floats(0.1, 7200),
    fps=st.sampled_from([None, 0.1, 0.5, 1.0, 5.0, 24.0]),
    detail=st.sampled_from(["", "low", "high"]),
)
def test_clips_and_sound_agree(model, seconds, fps, detail):
    rule, family = rule_for(model, DAY), family_of(model)

    assert family.clip(seconds, 640, 480, fps, detail) == rule.video(
        640, 480, seconds, rule.frames(seconds, fps), detail
    )
    assert -1e-6 <= family.sound(seconds) - rule.audio(seconds) < 1


@pytest.mark.parametrize("model", ["Qwen/Qwen2.5-VL-7B-Instruct", "Qwen/Qwen3-VL-8B-Instruct"])
@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (854, 480), (384, 216)])
def test_qwen_pictures_agree(model, size):
    assert family_of(model).picture(*size, "") == rule_for(model, DAY).image(*size)


def test_text_is_four_bytes_a_token():
    assert [text_tokens(text) for text in ("", "a", "abcd", "abcde", "ääää")] == [0, 1, 1, 2, 2]
