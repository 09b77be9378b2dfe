"""A live run on an RTSP camera, GStreamer's server on 127.0.0.1: frames, a stall, a camera that goes away."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from pathlib import Path

import pytest

from reelwise.errors import StreamError
from reelwise.live import Adaptive, Limits
from reelwise.live.run import LiveRun
from reelwise.live.sources import StreamSource
from reelwise.scan.feeds import Camera
from reelwise.video.writer import write_mp4

from .conftest import Counting, blob, rising

SERVER = Path(__file__).parents[1] / "scan" / "rtsp_server.py"
PYTHON = "/usr/bin/python3"  # the one that Debian's python3-gi is built for
PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert all(Gst.ElementFactory.find(one) for one in ('qtdemux', 'rtph264pay', 'rtpbin', 'udpsrc'))"
)


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """Start a camera: a context manager that gives its address and a function that tells it what to do."""
    missing = "needs gir1.2-gst-rtsp-server-1.0, python3-gi and gstreamer1.0-plugins-good; .ci/run installs them"
    done = None
    with contextlib.suppress(OSError):
        done = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, timeout=60, check=False)
    if done is None or done.returncode:
        if os.environ.get("REELWISE_NEED_RTSP"):
            pytest.fail(missing)
        pytest.skip(missing)
    import cv2

    def planes():
        for index in range(400):
            packed = cv2.cvtColor(blob(index, height=96, width=160), cv2.COLOR_RGB2YUV_I420)
            yield packed[:96], packed[96:120].reshape(48, 80), packed[120:].reshape(48, 80)

    clip = tmp_path_factory.mktemp("rtsp") / "a.mp4"
    write_mp4(clip, planes(), width=160, height=96, fps=20, gop_seconds=0.5)

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


def ran(feed, model, *, seconds=3.0, then=(), **settings):
    """Run; `then` is what to do so many seconds after the first mask: (seconds, function, argument)."""
    adaptive = Adaptive(model, carrier=rising(0.2), limits=Limits(wait_seconds=0.05), **settings)
    said = []

    def tell(told):
        said.append(told.text)
        if told.what == "first":
            for after, act, argument in then:
                threading.Timer(after, act, (argument,)).start()

    run = LiveRun(StreamSource(feed), adaptive, for_seconds=seconds, tell=tell)
    return run, run.run(), said


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_frames_of_a_camera_are_segmented(camera, transport):
    model = Counting()
    with camera() as (address, _):
        run, report, _ = ran(Camera(address, transport=transport), model)
    receipt = report.receipt
    assert run.error is None
    assert (report.width, report.height) == (160, 96)
    assert 10 <= receipt.frames + receipt.dropped <= 90
    assert 1 < receipt.inferences == model.calls <= receipt.frames
    assert receipt.frames_blank < receipt.frames
    assert report.ended == "3 s are over"


def test_a_camera_that_stalls_gets_no_calls_until_it_is_opened_again(camera):
    model = Counting()
    counts = []

    def count(_):
        counts.append(model.calls)

    with camera() as (address, say):
        stall = ((0.8, say, "stall"), (1.8, count, 0), (2.6, count, 0))
        run, report, said = ran(Camera(address, timeout_seconds=3), model, seconds=12.0, then=stall)
    assert run.error is None
    assert counts[0] == counts[1] >= 1
    assert model.calls > counts[1]
    assert any("no picture comes" in one for one in said)
    assert any("nothing came for 3 s" in one for one in said)
    assert report.source_stalls >= 1
    assert report.receipt.stalls >= 1


def test_a_camera_that_goes_away_is_an_error_at_the_end(camera):
    model = Counting()
    with camera() as (address, say):
        run, report, said = ran(
            Camera(address, tries=1, timeout_seconds=1.0), model, seconds=30.0, then=((1.0, say, "quit"),)
        )
    assert isinstance(run.error, StreamError)
    assert report.receipt.frames > 5
    assert any("went away" in one for one in said)
    assert report.reconnects >= 1
