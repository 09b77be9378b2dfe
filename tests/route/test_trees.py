from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import InputError
from reelwise.route.grams import BUCKETS, fit, hashed
from reelwise.route.trees import Growth, Trees, grow


def test_trees_learn_a_rule_of_two_features_that_no_line_can():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 4))
    wanted = ((rows[:, 0] > 0) ^ (rows[:, 1] > 0)).astype(float)
    trees = grow(rows[:1500], wanted[:1500], Growth(trees=200, rate=0.1, features=1.0))

    right = (trees.predict(rows[1500:]) > 0.5) == (wanted[1500:] > 0.5)

    assert right.mean() > 0.9


def test_the_same_seed_gives_the_same_trees_and_json_keeps_them():
    rng = np.random.default_rng(1)
    rows, wanted = rng.normal(size=(200, 5)), rng.normal(size=200)
    trees = grow(rows, wanted, Growth(trees=20), seed=3)
    back = msgspec.json.decode(msgspec.json.encode(trees), type=Trees)

    assert grow(rows, wanted, Growth(trees=20), seed=3) == trees == back
    assert np.array_equal(back.predict(rows), trees.predict(rows))


@given(st.integers(1, 4), st.integers(2, 40))
def test_constant_features_split_nothing(depth, count):
    rows, wanted = np.ones((count, 3)), np.arange(count, dtype=float)

    answers = grow(rows, wanted, Growth(trees=5, depth=depth, leaf=1)).predict(rows)

    assert np.ptp(answers) == 0


def test_trees_of_another_shape_are_refused():
    trees = grow(np.ones((50, 3)), np.arange(50.0), Growth(trees=2))
    with pytest.raises(InputError):
        msgspec.structs.replace(trees, leaves=[[0.0]]).check(3)
    trees.check(3)
    with pytest.raises(InputError):
        msgspec.structs.replace(trees, features=[[9] * 7] * 2).check(3)


def test_the_ridge_is_the_one_of_the_normal_equations():
    rng = np.random.default_rng(0)
    words = ["red", "green", "blue", "dog", "cat", "car", "tree", "sky", "man"]
    texts = [[" ".join(rng.choice(words, 6))] for _ in range(80)]
    wanted = rng.normal(size=80)
    rows = hashed(texts)
    dense = np.zeros((80, BUCKETS))
    dense[rows.row, rows.bucket] = rows.value
    seen = (dense > 0).sum(axis=0)
    dense *= np.where(seen >= 2, 1 + np.log(81 / (1 + seen)), 0)
    middle = dense - dense.mean(axis=0)
    direct = wanted.mean() + middle @ middle.T @ np.linalg.solve(
        middle @ middle.T + 50 * np.eye(80), wanted - wanted.mean()
    )

    assert np.allclose(fit(rows, wanted, shrink=50.0).predict(rows), direct, atol=2e-3)


def test_rows_are_picked_in_the_order_asked():
    rows = hashed([["a b"], [""], ["b c d"]])
    some = rows.of(np.array([2, 1, 0, 2]))

    assert some.count == 4
    assert np.array_equal(some.times(np.ones(some.width)), rows.times(np.ones(rows.width))[[2, 1, 0, 2]])
