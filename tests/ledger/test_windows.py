"""The windows that budgets count in: calendars with time zones and summer time, rolling windows, clocks that go back."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import BudgetError, InputError
from reelwise.ledger import Budget, Event, Units, What, who_of
from reelwise.ledger import clock as clocks
from reelwise.ledger.clock import SystemClock
from reelwise.ledger.periods import bucket_of, since, window_of

WHO = who_of("blur", user="u1")
HOUR = 3_600_000


def ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def fill(ledger, nano):
    """Spend up to the limit, to the nano-dollar."""
    ledger.post(ledger.hold(WHO, nano), f"c{ledger.clock.now_ms()}", nano)
    with pytest.raises(BudgetError) as denied:
        ledger.hold(WHO, 1)
    return denied.value


@pytest.mark.parametrize(
    ("period", "zone", "begin", "last", "then"),
    [
        ("minute", "UTC", "2026-03-10T12:00:30Z", "2026-03-10T12:00:59.999Z", "2026-03-10T12:01:00Z"),
        ("hour", "UTC", "2026-03-10T12:00:00Z", "2026-03-10T12:59:59.999Z", "2026-03-10T13:00:00Z"),
        ("hour", "Asia/Kolkata", "2026-03-10T12:00:00Z", "2026-03-10T12:29:59.999Z", "2026-03-10T12:30:00Z"),
        ("day", "UTC", "2026-03-10T12:00:00Z", "2026-03-10T23:59:59.999Z", "2026-03-11T00:00:00Z"),
        ("day", "Europe/Berlin", "2026-03-10T12:00:00Z", "2026-03-10T22:59:59.999Z", "2026-03-10T23:00:00Z"),
        ("day", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00Z"),
        ("day", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00Z"),
        ("day", "America/New_York", "2026-03-08T12:00:00Z", "2026-03-09T03:59:59.999Z", "2026-03-09T04:00:00Z"),
        ("month", "UTC", "2026-02-10T12:00:00Z", "2026-02-28T23:59:59.999Z", "2026-03-01T00:00:00Z"),
        ("month", "Europe/Berlin", "2026-03-10T12:00:00Z", "2026-03-31T21:59:59.999Z", "2026-03-31T22:00:00Z"),
        ("month", "UTC", "2026-12-10T12:00:00Z", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_a_window_ends_when_its_calendar_says(ledger, clock, period, zone, begin, last, then):  # noqa: PLR0917 - a table
    clock.set(begin)
    ledger.set_budget(Budget(name="b", period=period, zone=zone, hard=100))
    denied = fill(ledger, 100)
    assert clock.at + denied.retry_seconds * 1000 == ms(then)

    clock.set(last)
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 1)

    clock.set(then)
    fill(ledger, 100)


def test_days_of_23_and_25_hours():
    for day, hours in (("2026-03-29T12:00:00Z", 23), ("2026-03-28T12:00:00Z", 24), ("2026-10-25T12:00:00Z", 25)):
        start, stop = window_of("day", "Europe/Berlin", ms(day))
        assert stop - start == hours * HOUR


def test_a_total_never_ends(ledger, clock):
    ledger.set_budget(Budget(name="b", period="total", hard=100))
    assert fill(ledger, 100).retry_seconds is None

    clock.set("2030-01-01T00:00:00Z")

    with pytest.raises(BudgetError) as denied:
        ledger.hold(WHO, 1)
    assert not denied.value.retryable


@pytest.mark.parametrize(("period", "seconds"), [("minute", 60), ("hour", 3600), ("day", 86_400)])
def test_a_rolling_window_lets_go_when_its_costs_are_old_enough(ledger, clock, period, seconds):
    ledger.set_budget(Budget(name="b", period=period, rolling=True, hard=100))
    part = seconds / 60
    clock.at -= clock.at % round(part * 1000)
    ledger.post(ledger.hold(WHO, 60), "first", 60)
    clock.on(seconds / 2)
    fill(ledger, 40)

    clock.on(seconds / 2 - 0.001)  # a moment before the first is a whole window old
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 1)

    clock.on(part + 0.001)  # up to a 60th late, never early
    ledger.post(ledger.hold(WHO, 60), "third", 60)
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 1)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 1 << 41), period=st.sampled_from(["minute", "hour", "day"]))
def test_a_rolling_window_always_counts_at_least_its_length(at, period):
    length = {"minute": 60_000, "hour": HOUR, "day": 24 * HOUR}[period]
    begins, ends = bucket_of(period, "UTC", at, rolling=True)

    assert begins <= at < ends
    assert length - (ends - begins) <= at - since(period, "UTC", at, rolling=True) - (ends - begins) <= length
    assert since(period, "UTC", at, rolling=True) <= at - length


@settings(max_examples=100, deadline=None)
@given(
    at=st.integers(0, 1 << 41),
    period=st.sampled_from(["minute", "hour", "day", "month"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_calendar_windows_meet_without_gap_or_overlap(at, period, zone):
    start, stop = window_of(period, zone, at)

    assert start <= at < stop
    assert window_of(period, zone, start) == (start, stop)
    assert window_of(period, zone, stop)[0] == stop


def test_a_call_counts_in_the_window_it_began_in(ledger, clock, spent):
    clock.set("2026-03-10T23:59:59Z")
    ledger.set_budget(Budget(name="day", hard=100))
    hold = ledger.hold(WHO, 100)
    clock.set("2026-03-11T00:00:01Z")
    ledger.hold(WHO, 100)

    ledger.post(hold, "c1", 70)

    assert spent(ledger, "day") == {("", ms("2026-03-10T00:00:00Z")): 70}


def test_a_row_for_an_earlier_window_counts_there(ledger, spent):
    ledger.set_budget(Budget(name="day", hard=100))

    ledger.record(
        Event(
            id="t",
            at_ms=ms("2026-03-09T05:00:00Z"),
            who=WHO,
            what=What(kind="true_up"),
            units=Units(),
            cost_nano=30,
        )
    )

    assert spent(ledger, "day") == {("", ms("2026-03-09T00:00:00Z")): 30}
    assert ledger.remaining(WHO) == {"day": 100}


def test_a_budget_set_in_the_middle_of_its_window_counts_what_was_spent(ledger, clock):
    ledger.post(ledger.hold(WHO, 60), "c1", 60)
    clock.on(3600)

    ledger.set_budget(Budget(name="day", hard=100))
    ledger.set_budget(Budget(name="user", each=("user",), period="hour", rolling=True, hard=100))
    ledger.set_budget(Budget(name="minute", period="minute", hard=100))

    assert ledger.remaining(WHO) == {"day": 40, "user": 40, "minute": 100}


def test_the_clock_set_back_a_little_stands_still(monkeypatch):
    times = iter([5_000_000_000, 4_999_000_000, 4_000_000_000, 5_001_000_000])
    monkeypatch.setattr(clocks.time, "time_ns", lambda: next(times))
    clock = SystemClock()

    assert [clock.now_ms() for _ in range(4)] == [5000, 5000, 5000, 5001]
    assert clock.back_ms == 1000


def test_the_clock_set_back_by_a_day_counts_in_that_day(ledger, clock, spent):
    ledger.set_budget(Budget(name="day", hard=100))
    fill(ledger, 100)

    clock.set("2026-03-09T12:00:00Z")

    fill(ledger, 100)
    assert spent(ledger, "day") == {("", ms("2026-03-10T00:00:00Z")): 100, ("", ms("2026-03-09T00:00:00Z")): 100}


def test_holds_still_expire_after_the_clock_was_set_back(ledger, clock):
    ledger.set_budget(Budget(name="all", period="total", hard=100))
    ledger.step()
    clock.set("2026-03-09T12:00:00Z")
    ledger.hold(WHO, 100, timeout_seconds=10)
    clock.on(11)

    ledger.step()

    assert ledger.open_holds == 0


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../etc/passwd", ""])
def test_a_zone_that_is_none_is_refused(ledger, zone):
    with pytest.raises(InputError):
        ledger.set_budget(Budget(name="b", zone=zone, hard=1))
