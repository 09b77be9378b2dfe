"""Durable holds: placed by one process, settled by another, once."""

from __future__ import annotations

import pytest

from reelwise.errors import AlreadySettledError, BudgetError, InputError
from reelwise.ledger import Budget, Units, What, who_of
from reelwise.ledger.verify import verify

WHO = who_of("film", user="u1")


def test_a_job_is_settled_by_another_process_once(opened, rows):
    one, other = opened(), opened()
    one.set_budget(Budget(name="day", hard=1000))
    one.hold_job("video-1", WHO, 700, timeout_seconds=3600)
    one.close()
    with pytest.raises(BudgetError):
        other.hold(WHO, 301)

    posted = other.post_job("video-1", 650, what=What(model="m"), units=Units(calls=1, output_ms=8000))

    assert (posted.cost_nano, posted.overrun_nano, posted.late) == (650, 0, False)
    assert rows(other) == [("call", 650)]
    assert other.remaining(WHO) == {"day": 350}
    for again in (lambda: other.post_job("video-1", 650), lambda: other.void_job("video-1")):
        with pytest.raises(AlreadySettledError):
            again()
    with pytest.raises(AlreadySettledError):
        other.hold_job("video-1", WHO, 1)


def test_a_job_that_is_voided_frees_its_budget(opened):
    ledger = opened()
    ledger.set_budget(Budget(name="day", hard=1000))
    ledger.hold_job("v", WHO, 1000)
    assert [one.name for one in ledger.jobs()] == ["v"]

    assert ledger.void_job("v")

    assert ledger.jobs() == []
    ledger.hold(WHO, 1000)
    with pytest.raises(InputError, match="no job"):
        ledger.void_job("other")


def test_a_job_above_its_hold_has_an_overrun_row(ledger, rows):
    ledger.set_budget(Budget(name="day", hard=1000))
    ledger.hold_job("v", WHO, 100)

    assert ledger.post_job("v", 130).overrun_nano == 30

    assert rows(ledger) == [("call", 100), ("overrun", 30)]
    assert ledger.remaining(WHO) == {"day": 870}


def test_a_job_expires_exactly_and_is_late_then(opened, clock, rows):
    ledger = opened()
    ledger.set_budget(Budget(name="day", hard=1000))
    ledger.hold_job("v", WHO, 900, timeout_seconds=60)
    clock.on(60)
    ledger.step()
    assert len(ledger.jobs()) == 1
    clock.on(1.1)
    ledger.step()

    assert ledger.jobs() == []
    assert verify(ledger.store).pending_nano == 0
    assert not ledger.void_job("v")
    ledger.hold_job("w", WHO, 1000)
    assert ledger.post_job("v", 40).late
    assert rows(ledger) == [("late", 40)]
    with pytest.raises(AlreadySettledError):
        ledger.post_job("v", 40)


def test_a_job_gets_what_processes_have_leased_and_do_not_use(opened):
    one = opened(lease_usd=1)
    one.set_budget(Budget(name="day", hard=1000))
    one.post(one.hold(WHO, 10), "c1", 10)
    assert verify(one.store).leased_nano > 0

    one.hold_job("v", WHO, 990)

    with pytest.raises(BudgetError):
        one.hold(WHO, 1)


def test_a_budget_set_after_a_job_was_placed_counts_it(ledger):
    ledger.hold_job("v", WHO, 100)
    ledger.set_budget(Budget(name="user", each=("user",), hard=1000))

    ledger.post_job("v", 80)

    assert ledger.remaining(WHO) == {"user": 920}


def test_a_job_of_a_switched_off_feature_is_denied(ledger):
    ledger.kill("film", "too dear")

    with pytest.raises(BudgetError, match="too dear"):
        ledger.hold_job("v", WHO, 1)


@pytest.mark.parametrize(("name", "seconds"), [("", 5), ("x" * 200, 5), (7, 5), ("v", 0), ("v", 1e12)])
def test_a_job_that_cannot_be_is_refused(ledger, name, seconds):
    with pytest.raises(InputError):
        ledger.hold_job(name, WHO, 1, timeout_seconds=seconds)
