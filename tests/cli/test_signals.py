"""Signals that stop what runs, at moments at which the main thread holds locks."""

from __future__ import annotations

import signal
import threading

import pytest

from reelwise.cli import cli as command_line
from reelwise.cli import main
from reelwise.cli.signals import stopped_by_signals
from reelwise.errors import MissingExtraError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_while_a_lock_is_held_waits_for_nothing(number):
    """As `Event.set` in a handler did, where it interrupted `Event.wait`."""
    lock, stopped = threading.Lock(), threading.Event()
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]

    def stop():
        with lock:
            stopped.set()

    with stopped_by_signals(stop) as caught:
        assert caught == []
        with lock:
            signal.raise_signal(number)
            assert caught == [number]
        assert stopped.wait(60)
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_second_one_ends_it_at_once():
    calls = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), stopped_by_signals(lambda: calls.append(1)):  # noqa: PT012 - both of them
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert calls == [1]


def test_without_a_signal_nothing_is_stopped_and_no_thread_is_left():
    calls = []
    with stopped_by_signals(lambda: calls.append(1)):
        assert "reelwise-signals" in {one.name for one in threading.enumerate()}
    assert calls == []
    assert "reelwise-signals" not in {one.name for one in threading.enumerate()}


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("cause", [KeyboardInterrupt(), None])
def test_ctrl_c_while_a_native_package_is_loaded_is_an_interrupt_and_no_missing_extra(
    mapped, cause, monkeypatch, capsys
):
    """As onnxruntime: what ends its initialization becomes the cause of an ImportError."""
    failed = ImportError("initialization failed")
    failed.__cause__ = cause
    missing = MissingExtraError("needs onnxruntime", hint="pip install 'reelwise[live]'")
    missing.__context__ = failed

    def loaded(**_options):
        raise missing if mapped else failed

    monkeypatch.setattr(command_line, "main", loaded)
    with pytest.raises((SystemExit, ImportError)) as caught:
        main([])
    said = capsys.readouterr().err
    if cause is not None:
        assert (caught.value.code, said) == (130, "interrupted\n")
    elif mapped:
        assert caught.value.code == 2
        assert "pip install" in said
    else:
        assert caught.value is failed


def test_outside_the_main_thread_the_caller_stops_it():
    found = []

    def work():
        with stopped_by_signals(lambda: None) as caught:
            found.append(caught)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert found == [[]]
