from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from reelwise.video import Demo, Track, sound_stretches, speech_seconds, track
from reelwise.video.sound import Loudness

if TYPE_CHECKING:
    from pathlib import Path


def test_loudness_of_a_half_silent_tone(box_clip: Path) -> None:
    found = track(box_clip)
    assert len(found.audio) == pytest.approx(40, abs=2)
    assert found.audio[2:18].max() < -60
    assert found.audio[24:38].mean() == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=1.0)
    assert speech_seconds(found) == pytest.approx(2.2, abs=0.3)


def test_voices_of_the_drawn_clip_are_found(demo: Demo, demo_track: Track) -> None:
    voices = [event for event in demo.events if event.kind == "sound"]
    assert len(voices) == 2
    heard = sound_stretches(demo_track)
    for voice in voices:
        assert any(start <= voice.start + 0.15 and stop >= voice.stop - 0.15 for start, stop in heard), voice
    spoken = sum(voice.stop - voice.start for voice in voices)
    assert spoken * 0.9 <= speech_seconds(demo_track) <= spoken + 1.2


def test_levels_of_every_sample_format() -> None:
    wave = np.sin(np.arange(8000) * 0.3)
    expected = 20 * np.log10(1 / np.sqrt(2))
    for samples in (
        wave[None].astype(np.float32),
        (wave[None] * 32767).astype(np.int16),
        (wave[None] * (2**31 - 1)).astype(np.int32),
        (wave[None] * 127 + 128).astype(np.uint8),
    ):
        meter = Loudness(0.0)
        meter.hear(samples, planar=True, channels=1, at=0.0, rate=8000)
        assert len(meter.windows()) == 10
        assert np.allclose(meter.windows(), expected, atol=0.3), samples.dtype


def test_packed_stereo_lasts_half_as_long() -> None:
    meter = Loudness(0.0)
    meter.hear(np.ones((1, 16000), np.float32), planar=False, channels=2, at=0.0, rate=8000)
    assert len(meter.windows()) == 10


def test_sound_before_the_picture_and_absurd_stamps_are_left_out() -> None:
    meter = Loudness(5.0)
    block = np.full((1, 800), 0.5, np.float32)
    for at in (0.0, 4.9, 5.0, 1e9, None):
        meter.hear(block, planar=True, channels=1, at=at, rate=8000)
    assert len(meter.windows()) == 1


def test_no_audio_no_speech(synthetic: Any) -> None:
    quiet = synthetic([0.0] * 50)
    assert speech_seconds(quiet) == 0.0
    quiet.audio = np.full(50, -120, np.float32)
    assert speech_seconds(quiet) == 0.0
    quiet.audio = np.full(50, -20, np.float32)
    assert speech_seconds(quiet) == pytest.approx(5.0)


def test_what_is_no_number_is_silence() -> None:
    wave = np.full((1, 800), 0.5, np.float32)
    wave[0, ::8] = np.nan
    meter = Loudness(0.0)
    meter.hear(wave, planar=True, channels=1, at=0.0, rate=8000)
    assert meter.windows() == pytest.approx(20 * np.log10(0.5 * np.sqrt(7 / 8)), abs=0.01)


def test_a_frame_of_sound_is_shared_out_over_the_windows_it_lies_in() -> None:
    meter = Loudness(2.0)
    for at, level in ((1.95, 0.5), (2.25, 0.1)):  # 0.3 s each, the first 0.05 s of it before the picture
        meter.hear(np.full((1, 2400), level, np.float32), planar=True, channels=1, at=at, rate=8000)
    expected = [0.5, 0.5, np.sqrt((0.5**2 + 0.1**2) / 2), 0.1, 0.1, 0.1]
    assert meter.windows() == pytest.approx(20 * np.log10(expected), abs=0.05)
