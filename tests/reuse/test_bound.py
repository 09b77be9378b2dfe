from __future__ import annotations

import random

import pytest

from reelwise.errors import InputError
from reelwise.reuse.bound import Counts, counted, served


def kinds(counts, bound):
    return {verdict.kind for verdict in served(counts, bound) if verdict.served}


def test_nothing_but_exact_repeats_is_served_before_anything_was_judged():
    assert kinds({}, 0.01) == {"exact", "shuffled"}
    assert kinds({}, 0.05) == {"exact", "shuffled", "moved"}


def test_a_kind_is_served_once_it_is_proved():
    # 1 - 0.02 ** (1 / n) <= 0.05 from n = 77 on
    assert "small" not in kinds({"small": Counts(right=76)}, 0.05)
    assert "small" in kinds({"small": Counts(right=77)}, 0.05)
    assert "small" not in kinds({"small": Counts(right=77)}, 0.02)


def test_a_kind_that_was_never_judged_is_not_served_and_ends_nothing():
    found = kinds({"small": Counts(right=200), "which": Counts(right=200)}, 0.05)
    assert {"small", "which"} <= found
    assert not {"frames", "synonyms", "plurals", "helpers", "turned"} & found


def test_the_first_kind_that_fails_ends_it():
    counts = {"small": Counts(right=50, wrong=10), "plurals": Counts(right=10_000)}
    assert "plurals" not in kinds(counts, 0.05)


def test_a_presumed_kind_is_dropped_when_it_is_refuted():
    assert "moved" not in kinds({"moved": Counts(right=10, wrong=10)}, 0.05)
    assert "shuffled" in kinds({"shuffled": Counts(right=9, wrong=1)}, 0.02)
    assert "shuffled" not in kinds({"shuffled": Counts(right=5, wrong=5)}, 0.02)


def test_what_is_presumed_counts_in_the_error_of_all_that_is_served():
    enough = {"small": Counts(right=100)}
    assert "small" in kinds(enough, 0.05)
    assert "small" not in kinds({**enough, "shuffled": Counts(right=37, wrong=3)}, 0.05)


def test_the_bound_holds_in_95_of_100_worlds():
    rng = random.Random(0)  # noqa: S311 - a test
    missed = 0
    for _ in range(400):
        truth = 0.06  # just above the bound: whoever serves it has missed
        wrong = sum(rng.random() < truth for _ in range(300))
        counts = {"small": Counts(right=300 - wrong, wrong=wrong)}
        missed += any(one.served for one in served(counts, 0.05, risk=0.05) if one.kind == "small")

    assert missed <= 20


def test_pairs_are_counted_by_kind():
    found = counted([("a b?", "A  b", True), ("What's it?", "what is it", False), ("x", "y", True)])

    assert found["exact"] == Counts(right=1)
    assert found["small"] == Counts(wrong=1)
    assert sum(one.right + one.wrong for one in found.values()) == 2


@pytest.mark.parametrize("bound", [0.0, 1.0, -0.1, float("nan")])
def test_a_bound_outside_is_refused(bound):
    with pytest.raises(InputError):
        served({}, bound)
