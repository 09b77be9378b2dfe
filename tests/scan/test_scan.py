"""The cascade on clips whose events are known."""

from __future__ import annotations

import av
import numpy as np
import pytest

from reelwise.errors import InputError, MediaError
from reelwise.scan import scan

EVENTS = ((20.0, 23.0), (41.0, 45.0), (70.0, 73.0))


def hits(found, slack):
    """Each true event is found once, its start and stop within `slack` seconds, and nothing else is found."""
    spans = [(one.start_seconds, one.stop_seconds) for one in found.events]
    assert len(spans) == len(EVENTS), spans
    for (start, stop), (a, b) in zip(spans, EVENTS, strict=True):
        assert abs(start - a) <= slack, spans
        assert abs(stop - b) <= slack, spans


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("g50.mp4", {"gop": 50}),
        ("g250.mkv", {"gop": 250}),
        ("hevc.mp4", {"codec": "libx265", "gop": 50}),
        ("nob.ts", {"gop": 50, "options": {"x264-params": "bframes=0"}}),
    ],
)
def test_a_clean_stream_is_judged_by_its_packets(long_clips, name, settings):
    clip = long_clips(name, **settings)
    exact = scan(clip)
    assert exact.method == "packets", exact.why
    assert exact.separable
    hits(exact, 0.5)
    assert exact.frames_decoded_share < 0.75
    assert {"packets", "luma"} <= {one.signal for one in exact.signals}
    coarse = scan(clip, mode="coarse")
    assert coarse.method == "packets"
    assert coarse.frames_decoded_share < 0.05
    assert all(any(one.start_seconds < b and one.stop_seconds > a for one in coarse.events) for a, b in EVENTS), (
        coarse.events
    )
    assert coarse.kept_share < 0.25


def test_a_noisy_stream_falls_back_and_says_why(long_clips):
    found = scan(long_clips("noise.mp4", gop=20, noise=6.0, options={"preset": "ultrafast"}))
    assert not found.separable
    assert found.method in {"keyframes", "luma"}
    assert "noise" in found.why
    hits(found, 0.5)


def test_a_constant_rate_falls_back(long_clips):
    rate = {
        "b": "400k",
        "preset": "ultrafast",
        "x264-params": "nal-hrd=cbr:vbv-maxrate=400:vbv-bufsize=200:bframes=0:scenecut=0",
    }
    found = scan(long_clips("cbr.mp4", gop=40, noise=3.0, options=rate))
    assert found.method in {"keyframes", "luma"}
    assert not found.separable
    hits(found, 0.5)


@pytest.mark.parametrize(("codec", "name"), [("mjpeg", "a.avi"), ("prores_ks", "a.mov")])
def test_codecs_without_prediction_are_judged_by_key_frames(tmp_path, encode, codec, name):
    clip = encode(tmp_path / name, 12, codec=codec, events=((4.0, 7.0),))
    found = scan(clip)
    assert found.method == "keyframes"
    assert "every picture is a key frame" in found.why
    assert len(found.events) == 1
    assert found.events[0].start_seconds == pytest.approx(4.0, abs=0.5)
    assert found.events[0].stop_seconds == pytest.approx(7.0, abs=0.5)
    assert found.frames_decoded_share < 1.0


def test_one_key_frame_only(tmp_path, encode):
    clip = encode(tmp_path / "a.mp4", 14, gop=10_000, events=((5.0, 8.0),), options={"x264-params": "scenecut=0"})
    found = scan(clip)
    assert found.method == "luma"
    assert found.bound_seconds == pytest.approx(14.0, abs=0.3)
    assert found.events[0].start_seconds == pytest.approx(5.0, abs=0.5)
    assert found.events[0].stop_seconds == pytest.approx(8.0, abs=0.5)


@pytest.mark.parametrize("method", ["auto", "packets", "keyframes", "luma"])
@pytest.mark.parametrize("mode", ["coarse", "exact"])
def test_every_method_can_be_asked_for(long_clips, mode, method):
    found = scan(long_clips("g50.mp4", gop=50), mode=mode, method=method)
    assert method in {found.method, "auto"}
    assert all(0 <= one.start_seconds < one.stop_seconds <= found.seconds for one in found.events)
    if mode == "exact" and method != "keyframes":
        hits(found, 0.5)


def test_padding(long_clips):
    clip = long_clips("g50.mp4", gop=50)
    bare, padded = scan(clip), scan(clip, pad_seconds=1.0)
    assert padded.events[0].start_seconds == pytest.approx(bare.events[0].start_seconds - 1.0)
    assert padded.events[0].stop_seconds == pytest.approx(bare.events[0].stop_seconds + 1.0)


def test_settings_that_do_not_exist(tmp_path):
    for wrong in ({"mode": "both"}, {"method": "magic"}, {"pad_seconds": -1}):
        with pytest.raises(InputError):
            scan(tmp_path / "none.mp4", **wrong)
    with pytest.raises(MediaError):
        scan(tmp_path / "none.mp4")


@pytest.mark.parametrize(
    "scene",
    [
        {"light": lambda t: 1.0 + 0.15 * (t > 7)},
        {"light": lambda t: 1.0 + 0.02 * t},
        {"noise": 4.0},
        {"clock": True},
        {"shake": 2},
        {"shake": 6},
    ],
    ids=["step", "ramp", "noise", "clock", "tremble", "shake"],
)
@pytest.mark.parametrize("gop", [10, 100])
def test_what_is_no_event(tmp_path, encode, scene, gop):
    found = scan(encode(tmp_path / "a.mp4", 15, gop=gop, **scene))
    assert found.events == ()


def test_an_event_is_seen_beside_a_clock(tmp_path, encode):
    found = scan(encode(tmp_path / "a.mp4", 20, gop=10, clock=True, events=((8.0, 12.0),)))
    assert [(round(one.start_seconds), round(one.stop_seconds)) for one in found.events] == [(8, 12)]


def test_events_that_packets_hide_in_a_drawn_minute_are_found(tmp_path):
    from reelwise.video import draw_demo

    clip = tmp_path / "bay.mp4"  # clouds and dusk change every packet a little; a cat, cars and a person pass
    draw_demo(clip, seconds=64, width=320, height=180, fps=10)
    found = scan(clip)

    assert found.method != "packets"
    assert "too short" in found.why
    assert len(found.events) == 4


def test_one_pair_of_key_frames_cannot_say_alone_that_nothing_happens(encode, tmp_path, monkeypatch):
    def level(packets, **_):
        times = np.sort(packets.times)
        return times, np.full(len(times), 2.0)  # nothing stands out

    monkeypatch.setattr("reelwise.scan.stream.measure_unrest", level)
    found = scan(encode(tmp_path / "clip.mp4", 110, gop=100, events=((40.0, 43.0),)))

    assert "cannot say alone that nothing happens" in found.why
    assert len(found.events) == 1


def test_a_raw_stream_without_any_time_stamp_has_events(long_clips, tmp_path):
    source, target = long_clips("g50.mp4"), tmp_path / "raw.h264"
    with av.open(str(source)) as container, target.open("wb") as out:
        stream = container.streams.video[0]
        to_raw = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            for one in to_raw.filter(packet):
                out.write(bytes(one))
    found = scan(target)

    assert found.method == "luma"
    assert len(found.events) == 3


def test_what_is_joined_with_nothing_keeps_how_it_was_found(long_clips):
    from reelwise.scan.joined import join_triggers

    found = scan(long_clips("g50.mp4"))
    assert [one.found_by for one in join_triggers(found).events] == [one.found_by for one in found.events]
    joined = join_triggers(found, [lambda start, stop: [(1.0, 2.0)]])  # noqa: ARG005
    assert {one.found_by for one in joined.events} == {"", *(one.found_by for one in found.events)}


def test_a_method_that_is_asked_for_and_not_to_be_believed_says_so(drawn_clip):
    found = scan(drawn_clip, method="packets")

    assert found.why == "asked for, though 12 s are too short to learn what is normal"


def test_lost_packets_are_said(long_clips, tmp_path):
    data = long_clips("nob.ts", gop=50, options={"x264-params": "bframes=0"}).read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    broken = tmp_path / "loss.ts"
    broken.write_bytes(b"".join(one for at, one in enumerate(packets) if at < 50 or at % 37))
    found = scan(broken)

    assert any("packets were lost" in note for note in found.notes)
