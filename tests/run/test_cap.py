"""The cap of a run: what is posted and held never exceeds it, and a call waits where money may come back."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import BudgetError
from reelwise.run.settle import Cap


def test_a_call_waits_for_money_that_calls_under_way_hold():
    cap = Cap(100)
    cap.take(80)
    through = threading.Event()

    def second():
        cap.take(60, wait_seconds=60)
        through.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not through.is_set()  # 80 are held: only settling the first lets it through
    cap.settle(80, 10)
    assert through.wait(60)
    thread.join()
    with pytest.raises(BudgetError):
        cap.take(40)  # 10 spent, 60 held


def test_what_cannot_fit_does_not_wait_and_who_holds_himself_is_not_made_to():
    cap = Cap(100, spent=50)
    with pytest.raises(BudgetError):
        cap.take(60, wait_seconds=3600)
    cap.take(50)
    with pytest.raises(BudgetError):
        cap.take(10)


def test_waiters_give_up_when_what_is_held_turns_out_to_be_spent():
    cap = Cap(100)
    cap.take(80)
    refused = threading.Event()

    def second():
        with pytest.raises(BudgetError):
            cap.take(60, wait_seconds=3600)
        refused.set()

    thread = threading.Thread(target=second)
    thread.start()
    cap.settle(80, 80)
    assert refused.wait(60)
    thread.join()


@given(st.integers(0, 500), st.lists(st.tuples(st.integers(0, 200), st.floats(0, 1)), max_size=30))
def test_posted_and_held_never_exceed_it(most, calls):
    cap = Cap(most)
    posted = 0
    held = []
    for nano, share in calls:
        try:
            cap.take(nano)
        except BudgetError:
            if held:
                cost = round(held[0][0] * held[0][1])
                cap.settle(held.pop(0)[0], cost)
                posted += cost
            continue
        held.append((nano, share))
        assert posted + sum(one for one, _ in held) <= most
