"""Live scans of files that grow, and of packets that are handed in: events as they come, bounded memory, bad streams."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest

from reelwise.errors import InputError, MediaError
from reelwise.scan.feeds import Camera, GrowingFile
from reelwise.scan.groups import Groups, Held
from reelwise.scan.levels import Levels
from reelwise.scan.live import LiveScan, Notice
from reelwise.scan.packets import BETWEEN, KEY, PREDICTED
from reelwise.scan.pump import Coded, Ended, Opened, Pump
from reelwise.scan.timeline import Timeline

EVENTS = ((20.0, 23.0), (41.0, 45.0), (70.0, 73.0))


def live(path, *, idle=0.3, **settings):
    scan = LiveScan(GrowingFile(path, idle_seconds=idle), **settings)
    items = list(scan.run())
    changes = [one for one in items if not isinstance(one, Notice)]
    # every start has its stop, in order
    assert [one.what for one in changes] == ["start", "stop"] * (len(changes) // 2)
    return scan, scan.receipt(), items


def spans(receipt):
    return [(one.start_seconds, one.stop_seconds) for one in receipt.events]


def hits(receipt, events=EVENTS, slack=0.5):
    found = spans(receipt)
    assert len(found) == len(events), found
    for (start, stop), (a, b) in zip(found, events, strict=True):
        assert (start, stop) == (pytest.approx(a, abs=slack), pytest.approx(b, abs=slack)), found


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("live50.mkv", {"gop": 50}),
        ("live-nob.ts", {"gop": 50, "options": {"x264-params": "bframes=0"}}),
        ("live-hevc.mkv", {"codec": "libx265", "gop": 50}),
    ],
)
def test_a_clean_stream_is_judged_by_its_packets_after_the_warm_up(long_clips, name, settings):
    scan, receipt, items = live(long_clips(name, **settings), warm_up_seconds=28)
    assert scan.error is None
    hits(receipt)
    assert receipt.method == "packets", receipt.why
    assert receipt.stretches[0].method == "luma"
    assert "learning" in receipt.stretches[0].why
    assert receipt.events[-1].by == ("packets",)
    assert receipt.frames == 1050
    assert receipt.frames_decoded_share < 0.75
    assert {"read", "packets", "luma"} <= {one.signal for one in receipt.signals}
    assert sum(one.frames_decoded for one in receipt.signals) == pytest.approx(
        receipt.frames_decoded_share * receipt.frames, abs=12
    )
    assert "did not grow" in receipt.ended
    assert any(isinstance(one, Notice) and "method: packets, because" in one.text for one in items)


def test_a_noisy_stream_falls_back_and_says_why(long_clips):
    clip = long_clips("live-noise.mkv", gop=20, noise=6.0, options={"preset": "ultrafast"})
    _, receipt, _ = live(clip, warm_up_seconds=15)
    assert receipt.method in {"keyframes", "luma"}
    assert "noise" in receipt.why
    hits(receipt)


@pytest.mark.parametrize("method", ["packets", "keyframes", "luma"])
def test_every_method_can_be_asked_for(long_clips, method):
    _, receipt, _ = live(long_clips("live15.mkv", gop=15), method=method)
    assert (receipt.method, receipt.why) == (method, "asked for")
    hits(receipt)
    assert {one.by for one in receipt.events} == {(method,)}
    assert (receipt.frames_decoded_share == 1.0) == (method == "luma")


@pytest.mark.parametrize("codec", ["mjpeg"])
def test_a_codec_without_prediction(tmp_path, encode, codec):
    _, receipt, _ = live(encode(tmp_path / "a.mkv", 14, codec=codec, events=((6.0, 9.0),)), warm_up_seconds=3)
    hits(receipt, ((6.0, 9.0),))


@pytest.mark.parametrize(
    "scene", [{"light": lambda t: 1.0 + 0.15 * (t > 7)}, {"noise": 4.0}, {"shake": 2}], ids=["step", "noise", "shake"]
)
def test_what_is_no_event(tmp_path, encode, scene):
    _, receipt, _ = live(encode(tmp_path / "a.mkv", 15, gop=20, **scene), warm_up_seconds=5)
    assert receipt.events == ()


def test_a_file_is_read_while_it_is_written(tmp_path, encode, until):
    data = encode(tmp_path / "whole.ts", 12, gop=10, container="mpegts", events=((4.0, 7.0),)).read_bytes()
    growing = tmp_path / "growing.ts"
    growing.write_bytes(data[: len(data) // 6])

    def write():
        with growing.open("ab") as out:
            for at in range(len(data) // 6, len(data), len(data) // 12):
                time.sleep(0.1)
                out.write(data[at : at + len(data) // 12])
                out.flush()
        until(lambda: scan.receipt().seconds > 11.6)
        scan.stop()

    scan = LiveScan(GrowingFile(growing, idle_seconds=120), warm_up_seconds=2)
    writer = threading.Thread(target=write)
    writer.start()
    list(scan.run())
    writer.join()
    receipt = scan.receipt()
    assert scan.error is None
    assert receipt.seconds == pytest.approx(12.0, abs=0.3)
    hits(receipt, ((4.0, 7.0),))


def test_a_file_that_stops_growing_in_the_middle_of_a_group(tmp_path, encode):
    data = encode(tmp_path / "whole.mkv", 12, gop=40, events=((2.0, 4.0), (6.0, 12.0))).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) * 7 // 10])
    began = time.monotonic()
    _, receipt, _ = live(cut)
    assert time.monotonic() - began < 60
    found = spans(receipt)
    assert found[0] == (pytest.approx(2.0, abs=0.5), pytest.approx(4.0, abs=0.5))
    assert all(stop <= receipt.seconds + 0.2 for _, stop in found)  # an event under way ends where the stream does


def test_a_file_that_is_cut_while_it_is_read(tmp_path, encode):
    clip = encode(tmp_path / "a.ts", 4, gop=10, container="mpegts")
    scan = LiveScan(GrowingFile(clip, idle_seconds=120))
    began = time.monotonic()
    for _ in scan.run():  # the first thing it says is that it reads
        clip.write_bytes(b"")
    assert time.monotonic() - began < 60
    assert "cut or replaced" in scan.receipt().ended


def test_an_mp4_whose_index_comes_last(tmp_path, encode):
    clip = encode(tmp_path / "a.mp4", 3)
    for data in (clip.read_bytes(), clip.read_bytes()[:-4000]):
        clip.write_bytes(data)
        scan, receipt, _ = live(clip)
        assert isinstance(scan.error, MediaError)
        assert "index" in scan.error.message
        assert "MKV" in scan.error.hint
        assert receipt.frames == 0


def test_a_fragmented_mp4_is_read(tmp_path, encode):
    source = encode(tmp_path / "a.mkv", 12, gop=10, events=((4.0, 7.0),))
    with (
        av.open(str(source)) as inside,
        av.open(str(tmp_path / "b.mp4"), "w", options={"movflags": "frag_keyframe+empty_moov"}) as out,
    ):
        stream = out.add_stream_from_template(inside.streams.video[0])
        for packet in inside.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    _, receipt, _ = live(tmp_path / "b.mp4", warm_up_seconds=2)
    hits(receipt, ((4.0, 7.0),))


def test_what_is_no_video(tmp_path):
    for name, data in (("a.mp4", b""), ("b.mkv", b"no video" * 999), ("c.ts", b"\x47" + b"\xff" * 187)):
        (tmp_path / name).write_bytes(data)
        scan, receipt, _ = live(tmp_path / name)
        assert scan.error is not None, name
        assert scan.error.exit_code in {2, 4}
        assert receipt.frames == 0
    with pytest.raises(MediaError, match="no such file"):
        GrowingFile(tmp_path / "none.ts")
    with pytest.raises(MediaError, match="not a regular file"):
        GrowingFile(tmp_path)


def test_a_size_that_changes(tmp_path, encode):
    parts = [encode(tmp_path / "a.ts", 5, container="mpegts", gop=10),
             encode(tmp_path / "b.ts", 5, container="mpegts", gop=10, width=192, height=128)]  # fmt: skip
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    _, receipt, _ = live(both)
    assert receipt.frames == 100
    assert any("size of the picture changed 1 times" in one for one in receipt.notes)


def test_a_clock_that_restarts(tmp_path, encode):
    part = encode(tmp_path / "a.ts", 6, container="mpegts", gop=10, events=((2.0, 4.0),)).read_bytes()
    both = tmp_path / "both.ts"
    both.write_bytes(part + part)
    _, receipt, _ = live(both)
    assert receipt.clock_restarts == 1
    assert receipt.seconds == pytest.approx(12.0, abs=0.5)
    hits(receipt, ((2.0, 4.0), (8.0, 10.0)))


def test_lost_packets(tmp_path, encode):
    data = encode(tmp_path / "a.ts", 12, container="mpegts", gop=10, events=((4.0, 7.0),)).read_bytes()
    dice = np.random.default_rng(3)
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    lossy = tmp_path / "lossy.ts"
    lossy.write_bytes(b"".join(one for index, one in enumerate(packets) if index < 8 or dice.random() > 0.03))
    _, receipt, _ = live(lossy)
    assert receipt.frames_lost + receipt.frames_broken > 0
    assert any(start < 7.0 and stop > 4.0 for start, stop in spans(receipt))


def test_settings_that_do_not_exist(tmp_path, encode):
    clip = encode(tmp_path / "a.mkv", 1)
    for wrong in ({"method": "magic"}, {"warm_up_seconds": -1}, {"for_seconds": 0.0}, {"require_trigger": True}):
        with pytest.raises(InputError):
            LiveScan(GrowingFile(clip), **wrong)
    for address in ("http://camera/x", "rtsp://", "rtsp://camera:port/x"):
        with pytest.raises(InputError):
            Camera(address)
    for wrong in ({"transport": "smoke"}, {"timeout_seconds": 0.0}, {"tries": -1}):
        with pytest.raises(InputError):
            Camera("rtsp://127.0.0.1/x", **wrong)
    assert "secret" not in Camera("rtsp://me:secret@127.0.0.1:5/x").shown


class Replay:
    """Hands in a clip's packets over and over, as a stream that goes on for hours."""

    def __init__(self, clip, times):
        self.cpu_seconds, self.dropped, self.bytes_held_most = 0.0, 0, 0
        self.clip, self.times = clip, times
        self.watched = []

    def start(self):
        pass

    def close(self):
        pass

    def items(self):
        with av.open(str(self.clip)) as container:
            video = container.streams.video[0]
            context = video.codec_context
            rows = [(one.pts, one.is_keyframe, bytes(one)) for one in container.demux(video) if one.size]
            tick = video.time_base
            length = round(len(rows) / 10 / tick)
            yield Opened(context.name, bytes(context.extradata or b""), context.width, context.height, 0.1, False)
            for turn in range(self.times):
                for index, (pts, key, data) in enumerate(rows):
                    packet = av.Packet(data)
                    packet.pts, packet.time_base = pts + turn * length, tick
                    packet.is_keyframe = key
                    stamp = float(packet.pts * tick)
                    yield Coded(stamp, len(data), key, False, 1e9 + turn * 60 + index / 10, packet)
                self.watched.append(tracemalloc.get_traced_memory()[0])
        yield Ended("over", None)


def test_memory_does_not_grow_with_the_stream(tmp_path, encode):
    clip = encode(tmp_path / "a.mkv", 60, gop=25, events=((20.0, 23.0), (41.0, 44.0)), width=160, height=96)
    scan = LiveScan(GrowingFile(clip), warm_up_seconds=10)
    replay = Replay(clip, 20)
    scan._pump = replay
    tracemalloc.start()
    try:
        for _ in scan.run():
            pass
    finally:
        tracemalloc.stop()
    receipt = scan.receipt()
    assert receipt.frames == 12_000
    assert receipt.events_count == pytest.approx(40, abs=4)
    assert receipt.buffer_packets <= 100
    assert receipt.clock_restarts == 0
    # ten minutes fill the levels; what comes after that adds events to the list of the last thousand
    assert max(replay.watched[-4:]) - max(replay.watched[11:15]) < 300_000
    assert scan._eye.levels.held < 7_000
    assert scan._joiner.held < 40
    assert receipt.frames_decoded_share < 0.5


def test_a_camera_that_is_too_fast_loses_packets_up_to_the_next_key_frame(tmp_path, encode):
    clip = encode(tmp_path / "a.mkv", 1)

    class Camera(GrowingFile):
        lossy = True

    pump = Pump(Camera(clip))
    for index in range(10_000):
        pump._put(Coded(index / 10, 1_000, index % 50 == 0, False, 0.0, None))
    assert len(pump._items) <= 3_000
    assert pump.dropped == 10_000 - len(pump._items)
    for _ in range(100):
        pump._items.popleft()
    pump._bytes -= 100_000
    pump._put(Coded(2_000.0, 1_000, False, False, 0.0, None))
    assert pump.dropped == 7_001  # no key frame yet
    pump._put(Coded(2_000.1, 1_000, True, False, 0.0, None))
    assert pump._items[-1].stamp == 2_000.1
    assert pump.bytes_held_most <= 3_000_000


def test_groups_are_bounded_in_count_and_bytes():
    groups = Groups(packets=100, size=50_000)
    for index in range(5_000):
        groups.add(Held(index / 10, 0.0, PREDICTED, index == 0 or index % 700 == 0, 300, None))
        assert groups.packets_most <= 101
    for index in range(500):
        groups.add(Held(600 + index / 10, 0.0, KEY, True, 20_000, None))
    assert groups.bytes_most <= 70_000
    assert groups.overflows
    short = Groups()
    for index in range(1_000):
        short.add(Held(index / 10, 0.0, PREDICTED, index % 10 == 0, 100, None))
    assert short.packets_most < 60
    since = short.since(98.4)
    assert since[0].key
    assert since[0].seconds <= 98.4
    assert since[-1].seconds == pytest.approx(99.9)


def test_levels_learn_a_streams_own_normal():
    dice = np.random.default_rng(1)
    levels = Levels()
    scores = []
    for index in range(3_000):
        busy = 2_000 <= index < 2_040
        kind = KEY if index % 100 == 0 else PREDICTED if index % 3 == 0 or busy else BETWEEN
        size = int({KEY: 30_000, PREDICTED: 900, BETWEEN: 120}[kind] * np.exp(dice.normal(0, 0.2)) * (6 if busy else 1))
        scores.append(levels.add(index / 25, kind, size, learn=not busy))
    quiet = np.array(scores[1_000:1_990])
    assert np.nanquantile(quiet, 0.8) < levels.limit
    assert max(scores[2_005:2_040]) > 2 * levels.limit
    assert math.isnan(scores[0])
    separable, why = levels.judge((1280, 720))
    assert separable, why
    for size in ((64, 36), (32, 32)):
        separable, why = levels.judge(size)
        assert not separable
        assert "noise" in why
    before = levels.limit
    for _ in range(30):
        levels.verified(5.0, moved=False)
    assert before < levels.limit <= 8.0


def test_the_timeline_counts_what_is_missing():
    clock = Timeline()
    clock.renew(0.04)
    for index in range(1_000):
        if index % 50 != 7 or index < 100:
            clock.read(5_000 + index * 0.04, 1e9 + index * 0.04)
    assert clock.lost == pytest.approx(17, abs=2)
    assert clock.gaps == 0
    clock.read(5_050.0, 1e9 + 50.0)
    assert (clock.gaps, clock.restarts) == (1, 0)
    seconds, mended = clock.read(3.0, 1e9 + 50.04)
    assert mended
    assert seconds == pytest.approx(50.04, abs=0.01)
    clock.renew(0.04)
    seconds, mended = clock.read(77.0, 1e9 + 60.04)  # opened again after ten seconds
    assert mended
    assert seconds == pytest.approx(60.04, abs=0.1)
    assert clock.at_wall(1e9 + 61.0) == pytest.approx(61.0, abs=0.1)
    for _ in range(3):
        seconds, _ = clock.read(None, 1e9 + 61)
    assert seconds == pytest.approx(60.16, abs=0.1)


@pytest.fixture
def command(started):
    """Start `reelwise scan` with arguments."""
    return lambda *arguments: started(
        [sys.executable, "-m", "reelwise", "scan", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_live_scan_with_its_receipt(tmp_path, encode, number, command):
    clip = encode(tmp_path / "a.mkv", 12, gop=10, events=((4.0, 7.0),))
    with command(clip, "--follow", "--idle", "60", "--warm-up", "3", "--json") as process:
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(number)
        rest, errors = process.communicate(timeout=120)
    lines += [json.loads(one) for one in rest.splitlines()]
    assert process.returncode == 0, errors
    assert {"note", "start", "stop", "receipt"} >= {one["event"] for one in lines}
    assert lines[-1]["event"] == "receipt"
    assert lines[-1]["ended"] == "stopped"


def test_the_command_prints_events_and_the_receipt(tmp_path, encode, command):
    clip = encode(tmp_path / "a.mkv", 12, gop=10, events=((4.0, 7.0),))
    with command(clip, "--follow", "--for", "4", "--warm-up", "3") as process:
        out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "event 1 starts" in out
    assert "event 1 stops" in out
    assert "ended: 4 s are over" in out


def test_the_command_refuses_what_does_not_go_together(tmp_path, encode):
    from click.testing import CliRunner

    from reelwise.cli.scan import cli

    clip = str(encode(tmp_path / "a.mkv", 1))
    for arguments in (
        [clip, "--for", "3"], [clip, "--webhook", "127.0.0.1:0"], [clip, clip, "--follow"], [clip, "rtsp://127.0.0.1/x"],
        [clip, "--follow", "--pad", "1"], [clip, "--require-trigger"], [clip, "--follow", "--webhook", "nowhere"],
        [clip, "--follow", "--webhook", "0.0.0.0:0"],
    ):  # fmt: skip
        result = CliRunner().invoke(cli, arguments)
        assert isinstance(result.exception, InputError), arguments
    assert Path(clip).exists()
