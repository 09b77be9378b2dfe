"""How uncertain an estimate is said to be: by how few items the facts behind it rest on."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from reelwise.case import make
from reelwise.evidence import Fact
from reelwise.facts import Entry
from reelwise.flow import Item, Tally
from reelwise.run.band import band_usd
from reelwise.run.estimate import Estimate, sides
from reelwise.run.measure import entries_of, wilson

CALL = {"stage": "call", "model": "gemini-2.5-flash-lite"}
CASCADE = [CALL, {"stage": "escalate"}, {"stage": "call", "model": "gemini-2.5-pro", "lane": "doubt"}]


def case_of(stages, *entries):
    tree = {"feature": "bay", "demand": {"hours": 1}, "day": "2026-11-22", "plan": {"stages": stages}}
    return make(tree, where="test", measured=entries)


def clip(seconds=30.0):
    return Item(
        count=1.0, seconds=seconds, frames=seconds * 25, width_px=640, height_px=360, tokens_prompt=20.0, tokens_output=100.0
    )  # fmt: skip


def doubted(share, items):
    low, high = wilson(share, items)
    return Entry(
        name="escalate.doubt_share", fact=Fact(value=share, low=min(low, share), high=max(high, share), kind="measured")
    )


def test_what_rests_on_no_uncertain_fact_has_no_band():
    case = case_of([CALL])

    assert band_usd(case, case.plan, [clip()]) is None
    assert band_usd(case, case.plan, []) is None


def test_fewer_items_behind_a_share_make_the_band_wider():
    widths = []
    for items in (4, 16, 400):
        case = case_of(CASCADE, doubted(0.25, items))
        found = band_usd(case, case.plan, [clip()] * 64)
        widths.append(found.high - found.low)

    assert widths[0] > widths[1] > widths[2] > 0


def test_few_items_to_come_have_luck_of_their_own_whatever_is_known():
    case = case_of(CASCADE, doubted(0.25, 100_000))
    found = {count: band_usd(case, case.plan, [clip()] * count) for count in (4, 16, 64)}
    relative = [(one.high - one.low) / count for count, one in found.items()]

    assert relative[0] > relative[1] > relative[2] > 0


def test_many_items_are_told_by_some_of_them():
    case = case_of(CASCADE, doubted(0.25, 16))
    some, many = (band_usd(case, case.plan, [clip()] * count) for count in (64, 6400))

    assert many.usd == pytest.approx(100 * some.usd)
    assert (many.high - many.low) / many.usd < (some.high - some.low) / some.usd


def test_the_band_holds_as_often_as_it_says():
    """Shares that were seen in 16 items, against what 16 other items do: nine times of ten, or nearly."""
    chance, inside = np.random.default_rng(1), 0
    cheap, dear = (band_free(stages) for stages in ([CALL], [{**CALL, "model": "gemini-2.5-pro"}]))
    for _ in range(60):
        share = chance.uniform(0.1, 0.6)
        case = case_of(CASCADE, doubted(chance.binomial(16, share) / 16, 16))
        band = band_usd(case, case.plan, [clip()] * 16)
        inside += band.low - 1e-12 <= 16 * cheap + chance.binomial(16, share) * dear <= band.high + 1e-12

    assert inside >= 48  # 54 are expected; fewer than 48 come by chance in 1 of 100


def band_free(stages):
    from reelwise.flow import Out
    from reelwise.plan import fold

    case = case_of(stages)
    out = Out(case.book, case.book.day)
    fold(case.plan, [clip()], case.facts, out)
    return sum(
        float(usage.quantity) * float(rate.usd) for one in out.requests for usage, rate in case.book.price_request(one)
    )


def test_one_item_tells_of_a_share_how_little_it_tells():
    tally = Tally()
    tally.add("escalate.doubt_share", "x", "", 0.0, 1.0)
    (entry,) = entries_of(tally, tally, footage="bay", on="clip", day=dt.date(2026, 11, 22))

    assert entry.fact.value == entry.fact.low == 0.0
    assert entry.fact.high > 0.5


def test_the_dollars_carry_their_band_and_other_units_none():
    expected = Estimate(usd=1.0, units={"calls": 3.0}, usd_by_lane={}, usd_low=0.9, usd_high=1.2)
    rows = {
        side.unit: side
        for side in sides(
            expected,
            [],
            make(
                {"feature": "x", "demand": {"hours": 1}, "plan": {"stages": [{"stage": "call", "model": "gpt-4o"}]}},
                where="test",
            ).book,
        )
    }

    assert (rows["usd"].low, rows["usd"].high) == (0.9, 1.2)
    assert (rows["calls"].low, rows["calls"].high) == (None, None)
