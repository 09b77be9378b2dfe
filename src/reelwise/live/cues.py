"""What may ask for an inference beside the pictures: sound, a sensor, any callback."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.live.caught import Caught
from reelwise.scan.triggers import spans_of, trigger_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelwise.scan.ears import Ear
    from reelwise.scan.triggers import Trigger

__all__ = ["Cue", "Cues", "Heard", "Triggered"]

Cue = Callable[[float], "bool | float | None"]
"""Asked on every frame, with its seconds in the stream. True asks for an inference; a number counts as a need (1 asks at the default
quality). Its name in receipts is its attribute `name`, otherwise its `__name__`."""

_EVERY_SECONDS = 0.5
_ASK_SECONDS = 0.1
_NAME_MAX = 40


class Cues:
    """Asks several cues. One that fails or answers nonsense is left out of that frame.

    Args:
        cues: see `Cue`.

    Raises:
        InputError: one cannot be called.
    """

    def __init__(self, cues: Sequence[Cue]) -> None:
        for cue in cues:
            if not callable(cue):
                raise InputError(
                    f"{cue!r:.60} is no cue", where="cues", hint="a function of seconds: lambda at: shaken()"
                )
        self._cues = tuple((f"cue {_name(cue)}", cue) for cue in cues)
        self.failed = ""

    def ask(self, at: float) -> tuple[str, float, str]:
        """Ask all of them.

        Returns:
            The name of one that says yes (empty for none), the largest number, and whose that is. `failed` says what went wrong.
        """
        self.failed = ""
        yes, most, whose = "", 0.0, ""
        for name, cue in self._cues:
            with Caught() as caught:
                said = cue(at)
            if caught.error is not None:
                self.failed = f"{name} failed: {caught.said}"
                continue
            if said is None or said is False:
                continue
            if said is True:
                yes = yes or name
                continue
            with Caught() as caught:
                value = float(said)
            if caught.error is not None or math.isnan(value):
                self.failed = f"{name} answers with neither a number nor a bool"
            elif value > most:
                most, whose = value, name
        return yes, most, whose


def _name(cue: Cue) -> str:
    name = getattr(cue, "name", None) or getattr(cue, "__name__", None) or type(cue).__name__
    return str(name)[:_NAME_MAX]


class Triggered:
    """A trigger of a scan as a cue: asked ten times a second for what is new.

    Args:
        trigger: see `reelwise.scan.triggers.Trigger`.
    """

    def __init__(self, trigger: Trigger) -> None:
        self.name = trigger_name(trigger)
        self._trigger = trigger
        self._asked = 0.0

    def __call__(self, at: float) -> bool:
        """Say whether it was on since it was asked last."""
        if 0 <= at - self._asked < _ASK_SECONDS:
            return False
        since, self._asked = min(self._asked, at), at
        return bool(spans_of(self._trigger, since, at))


class Heard:
    """Sound as a cue: when it begins, and twice a second while it goes on.

    Args:
        ear: what listens, see `reelwise.scan.ears.ear`.
    """

    def __init__(self, ear: Ear) -> None:
        self.name = ear.name
        self._ear = ear
        self._from, self._until = math.inf, -math.inf
        self._said = -math.inf

    def hear(self, seconds: float | None, samples: NDArray[np.int16]) -> None:
        """Take sound; see `reelwise.scan.ears.Ear`."""
        for start, stop in self._ear.hear(seconds, samples):
            self._from, self._until = start, stop

    def __call__(self, at: float) -> bool:
        """Say whether something is heard, that was not just said."""
        if not self._from <= at <= self._until or 0 <= at - self._said < _EVERY_SECONDS:
            return False
        self._said = at
        return True
