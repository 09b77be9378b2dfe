"""Machines that serve a model: rented by the hour or the second, or bought. What they cost is in `fleet`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from reelwise.errors import DocumentError

__all__ = ["Device", "Host"]

Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class Device(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device that is bought: its price spread over years, and the power it takes while it is on.

    Attributes:
        years: over which its price is spread.
        watts: electrical power while it is on; null is the highest on its card.
        electricity: rate card of the power.
        hours_a_day: hours a day it is on.
        each: one for each user, one for as many cameras as it keeps up with, or as many as streams run at the peak;
            null follows the demand: cameras, users, else streams.
        owner: who has it: you, or the user, whose device and power are on no bill of yours.
    """

    years: Annotated[float, Meta(gt=0, le=50)] = 3.0
    watts: Annotated[float, Meta(ge=0, le=100_000)] | None = None
    electricity: str = "electricity/us-commercial"
    hours_a_day: Annotated[float, Meta(ge=0, le=24)] = 24.0
    each: Literal["user", "camera", "stream"] | None = None
    owner: Literal["you", "user"] = "you"


class Host(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fleet of equal machines.

    How many frames a second one machine does is a fact: `host.NAME.frames_per_second`, else the published speed of its
    network on its card, `network.NETWORK.GPU.frames_per_second`.

    Attributes:
        name: what calls name it by.
        sku: rate card of one machine, billed by the hour or the second, or of a device.
        scale: fixed (machines for the peak run all month), auto (they come and go with the work), serverless (the same, billed by
            the second, none where there is no work) or device (bought).
        utilisation: busy share of a machine that is planned for.
        spare: machines beyond need (N+1 is 1).
        minimum: machines that run in any case (not for serverless, which scales to zero).
        streams: streams that one machine takes at a time, each of them on one machine from start to end; null spreads the
            frames of all streams over all machines.
        cold_start_seconds: from nothing to the first answer, billed; null is the measured fact `host.NAME.cold_start_seconds`,
            else the card's, else for serverless the fact `serverless.cold_start_seconds`.
        idle_seconds: how long a machine that comes and goes is kept, and billed, after its last work; null is the card's, else
            for serverless the fact `serverless.idle_seconds`.
        network: name of the network it runs, for published speeds.
        variant: what it runs: the network in full, quantized, or a student distilled from it. The last two run at the speed
            that `reelwise probe` has measured.
        device: of a bought machine: power, years, owner; null is the defaults.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    sku: str
    scale: Literal["fixed", "auto", "serverless", "device"] = "fixed"
    utilisation: Annotated[float, Meta(gt=0, le=1)] = 1.0
    spare: Annotated[int, Meta(ge=0, le=10_000)] = 0
    minimum: Annotated[int, Meta(ge=0, le=10_000)] = 0
    streams: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    cold_start_seconds: Seconds | None = None
    idle_seconds: Seconds | None = None
    network: str = ""
    variant: Literal["full", "quantized", "distilled"] = "full"
    device: Device | None = None

    def check(self, where: str) -> None:
        """Refuse settings that the types let through.

        Raises:
            DocumentError: a device that is rented, or start and idle times of machines that never stop.
        """
        if self.device is not None and self.scale != "device":
            raise DocumentError(
                f"`device` is for a machine that is bought, and this one is {self.scale}",
                where=where,
                hint="set scale: device, or leave `device` out",
            )
        stays = self.scale in {"fixed", "device"}
        if stays and (self.cold_start_seconds is not None or self.idle_seconds is not None):
            raise DocumentError(
                f"a {self.scale} machine neither starts nor stops within the month",
                where=where,
                hint="leave cold_start_seconds and idle_seconds out, or set scale: auto or serverless",
            )

    @property
    def comes_and_goes(self) -> bool:
        """Whether machines start and stop with the work."""
        return self.scale in {"auto", "serverless"}
