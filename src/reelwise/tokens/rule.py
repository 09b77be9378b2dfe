"""What every token rule offers, and what the rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.units import ceil

if TYPE_CHECKING:
    from reelwise.units import Num

__all__ = ["SIDE_PX_MAX", "Rule", "TokenRule", "floor"]

SIDE_PX_MAX = 65_535
"""The longest side any picture format in use can have; longer sides are a mistake in the unit."""

_EPSILON = 1e-9


def floor(value: Num) -> Num:
    """Round down, forgiving a relative float error of 1e-9 (a product that lands a hair under an integer is that integer)."""
    return value * (1 + _EPSILON) // 1


class TokenRule(Protocol):
    """How one model family turns pixels and seconds into billable tokens.

    Prompt text and the few marker tokens around a picture are not counted: published counts leave them out too.

    Attributes:
        name: the rule's own name; receipts keep it.
        family: the model family.
        source: who published or measured it.
        checked: the day that source was read, ISO date.
        formula: the rule in a line.
        details: accepted detail (media resolution) levels; empty where the family has none.
        detail_default: the level that an empty detail stands for.
        fps_default: frames a second that a native video part is sampled at if the caller sets none; None where the
            family takes no video.
        fps_max: the highest rate a caller may ask for, or None. Equal to `fps_default` where the rate is fixed.
        images_max: pictures a request, or None where no limit was found.
        side_px_max: longest side the family accepts, in pixels.
        unit: "tokens", or "minute" where video is billed by its length and tokens are 0.
        notes: known conflicts and open questions, a sentence each.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above, with the other attributes
    @property
    def family(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def checked(self) -> str: ...  # noqa: D102
    @property
    def formula(self) -> str: ...  # noqa: D102
    @property
    def details(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def detail_default(self) -> str: ...  # noqa: D102
    @property
    def fps_default(self) -> float | None: ...  # noqa: D102
    @property
    def fps_max(self) -> float | None: ...  # noqa: D102
    @property
    def images_max(self) -> int | None: ...  # noqa: D102
    @property
    def side_px_max(self) -> int: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the tokens of one still picture."""

    def frames(self, seconds: Num, fps: Num | None = None) -> Num:
        """Count the frames that are sampled from a native video part of `seconds` at `fps` (None: the default)."""

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:
        """Count the VIDEO tokens of one native video part from which `frames` frames are sampled, caps applied."""

    def audio(self, seconds: Num) -> Num:
        """Count the audio tokens of a part with sound; 0 where the family ignores or refuses sound."""


class Rule(Struct, frozen=True, kw_only=True):
    """What the families share: the card of a rule, checks of sizes and levels. See `TokenRule` for the attributes."""

    name: str
    family: str
    source: str
    checked: str
    formula: str
    details: tuple[str, ...] = ()
    detail_default: str = ""
    fps_default: float | None = None
    fps_max: float | None = None
    images_max: int | None = None
    side_px_max: int = SIDE_PX_MAX
    unit: str = "tokens"
    notes: tuple[str, ...] = ()

    def image(self, width_px: int, height_px: int, detail: str = "") -> int:
        """Count the tokens of one still picture."""
        raise NotImplementedError

    def video(self, width_px: int, height_px: int, seconds: Num, frames: Num, detail: str = "") -> Num:  # noqa: ARG002 - the protocol's
        """Refuse native video; families that take it count it.

        Raises:
            InputError: the family takes pictures only.
        """
        raise InputError(
            f"{self.name} takes no native video",
            where="video",
            hint="send sampled frames as pictures: give a frame rate",
        )

    def level(self, detail: str) -> str:
        """Resolve a detail level.

        Raises:
            InputError: the family has no such level.
        """
        if not detail:
            return self.detail_default
        if detail in self.details:
            return detail
        known = ", ".join(self.details)
        raise InputError(
            f"{self.name} has no detail level {detail!r}",
            where="detail",
            hint=f"use one of {known}" if known else "leave it empty: this family has no detail levels",
        )

    def check_size(self, width_px: int, height_px: int) -> None:
        """Refuse sizes that no request can have.

        Raises:
            InputError: a side under 1 px or over the family's limit.
        """
        if width_px < 1 or height_px < 1:
            raise InputError(
                f"{width_px}x{height_px} px is no picture", where="size", hint="give width and height in whole pixels"
            )
        if width_px > self.side_px_max or height_px > self.side_px_max:
            raise InputError(
                f"{width_px}x{height_px} px is over the {self.side_px_max:,} px that {self.name} takes on a side",
                where="size",
                hint="scale it down before sending it",
            )

    def frames(self, seconds: Num, fps: Num | None = None) -> Num:
        """Count the frames that are sampled from `seconds` of video at `fps`: one at the start of each interval.

        Raises:
            InputError: no native video, or a fixed rate other than the rule's, or one out of its range.
        """
        if self.fps_default is None:
            raise InputError(
                f"{self.name} takes no native video", where="video", hint="send sampled frames as pictures"
            )
        rate = self.fps_default if fps is None else fps
        if isinstance(rate, (int, float)):
            fixed = self.fps_max is not None and self.fps_max == self.fps_default
            if rate <= 0 or (self.fps_max is not None and rate > self.fps_max) or (fixed and rate != self.fps_default):
                raise InputError(
                    f"{rate:g} frames a second cannot be asked of {self.name}",
                    where="fps",
                    hint=f"it samples {self.fps_default:g} a second, always"
                    if fixed
                    else f"use more than 0 and at most {self.fps_max or SIDE_PX_MAX:g}",
                )
        return ceil(seconds * rate)

    def audio(self, seconds: Num) -> Num:
        """Count the audio tokens: none, unless a family says otherwise."""
        return seconds * 0.0
