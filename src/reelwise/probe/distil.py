"""Distil a model to a camera: train a small student on the teacher's masks of some footage, and judge it on what it has not seen.

That is worth it where the teacher is dear (an API, a large network) and the scene closed. A student does not know people it has
not seen: held-back frames say how much that matters here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct

from reelwise.models.masks import MaskNetwork, opencv
from reelwise.probe.likeness import likeness_of, masks_of
from reelwise.probe.speed import side_by_side
from reelwise.probe.student import SIDE, to_onnx
from reelwise.probe.train import STEPS, pytorch, trained
from reelwise.probe.verdict import DISTIL, Floors, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.models.segment import SegmentModel
    from reelwise.probe.footage import Footage

__all__ = ["Distilled", "probe_distil"]


class Distilled(Struct, frozen=True, kw_only=True):
    """A student and what was found out about it.

    Attributes:
        verdict: whether it is taken.
        network: an ONNX file.
        frames_used: frames it was trained on.
        steps: of training.
        cpu_seconds: of training.
        weights: numbers it consists of.
    """

    verdict: Verdict
    network: bytes
    frames_used: int
    steps: int
    cpu_seconds: float
    weights: int


def probe_distil(
    teacher: SegmentModel,
    footage: Footage,
    *,
    floors: Floors = DISTIL,
    steps: int = STEPS,
    threads: int = 1,
    seed: int = 0,
    seconds: float = 4.0,
    clock: Literal["cpu", "wall"] = "cpu",
    say: Callable[[str], None] | None = None,
) -> Distilled:
    """Train a student and hold it against its teacher.

    Args:
        teacher: the model to copy.
        footage: frames to learn from, and held-back frames to judge on.
        floors: what it must reach.
        steps: of training.
        threads: cores for training; both are timed on one.
        seed: of training.
        seconds: how long both are timed.
        clock: cpu, or wall for a teacher that runs elsewhere.
        say: is told how it goes.

    Raises:
        MissingExtraError: PyTorch or onnx is not installed.
        InputError: the teacher failed, or answers what is no mask.
    """
    cv2, tell = opencv(), say or (lambda _: None)
    pytorch()  # before the teacher is asked: that may cost money
    tell(f"asking {teacher.name} for {len(footage.used)} masks to learn from")
    pictures = np.stack(
        [
            cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).transpose(
                2, 0, 1
            )  # as `MaskNetwork` scales
            for frame in footage.used
        ]
    )
    masks = np.stack(
        [cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for mask in masks_of(teacher, footage.used)]
    )
    began = time.process_time()
    weights = trained(pictures, np.clip(masks, 0, 1), steps=steps, threads=threads, seed=seed, say=tell)
    spent = time.process_time() - began
    network = to_onnx(weights)
    student = MaskNetwork(network, name=f"a student of {teacher.name}")
    tell(f"judging it on {len(footage.held)} frames that it has not seen")
    alike = likeness_of(masks_of(student, footage.held), masks_of(teacher, footage.held))
    speed = side_by_side(teacher, student, footage.held, seconds=seconds, clock=clock)
    return Distilled(
        verdict=judge("distil", speed, alike, floors),
        network=network,
        frames_used=len(footage.used),
        steps=steps,
        cpu_seconds=round(spent, 1),
        weights=sum(value.size for name, value in weights.items() if not name.endswith((".mean", ".variance"))),
    )
