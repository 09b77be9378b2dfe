from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import reelwise
from reelwise.errors import BudgetError, InputError
from reelwise.ledger import Budget, Ledger
from reelwise.ledger.queries import last_rows
from reelwise.ledger.rolls import sums

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:", thread=False) as one:
        yield one


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    ledger.flush()
    return last_rows(ledger.store, 1000)


@pytest.mark.parametrize("hint", [True, False])
def test_every_frame_that_the_budget_has_money_for_is_let_through(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, *, hint: bool
) -> None:
    if not hint:  # another process has it wrong, or sees too much
        monkeypatch.setattr(reelwise.Frames, "_fit", lambda _: 10**9)
    ledger.set_budget(Budget(name="b", hard=1_000_000, period="day"))
    frames = reelwise.Frames(ledger, "blur", "0.00000974", batch=300)
    count = 0
    with pytest.raises(BudgetError):  # noqa: PT012 - it stops somewhere in there
        for _ in range(500):
            frames.frame()
            count += 1
    assert count == 1_000_000 // 9740
    frames.post()
    assert sum(row["frames"] for row in rows(ledger)) == count
    assert ledger.open_holds == 0


def test_frames_of_a_batch_stop_at_the_kill_switch(ledger: Ledger) -> None:
    frames = reelwise.Frames(ledger, "blur", "0.000001", batch=300)
    for _ in range(7):
        frames.frame()
    ledger.kill("blur")
    for _ in range(2):
        with pytest.raises(BudgetError) as denied:
            frames.frame()
        assert denied.value.reason == "killed"
    assert [row["frames"] for row in rows(ledger)] == [7]
    assert ledger.open_holds == 0
    ledger.resume("blur")
    frames.frame()


def test_frames_that_were_all_skipped_are_avoided_costs(ledger: Ledger) -> None:
    with reelwise.Frames(ledger, "blur", "0.0000000013", batch=10) as frames:
        for _ in range(25):
            frames.frame(skipped=True)
    found = rows(ledger)
    assert {(row["kind"], row["status"], row["cost_nano"], row["frames"]) for row in found} == {
        ("avoided", "skipped", 0, 0)
    }
    assert sum(row["avoided_nano"] for row in found) == 25 * 13 // 10
    (total,) = sums(ledger.store, 0, ledger.clock.now_ms() + 1)
    assert (total.cost_nano, total.avoided_nano) == (0, 32)


@pytest.mark.parametrize(
    ("price", "named"),
    [
        ("abc", {}),
        (float("nan"), {}),
        (float("inf"), {}),
        (None, {}),
        ("1/0", {}),
        ("-1", {}),
        ("1000000", {"batch": 1_000_000}),
        ("1", {"batch": 0}),
        ("1", {"batch": "x"}),
        ("1", {"tags": ["a"]}),
    ],
)
def test_prices_and_batches_that_cannot_be_are_named(ledger: Ledger, price: Any, named: dict[str, Any]) -> None:
    with pytest.raises(InputError) as said:
        reelwise.Frames(ledger, "blur", price, **named)
    assert said.value.hint
