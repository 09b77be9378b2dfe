from __future__ import annotations

import random

import pytest

from reelwise.route.outcomes import Columns, Outcome, Outcomes

HARD = ("prove", "integral", "compare", "why")
EASY = ("colour", "name", "count", "where")


def drawn(number: int, *, seed: int = 0, answers: bool = False) -> Outcomes:
    """Questions whose words say how hard they are, nine times of ten."""
    rng = random.Random(seed)  # noqa: S311 - a test
    rows = []
    for _ in range(number):
        hard = rng.random() < 0.4
        words = rng.choices(HARD if hard else EASY, k=3) + rng.choices(("the", "man", "dog", "car", "street"), k=5)
        cheap = float(rng.random() < (0.1 if hard else 0.95))
        said = ("perhaps I cannot tell" if not cheap else "The answer is (B).",) if answers else ()
        rows.append(Outcome(text=" ".join(words) + "?", cheap=cheap, dear=float(rng.random() < 0.95), answers=said))
    names = ("answer",) if answers else ()
    return Outcomes(
        rows=tuple(rows), columns=Columns(text="text", cheap="small", dear="large", answers=names), sha256="0" * 64
    )


@pytest.fixture(scope="session")
def outcomes():
    return drawn(600)
