from __future__ import annotations

import asyncio
import threading
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reelwise
from reelwise.errors import BudgetError, InputError
from reelwise.ledger import Budget, Feature, Ledger, Target
from reelwise.ledger.queries import last_rows, live
from reelwise.ledger.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

DOLLAR = 10**9


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:", thread=False) as one:
        yield one


def rows(ledger: Ledger) -> list[dict]:
    ledger.flush()
    return last_rows(ledger.store, 1000)


def test_a_call_is_held_then_settled_with_what_it_cost(ledger: Ledger) -> None:
    with reelwise.meter("blur", user="u1", hold_usd="0.02", ledger=ledger, model="m") as call:
        assert call.held_nano == 20_000_000
        assert ledger.open_holds == 1
        call.cost(usd="0.0123")
        call.used(frames=30, tokens_output=12)
        call.outcome("match")
    (row,) = rows(ledger)

    assert (row["cost_nano"], row["frames"], row["tokens_output"], row["calls"]) == (12_300_000, 30, 12, 1)
    assert (row["feature"], row["user"], row["model"], row["outcome"], row["mode"]) == (
        "blur",
        "u1",
        "m",
        "match",
        "full",
    )
    assert ledger.open_holds == 0


def test_no_cost_told_posts_what_was_held(ledger: Ledger) -> None:
    with reelwise.meter("blur", hold_nano=7, ledger=ledger):
        pass
    assert rows(ledger)[0]["cost_nano"] == 7


def test_a_failure_lets_go_of_the_hold_and_one_that_may_be_billed_does_not(ledger: Ledger) -> None:
    one = reelwise.meter("blur", hold_nano=7, ledger=ledger)
    with pytest.raises(ZeroDivisionError), one:
        raise ZeroDivisionError
    assert rows(ledger) == []
    with pytest.raises(TimeoutError), one:
        raise TimeoutError
    (row,) = rows(ledger)

    assert (row["cost_nano"], row["status"]) == (7, "ambiguous")
    call = one.__enter__()
    call.cost(nano=3)
    one.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert (rows(ledger)[0]["cost_nano"], rows(ledger)[0]["status"]) == (3, "error")
    assert ledger.open_holds == 0


def test_a_decorator_takes_labels_from_arguments_and_nests(ledger: Ledger) -> None:
    @reelwise.meter("outer", user=lambda user: user, hold_usd="0.01", ledger=ledger)
    def outer(user: str) -> str:
        inner(user)
        reelwise.current_call().cost(nano=5)
        return user

    @reelwise.meter("inner", session=lambda user: f"s-{user}", hold_usd=lambda _: "0.002", ledger=ledger)
    def inner(user: str) -> None:
        assert user == "u7"
        reelwise.current_call().cost(nano=2)

    assert outer("u7") == "u7"
    found = {row["feature"]: row for row in rows(ledger)}
    assert found["outer"]["user"] == "u7"
    assert found["outer"]["cost_nano"] == 5
    assert found["inner"]["session"] == "s-u7"
    with pytest.raises(InputError, match="no metered call"):
        reelwise.current_call()


def test_async_calls_keep_apart_and_a_cancelled_one_counts(ledger: Ledger) -> None:
    @reelwise.meter("blur", user=lambda user, _: user, hold_nano=100, ledger=ledger)
    async def ask(user: str, cost: int) -> None:
        call = reelwise.current_call()
        assert user == f"u{cost}"
        await asyncio.sleep(0.001)
        assert reelwise.current_call() is call
        call.cost(nano=cost)

    async def everything() -> None:
        await asyncio.gather(*(ask(f"u{n}", n) for n in range(20)))
        inside = asyncio.Event()
        slow = asyncio.create_task(_slow(ledger, inside))
        await inside.wait()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow

    asyncio.run(everything())
    found = {row["user"]: row for row in rows(ledger)}
    assert all(found[f"u{n}"]["cost_nano"] == n for n in range(20))
    assert (found["slow"]["cost_nano"], found["slow"]["status"]) == (9, "ambiguous")
    assert ledger.open_holds == 0


async def _slow(ledger: Ledger, inside: asyncio.Event) -> None:
    async with reelwise.meter("blur", user="slow", hold_nano=9, ledger=ledger):
        inside.set()
        await asyncio.sleep(300)


def test_threads_stop_at_the_budget_to_the_nano_dollar() -> None:
    with Ledger(":memory:") as ledger:
        ledger.set_budget(Budget(name="all", hard=1000, period="total"))
        denied = []

        def work() -> None:
            for _ in range(40):
                try:
                    with reelwise.meter("blur", hold_nano=7, ledger=ledger, wait=False) as call:
                        call.cost(nano=7)
                except BudgetError as error:
                    denied.append(error)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        ledger.flush()

        assert verify(ledger.store).cost_nano == 1000 // 7 * 7
        assert len(denied) == 16 * 40 - 1000 // 7
        assert denied[-1].reason == "over_limit"


def test_modes_step_down_at_the_soft_limit_and_off_denies(ledger: Ledger) -> None:
    ledger.set_budget(Budget(name="blur", match=(("feature", "blur"),), hard=100, soft=50))
    ledger.set_feature(
        Feature(
            name="blur",
            ladders={"": ("full", "saver", "basic", "off"), "free": ("full", "off")},
            modes={"saver": {"fps": 5}},
        )
    )
    seen = []
    for _ in range(10):
        with reelwise.meter("blur", hold_nano=10, ledger=ledger) as call:
            seen.append(call.mode.name)
    assert seen == ["full"] * 5 + ["saver"] * 3 + ["basic"] * 2  # from 50: saver; from 75: basic
    with pytest.raises(BudgetError):
        reelwise.meter("blur", hold_nano=1, ledger=ledger).__enter__()
    assert [row["mode"] for row in reversed(rows(ledger))] == seen


def test_a_target_steps_down_after_its_minimum(ledger: Ledger) -> None:
    ledger.set_budget(
        Budget(name="t", match=(("feature", "blur"),), period="day", target=Target(per="session", nano=10, minimum=3))
    )
    from reelwise.ledger import who_of

    who = who_of("blur")
    for session in ("a", "b"):
        with reelwise.meter("blur", session=session, hold_nano=14, ledger=ledger):
            pass
    assert ledger.mode(who).name == "full"  # two sessions say nothing yet
    with reelwise.meter("blur", session="c", hold_nano=14, ledger=ledger):
        pass
    fresh = Ledger(ledger.store, thread=False)  # targets are judged anew every five seconds
    mode = fresh.mode(who)
    assert mode.name == "basic"
    assert "a session" in mode.why


def test_the_kill_switch_takes_effect_on_the_next_call(ledger: Ledger) -> None:
    one = reelwise.meter("blur", hold_nano=1, ledger=ledger)
    with one:
        pass
    ledger.kill("blur", "wrong answers")
    with pytest.raises(BudgetError, match="wrong answers") as denied:
        one.__enter__()
    assert denied.value.reason == "killed"
    ledger.resume("blur")
    with one:
        pass


def test_live_counters_say_how_long_it_can_go_on(ledger: Ledger) -> None:
    ledger.set_budget(Budget(name="u", each=("user",), hard=DOLLAR, period="total"))
    from reelwise.ledger import who_of

    for user in ("a", "a", "b"):
        with reelwise.meter("blur", user=user, session="s", hold_usd="0.1", ledger=ledger):
            pass
    ledger.flush()
    found = {one.label: one for one in live(ledger.store, who_of("blur", user="a", session="s"), ledger.clock.now_ms())}

    assert found["everything"].cost_nano == 3 * DOLLAR // 10
    assert found["user=a"].cost_nano == 2 * DOLLAR // 10
    assert found["session=s"].calls == 3
    assert found["user=a"].burn_nano_per_hour == 6 * 2 * DOLLAR // 10  # ten minutes, six times an hour
    assert found["user=a"].seconds_left == pytest.approx(0.8 / 1.2 * 3600)


@given(
    price=st.fractions(min_value=0, max_value=Fraction(1, 10**6)),
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_frames_lose_nothing_to_rounding(price: Fraction, counts: list[int]) -> None:
    with Ledger(":memory:", thread=False) as ledger:
        with reelwise.Frames(ledger, "blur", price, batch=16) as frames:
            for count in counts:
                for _ in range(count):
                    frames.frame()
                frames.post()
        found = rows(ledger)
        exact = price * 10**9 * sum(counts)

        assert sum(row["frames"] for row in found) == sum(counts)
        assert sum(row["cost_nano"] for row in found) == exact.numerator // exact.denominator


def test_frames_stop_where_the_budget_of_frames_ends(ledger: Ledger) -> None:
    ledger.set_budget(Budget(name="f", measure="frames", hard=100, period="day"))
    frames = reelwise.Frames(ledger, "blur", "0.000001", batch=30)
    for _ in range(100):
        frames.frame()
    with pytest.raises(BudgetError, match="frames"):
        frames.frame()
    frames.frame(skipped=True)
    frames.post()
    assert sum(row["frames"] for row in rows(ledger)) == 100


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"hold_usd": "1", "hold_nano": 1},
        {"hold_usd": "-1"},
        {"hold_usd": "nan"},
        {"hold_usd": "many"},
        {"hold_nano": 1.5},
        {"hold_nano": 1, "user": "x" * 200},
        {"hold_nano": 1, "user": "a\nb"},
        {"hold_nano": 1, "tags": {f"t{n}": "x" for n in range(17)}},
        {"hold_nano": 1, "tags": {"Bad Name": "x"}},
    ],
)
def test_bad_input_is_named_and_leaves_nothing_held(ledger: Ledger, wrong: dict) -> None:
    with pytest.raises(InputError) as said:
        reelwise.meter("blur", ledger=ledger, **wrong).__enter__()
    assert said.value.hint
    assert ledger.open_holds == 0


def test_bad_costs_and_units_are_named(ledger: Ledger) -> None:
    with reelwise.meter("blur", hold_nano=1, ledger=ledger) as call:
        for wrong in ({"usd": "x"}, {"nano": -1}, {}, {"usd": 1, "nano": 1}):
            with pytest.raises(InputError):
                call.cost(**wrong)
        with pytest.raises(InputError, match="no such unit"):
            call.used(bananas=1)
        with pytest.raises(InputError, match="no such label"):
            call.was(colour="red")
