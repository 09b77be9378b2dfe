"""Modes: who sets them, which one holds, what is said, and that off means off."""

from __future__ import annotations

import logging
import threading

import pytest

from reelwise.errors import InputError
from reelwise.ledger import Budget, Feature, Ledger
from reelwise.live import Adaptive, Limits, Profile
from reelwise.live.modes import MODES, Modes, Wish

from .conftest import Counting, Held, Scripted, blob, rising

FILE = Limits(wait_seconds=None)
HOT = rising(100)


def feed(adaptive, seconds, *, start=0.0, fps=10):
    return [adaptive.look(blob(0), start + index / fps) for index in range(int(seconds * fps))]


# off means off

LEAVES = {
    "off": (lambda one: one.choose("off"), lambda one: one.choose("full")),
    "paused": (lambda one: one.pause(), lambda one: one.resume()),
    "hidden": (lambda one: one.hide(), lambda one: one.show()),
}


@pytest.mark.parametrize("how", LEAVES)
@pytest.mark.parametrize("mode", ["max", "full", "saver"])
def test_not_one_more_call_after_it_is_left(how, mode):
    leave, come = LEAVES[how]
    model = Counting()
    adaptive = Adaptive(model, mode=mode, carrier=HOT, limits=FILE)
    feed(adaptive, 1)
    leave(adaptive)
    before = model.calls
    answers = feed(adaptive, 30, start=1)
    assert model.calls == before
    assert all(one.kind == "blank" and one.mode == "off" and not one.mask.any() for one in answers)

    come(adaptive)
    (answer,) = feed(adaptive, 0.1, start=31)
    assert model.calls == before + 1
    assert answer.kind == "inferred"
    adaptive.close()


def test_nobody_reads_nobody_calls():
    reads = [True]
    model = Counting()
    adaptive = Adaptive(model, reader=lambda: reads[0], carrier=HOT, limits=FILE)
    feed(adaptive, 1)
    reads[0] = False
    before = model.calls
    feed(adaptive, 10, start=1)
    assert model.calls == before
    assert adaptive.mode == "off"
    assert adaptive.why == "nobody reads the output"
    reads[0] = True
    feed(adaptive, 1, start=11)
    assert model.calls > before
    adaptive.close()


def test_whether_anybody_reads_is_not_known_so_nobody_does():
    model = Counting()
    with Adaptive(model, reader=lambda: 1 / 0, limits=FILE) as adaptive:
        feed(adaptive, 1)
    assert model.calls == 0


@pytest.mark.parametrize("how", LEAVES)
def test_a_call_that_was_handed_over_and_has_not_begun_is_taken_back(how):
    """The worker is busy with a call of the device's model; the next one waits in its slot, and is never made."""
    block, entered = threading.Event(), threading.Event()
    model = Counting()
    adaptive = Adaptive(model, carrier=HOT, limits=Limits(wait_seconds=0))
    lane = adaptive._engine.main
    lane._worker.submit(lambda _finish: (entered.set(), block.wait(60)))
    assert entered.wait(30)
    adaptive.look(blob(0), 0.0)
    assert lane.flight is not None
    LEAVES[how][0](adaptive)
    block.set()
    adaptive.look(blob(0), 0.1)
    receipt = adaptive.close()
    assert model.calls == 0
    assert receipt.revoked == 1
    assert receipt.inferences == 0


def test_basic_mode_takes_back_a_call_of_the_model_that_costs():
    block, entered = threading.Event(), threading.Event()
    model = Counting()
    adaptive = Adaptive(model, carrier=HOT, limits=Limits(wait_seconds=0))
    adaptive._engine.main._worker.submit(lambda _finish: (entered.set(), block.wait(60)))
    assert entered.wait(30)
    adaptive.look(blob(0), 0.0)
    adaptive.choose("basic")
    block.set()
    adaptive.look(blob(0), 0.1)
    assert adaptive.close().revoked == 1
    assert model.calls == 0


def test_an_answer_that_comes_after_it_was_left_starts_nothing():
    model = Held()
    adaptive = Adaptive(model, carrier=HOT, limits=Limits(wait_seconds=0))
    adaptive.look(blob(0), 0.0)
    assert model.begun.wait(30)
    adaptive.pause()
    model.let.set()
    for index in range(50):
        adaptive.look(blob(0), index / 10)
    assert model.calls == 1
    adaptive.close()
    assert model.calls == 1


def test_nothing_calls_a_model_but_a_frame(time):
    """No thread of ours calls one in the background: without frames nothing happens, whatever failed before."""
    model = Counting(*[RuntimeError("down")] * 50, time=time)
    adaptive = Adaptive(model, carrier=HOT, clock=time, worker=time)
    for index in range(20):
        time.move(index / 10)
        adaptive.look(blob(0))
    before = model.calls
    time.move(3600)
    assert model.calls == before
    adaptive.close()


def test_after_a_long_pause_the_old_mask_is_not_shown(time):
    model = Counting(time=time, seconds=0.5)
    adaptive = Adaptive(model, carrier=HOT, clock=time, worker=time, limits=Limits(wait_seconds=None))
    assert adaptive.look(blob(0)).kind == "inferred"
    adaptive.pause()
    time.move(60)
    adaptive._limits = Limits(wait_seconds=0)
    adaptive.resume()
    assert adaptive.look(blob(0)).kind == "blank"
    time.move(61)
    assert adaptive.look(blob(0)).kind == "carried"
    adaptive.close()


# which one holds


def test_every_mode_sends_no_more_than_the_one_above():
    calls = {}
    for mode in MODES:
        model = Counting()
        adaptive = Adaptive(model, mode=mode, carrier=rising(0.3), limits=FILE)
        feed(adaptive, 30)
        adaptive.close()
        calls[mode] = model.calls
    assert calls["max"] == 300
    assert calls["max"] > calls["full"] > calls["saver"] > calls["basic"] == calls["off"] == 0


def test_basic_is_served_by_the_device_and_calls_the_dear_model_never():
    dear, device = Counting(), Counting()
    adaptive = Adaptive(dear, mode="basic", fallback=device, carrier=rising(0.5), usd_per_call=1, limits=FILE)
    answers = feed(adaptive, 10)
    receipt = adaptive.close()
    assert dear.calls == 0
    assert receipt.device_inferences == device.calls > 5
    assert {one.model for one in answers} == {"device"}
    assert receipt.cost_usd == 0


def test_basic_without_a_device_keeps_the_last_mask_for_a_moment():
    adaptive = Adaptive(Counting(), carrier=HOT, limits=Limits(wait_seconds=None, blank_seconds=2.0))
    feed(adaptive, 1)
    adaptive.choose("basic")
    kinds = [one.kind for one in feed(adaptive, 6, start=1)]
    assert kinds == ["carried"] * 21 + ["blank"] * 39
    change = adaptive.close().mode_changes[-1]
    assert "the whole picture is covered" in change.message


def test_the_lowest_wish_holds_and_best_quality_overrides_what_is_only_suggested():
    def settled(*wishes):
        modes = Modes(device=False)
        modes.settle([Wish(*one) for one in wishes], 0.0)
        return modes.now.mode

    assert settled(("full", "user"), ("saver", "remote")) == "saver"
    assert settled(("basic", "user"), ("saver", "remote")) == "basic"
    assert settled(("max", "user"), ("saver", "remote"), ("basic", "budget")) == "max"
    assert settled(("max", "user"), ("off", "remote")) == "off"
    assert settled(("max", "user"), ("off", "budget")) == "off"
    assert settled(("max", "user"), ("basic", "denied")) == "basic"
    assert settled(("max", "user"), ("basic", "failing")) == "basic"
    assert settled(("max", "user"), ("off", "hidden")) == "off"


def test_a_remote_setting_is_followed(time):
    says = ["full"]
    model = Counting(time=time)
    adaptive = Adaptive(model, remote=lambda: says[0], carrier=HOT, clock=time, worker=time, limits=FILE)

    def stretch(start, seconds):
        before = model.calls
        for index in range(seconds * 10):
            time.move(start + index / 10)
            adaptive.look(blob(0))
        return model.calls - before

    assert stretch(0, 3) > 20
    says[0] = "off"
    assert stretch(3, 5) <= 10  # heard within a second
    assert stretch(8, 5) == 0
    says[0] = "nonsense"
    assert stretch(13, 2) == 0  # what it said before holds
    says[0] = None
    assert stretch(15, 5) > 20
    receipt = adaptive.close()
    assert any("no mode" in one for one in receipt.notes)
    assert [(one.old, one.new, one.cause) for one in receipt.mode_changes] == [
        ("full", "off", "remote"),
        ("off", "full", "start"),
    ]


def test_a_remote_setting_that_hangs_holds_up_no_frame():
    hang = threading.Event()
    asked = []

    def remote():
        asked.append(1)
        if len(asked) > 1:
            hang.wait(10)

    adaptive = Adaptive(Counting(), remote=remote, limits=FILE)
    adaptive._engine.afar._every = 0.01
    for index in range(30):
        adaptive.look(blob(index))
    threading.Event().wait(0.05)
    adaptive.look(blob(0))
    hang.set()
    assert adaptive.close().frames == 31


def test_a_remote_setting_that_hangs_from_the_start_holds_up_no_stream(monkeypatch):
    monkeypatch.setattr("reelwise.live.afar._FIRST_SECONDS", 0.05)
    hang = threading.Event()
    adaptive = Adaptive(Counting(), remote=lambda: hang.wait(20) and None, limits=FILE)
    for index in range(5):
        adaptive.look(blob(index))
    assert not hang.is_set()
    hang.set()
    assert adaptive.close().answers


def test_what_is_off_from_afar_is_off_from_the_first_frame_on():
    model = Counting()
    with Adaptive(model, remote=lambda: "off", limits=FILE) as adaptive:
        feed(adaptive, 1)
    assert model.calls == 0


def test_a_remote_setting_that_fails_keeps_what_it_said(time):
    answers = ["saver", RuntimeError("no network")]

    def remote():
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    adaptive = Adaptive(Counting(), remote=remote, clock=time, worker=time, limits=FILE)
    for index in range(50):
        time.move(index / 10)
        adaptive.look(blob(0))
    assert adaptive.mode == "saver"
    assert any("no network" in one for one in adaptive.close().notes)


def test_profiles_of_modes_can_be_set():
    model = Counting()
    profiles = {"saver": Profile(ceiling_fps=2)}
    adaptive = Adaptive(model, mode="saver", profiles=profiles, carrier=HOT, limits=FILE)
    feed(adaptive, 10)
    adaptive.close()
    assert 19 <= model.calls <= 20


def test_no_such_mode():
    with Adaptive(Counting(), limits=FILE) as adaptive, pytest.raises(InputError, match="no mode"):
        adaptive.choose("turbo")


# budgets


@pytest.fixture
def ledger():
    with Ledger(":memory:", thread=False) as one:
        yield one


def test_the_ledger_says_what_mode_a_feature_is_in(ledger):
    model = Counting()
    adaptive = Adaptive(model, ledger=ledger, feature="blur", user="u1", usd_per_call="0.001", carrier=HOT, limits=FILE)
    adaptive._engine.afar._threaded, adaptive._engine.afar._every = False, 0.0
    feed(adaptive, 1)
    ledger.force("blur", "saver", "too dear this week")
    feed(adaptive, 1, start=1)
    assert adaptive.mode == "saver"
    assert "too dear this week" in adaptive.why
    ledger.kill("blur", "incident 7")
    before = model.calls
    feed(adaptive, 3, start=2)
    assert model.calls == before
    assert adaptive.mode == "off"
    ledger.resume("blur")
    feed(adaptive, 1, start=5)
    assert model.calls > before
    changes = adaptive.close().mode_changes
    assert [one.new for one in changes] == ["saver", "off", "full"]
    assert all(one.cause == "budget" for one in changes[:2])


def test_a_step_of_a_ladder_that_is_not_ours_saves_by_its_own_settings(ledger):
    ladder = {"": ("full", "evening", "off")}
    ledger.set_feature(Feature(name="blur", ladders=ladder, modes={"evening": {"fps": 1}}, forced="evening"))
    model = Counting()
    adaptive = Adaptive(model, ledger=ledger, feature="blur", usd_per_call="0.001", carrier=HOT, limits=FILE)
    feed(adaptive, 10)
    receipt = adaptive.close()
    assert receipt.mode == "saver"
    assert "evening" in receipt.mode_changes[0].reason
    assert 10 <= model.calls <= 11


def test_levers_of_the_full_mode_hold_too(ledger):
    ledger.set_feature(Feature(name="blur", modes={"full": {"fps": 2}}))
    model = Counting()
    adaptive = Adaptive(model, ledger=ledger, feature="blur", carrier=HOT, limits=FILE)
    feed(adaptive, 10)
    adaptive.close()
    assert 19 <= model.calls <= 20


def test_budgets_step_the_mode_down_before_they_stop_it(ledger):
    ledger.set_budget(Budget(name="all", hard=100 * 10**6, soft=50 * 10**6))
    model = Counting()
    adaptive = Adaptive(model, ledger=ledger, feature="blur", usd_per_call="0.001", carrier=HOT, limits=FILE)
    adaptive._engine.afar._threaded, adaptive._engine.afar._every = False, 0.0
    feed(adaptive, 60)
    receipt = adaptive.close()
    ledger.flush()
    assert [one.new for one in receipt.mode_changes][:2] == ["saver", "basic"]
    assert receipt.cost_nano == model.calls * 10**6 <= 100 * 10**6
    assert "all:" in receipt.mode_changes[0].reason


@pytest.mark.parametrize("mode", ["full", "max"])
def test_where_a_budget_is_spent_the_device_goes_on_and_where_it_is_killed_nothing_does(ledger, mode):
    ledger.set_budget(Budget(name="all", hard=20 * 10**6))
    model, device = Counting(), Counting()
    adaptive = Adaptive(
        model, fallback=device, mode=mode, ledger=ledger, feature="blur", usd_per_call="0.001", carrier=HOT, limits=FILE
    )
    adaptive._engine.afar._threaded, adaptive._engine.afar._every = False, 0.0
    feed(adaptive, 3)
    assert adaptive.mode == "basic"
    assert adaptive.cause in {"spent", "denied"}
    assert model.calls == 20
    assert device.calls > 0
    ledger.kill("blur", "incident 7")
    before = model.calls, device.calls
    feed(adaptive, 3, start=3)
    assert (model.calls, device.calls) == before
    receipt = adaptive.close()
    assert receipt.mode == "off"
    messages = [one.message for one in receipt.mode_changes]
    assert any(said.startswith("The allowance is used up, using basic mode. This device does") for said in messages)


@pytest.mark.parametrize("ladder", [("full", "saver", "basic", "off"), ("full", "saver", "off")])
def test_a_spent_budget_is_off_without_a_device_or_where_the_ladder_has_no_basic_step(ledger, ladder):
    ledger.set_feature(Feature(name="blur", ladders={"": ladder}))
    ledger.set_budget(Budget(name="all", hard=20 * 10**6))
    device = None if "basic" in ladder else Counting()
    adaptive = Adaptive(
        Counting(), fallback=device, ledger=ledger, feature="blur", usd_per_call="0.001", carrier=HOT, limits=FILE
    )
    adaptive._engine.afar._threaded, adaptive._engine.afar._every = False, 0.0
    feed(adaptive, 6)
    assert adaptive.close().mode == "off"


# what is said


def test_every_change_is_told_logged_and_kept(caplog):
    told = []
    adaptive = Adaptive(Counting(), on_mode_change=told.append, carrier=HOT, limits=FILE)
    caplog.set_level(logging.INFO, "reelwise.live")
    feed(adaptive, 1)
    adaptive.choose("saver")
    adaptive.hide()
    adaptive.show()
    adaptive.choose("max")
    feed(adaptive, 1, start=1)
    receipt = adaptive.close()

    assert [(one.old, one.new) for one in told] == [
        ("full", "saver"),
        ("saver", "off"),
        ("off", "saver"),
        ("saver", "max"),
    ]
    assert tuple(told) == receipt.mode_changes
    assert receipt.mode_changes_count == 4
    assert all(one.reason and one.message.endswith(".") for one in told)
    assert told[1].message == "Paused while the picture is hidden. Nothing is sent."
    records = [one for one in caplog.records if getattr(one, "event", "") == "segmentation_mode"]
    assert [(one.mode_old, one.mode_new) for one in records] == [(one.old, one.new) for one in told]
    assert records[1].cause == "hidden"
    assert receipt.mode_seconds.keys() >= {"full", "max"}


def test_every_inference_is_logged_where_that_is_wanted(caplog):
    caplog.set_level(logging.DEBUG, "reelwise.live")
    with Adaptive(Counting(), mode="max", limits=FILE) as adaptive:
        feed(adaptive, 1)
    records = [one for one in caplog.records if getattr(one, "event", "") == "segmentation_inference"]
    assert len(records) == 10
    assert records[0].source == "main"


def test_a_callback_that_fails_stops_nothing(caplog):
    def told(_change):
        raise RuntimeError("no window any more")

    model = Counting()
    adaptive = Adaptive(model, on_mode_change=told, limits=FILE)
    adaptive.choose("saver")
    feed(adaptive, 1)
    receipt = adaptive.close()
    assert receipt.frames == 10
    assert any("no window" in one for one in receipt.notes)
    assert "on_mode_change failed" in caplog.text


def test_a_callback_may_set_the_mode_itself():
    adaptive = Adaptive(
        Counting(), limits=FILE, on_mode_change=lambda one: one.new == "max" and adaptive.choose("saver")
    )
    adaptive.choose("max")
    assert adaptive.mode == "saver"
    adaptive.close()


def test_changes_are_kept_up_to_a_hundred():
    adaptive = Adaptive(Counting(), carrier=Scripted, limits=FILE)
    for _ in range(200):
        adaptive.choose("saver")
        adaptive.choose("full")
    receipt = adaptive.close()
    assert len(receipt.mode_changes) == 100
    assert receipt.mode_changes_count == 400
