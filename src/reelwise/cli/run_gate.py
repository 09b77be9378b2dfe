"""The gate of `reelwise run`: what a run may have cost when it is over, in all and for an hour of video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from reelwise.cli.output import money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.video import Track

__all__ = ["Gate", "gate_options", "raise_gate", "show_gate"]

_OPTIONS = (
    click.option(
        "--gate-usd", type=click.FloatRange(min=0.0), help="Exit 3 where the run, when it is over, cost more than this."
    ),
    click.option(
        "--gate-usd-hour", type=click.FloatRange(min=0.0), help="Exit 3 where an hour of the video cost more than this."
    ),
)


def gate_options(command: Any) -> Any:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Gate(Struct, frozen=True, kw_only=True):
    """What a run may cost.

    Attributes:
        usd: in all; None for no gate.
        usd_hour: for an hour of video; None for no gate.
    """

    usd: float | None = None
    usd_hour: float | None = None

    def judged(self, cost_usd: float, tracks: Sequence[Track]) -> dict[str, Any] | None:
        """Hold what a run cost against it: a document; None where there is no gate.

        With several runs it is the plan with all levers that is judged.
        """
        if self.usd is None and self.usd_hour is None:
            return None
        hours = sum(track.seconds for track in tracks) / 3600
        hour = cost_usd / hours if hours else 0.0
        over = []
        if self.usd is not None and cost_usd > self.usd:
            over.append(f"{money(cost_usd)} USD, and --gate-usd allows {money(self.usd)}")
        if self.usd_hour is not None and hour > self.usd_hour:
            over.append(f"{money(hour)} USD for an hour of video, and --gate-usd-hour allows {money(self.usd_hour)}")
        return {
            "usd": self.usd, "usd_hour": self.usd_hour, "cost_usd": cost_usd, "cost_usd_hour": hour, "kept": not over,
            "over": over,
        }  # fmt: skip


def show_gate(judged: dict[str, Any] | None) -> None:
    """Say how a run stands to its gate."""
    if judged is not None:
        said = "within the gate" if judged["kept"] else "ABOVE THE GATE"
        hour = f"{money(judged['cost_usd_hour'])} USD for an hour of video"
        click.echo(f"Gate: {money(judged['cost_usd'])} USD, {hour}: {said}")


def raise_gate(judged: dict[str, Any] | None) -> None:
    """End with exit code 3 where a run is above its gate.

    Raises:
        GateError: it is.
    """
    from reelwise.errors import GateError

    if judged is not None and not judged["kept"]:
        raise GateError(
            f"too dear: {'; '.join(judged['over'])}", where="gate", hint="a cheaper plan, or raise the gate on purpose"
        )
