"""What is held before a call."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reelwise.charge import Ask, Media, hold, kept, machine_seconds
from reelwise.errors import InputError, UnknownModelError, UnpricedError
from reelwise.requests import Request, Usage

HOUR = Media(seconds=3600, width=1920, height=1080, fps=30, has_audio=True)
MINUTE = Media(seconds=60, width=1280, height=720, fps=30, has_audio=True)


def test_an_hour_of_video_is_held_at_what_the_vendor_publishes(book):
    """The documentation's 1,080,000 tokens an hour, sound included."""
    held = hold(Ask(model="gemini-2.5-flash", media=HOUR, tokens_output=200), book)
    tokens = {part.unit: part.quantity for part in held.parts}

    assert 1_080_000 <= tokens["tokens_video"] + tokens["tokens_audio"] <= 1_080_100
    assert held.nano > 324_000_000


def test_generated_seconds_are_held_by_resolution(book):
    def nano(model, **fields):
        return hold(Ask(model=model, seconds_generated=8, **fields), book).nano

    assert nano("openai/sora-2") == 800_000_000
    assert nano("google/veo-3.1") == nano("google/veo-3.1", resolution="1080p") == 3_200_000_000
    assert nano("google/veo-3.1", resolution="3840x2160") == nano("google/veo-3.1", resolution="UHD") == 4_800_000_000
    assert nano("openai/sora-2-pro", resolution="1280x720") == 2_400_000_000
    assert nano("openai/sora-2-pro", resolution="1024x1792") == 4_000_000_000
    assert nano("google/veo-3.1", resolution="imax") == 4_800_000_000  # not known: the dearest
    assert nano("minimax/h3", resolution="600p") == 640_000_000  # the next listed one above
    with pytest.raises(UnpricedError, match="depends on the resolution"):
        nano("google/veo-3.1-fast")


def test_the_maximum_output_is_the_model_s_own_where_the_call_sets_none(book):
    held = hold(Ask(model="gpt-4o", tokens_text=100), book)

    assert {part.unit: int(part.quantity) for part in held.parts}["tokens_output"] == 16_384
    assert "no maximum set" in held.explain()
    with pytest.raises(InputError, match="sets no maximum of output tokens"):
        hold(Ask(model="openrouter/qwen/qwen2.5-vl-32b-instruct", tokens_text=100), book)


def test_each_answer_is_held(book):
    one, four = (hold(Ask(model="gpt-4o", tokens_text=5, tokens_output=100, answers=n), book).nano for n in (1, 4))

    assert four - one == 3 * 100 * 10_000


def test_text_that_nobody_counted_is_a_token_a_byte(book):
    held = hold(Ask(model="gpt-4o", text_bytes=1000, tokens_output=1), book)

    assert {part.unit: int(part.quantity) for part in held.parts}["tokens_text"] == 1032


def test_input_is_held_at_the_price_of_writing_it_to_a_cache_where_that_is_billed(book):
    def each(ask):
        return next(part for part in hold(ask, book).parts if part.unit == "tokens_text").usd_each * 1e6

    asked = {"model": "claude-sonnet-4-5", "tokens_text": 5000, "tokens_output": 1}
    assert each(Ask(**asked)) == pytest.approx(3.0)
    assert each(Ask(**asked, cache_write=True)) == pytest.approx(3.75)
    # OpenAI since gpt-5.6: unasked, from 1,024 tokens
    assert each(Ask(model="gpt-5.6-sol", tokens_text=5000, tokens_output=1)) == pytest.approx(5.0)
    assert each(Ask(model="gpt-5.6-sol", tokens_text=500, tokens_output=1)) == pytest.approx(4.0)
    assert each(Ask(model="gpt-5.4", tokens_text=5000, tokens_output=1)) == pytest.approx(2.5)


def test_a_count_within_reach_of_a_cliff_is_held_above_it(book):
    def video(seconds):
        media = Media(seconds=seconds, width=640, height=360, fps=25)
        held = hold(Ask(model="gemini-2.5-pro", media=media, tokens_output=0), book)
        return next(part for part in held.parts if part.unit == "tokens_video").usd_each * 1e6

    assert video(740) == pytest.approx(1.25)
    assert video(750) == pytest.approx(2.5)  # 193,500 tokens by the rule, up to 201,002 with time stamps


def test_the_position_makes_a_hold_tight_and_none_makes_it_sound(book):
    ask = Ask(model="aws/rekognition/labels", media=MINUTE, pictures=60)

    assert hold(ask, book, position={("aws/rekognition/group2", "image"): 6e6}).nano == 36_000_000
    assert hold(ask, book, position={}).nano == hold(ask, book).nano == 60_000_000


def test_native_video_stills_and_scaled_frames_go_into_one_hold(book):
    plain = hold(Ask(model="gemini-3.8-flash", media=MINUTE, tokens_output=0), book)
    more = hold(Ask(model="gemini-3.8-flash", media=MINUTE, stills=((640, 480),), tokens_output=0), book)
    silent = hold(Ask(model="gemini-3.8-flash", media=MINUTE, audio=False, tokens_output=0), book)

    assert more.nano - plain.nano == 1120 * 750
    assert plain.nano - silent.nano == 60 * 25 * 750
    small = hold(Ask(model="gpt-4o", media=MINUTE, pictures=1, width=384, height=216, tokens_output=0), book)
    assert small.nano == (255 + 1 + 32) * 2500


def test_a_card_with_output_needs_a_maximum(book):
    with pytest.raises(InputError, match="bills output tokens"):
        hold(Ask(model="twelvelabs/pegasus", media=MINUTE), book)


def test_machines_bill_their_cold_start_and_storage_its_shortest_time(book):
    assert machine_seconds("runpod/flex-h100", 600, book).quantity == 647
    assert machine_seconds("aws/g4dn.xlarge", 61, book).quantity == pytest.approx(120 / 3600)
    assert kept("aws/s3-glacier-deep-archive", 1000, 24, book).quantity == pytest.approx(180 * 24 / 730)
    with pytest.raises(UnpricedError, match="not by time"):
        machine_seconds("aws/s3-standard", 5, book)
    with pytest.raises(UnpricedError, match="not by what is kept"):
        kept("modal/h100", 5, 5, book)


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (Ask(model="gpt-4o", media=MINUTE, tokens_output=1), InputError, "how many pictures"),
        (Ask(model="gemini-2.5-pro", media=Media(seconds=0, width=4, height=4), tokens_output=1), InputError, "length is not known"),
        (Ask(model="gemini-2.5-pro", media=Media(seconds=5, has_audio=True), tokens_output=1), InputError, "size of its frames"),
        (Ask(model="gemini-2.5-pro", tokens_text=-1), InputError, "tokens_text is -1"),
        (Ask(model="gpt-4o", media=MINUTE, pictures=0), InputError, "pictures is 0"),
        (Ask(model="gpt-4o", tokens_text=1, answers=0), InputError, "0 answers"),
        (Ask(model="gpt-4o", media=MINUTE, part="audio", tokens_output=1), InputError, "no published rate for sound"),
        (Ask(model="gpt-4o", media=MINUTE, pictures=1, detail="ultra", tokens_output=1), InputError, "no detail level"),
        (Ask(model="openai/whisper-1"), InputError, "no length is given"),
        (Ask(model="openai/sora-2"), InputError, "no length is given"),
        (Ask(model="openai/sora-3", seconds_generated=4), UnknownModelError, "no price under the name"),
        (Ask(model="azure/video-indexer", media=MINUTE), UnpricedError, "unpriced"),
        (Ask(model="google/vision/label"), InputError, "nothing that it bills"),
        (Ask(model="groq/llama-guard-3-8b", media=MINUTE, pictures=1, tokens_output=1), UnknownModelError, "no published token rule"),
    ],
)  # fmt: skip
def test_what_cannot_be_bounded_is_a_clear_error_and_never_nothing(book, ask, error, words):
    with pytest.raises(error, match=words) as caught:
        hold(ask, book)
    assert caught.value.hint


def test_a_hold_says_why(book):
    said = hold(Ask(model="gemini-2.5-pro", media=HOUR, tokens_text=13, tokens_output=200), book).explain()

    for words in (
        "928,800 for 3,600 frames",
        "time stamp",
        "above 200,000",
        "genai-prices",
        "a retry needs a hold",
        "may refuse",
    ):
        assert words in said


def test_a_quantity_of_one_unit_can_be_held(book):
    assert hold(Usage(sku="gemini-2.5-pro/cache-storage", unit="token_hour", quantity=1e6), book).nano == 4_500_000_000
    assert hold(Request(model="aws/egress-us", count=1, megabytes=2500), book, position={}).nano == 225_000_000


def test_tokens_of_a_model_need_the_whole_call(book):
    with pytest.raises(InputError, match="depends on the whole call"):
        hold(Usage(sku="gpt-4o", unit="tokens_text", quantity=5.0), book)


def test_parts_of_a_second_are_held_as_whole_ones(book):
    """Whisper bills the nearest second, most others each begun one."""
    clip = Media(seconds=20.4, has_audio=True)

    assert hold(Ask(model="openai/whisper-1", media=clip), book).nano == 21 * 100_000
    assert hold(Ask(model="openai/sora-2", seconds_generated=4, answers=3), book).nano == 1_200_000_000


def test_importing_it_loads_nothing_heavy():
    code = (
        "import reelwise.charge, sys; print([m for m in ('av', 'numpy', 'genai_prices', 'yaml') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert answer.stdout.strip() == "[]"
