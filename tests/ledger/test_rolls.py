from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.ledger import Budget, Event, Ledger, Units, What, who_of
from reelwise.ledger.retention import prune
from reelwise.ledger.rolls import fold, series, spans, sums
from reelwise.ledger.verify import verify

DAY = 86_400_000
NOW = 20_000 * DAY

moments = st.integers(NOW - 3 * DAY, NOW + DAY)
event = st.tuples(moments, st.sampled_from("ab"), st.sampled_from(["u1", "u2", ""]), st.integers(0, 10**12))


def write(ledger: Ledger, found: list[tuple[int, str, str, int]]) -> None:
    for number, (at, feature, user, cost) in enumerate(found):
        what = What(model=f"m{cost % 2}", kind="call", outcome="ok" if cost % 3 else "")
        who = who_of(feature, user=user, tags={"team": user} if user else None)
        ledger.record(
            Event(id=f"e{number}", at_ms=at, who=who, what=what, units=Units(calls=1, frames=cost % 5), cost_nano=cost),
            wait=False,
        )
    ledger.flush()


@given(found=st.lists(event, max_size=40), folded=st.integers(0, 60), low=moments, length=st.integers(1, 3 * DAY))
@settings(max_examples=60, deadline=None)
def test_sums_equal_the_rows_to_the_nano_dollar(
    found: list[tuple[int, str, str, int]], folded: int, low: int, length: int
) -> None:
    with Ledger(":memory:", thread=False) as ledger:
        write(ledger, found)
        if folded:
            fold(ledger.store, folded)  # some rows in the sums, some not
        for by, pick in (("feature", 1), ("user", 2)):
            finest = 60_000 if by == "feature" else 3_600_000
            first, stop = low - low % finest, low + length + -(low + length) % finest
            expected: Counter[str] = Counter()
            for one in found:
                if first <= one[0] < stop and (pick == 1 or one[2]):
                    expected[str(one[pick])] += one[3]
            got = {one.label: one.cost_nano for one in sums(ledger.store, low, low + length, by=by)}
            assert {label: cost for label, cost in got.items() if cost} == {k: v for k, v in expected.items() if v}
        assert sum(one.cost_nano for one in series(ledger.store, 0, NOW * 2, "hour")) == sum(one[3] for one in found)
        assert verify(ledger.store).problems == ()


@given(first=st.integers(0, 10**8), length=st.integers(0, 10 * DAY), minutes=st.booleans())
def test_spans_cover_without_gap_or_overlap(first: int, length: int, minutes: bool) -> None:
    finest = 60_000 if minutes else 3_600_000
    found = sorted(spans(first, first + length, 0 if minutes else 1), key=lambda one: one[1])
    at = first - first % finest
    for _, start, stop in found:
        assert start == at
        assert stop > start
        at = stop
    assert at == first + length + -(first + length) % finest or not found


def test_tags_and_features_are_summed_apart() -> None:
    with Ledger(":memory:", thread=False) as ledger:
        write(ledger, [(NOW, "a", "u1", 10), (NOW, "b", "u1", 20), (NOW, "a", "u2", 40)])
        assert {one.label: one.cost_nano for one in sums(ledger.store, 0, NOW + 1, by="tag:team")} == {
            "u1": 30,
            "u2": 40,
        }
        assert {one.label: one.cost_nano for one in sums(ledger.store, 0, NOW + 1, by="user", feature="a")} == {
            "u1": 10,
            "u2": 40,
        }
        with pytest.raises(InputError):
            sums(ledger.store, 0, 1, by="tag")


def test_old_rows_go_and_their_sums_stay() -> None:
    with Ledger(":memory:", thread=False) as ledger:
        ledger.set_budget(Budget(name="m", hard=10**15, period="month"))
        write(ledger, [(NOW - 100 * DAY, "a", "u1", 10), (NOW - 70 * DAY, "a", "u1", 20), (NOW, "a", "u2", 40)])
        before = sums(ledger.store, 0, NOW + 1, by="user")
        assert prune(ledger.store, 62, NOW) == 2
        assert sums(ledger.store, 0, NOW + 1, by="user") == before
        found = verify(ledger.store)
        assert (found.rows, found.problems) == (1, ())


def test_an_estimate_is_kept_and_counts_nowhere() -> None:
    from reelwise.ledger.queries import last_rows

    with Ledger(":memory:", thread=False) as ledger:
        ledger.set_budget(Budget(name="m", hard=100, period="total"))
        what = What(kind="estimate", model="m")
        ledger.record(Event(id="e", at_ms=NOW, who=who_of("a"), what=what, units=Units(calls=3), cost_nano=10**9))
        assert last_rows(ledger.store, 9)[0]["cost_nano"] == 10**9
        assert sums(ledger.store, 0, NOW + 1) == []
        assert ledger.remaining(who_of("a")) == {"m": 100}
        assert verify(ledger.store).problems == ()
        ledger.set_budget(Budget(name="later", hard=100, period="total"))
        assert ledger.remaining(who_of("a"))["later"] == 100


def test_what_is_spent_after_everything_was_pruned_is_in_the_sums() -> None:
    with Ledger(":memory:", thread=False) as ledger:
        write(ledger, [(NOW - 100 * DAY, "a", "u1", 10)] * 5)
        assert prune(ledger.store, 62, NOW) == 4  # the last stays: numbers go on from it
        what = What(model="m")
        for number in range(3):
            made = Event(id=f"n{number}", at_ms=NOW, who=who_of("a"), what=what, units=Units(calls=1), cost_nano=7)
            ledger.record(made)

        assert [one.cost_nano for one in sums(ledger.store, NOW - DAY, NOW + 1)] == [21]
        assert verify(ledger.store).problems == ()


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"match": (("feature", "a"),)},
        {"match": (("user", "u1"),), "measure": "frames"},
        {"each": ("user",)},
        {"each": ("feature", "user"), "measure": "calls"},
        {"match": (("tag:team", "u2"),)},
        {"each": ("session",)},
    ],
)
def test_a_budget_of_all_time_counts_what_was_pruned(scope, folded) -> None:
    found = [(NOW - (100 - at) * DAY, "ab"[at % 2], ("u1", "u2", "")[at % 3], 10 + at) for at in range(40)]

    def accounts(ledger: Ledger, name: str) -> dict[str, int]:
        with ledger.store.transaction(write=False) as link:
            rows = link.rows(
                "SELECT s.account, s.posted FROM slot s JOIN budget b ON b.id = s.budget "
                "WHERE b.name = ? AND s.posted <> 0 AND s.bucket = 0",
                (name,),
            )
        return dict(rows)

    with Ledger(":memory:", thread=False) as ledger:
        ledger.set_budget(Budget(name="before", soft=1, period="total", **scope))
        write(ledger, found)
        assert prune(ledger.store, 62, NOW) > 20
        for number in range(3):
            made = Event(
                id=f"n{number}", at_ms=NOW, who=who_of("a", user="u1"), what=What(), units=Units(calls=1), cost_nano=7
            )
            ledger.record(made)
        if folded:
            fold(ledger.store)

        ledger.set_budget(Budget(name="after", soft=1, period="total", **scope))

        assert accounts(ledger, "after") == accounts(ledger, "before")
        assert verify(ledger.store).problems == ()


def test_a_budget_of_all_time_that_cannot_count_what_was_pruned_is_refused() -> None:
    with Ledger(":memory:", thread=False) as ledger:
        write(ledger, [(NOW - 100 * DAY, "a", "u1", 10)] * 5)
        prune(ledger.store, 62, NOW)
        with pytest.raises(InputError, match="pruned"):
            ledger.set_budget(Budget(name="after", soft=1, period="total", each=("user", "tenant")))
        assert ledger.budgets() == []
