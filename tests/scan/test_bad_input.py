"""Streams that break off, change size, restart their clock or lose packets: an answer with the method named, or a clear error."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from reelwise.errors import MediaError
from reelwise.scan import scan
from reelwise.scan.source import Source


def answered(found):
    assert found.method in {"packets", "keyframes", "luma"}
    assert found.why
    assert all(0 <= one.start_seconds < one.stop_seconds <= found.seconds + 0.01 for one in found.events)


def test_what_is_no_video(tmp_path):
    for name, data, word in (
        ("a.mp4", b"", "is empty"),
        ("b.mp4", b"no video" * 999, "cannot be read|no video|is text"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match=word) as caught:
            scan(tmp_path / name)
        assert caught.value.hint
    with pytest.raises(MediaError, match="is a folder"):
        scan(tmp_path)


def test_a_stream_that_breaks_off(tmp_path, encode):
    whole = encode(tmp_path / "whole.mkv", 12, gop=20, events=((2.0, 4.0),)).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    found = scan(cut)
    answered(found)
    assert found.seconds < 11
    assert any("of the" in note for note in found.notes)


def test_a_size_that_changes(tmp_path, encode):
    parts = [encode(tmp_path / "a.ts", 5, container="mpegts", gop=10),
             encode(tmp_path / "b.ts", 5, container="mpegts", gop=10, width=192, height=128)]  # fmt: skip
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    found = scan(both, method="luma")
    answered(found)
    assert any("size changes" in note for note in found.notes)


def test_a_clock_that_restarts(tmp_path, encode):
    part = encode(tmp_path / "a.ts", 6, container="mpegts", gop=10, events=((2.0, 4.0),)).read_bytes()
    both = tmp_path / "both.ts"
    both.write_bytes(part + part)
    found = scan(both)
    answered(found)
    assert found.method == "luma"
    assert "clock" in found.why
    assert found.seconds == pytest.approx(12.0, abs=0.5)
    starts = [one.start_seconds for one in found.events]
    assert starts == pytest.approx([2.0, 8.0], abs=0.5)


def test_lost_packets(tmp_path, encode):
    data = encode(tmp_path / "a.ts", 12, container="mpegts", gop=20, events=((4.0, 7.0),)).read_bytes()
    dice = random.Random(3)  # noqa: S311 - damage, not secrets
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    kept = packets[:8] + [one for one in packets[8:] if dice.random() > 0.03]
    lossy = tmp_path / "lossy.ts"
    lossy.write_bytes(b"".join(kept))
    answered(scan(lossy))


def test_variable_frame_rate_keeps_its_times(tmp_path, encode):
    def stamp(index):
        return index * 50 if index < 80 else 4000 + (index - 80) * 200

    found = scan(encode(tmp_path / "a.mkv", 12, gop=20, stamps=stamp, events=((2.0, 4.0),)))
    answered(found)
    assert found.seconds == pytest.approx(12.0, abs=0.4)
    # frames 20 to 40 are shown from the first second to the second
    assert found.events[0].start_seconds == pytest.approx(1.0, abs=0.5)
    assert found.events[0].stop_seconds == pytest.approx(2.0, abs=0.5)


def test_without_any_clock(tmp_path, encode):
    found = scan(encode(tmp_path / "a.h264", 8, container="h264", gop=20, events=((2.0, 4.0),)))
    answered(found)
    assert any("time stamps" in note for note in found.notes)


def test_damaged_bytes_end_in_an_answer_or_a_media_error(tmp_path, encode):
    source = encode(tmp_path / "a.mp4", 3, gop=10, events=((1.0, 2.0),)).read_bytes()
    dice = random.Random(5)  # noqa: S311 - damage, not secrets
    broken = tmp_path / "broken.mp4"
    answers = 0
    for _ in range(25):
        data = bytearray(source)
        for _ in range(dice.choice((1, 8, 64))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        broken.write_bytes(bytes(data))
        try:
            found = scan(broken, mode=dice.choice(("coarse", "exact")))
        except MediaError as error:
            assert error.hint  # noqa: PT017 - either outcome is right
        else:
            answers += 1
            answered(found)
        with suppress(MediaError):
            Source(broken).packets(quantisers=True)
    assert answers > 5
