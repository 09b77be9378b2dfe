"""Fixed cameras that the project draws itself: one yard a seed, other things happen each time. As luma grids, 8 a second."""

from __future__ import annotations

import numpy as np

from reelwise.video.scene import draw_background, draw_car, draw_cat, draw_person
from reelwise.video.shapes import Canvas

WIDTH, HEIGHT, RATE = 320, 180, 8


def _cast(camera: int, take: int, seconds: int) -> tuple[np.random.Generator, list[tuple]]:
    rng = np.random.default_rng([camera, take])
    return rng, [
        (
            rng.choice(["car", "cat", "person"]),
            rng.uniform(-1, seconds - 2),  # starts
            rng.uniform(2.0, 4.5),  # lasts
            rng.choice([-1.0, 1.0]),
            rng.uniform(-0.3, 0.4),  # nearer or farther
            rng.uniform(0.4, 1.0),  # how much it stands out
        )
        for _ in range(max(1, seconds // 4))
    ]


def drawn_activity(camera: int, take: int, seconds: int) -> tuple[tuple[float, float], ...]:
    """Say when somebody is in the picture."""
    _, cast = _cast(camera, take, seconds)
    return tuple((max(0.0, start + 0.15 * lasts), start + 0.85 * lasts) for _, start, lasts, *_ in cast)


def drawn_stretch(camera: int, take: int, seconds: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw one take of a camera: times float64 (n,), luma grids uint8 (n, 90, 160); somebody moves most of the time."""
    ground = draw_background(WIDTH, HEIGHT, np.random.default_rng(camera))
    rng, cast = _cast(camera, take, seconds)
    light = rng.uniform(0.9, 1.05)
    grids = np.empty((seconds * RATE, HEIGHT // 2, WIDTH // 2), np.uint8)
    for index in range(len(grids)):
        time = index / RATE
        canvas = Canvas(WIDTH, HEIGHT, (0, 0, WIDTH, HEIGHT))
        canvas.rgb[:] = ground
        for kind, start, lasts, way, near, tone in cast:
            part = (time - start) / lasts
            if not 0 <= part < 1:
                continue
            empty = canvas.rgb.copy()
            x = -2 + part * 20 if way > 0 else 18 - part * 20
            if kind == "car":
                draw_car(canvas, x, 7.3 + near)
            elif kind == "cat":
                draw_cat(canvas, x, 8.2 + near, part * 9, facing=way)
            else:
                draw_person(canvas, x, 6.4 + near, part * 6, facing=way, parcel=bool(near > 0))
            canvas.rgb[:] = empty + tone * (canvas.rgb - empty)
        luma = 16 + light * (canvas.rgb @ np.array([0.257, 0.504, 0.098], np.float32))
        noisy = luma[::2, ::2] + rng.normal(0, 1.5, (HEIGHT // 2, WIDTH // 2))
        grids[index] = np.clip(noisy, 16, 235).astype(np.uint8)
    return np.arange(len(grids)) / RATE, grids
