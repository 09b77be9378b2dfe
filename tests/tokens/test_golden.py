"""Every published, measured or computed count in golden_tokens.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reelwise.tokens import rule, rule_for
from reelwise.tokens.llama import LlamaCross
from reelwise.tokens.openai import OpenAIPatch, Sizing

GOLDEN: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "golden_tokens.yaml").read_text(encoding="utf-8"))

# what the golden file calls a rule -> our rule and detail level
RULES = {
    "gemini2_image": ("gemini_2x", ""),
    "gemini3_image budget=1120": ("gemini_3", ""),
    "claude_standard_1568": ("anthropic_standard", ""),
    "claude standard": ("anthropic_standard_200k", ""),
    "claude_high_2576_4784": ("anthropic_high", ""),
    "claude high": ("anthropic_high", ""),
    "claude legacy w*h/750 (pre-2026 doc)": ("anthropic_legacy", ""),
    "openai_patch mult=1.2 budget=2500 maxdim=2048 (gpt-5.4 high)": ("openai_patch_5_4", "high"),
    "openai_patch mult=1.2 no budget (gpt-6 auto)": ("openai_patch_6", "auto"),
    "openai_patch mult=1.2 budget=2500 no maxdim (gpt-6 high)": ("openai_patch_6", "high"),
    "gpt-4o-mini tile 2833/5667 high": ("openai_tile_2833_5667", "high"),
    "gpt-4o/4.1 tile 85/170 high": ("openai_tile_85_170", "high"),
    "gpt-5/5.1 tile 70/140 high": ("openai_tile_70_140", "high"),
    "o1/o3 tile 75/150 high": ("openai_tile_75_150", "high"),
    "gpt-4.1-mini patch 1.62 budget 6144 maxdim 2048": ("openai_patch_4_1_mini", "high"),
    "gpt-5.4 high": ("openai_patch_5_4", "high"),
    "gpt-5.6 original": ("openai_patch_5_6", "original"),
    "gpt-5.6 low (fit 512)": ("openai_patch_5_6", "low"),
    "qwen2-vl/2.5-vl image 4..16384 tokens f=28": ("qwen2_5_vl", ""),
    "qwen2-vl HF default max 1280 tokens": ("qwen2_5_vl_hf", ""),
    "qwen3-vl image f=32": ("qwen3_vl", ""),
    "internvl 448 tiles 1..12 + thumbnail": ("internvl", ""),
    "mistral-small-3.x 14px max1540 merge2 (config recalled)": ("mistral_1540", ""),
    "pixtral-12b 16px max1024": ("pixtral_12b", ""),
    "llama-4 chunks of 336 x144 + global": ("llama_4", ""),
}
TILES = "llama-3.2-vision tiles of 560 (1601 vision states each, 1 text token)"
PLAIN_1536 = "openai_patch mult=1 budget=1536 (patch count before multiplier)"

IMAGES = [
    pytest.param(
        v["rule"],
        v["width"],
        v["height"],
        v.get("tokens", v.get("value")),
        id=f"{v['rule']}-{v['width']}x{v['height']}",
    )
    for v in (*GOLDEN["published_or_measured"], *GOLDEN["computed"])
]


@pytest.mark.parametrize(("name", "width", "height", "tokens"), IMAGES)
def test_image(name: str, width: int, height: int, tokens: int) -> None:
    if name == TILES:
        cross = rule("llama_3_2")
        assert isinstance(cross, LlamaCross)
        assert cross.tiles(width, height) == tokens
        assert cross.image(width, height) == 1
    elif name == PLAIN_1536:
        small = rule("openai_patch_5_mini")
        assert isinstance(small, OpenAIPatch)
        assert small.patches(width, height) == tokens
    else:
        ours, detail = RULES[name]
        assert rule(ours).image(width, height, detail) == tokens


HD = (1920, 1080)


def video(name: str, seconds: float, fps: float | None = None, detail: str = "") -> tuple[float, float]:
    """Tokens of video and of sound."""
    found = rule(name)
    return (
        float(found.video(*HD, seconds, found.frames(seconds, fps), detail)),
        float(found.audio(seconds)),
    )


VIDEOS = {
    ("gemini 2.x default, doc approximation 300 tok/s", 3600): lambda: video("gemini_2x_per_second", 3600)[0],
    ("gemini 2.x default with 263 tok/s for frame+timestamp (tokens page) + 32 audio", 3600): lambda: sum(
        video("gemini_2x_timestamped", 3600)
    ),
    ("gemini 2.x low, doc approximation 100 tok/s", 3600): lambda: video("gemini_2x_per_second", 3600, detail="low")[0],
    ("gemini 3 default/low/medium: 70/frame + 25 audio/s", 3600): lambda: sum(video("gemini_3", 3600)),
    ("gemini 3 high: 280/frame + 25 audio/s", 3600): lambda: sum(video("gemini_3", 3600, detail="high")),
    ("gemini 3 default fps 5 with audio", 60): lambda: sum(video("gemini_3", 60, 5)),
    (
        "amazon nova 1 lite/pro, 1 fps up to 16 min then 960 frames; 288 tok/frame (secondary source)",
        10,
    ): lambda: video("nova_1", 10)[0],
    ("amazon nova 1 lite/pro", 3600): lambda: video("nova_1", 3600)[0],
    ("qwen2.5-vl via qwen-vl-utils 0.0.14, 1080p, 2 fps, MODEL_SEQ_LEN 128000", 10): lambda: video("qwen2_5_vl", 10)[0],
    ("qwen2.5-vl via qwen-vl-utils 0.0.14, 1080p, 2 fps, MODEL_SEQ_LEN 128000", 3600): lambda: video(
        "qwen2_5_vl", 3600
    )[0],
    ("qwen3-vl via qwen-vl-utils patch 16 (factor 32), 1080p, 2 fps", 60): lambda: video("qwen3_vl", 60)[0],
    ("internvl video, 32 frames x 256 (+ FrameN: <img></img> markers)", None): lambda: rule("internvl").video(
        *HD, 32.0, 32.0
    ),
}


@pytest.mark.parametrize("vector", GOLDEN["video"], ids=lambda v: f"{v['rule']}-{v['seconds']}")
def test_video(vector: dict[str, Any]) -> None:
    assert VIDEOS[vector["rule"], vector["seconds"]]() == vector["tokens"]


@pytest.mark.parametrize(("fps", "tokens"), [(1.0, 342_000), (0.5, 216_000), (0.2, 140_400), (0.1, 115_200)])
def test_gemini_3_hour_below_one_frame_a_second(fps: float, tokens: int) -> None:
    assert sum(video("gemini_3", 3600, fps)) == pytest.approx(tokens, rel=1e-12)


def test_sound_is_the_floor_at_a_tenth_of_a_frame_a_second() -> None:
    pictures, sound = video("gemini_3", 3600, 0.1)
    assert sound / (pictures + sound) == pytest.approx(0.78, abs=0.005)


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [
        ("gpt-4o", (1920, 1080), 1105),
        ("gpt-4o", (912, 513), 765),
        ("gpt-4o", (910, 512), 425),
        ("gemini-2.5-pro", (385, 217), 516),
        ("gemini-2.5-pro", (384, 216), 258),
        ("gemini-2.5-pro", (854, 480), 1548),
        ("gemini-2.5-pro", (1920, 1080), 1548),
        ("claude-haiku-4-5", (854, 480), 558),
        ("claude-haiku-4-5", (840, 476), 510),
        # prices.md, table of golden values
        ("gpt-4o", (384, 216), 255),
        ("gpt-4o-mini", (384, 216), 8500),
        ("pixtral-12b", (854, 480), 1650),
        ("Qwen3-VL-8B", (384, 216), 84),
    ],
)
def test_steps(model: str, size: tuple[int, int], tokens: int) -> None:
    assert rule_for(model).image(*size) == tokens


@pytest.mark.parametrize(
    ("model", "ratio"),
    [
        ("gemini-2.5-pro", 1.0),
        ("gemini-3.8-flash", 1.0),
        ("gpt-4o", 2.6),
        ("gpt-5.4", 5.04),
        ("claude-haiku-4-5", 2.8),
        ("claude-opus-4-7", 4.82),
        ("qwen2.5-vl-7b", 5.28),
        ("qwen3-vl-8b", 5.04),
        ("internvl3-8b", 3.0),
        ("pixtral-12b", 1.42),
    ],
)
def test_resolution_is_worth_what_the_tokenizer_says(model: str, ratio: float) -> None:
    found = rule_for(model)
    assert found.image(1920, 1080) / found.image(854, 480) == pytest.approx(ratio, abs=0.006)


@pytest.mark.parametrize(
    ("name", "detail", "frame"),
    [("gemini_2x", "", 28.7), ("openai_tile_85_170", "low", 9.4)],
)
def test_contact_sheet_of_nine(name: str, detail: str, frame: float) -> None:
    assert rule(name).image(384, 216, detail) / 9 == pytest.approx(frame, abs=0.05)


def test_contact_sheet_on_gemini_3_stays_under_the_documented_budget() -> None:
    assert rule("gemini_3").image(1920, 1080, "low") / 9 <= 31.1 + 0.05  # 280 / 9, the documented maximum


@pytest.mark.parametrize(
    ("part", "picture", "saving"),
    [("gemini_2x", "", 0.83), ("gemini_3", "low", 0.73), ("gemini_3", "", 0.94)],
)
def test_native_video_beats_pictures(part: str, picture: str, saving: float) -> None:
    found = rule(part)
    assert 1 - float(found.video(*HD, 1.0, 1.0)) / found.image(*HD, picture) == pytest.approx(saving, abs=0.01)


def test_detail_traps() -> None:
    for model in ("gpt-5.6-sol", "gpt-6-sol"):
        assert rule_for(model).image(4032, 3024) == 14_364
    assert rule_for("gpt-6-sol").image(4032, 3024, "high") == 2942
    mini = rule_for("gpt-5.4")
    assert mini.image(2048, 2048, "low") > mini.image(2048, 2048, "high")


@pytest.mark.parametrize(
    ("model", "patches"), [("gpt-5.4-mini", 2500), ("gpt-5.4-nano", 2500), ("gpt-5-mini", 1521), ("gpt-5-nano", 1521)]
)
def test_patches_measured_by_users_at_1600_square(model: str, patches: int) -> None:
    # community.openai.com, 2026-03-18: tokens billed by the Responses API, divided by the multiplier
    found = rule_for(model)
    assert isinstance(found, OpenAIPatch)
    assert found.patches(1600, 1600, "high") == patches


def test_sizes_measured_by_a_user_on_claude_before_4_7() -> None:
    # claudecodecamp.com: a photo over the cap is 1,561 tokens with the markers of its request
    assert 1540 <= rule_for("claude-opus-4-6").image(4000, 3000) <= 1568


@pytest.mark.parametrize(
    ("name", "width", "height", "tokens"),
    [
        ("llava_onevision", 1920, 1080, 7269),
        ("llava_onevision", 384, 216, 1149),
        ("smolvlm2_64", 1920, 1080, 832),
        ("smolvlm2_81", 1920, 1080, 1053),
        ("qwen2_5_vl", 19, 19, 9),
        ("qwen2_5_vl_hf", 5526, 3070, 1222),
    ],
)
def test_what_the_libraries_themselves_count(name: str, width: int, height: int, tokens: int) -> None:
    # run through transformers 5.23.0 and qwen-vl-utils 0.0.14
    assert rule(name).image(width, height) == tokens


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [(900, 450, 800), (900, 900, 1300), (1400, 900, 1800), (1800, 900, 2400), (1300, 1300, 2600)],
)
def test_nova_examples_of_aws(width: int, height: int, tokens: int) -> None:
    assert rule("nova_1").image(width, height) == tokens


def test_a_patch_budget_is_open_to_other_multipliers() -> None:
    plain = OpenAIPatch(
        name="plain", family="", source="", checked="", formula="", details=("auto",), detail_default="auto",
        multiplier=1.0, sizing=(Sizing("auto", 65_535, 1536),),
    )  # fmt: skip
    assert plain.image(1800, 2400) == 1452
