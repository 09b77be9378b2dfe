"""Every example loads, prices and stacks; the worked example of the article comes out to the cent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reelwise.case import Case, load
from reelwise.levers import kinds
from reelwise.price import cost_per_user, price_one
from reelwise.stack import Stack, stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.bill import Bill

FOLDER = Path(__file__).resolve().parents[2] / "examples"
WORKLOADS = sorted(path.stem for path in FOLDER.glob("*.yaml") if not path.stem.endswith("-rates"))


def opened(name: str, *settings: str, levers: Sequence[str] | None = None) -> Case:
    return load(FOLDER / f"{name}.yaml", settings=settings, levers=levers)


def bill(case: Case) -> Bill:
    return price_one(case.workload, case.plan, case.facts, case.book, case.account)


def steps(result: Stack) -> dict[str, float]:
    return {step.lever: step.factor for step in result.steps}


def why_not(result: Stack, lever: str) -> str:
    return next(one.reason for one in result.skipped if one.lever == lever)


def test_there_is_one_for_each_vertical_and_unit() -> None:
    assert {"moderation", "moderation-today", "conferencing", "ott", "elearning", "telemedicine"} <= set(WORKLOADS)
    assert {"surveillance", "speech", "generation", "self-hosted"} <= set(WORKLOADS)


@pytest.mark.parametrize("name", WORKLOADS)
def test_an_example_prices_and_stacks(name: str) -> None:
    case = opened(name)
    now = bill(case)
    # one article sends an hour in one call, longer than the model's context; the other asks a picture API for live frames
    assert now.feasible == (name not in {"moderation", "segmentation"}), now.why
    result = stack(case)
    assert result.steps, "no lever does anything"
    assert result.feasible, result.why
    assert 0 < result.final_usd_month < result.naive_usd_month == pytest.approx(float(now.total_usd))
    assert {step.lever for step in result.steps} | {one.lever for one in result.skipped} == {
        lever.name for lever in case.levers
    }


@pytest.mark.parametrize("name", WORKLOADS)
def test_an_example_says_where_its_facts_come_from(name: str) -> None:
    case = opened(name)
    given = [entry for entry in case.facts.entries if entry.fact.kind == "given" and entry.name != "demand.factor"]
    for entry in given:
        assert "article" in entry.fact.source or "measure your own" in entry.fact.source, entry.name


@pytest.mark.parametrize("name", WORKLOADS)
def test_an_example_can_be_tried_with_every_lever(name: str) -> None:
    result = stack(opened(name, levers=list(kinds())))
    assert result.final_usd_month <= result.naive_usd_month


def test_together_they_are_billed_in_every_unit_of_the_article() -> None:
    units = {
        (line.rate.unit, line.stage) for name in WORKLOADS for line in bill(opened(name)).lines if line.usd_month > 0
    }
    names = {unit for unit, _ in units}
    assert {"tokens_text", "tokens_video", "tokens_audio", "tokens_image", "tokens_output"} <= names
    assert ("minute", "call") in units  # audio minutes
    assert ("second", "call") in units  # generated seconds
    assert ("hour", "host") in units  # GPU hours
    assert ("gb_month", "keep") in units  # stored bytes
    assert ("gb", "send") in units


def test_the_article_to_the_cent() -> None:
    result = stack(opened("moderation"))
    assert round(result.naive_usd_month, 2) == 135_000.00
    assert [(step.lever, round(step.total_usd_month, 2)) for step in result.steps] == [
        ("downscale", 45_000.00),
        ("route", 9_360.00),
        ("batch_api", 4_680.00),
    ]
    assert round(result.factor, 3) == 28.846
    assert [round(step.factor, 4) for step in result.steps] == [3.0, 4.8077, 2.0]
    assert all(step.overlap == pytest.approx(0, abs=1e-9) for step in result.steps)
    assert result.skipped == ()


def test_the_article_again_with_the_flagships_calls_below_the_cliff() -> None:
    result = stack(opened("moderation", levers=["downscale", "route", "batch_api", "chunk_below_cliff"]))
    last = result.steps[-1]
    assert round(last.total_usd_month, 2) == 3_555.00
    assert last.touched_share == pytest.approx(0.4808, abs=1e-4)  # diluted by the routed clips
    assert last.factor_on_touched == pytest.approx(2.0)
    assert round(result.factor, 2) == 37.97


def test_the_articles_units_an_hour() -> None:
    case = opened("moderation")
    now = bill(case)
    assert float(now.total_usd) / 50_000 == pytest.approx(2.70)
    assert sum(float(line.quantity) for line in now.lines) / 50_000 == pytest.approx(1_080_000)


def test_the_articles_hour_does_not_fit_into_one_call() -> None:
    result = stack(opened("moderation"))
    assert not result.naive_feasible
    assert "1,080,000 tokens does not fit" in result.naive_why[0]
    assert result.feasible  # at 100 tokens a second it does


def test_moderation_today_is_billed_by_frame_sound_policy_and_answer() -> None:
    case = opened("moderation-today")
    lines = {line.unit: line for line in bill(case).lines}
    assert float(lines["tokens_video"].quantity) == pytest.approx(50_000 * 3600 * 258)
    assert float(lines["tokens_audio"].quantity) == pytest.approx(50_000 * 3600 * 32)
    assert float(lines["tokens_text"].quantity) == pytest.approx(50_000 * 3_050)
    assert float(lines["tokens_output"].quantity) == pytest.approx(50_000 * 300)
    result = stack(case)
    found = steps(result)
    assert found["downscale"] < 3.0  # the sound stays
    assert found["route"] < 4.8077  # sound costs more than frames on the small model
    assert found["batch_api"] == pytest.approx(2.0, rel=1e-3)
    assert "no credit" in why_not(result, "prompt_cache")  # the article's fourth lever: the video dominates


def test_low_saves_nothing_on_gemini_3() -> None:
    today = stack(opened("moderation-today", "plan.stages.0.model=gemini-3.1-pro-preview", levers=["downscale"]))
    assert today.steps == ()
    assert "saves nothing" in why_not(today, "downscale")


def test_surveillance_lives_on_its_gate() -> None:
    found = steps(stack(opened("surveillance")))
    assert found["gate"] == max(found.values())
    assert found["gate"] > 25
    without_text = stack(opened("surveillance", "prompt={}", levers=["gate"]))
    assert without_text.factor == pytest.approx(50, rel=1e-6)  # 2 % of the footage: fiftyfold, where footage is all


def test_an_archive_lives_on_precomputing() -> None:
    result = stack(opened("ott"))
    found = steps(result)
    assert found["precompute"] == max(found.values())
    assert found["precompute"] == pytest.approx(40, rel=0.05)
    refused = stack(opened("ott", "repetition.views=1", levers=["precompute"]))
    assert refused.steps == ()


def test_conferencing_lives_on_caching_and_refuses_what_waits() -> None:
    result = stack(opened("conferencing"))
    found = steps(result)
    assert found["prompt_cache"] == max(found.values())
    assert "batch takes up to 24 h" in why_not(result, "batch_api")


def test_conferencing_says_what_a_user_costs_and_pays() -> None:
    case = opened("conferencing")
    costs = cost_per_user(case.workload, bill(case))
    pays = {one.name: one.revenue_usd for one in case.workload.demand.classes}
    assert set(costs) == set(pays) == {"free", "team"}
    final = price_one(case.workload, stack(case).plan, case.facts, case.book, case.account)
    for name, usd in (("free", 0.5), ("team", 4.0)):
        mean = float(cost_per_user(case.workload, final)[name][0].mean())  # type: ignore[union-attr]
        assert 0 < mean < usd
    assert float(costs["team"][0].mean()) > (pays["team"] or 0)  # type: ignore[union-attr]


def test_lectures_live_on_asking_once() -> None:
    found = steps(stack(opened("elearning")))
    assert found["ask_once"] == max(found.values())
    assert found["ask_once"] > 8


def test_a_visit_note_lives_on_smaller_pictures() -> None:
    result = stack(opened("telemedicine"))
    found = steps(result)
    assert found["downscale"] == max(found.values())
    assert "batch" in why_not(result, "batch_api")


def test_speech_is_cut_by_silence_and_on_another_provider_by_batch() -> None:
    here = stack(opened("speech"))
    assert here.naive_usd_month == pytest.approx(8000 * 60 * 0.006)
    assert steps(here) == {"trim_silence": pytest.approx(1 / 0.65)}
    assert "no batch price" in why_not(here, "batch_api")
    there = stack(opened("speech", "plan.stages.0.model=groq/whisper-large-v3"))
    assert steps(there) == {"trim_silence": pytest.approx(1 / 0.65), "batch_api": pytest.approx(2.0)}


def test_generation_is_cut_by_resolution() -> None:
    result = stack(opened("generation"))
    assert steps(result) == {"downscale": pytest.approx(3.0)}
    assert result.naive_usd_month == pytest.approx(6000 * 8 * 0.30)


def test_self_hosting_pays_for_machines_bytes_and_egress() -> None:
    case = opened("self-hosted")
    parts = {line.stage: line for line in bill(case).lines}
    assert set(parts) == {"keep", "send", "host"}
    assert float(parts["host"].quantity) % 730 == pytest.approx(0)  # whole machines, all month
    assert parts["host"].usd_month > parts["keep"].usd_month + parts["send"].usd_month
    assert stack(case).steps[0].lever == "sample_frames"
