"""Sums kept beside the rows equal the raw sums to the nano-dollar, whatever the span."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from reelwise.ledger import Event, Units, What, who_of
from reelwise.ledger.rolls import fold, series, spans, sums
from reelwise.ledger.verify import verify

HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture
def filled(ledger, clock):
    rng = random.Random(7)  # noqa: S311 - no secret
    events = []
    for number in range(600):
        who = who_of(
            rng.choice(("blur", "tags")),
            user=f"u{rng.randrange(9)}",
            session=f"s{rng.randrange(60)}",
            tags={"team": rng.choice("ab")} if rng.random() < 0.5 else None,
        )
        what = What(model=rng.choice(("m", "n")), outcome=rng.choice(("", "kept")))
        at = clock.now_ms() - rng.randrange(100 * DAY)
        cost = rng.randrange(10**7)
        events.append(
            Event(id=f"e{number}", at_ms=at, who=who, what=what, units=Units(calls=1, frames=3), cost_nano=cost)
        )
    for one in events[:450]:
        ledger.record(one, wait=False)
    ledger.flush()
    fold(ledger.store)
    for one in events[450:]:
        ledger.record(one, wait=False)  # these are in no sum yet
    ledger.flush()
    return events


@pytest.mark.parametrize("by", ["", "feature", "user", "session", "model", "outcome", "tag:team"])
@pytest.mark.parametrize("folded", [False, True])
def test_sums_equal_the_rows(ledger, clock, filled, by, folded):
    if folded:
        fold(ledger.store)
    rng = random.Random(f"{by}{folded}")  # noqa: S311 - no secret
    for _ in range(12):
        first = clock.now_ms() - rng.randrange(100 * DAY)
        stop = first + rng.randrange(70 * DAY)
        first, stop = first - first % HOUR, stop + -stop % HOUR
        raw = Counter()
        for one in filled:
            label = (
                one.what.model
                if by == "model"
                else one.what.outcome
                if by == "outcome"
                else one.who.label(by)
                if by
                else ""
            )
            if first <= one.at_ms < stop and (label or not by):
                raw[label] += one.cost_nano

        found = sums(ledger.store, first, stop, by=by)

        assert {one.label: one.cost_nano for one in found} == {label: cost for label, cost in raw.items() if cost}
        assert [one.label for one in sums(ledger.store, first, stop, by=by, most=2)] == [one.label for one in found[:2]]


@pytest.mark.parametrize("grain", ["minute", "hour", "day"])
def test_series_come_to_the_whole(ledger, clock, filled, grain):
    first, stop = clock.now_ms() - 101 * DAY, clock.now_ms() + DAY

    found = series(ledger.store, first, stop, grain)

    assert sum(one.cost_nano for one in found) == sum(one.cost_nano for one in filled)
    assert verify(ledger.store).problems == ()


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_spans_have_no_gap(dim):
    rng = random.Random(dim)  # noqa: S311 - no secret
    for _ in range(300):
        first = rng.randrange(1 << 41)
        stop = first + rng.randrange(200 * DAY)
        found = sorted(spans(first, stop, dim), key=lambda one: one[1])

        assert found[0][1] <= first
        assert found[-1][2] >= stop
        assert all(one[2] == following[1] for one, following in itertools.pairwise(found))
