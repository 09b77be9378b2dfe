"""Triggers joined with what pictures say: spans, callbacks, sound; on files and while a stream runs."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import av
import numpy as np
import pytest

from reelwise.errors import InputError, MissingExtraError
from reelwise.scan import scan
from reelwise.scan.ears import Loud, Speech, ear
from reelwise.scan.feeds import GrowingFile
from reelwise.scan.joined import join_triggers
from reelwise.scan.live import LiveScan, Notice
from reelwise.scan.pump import SOUND_RATE
from reelwise.scan.sources import Listening
from reelwise.scan.triggers import Joiner, combine, spans_of

inf = math.inf


def test_union_and_intersection():
    sources = {"packets": [(1.0, 3.0), (10.0, 12.0)], "sound": [(2.0, 5.0), (20.0, 21.0)], "door": [(11.0, inf)]}
    assert combine(sources, seen="packets", require=False) == [(1.0, 5.0), (10.0, inf)]
    assert combine(sources, seen="packets", require=True) == [(2.0, 3.0), (11.0, 12.0)]
    assert combine({"packets": [(1.0, 2.0)]}, seen="packets", require=True) == []
    assert combine({"packets": [(1.0, 2.0), (2.3, 3.0)]}, seen="packets", require=False, gap=0.0) == [
        (1.0, 2.0),
        (2.3, 3.0),
    ]


def test_a_callback_is_asked_and_checked():
    assert spans_of(lambda start, stop: [(stop - 1, stop + 5), (start - 3, start + 1)], 10.0, 20.0) == [
        (10.0, 11.0),
        (19.0, 20.0),
    ]
    for answer in (3, ["ab"], [(1,)], [(1.0, None)], [(float("nan"), "x")]):
        with pytest.raises(InputError, match="pairs of seconds"):
            spans_of(lambda *_: answer, 0.0, 9.0)  # noqa: B023
    with pytest.raises(InputError, match="pairs of seconds"):
        spans_of(lambda *_: ((0.0, 1.0) for _ in range(10**7)), 0.0, 9.0)


def drive(joiner, script, until, step=0.25):
    """Tell spans at their moments and return what the joiner said, with when it did."""
    said = []
    now = 0.0
    script = sorted(script)
    while now <= until:
        while script and script[0][0] <= now:
            at, name, start, stop = script.pop(0)
            joiner.tell(name, start, stop, at)
        said += [(now, one) for one in joiner.update(now)]
        now += step
    return said + [(now, one) for one in joiner.finish(now)]


def told(said):
    return [(one.start_seconds, one.stop_seconds, one.by) for _, one in said if one.what == "stop"]


def test_joining_while_time_goes_on():
    said = drive(
        Joiner(seen="pictures"),
        [(2.0, "pictures", 1.0, inf), (2.5, "sound", 2.0, inf), (4.0, "pictures", 1.0, 3.0), (6.0, "sound", 2.0, 5.0),
         (10.0, "door", 9.0, 9.5)], 15.0,
    )  # fmt: skip
    assert told(said) == [(1.0, 5.0, ("pictures", "sound")), (9.0, 9.5, ("door",))]
    assert [one.what for _, one in said] == ["start", "stop", "start", "stop"]
    assert said[0][0] == 2.0
    assert [one.number for _, one in said] == [1, 1, 2, 2]


def test_requiring_a_trigger_while_time_goes_on():
    said = drive(
        Joiner(seen="pictures", require=True),
        [(2.0, "pictures", 1.0, inf), (4.0, "sound", 3.0, inf), (5.0, "pictures", 1.0, 4.5), (7.0, "sound", 3.0, 6.0),
         (9.0, "pictures", 8.0, 9.0), (12.0, "sound", 11.5, 12.0)], 15.0,
    )  # fmt: skip
    assert told(said) == [(3.0, 4.5, ("pictures", "sound"))]


def test_what_is_told_late_becomes_an_event_of_its_own_and_what_is_too_late_is_counted():
    joiner = Joiner(seen="pictures")
    said = drive(
        joiner,
        [(3.0, "pictures", 1.0, 2.0), (20.0, "door", 10.0, 12.0), (21.0, "pictures", 20.5, inf), (22.0, "door", 15.0, 16.0),
         (24.0, "pictures", 20.5, 23.0), (200.0, "door", 30.0, 31.0), (201.0, "door", 1.5, 1.9)], 205.0,
    )  # fmt: skip
    assert [one[:2] for one in told(said)] == [(1.0, 2.0), (10.0, 12.0), (15.0, 16.0), (20.5, 23.0)]
    assert joiner.late == 2


def test_what_is_under_way_stops_with_the_stream():
    said = drive(Joiner(seen="pictures"), [(2.0, "pictures", 1.0, inf)], 4.0)
    assert told(said) == [(1.0, 4.25, ("pictures",))]


def test_a_joiner_is_bounded():
    joiner = Joiner(seen="pictures")
    for index in range(3_000):
        now = index * 0.5
        joiner.tell("door", now, now + 0.1, now)
        joiner.tell("pictures", now, now + 0.2, now)
        joiner.update(now + 0.4)
        assert joiner.held < 1_000


def tone(seconds, *, loud=(), noise=0.002, hertz=440.0, seed=1):
    """Draw sound: int16, noise all the time and a tone in some spans."""
    count = int(seconds * SOUND_RATE)
    moments = np.arange(count) / SOUND_RATE
    samples = np.random.default_rng(seed).normal(0, noise, count)
    for start, stop in loud:
        on = (moments >= start) & (moments < stop)
        samples[on] += 0.2 * np.sin(2 * np.pi * hertz * moments[on])
    return np.clip(samples * 32767, -32768, 32767).astype(np.int16)


def voice(seconds, spans, seed=2):
    """Draw something like speech: glottal pulses through three formants, syllables four times a second."""
    count = int(seconds * SOUND_RATE)
    moments = np.arange(count) / SOUND_RATE
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * moments)
    pulses = (np.diff(np.floor(np.cumsum(pitch) / SOUND_RATE), prepend=0) > 0).astype(float)
    ring = np.arange(int(0.03 * SOUND_RATE)) / SOUND_RATE
    sound = sum(
        np.convolve(pulses, weight * np.exp(-ring * width * np.pi) * np.sin(2 * np.pi * hertz * ring))[:count]
        for hertz, width, weight in ((650, 80, 1.0), (1_250, 100, 0.6), (2_500, 140, 0.3))
    )
    sound *= 0.55 + 0.45 * np.sin(2 * np.pi * 4 * moments)
    on = np.zeros(count, bool)
    for start, stop in spans:
        on |= (moments >= start) & (moments < stop)
    noise = np.random.default_rng(seed).normal(0, 0.001, count)
    return (np.clip(np.where(on, 0.25 * sound, 0.0) + noise, -1, 1) * 32767).astype(np.int16)


def heard(ear_, samples, *, block=1_600, begin=0.0):
    found = {}
    for at in range(0, len(samples), block):
        found.update(ear_.hear(begin + at / SOUND_RATE if at % (5 * block) == 0 else None, samples[at : at + block]))
    return sorted(found.items())


def test_sound_is_heard_above_the_noise_floor():
    found = heard(Loud(), tone(20, loud=((5.0, 6.5), (12.0, 12.1), (15.0, 16.0))))
    assert found == [
        (pytest.approx(5.0, abs=0.15), pytest.approx(6.5, abs=0.15)),
        (pytest.approx(15.0, abs=0.15), pytest.approx(16.0, abs=0.15)),
    ]
    assert heard(Loud(), tone(20, noise=0.2)) == []  # loud all the time is the floor
    assert heard(Loud(), np.zeros(20 * SOUND_RATE, np.int16)) == []
    louder = heard(Loud(), np.concatenate([tone(70, noise=0.05), tone(10, noise=0.05, loud=((4.0, 6.0),))]))
    assert louder == [(pytest.approx(74.0, abs=0.2), pytest.approx(76.0, abs=0.2))]


def test_ears_are_bounded_and_survive_a_clock_that_jumps():
    loud = Loud()
    for index in range(2_000):
        loud.hear(index * 0.5 if index % 700 else index * 3.0, np.zeros(8_000, np.int16))
    assert loud.held <= 600
    with pytest.raises(InputError):
        ear("nose")


def test_speech_needs_its_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(MissingExtraError) as caught:
        ear("speech")
    assert "reelwise[sound]" in caught.value.hint


def test_speech_is_told_from_silence_and_noise():
    pytest.importorskip("webrtcvad", reason="webrtcvad is not installed (reelwise[sound])")
    found = heard(Speech(), voice(14, ((4.0, 8.0),)), block=1_000)
    assert found
    assert found[0][0] == pytest.approx(4.0, abs=0.5)
    assert found[-1][1] == pytest.approx(8.0, abs=0.8)
    assert heard(Speech(), np.zeros(6 * SOUND_RATE, np.int16)) == []
    assert heard(Speech(), tone(6, noise=0.003)) == []


@pytest.fixture(scope="module")
def clip(tmp_path_factory, encode):
    """20 s; something moves from 5 to 8 s, and a tone sounds from 7 to 10 and from 14 to 15 s."""
    folder = tmp_path_factory.mktemp("sound")
    silent = encode(folder / "silent.mp4", 20, gop=10, events=((5.0, 8.0),))
    samples = tone(20, loud=((7.0, 10.0), (14.0, 15.0)))
    path = folder / "sound.mkv"
    with av.open(str(silent)) as inside, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(inside.streams.video[0])
        audio = out.add_stream("pcm_s16le", rate=SOUND_RATE, layout="mono")
        packets = []
        for at in range(0, len(samples), 1_600):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 1_600], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, at, Fraction(1, SOUND_RATE)
            packets += audio.encode(frame)
        packets += audio.encode(None)
        for packet in inside.demux(video=0):
            if packet.size:
                packet.stream = video
                packets.append(packet)
        out.mux(sorted(packets, key=lambda one: float((one.dts if one.dts is not None else one.pts) * one.time_base)))
    return path


def near(events, expected):
    found = [(one.start_seconds, one.stop_seconds, one.by) for one in events]
    assert len(found) == len(expected), found
    for (start, stop, by), (a, b, names) in zip(found, expected, strict=True):
        assert (start, stop) == (pytest.approx(a, abs=0.4), pytest.approx(b, abs=0.4)), found
        assert by == names


def test_a_file_is_joined_with_its_sound(clip):
    bare = scan(clip)
    found = join_triggers(bare, ears=[Loud()])
    near(found.events, [(5.0, 10.0, (bare.method, "sound")), (14.0, 15.0, ("sound",))])
    assert found.kept_share > bare.kept_share
    assert [one.signal for one in found.signals][-1] == "sound"
    both = join_triggers(bare, ears=[Loud()], require_trigger=True)
    near(both.events, [(7.0, 8.0, (bare.method, "sound"))])


def test_a_file_is_joined_with_a_callback(clip):
    asked = []

    def door(start, stop):
        asked.append((start, stop))
        return [(6.0, 7.0), (17.0, 99.0)]

    bare = scan(clip)
    found = join_triggers(bare, [door])
    assert asked == [(0.0, bare.seconds)]
    near(found.events, [(5.0, 8.0, (bare.method, "door")), (17.0, 20.0, ("door",))])
    alone = join_triggers(bare)
    assert [(one.start_seconds, one.stop_seconds) for one in alone.events] == [
        (one.start_seconds, one.stop_seconds) for one in bare.events
    ]
    assert all(one.by == (bare.method,) for one in alone.events)
    with pytest.raises(InputError, match="requires a trigger"):
        join_triggers(bare, require_trigger=True)


def live(clip, **settings):
    pump = LiveScan(GrowingFile(clip, idle_seconds=0.3), warm_up_seconds=3, **settings)
    items = list(pump.run())
    assert pump.error is None
    return pump.receipt(), [one.text for one in items if isinstance(one, Notice)]


@pytest.mark.parametrize("require", [False, True])
def test_a_stream_is_joined_with_its_sound(clip, require):
    receipt, _ = live(clip, listening=Listening(ears=[Loud()]), require_trigger=require)
    names = (receipt.events[0].by[0], "sound")
    assert names[0] in {"luma", "keyframes", "packets"}
    near(receipt.events, [(7.0, 8.0, names)] if require else [(5.0, 10.0, names), (14.0, 15.0, ("sound",))])
    assert "sound" in {one.signal for one in receipt.signals}


def test_a_stream_is_joined_with_a_callback(clip):
    def door(start, stop):
        return [(a, min(b, stop)) for a, b in ((6.0, 7.0), (12.0, 17.0)) if a < stop and b > start]

    receipt, _ = live(clip, listening=Listening([door]))
    near(receipt.events, [(5.0, 8.0, (receipt.events[0].by[0], "door")), (12.0, 17.0, ("door",))])


def test_a_stream_without_sound_says_so(tmp_path, encode):
    _, notes = live(encode(tmp_path / "a.mkv", 3, gop=10), listening=Listening(ears=[Loud()]))
    assert any("no sound" in one for one in notes)


def test_the_command_joins_sound(clip):
    from click.testing import CliRunner

    from reelwise.cli.scan import cli

    result = CliRunner().invoke(cli, [str(clip), "--json", "--sound", "energy"])
    assert result.exit_code == 0, result.exception
    events = json.loads(result.stdout)["events"]
    assert [one["by"][-1] for one in events] == ["sound", "sound"]
