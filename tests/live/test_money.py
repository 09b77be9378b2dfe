"""Rates and prices are held exactly, whatever the footage does; a ledger is never overspent."""

from __future__ import annotations

import threading
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.errors import BudgetError
from reelwise.ledger import Budget, Ledger
from reelwise.ledger.queries import last_rows
from reelwise.ledger.verify import verify
from reelwise.live import Adaptive, Limits
from reelwise.live.books import Books

from .conftest import Counting, Scripted, blob, mask_of, rising, still

FILE = Limits(wait_seconds=None)
FRAME = blob(0, height=16, width=32)


def nothing(_since, _seen):
    return 0.0


def drift(since, _seen):
    return since / 40


def bursts(since, seen):
    return since / 3 if (seen // 300) % 6 == 0 else since / 400


def noise(since, seen):
    return ((seen * 2_654_435_761) % 2**32) / 2**32 * since / 20


def shift_starts(since, seen):
    """Nobody there for forty minutes, then everything moves."""
    return since / 1000 if seen < 9600 else since * 2.0


PROFILES = [nothing, drift, bursts, noise, shift_starts]


def quick(_frame):
    return np.ones((4, 4), bool)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("usd", ["0.37", "1.20", "6"])
def test_an_hour_lands_on_its_price_and_every_frame_is_answered(profile, usd, time):
    """An hour at 4 frames a second: 370 to 6,000 calls of 14,400 frames."""
    made = []
    adaptive = Adaptive(
        lambda frame: made.append(time.now()) or quick(frame), usd_an_hour=usd, usd_per_call="0.001",
        carrier=lambda: Scripted(profile), clock=time, worker=time, limits=FILE,
    )  # fmt: skip
    kinds = set()
    for index in range(14_400):
        time.move(index / 4)
        kinds.add(adaptive.look(FRAME).kind)
    receipt = adaptive.close()

    budget = Decimal(usd)
    assert Decimal("0.95") * budget <= Decimal(receipt.cost_nano).scaleb(-9) <= budget
    assert receipt.cost_nano == len(made) * 1_000_000
    assert receipt.frames == 14_400
    assert kinds <= {"inferred", "carried"}


def test_no_hour_of_several_costs_more(time):
    made = []
    adaptive = Adaptive(
        lambda frame: made.append(time.now()) or quick(frame), usd_an_hour="0.5", usd_per_call="0.001",
        carrier=lambda: Scripted(bursts), clock=time, worker=time, limits=FILE,
    )  # fmt: skip
    for index in range(3 * 3600 * 4):
        time.move(index / 4)
        adaptive.look(FRAME)
    adaptive.close()
    moments = np.array(made)
    counts = np.searchsorted(moments, moments + 3600) - np.arange(len(moments))
    assert counts.max() <= 500
    assert len(made) >= 0.95 * 1500


def test_money_goes_where_it_is_needed(time):
    """Of an hour's frames a sixth moves: it gets most of the calls."""
    where = []
    adaptive = Adaptive(
        quick,
        usd_an_hour="2",
        usd_per_call="0.001",
        carrier=lambda: Scripted(bursts),
        clock=time,
        worker=time,
        limits=FILE,
    )
    for index in range(36_000):
        time.move(index / 10)
        if adaptive.look(FRAME).kind == "inferred":
            where.append((index // 300) % 6 == 0)
    adaptive.close()
    assert np.mean(where) > 0.6


def test_saver_mode_spends_half(time):
    adaptive = Adaptive(
        quick, mode="saver", usd_an_hour="1", usd_per_call="0.001", carrier=lambda: Scripted(noise), clock=time, worker=time,
        limits=FILE,
    )  # fmt: skip
    for index in range(14_400):
        time.move(index / 4)
        adaptive.look(FRAME)
    assert 0.45 <= adaptive.close().cost_usd <= 0.55


def test_best_quality_lifts_the_target_and_what_it_costs_is_not_held_against_it(time):
    adaptive = Adaptive(
        quick, mode="max", usd_an_hour="0.1", usd_per_call="0.001", clock=time, worker=time, limits=FILE
    )
    for index in range(600):
        time.move(index / 10)
        adaptive.look(FRAME)
    assert adaptive.receipt().inferences == 600
    adaptive.choose("full")
    for index in range(600, 2400):
        time.move(index / 10)
        adaptive.look(FRAME)
    assert 600 < adaptive.close().inferences < 610


@pytest.mark.parametrize("rate", [6, 60, 200])
@pytest.mark.parametrize("profile", PROFILES[:4])
def test_a_rate_is_held_over_time(rate, profile, time):
    adaptive = Adaptive(
        quick, inferences_a_minute=rate, carrier=lambda: Scripted(profile), clock=time, worker=time, limits=FILE
    )
    for index in range(10 * 60 * 10):
        time.move(index / 10)
        adaptive.look(FRAME)
    receipt = adaptive.close()
    assert 0.95 * 10 * rate <= receipt.inferences <= 10 * rate + max(1, rate / 6)


def test_a_quality_besides_spends_no_more_than_that_needs(time):
    settings = {"usd_an_hour": "10", "usd_per_call": "0.001", "clock": time, "worker": time, "limits": FILE}
    adaptive = Adaptive(quick, quality=0.95, carrier=rising(0.001), **settings)
    for index in range(6000):
        time.move(index / 10)
        adaptive.look(FRAME)
    assert adaptive.close().inferences < 400  # the money would pay for 1,600


@given(st.fractions(Fraction(1, 10**10), Fraction(1, 100)), st.integers(1, 300))
@settings(deadline=None, max_examples=50)
def test_a_price_that_is_no_whole_nano_dollar_is_exact_over_many_calls(usd, calls):
    price = usd * 10**9
    books = Books(price)
    for _ in range(calls):
        books.end(books.begin(), None)
    assert books.nano == price * calls // 1


def test_calls_that_were_surely_not_billed_cost_nothing():
    class RefusedError(Exception):
        status_code = 429

    model = Counting(mask_of, RefusedError("too many"), mask_of, ValueError("before the call"), mask_of)
    adaptive = Adaptive(model, usd_per_call="0.001", carrier=rising(100), limits=FILE)
    for index in range(3):
        adaptive.look(blob(0), index / 10)
    receipt = adaptive.close()
    assert model.calls == 5
    assert receipt.failures == {"raised": 2}
    assert receipt.cost_nano == 3_000_000


# with a ledger


@pytest.fixture
def ledger():
    with Ledger(":memory:", thread=False) as one:
        yield one


def metered(ledger, model, **settings):
    return Adaptive(
        model,
        ledger=ledger,
        feature="blur",
        user="u1",
        session="s1",
        **{"usd_per_call": "0.001", "limits": FILE, **settings},
    )


def test_every_call_is_a_row_and_what_was_spared_is_told(ledger):
    model = Counting()
    adaptive = metered(ledger, model, carrier=rising(0.5))
    for index in range(40):
        adaptive.look(blob(0), index / 10)
    receipt = adaptive.close()
    ledger.flush()
    rows = last_rows(ledger.store, 1000)
    calls = [one for one in rows if one["kind"] == "call"]

    assert len(calls) == model.calls == receipt.inferences
    assert sum(one["cost_nano"] for one in rows) == receipt.cost_nano == model.calls * 10**6
    assert sum(one["avoided_nano"] for one in rows) == (40 - model.calls) * 10**6
    assert {(one["feature"], one["user"], one["session"], one["model"]) for one in rows} == {
        ("blur", "u1", "s1", "counting")
    }
    assert all(one["frames"] == one["images"] == 1 for one in calls)
    assert ledger.open_holds == 0


def test_each_frame_is_either_paid_or_avoided_a_denied_one_too(ledger):
    ledger.set_budget(Budget(name="all", hard=3_000_000))
    model = Counting()
    adaptive = metered(ledger, model, carrier=rising(100))
    for index in range(100):
        adaptive.look(blob(0), index / 10)
    receipt = adaptive.close()
    ledger.flush()
    rows = last_rows(ledger.store, 1000)

    assert model.calls == 3
    assert receipt.denied >= 2
    assert sum(one["cost_nano"] for one in rows) == 3_000_000
    assert sum(one["avoided_nano"] for one in rows) == 97_000_000


def test_a_call_that_was_taken_back_is_avoided_and_a_retry_that_was_denied_is_not(ledger):
    block, entered = threading.Event(), threading.Event()
    adaptive = metered(ledger, Counting(), carrier=rising(100), limits=Limits(wait_seconds=0))
    adaptive._engine.main._worker.submit(lambda _finish: (entered.set(), block.wait(60)))
    assert entered.wait(30)
    adaptive.look(blob(0), 0.0)
    adaptive.pause()
    block.set()
    adaptive.look(blob(0), 0.1)
    assert adaptive.close().revoked == 1
    ledger.flush()
    assert sum(one["avoided_nano"] for one in last_rows(ledger.store, 10)) == 2_000_000

    ledger.set_budget(Budget(name="one", match=(("user", "u1"),), hard=1_000_000))
    model = Counting(np.full((4, 4), np.nan))  # an answer that is no mask is billed
    adaptive = metered(ledger, model, carrier=rising(100))
    adaptive.look(blob(0), 0.0)
    receipt = adaptive.close()
    ledger.flush()
    assert (model.calls, receipt.denied) == (1, 1)
    assert sum(one["avoided_nano"] for one in last_rows(ledger.store, 10)) == 2_000_000  # that frame was paid for


def test_a_budget_is_never_overspent_and_its_end_ends_no_stream(ledger):
    ledger.set_budget(Budget(name="all", hard=7_500_000))
    model = Counting()
    told = []
    adaptive = metered(ledger, model, carrier=rising(100), on_mode_change=told.append)
    answers = [adaptive.look(blob(0), index / 10) for index in range(300)]
    receipt = adaptive.close()
    ledger.flush()

    assert model.calls == 7
    assert receipt.inferences == 7
    assert receipt.cost_nano == 7_000_000
    assert 1 <= receipt.denied <= 8  # asked ever more rarely
    assert len(answers) == 300
    assert told[-1].new in {"basic", "off"}
    assert any("allowance" in one.message or "Switched off" in one.message for one in told)
    assert verify(ledger.store).problems == ()


def test_money_that_comes_in_is_used_again(ledger):
    ledger.set_budget(Budget(name="all", hard=3_000_000))
    model = Counting()
    adaptive = metered(ledger, model, carrier=rising(100))
    adaptive._engine.afar._threaded, adaptive._engine.afar._every = False, 0.0
    for index in range(100):
        adaptive.look(blob(0), index / 10)
    assert model.calls == 3
    ledger.set_budget(Budget(name="all", hard=9_000_000))
    for index in range(100, 2000):
        adaptive.look(blob(0), index / 10)
    receipt = adaptive.close()
    assert model.calls == 9
    assert "full" in [one.new for one in receipt.mode_changes]


def test_many_streams_share_a_budget_to_the_nano_dollar(ledger):
    ledger.set_budget(Budget(name="all", hard=100_000_000))
    models = [Counting() for _ in range(8)]

    def stream(model):
        adaptive = metered(ledger, model, carrier=rising(100))
        for index in range(60):
            adaptive.look(blob(0), index / 10)
        adaptive.close()

    threads = [threading.Thread(target=stream, args=(model,)) for model in models]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    ledger.flush()
    assert sum(one.calls for one in models) == 100
    assert sum(one["cost_nano"] for one in last_rows(ledger.store, 1000)) == 100_000_000


def test_a_time_out_is_posted_as_what_it_may_have_cost_and_its_late_end_costs_nothing_more(ledger):
    from .conftest import Held

    model = Held()
    adaptive = metered(
        ledger,
        model,
        carrier=rising(100),
        limits=Limits(wait_seconds=0.3, timeout_seconds=0.1, retries=0, probe_seconds=60),
    )
    adaptive.look(blob(0), 0.0)
    adaptive.look(blob(0), 0.1)
    model.let.set()
    receipt = adaptive.close()
    ledger.flush()
    (row,) = [one for one in last_rows(ledger.store, 10) if one["kind"] == "call"]
    assert receipt.timeouts == 1
    assert row["cost_nano"] == 1_000_000
    assert row["status"] == "ambiguous"
    assert ledger.open_holds == 0


def test_nonsense_is_posted_with_its_kind(ledger):
    adaptive = metered(ledger, Counting(np.full((4, 4), np.nan), None, 7), carrier=rising(100))
    adaptive.look(blob(0), 0.0)
    adaptive.close()
    ledger.flush()
    rows = [one for one in last_rows(ledger.store, 10) if one["kind"] == "call"]
    assert {one["outcome"] for one in rows} == {"nonsense:nan", "nonsense:dtype"}


def test_a_model_may_tell_what_it_cost(ledger):
    import reelwise

    def model(frame):
        reelwise.current_call().cost(usd="0.0004")
        return mask_of(frame)

    adaptive = metered(ledger, model, usd_an_hour="0.01", carrier=rising(100))
    for index in range(36_000 // 10):
        adaptive.look(FRAME, float(index))
    receipt = adaptive.close()
    assert 0.0095 <= receipt.cost_usd <= 0.01
    assert receipt.inferences == pytest.approx(25, abs=1)


def test_a_ledger_that_is_closed_lets_no_call_through():
    ledger = Ledger(":memory:", thread=False)
    model = Counting()
    adaptive = metered(ledger, model, carrier=still)
    ledger.close()
    for index in range(20):
        assert adaptive.look(blob(0), index / 10).kind == "blank"
    receipt = adaptive.close()
    assert model.calls == 0
    assert receipt.denied > 0
    assert receipt.inferences == 0


def test_a_killed_feature_is_off_for_whoever_chose_the_best(ledger):
    model = Counting()
    adaptive = metered(ledger, model, mode="max")
    adaptive.look(blob(0), 0.0)
    ledger.kill("blur", "incident")
    adaptive.look(blob(0), 0.1)
    adaptive.look(blob(0), 0.2)
    assert model.calls == 1
    assert adaptive.mode == "off"
    with pytest.raises(BudgetError):
        adaptive._engine.main.books.begin()
    adaptive.close()
