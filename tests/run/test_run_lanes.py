"""Routes and cascades for real."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from reelwise.video.writer import write_mp4

CHEAP, DEAR = "gemini-2.5-flash-lite", "gemini-2.5-pro"


def test_what_is_in_doubt_is_asked_of_the_dear_model_and_both_calls_are_paid(bays, write_plan, open_session):
    stages = [
        {"stage": "sample", "fps": 0.5}, {"stage": "call", "model": CHEAP}, {"stage": "escalate", "sure": 0.9},
        {"stage": "call", "lane": "doubt", "model": DEAR},
    ]  # fmt: skip
    with open_session(write_plan(*stages)) as (session, job):
        result = session.run(job.case.plan, session.decoded(bays))
    cheap = [one for one in result.outcomes if one.model == CHEAP]
    dear = {one.item for one in result.outcomes if one.model == DEAR}
    share = next(entry for entry in result.facts if entry.name == "escalate.doubt_share")

    assert len(cheap) == 8
    assert dear == {one.item for one in cheap if one.confidence < 0.9}
    assert 0 < len(dear) < 8
    assert share.fact.value == len(dear) / 8
    assert {said.model for one in result.results for said in one.answers if one.item in dear} == {DEAR}
    assert result.receipt.reconciled.residual_nano == 0


def test_easy_items_go_to_the_cheap_lane_and_the_share_is_a_fact(drawn_clip, tmp_path, write_plan, open_session):
    quiet = tmp_path / "quiet.mp4"
    grey = [np.full(size, 128, np.uint8) for size in ((90, 160), (45, 80), (45, 80))]
    write_mp4(quiet, [grey] * 60, width=160, height=90, fps=10)
    stages = [
        {"stage": "route", "easy_below": 0.05}, {"stage": "call", "lane": "easy", "model": CHEAP},
        {"stage": "call", "lane": "main", "model": DEAR},
    ]  # fmt: skip
    with open_session(write_plan(*stages)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip, quiet]))

    assert [one.answers[0].model for one in result.results] == [DEAR, CHEAP]
    assert next(entry for entry in result.facts if entry.name == "route.easy_share").fact.value == 0.5


def test_no_item_goes_to_a_lane_that_costs_more_for_it(drawn_clip, write_plan, open_session):
    stages = [
        {"stage": "sample", "fps": 1.0}, {"stage": "route", "rule": "price"},
        {"stage": "call", "lane": "easy", "model": "gpt-4o-mini"}, {"stage": "call", "lane": "main", "model": "gpt-4o"},
    ]  # fmt: skip
    with open_session(write_plan(*stages)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert result.results[0].answers[0].model == "gpt-4o"  # its pictures cost less there than at gpt-4o-mini


def test_a_rule_that_nobody_knows_is_refused(drawn_clip, write_plan, open_session):
    from reelwise.errors import InputError

    stages = [
        {"stage": "route", "rule": "by-name"},
        {"stage": "call", "lane": "easy", "model": CHEAP},
        {"stage": "call", "lane": "main", "model": DEAR},
    ]
    with open_session(write_plan(*stages)) as (session, job), pytest.raises(InputError, match="cannot be run"):
        session.run(job.case.plan, session.decoded([drawn_clip]))


ROUTED = [
    {"stage": "sample", "fps": 0.5}, {"stage": "route", "router": "gpt-4o-mini"},
    {"stage": "call", "lane": "easy", "model": CHEAP}, {"stage": "call", "lane": "main", "model": DEAR},
]  # fmt: skip


def test_a_model_that_routes_is_asked_once_an_item_and_paid(bays, write_plan, open_session):
    with open_session(write_plan(*ROUTED)) as (session, job):
        tracks = session.decoded(bays)
        first = session.run(job.case.plan, tracks)
        told = msgspec.structs.replace(
            job, case=msgspec.structs.replace(job.case, facts=job.case.facts.with_entries(first.facts))
        )
        expected = session.expected(told, job.case.plan, tracks)
        again = session.run(job.case.plan, tracks)
    asked = {one.item: one for one in first.outcomes if one.turn == "route"}
    others = {one.item: one.model for one in first.outcomes if not one.turn}

    assert len(asked) == 8
    assert all(one.cost_nano > 0 and "tokens_image" not in one.units for one in asked.values())
    assert others == {item: CHEAP if one.label == "easy" else DEAR for item, one in asked.items()}
    assert len(set(others.values())) == 2, "the scenario sends some each way"
    assert all(one.calls == 2 and len(one.answers) == 1 for one in first.results)
    assert first.receipt.reconciled.residual_nano == 0
    assert expected.units["calls"] == first.receipt.attempts == 16
    assert {entry.name for entry in first.facts} >= {"route.easy_share", "call.short_tokens_output"}
    assert again.receipt.cost_nano == first.receipt.cost_nano
    assert again.receipt.reconciled.invoice_nano == 0, "nothing was asked again"


def test_what_a_router_does_not_answer_goes_to_the_dear_lane(bays, write_plan, open_session):
    faults = {"faults": [{"kind": "bad_json", "share": 1.0, "match": "gpt-4o-mini"}]}
    with open_session(write_plan(*ROUTED), scenario=faults) as (session, job):
        result = session.run(job.case.plan, session.decoded(bays[:3]))

    assert {one.model for one in result.outcomes if not one.turn} == {DEAR}
    assert [one.status for one in result.results] == ["ok"] * 3
    assert result.receipt.reconciled.residual_nano == 0


def test_a_trained_router_and_a_model_do_not_both_decide(write_plan):
    from reelwise.errors import DocumentError
    from reelwise.run.job import read_job

    plan = write_plan({"stage": "route", "router": "gpt-4o-mini", "trained": "router.json"}, *ROUTED[2:])
    with pytest.raises(DocumentError, match="and a model decide"):
        read_job(plan)
