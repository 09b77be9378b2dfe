"""What a container says of a clip."""

from __future__ import annotations

import struct
import wave

import pytest

from reelwise.charge import Ask, Media, hold, media_of
from reelwise.errors import InputError, MediaError


def test_a_header_says_it_all(drawn_clip):
    media = media_of(drawn_clip)

    assert (media.width, media.height, media.fps, media.frames) == (320, 180, 10.0, 120)
    assert media.has_audio
    assert 12.0 <= media.seconds <= 12.2
    assert media.picture_seconds == pytest.approx(12.0)
    assert media.bytes == drawn_clip.stat().st_size
    assert media.notes == ()


def test_no_packet_is_read_where_the_header_says_enough(drawn_clip, monkeypatch):
    import reelwise.charge.media as module

    def refuse(*_):
        raise AssertionError("packets were read")

    monkeypatch.setattr(module, "_walk", refuse)

    assert media_of(drawn_clip).frames == 120


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("live.webm", {"container": "matroska", "forward": True}),
        ("fragments.mp4", {"container": "mp4", "forward": True, "options": {"movflags": "frag_keyframe+empty_moov"}}),
        ("raw.m4v", {"container": "m4v"}),
    ],
)
def test_a_missing_length_is_counted_from_the_packets(clip, name, settings):
    media = media_of(clip(name, seconds=4, fps=25 if name == "raw.m4v" else 10, **settings))

    assert 4.0 <= media.picture_seconds <= 4.25
    assert (media.width, media.height) == (64, 48)


def test_other_containers_say_it_too(clip):
    for name, container in (("a.avi", "avi"), ("a.mkv", "matroska"), ("a.ts", "mpegts"), ("a.mov", "mov")):
        media = media_of(
            clip(name, container=container, seconds=4, codec="mpeg4" if name != "a.ts" else "mpeg2video", fps=25)
        )
        assert 3.9 <= media.picture_seconds <= 4.1, name
        assert media.frames_most >= 99, name


def test_a_fragmented_file_counts_more_than_its_first_fragment(clip):
    media = media_of(clip("a.mp4", seconds=20, options={"movflags": "frag_keyframe"}))

    assert media.picture_seconds == pytest.approx(20.0, abs=0.11)
    assert media.frames_most >= 200


@pytest.mark.parametrize(("name", "container", "codec"), [("a.avi", "avi", "mpeg4"), ("a.flv", "flv", "flv")])
def test_a_recording_that_was_never_finished_is_counted(clip, name, container, codec):
    media = media_of(clip(name, container=container, codec=codec, forward=True))

    assert 4.0 <= media.picture_seconds <= 4.2


def test_a_header_that_its_bytes_contradict_is_not_believed(drawn_clip, tmp_path):
    """One tick of length for a clip of 12 s: held for the 12 s."""
    said = bytearray(drawn_clip.read_bytes())
    for box, at in ((b"mvhd", 16), (b"mdhd", 16), (b"tkhd", 24)):
        place = said.find(box)
        while place != -1:
            said[place + 4 + at : place + 8 + at] = struct.pack(">I", 1)
            place = said.find(box, place + 4)
    lying = tmp_path / "lying.mp4"
    lying.write_bytes(said)

    assert media_of(lying).picture_seconds >= 11.9


def test_sound_alone_has_a_length(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 8000 * 3)
    media = media_of(path)

    assert (media.width, media.frames_most, media.has_audio) == (0, 0, True)
    assert media.sound_seconds == pytest.approx(3.0)


def test_a_clip_is_held_by_its_container(book, clip):
    path = clip("a.mp4", seconds=7.5, size=(320, 240))
    held = hold(Ask(model="gemini-3.8-flash", media=media_of(path), tokens_output=0), book)

    assert {part.unit: int(part.quantity) for part in held.parts}["tokens_video"] == 8 * 75 + 2


@pytest.mark.parametrize("content", [b"", b"no video at all, " * 50, b"\x00\x00\x00\x18ftypmp42" + b"\0" * 200])
def test_what_is_no_clip_is_a_clear_error(tmp_path, content):
    path = tmp_path / "x.mp4"
    path.write_bytes(content)

    with pytest.raises(MediaError) as caught:
        media_of(path)
    assert caught.value.where == str(path)
    assert caught.value.hint


def test_a_missing_file_and_a_folder_are_clear_errors(tmp_path):
    for path in (tmp_path / "none.mp4", tmp_path):
        with pytest.raises(MediaError):
            media_of(path)


def test_a_cut_off_file_is_held_for_what_its_header_says_or_refused(drawn_clip, tmp_path):
    whole = drawn_clip.read_bytes()
    for share in (0.02, 0.3, 0.7, 0.95):
        path = tmp_path / "cut.mp4"
        path.write_bytes(whole[: int(len(whole) * share)])
        try:
            found = media_of(path)
        except MediaError:
            continue
        assert found.picture_seconds >= 11.9 * share


def test_too_many_packets_to_count_ask_for_the_length(clip, monkeypatch):
    import reelwise.charge.media as module

    path = clip("live.webm", container="matroska", forward=True)
    monkeypatch.setattr(module, "PACKETS_MAX", 10)

    with pytest.raises(MediaError, match="too many packets") as caught:
        media_of(path)
    assert "Media(seconds=" in caught.value.hint


@pytest.mark.parametrize(
    "media",
    [
        Media(seconds=0.0, width=4, height=4),
        Media(seconds=float("nan"), width=4, height=4),
        Media(seconds=float("inf"), width=4, height=4),
        Media(seconds=-3.0, width=4, height=4),
        Media(seconds=3.0, width=4, height=0),
        Media(seconds=3.0, width=-4, height=-4),
    ],
)
def test_a_length_that_cannot_be_is_refused(media):
    with pytest.raises(InputError):
        media.check()
