from __future__ import annotations

import datetime as dt

import pytest

import reelwise
from reelwise.charge import charge, hold
from reelwise.errors import InputError
from reelwise.ledger import Budget, Event, Ledger, Units, What, who_of
from reelwise.ledger.queries import last_rows
from reelwise.ledger.verify import verify
from reelwise.month import Tiers, close_month, request_of, rows_of_month, units_of
from reelwise.rates import Book
from reelwise.requests import Request

MODEL = "aws/rekognition/labels"
OCTOBER = round(dt.datetime(2026, 10, 5, tzinfo=dt.UTC).timestamp() * 1000)


class Clock:
    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


@pytest.fixture(scope="module")
def book() -> Book:
    return Book.load(dt.date(2026, 10, 1))


def row(ledger: Ledger, number: int, images: int, cost: int, at_ms: int = OCTOBER) -> None:
    units = Units(calls=1, images=images)
    ledger.record(
        Event(
            id=f"r{number}", at_ms=at_ms + number, who=who_of("f"), what=What(model=MODEL), units=units, cost_nano=cost
        )
    )


def test_rows_and_requests_carry_the_same_amounts() -> None:
    request = Request(model="m", count=1, images=3.0, seconds=1.5, tokens_video=258.0, tokens_output=9.0, megabytes=0.5)
    units = units_of(request)
    assert (units.images, units.video_ms, units.tokens_video, units.bytes) == (3, 1500, 258, 500_000)
    assert request_of("m", units) == request


def test_a_month_is_closed_once_with_what_its_tiers_come_to(book: Book) -> None:
    with Ledger(":memory:", thread=False, clock=Clock(OCTOBER)) as ledger:
        first = charge(Request(model=MODEL, count=1, images=900_000.0), book).nano
        row(ledger, 1, 900_000, first)
        row(ledger, 2, 300_000, round(300_000 * 0.001 * 10**9))  # posted as if the month had just begun
        owed = charge(Request(model=MODEL, count=1, images=1_200_000.0), book).nano
        tiers = Tiers(book)
        for one in rows_of_month(ledger.store, OCTOBER, OCTOBER + 10):
            tiers.count(one)
        assert tiers.position == {("aws/rekognition/group2", "image"): 1_200_000}
        with pytest.raises(InputError, match="not over"):
            close_month(ledger, "2026-10", book)
        ledger.clock.now = OCTOBER + 40 * 86_400_000  # type: ignore[attr-defined]
        ledger.set_budget(Budget(name="m", hard=10**13, period="total"))
        (found,) = close_month(ledger, "2026-10", book).models

        assert (found.rows, found.owed_nano) == (2, owed)
        assert owed < found.posted_nano  # 200,000 pictures cost 0.0008 and not 0.001
        assert last_rows(ledger.store, 1)[0]["cost_nano"] == owed - found.posted_nano
        close_month(ledger, "2026-10", book)
        assert verify(ledger.store).cost_nano == owed
        assert ledger.remaining(who_of("f")) == {"m": 10**13 - owed}
        assert verify(ledger.store).problems == ()
    for wrong in ("2026-13", "october"):
        with Ledger(":memory:", thread=False) as ledger, pytest.raises(InputError, match="no month"):
            close_month(ledger, wrong, book)


def test_a_metered_call_is_held_and_charged_by_what_it_is(book: Book) -> None:
    with Ledger(":memory:", thread=False, clock=Clock(OCTOBER)) as ledger:
        held = hold(Request(model=MODEL, count=1, images=10.0), book).nano
        row(ledger, 1, 1_000_000, 10**12, OCTOBER - 9)
        with reelwise.meter("f", hold_nano=held, ledger=ledger) as call:
            nano = call.charge(Request(model=MODEL, count=1, images=10.0), book)
        assert nano == 10 * 800_000  # the second tier: 0.0008 a picture
        found = last_rows(ledger.store, 1)[0]
        assert (found["cost_nano"], found["images"], found["model"], found["kind"]) == (nano, 10, MODEL, "call")
        assert held >= nano
