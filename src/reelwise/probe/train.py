"""Train the student with PyTorch on the processor (extra `train`): some half a minute for a camera."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from reelwise.errors import InputError, MissingExtraError
from reelwise.probe.student import BLOCKS, EPSILON, drawn, student

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["STEPS", "TRAIN_HINT", "pytorch", "trained"]

STEPS = 500
TRAIN_HINT = "pip install 'reelwise[live,train]' with PyTorch's builds for processors alone (pytorch.org, compute platform CPU): docs/models.md"
_BATCH = 12
_RATE = 4e-3
_STEPS_MAX = 20_000
_MOMENTUM = 0.1
_SHIFT, _GROW, _GAIN = 0.15, 0.15, 0.25


def pytorch() -> Any:
    """Import PyTorch, or raise `MissingExtraError`."""
    try:
        import torch
    except ImportError:
        raise MissingExtraError("training needs PyTorch, which is not installed", hint=TRAIN_HINT) from None
    return torch


def trained(
    pictures: NDArray[np.uint8],
    masks: NDArray[np.float32],
    *,
    steps: int = STEPS,
    threads: int = 1,
    seed: int = 0,
    say: Callable[[str], None] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Train a student to answer as its teacher does.

    Args:
        pictures: uint8 (n, 3, 128, 128), RGB.
        masks: the teacher's, float32 (n, 128, 128), 0..1.
        steps: of training.
        threads: cores; one takes the fewest CPU seconds by far, these layers are small.
        seed: of the first weights and of what is drawn on the way; equal arguments give (almost) equal weights.
        say: is told how it goes.

    Returns:
        Weights for `student.to_onnx`.

    Raises:
        MissingExtraError: PyTorch is not installed.
        InputError: steps out of range, or arrays that do not fit.
    """
    torch = pytorch()
    if not 1 <= steps <= _STEPS_MAX:
        raise InputError(f"{steps} steps", where="--steps", hint=f"1 to {_STEPS_MAX:,}")
    if len(pictures) != len(masks) or pictures.shape[1:] != (3, *masks.shape[1:]):
        raise InputError(f"{pictures.shape} and {masks.shape} do not fit", where="probe", hint="one mask a picture")
    torch.set_num_threads(threads)
    weights = {name: torch.from_numpy(value.copy()) for name, value in drawn(seed).items()}
    learned = [value.requires_grad_() for name, value in weights.items() if not name.endswith((".mean", ".variance"))]
    by = _Torch(torch, weights)
    optimiser = torch.optim.Adam(learned, lr=_RATE)
    draw = torch.Generator().manual_seed(seed)
    given, wanted = torch.from_numpy(pictures), torch.from_numpy(np.ascontiguousarray(masks, np.float32))
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        chosen = torch.randint(0, len(given), (_BATCH,), generator=draw)
        picture, mask = _varied(torch, given[chosen], wanted[chosen], draw)
        loss = _loss(torch, student(by, picture), mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if say is not None and (step + 1) % 100 == 0:
            say(f"step {step + 1} of {steps}: loss {float(loss.detach()):.4f}")
    return {name: value.detach().numpy() for name, value in weights.items()}


def _loss(torch: Any, logits: Any, mask: Any) -> Any:
    """Return cross entropy, and how much of the union is not shared: the one for each place, the other for the shape."""
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, mask)
    seen = torch.sigmoid(logits)
    shared = (seen * mask).sum((1, 2, 3))
    either = (seen + mask - seen * mask).sum((1, 2, 3))
    return each + (1 - (shared + 1) / (either + 1)).mean()


def _varied(torch: Any, pictures: Any, masks: Any, draw: Any) -> tuple[Any, Any]:
    """Mirror, move, scale and light pictures at random, with their masks: a person will not sit where she sat."""
    count = len(pictures)
    mirrored = torch.randint(0, 2, (count,), generator=draw) * 2.0 - 1.0
    scale = 1 + (torch.rand(count, generator=draw) * 2 - 1) * _GROW
    move = (torch.rand(count, 2, generator=draw) * 2 - 1) * _SHIFT
    zero = torch.zeros(count)
    rows = [torch.stack([scale * mirrored, zero, move[:, 0]], 1), torch.stack([zero, scale, move[:, 1]], 1)]
    functional = torch.nn.functional
    grid = functional.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    light = 1 + (torch.rand(count, 1, 1, 1, generator=draw) * 2 - 1) * _GAIN
    moved = functional.grid_sample(pictures / 255.0, grid, padding_mode="reflection", align_corners=False)
    mask = functional.grid_sample(masks[:, None], grid, padding_mode="reflection", align_corners=False)
    return (moved * light).clamp(0, 1).contiguous(memory_format=torch.channels_last), mask


class _Torch:
    """The student's operations in PyTorch, as they are while it is trained; `weights` are changed in place."""

    def __init__(self, torch: Any, weights: dict[str, Any]) -> None:
        self._torch, self._functional, self._weights = torch, torch.nn.functional, weights

    def _normal(self, one: Any, name: str) -> Any:
        given = [self._weights[f"{name}.{what}"] for what in ("mean", "variance", "gain", "shift")]
        return self._functional.batch_norm(one, *given, training=True, momentum=_MOMENTUM, eps=EPSILON).relu()

    def stem(self, picture: Any) -> Any:
        """See `student.Operations`."""
        return self._normal(
            self._functional.conv2d(picture, self._weights["stem.spatial"], stride=2, padding=1), "stem"
        )

    def block(self, one: Any, name: str) -> Any:
        """See `student.Operations`."""
        inside, _, stride = BLOCKS[name]
        spatial, mix = self._weights[f"{name}.spatial"], self._weights[f"{name}.mix"]
        one = self._functional.conv2d(one, spatial, stride=stride, padding=1, groups=inside)
        return self._normal(self._functional.conv2d(one, mix), name)

    def up(self, one: Any) -> Any:
        """See `student.Operations`."""
        return self._functional.interpolate(one, scale_factor=2, mode="bilinear", align_corners=False)

    def join(self, one: Any, two: Any) -> Any:
        """See `student.Operations`."""
        return self._torch.cat([one, two], 1)

    def head(self, one: Any) -> Any:
        """See `student.Operations`."""
        return self._functional.conv2d(one, self._weights["head.mix"], self._weights["head.bias"])
