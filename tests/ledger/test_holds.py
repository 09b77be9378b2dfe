"""Held, then posted, voided or expired: exactly once."""

from __future__ import annotations

import os
import threading
import time

import pytest

from reelwise.errors import AlreadySettledError, BudgetError, InputError, LedgerError
from reelwise.ledger import Budget, Event, Ledger, Units, What, who_of
from reelwise.ledger.purses import OTHER, TAG_VALUES_MAX
from reelwise.ledger.verify import verify

WHO = who_of("blur", user="u1", session="s1")


def left(ledger, who=WHO):
    return ledger.remaining(who)


@pytest.fixture
def day(ledger):
    ledger.set_budget(Budget(name="day", hard=1000))
    return ledger


def test_a_hold_is_posted_once(day):
    hold = day.hold(WHO, 600)
    assert left(day) == {"day": 400}

    posted = day.post(hold, "c1", 250)

    assert (posted.cost_nano, posted.overrun_nano, posted.late) == (250, 0, False)
    assert left(day) == {"day": 750}
    with pytest.raises(AlreadySettledError):
        day.post(hold, "c2", 1)
    with pytest.raises(AlreadySettledError):
        day.void(hold)
    assert left(day) == {"day": 750}


def test_a_voided_hold_is_free_again_and_cannot_be_posted(day):
    hold = day.hold(WHO, 600)

    assert day.void(hold)

    assert left(day) == {"day": 1000}
    with pytest.raises(AlreadySettledError):
        day.post(hold, "c1", 1)
    with pytest.raises(AlreadySettledError):
        day.void(hold)


def test_a_hold_is_denied_only_where_it_does_not_fit(day):
    first = day.hold(WHO, 999)
    day.hold(WHO, 1)
    with pytest.raises(BudgetError) as denied:
        day.hold(WHO, 1)
    assert (denied.value.reason, denied.value.budget, denied.value.retryable) == ("over_limit", "day", True)

    day.void(first)

    day.hold(WHO, 999)


def test_what_can_never_fit_is_not_worth_another_try(day):
    with pytest.raises(BudgetError) as denied:
        day.hold(WHO, 1001)

    assert (denied.value.reason, denied.value.retryable) == ("over_window", False)


def test_several_budgets_all_or_none(ledger):
    ledger.set_budget(Budget(name="all", hard=1000, period="total"))
    ledger.set_budget(Budget(name="user", hard=300, each=("user",)))
    ledger.set_budget(Budget(name="calls", hard=2, measure="calls"))
    ledger.hold(WHO, 300)

    with pytest.raises(BudgetError, match="user=u1"):
        ledger.hold(WHO, 1)

    assert left(ledger) == {"all": 700, "user": 0, "calls": 1}
    ledger.hold(who_of("blur", user="u2"), 300)
    with pytest.raises(BudgetError, match="calls"):
        ledger.hold(who_of("blur", user="u3"), 1)
    assert left(ledger)["all"] == 400


def test_frames_are_budgeted_too(ledger):
    ledger.set_budget(Budget(name="frames", hard=100, measure="frames"))
    hold = ledger.hold(WHO, 0, frames=60)
    with pytest.raises(BudgetError):
        ledger.hold(WHO, 0, frames=41)

    ledger.post(hold, "c1", 0, units=Units(calls=1, frames=10))

    ledger.hold(WHO, 0, frames=90)


def test_a_cost_above_its_hold_is_a_row_of_its_own(day, rows):
    posted = day.post(day.hold(WHO, 100), "c1", 130, what=What(model="m"))

    assert posted.overrun_nano == 30
    assert rows(day) == [("call", 100), ("overrun", 30)]
    assert left(day) == {"day": 870}
    assert verify(day.store).overrun_nano == 30


def test_an_overrun_may_pass_the_limit_and_is_shown(day):
    day.post(day.hold(WHO, 1000), "c1", 1500)

    assert left(day) == {"day": 0}
    assert verify(day.store).overrun_nano == 500
    with pytest.raises(BudgetError):
        day.hold(WHO, 1)


def test_a_hold_expires_and_a_late_post_is_said_to_be_late(day, clock, rows):
    hold = day.hold(WHO, 900, timeout_seconds=5)
    clock.on(4.999)
    with pytest.raises(BudgetError):
        day.hold(WHO, 200)
    clock.on(0.001)
    day.hold(WHO, 200)  # the first has expired

    assert hold.status == "expired"
    assert not day.void(hold)
    posted = day.post(hold, "c1", 150)

    assert posted.late
    assert posted.overrun_nano == 150
    assert rows(day) == [("late", 150)]
    assert left(day) == {"day": 650}
    with pytest.raises(AlreadySettledError):
        day.post(hold, "c1", 150)


def test_an_id_counts_once_whatever_it_costs(day, rows):
    day.post(day.hold(WHO, 100), "c1", 70)

    for cost in (70, 5, 120):  # the last would bring an overrun row with it
        with pytest.raises(AlreadySettledError, match="c1"):
            day.post(day.hold(WHO, 100), "c1", cost)

    assert rows(day) == [("call", 70)]
    assert day.duplicates == 3
    assert left(day) == {"day": 930}


def test_an_id_twice_in_one_batch_counts_once(day, rows):
    for cost in (10, 20, 160, 30):
        day.post(day.hold(WHO, 50), "same", cost, wait=False)
    day.post(day.hold(WHO, 50), "other", 7, wait=False)
    day.flush()

    assert rows(day) == [("call", 10), ("call", 7)]
    assert left(day) == {"day": 983}


def test_of_two_callers_with_one_id_the_first_is_told_it_was_written(day):
    first = day.post(day.hold(WHO, 50), "same", 10, wait=False)
    second = day.post(day.hold(WHO, 50), "same", 20, wait=False)

    day._writer.wait(first.number, "same", 1)
    with pytest.raises(AlreadySettledError):
        day._writer.wait(second.number, "same", 1)


def test_an_id_that_looks_like_an_overrun_leaves_both_rows_out_or_none(day, rows):
    day.post(day.hold(WHO, 50), "c1/overrun", 5)

    with pytest.raises(AlreadySettledError):
        day.post(day.hold(WHO, 50), "c1", 80)

    assert rows(day) == [("call", 5)]
    assert left(day) == {"day": 995}


def test_rows_without_a_hold_count_and_corrections_free_the_budget(day, clock, rows):
    event = {"at_ms": clock.now_ms(), "who": WHO, "units": Units()}
    day.record(Event(id="t1", what=What(kind="true_up"), cost_nano=1200, **event))
    assert left(day) == {"day": 0}
    with pytest.raises(BudgetError):
        day.hold(WHO, 1)

    day.record(Event(id="t2", what=What(kind="correction"), cost_nano=-700, **event))

    clock.on(2)
    assert left(day) == {"day": 500}
    day.post(day.hold(WHO, 500), "c1", 500)
    assert rows(day) == [("true_up", 1200), ("correction", -700), ("call", 500)]
    with pytest.raises(BudgetError):
        day.hold(WHO, 1)
    with pytest.raises(InputError):
        day.record(Event(id="t3", what=What(), cost_nano=-1, **event))


def test_what_an_avoided_call_would_have_cost_is_kept(day, clock):
    event = Event(
        id="a1",
        at_ms=clock.now_ms(),
        who=WHO,
        what=What(kind="avoided", status="cached"),
        units=Units(),
        cost_nano=0,
        avoided_nano=77,
    )

    day.record(event)

    with day.store.transaction(write=False) as link:
        assert link.rows("SELECT cost, avoided FROM event") == [(0, 77)]


def test_without_budgets_nothing_is_denied(ledger, rows):
    ledger.post(ledger.hold(WHO, 10**15), "c1", 10**12)

    assert rows(ledger) == [("call", 10**12)]


def test_lease_0_asks_the_store_for_every_call(opened):
    one, other = opened(lease_usd=0), opened(lease_usd=0)
    one.set_budget(Budget(name="day", hard=1000))
    hold = one.hold(WHO, 400)
    assert verify(one.store).leased_nano == 400

    other.hold(WHO, 600)

    with pytest.raises(BudgetError):
        one.hold(WHO, 1)
    one.post(hold, "c1", 100)
    other.hold(WHO, 300)


def test_a_process_gives_back_what_another_needs(opened, clock):
    one, other = opened(lease_usd=1), opened(lease_usd=1)
    one.set_budget(Budget(name="day", hard=1000))
    one.post(one.hold(WHO, 10), "c1", 10)
    assert verify(one.store).leased_nano > 0  # a part of the budget is leased ahead

    class Cooperative:  # while one waits, the other's writer runs
        def now_ms(self):
            return clock.now_ms()

        def sleep(self, seconds):
            clock.on(seconds)
            one.step()

    other._leasing._clock = Cooperative()
    other.hold(WHO, 990)

    with pytest.raises(BudgetError):
        one.hold(WHO, 1)


def test_close_gives_everything_back(opened):
    one = opened(lease_usd=1)
    one.set_budget(Budget(name="day", hard=1000))
    one.post(one.hold(WHO, 10), "c1", 10, wait=False)
    one.hold(WHO, 50)  # no call was made
    one.close(void_open=True)

    other = opened()

    assert verify(other.store).leased_nano == 0
    assert other.remaining(WHO) == {"day": 990}
    other.hold(WHO, 990)


def test_what_calls_under_way_hold_is_uncertain_after_a_close_and_never_free(opened, clock):
    one = opened(lease_usd=1)
    one.set_budget(Budget(name="day", hard=1000))
    one.hold(WHO, 50)  # its call may have been made
    one.close()
    other = opened()
    assert (verify(other.store).leased_nano, other.remaining(WHO)) == (50, {"day": 1000})  # not settled, not yet lost
    with pytest.raises(BudgetError):
        other.hold(WHO, 951)

    clock.on(31)
    other.step()

    assert verify(other.store).lost_nano == 50
    with pytest.raises(BudgetError):
        other.hold(WHO, 951)
    other.hold(WHO, 950)


def test_close_waits_for_calls_of_other_threads_and_lets_no_more_through(path, until):
    ledger = Ledger(path)
    ledger.set_budget(Budget(name="day", hard=1000))
    hold = ledger.hold(WHO, 50)
    go = threading.Event()
    settled = threading.Thread(target=lambda: (go.wait(60), ledger.post(hold, "c1", 40)))
    settled.start()
    closing = threading.Thread(target=ledger.close)
    closing.start()
    until(lambda: ledger._shut)
    with pytest.raises(LedgerError, match="closed"):
        ledger.hold(WHO, 1)
    go.set()
    settled.join()
    closing.join(60)

    with Ledger(path, thread=False) as again:
        found = verify(again.store)
    assert (found.rows, found.cost_nano, found.leased_nano) == (1, 40, 0)


def test_close_waits_for_no_longer_than_it_is_told(path):
    ledger = Ledger(path)
    ledger.hold(WHO, 50)
    other = threading.Timer(300, lambda: None)
    other.start()
    began = time.monotonic()
    ledger.close(wait_seconds=0.2)
    took = time.monotonic() - began
    other.cancel()
    other.join()
    assert 0.15 <= took < 100


def test_a_closed_ledger_says_so(day, clock):
    hold = day.hold(WHO, 1)
    day.close(void_open=True)

    for call in (
        lambda: day.hold(WHO, 1),
        lambda: day.post(hold, "c1", 1),
        lambda: day.void(hold),
        lambda: day.hold_job("j", WHO, 1),
        lambda: day.record(Event(id="r", at_ms=clock.now_ms(), who=WHO, what=What(), units=Units(), cost_nano=1)),
    ):
        with pytest.raises(LedgerError, match="closed"):
            call()
    day.close()


def test_a_budget_set_while_a_call_is_under_way_counts_it(opened, rows):
    one, other = opened(), opened()
    hold = one.hold(WHO, 100)
    queued = one.hold(WHO, 40)
    one.post(queued, "c1", 40, wait=False)
    other.set_budget(Budget(name="later", hard=1000))  # the first process does not know of it yet

    one.post(hold, "c2", 90)

    assert one.remaining(WHO) == {"later": 870}
    assert rows(one) == [("call", 40), ("call", 90)]


def test_a_lowered_limit_holds_from_the_next_call_on(opened):
    one, other = opened(lease_usd=1), opened()
    one.set_budget(Budget(name="day", hard=100_000))
    one.post(one.hold(WHO, 100), "c1", 100)  # leases some thousands

    other.set_budget(Budget(name="day", hard=500))

    with pytest.raises(BudgetError):
        one.hold(WHO, 401)
    one.hold(WHO, 400)
    other.set_budget(Budget(name="day", hard=600))
    one.hold(WHO, 100)


def test_a_budget_that_is_dropped_holds_nothing(opened):
    one, other = opened(), opened()
    one.set_budget(Budget(name="day", hard=10))
    with pytest.raises(BudgetError):
        one.hold(WHO, 11)

    other.drop_budget("day")

    one.hold(WHO, 11)
    with pytest.raises(InputError, match="no budget"):
        other.drop_budget("day")


def test_a_process_that_dies_leaves_its_lease_uncertain_and_no_more(opened, clock):
    one = opened(lease_usd=1)
    one.set_budget(Budget(name="day", hard=10_000))
    one.post(one.hold(WHO, 100), "c1", 60)
    one.hold(WHO, 200)
    leased = verify(one.store).leased_nano
    one._closed = True  # it is not heard of again
    one.store.link._connection.close()

    clock.on(31)
    other = opened()
    other.step()

    found = verify(other.store)
    assert (found.leased_nano, found.lost_nano, found.cost_nano) == (0, leased, 60)
    assert other.remaining(WHO) == {"day": 10_000 - 60 - leased}
    with pytest.raises(BudgetError, match="uncertain"):
        other.hold(WHO, 10_000 - 60 - leased + 1)


def test_a_process_that_slept_gets_its_lease_back(opened, clock):
    one, other = opened(lease_usd=1), opened(lease_usd=0)
    one.set_budget(Budget(name="day", hard=10_000))
    hold = one.hold(WHO, 200)
    leased = verify(one.store).leased_nano
    clock.on(40)
    other.step()
    assert verify(other.store).lost_nano == leased

    one.post(hold, "c1", 150)

    found = verify(one.store)
    assert (found.lost_nano, found.cost_nano, found.overrun_nano) == (0, 150, 0)


def test_a_fork_does_not_write_through_its_parent(day):
    hold = day.hold(WHO, 10)
    child = os.fork()
    if not child:
        said = 1
        try:
            day.post(hold, "c1", 1)
        except LedgerError:
            said = 0
        os._exit(said)

    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    day.post(hold, "c1", 10)


def test_labels_that_differ_with_every_call_are_put_together(ledger):
    ledger.set_budget(Budget(name="kept", match=(("tag:request", "special"),), hard=50))
    for number in range(TAG_VALUES_MAX + 50):
        ledger.void(ledger.hold(who_of("f", tags={"request": f"r{number}", "team": "a"}), 1))

    folded = ledger.hold(who_of("f", tags={"request": "one-too-many", "team": "a"}), 1)
    known = ledger.hold(who_of("f", tags={"request": "r7"}), 1)
    named = ledger.hold(who_of("f", tags={"request": "special"}), 1)

    assert dict(folded.line.who.tags) == {"request": OTHER, "team": "a"}
    assert dict(known.line.who.tags) == {"request": "r7"}
    assert dict(named.line.who.tags) == {"request": "special"}
    ledger.post(folded, "c1", 1)


def test_threads_share_a_budget_to_the_nano_dollar(path):

    passed = []
    with Ledger(path) as ledger:
        ledger.set_budget(Budget(name="day", hard=1000, period="total"))

        def call(number: int) -> None:
            for at in range(20):
                try:
                    hold = ledger.hold(WHO, 7)
                except BudgetError:
                    return
                ledger.post(hold, f"{number}-{at}", 7, wait=False)
                passed.append(7)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(16)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        ledger.flush()
        assert sum(passed) == 994  # 142 calls of 7: the next would pass 1000
        assert verify(ledger.store).cost_nano == 994
        assert verify(ledger.store).problems == ()
