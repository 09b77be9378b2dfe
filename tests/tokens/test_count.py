from __future__ import annotations

import datetime as dt

import pytest

from reelwise.errors import InputError, UnknownModelError
from reelwise.tokens import count


def test_pictures() -> None:
    result = count("gemini-2.5-pro", width=960, height=540, images=3)
    assert (result.rule, result.tokens, result.per_frame, result.frames) == ("gemini_2x", 3 * 1548, 1548, 3)
    assert result.sent_as == "pictures"
    assert "ai.google.dev" in result.source


def test_video_with_sound() -> None:
    result = count("gemini-3.8-flash", width=1920, height=1080, seconds=60, fps=5, audio=True)
    assert (result.tokens, result.per_frame, result.frames, result.audio_tokens) == (22_500, 70, 300, 1500)
    assert result.sent_as == "video"


def test_frames_are_capped_where_the_family_caps_them() -> None:
    qwen = count("Qwen/Qwen2.5-VL-7B-Instruct", width=1920, height=1080, seconds=3600)
    assert (qwen.tokens, qwen.frames, qwen.per_frame) == (105_984, 768, 138)
    assert count("amazon.nova-pro-v1:0", width=640, height=360, seconds=3600).tokens == 276_480


def test_frames_as_pictures_where_there_is_no_native_video() -> None:
    result = count("claude-haiku-4-5", width=1920, height=1080, seconds=300, fps=1)
    assert result.tokens == 300 * 1560
    assert result.sent_as == "pictures"
    assert any("3 requests" in note for note in result.notes)
    with pytest.raises(InputError, match="native video") as caught:
        count("claude-haiku-4-5", width=1920, height=1080, seconds=300)
    assert "frame rate" in caught.value.hint


def test_minutes() -> None:
    result = count("twelvelabs/pegasus", width=1920, height=1080, seconds=60, audio=True)
    assert (result.unit, result.tokens) == ("minute", 0)


def test_silent_families_say_so() -> None:
    result = count("amazon.nova-lite-v1:0", width=640, height=360, seconds=10, audio=True)
    assert result.tokens == 2880
    assert any("Sound" in note for note in result.notes)


def test_llama_3_2_names_its_tiles() -> None:
    result = count("llama-3.2-11b-vision", width=1920, height=1080)
    assert result.tokens == 1
    assert any("4 tiles" in note for note in result.notes)


def test_day() -> None:
    assert count("claude-sonnet-4-5", width=854, height=480, day=dt.date(2025, 6, 1)).rule == "anthropic_legacy"


@pytest.mark.parametrize(
    "wrong",
    [
        {"images": 0},
        {"fps": 1.0},
        {"audio": True},
        {"seconds": 0.0},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": 1.0, "fps": 0.0},
        {"seconds": 1.0, "fps": 25.0},
        {"detail": "superb"},
        {"width": 0},
    ],
)
def test_what_cannot_be(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {"width": 640, "height": 360, **wrong}
    with pytest.raises(InputError):
        count("gemini-2.5-pro", **given)  # type: ignore[arg-type]


def test_unknown_model() -> None:
    with pytest.raises(UnknownModelError):
        count("nobody-knows", width=1, height=1)
