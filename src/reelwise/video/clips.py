"""What is known of a clip: its container's metadata, and what one decode measured."""

from __future__ import annotations

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

__all__ = ["AUDIO_WINDOW_SECONDS", "SILENCE_DB", "ClipInfo", "Track"]

AUDIO_WINDOW_SECONDS = 0.1
SILENCE_DB = -120.0
"""Loudness of a window without any sample, or with samples that are all zero."""


class ClipInfo(Struct, frozen=True, kw_only=True):
    """What a clip's container says about it.

    Attributes:
        path: as given.
        seconds: declared duration; 0.0 where the container does not say.
        width, height: pixels as displayed, that is after rotation.
        fps: average frames a second; 0.0 where unknown.
        rotation: degrees to turn the decoded picture counter-clockwise for display: 0, 90, 180 or 270.
        codec, container: names as libav gives them ("h264", "mov,mp4,m4a,3gp,3g2,mj2").
        bytes: size of the file.
        audio_seconds: 0.0 without audio.
        has_audio: whether there is an audio stream that can be decoded.
        sha256_head: hash over size, first and last 64 KiB: identifies the content cheaply.
        frames: as declared; 0 where unknown.
        variable_frame_rate: as far as the container tells; a `Track` carries what was measured.
    """

    path: str
    seconds: float
    width: int
    height: int
    fps: float
    rotation: int
    codec: str
    container: str
    bytes: int
    audio_seconds: float
    has_audio: bool
    sha256_head: str
    frames: int
    variable_frame_rate: bool


class Track(Struct, kw_only=True, eq=False):
    """What one decode of a clip measured, a few numbers a frame.

    Every frame is decoded and has a row; above 16 frames a second not every frame is measured (12.5 a second of 25,
    15 of 30 or 60). A frame that is not measured repeats the activity, the box and the extra columns of the measured one
    before it and has a change of 0: the next measured frame carries all that changed since. So events begin and end
    within 0.1 s, and sums of change hold.

    Attributes:
        info: metadata, with what decoding corrected (rotation, size, variable frame rate).
        seconds: decoded duration, the last frame's own time included.
        frames: decoded frames.
        times: float64 (frames,), seconds from the first frame, strictly increasing.
        change: float32 (frames,), share 0..1 of luma cells that changed against the measured frame before, above the noise.
        activity: float32 (frames,), share 0..1 of cells that differ from the learned background; sensor noise and
            light changes removed.
        boxes: uint8 (frames, 4), left, top, right, bottom of the active cells in the grid, right and bottom exclusive;
            zeros where nothing is active.
        grid: columns and rows of the grid, as displayed.
        audio: float32 (windows,), loudness in dBFS of each window; empty without audio.
        audio_window_seconds: length of a window.
        start_seconds: where in its file a part that was cut out of a track begins.
        cpu_seconds: CPU seconds a step: decode, luma, signals, audio.
        notes: what went wrong and was mended, in words.
        extra: what further signals measured, `shots` always: "signal.column" to float32 (frames,).
    """

    info: ClipInfo
    seconds: float
    frames: int
    times: NDArray[np.float64]
    change: NDArray[np.float32]
    activity: NDArray[np.float32]
    boxes: NDArray[np.uint8]
    grid: tuple[int, int]
    audio: NDArray[np.float32]
    audio_window_seconds: float = AUDIO_WINDOW_SECONDS
    start_seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    extra: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def interval(self) -> float:
        """Return the usual time between frames, in seconds (the median; 0.04 for a single frame)."""
        if self.frames < 2:
            return 1.0 / self.info.fps if self.info.fps > 0 else 0.04
        return float(np.median(np.diff(self.times)))
