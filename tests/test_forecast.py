"""The same work at the prices of other days."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from msgspec.structs import replace

from reelwise.case import Case, load
from reelwise.errors import DocumentError, UnpricedError
from reelwise.forecast import forecast, repriced, steps_ahead
from reelwise.levers import find
from reelwise.plan import Plan
from reelwise.price import price_one
from reelwise.rates import Book
from reelwise.stages import Call

FOLDER = Path(__file__).resolve().parents[1] / "examples"
TODAY, NEW_YEAR = dt.date(2026, 11, 22), dt.date(2027, 1, 1)


def opened(name: str, *settings: str, rates: Path | None = None) -> Case:
    return load(FOLDER / f"{name}.yaml", settings=settings, rates=rates)


def total(case: Case) -> float:
    return float(price_one(case.workload, case.plan, case.facts, case.book, case.account).total_usd)


def test_each_month_has_the_prices_of_its_first_day() -> None:
    case = opened("conferencing")
    months = forecast(case, 4)
    assert [one.month for one in months] == ["2026-12", "2027-01", "2027-02", "2027-03"]
    assert [one.total_usd for one in months] == pytest.approx([total(case) * factor for factor in (1, 2, 2, 2)])
    assert [len(one.changes) > 0 for one in months] == [False, True, False, False]
    change = months[1].changes[0]
    assert (change.sku, change.unit, change.rate_before, change.rate_after) == ("gemini-3.8-flash", "tokens_text", 7.5e-07, 1.5e-06)  # fmt: skip
    assert change.quantity_before == change.quantity_after
    assert sum(one.change_usd for one in months[1].changes) == pytest.approx(total(case))


def test_what_cannot_be_priced_today_has_no_forecast() -> None:
    case = opened("speech")
    batch = Plan(stages=(Call(model="openai/whisper-1", part="audio", mode="batch"),))
    with pytest.raises(UnpricedError):
        forecast(replace(case, plan=batch), 1)


def test_a_month_without_a_price_says_why(tmp_path: Path) -> None:
    rates = tmp_path / "rates.yaml"
    rates.write_text(
        "overrides:\n  - {sku: openai/whisper-1, mode: batch, price: 0.003, unit: minute, until: '2026-12-31', source: pilot}\n"
    )
    case = opened("speech", "plan.stages.0.mode=batch", rates=rates)
    december, january = forecast(case, 2)
    assert december.total_usd == pytest.approx(total(case))
    assert january.total_usd is None
    assert "no batch price on 2027-01-01" in january.why
    assert steps_ahead(case, TODAY) == ()


def test_every_line_of_a_bill_has_its_dates() -> None:
    case = opened("moderation-today", "levers=[]")
    kept = replace(case, plan=find("explicit_cache").apply(case.plan))
    assert any(line.unit == "token_hour" for line in price_one(kept.workload, kept.plan, kept.facts, kept.book).lines)
    assert steps_ahead(kept, TODAY) == ()


def test_a_forecast_ends_where_prices_end() -> None:
    with pytest.raises(DocumentError, match="no prices are known"):
        forecast(opened("speech", "day=2100-12-05"), 1)


def test_two_days_line_by_line() -> None:
    case = opened("surveillance")
    was, now, lines = repriced(case, TODAY, NEW_YEAR)
    assert was == pytest.approx(total(case))
    assert now == pytest.approx(total(replace(case, book=Book(NEW_YEAR))))
    assert sum(line.change_usd for line in lines) == pytest.approx(now - was)
    assert {line.sku for line in lines} == {"gemini-3.8-flash"}
    assert repriced(case, TODAY, TODAY)[2] == ()


def test_steps_ahead_are_days_on_which_this_bill_changes() -> None:
    case = opened("conferencing")
    (step,) = steps_ahead(case, TODAY)
    assert (step.day, step.total_usd) == ("2027-01-01", pytest.approx(2 * total(case)))
    assert steps_ahead(case, NEW_YEAR) == ()
    assert steps_ahead(opened("moderation-today"), TODAY) == ()


def test_private_prices_begin_and_end(tmp_path: Path) -> None:
    rates = tmp_path / "rates.yaml"
    rates.write_text(
        "overrides:\n  - {model: gemini-2.5-pro, discount_percent: 10, from: '2026-12-01', until: '2027-05-31', source: contract}\n"
    )
    case = opened("moderation-today", rates=rates)
    steps = steps_ahead(case, TODAY)
    assert [step.day for step in steps] == ["2026-12-01", "2027-06-01"]
    assert steps[0].total_usd == pytest.approx(0.9 * total(case))
    assert steps[1].change_usd == -steps[0].change_usd
    assert forecast(case, 1)[0].total_usd == pytest.approx(0.9 * total(case))
