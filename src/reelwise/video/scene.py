"""A loading bay at dusk, as a fixed camera sees it: the still background, and what may enter it."""

from __future__ import annotations

import math

import numpy as np

from reelwise.video.shapes import Canvas, Field, clouds

__all__ = ["draw_background", "draw_car", "draw_cat", "draw_parcel", "draw_person"]

_HORIZON = 3.55
_GROUND = 5.55


def draw_background(width: int, height: int, rng: np.random.Generator) -> Field:
    """Draw the empty scene: RGB float32 (height, width, 3), 0..255."""
    canvas = Canvas(width, height)
    _sky(canvas, rng)
    _skyline(canvas, rng)
    _ground(canvas, rng)
    _fence(canvas)
    _building(canvas, rng)
    _doors(canvas)
    _van(canvas)
    _lamps(canvas)
    reach = np.hypot((canvas.x - 8) / 11.5, (canvas.y - 4.5) / 7.5)
    canvas.rgb *= (1.04 - 0.32 * np.clip(reach, 0, 1.2) ** 2)[..., None]
    canvas.rgb += rng.normal(0, 1.2, canvas.alpha.shape).astype(np.float32)[..., None]
    return np.clip(canvas.rgb, 0, 255)


def _sky(canvas: Canvas, rng: np.random.Generator) -> None:
    rows, columns = canvas.alpha.shape
    stops = (0.0, 1.3, 2.5, _HORIZON)
    tones = ((52, 66, 112), (104, 106, 148), (198, 142, 128), (246, 186, 128))
    for channel in range(3):
        line = np.interp(canvas.y[:, 0], stops, [tone[channel] for tone in tones])
        canvas.rgb[..., channel] = line[:, None]
    wisps = clouds(rng, rows, columns, (22, 5), 4)
    lit = np.clip(wisps - 0.15, 0, 1) * np.clip(1.25 - np.abs(canvas.y - 1.9) / 1.9, 0, 1)
    canvas.paint((0.75 * lit).astype(np.float32), (250, 176, 140))
    canvas.paint(canvas.oval(13.2, 3.7, 3.4, 1.5, blur=1.4) * 0.5, (255, 214, 150))


def _skyline(canvas: Canvas, rng: np.random.Generator) -> None:
    for x in np.arange(6.6, 16.6, 0.42):  # a far row of trees
        high = float(rng.uniform(0.28, 0.62))
        canvas.paint(canvas.oval(float(x), _HORIZON + 0.1, 0.42, high, blur=0.05), (70, 66, 82))
    for left, top, right in ((8.1, 2.55, 9.2), (9.25, 2.95, 10.5), (12.6, 2.7, 13.3), (14.4, 2.35, 15.1)):
        canvas.paint(canvas.box(left, top, right, _HORIZON + 0.3), (82, 78, 98))
        for x in np.arange(left + 0.12, right - 0.1, 0.2):
            for y in np.arange(top + 0.12, _HORIZON - 0.15, 0.2):
                if rng.random() < 0.45:
                    canvas.paint(canvas.box(float(x), float(y), float(x) + 0.08, float(y) + 0.1), (246, 196, 120))


def _ground(canvas: Canvas, rng: np.random.Generator) -> None:
    rows, columns = canvas.alpha.shape
    ground = canvas.box(-1, _HORIZON + 0.25, 17, 10)
    depth = np.clip((canvas.y - _HORIZON) / (9 - _HORIZON), 0, 1)
    grain = clouds(rng, rows, columns, (60, 60), 2) * 5 + rng.normal(0, 3.2, (rows, columns)) * (0.4 + depth)
    stains = clouds(rng, rows, columns, (7, 9), 3) * 7
    tone = 84 + 26 * (1 - depth) + (grain + stains) * (0.35 + 0.65 * depth)
    asphalt = np.stack((tone * 1.0, tone * 0.97, tone * 1.02), axis=-1).astype(np.float32)
    canvas.paint(ground, asphalt)
    verge = canvas.box(6.5, _HORIZON + 0.25, 17, 5.05)
    grass = np.stack((tone * 0.62, tone * 0.78, tone * 0.45), axis=-1).astype(np.float32)
    canvas.paint(verge, grass)
    canvas.paint(canvas.box(6.5, 5.0, 17, 5.12), (150, 144, 140))  # kerb
    for bottom in (7.6, 10.6, 13.6, 16.6):  # parking bays in perspective
        top = 8.1 + (bottom - 8.1) * 0.72
        stripe = [(top, 5.7), (top + 0.1, 5.7), (bottom + 0.16, 7.35), (bottom, 7.35)]
        canvas.paint(canvas.facet(stripe) * 0.75, (206, 200, 188))
    canvas.paint(canvas.box(-1, 8.05, 17, 8.17) * 0.5, (214, 186, 96))
    puddle = canvas.oval(10.4, 8.05, 1.35, 0.24, blur=0.12)
    canvas.paint(puddle * 0.55, (216, 164, 136))
    canvas.paint(canvas.oval(2.6, 7.55, 0.32, 0.09, blur=0.03), (58, 56, 60))  # a drain


def _fence(canvas: Canvas) -> None:
    area = canvas.box(6.9, 3.5, 16.3, 5.02)
    step = 0.16
    ups, downs = np.mod(canvas.x + canvas.y, step), np.mod(canvas.x - canvas.y, step)
    wire = np.maximum(canvas.soft(np.abs(ups - step / 2) - 0.006), canvas.soft(np.abs(downs - step / 2) - 0.006))
    canvas.paint(area * wire * 0.45, (58, 60, 66))
    for x in np.arange(7.0, 16.5, 1.55):
        canvas.paint(canvas.bar((float(x), 3.35), (float(x), 5.05), 0.045), (72, 74, 80))
        canvas.paint(canvas.bar((float(x) - 0.015, 3.35), (float(x) - 0.015, 5.05), 0.012), (170, 150, 140))
    canvas.paint(canvas.bar((6.9, 3.45), (16.4, 3.45), 0.03), (92, 92, 96))


def _building(canvas: Canvas, rng: np.random.Generator) -> None:
    rows, columns = canvas.alpha.shape
    wall = canvas.box(-1, 0.95, 6.75, _GROUND)
    canvas.shade(canvas.facet([(-1, 5.5), (6.75, 5.5), (7.9, 6.5), (-1, 6.5)], blur=0.5), 0.62)
    ribs = np.mod(canvas.x, 0.22) / 0.22
    fall = np.clip((canvas.y - 0.95) / 4.6, 0, 1)
    tone = 118 + 12 * np.cos(ribs * 2 * np.pi) + clouds(rng, rows, columns, (5, 30), 3) * 4 - 20 * fall
    steel = np.stack((tone * 0.86, tone * 0.92, tone * 1.04), axis=-1).astype(np.float32)
    canvas.paint(wall, steel)
    bricks_y = np.floor(canvas.y / 0.14)
    joint = np.maximum(
        canvas.soft(np.abs(np.mod(canvas.y, 0.14) - 0.07) * -1 + 0.06),
        canvas.soft(np.abs(np.mod(canvas.x + 0.16 * np.mod(bricks_y, 2), 0.32) - 0.16) * -1 + 0.15),
    )
    clay = 96 + clouds(rng, rows, columns, (64, 50), 2) * 12
    brick = np.stack((clay * 1.12, clay * 0.78, clay * 0.66), axis=-1).astype(np.float32)
    plinth = canvas.box(-1, 4.35, 6.75, _GROUND)
    canvas.paint(plinth, brick)
    canvas.paint(plinth * joint * 0.4, (128, 118, 110))
    canvas.paint(canvas.box(-1, 0.8, 6.95, 1.08), (62, 66, 78))
    canvas.paint(canvas.box(-1, 1.08, 6.9, 1.13), (34, 36, 44))
    canvas.paint(canvas.bar((6.6, 1.1), (6.6, 5.5), 0.045), (74, 78, 88))  # a rain pipe
    canvas.paint(canvas.box(1.15, 1.45, 4.45, 2.3, radius=0.06), (38, 72, 104))
    for x, tall in ((1.5, 0.42), (1.95, 0.3), (2.4, 0.42), (2.85, 0.24), (3.3, 0.42), (3.75, 0.36)):
        canvas.paint(canvas.box(x, 2.1 - tall, x + 0.26, 2.1, radius=0.03), (228, 226, 214))


def _doors(canvas: Canvas) -> None:
    canvas.paint(canvas.box(0.95, 2.72, 4.4, _GROUND), (54, 56, 64))
    slats = np.mod(canvas.y, 0.2) / 0.2
    tone = 158 - 34 * slats
    shutter = np.stack((tone, tone * 0.98, tone * 0.94), axis=-1).astype(np.float32) * np.ones_like(canvas.rgb)
    canvas.paint(canvas.box(1.1, 2.86, 4.25, _GROUND), shutter)
    canvas.paint(canvas.box(1.1, 5.36, 4.25, _GROUND), (44, 44, 48))
    for start in np.arange(1.1, 4.2, 0.3):  # warning stripes at its lower edge
        stripe = [
            (float(start) + 0.12, 5.38),
            (float(start) + 0.24, 5.38),
            (float(start) + 0.12, 5.53),
            (float(start), 5.53),
        ]
        canvas.paint(canvas.facet(stripe), (222, 176, 60))
    canvas.paint(canvas.box(5.0, 3.2, 6.2, _GROUND), (48, 50, 58))
    canvas.paint(canvas.box(5.1, 3.3, 6.1, _GROUND), (92, 60, 48))
    canvas.paint(canvas.box(5.3, 3.5, 5.9, 4.25, radius=0.04), (250, 214, 140))
    canvas.paint(canvas.bar((5.6, 3.5), (5.6, 4.25), 0.02), (92, 60, 48))
    canvas.paint(canvas.oval(5.95, 4.6, 0.05, 0.05), (210, 200, 170))
    canvas.paint(canvas.box(4.95, 5.5, 6.25, 5.66, radius=0.02), (128, 124, 122))
    for x in (0.55, 4.75):
        canvas.paint(canvas.bar((x, 5.1), (x, 5.9), 0.09), (226, 180, 52))
        canvas.paint(canvas.bar((x, 5.4), (x, 5.52), 0.092), (40, 40, 42))


def _van(canvas: Canvas) -> None:
    canvas.shade(canvas.oval(11.9, 6.62, 2.3, 0.26, blur=0.25), 0.45)
    body = np.maximum(
        canvas.box(9.9, 4.1, 12.9, 6.35, radius=0.16),
        canvas.facet([(12.7, 4.25), (13.25, 4.4), (13.85, 5.25), (13.95, 6.3), (12.7, 6.35)]),
    )
    tone = np.clip(214 - 44 * (canvas.y - 4.1) / 2.2, 120, 220)
    paint = np.stack((tone * 1.0, tone * 0.965, tone * 0.95), axis=-1) * np.ones_like(canvas.rgb)
    canvas.paint(body, paint.astype(np.float32))
    canvas.paint(canvas.facet([(12.75, 4.5), (13.2, 4.58), (13.68, 5.25), (12.75, 5.25)]), (52, 60, 78))
    canvas.paint(canvas.facet([(13.25, 4.58), (13.32, 4.62), (13.82, 5.25), (13.74, 5.25)]), (120, 130, 150))
    canvas.paint(canvas.box(9.95, 5.5, 12.7, 5.62), (46, 96, 130))
    canvas.paint(canvas.box(9.95, 5.68, 12.7, 5.73), (224, 150, 70))
    for x in (11.2, 12.68):
        canvas.paint(canvas.bar((x, 4.25), (x, 6.2), 0.012), (150, 144, 142))
    canvas.paint(canvas.box(9.88, 6.2, 13.98, 6.4, radius=0.05), (66, 66, 70))
    canvas.paint(canvas.box(13.72, 5.68, 13.96, 5.92, radius=0.05), (250, 240, 210))
    canvas.paint(canvas.box(9.88, 5.2, 9.98, 5.65, radius=0.03), (190, 44, 40))
    for x in (10.65, 13.1):
        _wheel(canvas, x, 6.38, 0.37)


def _wheel(canvas: Canvas, x: float, y: float, radius: float) -> None:
    canvas.paint(canvas.oval(x, y, radius, radius), (28, 28, 31))
    canvas.paint(canvas.oval(x, y, radius * 0.58, radius * 0.58), (138, 138, 144))
    canvas.paint(canvas.oval(x, y, radius * 0.2, radius * 0.2), (60, 60, 66))


def _lamps(canvas: Canvas) -> None:
    canvas.paint(canvas.box(5.35, 2.82, 5.85, 2.98, radius=0.04), (52, 54, 60))
    canvas.paint(canvas.box(5.4, 2.95, 5.8, 3.03, radius=0.03), (255, 246, 214))
    cone = np.clip(1 - np.hypot((canvas.x - 5.6) / 2.1, (canvas.y - 3.0) / 2.7), 0, 1) * np.clip(
        (canvas.y - 2.9) * 4, 0, 1
    )
    pool = canvas.oval(5.7, 6.15, 2.4, 0.75, blur=1.0)
    glow = (0.55 * cone**1.3 + 0.5 * pool).astype(np.float32)
    canvas.rgb += glow[..., None] * np.array((92, 66, 30), np.float32)
    canvas.paint(canvas.bar((8.25, 1.7), (8.25, 5.3), 0.055), (56, 58, 64))
    canvas.paint(canvas.bar((8.25, 1.7), (8.85, 1.6), 0.04), (56, 58, 64))
    canvas.paint(canvas.oval(8.9, 1.63, 0.2, 0.07), (255, 240, 200))
    halo = np.clip(1 - np.hypot(canvas.x - 8.9, canvas.y - 1.66) / 1.1, 0, 1) ** 2
    canvas.rgb += (halo * 0.8)[..., None].astype(np.float32) * np.array((110, 84, 46), np.float32)


def draw_person(canvas: Canvas, x: float, feet: float, phase: float, *, facing: float, parcel: bool) -> None:
    """Draw a walking figure, 1.75 units tall.

    Args:
        canvas: a part of the picture around the figure.
        x: where it stands, in units.
        feet: the ground under it, in units.
        phase: of the step, in turns.
        facing: 1 to the right, -1 to the left.
        parcel: whether it carries one.
    """
    swing = math.sin(phase * 2 * math.pi) * 0.26
    hip, neck = feet - 0.86, feet - 1.42
    canvas.paint(canvas.oval(x, feet + 0.02, 0.42, 0.07, blur=0.1) * 0.5, (30, 28, 30))
    for side, tone in ((-swing, (34, 38, 56)), (swing, (44, 50, 72))):
        knee = (x + side * 0.55 + 0.05 * facing, feet - 0.45)
        canvas.paint(canvas.bar((x, hip), knee, 0.105), tone)
        canvas.paint(canvas.bar(knee, (x + side, feet - 0.05), 0.085), tone)
        canvas.paint(canvas.bar((x + side, feet - 0.04), (x + side + 0.12 * facing, feet - 0.04), 0.055), (26, 24, 24))
    canvas.paint(canvas.bar((x, hip - 0.02), (x + 0.02 * facing, neck + 0.1), 0.2), (224, 120, 42))
    canvas.paint(canvas.bar((x - 0.19, hip - 0.2), (x + 0.19, hip - 0.2), 0.03), (236, 226, 170))
    hand = (x + 0.3 * facing, hip - 0.18) if parcel else (x - swing * 0.9, hip + 0.02)
    canvas.paint(canvas.bar((x, neck + 0.14), hand, 0.075), (204, 104, 36))
    canvas.paint(canvas.oval(hand[0], hand[1], 0.07, 0.07), (206, 160, 132))
    canvas.paint(canvas.oval(x + 0.03 * facing, neck - 0.12, 0.135, 0.16), (206, 160, 132))
    canvas.paint(canvas.box(x - 0.14, neck - 0.31, x + 0.14, neck - 0.16, radius=0.07), (44, 64, 92))
    canvas.paint(canvas.bar((x, neck - 0.17), (x + 0.21 * facing, neck - 0.165), 0.025), (44, 64, 92))
    if parcel:
        draw_parcel(canvas, x + 0.36 * facing, hip + 0.02)


def draw_parcel(canvas: Canvas, x: float, bottom: float) -> None:
    """Draw a cardboard box of 0.5 x 0.38 units standing at x."""
    canvas.paint(canvas.box(x - 0.26, bottom - 0.38, x + 0.26, bottom, radius=0.015), (186, 138, 88))
    canvas.paint(canvas.box(x - 0.26, bottom - 0.38, x + 0.26, bottom - 0.33), (206, 160, 108))
    canvas.paint(canvas.box(x - 0.045, bottom - 0.38, x + 0.045, bottom), (222, 196, 150))
    canvas.paint(canvas.box(x + 0.08, bottom - 0.2, x + 0.21, bottom - 0.09), (238, 234, 226))


def draw_car(canvas: Canvas, x: float, wheels: float) -> None:
    """Draw a car 3.6 units long, facing left, its middle at x."""
    canvas.paint(canvas.oval(x, wheels + 0.06, 1.95, 0.16, blur=0.22) * 0.6, (24, 24, 26))
    cabin = [(x - 0.75, wheels - 1.15), (x + 0.72, wheels - 1.15), (x + 1.45, wheels - 0.62), (x - 1.2, wheels - 0.62)]
    canvas.paint(canvas.facet(cabin), (128, 30, 34))
    tone = np.clip(176 - 70 * (canvas.y - (wheels - 0.72)) / 0.7, 60, 190)
    paint = np.stack((tone, tone * 0.2, tone * 0.22), axis=-1) * np.ones_like(canvas.rgb)
    canvas.paint(canvas.box(x - 1.8, wheels - 0.72, x + 1.8, wheels - 0.04, radius=0.2), paint.astype(np.float32))
    glass = [(x - 0.68, wheels - 1.07), (x - 0.02, wheels - 1.07), (x - 0.02, wheels - 0.66), (x - 1.02, wheels - 0.66)]
    canvas.paint(canvas.facet(glass), (58, 68, 88))
    glass = [(x + 0.06, wheels - 1.07), (x + 0.66, wheels - 1.07), (x + 1.2, wheels - 0.66), (x + 0.06, wheels - 0.66)]
    canvas.paint(canvas.facet(glass), (50, 58, 76))
    canvas.paint(canvas.box(x - 1.8, wheels - 0.2, x + 1.8, wheels - 0.04, radius=0.06), (44, 26, 28))
    canvas.paint(canvas.box(x - 1.79, wheels - 0.55, x - 1.55, wheels - 0.4, radius=0.06), (255, 246, 206))
    canvas.paint(canvas.box(x + 1.62, wheels - 0.56, x + 1.79, wheels - 0.38, radius=0.04), (216, 40, 36))
    canvas.paint(canvas.bar((x - 0.0, wheels - 0.62), (x - 0.0, wheels - 0.22), 0.01), (84, 20, 24))
    for wheel in (x - 1.12, x + 1.12):
        _wheel(canvas, wheel, wheels - 0.08, 0.3)


def draw_cat(canvas: Canvas, x: float, feet: float, phase: float, *, facing: float) -> None:
    """Draw a trotting cat, 0.9 units long."""
    swing = math.sin(phase * 2 * math.pi) * 0.1
    coat = (38, 36, 40)
    canvas.paint(canvas.oval(x, feet + 0.01, 0.46, 0.05, blur=0.08) * 0.5, (26, 26, 28))
    for offset, side in ((-0.26, swing), (-0.2, -swing), (0.22, -swing), (0.28, swing)):
        start = (x + offset * facing, feet - 0.2)
        canvas.paint(canvas.bar(start, (x + offset * facing + side, feet - 0.03), 0.035), coat)
    canvas.paint(canvas.bar((x - 0.26 * facing, feet - 0.27), (x + 0.24 * facing, feet - 0.27), 0.11), coat)
    canvas.paint(canvas.oval(x + 0.42 * facing, feet - 0.38, 0.11, 0.1), coat)
    for ear in (0.36, 0.47):
        canvas.paint(canvas.bar((x + ear * facing, feet - 0.44), (x + (ear + 0.01) * facing, feet - 0.51), 0.022), coat)
    tail = (x - 0.58 * facing, feet - 0.5 - swing * 0.4)
    canvas.paint(canvas.bar((x - 0.34 * facing, feet - 0.3), tail, 0.032), coat)
    canvas.paint(canvas.oval(x + 0.34 * facing, feet - 0.25, 0.05, 0.08), (196, 190, 182))
