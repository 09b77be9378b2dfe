"""Demand in its five forms, and the classes of items it turns into."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.documents import decode
from reelwise.errors import DocumentError
from reelwise.evidence import Fact
from reelwise.facts import Entry, Facts
from reelwise.units import total
from reelwise.workload import DAYS_A_MONTH, Demand, Workload, items_of

NOTHING = Facts()


def job(demand: dict[str, Any], **fields: Any) -> Workload:
    return decode({"feature": "search", "demand": demand, **fields}, Workload, where="job.yaml")


def seconds_of(workload: Workload, facts: Facts = NOTHING) -> float:
    return math.fsum(float(total(item.count * item.seconds)) for item in items_of(workload, facts))


FORMS = [
    ({"hours": 10}, 36_000),
    ({"clips": 100, "seconds": 30}, 3000),
    ({"users": 10, "sessions": 4, "seconds": 60}, 2400),
    ({"cameras": 2, "hours_a_day": 12}, 2 * 12 * 3600 * DAYS_A_MONTH),
    (
        {
            "classes": [
                {"name": "a", "users": 5, "sessions": 2, "seconds": 10},
                {"name": "b", "users": 1, "sessions": 1, "seconds": 50},
            ]
        },
        150,
    ),
]


@pytest.mark.parametrize(("demand", "seconds"), FORMS)
def test_every_form_of_demand_says_the_months_seconds(demand: dict[str, Any], seconds: float) -> None:
    workload = job(demand)
    workload.check()
    assert workload.seconds_month == pytest.approx(seconds)
    assert seconds_of(workload) == pytest.approx(seconds)
    assert workload.demand.form == next(iter(demand))


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        ({}, "exactly one form"),
        ({"hours": 1, "cameras": 1, "hours_a_day": 2}, "exactly one form"),
        ({"clips": 5}, "`clips` needs `seconds`"),
        ({"users": 5, "seconds": 3}, "`users` needs `sessions`"),
        ({"users": 5, "sessions": 3}, "`users` needs `seconds`"),
        ({"cameras": 5}, "`cameras` needs `hours_a_day`"),
        ({"seconds": 3}, "exactly one form"),
        ({"hours": 5, "seconds": 3}, "`seconds` says nothing beside `hours`"),
        ({"clips": 5, "seconds": 3, "sessions": 2}, "`sessions` says nothing"),
        ({"users": 5, "sessions": 3, "seconds": 2, "hours_a_day": 2}, "`hours_a_day` says nothing"),
        ({"classes": [{"name": "a", "users": 1, "sessions": 1, "seconds": 1}] * 2}, "same name"),
    ],
)
def test_two_forms_half_forms_and_stray_fields_are_refused(demand: dict[str, Any], said: str) -> None:
    with pytest.raises(DocumentError, match=said) as caught:
        job(demand).check("job.yaml")
    assert "$.demand" in caught.value.where
    assert caught.value.hint


def test_lengths_that_would_change_nothing_are_refused() -> None:
    job({"hours": 1}, lengths=[{"seconds": 5}]).check()
    with pytest.raises(DocumentError, match="lengths say nothing beside `clips`"):
        job({"clips": 1, "seconds": 9}, lengths=[{"seconds": 5}]).check()
    with pytest.raises(DocumentError, match="sum to 0"):
        job({"hours": 1}, lengths=[{"seconds": 5, "share": 0}]).check()


@pytest.mark.parametrize("field", ["hours", "clips", "cameras"])
@pytest.mark.parametrize("value", [-1, 1e16, "many", None])
def test_counts_are_numbers_from_0_to_a_bound(field: str, value: object) -> None:
    with pytest.raises(DocumentError):
        job({field: value, "seconds": 1}).check()


histograms = st.lists(st.tuples(st.floats(0.1, 20_000), st.floats(0, 1)), min_size=1, max_size=8).filter(
    lambda bars: sum(share for _, share in bars) > 0.01
)


@given(histograms, st.floats(0.001, 1e6))
def test_a_histogram_keeps_the_months_seconds(bars: list[tuple[float, float]], hours: float) -> None:
    workload = job({"hours": hours}, lengths=[{"seconds": s, "share": share} for s, share in bars])
    workload.check()
    (item,) = items_of(workload, NOTHING)
    assert seconds_of(workload) == pytest.approx(hours * 3600)
    shares = np.array([share for _, share in bars])
    counts = np.broadcast_to(np.asarray(item.count), shares.shape)
    assert counts / counts.sum() == pytest.approx(shares / shares.sum())


@given(st.floats(0, 3), st.floats(1, 1e5), st.floats(0.1, 100))
def test_user_classes_keep_their_sum_whatever_their_spread(spread: float, users: float, sessions: float) -> None:
    workload = job({"classes": [{"name": "a", "users": users, "sessions": sessions, "seconds": 60, "spread": spread}]})
    (item,) = items_of(workload, NOTHING)
    assert float(total(item.count)) == pytest.approx(users * sessions)
    assert item.source_class == "a"


def test_a_long_tail_has_light_and_heavy_users_around_the_same_mean() -> None:
    workload = job({"classes": [{"name": "a", "users": 1600, "sessions": 10, "seconds": 60, "spread": 1}]})
    (item,) = items_of(workload, NOTHING)
    counts = np.asarray(item.count)
    assert counts.shape == (16,)
    assert (np.diff(counts) > 0).all()
    assert counts.mean() * 16 / 1600 == pytest.approx(10)
    assert counts[-1] / counts[0] > 20
    assert np.median(counts) < counts.mean(), "a long tail: the typical user is below the mean"


def test_views_multiply_the_items_and_questions_do_not() -> None:
    once, again = job({"hours": 1}), job({"hours": 1}, repetition={"views": 7, "questions": 3, "duplicates": 2})
    (a,), (b,) = items_of(once, NOTHING), items_of(again, NOTHING)
    assert b.count == pytest.approx(7 * a.count)
    assert (b.views, b.questions, b.duplicates) == (7, 3, 2)
    assert again.seconds_month == once.seconds_month, "views are counted once in the demand"


def test_one_item_is_the_source_for_its_length() -> None:
    workload = job(
        {"clips": 4, "seconds": 10},
        source={"width": 640, "height": 360, "fps": 25, "audio": False, "megabits_per_second": 8},
        prompt={"prefix": 1, "question": 2, "output": 3},
    )
    (item,) = items_of(workload, NOTHING)
    assert (item.count, item.seconds, item.frames, item.audio_seconds, item.megabytes) == (4, 10, 250, 0, 10)
    assert (item.width_px, item.height_px) == (640, 360)
    assert (item.tokens_prefix, item.tokens_prompt, item.tokens_output) == (1, 2, 3)
    assert item.footage == "search"
    named = msgspec.structs.replace(workload, source_class="doors")
    assert items_of(named, NOTHING)[0].footage == "doors"


def test_unsure_demand_is_drawn_once_for_all_classes() -> None:
    workload = job(FORMS[-1][0])
    factor = Entry(name="demand.factor", fact=Fact(value=1.0, low=0.5, high=2.0))
    a, b = items_of(workload, Facts((factor,)).draw(50))
    assert np.asarray(a.count).shape == (50, 1)
    assert np.asarray(a.count) / 10 == pytest.approx(np.asarray(b.count))


def test_users_are_counted_where_the_demand_knows_them() -> None:
    assert job(FORMS[-1][0]).users_month == 6
    assert job({"users": 3, "sessions": 1, "seconds": 1}).users_month == 3
    assert job({"hours": 3}).users_month == 0
    assert Demand().form == ""
