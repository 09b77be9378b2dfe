"""A run from a source to outputs: ends, stops, losses, and what it answers."""

from __future__ import annotations

import threading
import time as system_time

import numpy as np
import pytest

from reelwise.errors import InputError, OutputError, StreamError
from reelwise.live import Adaptive, Limits
from reelwise.live.backdrop import Backdrop
from reelwise.live.output import NobodyReadsError
from reelwise.live.reference import Reference
from reelwise.live.report import document
from reelwise.live.run import LiveRun
from reelwise.live.source import Picture, Said
from reelwise.live.webcam import Webcam

from .conftest import Counting, Held, blob, mask_of, rising

FILE = Limits(wait_seconds=None)


class Drawn:
    """A source of drawn frames."""

    def __init__(self, frames=60, *, live=False, pause=0.0, then=None, frame=blob, said=()):
        self.given = 0
        self.shown, self.live, self.fps, self.length_seconds, self.dropped = "drawn", live, 30.0, 0.0, 0
        self.frames, self.pause, self.then, self.frame, self.said = frames, pause, then, frame, dict(said)
        self.stopped, self.closed = False, 0

    def items(self):
        for index in range(self.frames):
            if self.stopped:
                return
            if index in self.said:
                yield Said(self.said[index], lost=True)
            self.given = index + 1
            yield Picture(index / 30, lambda index=index: self.frame(index))
            if self.pause:
                system_time.sleep(self.pause)
        if self.then is not None:
            raise self.then

    def stop(self):
        self.stopped = True

    def close(self):
        self.closed += 1


class Kept:
    """An output that keeps what it is given; it fails at a frame where it is told to."""

    shown = "kept"

    def __init__(self, *, wants_frames=True, fails_at=None, error=None):
        self.wants_frames, self.fails_at, self.error = wants_frames, fails_at, error
        self.frames, self.answers, self.state = [], [], "open"

    def write(self, frame, answer):
        if self.fails_at is not None and len(self.frames) == self.fails_at:
            raise self.error
        self.frames.append(frame)
        self.answers.append(answer)

    def close(self):
        self.state = "closed"

    def abandon(self):
        self.state = "abandoned"


def ran(source, model=None, *, outputs=(), limits=FILE, carrier=None, run=None, **settings):
    adaptive = Adaptive(model or Counting(), limits=limits, carrier=carrier or rising(0.3), **settings)
    one = LiveRun(source, adaptive, outputs=outputs, backdrop=Backdrop(), **(run or {}))
    return one, one.run()


def test_every_frame_is_answered_composed_and_written():
    frames, masks = Kept(), Kept(wants_frames=False)
    source = Drawn()
    told = []
    _, report = ran(source, outputs=[frames, masks], run={"tell": told.append}, usd_per_call="0.001")
    receipt = report.receipt

    assert len(frames.frames) == len(masks.frames) == receipt.frames == 60
    assert frames.state == masks.state == "closed"
    assert source.closed == 1
    assert np.array_equal(masks.frames[5], blob(5))
    assert not np.array_equal(frames.frames[5], blob(5))
    assert report.ended == "the source ended"
    assert told[0].what == "first"
    assert report.first_mask_seconds >= 0
    assert (report.width, report.height) == (128, 72)
    assert report.outputs == ("kept", "kept")
    assert report.compose_ms.mean > 0


def test_the_document_has_the_keys_that_scripts_rely_on():
    model = Counting()
    _, report = ran(Drawn(), model, run={"reference": Reference(mask_of, timeout_seconds=60)}, usd_per_call="0.001")
    found = document(report)
    assert found["frames"] == 60
    assert found["inferences"] == model.calls
    assert found["inference_share"] == pytest.approx(model.calls / 60, abs=1e-5)
    assert found["iou"].keys() == {"mean", "p5", "p1", "min", "frames"}
    assert found["skip_path_ms"].keys() == {"mean", "p50", "p95", "p99"}
    assert found["cost_usd"] == pytest.approx(model.calls / 1000)
    assert found["cost_usd_every_frame"] == pytest.approx(0.06)
    assert found["first_mask_seconds"] == report.first_mask_seconds
    assert "moments" not in found
    assert "shots" not in found


def test_verifying_compares_every_frame_and_costs_nothing():
    reference = Counting()
    model = Counting()
    again = Reference(reference, timeout_seconds=60)
    _, report = ran(Drawn(frame=lambda i: blob(i, speed=2)), model, run={"reference": again}, usd_per_call="0.001")
    iou = report.receipt.iou
    assert iou.frames == reference.calls == 60
    assert report.receipt.inferences == model.calls
    assert 0.3 < iou.min <= iou.p1 <= iou.p5 <= iou.mean < 1.0  # this carrier only reuses masks


def test_a_model_that_fails_now_and_then_is_verified_on_the_other_frames():
    nonsense = np.full((8, 8), np.nan)
    reference = Reference(
        Counting(mask_of, ConnectionError("gone"), nonsense, mask_of, nonsense, mask_of), timeout_seconds=5
    )
    run, report = ran(Drawn(10), run={"reference": reference})
    assert run.error is None
    assert (reference.asked, reference.failed) == (10, 3)
    assert report.receipt.iou.frames == 7
    assert report.receipt.notes == ()


@pytest.mark.parametrize("answer", [ConnectionError("gone"), np.full((8, 8), np.nan), None])
def test_a_model_that_only_fails_is_not_asked_about_every_frame(answer):
    model = Counting(*[answer] * 60)
    _, report = ran(Drawn(60), run={"reference": Reference(model, timeout_seconds=60)})
    assert model.calls == 3
    assert report.receipt.iou is None
    assert report.receipt.frames == 60
    assert any(one.startswith("not verified from 0.1 s on") for one in report.receipt.notes)


def test_a_model_that_hangs_is_waited_for_once():
    model = Held()
    _, report = ran(Drawn(60), run={"reference": Reference(model, timeout_seconds=0.05)})
    model.let.set()
    assert model.calls == 1
    assert report.receipt.frames == 60
    assert "no answer in 0.05 s" in report.receipt.notes[0]


def test_an_async_model_is_verified():
    async def later(frame):
        return mask_of(frame)

    _, report = ran(Drawn(20), run={"reference": Reference(later, timeout_seconds=60)}, mode="max")
    assert report.receipt.iou.min > 0.99


def test_every_frame_in_best_quality_is_as_good_as_the_model():
    _, report = ran(Drawn(), run={"reference": Reference(mask_of, timeout_seconds=60)}, mode="max")
    assert report.receipt.iou.min > 0.99


def test_it_stops_soon_and_outputs_are_whole():
    enough = threading.Event()

    class Ten(Kept):
        def write(self, frame, answer):
            super().write(frame, answer)
            if len(self.frames) == 10:
                enough.set()

    out = Ten()
    source = Drawn(100_000, live=True, pause=0.001)
    adaptive = Adaptive(Counting(), limits=Limits(wait_seconds=0.01), carrier=rising(0.3))
    run = LiveRun(source, adaptive, outputs=[out], backdrop=Backdrop())
    stopping = threading.Thread(target=lambda: (enough.wait(60), run.stop("interrupted")))
    stopping.start()
    report = run.run()
    stopping.join()
    assert source.given < 100_000
    assert report.ended == "interrupted"
    assert out.state == "closed"
    assert report.receipt.frames == len(out.frames) >= 10


def test_it_runs_for_so_long():
    source = Drawn(100_000, live=True, pause=0.001)
    _, report = ran(source, run={"for_seconds": 0.3}, limits=Limits(wait_seconds=0.01))
    assert report.ended == "0.3 s are over"
    assert report.wall_seconds >= 0.3
    assert source.given < 100_000


def test_of_a_file_it_takes_so_much_however_fast_it_is_read():
    _, report = ran(Drawn(10_000), run={"for_seconds": 2.0})
    assert report.ended == "2 s are over"
    assert report.receipt.frames == 60


def test_a_camera_that_is_lost_for_good_is_an_error_after_everything_is_finished():
    out = Kept()
    lost = StreamError("went away and did not come back", where="webcam")
    run, report = ran(Drawn(30, live=True, then=lost, pause=0.002), outputs=[out])
    assert run.error is lost
    assert report.ended == "went away and did not come back"
    assert out.state == "closed"
    assert out.frames


def test_a_webcam_that_is_unplugged_is_said(monkeypatch):
    class Unplugged:
        fps = 30.0

        def __init__(self):
            self.left = 20

        def read(self):
            system_time.sleep(0.003)
            self.left -= 1
            return blob(self.left) if self.left >= 0 else None

        def gone(self):
            return "it was unplugged" if self.left < 0 else ""

        def close(self):
            pass

    from reelwise.live import webcam

    monkeypatch.setattr(webcam, "_BACKOFF_SECONDS", 0.01)
    told = []
    source = Webcam(
        tries=2, open_=lambda _index: Unplugged() if not told else (_ for _ in ()).throw(StreamError("no such camera"))
    )
    run, report = ran(source, run={"tell": told.append})
    assert isinstance(run.error, StreamError)
    assert any("unplugged" in one.text for one in told)
    assert report.reconnects >= 1
    assert any("unplugged" in one for one in report.receipt.notes)


def test_a_source_that_cannot_be_opened_is_an_error_at_once():
    with pytest.raises(StreamError, match="no camera"):
        ran(Drawn(0, then=StreamError("no camera")))


def test_an_output_that_fails_ends_the_run_the_others_are_whole_and_what_was_spent_is_told():
    broken = OutputError("disk full")
    bad, good = Kept(fails_at=5, error=broken), Kept()
    model = Counting()
    run, report = ran(Drawn(1000), model, outputs=[good, bad], usd_per_call="0.5")
    assert run.error is broken
    assert (good.state, bad.state) == ("closed", "abandoned")
    assert report.outputs == ("kept",)
    assert report.ended == "disk full"
    assert report.receipt.cost_usd == 0.5 * model.calls
    assert model.calls < 20


def test_an_output_that_cannot_be_finished_does_not_keep_others_from_it():
    def close():
        raise OutputError("disk full")

    bad, good = Kept(), Kept()
    bad.close = close
    run, report = ran(Drawn(10), outputs=[bad, good])
    assert run.error.message == "disk full"
    assert good.state == "closed"
    assert report.outputs == ("kept",)


def test_nobody_reads_the_output_and_not_one_more_call_is_made():
    model = Counting()
    out = Kept(fails_at=10, error=NobodyReadsError("gone"))
    source = Drawn(10_000)
    _, report = ran(source, model, outputs=[out], mode="max")
    assert model.calls == 11
    assert report.ended == "nobody reads the output any more"
    assert source.closed == 1


def test_another_output_goes_on_when_nobody_reads_one():
    pipe, file = Kept(fails_at=3, error=NobodyReadsError("gone")), Kept()
    _, report = ran(Drawn(20), outputs=[pipe, file])
    assert len(file.frames) == 20
    assert report.ended == "the source ended"


def test_what_the_source_says_is_passed_on():
    told = []
    _, report = ran(Drawn(20, said={7: "the stream went away"}), run={"tell": told.append})
    assert report.reconnects == 1
    assert "the stream went away" in [one.text for one in told]
    assert "the stream went away" in report.receipt.notes


def test_a_stall_is_said_and_nothing_is_sent_meanwhile():
    class Stalling(Drawn):
        def items(self):
            yield Picture(0.0, lambda: blob(0))
            system_time.sleep(1.6)
            yield Picture(1.6, lambda: blob(0))

    told, model = [], Counting()
    _, report = ran(Stalling(live=True), model, run={"tell": told.append}, limits=Limits(wait_seconds=0.5))
    assert report.source_stalls == 1
    assert any("no picture comes" in one.text for one in told)
    assert model.calls <= 2


def test_a_change_of_size_in_the_middle_goes_through(tmp_path):
    from reelwise.live.outputs import VideoFile

    out = VideoFile(tmp_path / "out.mp4", fps=30)
    source = Drawn(30, frame=lambda i: blob(0) if i < 15 else blob(0, height=144, width=256))
    told = []
    _, report = ran(source, outputs=[out], run={"tell": told.append})
    assert "the size of the picture changed to 256x144" in [one.text for one in told]
    assert report.receipt.size_changes == 1
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_black_frames_are_said_once_and_sent_nowhere():
    told, model = [], Counting()
    source = Drawn(40, frame=lambda i: blob(0) * 0 if 10 <= i < 30 else blob(0))
    _, report = ran(source, model, run={"tell": told.append}, mode="max")
    assert [one.text for one in told].count("the picture is black; nothing is sent meanwhile") == 1
    assert report.receipt.frames_black == 20
    assert model.calls == 20


def test_off_uncovers_the_picture_only_for_the_user_who_chose_it():
    out = Kept()
    ran(Drawn(5), outputs=[out], mode="off")
    assert np.array_equal(out.frames[0], blob(0))
    out = Kept()
    ran(Drawn(5), outputs=[out], remote=lambda: "off")
    assert not np.array_equal(out.frames[0], blob(0))  # covered: nobody asked the user


def test_frames_dropped_at_the_source_are_in_the_receipt(until):
    source, slow = Drawn(200, live=True, pause=0.001), Kept()

    def write(_frame, _answer):  # as long as five frames take to come, however fast this machine is
        before = source.given
        until(lambda: source.given >= min(200, before + 5))

    slow.write = write
    _, report = ran(source, outputs=[slow], limits=Limits(wait_seconds=0.0))
    assert report.receipt.dropped > 100
    assert report.receipt.dropped + report.receipt.frames == 200


def test_shots_are_spread_over_the_run():
    _, report = ran(Drawn(100), run={"shots": 6})
    seconds = [one.seconds for one in report.shots]
    assert len(seconds) == 6
    assert seconds[0] == 0.0
    assert seconds[-1] > 2.5
    assert all(one.composed is not None for one in report.shots)


def test_frames_without_a_background():
    adaptive = Adaptive(Counting(), limits=FILE)
    with pytest.raises(InputError, match="without a background"):
        LiveRun(Drawn(), adaptive, outputs=[Kept()])
    adaptive.close()
