"""Live scans of an RTSP camera, GStreamer's server on 127.0.0.1: loss, a stall, a camera that goes away."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reelwise.errors import StreamError
from reelwise.scan.feeds import Camera
from reelwise.scan.live import LiveScan, Notice

SERVER = Path(__file__).with_name("rtsp_server.py")
PYTHON = "/usr/bin/python3"  # the one that Debian's python3-gi is built for
PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert all(Gst.ElementFactory.find(one) for one in ('qtdemux', 'rtph264pay', 'rtpbin', 'udpsrc'))"
)


@pytest.fixture(scope="module")
def gstreamer():
    missing = "needs gir1.2-gst-rtsp-server-1.0, python3-gi and gstreamer1.0-plugins-good; .ci/run installs them"
    done = None
    with contextlib.suppress(OSError):
        done = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, timeout=60, check=False)
    if done is not None and not done.returncode:
        return
    if os.environ.get("REELWISE_NEED_RTSP"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="module")
def camera(gstreamer, tmp_path_factory, encode):  # noqa: ARG001 - skips where it is absent
    """Start a camera: a context manager that gives its address and a function that tells it what to do."""
    clip = encode(tmp_path_factory.mktemp("rtsp") / "a.mp4", 40, gop=10, events=((3.0, 5.5), (12.0, 14.0)))

    @contextlib.contextmanager
    def start(*arguments):
        with subprocess.Popen(
            [PYTHON, SERVER, clip, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as process:  # fmt: skip

            def say(word):
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(word + "\n")
                    process.stdin.flush()

            try:
                word, port = process.stdout.readline().split()
                assert word == "ready"
                yield f"rtsp://127.0.0.1:{port}/camera", say
            finally:
                process.kill()

    return start


def scanned(feed, *, then=(), **settings):
    """Scan; `then` is what to do so many seconds after the first picture: (seconds, function, argument)."""
    scan = LiveScan(feed, warm_up_seconds=2, **settings)
    began = time.monotonic()
    items = []
    for item in scan.run():
        if not items:
            for seconds, act, argument in then:
                threading.Timer(seconds, act, (argument,)).start()
        items.append(item)
    notes = [one.text for one in items if isinstance(one, Notice)]
    return scan, scan.receipt(), notes, time.monotonic() - began


@pytest.mark.parametrize(("transport", "drop"), [("udp", "0"), ("udp", "0.04")], ids=["udp", "loss"])
def test_events_of_a_camera(camera, transport, drop):
    with camera("--drop", drop) as (address, _):
        scan, receipt, _, seconds = scanned(Camera(address, transport=transport, timeout_seconds=6), for_seconds=11)
    assert scan.error is None
    assert seconds < 20
    assert receipt.ended == "11 s are over"
    first = receipt.events[0]
    assert first.start_seconds == pytest.approx(3.0, abs=0.7)
    assert first.stop_seconds == pytest.approx(5.5, abs=0.7)
    assert receipt.events_count <= 2 or drop != "0"
    assert (receipt.frames_lost + receipt.frames_broken > 0) == (drop != "0")


def test_a_stall_is_waited_for_and_the_camera_opened_again(camera):
    with camera() as (address, say):
        script = [(1.0, say, "stall"), (3.5, say, "resume")]
        scan, receipt, notes, _ = scanned(Camera(address, timeout_seconds=1), for_seconds=12, then=script)
    assert scan.error is None
    assert receipt.reconnects >= 1
    assert receipt.gap_seconds > 1
    assert any("nothing came for 1 s" in one for one in notes)
    assert receipt.frames > 20
    assert receipt.seconds > 5


def test_a_camera_that_goes_away_is_an_error_with_its_own_exit_code(camera):
    with camera() as (address, say), subprocess.Popen(
        [sys.executable, "-m", "reelwise", "scan", address, "--json", "--reconnects", "1", "--timeout", "4"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip
        assert json.loads(process.stdout.readline())["event"] == "note"
        time.sleep(1.5)
        say("quit")
        out, errors = process.communicate(timeout=60)
    assert process.returncode == StreamError.exit_code == 4
    assert "did not come back in 1 tries" in errors
    lines = [json.loads(one) for one in out.splitlines()]
    assert lines[-1]["event"] == "receipt"
    assert lines[-1]["frames"] > 5


def test_a_stream_that_ends_without_reconnects_is_no_error(camera):
    with camera() as (address, say):
        scan, receipt, _, _ = scanned(Camera(address, timeout_seconds=4, tries=0), then=[(1.5, say, "quit")])
    assert scan.error is None
    assert receipt.frames > 5
    assert receipt.reconnects == 0
    assert receipt.ended == "the stream ended"


def test_an_address_where_nothing_listens():
    began = time.monotonic()
    scan, receipt, _, _ = scanned(Camera("rtsp://me:secret@127.0.0.1:9/none", timeout_seconds=3))
    assert time.monotonic() - began < 10
    assert isinstance(scan.error, StreamError)
    assert "secret" not in str(scan.error) + scan.error.hint
    assert receipt.frames == 0
