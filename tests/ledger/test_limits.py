"""Switches, shadow budgets, soft limits and notices."""

from __future__ import annotations

import pytest

from reelwise.errors import BudgetError
from reelwise.ledger import Budget, Feature, Target, Units, who_of

WHO = who_of("blur", user="u1")


def spend(ledger, nano, identity):
    ledger.post(ledger.hold(WHO, nano), identity, nano)


def test_the_kill_switch_takes_effect_on_the_next_call_of_every_process(opened):
    one, other = opened(), opened()
    hold = other.hold(WHO, 5)
    one.kill("blur", "invoice looks wrong")

    with pytest.raises(BudgetError, match="invoice looks wrong") as denied:
        other.hold(WHO, 5)

    assert (denied.value.reason, denied.value.retryable) == ("killed", False)
    other.hold(who_of("tags"), 5)
    other.post(hold, "under-way", 5)  # what was under way is counted
    assert other.mode(WHO).name == "off"
    one.resume("blur")
    other.hold(WHO, 5)


def test_off_by_hand_denies_too(ledger):
    ledger.force("blur", "off")

    with pytest.raises(BudgetError) as denied:
        ledger.hold(WHO, 5)

    assert denied.value.reason == "off"


def test_shadow_never_denies_and_says_what_it_would_have(opened):
    said = []
    ledger = opened(on_notice=said.append)
    ledger.set_budget(Budget(name="try", hard=100, shadow=True))

    for number in range(5):
        spend(ledger, 50, f"c{number}")

    assert {one.kind for one in said} >= {"shadow", "level"}
    assert [one.level for one in said if one.kind == "level"] == [50, 100]
    assert ledger.mode(WHO).name == "full"


def test_a_soft_limit_steps_down_and_the_hard_one_switches_off(ledger):
    ledger.set_budget(Budget(name="day", soft=100, hard=300))
    modes = []
    for number in range(6):
        modes.append(ledger.mode(WHO).name)
        spend(ledger, 50, f"c{number}")
    modes.append(ledger.mode(WHO).name)

    assert modes == ["full", "full", "saver", "saver", "basic", "basic", "off"]
    assert "day" in ledger.mode(WHO).why


def test_what_is_held_counts_for_the_mode(ledger):
    ledger.set_budget(Budget(name="day", soft=100, hard=300))
    hold = ledger.hold(WHO, 150)
    assert ledger.mode(WHO).name == "saver"
    ledger.void(hold)
    assert ledger.mode(WHO).name == "full"


def test_a_ladder_may_differ_by_user_class(ledger):
    ledger.set_feature(Feature(name="blur", ladders={"": ("full", "basic", "off"), "paying": ("full",)}))
    ledger.set_budget(Budget(name="day", soft=10))
    spend(ledger, 50, "c1")

    assert ledger.mode(WHO).name == "basic"
    assert ledger.mode(who_of("blur", user="u2", user_class="paying")).name == "full"


def test_a_unit_cost_above_its_target_steps_down_once_enough_were_counted(ledger, clock):
    ledger.set_budget(Budget(name="unit", target=Target(per="call", nano=10, minimum=3)))
    ledger.set_budget(Budget(name="frames", measure="frames", hard=10**6))
    for number in range(3):
        assert ledger.mode(WHO).name == "full"
        ledger.post(ledger.hold(WHO, 100, frames=5), f"c{number}", 12, units=Units(calls=1, frames=5))
        clock.on(6)

    assert ledger.mode(WHO).name == "saver"


def test_each_level_is_told_once_by_whichever_process_comes_first(opened):
    said = []
    one, other = opened(on_notice=said.append, lease_usd=0), opened(on_notice=said.append, lease_usd=0)
    one.set_budget(Budget(name="day", hard=100))
    for number in range(5):
        for ledger in (one, other):
            spend(ledger, 10, f"{number}-{ledger.owner}")

    assert [one.level for one in said if one.kind == "level"] == [50, 80, 100]
    with pytest.raises(BudgetError):
        one.hold(WHO, 1)
    with pytest.raises(BudgetError):
        one.hold(WHO, 1)
    assert len([one for one in said if one.kind == "denied"]) == 1
