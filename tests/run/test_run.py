"""Plans run against a sandbox: what is sent, what it costs, what the invoice says."""

from __future__ import annotations

import shutil

import msgspec
import pytest

from reelwise.errors import InputError
from reelwise.ledger.queries import export
from reelwise.run.session import naive_plan

CALL = {"stage": "call", "model": "gemini-2.5-flash"}
PLANS = {
    "native video": [CALL],
    "native video at low resolution": [{**CALL, "detail": "low"}],
    "gated": [{"stage": "gate"}, CALL],
    "cropped and gated": [{"stage": "gate"}, {"stage": "crop"}, CALL],
    "sampled, native": [{"stage": "sample", "fps": 0.5}, CALL],
    "adaptive, native": [{"stage": "sample", "fps": 1.0, "by": "change"}, CALL],
    "no sound": [{"stage": "audio", "keep": False}, CALL],
    "silence trimmed": [{"stage": "audio", "trim_silence": True}, CALL],
    "pictures": [{"stage": "sample", "fps": 1.0}, {"stage": "call", "model": "gpt-4o"}],
    "pictures at low detail": [{"stage": "sample", "fps": 1.0}, {"stage": "call", "model": "gpt-4o", "detail": "low"}],
    "small pictures": [
        {"stage": "sample", "fps": 1.0}, {"stage": "scale", "long_side": 160}, {"stage": "call", "model": "gpt-4.1-mini"},
    ],
    "pictures to Anthropic": [{"stage": "sample", "fps": 0.5}, {"stage": "call", "model": "claude-haiku-4-5"}],
    "contact sheets": [
        {"stage": "sample", "fps": 1.0}, {"stage": "pack", "columns": 2, "rows": 2, "long_side": 640},
        {"stage": "call", "model": "gpt-4o"},
    ],
    "contact sheets to Gemini": [{"stage": "pack"}, CALL],
    "chunks": [{**CALL, "chunk": 5.0}],
    "sound alone": [{**CALL, "part": "audio"}],
    "flex": [{"stage": "sample", "fps": 1.0}, {"stage": "call", "model": "gpt-5-mini", "mode": "flex"}],
    "few pictures a call": [{"stage": "sample", "fps": 1.0}, {"stage": "call", "model": "gpt-4o", "pictures_a_call": 5}],
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_what_is_sent_is_what_was_expected_and_what_is_posted_is_what_is_invoiced(
    name, drawn_clip, write_plan, open_session
):
    with open_session(write_plan(*PLANS[name])) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert [one.status for one in result.results] == ["ok"]
    assert result.receipt.reconciled.residual_nano == 0
    assert result.receipt.reconciled.invoice_nano == result.receipt.cost_nano > 0
    for side in result.receipt.estimate:
        if side.unit in {"calls", "tokens_image", "tokens_video"}:
            assert side.predicted == side.metered, side
        if side.unit == "tokens_audio" and name != "silence trimmed":
            assert side.predicted == pytest.approx(side.metered, abs=4)


ONCE = {
    "gemini": [CALL],
    "openai": [{"stage": "sample", "fps": 0.5}, {"stage": "call", "model": "gpt-4o"}],
    "anthropic": [{"stage": "sample", "fps": 0.5}, {"stage": "call", "model": "claude-haiku-4-5"}],
}


@pytest.mark.parametrize("kind", ONCE)
def test_several_questions_are_asked_one_by_one_or_all_at_once(kind, drawn_clip, write_plan, open_session):
    ask = {"task": "ask", "questions": ["What happens?", "How many people?", "Is it dark?"], "output_most": 300}
    found = {}
    for how in ("each", "once"):
        *before, call = ONCE[kind]
        plan = write_plan(*before, {**call, "ask": how}, ask=ask, name=f"{how}.yaml")
        with open_session(plan, out=how) as (session, job):
            found[how] = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert found["each"].receipt.requests == {"ok": 3}
    assert found["once"].receipt.requests == {"ok": 1}
    assert [len(one.results[0].answers) for one in found.values()] == [3, 3]
    assert all(said.text for said in found["once"].results[0].answers)
    assert found["once"].receipt.cost_nano < found["each"].receipt.cost_nano
    assert all(one.receipt.reconciled.residual_nano == 0 for one in found.values())
    if kind == "gemini":
        assert found["once"].receipt.usage["tokens_video"] * 3 == found["each"].receipt.usage["tokens_video"]


def test_a_long_item_is_split_below_the_cliff_and_its_answers_are_put_together(drawn_clip, write_plan, open_session):
    # with 24 pictures of 84 tokens the call is above 100,000 tokens, where all of it costs five times as much
    ask = {"task": "describe", "policy": "Be brief. " * 39_500, "output_most": 200}
    stages = [{"stage": "sample", "fps": 2.0}, {"stage": "call", "model": "claude-haiku-5-5"}]
    with open_session(write_plan(*stages, ask=ask)) as (session, job):
        tracks = session.decoded([drawn_clip])
        plan = job.case.plan
        below = plan.put(msgspec.structs.replace(plan.stages[1], chunk="below_cliff"))
        whole, split = (session.run(one, tracks, name=one.hash) for one in (plan, below))

    assert (whole.receipt.requests, split.receipt.requests) == ({"ok": 1}, {"ok": 2})
    assert whole.receipt.usage["tokens_text"] > 100_000
    assert all(one.units["tokens_text"] < 100_000 for one in split.outcomes)
    assert split.results[0].answers[0].parts == 2
    assert split.results[0].answers[0].text == "\n".join(one.text for one in split.outcomes)
    assert whole.receipt.cost_nano > 2 * split.receipt.cost_nano
    for result in (whole, split):
        assert result.receipt.reconciled.residual_nano == 0
        assert result.receipt.estimate[0].error == pytest.approx(0, abs=0.02)


def test_facts_of_a_run_make_the_next_estimate_right(drawn_clip, write_plan, open_session, tmp_path):
    from reelwise.run.learned import keep

    plan = write_plan(CALL)
    errors = []
    for number in range(2):
        with open_session(plan, out=f"{number}", evidence=tmp_path / "evidence") as (session, job):
            tracks = session.decoded([drawn_clip])
            result = session.run(job.case.plan, tracks)
        errors.append(abs(result.receipt.estimate[0].error))
        keep(tmp_path / "evidence", tracks, result.facts)

    assert {entry.name for entry in result.facts} >= {"call.tokens_output", "call.text_factor"}
    assert errors[1] < 0.001 < errors[0]


def test_levers_are_run_one_after_another_and_each_has_a_metered_factor(drawn_clip, write_plan, open_session):
    from reelwise.run.ablation import ablation

    levers = [{"lever": "sample_frames", "fps": 0.5}, {"lever": "downscale"}, {"lever": "drop_audio"}]
    plan = write_plan({"stage": "call", "model": "gemini-2.5-pro"}, levers=levers)
    with open_session(plan) as (session, job):
        tracks = session.decoded([drawn_clip])
        added = ablation(session, job, tracks)
        without = ablation(session, job, tracks, without_each=True)

    assert [step.lever for step in added.steps] == ["", "sample_frames", "downscale", "drop_audio"]
    assert all(step.metered_factor > 1 for step in added.steps[1:])
    assert added.factor == pytest.approx(added.steps[0].metered_usd / added.steps[-1].metered_usd)
    assert without.steps[0].metered_usd == added.steps[-1].metered_usd
    assert all(step.metered_factor > 1 for step in without.steps[1:])
    assert all(step.result.receipt.reconciled.residual_nano == 0 for step in (*added.steps, *without.steps))


def test_a_wrong_price_shows_as_a_residual(drawn_clip, write_plan, open_session):
    wrong = {"prices": {"gemini-2.5-flash": {"output": 2.51}}}
    with open_session(write_plan(CALL), scenario=wrong) as (session, job):
        held = session.run(job.case.plan, session.decoded([drawn_clip])).receipt.reconciled

    assert held.residual_nano > 0
    assert len(held.differences) == 1


def test_the_ledger_has_a_row_for_each_call_with_what_it_used(drawn_clip, write_plan, open_session):
    with open_session(write_plan(CALL)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
        rows = [row for page in export(session.ledger.store) for row in page]

    assert [row["cost_nano"] for row in rows] == [result.receipt.cost_nano]
    assert rows[0]["tokens_video"] == result.receipt.usage["tokens_video"]
    assert rows[0]["plan"] == result.receipt.plan_hash


def test_the_naive_plan_asks_the_dearest_lane_about_everything(write_plan):
    from reelwise.run.job import read_job

    stages = [
        {"stage": "gate"}, {"stage": "sample", "fps": 0.2}, {"stage": "call", "model": "gpt-4o-mini"},
        {"stage": "escalate"}, {"stage": "call", "lane": "doubt", "model": "gpt-4o"},
    ]  # fmt: skip
    found = naive_plan(read_job(write_plan(*stages)).case.plan)

    assert [type(stage).__name__ for stage in found.stages] == ["Sample", "Call"]
    assert found.stages[-1].model == "gpt-4o"


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ({"stage": "call", "model": "gpt-4o", "part": "video"}, "takes no video"),
        ({"stage": "call", "model": "claude-haiku-4-5", "part": "audio"}, "takes no sound"),
        ({"stage": "call", "model": "aws/rekognition/labels"}, "no endpoint is known"),
        ({"stage": "call", "model": "google/veo-3.1-fast", "part": "generate"}, "nothing says what the video shows"),
    ],
)
def test_a_plan_that_cannot_run_is_refused_before_anything_is_sent(stage, said, drawn_clip, write_plan, open_session):
    with open_session(write_plan(stage)) as (session, job), pytest.raises(InputError, match=said):
        session.run(job.case.plan, session.decoded([drawn_clip]))


def test_each_frame_of_a_long_clip_is_not_sent_by_accident(tmp_path, write_plan, open_session):
    from reelwise import video

    path = tmp_path / "long.mp4"
    video.draw_demo(path, seconds=320, width=64, height=36, fps=10)
    with open_session(write_plan({"stage": "call", "model": "gpt-4o"})) as (session, job):
        result = session.run(job.case.plan, session.decoded([path]))

    assert result.results[0].status == "broken"
    assert "each frame of it" in result.results[0].why


def test_a_source_that_ends_early_is_run_as_far_as_it_goes(drawn_clip, tmp_path, write_plan, open_session):
    whole = drawn_clip.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: int(len(whole) * 0.7)])
    other = tmp_path / "other.mp4"
    shutil.copy(drawn_clip, other)
    with open_session(write_plan(CALL)) as (session, job):
        result = session.run(job.case.plan, session.decoded([cut, other]))

    assert [one.status for one in result.results][1] == "ok"
    assert result.receipt.reconciled.residual_nano == 0
