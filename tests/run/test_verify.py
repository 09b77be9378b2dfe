"""What a cheaper plan's answers are worth beside the full plan's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import BudgetError
from reelwise.run.agreement import label_agreement, mean_agreement, text_likeness
from reelwise.run.verifying import verify

CALL = {"stage": "call", "model": "gemini-2.5-pro"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab")), min_size=1, max_size=60))
def test_an_interval_of_labels_holds_its_share(pairs):
    found = label_agreement(pairs)

    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.items == len(pairs)


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_of_texts_is_a_share_and_the_same_both_ways(one, other):
    assert 0 <= text_likeness(one, other) <= 1
    assert text_likeness(one, other) == text_likeness(other, one)
    assert text_likeness(one, one) == 1


def test_one_item_proves_nothing_and_equal_items_do_not_prove_all():
    assert mean_agreement("text", [1.0]).low == 0
    assert mean_agreement("text", [1.0] * 30).low == pytest.approx(0.9)
    assert mean_agreement("text", []) is None


def test_the_same_plan_on_another_tier_agrees_in_everything(bays, write_plan, open_session):
    plan = write_plan(CALL)
    with open_session(plan, out="v", scenario={"batch_seconds": 0.1}) as (session, job):
        cheap = job.case.plan.edit(
            type(job.case.plan.stages[0]), lambda call: call.__class__(model=call.model, mode="batch")
        )
        found = verify(session, job, cheap, session.decoded(bays[:6]), most_nano=None, parts=False)
    by_name = {one.what: one for one in found.agreements}

    assert by_name["labels"].value == 1.0
    assert by_name["labels"].low < 0.7  # six items
    assert found.items == found.of == 6
    assert found.factor == pytest.approx(2.0, rel=0.001)
    assert found.differ == ()


def test_a_budget_bounds_the_sample_and_what_it_costs(bays, write_plan, open_session):
    plan = write_plan({**CALL}, levers=[{"lever": "downscale"}])
    with open_session(plan) as (session, job):
        tracks = session.decoded(bays)
        cheap = job.case.levers[0].apply(job.case.plan)
        one = sum(session.expected(job, each, [tracks[0]]).usd for each in (job.case.plan, cheap))
        found = verify(session, job, cheap, tracks, most_nano=round(3 * one * 1e9), parts=False)
        with pytest.raises(BudgetError, match="does not pay for one item"):
            verify(session, job, cheap, tracks, most_nano=1000, parts=False)

    assert 0 < found.items < found.of == 8
    assert found.cost_usd <= 3 * one * 1.1


def test_a_gate_that_throws_events_away_shows(bays, write_plan, open_session):
    levers = [{"lever": "sample_frames", "fps": 0.1}]
    with open_session(write_plan(CALL, levers=levers)) as (session, job):
        cheap = job.case.levers[0].apply(job.case.plan)
        found = verify(session, job, cheap, session.decoded(bays[:4]), most_nano=None, parts=False)
    events = next(one for one in found.agreements if one.what == "events")

    assert events.value < 0.9
    assert events.low <= events.value <= events.high
