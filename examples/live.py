"""A segmentation model behind `Adaptive`: five lines, for a fixed price an hour. Run: `python examples/live.py`.

The model here is a stand-in for an image API at 0.001 dollars a picture, and the camera a drawn one, so that nothing is sent
anywhere. Put your own function from a frame (RGB uint8, height x width x 3) to a mask (0..1) in its place; it may be async.
"""

from __future__ import annotations

import asyncio
import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

import reelwise
from reelwise.live import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

FPS = 10
WAITS = Limits(
    wait_seconds=None
)  # this camera is faster than time: let each frame wait for its mask. A real one needs no such line


def camera(seconds: int) -> Iterator[tuple[float, np.ndarray[Any, Any]]]:
    """Draw somebody who sits still, and now and then leans to a side."""
    ground = np.random.default_rng(1).integers(60, 120, (180, 320, 3), np.uint8)
    for index in range(seconds * FPS):
        at = index / FPS
        lean = 60 * math.sin(2 * math.pi * at) if at % 20 > 16 else 0.0
        frame = ground.copy()
        left = int(120 + lean)
        frame[40:180, left : left + 80] = (210, 170, 150)
        yield at, frame


def image_api(frame: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Stand in for an image API: from a frame to a mask."""
    return (frame[..., 0] > 150).astype(np.float32)


def sync() -> None:
    """Spend 1.50 dollars an hour on a stream that would cost 36."""
    adaptive = reelwise.Adaptive(image_api, usd_an_hour="1.50", usd_per_call="0.001", limits=WAITS)
    for at, frame in camera(seconds=60):
        mask = adaptive(frame, at)  # every frame gets one
        assert mask.max() <= 1.0  # noqa: S101 - here the mask would be used
    receipt = adaptive.close()
    print(
        f"{receipt.frames} frames, {receipt.inferences} inferences: {receipt.cost_usd:.3f} dollars, "
        f"{receipt.cost_usd_every_frame:.3f} if every frame had been sent"
    )


async def with_everything() -> None:
    """Hold a quality instead, from an event loop, with modes, a budget's ledger and a second model on the device."""

    async def slow_api(frame: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        await asyncio.sleep(0.001)
        return image_api(frame)

    watching = threading.Event()
    watching.set()
    with reelwise.Ledger(":memory:", thread=False) as ledger:
        async with reelwise.Adaptive(
            slow_api, quality=0.95, usd_per_call="0.001", fallback=image_api, ledger=ledger, feature="blur", user="u1",
            reader=watching.is_set, limits=WAITS, on_mode_change=lambda change: print(f"  shown to the user: {change.message}"),
        ) as adaptive:  # fmt: skip
            for at, frame in camera(seconds=30):
                if at == 10:
                    adaptive.choose("saver")
                if at == 20:
                    watching.clear()  # nobody looks any more: not one more call
                await adaptive.see(frame, at)
    receipt = adaptive.receipt()
    print(f"{receipt.frames} frames, {receipt.inferences} inferences, {len(receipt.mode_changes)} changes of mode")


if __name__ == "__main__":
    sync()
    asyncio.run(with_everything())
