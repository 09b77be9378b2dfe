"""Each scenario of the testing matrix, with a system that is broken in the way it watches for: it must say so and exit 3."""

# ruff: noqa: ARG005 - a broken method takes what the good one takes

from __future__ import annotations

import json
import math
from fractions import Fraction

import msgspec
import numpy as np
import pytest
import yaml

from reelwise.cli import main
from reelwise.drill import plans, read_drills, streams
from reelwise.errors import AmbiguousError
from reelwise.ledger import Ledger
from reelwise.live import Adaptive
from reelwise.live.books import Books
from reelwise.live.carry import Carrier
from reelwise.live.engine import Engine
from reelwise.live.health import Health
from reelwise.models.attempts import Attempts
from reelwise.run.session import Session
from reelwise.run.settle import Desk

PLAN = {
    "feature": "bay", "day": "2026-11-22", "plan": {"stages": [{"stage": "call", "model": "gemini-2.5-flash"}]},
    "ask": {"task": "moderate", "labels": ["quiet", "busy"], "output_most": 60},
}  # fmt: skip


@pytest.fixture
def broken(tmp_path, capsys):
    """Play one scenario as the command does; return the promises that broke."""

    def play(name, seconds=None):
        plan, own = tmp_path / "plan.yaml", tmp_path / "own.yaml"
        plan.write_text(yaml.safe_dump(PLAN))
        one = next(one for one in read_drills() if one.name == name)
        one = msgspec.structs.replace(one, seconds=seconds or one.seconds)
        tree = {key: value for key, value in msgspec.to_builtins(one).items() if value is not None}
        live = {"sandbox", "clips", "repeats"}
        other = live if one.kind == "live" else set(tree) - {*live, "name", "row", "what", "kind", "expect", "seconds"}
        kept = {"motion", "users", "budget_usd", "budget_calls"}
        own.write_text(yaml.safe_dump({"scenarios": [{k: v for k, v in tree.items() if k not in other - kept}]}))
        with pytest.raises(SystemExit) as stopped:
            main(["drill", str(plan), "--scenarios", str(own), "--json"])
        told = json.loads(capsys.readouterr().out)
        assert stopped.value.code == 3, told
        return {promise["name"] for promise in told["scenarios"][0]["promises"] if not promise["kept"]}

    return play


def changed(monkeypatch, owner, name, make):
    """Put another method in place of one; `make` gets the one before."""
    monkeypatch.setattr(owner, name, make(getattr(owner, name)))


def settings(monkeypatch, **more):
    """Make every adaptive loop of the drill with other settings."""

    def made(*args, **given):
        return Adaptive(*args, **{name: value for name, value in {**given, **more}.items() if value is not ...})

    monkeypatch.setattr(streams, "Adaptive", made)


def test_normal_usage_with_a_loop_that_skips_nothing(broken, monkeypatch):
    settings(monkeypatch, mode="max")

    assert "inference_share_max" in broken("normal usage", 20)


def test_normal_usage_with_masks_that_are_not_good(broken, monkeypatch):
    changed(
        monkeypatch, Engine, "answer",
        lambda before: lambda self, turn: before(self, turn)._replace(mask=np.ones((36, 64), np.float32)),
    )  # fmt: skip

    assert broken("normal usage", 20) == {"iou_p5_min"}


def test_normal_usage_with_rows_that_the_ledger_lost(broken, monkeypatch):
    monkeypatch.setattr(streams, "export", lambda _: iter([[]]))

    assert "ledger_nano_max" in broken("normal usage", 20)


def test_normal_usage_of_the_plan_with_tokens_that_are_counted_twice(broken, monkeypatch):
    changed(
        monkeypatch,
        Desk,
        "_charge",
        lambda before: lambda self, call, used, found: before(self, call, twice(used), found),
    )

    assert broken("normal usage of the plan", 2) == {"residual_nano_max"}


def twice(used):
    return msgspec.structs.replace(used, tokens_output=2 * used.tokens_output)


def test_normal_usage_of_the_plan_with_an_estimate_that_learns_nothing(broken, monkeypatch):
    monkeypatch.setattr(plans, "_MODEL_FACTS", ("nothing",))

    assert broken("normal usage of the plan", 2) == {"estimate_error_max"}


def test_high_motion_with_a_loop_that_does_not_see_it(broken, monkeypatch):
    settings(monkeypatch, quality=..., inferences_a_minute=1)

    assert {"inference_share_min", "iou_mean_min"} <= broken("high motion")


@pytest.mark.parametrize("name", ["high motion under a price", "extended duration"])
def test_a_price_that_is_not_held(broken, monkeypatch, name):
    settings(monkeypatch, usd_an_hour=..., quality=..., mode="max")

    assert broken(name, 600) == {"cost_usd_max"}


def test_an_allowance_that_nobody_counts(broken, monkeypatch):
    monkeypatch.setattr(Ledger, "set_budget", lambda self, budget: None)

    assert {"calls_max", "notices_min", "mode_is"} <= broken("extended duration with an allowance", 120)


def test_an_allowance_after_which_nothing_is_shown(broken, monkeypatch):
    settings(monkeypatch, fallback=None)

    assert {"answered_share_min", "mode_is", "device_share_min"} <= broken("extended duration with an allowance")


def test_high_latency_with_frames_that_wait_and_calls_that_pile_up(broken, monkeypatch):
    settings(monkeypatch, mode="max", limits=streams.Limits(wait_seconds=0.0))
    changed(monkeypatch, Carrier, "answer", lambda before: lambda self, *a: None)

    assert "answered_share_min" in broken("high latency")


def test_high_latency_with_a_model_that_is_asked_about_every_frame(broken, monkeypatch):
    settings(monkeypatch, mode="max")

    assert "calls_max" in broken("high latency")


def test_high_latency_with_a_device_that_nobody_asks(broken, monkeypatch):
    settings(monkeypatch, fallback=None)

    assert {"mode_is", "device_share_min"} <= broken("high latency with a device")


def test_a_stuck_call_that_is_tried_again_without_end(broken, monkeypatch):
    settings(monkeypatch, fallback=None)
    monkeypatch.setattr(Health, "may_call", lambda self, now: True)

    assert {"timeouts_max", "answered_share_min"} <= broken("a call that is stuck")


def test_a_stuck_call_that_is_never_given_up(broken, monkeypatch):
    settings(monkeypatch, limits=streams.Limits(wait_seconds=1 / 30, timeout_seconds=3600))

    assert {"answered_share_min", "mode_is"} <= broken("a call that is stuck")


def test_an_endpoint_that_is_away_and_asked_all_the_same(broken, monkeypatch):
    monkeypatch.setattr(Health, "may_call", lambda self, now: True)

    assert "calls_while_failing_max" in broken("endpoint away")


def test_an_endpoint_that_is_never_found_to_be_back(broken, monkeypatch):
    changed(
        monkeypatch, Health, "may_call",
        lambda before: lambda self, now: math.isinf(self._again) or (not self.down and before(self, now)),
    )  # fmt: skip

    assert "mode_is" in broken("endpoint away")


def test_low_bandwidth_with_retries_without_a_budget(broken, monkeypatch):
    monkeypatch.setattr(Attempts, "retry", lambda self: True)

    assert "attempts_per_call_max" in broken("low bandwidth")


def test_low_bandwidth_with_lost_replies_that_nobody_counts(broken, monkeypatch):
    from reelwise.run import settle

    changed(
        monkeypatch,
        settle,
        "_failed",
        lambda before: lambda found, error, **more: forgotten(before(found, error, **more), error),
    )

    assert "residual_nano_max" in broken("low bandwidth")


def forgotten(outcome, error):
    return msgspec.structs.replace(outcome, status="failed") if isinstance(error, AmbiguousError) else outcome


def test_a_camera_that_was_taken_away_and_is_looked_at_all_the_same(broken, monkeypatch):
    monkeypatch.setattr(Adaptive, "choose", lambda self, mode: None)

    assert broken("permission revoked") == {"calls_after_revoke_max", "mode_is"}


def test_several_users_of_whom_each_costs_more_than_the_one_before(broken, monkeypatch):
    class Dearer(Books):
        def __init__(self, price, **more):
            user = (more.get("labels") or {}).get("user", "user0")
            super().__init__(price * Fraction(1 + int(user.removeprefix("user"))), **more)

    from reelwise.live import adaptive

    monkeypatch.setattr(adaptive, "Books", Dearer)

    assert "users_factor_max" in broken("several users at once", 10)


def test_several_users_with_a_budget_that_each_has_alone(broken, monkeypatch):
    changed(
        monkeypatch, Ledger, "set_budget",
        lambda before: lambda self, budget: before(self, msgspec.structs.replace(budget, each=("user",))),
    )  # fmt: skip

    assert "over_budget_usd_max" in broken("several users with one budget")


def test_several_users_of_the_plan_who_pay_for_calls_twice(broken, monkeypatch):
    changed(monkeypatch, Session, "run", lambda before: lambda self, *a, **k: again(before, self, *a, **k))

    assert {"residual_nano_max", "ledger_nano_max"} <= broken("several users of the plan")


def again(before, self, *args, **more):
    if "fresh" in more:
        before(self, *args, **{**more, "name": f"{more['name']}-again"})
    return before(self, *args, **more)


@pytest.mark.parametrize("name", ["billing anomaly", "billing anomaly without a device"])
def test_a_billing_anomaly_without_a_budget(broken, monkeypatch, name):
    monkeypatch.setattr(Ledger, "set_budget", lambda self, budget: None)

    assert {"over_budget_usd_max", "calls_max", "notices_min", "mode_is"} <= broken(name)


def test_a_billing_anomaly_that_switches_off_what_a_device_could_do(broken, monkeypatch):
    from reelwise.live.afar import Afar

    changed(
        monkeypatch, Afar, "__init__", lambda before: lambda self, *a, **k: before(self, *a, **{**k, "device": False})
    )

    assert broken("billing anomaly") == {"mode_is", "answered_share_min"}


def test_a_billing_anomaly_of_the_plan_that_nothing_stops(broken, monkeypatch):
    monkeypatch.setattr(Ledger, "set_budget", lambda self, budget: None)

    assert {"calls_max", "denied_min", "notices_min"} <= broken("billing anomaly of the plan", 2)


def test_each_scenario_is_sabotaged_here():
    text = __import__("pathlib").Path(__file__).read_text(encoding="utf-8")

    assert [one.name for one in read_drills() if f'"{one.name}"' not in text] == []
