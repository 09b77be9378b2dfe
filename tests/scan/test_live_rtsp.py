"""Live scans of an RTSP camera, GStreamer's server on 127.0.0.1: loss, a stall, a camera that goes away."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from reelwise.errors import StreamError
from reelwise.scan.feeds import Camera
from reelwise.scan.live import LiveScan, Notice


@pytest.fixture(scope="module")
def camera(rtsp, tmp_path_factory, encode):
    """Start a camera: a context manager that gives its address and a function that tells it what to do."""
    clip = encode(tmp_path_factory.mktemp("rtsp") / "a.mp4", 40, gop=10, events=((3.0, 5.5), (12.0, 14.0)))
    return lambda *options: rtsp(clip, *options)


def scanned(feed, *, then=(), enough=None):
    """Scan for a minute and a half, or until `enough` says so of the receipt.

    `then` is what to do so many seconds after the first picture: (seconds, function, argument).
    """
    scan = LiveScan(feed, warm_up_seconds=2, for_seconds=90)
    items = []
    with contextlib.ExitStack() as ended:
        if enough is not None:
            over = threading.Event()

            def watch():
                while not over.wait(0.05):
                    if items and enough(scan.receipt()):
                        scan.stop()
                        return

            watcher = threading.Thread(target=watch)
            watcher.start()
            ended.callback(watcher.join)
            ended.callback(over.set)
        for item in scan.run():
            if not items:
                for seconds, act, argument in then:
                    threading.Timer(seconds, act, (argument,)).start()
            items.append(item)
    notes = [one.text for one in items if isinstance(one, Notice)]
    return scan, scan.receipt(), notes


@pytest.mark.parametrize(("transport", "drop"), [("udp", "0"), ("udp", "0.04")], ids=["udp", "loss"])
def test_events_of_a_camera(camera, transport, drop):
    def lost(receipt):
        return receipt.frames_lost + receipt.frames_broken > 0

    with camera("--drop", drop) as (address, _):
        scan, receipt, _ = scanned(
            Camera(address, transport=transport, timeout_seconds=20),
            enough=lambda so_far: so_far.events and so_far.seconds > 8 and (drop == "0" or lost(so_far)),
        )
    assert scan.error is None
    assert receipt.ended == "stopped"
    first = receipt.events[0]
    assert first.start_seconds == pytest.approx(3.0, abs=0.7)
    assert first.stop_seconds == pytest.approx(5.5, abs=0.7)
    assert receipt.events_count <= 2 or lost(receipt)  # on a busy machine packets are lost in any case


def test_a_stall_is_waited_for_and_the_camera_opened_again(camera):
    with camera() as (address, say):
        scan, receipt, notes = scanned(
            Camera(address, timeout_seconds=3),
            then=[(1.0, say, "stall")],
            enough=lambda so_far: so_far.reconnects and so_far.frames > 20 and so_far.seconds > 5,
        )
    assert scan.error is None
    assert receipt.ended == "stopped"
    assert receipt.reconnects >= 1
    assert receipt.gap_seconds > 1
    assert any("nothing came for 3 s" in one for one in notes), notes


def test_a_camera_that_goes_away_is_an_error_with_its_own_exit_code(camera, started):
    with camera() as (address, say), started(
        [sys.executable, "-m", "reelwise", "scan", address, "--json", "--reconnects", "1", "--timeout", "20"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip
        assert json.loads(process.stdout.readline())["event"] == "note"
        time.sleep(2)
        say("quit")
        out, errors = process.communicate(timeout=120)
    assert process.returncode == StreamError.exit_code == 4
    assert "did not come back in 1 tries" in errors
    lines = [json.loads(one) for one in out.splitlines()]
    assert lines[-1]["event"] == "receipt"
    assert lines[-1]["frames"] > 5


def test_a_stream_that_ends_without_reconnects_is_no_error(camera):
    with camera() as (address, say):
        scan, receipt, _ = scanned(Camera(address, timeout_seconds=20, tries=0), then=[(2.0, say, "quit")])
    assert scan.error is None
    assert receipt.frames > 5
    assert receipt.reconnects == 0
    assert receipt.ended == "the stream ended"


def test_an_address_where_nothing_listens():
    scan, receipt, _ = scanned(Camera("rtsp://me:secret@127.0.0.1:9/none", timeout_seconds=20))
    assert isinstance(scan.error, StreamError)
    assert "secret" not in str(scan.error) + scan.error.hint
    assert receipt.frames == 0
