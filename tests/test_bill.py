"""Bills: sums by anything, the share of each kind of evidence, and lines that explain themselves."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reelwise.bill import Bill, Line
from reelwise.evidence import ASSUMED, MEASURED
from reelwise.rates import Book

if TYPE_CHECKING:
    from reelwise.units import Num

RATE = Book.load(dt.date(2026, 11, 22)).rate("aws/g4dn.xlarge")


def line(quantity: Num, usd: Num, *, unit: str = "hour", lane: str = "main", basis: int = 0) -> Line:
    return Line(
        feature="search", sku="aws/g4dn.xlarge", unit=unit, stage="host", lane=lane, source_class="", quantity=quantity,
        usd=usd, rate=RATE, basis=basis,
    )  # fmt: skip


BILL = Bill(
    lines=(
        line(np.array([1.0, 2.0]), np.array([10.0, 20.0]), basis=MEASURED),
        line(1.0, 70.0, lane="easy", basis=MEASURED | ASSUMED),
    )
)


def test_the_total_is_the_sum_of_all_lines_and_classes() -> None:
    assert BILL.total_usd == 100
    assert BILL.lines[0].usd_month == 30
    assert Bill(lines=()).total_usd == 0


def test_it_can_be_split_by_anything_without_losing_a_cent() -> None:
    assert BILL.by(lambda one: one.lane) == {"main": 30, "easy": 70}
    assert sum(BILL.by(lambda one: str(one.key)).values()) == BILL.total_usd


def test_shares_are_those_of_the_weakest_evidence() -> None:
    assert BILL.share() == {"measured": 0.3, "given": 0.0, "published": 0.0, "assumed": 0.7}
    assert sum(Bill(lines=()).share().values()) == 0


def test_draws_keep_their_axis() -> None:
    drawn = Bill(lines=(line(np.ones((5, 3)), np.full((5, 3), 2.0)), line(1.0, 4.0)))
    assert np.asarray(drawn.total_usd).tolist() == [10.0] * 5
    assert drawn.share()["given"] == pytest.approx(1)
    assert drawn.lines[0].explain()


def test_a_line_says_how_it_came_about() -> None:
    text = BILL.lines[0].explain()
    for part in ("3 hour", "10 USD", "30.00 USD", RATE.source, RATE.checked, "measured"):
        assert part in text


def test_more_lines_keep_what_is_said_of_the_plan() -> None:
    bill = Bill(lines=(), feasible=False, why=("too slow",), latency_ms=5.0, latency_basis=ASSUMED).merged(BILL.lines)
    assert (bill.feasible, bill.why, bill.latency_ms, bill.latency_basis) == (False, ("too slow",), 5.0, ASSUMED)
    assert bill.total_usd == 100
