"""Calls in batches: settled once each, whatever ends early."""

from __future__ import annotations

import pytest

from reelwise.errors import AmbiguousError, BusyError
from reelwise.ledger.queries import export
from reelwise.models.anthropic_batch import AnthropicBatches
from reelwise.models.gemini_batch import GeminiBatches
from reelwise.models.openai_batch import OpenAIBatches

SAMPLE = {"stage": "sample", "fps": 0.5}
MODELS = ["gemini-2.5-flash", "gpt-4o", "claude-haiku-4-5"]
QUICK = {"batch_seconds": 0.1}
WIRES = dict(zip(MODELS, (GeminiBatches, OpenAIBatches, AnthropicBatches), strict=True))


def stages(model):
    return [SAMPLE, {"stage": "call", "model": model, "mode": "batch"}]


@pytest.mark.parametrize("model", MODELS)
def test_a_batch_is_submitted_collected_and_settled_at_the_batch_price(model, copies, write_plan, open_session):
    paths = copies(3)
    results = {}
    for mode in ("batch", "standard"):
        plan = write_plan(SAMPLE, {"stage": "call", "model": model, "mode": mode}, name=f"{mode}.yaml")
        with open_session(plan, out=mode, scenario=QUICK) as (session, job):
            results[mode] = session.run(job.case.plan, session.decoded(paths))
            assert not session.ledger.jobs()
    batch, standard = results["batch"].receipt, results["standard"].receipt

    assert [one.status for one in results["batch"].results] == ["ok"] * 3
    assert all(one.label for one in results["batch"].outcomes)
    assert batch.reconciled.residual_nano == 0
    assert batch.usage["tokens_output"] == standard.usage["tokens_output"]
    assert batch.cost_nano == pytest.approx(standard.cost_nano / 2, rel=0.001)


@pytest.mark.parametrize("model", MODELS)
def test_rows_that_fail_are_not_paid_and_are_made_again(model, copies, write_plan, open_session):
    paths = copies(5)
    plan = write_plan(*stages(model))
    for seed in range(20):  # which rows fail depends on the clip's bytes: another encoder, other rows
        out = f"out{seed}"
        with open_session(plan, out=out, scenario={**QUICK, "batch_done": 0.5, "seed": seed}) as (session, job):
            first = session.run(job.case.plan, session.decoded(paths))
        if 0 < [one.status for one in first.outcomes].count("failed") < 5:
            break
    with open_session(plan, out=out, scenario={**QUICK, "seed": seed}) as (session, job):
        second = session.run(job.case.plan, session.decoded(paths))
        rows = [row for page in export(session.ledger.store) for row in page]
    failed = [one for one in first.outcomes if one.status == "failed"]

    assert 0 < len(failed) < 5
    assert first.receipt.reconciled.residual_nano == 0
    assert [one.status for one in second.results] == ["ok"] * 5
    assert len(rows) == 5
    assert sum(row["cost_nano"] for row in rows) == second.receipt.cost_nano


@pytest.mark.parametrize("model", MODELS)
def test_a_batch_that_expires_is_not_paid(model, drawn_clip, write_plan, open_session):
    late = {"batch_seconds": 90_000.0, "batch_done": 0.0, "clock_speed": 1e6}
    with open_session(write_plan(*stages(model)), scenario=late) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
        open_jobs = session.ledger.jobs()

    assert [one.status for one in result.results] == ["failed"]
    assert result.outcomes[0].reason == "expired"
    assert result.receipt.cost_nano == result.receipt.reconciled.invoice_nano == 0
    assert not open_jobs


@pytest.mark.parametrize("model", MODELS)
def test_a_run_that_gives_up_waiting_goes_on_with_the_same_batch(model, copies, write_plan, open_session, monkeypatch):
    paths = copies(2)
    submitted = []
    wire = WIRES[model]
    real = wire.submit
    monkeypatch.setattr(
        wire, "submit", lambda self, rows, identity: submitted.append(identity) or real(self, rows, identity)
    )
    with open_session(write_plan(*stages(model)), scenario={"batch_seconds": 30.0}) as (session, job):
        tracks = session.decoded(paths)
        session._waits = session._waits.__class__(seconds=0.3)
        first = session.run(job.case.plan, tracks)
        session.box.desk.clock.ahead(60)
        second = session.run(job.case.plan, tracks)

    assert isinstance(first.stopped, BusyError)
    assert [one.status for one in second.results] == ["ok", "ok"]
    assert len(submitted) == 1


def dies_after_submitting(monkeypatch, wire):
    """Let the first submission be accepted, and the process die before it knows."""
    real, lost = wire.submit, []

    def dies(self, rows, identity):
        job = real(self, rows, identity)
        if not lost:
            lost.append(job.id)
            raise KeyboardInterrupt
        return job

    monkeypatch.setattr(wire, "submit", dies)
    return lost


@pytest.mark.parametrize("model", MODELS)
def test_a_submission_whose_reply_is_lost_is_found_again_and_not_sent_twice(
    model, drawn_clip, write_plan, open_session, monkeypatch
):
    lost = dies_after_submitting(monkeypatch, WIRES[model])
    with open_session(write_plan(*stages(model)), scenario={"batch_seconds": 30.0}) as (session, job):
        tracks = session.decoded([drawn_clip])
        with pytest.raises(KeyboardInterrupt):
            session.run(job.case.plan, tracks)
        session.box.desk.clock.ahead(60)
        result = session.run(job.case.plan, tracks)
        rows = [row for page in export(session.ledger.store) for row in page]

    assert [one.status for one in result.results] == ["ok"]
    assert len(lost) == 1
    assert len(rows) == 1
    assert rows[0]["cost_nano"] == result.receipt.cost_nano


def test_a_lost_submission_to_a_vendor_that_keeps_no_name_is_said_and_not_sent_twice(
    drawn_clip, write_plan, open_session, monkeypatch
):
    lost = dies_after_submitting(monkeypatch, AnthropicBatches)
    with open_session(write_plan(*stages("claude-haiku-4-5")), scenario={"batch_seconds": 30.0}) as (session, job):
        tracks = session.decoded([drawn_clip])
        with pytest.raises(KeyboardInterrupt):
            session.run(job.case.plan, tracks)
        early = session.run(job.case.plan, tracks)  # it is not over: its rows cannot be looked at
        session.box.desk.clock.ahead(60)
        late = session.run(job.case.plan, tracks)

    assert isinstance(early.stopped, AmbiguousError)
    assert "console" in early.stopped.hint
    assert [one.status for one in late.results] == ["ok"]
    assert len(lost) == 1


@pytest.mark.parametrize("model", MODELS)
def test_a_row_that_was_posted_before_the_crash_is_not_posted_again(
    model, drawn_clip, write_plan, open_session, monkeypatch
):
    from reelwise.run.journal import Journal

    real = Journal.end

    def dies(self, outcome):
        if outcome.status == "ok":
            raise KeyboardInterrupt
        real(self, outcome)

    monkeypatch.setattr(Journal, "end", dies)
    with open_session(write_plan(*stages(model)), scenario=QUICK) as (session, job):
        tracks = session.decoded([drawn_clip])
        with pytest.raises(KeyboardInterrupt):
            session.run(job.case.plan, tracks)
        monkeypatch.setattr(Journal, "end", real)
        result = session.run(job.case.plan, tracks)
        rows = [row for page in export(session.ledger.store) for row in page]

    assert [one.status for one in result.results] == ["ok"]
    assert [row["cost_nano"] for row in rows] == [result.receipt.cost_nano]
