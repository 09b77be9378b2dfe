"""Put a blurred or another background behind the foreground of a frame. Fast enough for a camera on one core."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.errors import InputError
from reelwise.live.opencv import opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Backdrop", "backdrop_of", "read_picture"]

_COLOUR = re.compile(r"#?([0-9a-fA-F]{6})")
_SMALL = 160  # long side that the background is blurred at
_EDGE_FROM, _EDGE_TO = 0.35, 0.65  # probabilities between which a place is partly background
_STRENGTHS = (1, 100)
_FADED = 0.02


class Backdrop:
    """Puts a background behind the foreground: blurred, a colour, or a picture.

    The blur is made at a small size, from background only: what is in front does not bleed into it as a halo.

    Args:
        colour: RGB, in place of a blur.
        picture: RGB uint8 (height, width, 3), in place of a blur; scaled to cover the frame.
        strength: of the blur, 1 to 100.

    Raises:
        InputError: a strength out of range.
    """

    def __init__(
        self,
        *,
        colour: tuple[int, int, int] | None = None,
        picture: NDArray[np.uint8] | None = None,
        strength: int = 40,
    ) -> None:
        if not _STRENGTHS[0] <= strength <= _STRENGTHS[1]:
            raise InputError(f"a blur of {strength}", where="blur", hint=f"{_STRENGTHS[0]} to {_STRENGTHS[1]}")
        self._cv2 = opencv()
        self._colour, self._picture, self._sigma = colour, picture, 0.15 * strength
        self._set: NDArray[np.uint8] | None = None
        ramp = np.clip((np.arange(256) / 255 - _EDGE_FROM) / (_EDGE_TO - _EDGE_FROM), 0, 1)
        self._soft = (255 * ramp * ramp * (3 - 2 * ramp)).round().astype(np.uint8)

    def compose(self, frame: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the frame with another background.

        Args:
            frame: RGB uint8 (height, width, 3).
            mask: foreground 0..1, float32 (h, w) of any size.
        """
        cv2, (height, width) = self._cv2, frame.shape[:2]
        soft = cv2.LUT(cv2.convertScaleAbs(mask, alpha=255.0), self._soft)
        behind = self._behind(frame, soft)
        box = cv2.boundingRect(soft)
        if box[2] == 0:
            return behind
        # only where there is foreground: most of a frame is background
        rows, columns = soft.shape
        top, bottom = box[1] * height // rows, min(height, -(-(box[1] + box[3] + 1) * height // rows))
        left, right = box[0] * width // columns, min(width, -(-(box[0] + box[2] + 1) * width // columns))
        top, left = max(0, top - height // rows - 1), max(0, left - width // columns - 1)
        front = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)[top:bottom, left:right]
        share = cv2.multiply(front, 1 / 255, dtype=cv2.CV_32F)
        part = (slice(top, bottom), slice(left, right))
        behind[part] = cv2.blendLinear(frame[part], behind[part], share, cv2.subtract(1.0, share))
        return behind

    def _behind(self, frame: NDArray[np.uint8], soft: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the background, an array of its own."""
        if self._colour is None and self._picture is None:
            return self._blurred(frame, soft)
        if self._set is None or self._set.shape != frame.shape:
            self._set = self._painted(frame.shape[0], frame.shape[1])
        return self._set.copy()

    def _painted(self, height: int, width: int) -> NDArray[np.uint8]:
        if self._picture is None:
            plain: NDArray[np.uint8] = np.full((height, width, 3), self._colour, np.uint8)
            return plain
        rows, columns = self._picture.shape[:2]
        scale = max(height / rows, width / columns)
        size = (max(width, round(columns * scale)), max(height, round(rows * scale)))
        how = self._cv2.INTER_AREA if scale < 1 else self._cv2.INTER_LINEAR
        large: NDArray[np.uint8] = self._cv2.resize(self._picture, size, interpolation=how)
        top, left = (size[1] - height) // 2, (size[0] - width) // 2
        return np.ascontiguousarray(large[top : top + height, left : left + width])

    def _blurred(self, frame: NDArray[np.uint8], soft: NDArray[np.uint8]) -> NDArray[np.uint8]:
        cv2, (height, width) = self._cv2, frame.shape[:2]
        scale = min(1.0, _SMALL / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        free = 1.0 - cv2.resize(soft, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        free = np.maximum(free, _FADED / 10)
        spread = cv2.GaussianBlur(cv2.merge([free] * 3), (0, 0), self._sigma)
        blurred = cv2.GaussianBlur(small * free[..., None], (0, 0), self._sigma) / np.maximum(spread, 1e-6)
        found: NDArray[np.uint8] = cv2.resize(
            cv2.convertScaleAbs(blurred), (width, height), interpolation=cv2.INTER_LINEAR
        )
        return found


def backdrop_of(text: str, *, strength: int = 40) -> Backdrop:
    """Make a background from words: blur, a colour as #00ff00, or the path of a picture.

    Raises:
        InputError: none of these.
    """
    if text == "blur":
        return Backdrop(strength=strength)
    if found := _COLOUR.fullmatch(text):
        red, green, blue = bytes.fromhex(found[1])
        return Backdrop(colour=(red, green, blue))
    path = Path(text)
    if not path.exists():
        raise InputError(
            "is no background", where=text[:120], hint="blur, a colour as #00ff00, or the path of a picture"
        )
    return Backdrop(picture=read_picture(path))


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture: RGB uint8 (height, width, 3).

    Raises:
        InputError: it cannot be read.
    """
    cv2: Any = opencv()
    try:
        raw = np.fromfile(path, np.uint8)
        found = cv2.imdecode(raw, cv2.IMREAD_COLOR) if len(raw) else None
    except (OSError, cv2.error) as error:
        reason = getattr(error, "strerror", None) or "it cannot be decoded"
        raise InputError(f"no picture: {reason}", where=str(path), hint="name a PNG or a JPEG") from None
    if found is None:
        raise InputError("no picture that can be read", where=str(path), hint="name a PNG or a JPEG")
    picture: NDArray[np.uint8] = cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
    return picture
