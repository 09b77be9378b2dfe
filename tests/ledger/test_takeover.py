"""A budget that is set, or set anew, counts the calls that are under way."""

from __future__ import annotations

import threading
import time

import pytest

from reelwise.errors import BudgetError, OutputError
from reelwise.ledger import Budget, Ledger, who_of
from reelwise.ledger.queries import budget_status
from reelwise.ledger.verify import verify

WHO = who_of("blur", user="u1")


def account(ledger, name):
    (found,) = [one for one in budget_status(ledger.store, ledger.clock.now_ms()) if one.budget == name]
    return found


@pytest.mark.parametrize("scope", [{}, {"match": (("user", "u1"),)}, {"period": "hour", "rolling": True}])
def test_a_new_budget_holds_what_calls_under_way_hold(opened, scope):
    ledger = opened()
    first, second = ledger.hold(WHO, 5), ledger.hold(WHO, 3)

    ledger.set_budget(Budget(name="new", hard=10, **scope))

    with pytest.raises(BudgetError):
        ledger.hold(WHO, 3)
    third = ledger.hold(WHO, 2)
    ledger.post(first, "c1", 4)
    ledger.void(second)
    fourth = ledger.hold(WHO, 4)
    ledger.post(fourth, "c2", 4)
    ledger.post(third, "c3", 2)
    assert (account(ledger, "new").posted, account(ledger, "new").overrun) == (10, 0)
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 1)


def test_a_budget_with_another_scope_or_limit_takes_calls_along(opened):
    ledger = opened()
    ledger.set_budget(Budget(name="b", hard=6))
    holds = [ledger.hold(WHO, 5)]
    ledger.set_budget(Budget(name="b", hard=6, period="month"))
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 2)
    ledger.set_budget(Budget(name="b", soft=6, period="month"))
    holds.append(ledger.hold(WHO, 5))
    ledger.set_budget(Budget(name="b", hard=12, period="month"))
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 3)

    for number, hold in enumerate(holds):
        ledger.post(hold, f"c{number}", 5)

    assert (account(ledger, "b").posted, account(ledger, "b").overrun) == (10, 0)
    ledger.hold(WHO, 2)


def test_what_is_under_way_may_exceed_a_new_limit_and_nothing_passes_until_it_is_settled(opened):
    ledger = opened()
    holds = [ledger.hold(WHO, 5) for _ in range(3)]
    ledger.set_budget(Budget(name="b", hard=6))

    assert account(ledger, "b").remaining == -9
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 1)
    for hold in holds[:2]:
        ledger.void(hold)
    ledger.post(holds[2], "c1", 5)

    ledger.hold(WHO, 1)


def test_calls_of_other_processes_are_taken_along_too(opened):
    one, other = opened(), opened()
    hold = one.hold(WHO, 5)
    other.set_budget(Budget(name="b", hard=6))
    one.step()  # what its thread does within a twentieth of a second

    with pytest.raises(BudgetError):
        other.hold(WHO, 2)
    one.post(hold, "c1", 5)

    assert (account(other, "b").posted, account(other, "b").overrun) == (5, 0)
    other.hold(WHO, 1)


def test_the_writing_thread_takes_calls_along_by_itself(path, until):
    with Ledger(path) as one, Ledger(path) as other:
        hold = one.hold(WHO, 5)
        other.set_budget(Budget(name="b", hard=6))
        until(lambda: account(other, "b").leased)
        with pytest.raises(BudgetError):
            other.hold(WHO, 2)
        one.post(hold, "c1", 5)


def test_a_job_that_is_open_is_held_in_a_new_budget(opened):
    one, other = opened(), opened()
    one.hold_job("j1", WHO, 5)
    one.hold_job("j2", WHO, 5)
    other.set_budget(Budget(name="b", hard=6))
    assert account(other, "b").pending == 10
    assert verify(other.store).problems == ()

    one.post_job("j1", 4)
    one.void_job("j2")

    assert (account(one, "b").posted, account(one, "b").overrun, account(one, "b").pending) == (4, 0, 0)
    other.set_budget(Budget(name="b", soft=6))
    one.hold_job("j3", WHO, 5)
    other.set_budget(Budget(name="b", hard=6))
    assert account(other, "b").pending == 5


def test_what_cannot_be_leased_now_is_owed_and_nothing_passes(opened, monkeypatch):
    ledger = opened()
    hold = ledger.hold(WHO, 5)
    force = ledger.store.force

    def full(*_):
        raise OutputError("disk full", hint="free some")

    monkeypatch.setattr(ledger.store, "force", full)
    with pytest.raises(OutputError):
        ledger.set_budget(Budget(name="b", hard=6))
    with pytest.raises(OutputError):
        ledger.hold(WHO, 1)
    monkeypatch.setattr(ledger.store, "force", force)
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 2)
    ledger.post(hold, "c1", 5)

    assert (account(ledger, "b").posted, account(ledger, "b").overrun) == (5, 0)


def test_budgets_set_again_and_again_under_load_stay_exact(path):
    with Ledger(path, lease_usd=0.0000001) as ledger:
        stop = threading.Event()

        def call(worker):
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    hold = ledger.hold(who_of("blur", user=f"u{worker}"), 7)
                except BudgetError:
                    continue
                ledger.post(hold, f"{worker}-{number}", 5, wait=False)

        workers = [threading.Thread(target=call, args=(number,)) for number in range(4)]
        for one in workers:
            one.start()
        for turn in range(30):
            each = ("user",) if turn % 3 == 0 else ()
            ledger.set_budget(
                Budget(name=f"b{turn % 4}", hard=10_000 + turn, period=("day", "hour")[turn % 2], each=each)
            )
            time.sleep(0.01)
        stop.set()
        for one in workers:
            one.join()
        ledger.flush()

    with Ledger(path, thread=False) as last:
        found = verify(last.store)
    assert (found.problems, found.leased_nano) == ((), 0)
