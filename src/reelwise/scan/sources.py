"""Triggers of a live scan, asked and listened to while it runs: callbacks, sound, a webhook."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reelwise.scan.triggers import JOIN_SECONDS, spans_of, trigger_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from reelwise.scan.ears import Ear
    from reelwise.scan.timeline import Timeline
    from reelwise.scan.triggers import Joiner, Trigger
    from reelwise.scan.webhook import Webhook

__all__ = ["Listening"]

_ASK_SECONDS = 1.0
_BACK_SECONDS = 10.0
_SETTLE_SECONDS = 1.5


class Listening:
    """The triggers of one live scan.

    Args:
        triggers: callbacks, see `triggers.Trigger`.
        ears: what listens to the sound.
        webhook: takes events from outside, and is closed with the scan.
    """

    def __init__(
        self, triggers: Sequence[Trigger] = (), *, ears: Sequence[Ear] = (), webhook: Webhook | None = None
    ) -> None:
        self.wants_sound = bool(ears)
        self.settle_seconds = _SETTLE_SECONDS if triggers or webhook is not None else JOIN_SECONDS
        self._triggers, self._ears, self._webhook = tuple(triggers), tuple(ears), webhook
        self._asked = 0.0

    @property
    def refused(self) -> int:
        """Count what the webhook did not take because too much waited."""
        return self._webhook.refused if self._webhook is not None else 0

    def hear(self, seconds: float | None, samples: NDArray[np.int16], joiner: Joiner, now: float) -> None:
        """Take some sound that begins at a time in the stream; None where it goes on from what came before."""
        for ear in self._ears:
            for start, stop in ear.hear(seconds, samples):
                joiner.tell(ear.name, max(0.0, start), stop, now)

    def poll(self, clock: Timeline, joiner: Joiner) -> None:
        """Ask callbacks about what is new, once a second, and take what the webhook received."""
        now = clock.last
        if self._webhook is not None:
            for start, stop in self._webhook.take(time.time()):
                joiner.tell(self._webhook.name, max(0.0, clock.at_wall(start)), clock.at_wall(stop), now)
        if not self._triggers or now - self._asked < _ASK_SECONDS:
            return
        since, self._asked = max(0.0, self._asked - _BACK_SECONDS), now
        for trigger in self._triggers:
            for start, stop in spans_of(trigger, since, now):
                joiner.tell(trigger_name(trigger), start, stop, now)

    def close(self) -> None:
        """Stop listening."""
        if self._webhook is not None:
            self._webhook.close()
