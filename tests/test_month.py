from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reelwise
from reelwise.charge import charge, hold
from reelwise.errors import InputError
from reelwise.ledger import Budget, Event, Ledger, Units, What, who_of
from reelwise.ledger.queries import last_rows
from reelwise.ledger.verify import verify
from reelwise.month import Tiers, close_month, label_of, request_of, rows_of_month, units_of
from reelwise.rates import Book
from reelwise.requests import Request

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_row_of_units_unknown_keeps_what_it_posted_and_stops_nothing(book: Book) -> None:
    with Ledger(":memory:", thread=False, clock=Clock(OCTOBER)) as ledger:
        row(ledger, 1, 0, 77)  # ambiguous: held for, and nobody knows what it used
        row(ledger, 2, 1_000, 5)
        ledger.clock.now = OCTOBER + 40 * 86_400_000  # type: ignore[attr-defined]
        closed = close_month(ledger, "2026-10", book)
    assert closed.skipped == ()
    assert [(one.rows, one.owed_nano) for one in closed.models] == [(2, 77)]  # the first thousand are free


def test_a_month_can_be_closed_again_when_late_rows_have_come(book: Book) -> None:
    with Ledger(":memory:", thread=False, clock=Clock(OCTOBER)) as ledger:
        row(ledger, 1, 900_000, 1)
        ledger.clock.now = OCTOBER + 40 * 86_400_000  # type: ignore[attr-defined]
        (first,) = close_month(ledger, "2026-10", book).models
        assert (first.posted_nano, first.trued_nano, first.written_nano) == (1, 0, first.owed_nano - 1)
        row(ledger, 2, 2_000_000, 5)
        (second,) = close_month(ledger, "2026-10", book).models
        assert (second.posted_nano, second.trued_nano) == (first.owed_nano + 5, first.written_nano)
        assert second.written_nano == second.owed_nano - second.posted_nano > 0
        (third,) = close_month(ledger, "2026-10", book).models
        assert (third.written_nano, third.written, third.posted_nano) == (0, False, second.owed_nano)
        assert verify(ledger.store).cost_nano == second.owed_nano
        assert verify(ledger.store).problems == ()


def test_a_true_up_reaches_the_callers_whose_rows_it_is_about(book: Book) -> None:
    with Ledger(":memory:", thread=False, clock=Clock(OCTOBER)) as ledger:
        for name in ("a", "b", "c"):
            ledger.set_budget(Budget(name=name, match=(("feature", name),), hard=10**15, period="total"))
        costs = {"a": 100, "b": 333, "c": 0}
        for number, (name, cost) in enumerate(costs.items()):
            ledger.record(
                Event(
                    id=name,
                    at_ms=OCTOBER + number,
                    who=who_of(name, user=f"u{number}", tenant="t"),
                    what=What(model=MODEL),
                    units=Units(calls=1, images=1_000_000),
                    cost_nano=cost,
                )
            )
        ledger.clock.now = OCTOBER + 40 * 86_400_000  # type: ignore[attr-defined]
        (found,) = close_month(ledger, "2026-10", book).models
        shares = {one["feature"]: one for one in last_rows(ledger.store, 9) if one["kind"] == "true_up"}
        difference = found.owed_nano - 433

        assert shares.keys() == {"a", "b"}  # by what they spent
        assert (shares["a"]["user"], shares["b"]["tenant"]) == ("u0", "t")
        assert shares["a"]["cost_nano"] == difference * 100 // 433
        assert sum(one["cost_nano"] for one in shares.values()) == difference
        assert ledger.remaining(who_of("a"))["a"] == 10**15 - 100 - shares["a"]["cost_nano"]


def test_too_many_callers_are_taken_together(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reelwise.month._CALLERS_MAX", 3)
    with Ledger(":memory:", thread=False, clock=Clock(OCTOBER)) as ledger:
        for number in range(12):
            ledger.record(
                Event(
                    id=f"r{number}",
                    at_ms=OCTOBER + number,
                    who=who_of("f", user=f"u{number % 2}", session=f"s{number}"),
                    what=What(model=MODEL),
                    units=Units(calls=1, images=100_000),
                    cost_nano=10,
                ),
                wait=False,
            )
        ledger.clock.now = OCTOBER + 40 * 86_400_000  # type: ignore[attr-defined]
        (found,) = close_month(ledger, "2026-10", book).models
        shares = [one for one in last_rows(ledger.store, 99) if one["kind"] == "true_up"]
        assert sorted((one["user"], one["session"]) for one in shares) == [("u0", ""), ("u1", "")]
        assert sum(one["cost_nano"] for one in shares) == found.owed_nano - 120


LABELS = "aws/rekognition/labels"
MINUTES = "google/video-intelligence/label"
calls = st.lists(
    st.one_of(
        st.builds(lambda n: Request(model=LABELS, count=1, images=float(n)), st.integers(1, 2_000_000)),
        st.builds(lambda n: Request(model=MINUTES, count=1, seconds=n / 7), st.integers(1, 5_000_000)),
        st.builds(
            lambda n: Request(model="google/vision/label", count=1, images=float(n), seconds=3.0),
            st.integers(1, 900_000),
        ),
    ),
    min_size=1,
    max_size=12,
)


@given(
    calls=calls,
    told=st.lists(st.integers(0, 50), min_size=12, max_size=12),
    fresh=st.sampled_from([0.0, 10.0]),  # whether rows are read again at each call
)
@settings(max_examples=60, deadline=None)
def test_closing_a_month_finds_what_its_calls_were_charged(
    book: Book, calls: list[Request], told: list[int], fresh: float
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        Ledger(":memory:", thread=False, clock=Clock(OCTOBER)) as ledger,
    ):
        patch.setattr("reelwise.month_so_far._FRESH_SECONDS", fresh)
        charged = 0
        for request, number in zip(calls, told, strict=False):
            with reelwise.meter("f", hold_usd="100000", ledger=ledger, wait=number % 2 == 0) as call:
                call.used(frames=number, gpu_ms=number, audio_ms=number * 1000, images=number)
                if number % 3 == 0:
                    call.charge(request, book)  # told again: the last counts
                charged += call.charge(request, book)
                call.used(video_ms=number)
        ledger.clock.now = OCTOBER + 40 * 86_400_000  # type: ignore[attr-defined]
        closed = close_month(ledger, "2026-10", book)
        assert closed.skipped == ()
        assert sum(one.owed_nano for one in closed.models) == charged
        assert not any(one.written for one in closed.models)
        assert verify(ledger.store).cost_nano == charged


def test_another_process_s_rows_are_seen_within_seconds(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Request(model=MODEL, count=1, images=1_000_000.0)
    with (
        Ledger(tmp_path / "l.db", thread=False, clock=Clock(OCTOBER)) as one,
        Ledger(tmp_path / "l.db", thread=False, clock=Clock(OCTOBER)) as two,
    ):

        def charged(ledger: Ledger) -> int:
            with reelwise.meter("f", hold_usd="1000", ledger=ledger) as call:
                return call.charge(used, book)

        first = charged(one)
        assert charged(two) < first  # it reads the month when it begins
        third = charged(one)
        assert third == charged(two)  # neither knows of the other's last
        monkeypatch.setattr("reelwise.month_so_far._FRESH_SECONDS", 0.0)
        assert charged(one) == 1_000_000 * 800_000
        pages = []
        export = reelwise.month.export
        monkeypatch.setattr("reelwise.month.export", lambda *a, **k: pages.append(k["after"]) or export(*a, **k))
        charged(one)
        assert pages == [4]  # only rows that it has not read: its own, the last, is the fifth


def test_a_mode_and_a_resolution_are_kept_with_the_model() -> None:
    request = Request(model="m", count=1, mode="batch", resolution="720p", images=2.0)
    assert request_of(label_of(request), units_of(request)) == request
    assert label_of(Request(model="m", count=1)) == "m"
