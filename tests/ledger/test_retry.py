"""A denial says when it is worth another try, and who has what is neither spent nor left."""

from __future__ import annotations

import pytest

from reelwise.errors import BudgetError
from reelwise.ledger import Budget, who_of
from reelwise.ledger.periods import spell

WHO = who_of("blur", user="u1")
DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (45, "45 s"), (61, "2 min"), (3600, "1 h 0 min"), (61_320, "17 h 2 min"), (273_600, "3 d 4 h")],
)
def test_times_are_written_for_people(seconds, text):
    assert spell(seconds) == text


def test_a_rolling_window_says_when_enough_has_left_it(ledger, clock):
    ledger.set_budget(Budget(name="roll", hard=100, period="day", rolling=True))
    for number, nano in enumerate((10, 50, 40)):
        ledger.post(ledger.hold(WHO, nano), f"c{number}", nano)
        clock.on(3600)

    def retry(nano):
        with pytest.raises(BudgetError) as denied:
            ledger.hold(WHO, nano)
        return denied.value

    small, large = retry(10), retry(60)

    assert DAY - 3 * 3600 <= small.retry_seconds <= DAY - 3 * 3600 + 1440
    assert DAY - 2 * 3600 <= large.retry_seconds <= DAY - 2 * 3600 + 1440
    assert "try again in 21 h" in small.hint
    clock.on(small.retry_seconds - 1)
    retry(10)
    clock.on(1)
    ledger.hold(WHO, 10)


def test_what_is_held_is_named_and_is_worth_another_try_soon(opened):
    one, other = opened(lease_usd=0), opened(lease_usd=0)
    one.set_budget(Budget(name="all", hard=100, period="total"))
    mine = other.hold(WHO, 20)
    theirs = one.hold(WHO, 70)

    with pytest.raises(
        BudgetError, match=r"\$0.00000002 is held by calls of this process; \$0.00000007 is held by other"
    ) as denied:
        other.hold(WHO, 30)
    assert (denied.value.retryable, denied.value.retry_seconds) == (True, 1.0)
    one.void(theirs)
    other.void(mine)
    one.flush()
    one.step()
    other.post(other.hold(WHO, 95), "c1", 95)
    with pytest.raises(BudgetError) as denied:
        other.hold(WHO, 30)
    assert (denied.value.retryable, denied.value.retry_seconds) == (False, None)


def test_what_a_dead_process_had_is_not_promised_soon(opened, clock):
    one, other = opened(lease_usd=0), opened(lease_usd=0)
    one.set_budget(Budget(name="day", hard=100))
    one.hold(WHO, 80)
    one._closed = True
    one.store.link._connection.close()
    clock.on(10)

    with pytest.raises(BudgetError, match="not heard of") as silent:
        other.hold(WHO, 30)
    clock.on(30)
    other.step()
    with pytest.raises(BudgetError, match="uncertain since a process died") as lost:
        other.hold(WHO, 30)

    assert min(silent.value.retry_seconds, lost.value.retry_seconds) > 3600 * 11
    assert "12 h 0 min" in lost.value.hint


def test_a_process_that_slept_hands_out_nothing_that_it_may_have_lost(opened, clock):
    one, other = opened(lease_usd=1), opened(lease_usd=0)
    one.set_budget(Budget(name="roll", hard=8000, period="minute", rolling=True))
    one.void(one.hold(WHO, 10))  # keeps a lease of 1,000
    clock.on(200)
    other.step()
    other.post(other.hold(WHO, 8000), "c1", 8000)  # what was lost has left the window
    one.step()

    with pytest.raises(BudgetError):
        one.hold(WHO, 10)
