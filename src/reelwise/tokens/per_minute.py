"""Video services that bill minutes: tokens of video and sound are 0, and `unit` says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.tokens.rule import Rule

if TYPE_CHECKING:
    from reelwise.units import Num

__all__ = ["RULES", "PerMinute"]


class PerMinute(Rule, frozen=True, kw_only=True):
    """Billed by the length of the source: neither size, nor frame rate, nor sound changes the bill."""

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count no tokens: the unit is the minute."""
        self.level(detail)
        self.check_size(width_px, height_px)
        return 0

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Count no tokens: the unit is the minute."""
        self.level(detail)
        self.check_size(width_px, height_px)
        return frames * 0.0


def _rule(name: str, family: str, source: str) -> PerMinute:
    return PerMinute(
        name=name,
        family=family,
        source=source,
        checked="2026-11-22",
        formula="billed by the minute of source video, not in tokens",
        fps_default=1.0,
        unit="minute",
        notes=("The frame rate has no effect on the bill.",),
    )


RULES: tuple[Rule, ...] = (
    _rule("twelve_labs", "Twelve Labs Pegasus and Marengo", "Twelve Labs plans as transcribed on 2026-06-20"),
    _rule("reka_vision", "Reka Vision", "docs.reka.ai/vision/pricing"),
    _rule("google_video_intelligence", "Google Video Intelligence", "cloud.google.com/video-intelligence/pricing"),
    _rule(
        "aws_rekognition_video",
        "Amazon Rekognition stored video",
        "published article; not confirmed on the provider's page",
    ),
)
