from __future__ import annotations

import os
import random
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelwise.errors import MediaError
from reelwise.video import Track, gate, probe, track


def refused(path: Path, word: str) -> None:
    for read in (probe, track):
        with pytest.raises(MediaError, match=word) as caught:
            read(path)
        assert caught.value.hint
        assert caught.value.exit_code == 2
        assert str(path) in str(caught.value)


def test_metadata(box_clip: Path) -> None:
    info = probe(box_clip)
    assert (info.width, info.height, info.fps, info.codec) == (96, 64, 10.0, "h264")
    assert info.seconds == pytest.approx(4.0, abs=0.05)
    assert info.frames == 40
    assert info.has_audio
    assert info.audio_seconds == pytest.approx(4.0, abs=0.2)
    assert info.bytes == box_clip.stat().st_size
    assert not info.variable_frame_rate


def test_content_not_name_decides_the_hash(box_clip: Path, tmp_path: Path) -> None:
    copy = tmp_path / "other.mp4"
    copy.write_bytes(box_clip.read_bytes())
    assert probe(copy).sha256_head == probe(box_clip).sha256_head
    changed = bytearray(box_clip.read_bytes())
    changed[-1] ^= 255
    copy.write_bytes(bytes(changed))
    assert probe(copy).sha256_head != probe(box_clip).sha256_head


def test_missing_folder_empty_and_not_regular(tmp_path: Path) -> None:
    refused(tmp_path / "none.mp4", "no such file")
    refused(tmp_path, "is a folder")
    empty = tmp_path / "empty.mp4"
    empty.touch()
    refused(empty, "is empty")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused(pipe, "not a regular file")
    refused(Path("a\0b.mp4"), "cannot be read|no such file")


def test_what_is_no_video(tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(np.random.default_rng(1).integers(0, 256, 50_000).astype(np.uint8).tobytes())
    refused(noise, "cannot be read|no video|no frame")
    for name in ("text.txt", "text.mp4", "list.m3u8"):
        text = tmp_path / name
        text.write_text("#EXTM3U\n#EXTINF:10,\nhttp://localhost:1/a.ts\n" * 20)
        refused(text, "cannot be read|no video|is text|no frame")
    sound = tmp_path / "sound.wav"
    with wave.open(str(sound), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(16000))
    refused(sound, "sound but no video")


def test_a_clip_without_frames(tmp_path: Path, write_clip: Any) -> None:
    clip = write_clip(tmp_path / "zero.mkv", frames=5)
    data = clip.read_bytes()
    clip.write_bytes(data[: data.index(bytes.fromhex("1f43b675"))])  # cut where the first cluster begins
    with pytest.raises(MediaError, match=r"no frame|cannot be read|no video"):
        track(clip)


def test_too_large_is_refused_before_decoding(tmp_path: Path, write_clip: Any) -> None:
    wide = write_clip(
        tmp_path / "wide.avi", frames=2, width=20_000, height=16, codec="rawvideo", pix_fmt="gray",
        picture=lambda _, w, h: np.zeros((h, w, 3), np.uint8),
    )  # fmt: skip
    refused(wide, "20000x16")


def test_cut_off_mkv_gives_what_decodes(tmp_path: Path, write_clip: Any) -> None:
    whole = write_clip(tmp_path / "whole.mkv", frames=120)
    cut = tmp_path / "cut.mkv"
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) * 6 // 10])
    found = track(cut)
    assert 20 <= found.frames < 120
    assert any("of the" in note for note in found.notes)


def test_cut_off_mp4_without_its_index_is_an_error(tmp_path: Path, write_clip: Any) -> None:
    whole = write_clip(tmp_path / "whole.mp4")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    refused(cut, "cannot be read|no video|no frame")


def test_flipped_and_cut_bytes_end_in_a_track_or_a_media_error(tmp_path: Path, write_clip: Any) -> None:
    sources = [
        write_clip(tmp_path / "tiny.mp4", frames=12, audio=True).read_bytes(),
        write_clip(tmp_path / "tiny.mkv", frames=12, codec="mpeg4").read_bytes(),
    ]
    dice = random.Random(5)  # noqa: S311 - damage, not secrets
    broken = tmp_path / "broken.bin"
    tracks = 0
    for case in range(40):
        data = bytearray(sources[case % 2])
        if case % 4 == 3:
            data = data[: dice.randrange(1, len(data))]
        else:
            for _ in range(dice.choice((1, 8, 64))):
                data[dice.randrange(len(data))] = dice.randrange(256)
        broken.write_bytes(bytes(data))
        try:
            found = track(broken)
        except MediaError as error:
            assert error.hint  # noqa: PT017 - either outcome is right
        else:
            tracks += 1
            assert isinstance(found, Track)
            assert found.frames == len(found.times) == len(found.change) == len(found.activity) == len(found.boxes)
            assert (np.diff(found.times) > 0).all()
            gate(found)
    assert tracks > 5


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "container"),
    [
        ("libx264", "yuv420p10le", "mp4"),
        ("libx264", "yuv444p", "matroska"),
        ("ffv1", "gray", "matroska"),
        ("ffv1", "gray10le", "matroska"),
        ("ffv1", "bgra", "matroska"),
        ("rawvideo", "yuyv422", "nut"),
        ("mjpeg", "yuvj420p", "avi"),
        ("gif", "rgb8", "gif"),
    ],
)
def test_pixel_formats_see_the_same_motion(
    tmp_path: Path, codec: str, pix_fmt: str, container: str, write_clip: Any
) -> None:
    found = track(write_clip(tmp_path / f"clip.{container}", codec=codec, pix_fmt=pix_fmt, container=container))
    assert found.frames == 40
    assert found.activity[:9].max() == 0
    assert found.activity[12:].min() > 0.02
    assert found.change[12:].mean() > 0.002


def test_rotation_turns_size_grid_and_boxes(tmp_path: Path, write_clip: Any) -> None:
    still = write_clip(tmp_path / "still.mp4")
    turned = write_clip(tmp_path / "turned.mp4", rotation=90)
    info = probe(turned)
    assert (info.width, info.height, info.rotation) == (64, 96, 90)
    upright, found = track(still), track(turned)
    assert found.grid == upright.grid[::-1] == (64, 96)
    left, top, right, bottom = (int(v) for v in upright.boxes[20])
    # counter-clockwise: what was at the right is at the top
    assert [int(v) for v in found.boxes[20]] == [top, 96 - right, bottom, 96 - left]


def test_variable_frame_rate_keeps_its_times(tmp_path: Path, write_clip: Any) -> None:
    def stamp(index: int) -> int:
        return index * 40 if index < 20 else 800 + (index - 20) * 200

    found = track(write_clip(tmp_path / "vfr.mkv", stamps=stamp))
    assert found.info.variable_frame_rate
    assert np.allclose(found.times, [stamp(i) / 1000 for i in range(40)], atol=0.002)
    assert not found.notes


def test_broken_time_stamps_are_repaired_and_noted(tmp_path: Path, write_clip: Any) -> None:
    raw = write_clip(tmp_path / "raw.h264", container="h264", frames=30, fps=25)
    found = track(raw)
    assert found.frames == 30
    assert (np.diff(found.times) > 0).all()
    jump = write_clip(tmp_path / "jump.mkv", frames=30, stamps=lambda i: i * 100 + (9_000_000 if i >= 15 else 0))
    found = track(jump)
    assert found.seconds == pytest.approx(3.0, abs=0.2)
    assert any("time stamps repaired" in note for note in found.notes)


def test_size_change_in_mid_stream(tmp_path: Path, write_clip: Any) -> None:
    parts = [
        write_clip(tmp_path / "a.ts", frames=20, container="mpegts"),
        write_clip(tmp_path / "b.ts", frames=20, width=192, height=128, container="mpegts"),
    ]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    found = track(both)
    assert found.frames >= 30
    assert found.grid == (96, 64)
    assert any("size changes" in note for note in found.notes)
    assert (np.diff(found.times) > 0).all()


def test_without_audio_there_is_none(tmp_path: Path, box_clip: Path, write_clip: Any) -> None:
    silent = track(write_clip(tmp_path / "silent.mp4"))
    assert len(silent.audio) == 0
    assert not silent.info.has_audio
    assert len(track(box_clip, audio=False).audio) == 0


def test_seconds_max_and_progress(box_clip: Path) -> None:
    shares: list[float] = []
    found = track(box_clip, seconds_max=1.0, progress=shares.append)
    assert found.frames == 10
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert not any("declares" in note for note in found.notes)


def test_an_interrupt_passes(box_clip: Path) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track(box_clip, progress=stop)


def test_libav_is_silent_about_broken_input(tmp_path: Path, write_clip: Any) -> None:
    clip = write_clip(tmp_path / "a.mkv", frames=40)
    data = bytearray(clip.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    clip.write_bytes(bytes(data))
    code = "import sys; from reelwise.video import track; track(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(clip)], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


def test_importing_the_package_loads_neither_av_nor_numpy() -> None:
    code = "import sys, reelwise.video; print('av' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_only_reader_writer_and_cutter_import_av() -> None:
    folder = Path(__file__).resolve().parents[2] / "src" / "reelwise" / "video"
    users = {file.stem for file in folder.glob("*.py") if "\nimport av" in file.read_text()}
    assert users == {"cutter", "reader", "writer"}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_stays_flat(tmp_path: Path, write_clip: Any) -> None:
    clip = write_clip(tmp_path / "long.mp4", frames=900, width=320, height=180, fps=25)
    code = (
        "import sys; from reelwise.video import track\n"
        "def peak(): return next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmHWM'))\n"
        "track(sys.argv[1], seconds_max=6); first = peak(); track(sys.argv[1]); print(peak() - first)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(clip)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 6_000  # kB more for six times the footage
