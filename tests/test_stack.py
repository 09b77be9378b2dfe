"""How levers combine: overlap comes out of the structure of the plan, no factor is typed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelwise.case import load, make
from reelwise.levers import find
from reelwise.price import price_one
from reelwise.stack import compare_bills, ordered, stack

ROOT = Path(__file__).resolve().parent.parent
DAY = "2026-11-22"


def case_of(tree, **more):
    return make(
        {"feature": "f", "day": DAY, "latency": "day", "account": {"free_tiers": False}, **tree, **more}, where="test"
    )


def steps(case, *levers):
    result = stack(case, [find(name) if isinstance(name, str) else name for name in levers])
    return {step.lever: step for step in result.steps}, {one.lever: one.reason for one in result.skipped}


ARTICLE = {
    "demand": {"hours": 50_000},
    "plan": {"stages": [{"stage": "call", "model": "gemini-2.5-pro", "token_rule": "gemini_2x_per_second"}]},
}


class TestTheArticle:
    def test_three_levers_and_the_fourth(self):
        found, _ = steps(case_of(ARTICLE), "downscale", "route", "batch_api", "chunk_below_cliff")
        totals = [round(step.total_usd_month, 2) for step in found.values()]

        assert totals == [45_000.00, 9_360.00, 4_680.00, 3_555.00]
        assert 135_000 / totals[2] == pytest.approx(28.846, abs=1e-3)

    def test_independent_levers_do_not_overlap(self):
        found, _ = steps(case_of(ARTICLE), "downscale", "route", "batch_api")

        assert [step.factor for step in found.values()] == pytest.approx([step.factor_alone for step in found.values()])
        assert all(step.overlap == pytest.approx(0, abs=1e-9) for step in found.values())

    def test_chunking_after_routing_is_diluted_and_does_not_overlap(self):
        found, _ = steps(case_of(ARTICLE), "downscale", "route", "batch_api", "chunk_below_cliff")
        chunk = found["chunk_below_cliff"]

        assert chunk.touched_share == pytest.approx(0.25 / 0.52)
        assert chunk.factor_on_touched == pytest.approx(2.0)
        assert chunk.factor < chunk.factor_alone
        assert chunk.overlap == pytest.approx(0, abs=1e-9)

    def test_the_example_file_says_the_same(self):
        result = stack(load(ROOT / "examples" / "moderation.yaml"))

        assert result.naive_usd_month == pytest.approx(135_000)
        assert [round(step.total_usd_month, 2) for step in result.steps][:3] == [45_000, 9_360, 4_680]


class TestStructure:
    def test_token_count_levers_act_on_one_factor(self):
        """Half the frames and then a quarter are a quarter, not an eighth: fps is one field and takes the lower value."""
        case = case_of({"demand": {"hours": 1}, "source": {"audio": False}, "model": "gemini-2.5-flash"})
        half, quarter = type(find("sample_frames"))(fps=0.5), type(find("sample_frames"))(fps=0.25)
        plan = quarter.apply(half.apply(case.plan))

        assert plan == quarter.apply(case.plan) == half.apply(quarter.apply(case.plan))

    def test_two_ways_of_cutting_tokens_overlap(self):
        """On pictures billed by area, scaling leaves less for cropping: what both save is saved once."""
        tree = {
            "demand": {"hours": 1},
            "source": {"width": 1920, "height": 1080, "fps": 1},
            "plan": {"stages": [{"stage": "call", "model": "gpt-5.4", "part": "images", "detail": "high"}]},
            "facts": {"crop.area_share": 0.1},
        }
        found, _ = steps(case_of(tree), "downscale", "crop")

        assert found["crop"].factor < found["crop"].factor_alone

    def test_routing_then_quantizing_the_small_model_is_diluted(self):
        """Easy work goes to a model on our own GPU; twice its speed halves that part of the bill only, not all of it."""
        stages = [
            {"stage": "route"},
            {"stage": "call", "lane": "easy", "host": "small"},
            {"stage": "call", "lane": "main", "model": "gemini-2.5-pro"},
        ]
        tree = {
            "demand": {"hours": 1000},
            "source": {"fps": 1},
            "plan": {"stages": stages, "hosts": [{"name": "small", "sku": "aws/g4dn.xlarge", "scale": "auto"}]},
        }
        before, after = (
            price_one(case.workload, case.plan, case.facts, case.book)
            for case in (case_of(tree, facts={"host.small.frames_per_second": fps}) for fps in (15, 30))
        )
        share, factor = compare_bills(before, after)

        assert 0 < share < 0.2
        assert factor == pytest.approx(2.0)
        assert before.total_usd / after.total_usd == pytest.approx(1 / (1 - share / 2))

    @pytest.mark.parametrize(
        ("model", "ratio"), [("gemini-2.5-flash", 0.6765), ("gpt-5-mini", 0.5), ("claude-haiku-4-5", 0.5)]
    )
    def test_batch_on_a_cached_call_saves_less_where_cached_tokens_are_not_discounted(self, model, ratio):
        """A million cached tokens, 100,000 fresh, 10,000 out (levers_beyond_brief J)."""
        tree = {
            "demand": {"clips": 1000, "seconds": 1},
            "source": {"audio": False},
            "prompt": {"prefix": 1_000_000, "question": 100_000, "output": 10_000},
            "plan": {"stages": [{"stage": "call", "model": model, "part": "audio", "cache": "prefix"}]},
            "facts": {"cache.prefix_hit_share": 1.0},
        }
        found, _ = steps(case_of(tree), "batch_api")

        assert 1 / found["batch_api"].factor == pytest.approx(ratio, abs=2e-4)

    def test_resizing_a_gemini_video_saves_nothing(self):
        case = case_of({"demand": {"hours": 1}, "model": "gemini-3-flash-preview"})
        found, skipped = steps(case, "downscale", "tile_resize")

        assert not found
        assert skipped["downscale"].startswith("saves nothing")
        assert "same at any size" in skipped["tile_resize"]

    def test_precomputing_leaves_only_duplicates_to_the_answer_cache(self):
        tree = {"demand": {"hours": 100}, "repetition": {"views": 10, "duplicates": 2}, "model": "gemini-2.5-flash"}
        found, _ = steps(case_of(tree), "precompute", "answer_cache")
        alone, _ = steps(case_of(tree), "answer_cache")

        assert found["precompute"].factor == pytest.approx(10, rel=1e-3)
        assert found["answer_cache"].factor == pytest.approx(2, rel=1e-3)
        assert found["answer_cache"].factor_alone == pytest.approx(alone["answer_cache"].factor)
        assert found["answer_cache"].overlap > 0.7

    def test_a_mini_that_costs_more_a_picture_is_not_credited(self):
        """gpt-4o-mini bills 36,835 tokens for a picture that costs 1,105 on gpt-4o."""
        tree = {
            "demand": {"hours": 1},
            "source": {"fps": 1},
            "plan": {"stages": [{"stage": "call", "model": "gpt-4o"}]},
        }
        _, skipped = steps(case_of(tree), type(find("route"))(to="gpt-4o-mini"))

        assert skipped["route"].startswith("would cost more")


class TestSkipped:
    def test_a_small_part_of_the_bill_earns_no_credit(self):
        tree = {"demand": {"hours": 1}, "prompt": {"prefix": 2100, "output": 10}, "model": "gemini-2.5-pro"}
        _, skipped = steps(case_of(tree), "prompt_cache")

        assert skipped["prompt_cache"].startswith("no credit")

    def test_exclusive_levers_name_each_other(self):
        _, skipped = steps(case_of(ARTICLE), "batch_api", "flex")

        assert "batch_api" in skipped["flex"]

    @pytest.mark.parametrize(
        ("lever", "change", "word"),
        [
            ("batch_api", {"latency": "minutes"}, "24 h"),
            ("answer_cache", {}, "unique"),
            ("precompute", {}, "views is 1"),
            ("gate", {}, "not measured"),
            ("flex", {"latency": "seconds"}, "minutes"),
        ],
    )
    def test_the_four_questions_decide(self, lever, change, word):
        _, skipped = steps(case_of(ARTICLE, **change), lever)

        assert word in skipped[lever]

    def test_unknown_quality_is_left_out_under_a_floor(self):
        found, skipped = steps(case_of(ARTICLE, quality_floor=0.95), "downscale", "batch_api")

        assert list(found) == ["batch_api"]
        assert "quality" in skipped["downscale"]

    def test_known_quality_above_the_floor_is_pulled(self):
        found, _ = steps(case_of(ARTICLE, quality_floor=0.95, facts={"quality.downscale": 0.97}), "downscale")

        assert found["downscale"].quality == 0.97


class TestEveryWorkload:
    @pytest.mark.parametrize("model", ["gemini-2.5-pro", "gpt-5.4", "claude-sonnet-5-5", "gemini-3.8-flash"])
    def test_sampling_and_routing_are_offered(self, model):
        found, skipped = steps(
            case_of({"demand": {"hours": 1}, "source": {"fps": 1}, "model": model}), "sample_frames", "route"
        )

        assert set(found) | set(skipped) == {"sample_frames", "route"}
        assert "sample_frames" in found
        assert "route" in found

    def test_order_puts_what_a_day_of_work_saves_first(self):
        case = case_of(ARTICLE)
        names = [
            lever.name
            for lever in ordered(case, [find("route"), find("batch_api"), find("downscale"), find("cascade")])
        ]

        assert names[0] in {"downscale", "batch_api"}
        assert names.index("route") > names.index("batch_api")


def test_a_bill_compared_with_itself_is_untouched():
    case = case_of(ARTICLE)
    bill = price_one(case.workload, case.plan, case.facts, case.book)

    assert compare_bills(bill, bill) == (0.0, 1.0)
