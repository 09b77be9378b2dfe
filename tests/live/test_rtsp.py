"""A live run on an RTSP camera, GStreamer's server on 127.0.0.1: frames, a stall, a camera that goes away."""

from __future__ import annotations

import threading

import pytest

from reelwise.errors import StreamError
from reelwise.live import Adaptive, Limits
from reelwise.live.run import LiveRun
from reelwise.live.sources import StreamSource
from reelwise.scan.feeds import Camera
from reelwise.video.writer import write_mp4

from .conftest import Counting, blob, rising


@pytest.fixture(scope="module")
def camera(rtsp, tmp_path_factory):
    """Start a camera: a context manager that gives its address and a function that tells it what to do."""
    import cv2

    def planes():
        for index in range(400):
            packed = cv2.cvtColor(blob(index, height=96, width=160), cv2.COLOR_RGB2YUV_I420)
            yield packed[:96], packed[96:120].reshape(48, 80), packed[120:].reshape(48, 80)

    clip = tmp_path_factory.mktemp("rtsp") / "a.mp4"
    write_mp4(clip, planes(), width=160, height=96, fps=20, gop_seconds=0.5)
    return lambda *options: rtsp(clip, *options)


def ran(feed, model, *, seconds=3.0, then=None, hear=None):
    """Run; `then` is called a second after the first mask, `hear` with the run and each thing that it says."""
    adaptive = Adaptive(model, carrier=rising(0.2), limits=Limits(wait_seconds=0.05))
    said = []

    def tell(told):
        said.append(told.text)
        if told.what == "first" and then is not None:
            threading.Timer(1.0, then).start()
        if hear is not None:
            hear(run, told.text)

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
    assert 5 <= receipt.frames + receipt.dropped <= 120  # 60 are sent, and what was sent before waits
    assert 1 < receipt.inferences == model.calls <= receipt.frames
    assert receipt.frames_blank < receipt.frames
    assert report.ended == "3 s are over"


def test_a_camera_that_stalls_gets_no_calls_until_it_is_opened_again(camera, until):
    model, counts, ending = Counting(), [], []
    stalls = threading.Event()

    def hear(run, text):
        if "no picture comes" in text and stalls.is_set() and not counts:
            counts.append(model.calls)
        if "nothing came for 4 s" in text and not ending:
            counts.append(model.calls)
            ending.append(threading.Thread(target=lambda: (until(lambda: model.calls > counts[1]), run.stop("enough"))))
            ending[0].start()

    with camera() as (address, say):
        run, report, _ = ran(
            Camera(address, timeout_seconds=4),
            model,
            seconds=90.0,
            then=lambda: (stalls.set(), say("stall")),
            hear=hear,
        )
    for one in ending:
        one.join()
    assert run.error is None
    assert report.ended == "enough"
    assert counts[0] == counts[1] >= 1
    assert model.calls > counts[1]
    assert report.source_stalls >= 1
    assert report.receipt.stalls >= 1


def test_a_camera_that_goes_away_is_an_error_at_the_end(camera):
    model = Counting()
    with camera() as (address, say):
        run, report, said = ran(Camera(address, tries=1), model, seconds=90.0, then=lambda: say("quit"))
    assert isinstance(run.error, StreamError)
    assert report.receipt.frames > 5
    assert any("went away" in one for one in said)
    assert report.reconnects >= 1
