"""The thread that writes lives on, whatever happens in it and in callbacks."""

from __future__ import annotations

import threading

import pytest

from reelwise.errors import LedgerError
from reelwise.ledger import Budget, Ledger, who_of
from reelwise.ledger.verify import verify

WHO = who_of("blur", user="u1")


@pytest.fixture
def raised(monkeypatch):
    found = []
    monkeypatch.setattr(threading, "excepthook", lambda given: found.append(given.exc_value))
    return found


@pytest.mark.parametrize("thread", [True, False])
def test_a_callback_that_raises_stops_nothing(path, raised, thread):
    told = []

    def bad(notice):
        told.append(notice.level)
        raise ConnectionError("the chat is down")

    with Ledger(path, thread=thread, on_notice=bad) as ledger:
        ledger.set_budget(Budget(name="day", hard=100))
        for number in range(10):
            ledger.post(ledger.hold(WHO, 10), f"c{number}", 10, wait_seconds=5)
        ledger.flush()
        assert verify(ledger.store).rows == 10

    assert told == [50, 80, 100]
    assert len(raised) == 3


def test_a_callback_that_takes_its_time_holds_up_no_row(path):
    begun, let_go = threading.Event(), threading.Event()

    def slow(_):
        begun.set()
        let_go.wait(120)

    with Ledger(path, on_notice=slow) as ledger:
        ledger.set_budget(Budget(name="day", hard=100))
        ledger.post(ledger.hold(WHO, 60), "c1", 60)
        assert begun.wait(60)
        for number in range(4):
            ledger.post(ledger.hold(WHO, 10), f"d{number}", 10, wait_seconds=60)
        assert verify(ledger.store).rows == 5
        let_go.set()


def test_what_should_not_happen_is_told_to_whoever_waits_and_the_thread_goes_on(path, raised, monkeypatch):
    with Ledger(path) as ledger:
        ledger.post(ledger.hold(WHO, 1), "before", 1)
        commit, wrong = ledger.store.commit, [True]

        def bug(owner, events, *rest):
            if events and wrong:
                raise ZeroDivisionError("a bug")
            return commit(owner, events, *rest)

        monkeypatch.setattr(ledger.store, "commit", bug)
        with pytest.raises(LedgerError, match="ZeroDivisionError"):
            ledger.post(ledger.hold(WHO, 1), "c1", 1, wait_seconds=60)
        wrong.clear()
        ledger.post(ledger.hold(WHO, 1), "c2", 1, wait_seconds=60)

        assert verify(ledger.store).rows == 3  # the row that waited was written too
    assert {type(one) for one in raised} == {ZeroDivisionError}


def test_a_thread_that_is_gone_is_said_to_be(path):
    ledger = Ledger(path)
    ledger._writer._thread.join(0)
    ledger._writer._stop = True
    ledger._writer.wake()
    ledger._writer._thread.join(60)

    with pytest.raises(LedgerError, match="has ended"):
        ledger.post(ledger.hold(WHO, 1), "c1", 1, wait_seconds=1)

    ledger.close()
    with Ledger(path) as again:
        assert verify(again.store).rows == 1
