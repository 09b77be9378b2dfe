"""What a cheaper plan's answers are worth beside the full plan's."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import BudgetError
from reelwise.ledger.queries import export
from reelwise.plan import Plan
from reelwise.run import executing
from reelwise.run.agreement import Scored, agreement, found_share, interval_of, text_likeness
from reelwise.run.settle import Cap
from reelwise.run.verifying import verify
from reelwise.stages import Call, Gate

from .conftest import ASK

CALL = {"stage": "call", "model": "gemini-2.5-pro"}


SCORES = st.lists(
    st.builds(Scored, st.floats(0, 1), st.sampled_from(["a", "b", "c", "d"]), st.floats(0.1, 5)),
    min_size=1,
    max_size=40,
)


@given(SCORES)
def test_an_interval_holds_its_mean(scored):
    found = agreement("labels", scored)

    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.items == len(scored)
    assert found.clips == len({one.clip for one in scored})


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_of_texts_is_a_share_and_the_same_both_ways(one, other):
    assert 0 <= text_likeness(one, other) <= 1
    assert text_likeness(one, other) == text_likeness(other, one)
    assert text_likeness(one, one) == 1


def test_one_item_proves_nothing_and_equal_items_do_not_prove_all():
    assert agreement("text", [Scored(1.0, "a")]).low == 0
    thirty = [Scored(1.0, f"clip{number}") for number in range(30)]
    assert 0.85 < agreement("text", thirty).low < 0.9
    assert agreement("text", []) is None


def test_thirty_answers_about_three_clips_are_worth_three():
    apart = [Scored(float(number % 3 > 0), f"clip{number}") for number in range(30)]
    together = [Scored(float(number % 3 > 0), f"clip{number % 3}") for number in range(30)]
    equal = [Scored(1.0, f"clip{number % 3}") for number in range(30)]

    wide, narrow = (one.high - one.low for one in (agreement("labels", together), agreement("labels", apart)))
    assert agreement("labels", together).value == agreement("labels", apart).value
    assert wide > 2 * narrow
    assert agreement("labels", equal).low < 0.5


@pytest.mark.parametrize("clips", [3, 5, 10, 30])
@pytest.mark.parametrize("alike", [0.0, 0.3, 1.0])
def test_the_interval_covers_the_truth_as_often_as_it_says(clips, alike):
    """Clips of eight parts each; `alike` is how much of the answers is the clip's own."""
    draw = np.random.default_rng(7)
    rounds, truth, covered = 300, 0.8, 0
    for _ in range(rounds):
        scored = []
        for clip in range(clips):
            own = float(draw.random() < truth)
            for _ in range(8):
                value = own if draw.random() < alike else float(draw.random() < truth)
                scored.append(Scored(value, f"clip{clip}"))
        low, high = interval_of(scored)
        covered += low <= truth <= high
    assert covered >= 0.93 * rounds


def test_stretches_are_found_by_half_of_one_or_a_shorter_one_within():
    assert found_share([(0, 10)], [(4, 20)]) == (1, 1)
    assert found_share([(0, 10)], [(8, 20)]) == (0, 1)
    assert found_share([(0, 100)], [(40, 42)]) == (1, 1)
    assert found_share([(0, 10), (20, 30)], []) == (0, 2)
    assert found_share([], [(0, 1)]) == (0, 0)


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


def test_events_are_held_against_each_other_both_ways(bays, write_plan, open_session):
    with open_session(write_plan({"stage": "sample", "fps": 2}, CALL)) as (session, job):
        gated = Plan(stages=(Gate(pad_seconds=0.5), *job.case.plan.stages))
        found = verify(session, job, gated, session.decoded(bays), most_nano=None, parts=False)
    by_name = {one.what: one for one in found.agreements}

    assert by_name["events_found"].value >= 0.8
    assert by_name["events_real"].value >= 0.8
    assert by_name["events_found"].clips > 1
    assert found.drawn.active + found.drawn.quiet == 8


@pytest.mark.parametrize(("usd", "at_once"), [(0.003, 4), (0.01, 1), (0.01, 4), (0.03, 4)])
def test_the_budget_is_never_passed_though_answers_are_longer_than_expected(  # noqa: PLR0917 - fixtures
    usd, at_once, bays, write_plan, open_session, monkeypatch
):
    """Answers of a thousand tokens where a hundred are expected; what is held and posted is looked at before each call."""
    taken = []

    class Watched(Cap):
        def take(self, nano, **more):
            super().take(nano, **more)
            taken.append((self._taken, self.nano))

    monkeypatch.setattr(executing, "Cap", Watched)
    plan = write_plan(
        CALL, ask={**ASK, "task": "describe", "labels": [], "output_most": 1200}, levers=[{"lever": "downscale"}]
    )
    scenario = {"output": {"tokens": 1000, "spread": 0.2}}
    with open_session(plan, scenario=scenario, at_once=at_once) as (session, job):
        cheap = job.case.plan.edit(Call, lambda call: msgspec.structs.replace(call, model="gemini-2.5-flash"))
        tracks = session.decoded(bays)
        try:
            found = verify(session, job, cheap, tracks, most_nano=round(usd * 1e9), parts=False)
        except BudgetError:
            found = None
        session.ledger.flush()
        posted = sum(row["cost_nano"] for page in export(session.ledger.store) for row in page)

    assert posted <= usd * 1e9
    assert all(held <= most for held, most in taken)
    if found is not None:
        assert found.cost_usd == pytest.approx(posted / 1e9)
        assert found.stopped == ""
        assert found.items > 0


def test_where_the_budget_ends_it_every_full_answer_has_its_pair(bays, write_plan, open_session):
    ask = {**ASK, "task": "describe", "labels": [], "output_most": 1200}
    with open_session(write_plan(CALL, ask=ask), scenario={"output": {"tokens": 1000, "spread": 0.1}}) as (
        session,
        job,
    ):
        cheap = job.case.plan.edit(Call, lambda call: msgspec.structs.replace(call, model="gemini-2.5-flash"))
        found = verify(session, job, cheap, session.decoded(bays), most_nano=45_000_000, parts=False)

    assert 0 < found.items < 8
    assert any("the budget ended it after" in note for note in found.notes)
    assert found.cost_usd <= 0.045
