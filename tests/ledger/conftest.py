"""A clock to turn by hand, and ledgers that are checked when a test is over."""

from __future__ import annotations

import datetime as dt

import pytest

from reelwise.ledger import Ledger
from reelwise.ledger.verify import verify


class HandClock:
    """Stands still until somebody moves it; sleeping moves it."""

    def __init__(self, text: str = "2026-03-10T12:00:00+00:00") -> None:
        self.at = round(dt.datetime.fromisoformat(text).timestamp() * 1000)

    def now_ms(self) -> int:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += round(seconds * 1000)

    def set(self, text: str) -> None:
        self.at = round(dt.datetime.fromisoformat(text).timestamp() * 1000)

    def on(self, seconds: float) -> None:
        self.at += round(seconds * 1000)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def opened(path, clock):
    """Open ledgers on one file; at the end all balances must be what the rows add up to."""
    made = []

    def open_(**options) -> Ledger:
        ledger = Ledger(path, **{"clock": clock, "thread": False, **options})
        made.append(ledger)
        return ledger

    yield open_
    for one in made:
        one.close(void_open=True)
    if made:
        with Ledger(path, clock=clock, thread=False) as last:
            assert verify(last.store).problems == ()
            assert verify(last.store).leased_nano == 0


@pytest.fixture
def ledger(opened) -> Ledger:
    return opened()


def rows(ledger: Ledger) -> list[tuple]:
    """Kind and cost of all rows, in the order in which they were written."""
    with ledger.store.transaction(write=False) as link:
        return link.rows("SELECT w.kind, e.cost FROM event e JOIN what w ON w.id = e.what ORDER BY e.seq")


def spent(ledger: Ledger, budget: str) -> dict[tuple[str, int], int]:
    """What is posted to a budget, by account and bucket."""
    with ledger.store.transaction(write=False) as link:
        found = link.rows(
            "SELECT s.account, s.bucket, s.posted FROM slot s JOIN budget b ON b.id = s.budget WHERE b.name = ? AND s.posted <> 0",
            (budget,),
        )
    return {(account, bucket): posted for account, bucket, posted in found}


@pytest.fixture(name="rows")
def rows_fixture():
    return rows


@pytest.fixture(name="spent")
def spent_fixture():
    return spent
