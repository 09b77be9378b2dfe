"""Prompt caches for real: a prefix that is kept, and a clip that is put up once for many questions."""

from __future__ import annotations

import pytest

from reelwise.run.caching import break_even

LONG = "You watch a loading bay. " + "Say what happens, and nothing of what you only guess. " * 150
QUESTIONS = [f"What happens in part {number}?" for number in range(6)]
ASK = {"task": "ask", "policy": LONG, "questions": QUESTIONS, "output_most": 60}


def run(open_session, plan, clip, **more):
    with open_session(plan, **more) as (session, job):
        return session.run(job.case.plan, session.decoded([clip])), job


def test_a_clip_is_put_into_a_cache_once_and_read_for_each_question(drawn_clip, write_plan, open_session):
    call = {"stage": "call", "model": "gemini-2.5-pro", "cache_hours": 0.1}
    cached, _ = run(open_session, write_plan({**call, "cache": "explicit"}, ask=ASK), drawn_clip, out="cached")
    plain, _ = run(open_session, write_plan(call, ask=ASK), drawn_clip, out="plain")

    assert cached.receipt.requests == {"ok": 7}  # the cache, and six questions
    assert cached.receipt.reconciled.residual_nano == 0
    assert cached.receipt.reconciled.invoice_nano == cached.receipt.cost_nano
    assert cached.receipt.usage["tokens_video"] * 6 == plain.receipt.usage["tokens_video"]
    assert cached.receipt.cost_nano < plain.receipt.cost_nano / 2
    assert cached.receipt.estimate[0].error == pytest.approx(0, abs=0.3)
    assert len(cached.results[0].answers) == 6


def test_a_cache_that_does_not_pay_is_said_with_its_break_even(drawn_clip, write_plan, open_session):
    call = {"stage": "call", "model": "gemini-2.5-pro", "cache": "explicit", "cache_hours": 24}
    result, job = run(open_session, write_plan(call, ask={**ASK, "questions": QUESTIONS[:1]}), drawn_clip)
    said = next(note for note in result.notes if "costs more than it saves" in note)
    stage = job.case.plan.stages[0]

    assert "it pays" in said
    assert (
        break_even(
            stage.__class__(model="gemini-2.5-pro", cache="explicit", cache_hours=0.01),
            item(job),
            job.case.facts,
            job.case.book,
        )
        <= 3
    )


def item(job):
    from reelwise.flow import Item

    return Item(
        count=1.0, seconds=60.0, frames=60.0, width_px=320, height_px=180, tokens_prefix=2000.0, tokens_prompt=10.0,
        tokens_output=50.0, footage=job.case.workload.footage,
    )  # fmt: skip


@pytest.mark.parametrize("model", ["gpt-4o", "claude-haiku-4-5"])
def test_a_prefix_is_read_from_the_cache_after_the_first_call_and_its_share_is_a_fact(
    model, drawn_clip, write_plan, open_session
):
    stages = [{"stage": "sample", "fps": 0.2}, {"stage": "call", "model": model, "cache": "prefix"}]
    result, _ = run(open_session, write_plan(*stages, ask=ASK), drawn_clip, at_once=1)
    share = next(entry for entry in result.facts if entry.name == "cache.prefix_hit_share")

    assert result.receipt.usage["tokens_cached"] > 5 * 1024
    assert share.fact.value == pytest.approx(5 / 6, abs=0.08)
    assert result.receipt.reconciled.residual_nano == 0


def test_an_interrupted_run_reads_the_cache_that_is_there(drawn_clip, write_plan, open_session, monkeypatch):
    from reelwise.models.gemini import Gemini

    plan = write_plan({"stage": "call", "model": "gemini-2.5-pro", "cache": "explicit"}, ask=ASK)
    real, made = Gemini.ask, []

    def interrupted(self, work):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(work.cache)
        return real(self, work)

    with open_session(plan, at_once=1) as (session, job):
        tracks = session.decoded([drawn_clip])
        monkeypatch.setattr(Gemini, "ask", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.run(job.case.plan, tracks)
        monkeypatch.setattr(Gemini, "ask", real)
        result = session.run(job.case.plan, tracks)
        rows = session.box.invoice.rows

    assert result.receipt.requests == {"ambiguous": 1, "ok": 6}
    assert not [row for row in rows if row.kind == "cache"]  # filled in the first part; the invoice began anew
