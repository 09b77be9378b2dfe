"""Figures of the two articles and of the levers beyond them, priced by the plan that causes them."""

from __future__ import annotations

import datetime as dt

import pytest

from reelwise.account import Account
from reelwise.case import make
from reelwise.errors import UnknownModelError, UnpricedError
from reelwise.price import per_unit, price, price_one

DAY = "2026-11-22"
LIST = {"free_tiers": False}


def bill(tree, **more):
    case = make({"feature": "f", "day": DAY, "account": LIST, **tree, **more}, where="test")
    return case, price_one(case.workload, case.plan, case.facts, case.book, case.account)


def total(tree, **more):
    return float(bill(tree, **more)[1].total_usd)


def images(count, model="aws/rekognition/group1"):
    """`count` single pictures a month."""
    return {"demand": {"clips": count, "seconds": 1}, "source": {"fps": 1}, "model": model}


class TestArticleB:
    @pytest.mark.parametrize(
        ("model", "usd"),
        [
            ("aws/rekognition/group1", 0.30),
            ("aws/rekognition/video-stored", 0.016667),
            ("fal/sam-3", 0.095),  # whole blocks: 19 of 16 frames; 0.09375 if parts of a block were billed
        ],
    )
    def test_session_of_ten_seconds_at_thirty_fps(self, model, usd):
        assert total({"demand": {"clips": 1, "seconds": 10}, "model": model}) == pytest.approx(usd, abs=5e-7)

    def test_minute_by_image_costs_eighteen_times_the_minute_by_video(self):
        minute = {"demand": {"clips": 1, "seconds": 60}}
        by_image = total({**minute, "model": "aws/rekognition/group1"})
        by_video = total({**minute, "model": "aws/rekognition/video-stored"})

        assert (by_image, by_video) == (pytest.approx(1.80), pytest.approx(0.10))

    def test_month_of_hundred_users(self):
        users = {"demand": {"users": 100, "sessions": 30, "seconds": 10}}

        assert total({**users, "model": "aws/rekognition/group1"}) == pytest.approx(900.0)
        assert total({**users, "model": "aws/rekognition/video-stored"}) == pytest.approx(50.0)

    def test_free_tier_takes_off_a_thousand_images(self):
        tree = {"demand": {"users": 100, "sessions": 30, "seconds": 10}, "model": "aws/rekognition/group1"}

        assert total(tree, account={"free_tiers": True}) == pytest.approx(899.0)

    def test_half_the_frame_rate_halves_pictures_but_not_minutes(self):
        for model, factor in (("aws/rekognition/group1", 2.0), ("aws/rekognition/video-stored", 1.0)):
            tree = {"demand": {"clips": 1, "seconds": 60}, "model": model}
            slow = total(tree, source={"fps": 15})

            assert total(tree) / slow == pytest.approx(factor)

    def test_own_gpu_a_million_frames(self):
        tree = {
            "demand": {"clips": 1_000_000, "seconds": 1},
            "source": {"fps": 1},
            "plan": {
                "stages": [{"stage": "call", "host": "gpu"}],
                "hosts": [{"name": "gpu", "sku": "aws/g4dn.xlarge", "scale": "auto"}],
            },
            "facts": {"host.gpu.frames_per_second": 15},
        }

        assert total(tree) == pytest.approx(9.7407, abs=1e-3)
        assert total(images(1_000_000)) / total(tree) == pytest.approx(102.66, abs=0.01)

    @pytest.mark.parametrize(
        ("count", "usd"), [(900_000, 900.0), (5_000_000, 4200.0), (35_000_000, 22200.0), (50_000_000, 28200.0)]
    )
    def test_graduated_tiers(self, count, usd):
        assert total(images(count)) == pytest.approx(usd)

    def test_revenue_per_user_that_half_a_percent_implies(self):
        """0.002 USD a user at 0.5 % of revenue is 0.40 USD of revenue."""
        classes = [{"name": "all", "users": 1000, "sessions": 1, "seconds": 1.2, "revenue_usd": 0.40}]
        case, found = bill({"demand": {"classes": classes}, "model": "aws/rekognition/video-stored"})
        each = per_unit(case.workload, found.total_usd)["user"]

        assert each == pytest.approx(0.002)
        assert each / classes[0]["revenue_usd"] == pytest.approx(0.005)


class TestLongContext:
    @pytest.mark.parametrize(
        ("model", "tokens", "usd"),
        [
            ("gemini-2.5-pro", 200_000, 0.25),
            ("gemini-2.5-pro", 200_001, 0.5000025),
            ("claude-haiku-5-5", 100_000, 0.01),
            ("claude-haiku-5-5", 100_001, 0.0500005),
        ],
    )
    def test_one_token_over_the_cliff_reprices_the_whole_request(self, model, tokens, usd):
        tree = {
            "demand": {"clips": 1, "seconds": 1},
            "prompt": {"question": tokens},
            "plan": {"stages": [{"stage": "call", "model": model, "part": "audio"}]},
            "source": {"audio": False},
        }

        assert total(tree) == pytest.approx(usd, rel=1e-9)

    def test_hour_in_one_call_and_in_chunks(self):
        """1.08 million tokens, a prompt of 2,000 and an answer of 300 a call: 2.7095 whole, 1.3830 in six chunks."""
        call = {"stage": "call", "model": "gemini-2.5-pro", "token_rule": "gemini_2x_per_second"}
        tree = {"demand": {"hours": 1}, "prompt": {"question": 2000, "output": 300}}

        assert total(tree, plan={"stages": [call]}) == pytest.approx(2.7095)
        assert total(tree, plan={"stages": [{**call, "chunk": "below_cliff"}]}) == pytest.approx(1.3830)


class TestQuestions:
    TREE = {"demand": {"hours": 1}, "repetition": {"questions": 10}}
    CALL = {"stage": "call", "model": "gemini-2.5-pro", "token_rule": "gemini_2x_per_second"}

    def test_apart_cached_and_together(self):
        apart = total(self.TREE, plan={"stages": [self.CALL]})
        cached = total(self.TREE, plan={"stages": [{**self.CALL, "cache": "explicit", "cache_hours": 1}]})
        together = total(self.TREE, plan={"stages": [{**self.CALL, "ask": "once"}]})

        assert (apart, cached, together) == (pytest.approx(27.0), pytest.approx(10.26), pytest.approx(2.70))


class TestAudio:
    def test_dropping_the_sound_of_an_hour_on_flash(self):
        call = {"stage": "call", "model": "gemini-2.5-flash", "token_rule": "gemini_2x_timestamped"}
        tree = {"demand": {"hours": 1}}

        assert total(tree, plan={"stages": [call]}) == pytest.approx(0.39924, abs=1e-5)
        assert total(tree, plan={"stages": [{"stage": "audio", "keep": False}, call]}) == pytest.approx(
            0.28404, abs=1e-5
        )


class TestFrameRates:
    @pytest.mark.parametrize(("fps", "tokens"), [(1, 342_000), (0.5, 216_000), (0.2, 140_400), (0.1, 115_200)])
    def test_hour_on_gemini_3(self, fps, tokens):
        stages = [{"stage": "sample", "fps": fps}, {"stage": "call", "model": "gemini-3-flash-preview"}]
        _, found = bill({"demand": {"hours": 1}, "plan": {"stages": stages}})

        assert sum(float(line.quantity) for line in found.lines) == pytest.approx(tokens)


class TestAccount:
    def test_features_share_the_tiers_of_one_account(self):
        """Two features of 600,000 images are billed like one of 1.2 million: the second million is cheaper for both."""
        case, _ = bill(images(600_000))
        jobs = [(case.workload, case.plan), (case.workload, case.plan)]
        found = price(jobs, case.facts, case.book, Account(free_tiers=False))

        assert float(found.total_usd) == pytest.approx(1000 + 200_000 * 0.0008)

    def test_unknown_model_is_an_error(self):
        with pytest.raises(UnknownModelError):
            bill(images(1, "gemini-9-ultra"))

    def test_known_thing_without_a_price_is_an_error(self):
        with pytest.raises(UnpricedError):
            bill(images(1, "azure/video-indexer"))


class TestFeasible:
    def test_batch_is_too_slow_for_minutes(self):
        _, found = bill(
            {
                "demand": {"hours": 1},
                "plan": {"stages": [{"stage": "call", "model": "gemini-2.5-flash", "mode": "batch"}]},
            }
        )

        assert not found.feasible
        assert "latency class" in found.why[0]

    def test_a_call_longer_than_the_context_says_so(self):
        stages = [{"stage": "call", "model": "gemini-2.5-flash", "token_rule": "gemini_2x_per_second"}]
        _, found = bill({"demand": {"hours": 1}, "latency": "day", "plan": {"stages": stages}})

        assert not found.feasible
        assert "context" in found.why[0]


class TestDays:
    def test_a_forecast_uses_the_prices_of_its_day(self):
        tree = {"demand": {"hours": 100}, "model": "gemini-3.8-flash", "source": {"audio": False}}
        before, after = (total({**tree, "day": day}) for day in ("2026-12-31", "2027-01-01"))

        assert after / before == pytest.approx(2.0)

    def test_default_day_is_today(self):
        case = make({"feature": "f", "demand": {"hours": 1}}, where="test")

        assert abs((case.day - dt.datetime.now(tz=dt.UTC).date()).days) <= 1


def test_all_five_units_of_the_article_and_egress_are_priced():
    cases = {
        "tokens_video": {"demand": {"hours": 1}, "model": "gemini-2.5-pro"},
        "minute": {"demand": {"hours": 1}, "kind": "transcribe", "model": "openai/whisper-1"},
        "second": {"demand": {"clips": 10, "seconds": 8}, "kind": "generate", "model": "google/veo-3.1-fast"},
        "gb_month": {
            "demand": {"hours": 1},
            "plan": {"stages": [{"stage": "keep"}, {"stage": "send"}, {"stage": "call", "model": "gemini-2.5-pro"}]},
        },
        "hour": {
            "demand": {"hours": 1},
            "plan": {"stages": [{"stage": "call", "host": "g"}], "hosts": [{"name": "g", "sku": "aws/g4dn.xlarge"}]},
            "facts": {"host.g.frames_per_second": 15},
        },
    }
    for unit, tree in cases.items():
        _, found = bill(tree)
        amounts = {line.unit: float(line.usd_month) for line in found.lines}

        assert amounts[unit] > 0, unit
    _, kept = bill(cases["gb_month"])
    assert {line.unit for line in kept.lines} >= {"gb_month", "gb", "tokens_video"}
