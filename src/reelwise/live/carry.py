"""Carries the last mask to the newest frame, and says how much that frame asks for an inference.

Each frame's optical flow moves the mask along. Where the flow does not explain the picture (something was uncovered, or came in), places
near by of the same colour vote. What flow and votes leave open is what the carried mask probably gets wrong: the need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.live.detail import Detail
from reelwise.live.doubt import Doubt
from reelwise.live.flow import Flow, moved, moved_both
from reelwise.live.opencv import opencv
from reelwise.live.plate import Plate
from reelwise.live.thumb import HALF, SIDE, largest, thumbnail
from reelwise.live.vote import vote

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Carrier", "Ticket"]

_TICKETS_MAX = 4
_STILL = 8
_RESIDUAL_MIN, _RESIDUAL_MAX = 10.0, 30.0  # a cut is no noise
_NOISE = 3.0
_LIGHT = 4
_ALL = 0.5
_BAND = 9
_SPECK = 3
_SOME = (slice(None, None, 8), slice(None, None, 4))
_BLACK = np.zeros((SIDE, SIDE), np.uint8)


class Ticket:
    """A frame that went to the model, and where its places have gone since.

    Attributes:
        number: of the frame, from 1.
        small: its thumbnail.
        carried: the mask carried up to it, uint8 (SIDE, SIDE); None without one.
        expected: the error expected of that mask.
        places: float32 (SIDE, SIDE, 2): where each place of the newest frame was in it; None while it is the newest.
        broken: uint8 (SIDE, SIDE): 255 where the way back is broken.
    """

    __slots__ = ("broken", "carried", "expected", "number", "places", "small")

    def __init__(
        self, number: int, small: NDArray[np.uint8], carried: NDArray[np.uint8] | None, expected: float
    ) -> None:
        self.number, self.small, self.carried, self.expected = number, small, carried, expected
        self.places: NDArray[np.float32] | None = None
        self.broken = _BLACK

    def move(self, places: NDArray[np.float32], broken: NDArray[np.uint8]) -> None:
        """Go on by one frame."""
        self.places = places if self.places is None else moved(self.places, places)
        self.broken = opencv().max(moved(self.broken, places), broken)


class Carrier:
    """Carries masks; made for one stream of frames of one size.

    Args:
        size: (height, width) of the masks, in places.

    Attributes:
        size: the same.
        need: how much the last frame asks for an inference; from 1 on, more than the default quality allows.
    """

    def __init__(self, size: tuple[int, int] = (256, 256)) -> None:
        self._cv2 = opencv()
        self.size = size
        self.need = 0.0
        self._flow, self._doubt, self._plate = Flow(), Doubt(), Plate()
        self._seen = self._masked = 0
        self._exact: NDArray[np.float32] | None = None  # of `size`, while it is known
        self._low: NDArray[np.uint8] | None = None  # of SIDE
        self._detail = Detail(size)
        self._small = np.zeros((SIDE, SIDE, 3), np.uint8)
        self._from: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = (
            None  # thumbnail and grey that flow counts from
        )
        self._tickets: list[Ticket] = []
        self._band = np.ones((_BAND, _BAND), np.uint8)

    @property
    def age(self) -> int:
        """Frames since the frame that the mask was computed on."""
        return self._seen - self._masked

    @property
    def mask(self) -> NDArray[np.float32] | None:
        """The mask for the last frame seen, float32 `size`, 0..1, an array of its own each time; None before the first."""
        if self._exact is not None:
            return self._exact.copy()
        return None if self._low is None else self._detail.of(self._low)

    def see(self, frame: NDArray[np.uint8]) -> None:
        """Take the next frame, RGB uint8 (height, width, 3)."""
        cv2 = self._cv2
        self._seen += 1
        small = self._small = thumbnail(frame)
        if self._from is None:
            self._from = small, cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
            return
        before, grey_before = self._from
        if cv2.norm(small, before, cv2.NORM_INF) < _STILL:
            # flow goes on counting from the same thumbnail, so that a slow drift adds up
            if self._low is not None:
                self._exact = self._exact if self._exact is not None else self._detail.of(self._low)
                self.need = self._doubt.pass_by()
            return
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        places = self._flow(grey, grey_before)
        self._from = small, grey
        low = None
        if self._low is None:
            expected = moved(before, places)
        else:
            expected, low = moved_both(before, self._low, places)
        broken = _unexplained(small, expected)
        for ticket in self._tickets:
            ticket.move(places, broken)
        if low is not None:
            self._doubt.move(places)
            self.need = self._doubt.weigh(self._settle(low, broken))

    def ask(self) -> Ticket:
        """Say that the last frame seen goes to the model."""
        ticket = Ticket(self._seen, self._small, self._low, self._doubt.expected)
        self._tickets = [*self._tickets[-_TICKETS_MAX + 1 :], ticket]
        return ticket

    def answer(self, ticket: Ticket, mask: NDArray[np.float32]) -> None:
        """Take the mask of a frame that was asked about, perhaps frames later: float32 `size`, 0..1."""
        cv2 = self._cv2
        self._tickets = [one for one in self._tickets if one.number > ticket.number]
        low = cv2.convertScaleAbs(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA), alpha=255.0)
        if ticket.carried is not None:
            self._doubt.learn(ticket.expected, _error(ticket.carried, low))
        self._plate.learn(ticket.small, low)
        self._doubt.reset(low)
        self._masked = ticket.number
        if ticket.places is None:
            self._exact, self._low, self.need = mask, low, 0.0
            self._detail.learn(mask, low)
            return
        self._detail.forget()
        self.need = self._doubt.weigh(self._settle(moved(low, ticket.places), ticket.broken))

    def _settle(self, low: NDArray[np.uint8], broken: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Decide what the places are whose past is broken (255), mark what stays in doubt, and return the mask of SIDE."""
        cv2, small = self._cv2, self._small
        self._exact = None
        plain = self._plate.shows(small)
        _, hard = cv2.threshold(low, HALF, 255, cv2.THRESH_BINARY)
        asked = cv2.min(broken, cv2.bitwise_not(plain))
        places = np.flatnonzero(asked > 0)
        unknown = np.zeros((SIDE, SIDE), np.uint8)
        if places.size > _ALL * SIDE * SIDE:
            unknown = asked  # a cut, or the camera turned: no vote would mean anything
        else:
            low = cv2.min(low, cv2.bitwise_not(cv2.min(broken, plain)))
            if places.size:
                votes = vote(small, low, places, broken)
                flat = low.ravel()
                flat[places] = votes.share
                flat[places] = cv2.medianBlur(low, _SPECK).ravel()[places]
                unknown.ravel()[places[votes.unknown]] = 255
        changed = cv2.absdiff(cv2.threshold(low, HALF, 255, cv2.THRESH_BINARY)[1], hard)
        away = cv2.bitwise_not(cv2.dilate(hard, self._band))
        self._doubt.mark(unknown, cv2.min(asked, away), changed, plain)
        self._low = low
        return low


def _unexplained(small: NDArray[np.uint8], expected: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 255 where a thumbnail is not what flow makes of the last one.

    The limit follows the picture's noise; a change of the light that is the same everywhere is taken out.
    """
    cv2 = opencv()
    differs = largest(cv2.absdiff(small, expected))
    noise = _median(differs[_SOME])
    if noise >= _LIGHT:
        differences = small[_SOME].astype(np.int16) - expected[_SOME]
        light = np.array([_median(differences[..., colour]) for colour in range(3)], np.int16)
        if np.abs(light).max() >= 1:
            expected = np.clip(expected + light, 0, 255).astype(np.uint8)
            differs = largest(cv2.absdiff(small, expected))
            noise = _median(np.abs(differences - light).max(axis=2))
    limit = min(max(_RESIDUAL_MIN, _NOISE * noise), _RESIDUAL_MAX)
    found: NDArray[np.uint8] = cv2.threshold(differs, limit, 255, cv2.THRESH_BINARY)[1]
    return found


def _median(values: NDArray[Any]) -> float:
    flat = values.flatten()
    flat.partition(flat.size // 2)
    return float(flat[flat.size // 2])


def _error(carried: NDArray[np.uint8], low: NDArray[np.uint8]) -> float:
    """Return 1 - IoU; 0 where both are empty."""
    one, other = carried > HALF, low > HALF
    either = int(np.count_nonzero(one | other))
    return 1.0 - int(np.count_nonzero(one & other)) / either if either > 0.005 * one.size else 0.0
