"""Prompt caches for real: a prefix that is kept, and a clip that is put up once for many questions."""

from __future__ import annotations

import pytest

from reelwise.errors import InputError
from reelwise.ledger.queries import export
from reelwise.run.caching import break_even

LONG = "You watch a loading bay. " + "Say what happens, and nothing of what you only guess. " * 350
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


@pytest.mark.parametrize("model", ["gpt-4o", "claude-haiku-4-5", "claude-sonnet-4-6"])
def test_a_prefix_is_read_from_the_cache_after_the_first_call_and_its_share_is_a_fact(
    model, drawn_clip, write_plan, open_session
):
    stages = [{"stage": "sample", "fps": 0.2}, {"stage": "call", "model": model, "cache": "prefix"}]
    result, _ = run(open_session, write_plan(*stages, ask=ASK), drawn_clip, at_once=1)
    share = next(entry for entry in result.facts if entry.name == "cache.prefix_hit_share")

    assert result.receipt.usage["tokens_cached"] > 5 * 4096
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


def test_a_prefix_is_kept_for_an_hour_where_the_plan_says_so_and_its_dearer_write_is_priced(
    drawn_clip, write_plan, open_session
):
    call = {"stage": "call", "model": "claude-haiku-4-5", "cache": "prefix"}
    found = {}
    for name, hours in (("short", None), ("hour", 1.0)):
        stages = [{"stage": "sample", "fps": 0.2}, {**call, "cache_hours": hours}]
        found[name], _ = run(
            open_session, write_plan(*stages, ask=ASK, name=f"{name}.yaml"), drawn_clip, at_once=1, out=name
        )
    short, hour = found["short"].receipt, found["hour"].receipt

    assert hour.usage["tokens_cache_write_1h"] == short.usage["tokens_cache_write"] > 4096
    assert "tokens_cache_write" not in hour.usage
    assert hour.reconciled.residual_nano == short.reconciled.residual_nano == 0
    assert not hour.unpriced
    # Haiku 4.5 writes at 1.25 USD a million for five minutes and at 2 for an hour
    assert hour.cost_nano - short.cost_nano == pytest.approx(750 * hour.usage["tokens_cache_write_1h"], abs=1)


def test_a_prefix_kept_for_longer_than_its_vendor_does_is_refused(drawn_clip, write_plan, open_session):
    stages = [{"stage": "sample", "fps": 0.2}, {"stage": "call", "model": "claude-haiku-4-5", "cache": "prefix", "cache_hours": 24}]  # fmt: skip
    with pytest.raises(InputError, match="for an hour at most"):
        run(open_session, write_plan(*stages, ask=ASK), drawn_clip)


def test_a_prefix_below_the_least_is_not_kept_and_not_expected_to_be(drawn_clip, write_plan, open_session):
    ask = {**ASK, "policy": LONG[: 4 * 3000]}  # enough for most models, not for Haiku 4.5
    stages = [{"stage": "sample", "fps": 0.2}, {"stage": "call", "model": "claude-haiku-4-5", "cache": "prefix"}]
    result, _ = run(open_session, write_plan(*stages, ask=ask), drawn_clip, at_once=1)

    assert "tokens_cached" not in result.receipt.usage
    assert "tokens_cached" not in result.expected.units
    assert not [
        entry for entry in result.facts if entry.name == "cache.prefix_hit_share"
    ]  # it says nothing of longer ones
    assert any("its prompt cache starts at 4,096" in note for note in result.notes)
    assert result.receipt.reconciled.residual_nano == 0


BATCHED = {"stage": "call", "model": "gemini-2.5-pro", "mode": "batch", "cache": "explicit"}


@pytest.mark.parametrize(
    "model", ["gemini-2.5-pro", "gemini-3.8-flash"]
)  # these read at the full price in a batch, and at half of it
def test_a_batch_reads_an_explicit_cache_and_each_part_is_settled_once(model, copies, write_plan, open_session):
    quick = {"batch_seconds": 0.1}
    paths = copies(2)
    found = {}
    for name, call in (
        ("cached", {**BATCHED, "model": model}),
        ("plain", {**BATCHED, "model": model, "cache": "none"}),
    ):
        with open_session(write_plan(call, ask=ASK, name=f"{name}.yaml"), out=name, scenario=quick) as (session, job):
            found[name] = session.run(job.case.plan, session.decoded(paths))
            assert not session.ledger.jobs()
            caches = session.box.desk.store.under("cachedContents/")
            rows = session.box.invoice.rows
    receipt = found["cached"].receipt

    assert receipt.requests == {"ok": 2 + 12}
    assert [one.status for one in found["cached"].results] == ["ok", "ok"]
    assert receipt.reconciled.residual_nano == 0
    assert receipt.reconciled.invoice_nano == receipt.cost_nano
    assert receipt.usage["tokens_cached"] > 10 * receipt.usage["tokens_text"] / 12
    assert not caches  # let go as soon as the batch was over
    assert {row.kind for row in rows} == {"batch"}
    assert receipt.estimate[0].error == pytest.approx(0, abs=0.3)


def test_an_explicit_cache_of_a_batch_is_kept_for_a_day_and_that_is_what_decides(drawn_clip, write_plan, open_session):
    quick = {"batch_seconds": 0.1}
    with open_session(write_plan(BATCHED, ask=ASK), scenario=quick) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
        rows = {row.kind: row for row in session.box.invoice.rows}
    note = next(note for note in result.notes if "costs more than it saves" in note)

    assert "24 hours" in note
    assert not any("may take 24" in one for one in result.notes)
    assert float(rows["storage"].quantity.partition("/")[0]) > 0
    tokens = sum(getattr(rows["cache"], kind) for kind in ("text", "video", "audio"))
    assert eval(rows["storage"].quantity) == pytest.approx(24 * tokens)  # noqa: S307 - a fraction: "123/4"


def test_a_batch_that_is_collected_later_fills_no_second_cache(drawn_clip, write_plan, open_session):
    with open_session(write_plan(BATCHED, ask=ASK), scenario={"batch_seconds": 30.0}) as (session, job):
        tracks = session.decoded([drawn_clip])
        session._waits = session._waits.__class__(seconds=0.3)
        first = session.run(job.case.plan, tracks)
        session.box.desk.clock.ahead(60)
        second = session.run(job.case.plan, tracks)
        rows = session.box.invoice.rows  # of the second part

    assert first.stopped is not None
    assert second.receipt.requests == {"ok": 7}
    assert not [row for row in rows if row.kind == "cache"]


def test_rows_that_failed_are_made_from_a_new_cache_and_the_first_stays_paid(drawn_clip, write_plan, open_session):
    plan = write_plan(BATCHED, ask=ASK)
    with open_session(plan, scenario={"batch_seconds": 0.1, "batch_done": 0.5}) as (session, job):
        first = session.run(job.case.plan, session.decoded([drawn_clip]))
    with open_session(plan, scenario={"batch_seconds": 0.1}) as (session, job):
        second = session.run(job.case.plan, session.decoded([drawn_clip]))
        rows = [row for page in export(session.ledger.store) for row in page]

    assert first.receipt.requests["failed"] > 0
    assert second.receipt.requests == {"ok": 8}  # two caches, six questions
    assert sum(row["cost_nano"] for row in rows) == second.receipt.cost_nano


def test_a_cache_that_may_end_before_its_batch_is_said(drawn_clip, write_plan, open_session):
    with open_session(write_plan({**BATCHED, "cache_hours": 2}, ask=ASK), scenario={"batch_seconds": 0.1}) as (
        session,
        job,
    ):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert any("is kept for 2 hours, and a batch may take 24" in note for note in result.notes)
