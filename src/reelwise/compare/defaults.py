"""What is compared where a workload file names no options: one of each sort that fits the kind of job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.hosts import Host
from reelwise.option import Option

if TYPE_CHECKING:
    from reelwise.workload import Workload

__all__ = ["default_options"]

_T4 = "aws/g4dn.xlarge"
_NETWORK = "yolo26n-seg"
"""The only segmentation network with a published speed on the card of a rented machine in every price range."""


def default_options(workload: Workload) -> tuple[Option, ...]:
    """Return a set for the kind of job; what lacks a speed is listed with the command that measures it."""
    if workload.kind == "transcribe":
        return tuple(
            Option(name=name, model=name)
            for name in ("openai/whisper-1", "openai/gpt-4o-mini-transcribe", "groq/whisper-large-v3", "google/chirp-3")
        )
    if workload.kind == "generate":
        return tuple(
            Option(name=name, model=name)
            for name in (
                "google/veo-3.1-fast",
                "google/veo-3.1-lite",
                "runway/gen4_turbo",
                "xai/grok-imagine-video-1.5",
            )
        )
    machines = (
        Option(name="own T4", host=Host(name="t4", sku=_T4, network=_network(workload))),
        Option(name="own T4, one spare", host=Host(name="t4", sku=_T4, spare=1, network=_network(workload))),
        Option(name="Inferentia 2", host=Host(name="inf2", sku="aws/inf2.xlarge")),
        Option(
            name="serverless T4", host=Host(name="t4", sku="modal/t4", scale="serverless", network=_network(workload))
        ),
        Option(name="device", host=Host(name="device", sku="nvidia/jetson-orin-nano-super", scale="device")),
    )
    if workload.kind == "segment":
        apis = (
            Option(name="image API", model="aws/rekognition/group2"),
            Option(name="video API", model="aws/rekognition/video-stored"),
            Option(name="SAM 3 by the block", model="fal/sam-3"),
            Option(name="token model", model="gemini-3.8-flash"),
        )
        hybrid = Option(
            name="device first, T4 for the hard share",
            first=Host(name="device", sku="nvidia/jetson-orin-nano-super", scale="device"),
            host=Host(name="t4", sku=_T4, network=_network(workload)),
        )
        return (*apis, *machines, hybrid)
    return (
        Option(name="image API, one frame a second", model="google/vision/label", fps=1.0),
        Option(name="video API", model="google/video-intelligence/label"),
        Option(name="video analysis by the minute", model="twelvelabs/pegasus"),
        Option(name="token model", model="gemini-3.8-flash"),
        Option(name="small token model", model="gemini-3.5-flash-lite"),
        *machines,
    )


def _network(workload: Workload) -> str:
    return _NETWORK if workload.kind == "segment" else ""
