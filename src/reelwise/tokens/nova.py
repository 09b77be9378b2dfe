"""Amazon Nova: video at one frame a second, flat above 16 minutes; pictures by published examples or flat."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.tokens.rule import Rule
from reelwise.units import minimum

if TYPE_CHECKING:
    from reelwise.units import Num

__all__ = ["RULES", "Nova1", "Nova2"]


class Nova1(Rule, frozen=True, kw_only=True):
    """Nova Lite and Pro, version 1.

    Attributes:
        examples: published (pixels, tokens) of pictures, by size.
        frame_tokens: tokens of a video frame; every frame is resized to 672 x 672.
        frames_max: frames of one video, reached at 16 minutes.
    """

    examples: tuple[tuple[int, int], ...]
    frame_tokens: int
    frames_max: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Estimate by area between the published examples; outside of them the nearest example stands."""
        self.level(detail)
        self.check_size(width_px, height_px)
        area = min(max(width_px * height_px, self.examples[0][0]), self.examples[-1][0])
        for (area_low, low), (area_high, high) in pairwise(self.examples):
            if area <= area_high:
                return round(low + (high - low) * (area - area_low) / (area_high - area_low))
        return self.examples[-1][1]

    def frames(self, seconds: Num, fps: Num | None = None) -> Num:
        """Count one frame a second, at most 960."""
        return minimum(super().frames(seconds, fps), float(self.frames_max))

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Count a flat number for every frame, for 960 frames at most."""
        self.level(detail)
        self.check_size(width_px, height_px)
        return minimum(frames, float(self.frames_max)) * float(self.frame_tokens)


class Nova2(Rule, frozen=True, kw_only=True):
    """Nova 2 Lite: `image_tokens` billed for every picture."""

    image_tokens: int

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the flat number."""
        self.level(detail)
        self.check_size(width_px, height_px)
        return self.image_tokens

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Refuse: no published rate for its video was found.

        Raises:
            InputError: always.
        """
        raise InputError(
            "no published token rate for Nova 2 video",
            where="video",
            hint="send sampled frames as pictures, or use amazon.nova-lite-v1:0",
        )


RULES: tuple[Rule, ...] = (
    Nova1(
        name="nova_1",
        family="Amazon Nova Lite and Pro, version 1",
        source="docs.aws.amazon.com/nova modalities-video and modalities-image; 288 a frame from a secondary source citing AWS",
        checked="2026-11-22",
        formula="video: 288 a frame, 1 a second, 960 frames at most, sound ignored; picture: interpolated between AWS's five examples",
        fps_default=1.0,
        fps_max=1.0,
        examples=((405_000, 800), (810_000, 1300), (1_260_000, 1800), (1_620_000, 2400), (1_690_000, 2600)),
        frame_tokens=288,
        frames_max=960,
        notes=(
            "288 a frame is from a secondary source.",
            "AWS publishes five example pictures and no formula: other sizes are estimates.",
        ),
    ),
    Nova2(
        name="nova_2_lite",
        family="Amazon Nova 2 Lite",
        source="docs.aws.amazon.com/nova/latest/nova2-userguide/using-multimodal-models.html",
        checked="2026-11-22",
        formula="230 a picture",
        image_tokens=230,
        notes=("No published token rate for its video was found.",),
    ),
)
