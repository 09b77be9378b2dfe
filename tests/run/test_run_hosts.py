"""Calls that a machine of one's own serves: an OpenAI-compatible server, or a network here. They cost machine time, and no invoice has them."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from reelwise.errors import InputError
from reelwise.hosts import Host
from reelwise.models.shelf import model_path
from reelwise.rates import Book
from reelwise.run.machines import Machines
from reelwise.testing import sandbox

HOST = {"name": "gpu", "sku": "aws/g6.xlarge", "scale": "fixed"}
SAMPLE = {"stage": "sample", "fps": 1.0}
CALL = {"stage": "call", "host": "gpu"}
SERVER = {"day": "2026-11-22"}


@pytest.fixture
def server():
    with sandbox(SERVER) as found:
        yield found


@pytest.fixture
def hosted(write_plan, server):
    """Write a plan whose calls a host serves; its endpoint is a server that is not the run's sandbox."""

    def write(*stages, place=None, facts=None, **more):
        own = {
            "match": "gpu",
            "kind": "openai",
            "model": "gpt-4o-mini",
            "url": f"{server.url}/v1",
            "key": "",
            **(place or {}),
        }
        plan = {"stages": list(stages), "hosts": [HOST]}
        known = {"facts": facts} if facts else {}
        return write_plan(plan=plan, endpoints=[own], **known, **more)

    return write


SPEED = {"host.gpu.frames_per_second": {"value": 50, "source": "a test", "day": "2026-11-22"}}


def test_a_host_answers_at_its_own_address_and_costs_its_time(hosted, drawn_clip, open_session, server):
    with open_session(hosted(SAMPLE, CALL, facts=SPEED)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
        assert session.box.invoice.rows == ()
    (one,), (machine,) = result.outcomes, result.receipt.machines
    book = job.case.book

    assert result.results[0].status == "ok"
    assert len(server.invoice.rows) == 1
    assert (one.model, one.hosted) == ("host:gpu", "gpu")
    assert one.label
    assert one.cost_nano == Machines(job.case.plan.hosts, book).nano("gpu", one.busy_seconds)
    assert 0 < one.cost_nano <= one.held_nano
    assert machine.usd_hour == pytest.approx(float(book.rate(HOST["sku"]).usd))
    assert machine.usd == pytest.approx(machine.busy_seconds / 3600 * machine.usd_hour, rel=1e-3)
    assert machine.predicted_seconds == pytest.approx(12 / 50)
    assert "while it waits" in machine.why
    assert result.receipt.reconciled.residual_nano == 0
    assert {side.unit for side in result.receipt.estimate} == {"usd", "calls", "machine_seconds"}


def test_a_host_whose_speed_nobody_knows_is_not_predicted(hosted, drawn_clip, open_session):
    with open_session(hosted(SAMPLE, CALL)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert result.receipt.machines[0].predicted_seconds is None
    assert result.receipt.machines[0].usd > 0
    assert [side.unit for side in result.receipt.estimate] == ["calls"]


def test_a_host_and_a_vendor_in_one_plan_are_told_apart(hosted, drawn_clip, open_session):
    plan = hosted(
        SAMPLE, CALL, {"stage": "escalate", "sure": 0.9999}, {"stage": "call", "lane": "doubt", "model": "gpt-4o"}
    )
    with open_session(plan) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
    receipt = result.receipt
    vendor = sum(one.cost_nano for one in result.outcomes if not one.hosted)

    assert receipt.reconciled.invoice_nano == vendor > 0
    assert receipt.reconciled.residual_nano == 0
    assert receipt.cost_nano == vendor + round(receipt.machines[0].usd * 1e9)


ROUTED = [
    SAMPLE, {"stage": "route", "rule": "price", "to": "own"}, {"stage": "call", "model": "gpt-4o", "lane": "main"},
    {**CALL, "lane": "own"},
]  # fmt: skip


def test_an_item_goes_to_a_host_where_its_machine_time_is_cheaper(hosted, drawn_clip, open_session):
    with open_session(hosted(*ROUTED, facts=SPEED)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))
    with open_session(hosted(*ROUTED, name="unknown.yaml"), out="unknown") as (session, job):
        tracks = session.decoded([drawn_clip])
        with pytest.raises(InputError, match="frames_per_second"):
            session.run(job.case.plan, tracks)
        assert session.box.invoice.rows == ()

    assert [one.model for one in result.outcomes] == ["host:gpu"]


def test_machine_time_of_calls_at_once_adds_up_to_the_time_the_machine_was_busy():
    now = [0.0]
    machines = Machines([Host(name="gpu", sku="aws/g6.xlarge")], Book.load(dt.date(2026, 11, 22)), lambda: now[0])
    with machines.busy("gpu") as first:
        now[0] = 2.0
        with machines.busy("gpu") as second:
            now[0] = 6.0
        now[0] = 7.0
    now[0] = 100.0
    with machines.busy("gpu") as third:
        now[0] = 101.0

    assert (first.seconds, second.seconds, third.seconds) == (2 + 2 + 1, 2, 1)


def test_a_server_that_is_away_is_not_billed_and_is_asked_again(hosted, drawn_clip, open_session):
    away = hosted(SAMPLE, CALL, place={"url": "http://127.0.0.1:9/v1"}, name="away.yaml")
    with open_session(away) as (session, job):
        first = session.run(job.case.plan, session.decoded([drawn_clip]))
        assert not session.ledger.open_holds
    again = hosted(SAMPLE, CALL, name="again.yaml")
    with open_session(again) as (session, job):
        second = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert first.results[0].status == "failed"
    assert first.receipt.cost_nano == 0
    assert second.results[0].status == "ok"


@pytest.mark.parametrize("fault", ["lost_reply", "cut_stream", "504"])
def test_a_lost_reply_of_ones_own_machine_is_billed_by_nobody(fault, write_plan, drawn_clip, open_session):
    with sandbox({**SERVER, "faults": [{"kind": fault, "share": 1.0}]}) as server:
        place = {"match": "gpu", "kind": "openai", "model": "gpt-4o-mini", "url": f"{server.url}/v1", "key": ""}
        plan = write_plan(plan={"stages": [SAMPLE, CALL], "hosts": [HOST]}, endpoints=[place])
        with open_session(plan) as (session, job):
            result = session.run(job.case.plan, session.decoded([drawn_clip]))
    (one,) = result.outcomes

    assert one.status == "failed"
    assert one.cost_nano == 0
    assert result.receipt.reconciled.ambiguous_calls == 0


def test_what_a_host_is_missing_is_said_before_anything_is_sent(write_plan, drawn_clip, open_session):
    cases = [
        ([], "has no address here"),
        ([{"match": "gpu", "kind": "openai", "url": "http://127.0.0.1:9/v1"}], "which model it serves"),
        ([{"match": "gpu", "kind": "local"}], "cannot moderate"),
    ]
    for places, said in cases:
        plan = write_plan(plan={"stages": [SAMPLE, CALL], "hosts": [HOST]}, endpoints=places)
        with open_session(plan) as (session, job), pytest.raises(InputError, match=said):
            session.run(job.case.plan, session.decoded([drawn_clip]))


def installed():
    try:
        return model_path("general").is_file()
    except InputError:
        return False


@pytest.fixture
def network(monkeypatch):
    """A network that calls the brighter places of a picture foreground, in place of the one that has to be installed."""
    import numpy as np

    class Bright:
        name = "person-segmentation:general"

        def __init__(self, variant):  # noqa: ARG002 - as the real one
            self.busy = threading.Lock()

        def __call__(self, frame):
            assert self.busy.acquire(blocking=False), "a network is used by one thread at a time"
            try:
                return frame[::4, ::4].mean(axis=2).astype(np.float32) / 255
            finally:
                self.busy.release()

    monkeypatch.setattr("reelwise.models.person.PersonSegmentation", Bright)


@pytest.mark.usefixtures("network")
def test_a_network_on_this_machine_leaves_masks(write_plan, copies, open_session):
    pytest.importorskip("cv2")
    place = {"match": "gpu", "kind": "local"}
    stages = [SAMPLE, {**CALL, "task": "segment", "pictures_a_call": 5}]
    plan = write_plan(plan={"stages": stages, "hosts": [HOST]}, endpoints=[place], ask={"task": "segment"})
    with open_session(plan, at_once=2) as (session, job):
        result = session.run(job.case.plan, session.decoded(copies(2)))
    (finding,) = result.results[0].findings

    assert [one.status for one in result.results] == ["ok", "ok"]
    assert len(finding.found) == 12
    assert finding.calls == 3
    assert len(result.receipt.machines) == 1
    assert result.receipt.machines[0].calls == 6
    for one in finding.found:
        assert 0 <= one.share <= 1
        assert Path(one.file).read_bytes().startswith(b"\x89PNG")
    assert {side.unit: side.error for side in result.receipt.estimate} == {"calls": 0}


@pytest.mark.skipif(not installed(), reason="person-segmentation is not installed")
def test_the_real_network_does_it_too(write_plan, drawn_clip, open_session):
    place = {"match": "gpu", "kind": "local", "model": "person-segmentation:landscape"}
    plan = write_plan(plan={"stages": [SAMPLE, {**CALL, "task": "segment"}], "hosts": [HOST]}, endpoints=[place])
    with open_session(plan) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip]))

    assert len(result.results[0].findings[0].found) == 12
