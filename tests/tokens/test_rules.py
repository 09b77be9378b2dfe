"""What holds for every rule: caps, levels, arrays, monotony."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reelwise.errors import InputError, UnknownModelError
from reelwise.tokens import MATCHES, Rule, cheapest_size, rule, rule_for, rules
from reelwise.tokens.models import short_name
from reelwise.tokens.openai import OpenAIPatch

ALL = [r.name for r in rules()]
NATIVE = [r.name for r in rules() if r.fps_default is not None]
PICTURES_ONLY = [r.name for r in rules() if r.fps_default is None]
sides = st.integers(1, 9000)

# the most tokens one picture can cost, at the default level
CAPS = {
    "gemini_2x": 258 * 24,  # 12 x 2 tiles: a strip at the least crop unit
    "gemini_2x_per_second": 258 * 24,
    "gemini_2x_timestamped": 258 * 24,
    "gemini_3": 1120,
    "openai_tile_85_170": 85 + 8 * 170,
    "openai_tile_70_140": 70 + 8 * 140,
    "openai_tile_75_150": 75 + 8 * 150,
    "openai_tile_2833_5667": 2833 + 8 * 5667,
    "openai_tile_65_129": 65 + 8 * 129,
    "openai_patch_6": 36_000,
    "openai_patch_5_6": 36_000,
    "openai_patch_5_5": 12_000,
    "openai_patch_5_4": 3000,
    "openai_patch_5_4_mini_old": 4050,
    "openai_patch_5_4_nano_old": 6150,
    "openai_patch_5_2": math.ceil(6144 * 1.2),
    "openai_patch_4_1_mini": math.ceil(6144 * 1.62),
    "openai_patch_5_mini": math.ceil(1536 * 1.2),
    "openai_patch_5_mini_old": math.ceil(1536 * 1.62),
    "openai_patch_5_nano": 2304,
    "openai_patch_5_nano_old": math.ceil(1536 * 2.46),
    "openai_patch_4_1_nano": math.ceil(1536 * 2.46),
    "openai_patch_o4_mini": math.ceil(1536 * 1.72),
    "anthropic_high": 4784,
    "anthropic_standard": 1568,
    "anthropic_standard_200k": 1568,
    "anthropic_legacy": math.ceil(1568 * 1568 / 750),
    "qwen2_5_vl": 16_384,
    "qwen2_5_vl_hf": 1280,
    "qwen3_vl": 16_384,
    "internvl": 13 * 256,
    "llava_onevision": 729 + math.ceil(9 * 729 * 1.21) + 6 * 27,
    "smolvlm2_64": 17 * 64,
    "smolvlm2_81": 17 * 81,
    "pixtral_12b": 65 * 64,
    "mistral_1540": 56 * 55,
    "llama_3_2": 1,
    "llama_4": 17 * 144,
    "gemma_3": 256,
    "nova_1": 2600,
    "nova_2_lite": 230,
    "twelve_labs": 0,
    "reka_vision": 0,
    "google_video_intelligence": 0,
    "aws_rekognition_video": 0,
}

# Scaling a picture up never makes it cheaper under these. Not so under the others, and that is no error:
# gemini_2x (the crop unit grows with the picture), gemini_3 and nova_2_lite (size does not matter), a patch budget (a picture
# just over it is shrunk below it), qwen (rounding to whole cells after the shrink), internvl and llama (the grid with
# the closest shape may have fewer tiles), llava (pooling), pixtral (rounding).
MONOTONE = [
    *(n for n in ALL if n.startswith("openai_tile")),
    "openai_patch_5_6",
    "openai_patch_6",
    *(n for n in ALL if n.startswith("anthropic")),
    "nova_1",
]


def picture(found: Rule, width: int, height: int, detail: str = "") -> int:
    """Tokens, where the family takes such a picture at all."""
    try:
        return found.image(width, height, detail)
    except InputError as error:
        assert error.where == "size"  # noqa: PT017 - refusals of sizes only
        assume(condition=False)
        raise


def test_every_rule_has_a_cap_here() -> None:
    assert set(CAPS) == set(ALL)
    assert len(set(ALL)) == len(ALL)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None)
@given(width=sides, height=sides)
def test_caps_hold(name: str, width: int, height: int) -> None:
    tokens = picture(rule(name), width, height)
    assert isinstance(tokens, int)
    assert min(1, CAPS[name]) <= tokens <= CAPS[name]


@pytest.mark.parametrize("name", [n for n in ALL if n.startswith("openai_patch")])
@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 65_535), height=st.integers(1, 65_535))
def test_budgets_hold_at_every_level(name: str, width: int, height: int) -> None:
    found = rule(name)
    assert isinstance(found, OpenAIPatch)
    for size in found.sizing:
        if size.budget is not None:
            assert 1 <= found.patches(width, height, size.level) <= size.budget


@pytest.mark.parametrize("name", MONOTONE)
@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 2000), height=st.integers(1, 2000), factor=st.integers(2, 4))
def test_a_larger_picture_never_costs_less(name: str, width: int, height: int, factor: int) -> None:
    small = picture(rule(name), width, height)
    assert picture(rule(name), width * factor, height * factor) >= small


# rows cost a token on pixtral and llava; internvl compares width / height, which is not symmetric
TURNED = [n for n in ALL if not n.startswith(("pixtral", "mistral", "llava", "internvl"))]


@pytest.mark.parametrize("name", TURNED)
@settings(max_examples=40, deadline=None)
@given(width=sides, height=sides)
def test_a_turned_picture_costs_the_same(name: str, width: int, height: int) -> None:
    assume(
        not name.startswith(("pixtral", "mistral", "llava", "internvl"))
    )  # rows cost a token; grids break ties by order
    assert picture(rule(name), width, height) == picture(rule(name), height, width)


@pytest.mark.parametrize("name", ALL)
def test_levels(name: str) -> None:
    found = rule(name)
    assert found.image(640, 360) == found.image(640, 360, found.detail_default)
    assert found.detail_default == "" or found.detail_default in found.details
    with pytest.raises(InputError) as caught:
        found.image(640, 360, "superb")
    assert "superb" in str(caught.value)
    for level in found.details:
        assert level in caught.value.hint
        found.image(640, 360, level)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [(0, 100), (100, 0), (-1, 5), (65_536, 10), (10, 65_536)])
def test_sizes_no_picture_has(name: str, size: tuple[int, int]) -> None:
    found = rule(name)
    with pytest.raises(InputError, match="px"):
        found.image(*size)
    if found.fps_default is not None:
        with pytest.raises(InputError, match="px"):
            found.video(*size, 1.0, 1.0)


@pytest.mark.parametrize("name", ALL)
def test_cards(name: str) -> None:
    found = rule(name)
    assert found.source
    assert found.family
    assert found.formula
    assert dt.date.fromisoformat(found.checked)
    assert found.unit in {"tokens", "minute"}
    assert hash(found) == hash(rule(name))


@pytest.mark.parametrize("name", PICTURES_ONLY)
def test_no_native_video(name: str) -> None:
    with pytest.raises(InputError, match="video"):
        rule(name).video(640, 360, 1.0, 1.0)
    with pytest.raises(InputError, match="video"):
        rule(name).frames(1.0)


@pytest.mark.parametrize("name", NATIVE)
@settings(max_examples=25, deadline=None)
@given(
    frames=st.lists(st.floats(0, 20_000), min_size=1, max_size=5),
    width=st.integers(64, 4000),
    height=st.integers(64, 4000),
)
def test_arrays_count_as_scalars_do(name: str, frames: list[float], width: int, height: int) -> None:
    found = rule(name)
    many = found.video(width, height, np.asarray(frames), np.asarray(frames))
    assert [float(v) for v in many] == pytest.approx([float(found.video(width, height, f, f)) for f in frames])  # type: ignore[union-attr]
    seconds = np.asarray(frames)
    assert [float(v) for v in found.frames(seconds)] == [float(found.frames(f)) for f in frames]  # type: ignore[union-attr]
    assert [float(v) for v in found.audio(seconds)] == [float(found.audio(f)) for f in frames]  # type: ignore[union-attr]
    grid = np.asarray(frames)[None, :].repeat(2, axis=0)
    assert np.shape(found.video(width, height, grid, grid)) == grid.shape


@pytest.mark.parametrize("name", [n for n in NATIVE if not n.startswith("qwen")])
@settings(max_examples=25, deadline=None)
@given(frames=st.floats(0, 5000), more=st.floats(0, 5000))
def test_more_frames_never_cost_less(name: str, frames: float, more: float) -> None:
    # not so on Qwen: once the total budget binds, one more pair shrinks the cells of all
    found = rule(name)
    assert found.video(640, 360, 1.0, frames + more) >= found.video(640, 360, 1.0, frames)


@pytest.mark.parametrize("name", ["qwen2_5_vl", "qwen2_5_vl_hf", "qwen3_vl"])
@settings(max_examples=60, deadline=None)
@given(frames=st.floats(0, 1e6), width=st.integers(64, 4000), height=st.integers(64, 4000))
def test_qwen_video_budget(name: str, frames: float, width: int, height: int) -> None:
    tokens = float(rule(name).video(width, height, 1.0, frames))
    assert tokens <= 0.9 * 128_000
    if frames > 0:
        used = min(max(frames, 4), 768)
        assert tokens / (used / 2) <= 768 * 2 + 1


def test_nova_is_flat_above_sixteen_minutes() -> None:
    nova = rule("nova_1")
    assert nova.frames(959.0) == 959
    assert nova.frames(961.0) == nova.frames(36_000.0) == 960
    assert nova.video(1920, 1080, 36_000.0, 36_000.0) == 960 * 288
    with pytest.raises(InputError, match="cannot be asked"):
        nova.frames(10.0, 0.5)


@pytest.mark.parametrize("fps", [0.0, -1.0, 25.0])
def test_gemini_rates_out_of_range(fps: float) -> None:
    with pytest.raises(InputError, match="cannot be asked"):
        rule("gemini_3").frames(10.0, fps)


def test_frames_forgive_float_error() -> None:
    assert rule("gemini_2x").frames(30.0, 0.1) == 3
    assert rule("gemini_2x").frames(10.2) == 11


def test_per_second_approximation_has_no_sound() -> None:
    found = rule("gemini_2x_per_second")
    assert found.video(1920, 1080, 3600.0, found.frames(3600.0, 2.0)) == 2 * 1_080_000
    assert found.audio(3600.0) == 0


def test_ultra_high_is_for_pictures() -> None:
    found = rule("gemini_3")
    assert found.image(1920, 1080, "ultra_high") > found.image(1920, 1080)
    with pytest.raises(InputError, match="pictures"):
        found.video(1920, 1080, 1.0, 1.0, "ultra_high")


def test_refusals_of_the_endpoints() -> None:
    with pytest.raises(InputError, match="30,000"):
        rule_for("gpt-5.6-sol").image(20_000, 20_000)
    with pytest.raises(InputError, match="8,000"):
        rule_for("claude-opus-4-7").image(8001, 10)
    with pytest.raises(InputError, match="aspect"):
        rule_for("qwen2.5-vl-7b").image(8000, 10)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gemini-2.5-pro", "gemini_2x"),
        ("google/gemini-2.5-pro", "gemini_2x"),
        ("models/gemini-2.5-flash-lite", "gemini_2x"),
        ("gemini-2.5-flash-preview-09-2025", "gemini_2x"),
        ("gemini-2.0-flash-001", "gemini_2x"),
        ("gemini-3-pro-preview", "gemini_3"),
        ("gemini-3.8-flash", "gemini_3"),
        ("gemini-4-argon", "gemini_3"),
        ("gemini-3.5-flash-lite", "gemini_3"),
        ("gpt-4o", "openai_tile_85_170"),
        ("openai/gpt-4o-2024-08-06", "openai_tile_85_170"),
        ("ft:gpt-4o-2024-08-06:org::id", "openai_tile_85_170"),
        ("gpt-4o-mini-2024-07-18", "openai_tile_2833_5667"),
        ("gpt-4.1", "openai_tile_85_170"),
        ("gpt-4.1-mini-2025-04-14", "openai_patch_4_1_mini"),
        ("gpt-5", "openai_tile_70_140"),
        ("gpt-5-2025-08-07", "openai_tile_70_140"),
        ("gpt-5-mini-2025-08-07", "openai_patch_5_mini"),
        ("gpt-5.4-2026-03-05", "openai_patch_5_4"),
        ("gpt-5.6-luna", "openai_patch_5_6"),
        ("gpt-6-sol", "openai_patch_6"),
        ("o3", "openai_tile_75_150"),
        ("claude-haiku-4-5-20251001", "anthropic_standard_200k"),
        ("anthropic/claude-sonnet-4.5", "anthropic_standard_200k"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic_standard_200k"),
        ("claude-sonnet-4@20250514", "anthropic_standard_200k"),
        ("claude-opus-4-20250514", "anthropic_standard_200k"),
        ("claude-3-5-sonnet-latest", "anthropic_standard_200k"),
        ("claude-sonnet-4-6", "anthropic_standard"),
        ("claude-opus-4.7", "anthropic_high"),
        ("claude-sonnet-5-5", "anthropic_high"),
        ("claude-haiku-5-5", "anthropic_high"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "qwen2_5_vl"),
        ("accounts/fireworks/models/qwen2p5-vl-72b-instruct", "qwen2_5_vl"),
        ("qwen2-vl-7b", "qwen2_5_vl"),
        ("qwen.qwen3-vl-235b-a22b-v1:0", "qwen3_vl"),
        ("internvl3-14b:free", "internvl"),
        ("meta.llama3-2-11b-instruct-v1:0", "llama_3_2"),
        ("meta-llama/llama-4-scout-17b-16e-instruct", "llama_4"),
        ("google/gemma-3-27b-it", "gemma_3"),
        ("amazon.nova-lite-v1:0", "nova_1"),
        ("global.amazon.nova-2-lite-v1:0", "nova_2_lite"),
        ("twelvelabs/pegasus", "twelve_labs"),
        ("google/video-intelligence/label", "google_video_intelligence"),
        ("aws/rekognition/video-stored", "aws_rekognition_video"),
        ("gemini_2x_per_second", "gemini_2x_per_second"),
    ],
)
def test_names_as_users_write_them(model: str, name: str) -> None:
    assert rule_for(model, dt.date(2026, 11, 22)).name == name


def test_the_table_finds_its_own_examples() -> None:
    for match in MATCHES:
        day = dt.date(2025, 12, 1) if match.until else dt.date(2026, 11, 22)
        for model in match.models:
            assert rule_for(model, day).name == match.rule, model


@pytest.mark.parametrize(
    "model", ["gpt-5.3", "gemini-2.5-flash-tts", "text-embedding-3-large", "claude-2", "nova-premier", "", "x" * 5000]
)
def test_unknown_models(model: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        rule_for(model)
    assert caught.value.hint


def test_hint_names_the_closest() -> None:
    with pytest.raises(UnknownModelError) as caught:
        rule_for("gemni-2.5-pro")
    assert "gemini-2.5-pro" in caught.value.hint
    with pytest.raises(UnknownModelError) as caught:
        rule("gemini_2")
    assert "gemini_2x" in caught.value.hint


def test_rules_have_dates() -> None:
    before, after = dt.date(2025, 12, 31), dt.date(2026, 1, 1)
    assert rule_for("claude-sonnet-4-5", before).image(854, 480) == 547
    assert rule_for("claude-sonnet-4-5", after).image(854, 480) == 558
    assert rule_for("gpt-5-mini", before).image(1024, 1024) == 1659
    assert rule_for("gpt-5-mini", dt.date(2026, 3, 18)).image(1024, 1024) == 1229


def test_short_names() -> None:
    assert short_name(" Models/Gemini-2.5-Pro ") == "gemini-2.5-pro"
    assert short_name("eu.anthropic.claude-haiku-4-5-20251001-v1:0") == "claude-haiku-4-5-20251001-v1"


@pytest.mark.parametrize(
    ("model", "size", "result"),
    [
        ("gpt-4o", (912, 513), (910, 512)),
        ("gpt-4o", (513, 912), (512, 910)),
        ("gemini-2.5-pro", (385, 217), (384, 216)),
        ("claude-haiku-4-5", (854, 480), (840, 472)),
        ("gpt-4o", (1920, 1080), (1920, 1080)),
        ("gemini-3.8-flash", (1920, 1080), (1920, 1080)),
        ("gemini-2.5-pro", (854, 480), (854, 480)),
        ("gpt-4o", (1, 1), (1, 1)),
    ],
)
def test_cheapest_size(model: str, size: tuple[int, int], result: tuple[int, int]) -> None:
    assert cheapest_size(rule_for(model), *size) == result


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=8, deadline=None)
@given(width=st.integers(16, 2000), height=st.integers(16, 2000), scale=st.floats(0.7, 1.0))
def test_cheapest_size_is_cheaper_or_the_original(name: str, width: int, height: int, scale: float) -> None:
    found = rule(name)
    before = picture(found, width, height)
    new = cheapest_size(found, width, height, "", scale)
    if new == (width, height):
        return
    assert found.image(*new) < before
    assert new[0] % 2 == new[1] % 2 == 0
    assert width * scale - 1e-6 <= new[0] <= width
    assert height * scale - 1e-6 <= new[1] <= height
    long, short = max(new), min(new)
    assert abs(short - min(width, height) * long / max(width, height)) <= 0.5


def test_cheapest_size_refuses_scales_out_of_range() -> None:
    for scale in (0.0, 1.1, -1.0):
        with pytest.raises(InputError, match="scale"):
            cheapest_size(rule("gemini_2x"), 100, 100, "", scale)


def test_import_is_light() -> None:
    code = "import sys, reelwise.tokens; print([m for m in ('numpy', 'av', 'yaml', 'rich', 'genai_prices') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
