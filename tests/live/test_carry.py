"""Drawn people (discs and bars) over drawn rooms, with exact masks: what the carrier makes of them without asking again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from reelwise.live.carry import Carrier
from reelwise.live.masks import iou

HEIGHT, WIDTH = 240, 320
SIZE = (96, 96)


def room(seed=3, *, rough=40):
    rng = np.random.default_rng(seed)
    wall = cv2.resize(rng.integers(90, 90 + rough, (12, 16, 3), dtype=np.uint8), (WIDTH, HEIGHT))
    return cv2.add(wall, rng.integers(0, 8, wall.shape, dtype=np.uint8))


def cloth(seed=5):
    rng = np.random.default_rng(seed)
    weave = cv2.resize(rng.integers(0, 90, (30, 40, 3), dtype=np.uint8), (WIDTH, HEIGHT))
    return cv2.add(weave, np.full_like(weave, (120, 10, 20), dtype=np.uint8))


def scene(x, y=120, *, radius=50, background=None, wear=None):
    """Return a frame with a disc at x, y, and its exact mask."""
    background = room() if background is None else background
    shape = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(shape, (round(x * 16), round(y * 16)), radius * 16, 255, -1, shift=4)
    wear = cloth() if wear is None else wear
    moved = np.roll(wear, (round(y), round(x)), axis=(0, 1))
    frame = np.where(shape[..., None] > 0, moved, background).astype(np.uint8)
    return frame, cv2.resize(shape, (SIZE[1], SIZE[0]), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def asked(frame, mask):
    carrier = Carrier(SIZE)
    carrier.see(frame)
    carrier.answer(carrier.ask(), mask)
    return carrier


def test_it_has_no_mask_before_the_first_answer():
    carrier = Carrier(SIZE)
    carrier.see(scene(160)[0])

    assert carrier.mask is None
    assert carrier.need == 0


def test_the_answer_itself_is_the_mask_of_its_own_frame():
    frame, mask = scene(160)

    assert np.array_equal(asked(frame, mask).mask, mask)


def test_each_mask_is_an_array_of_its_own():
    frame, mask = scene(160)
    carrier = asked(frame, mask)
    for x in (160, 160, 164, 164):
        carrier.see(scene(x)[0])
        before = carrier.mask.copy()
        carrier.mask[:] = 0

        assert np.array_equal(carrier.mask, before)


def test_a_still_picture_keeps_its_mask_and_asks_for_nothing():
    frame, mask = scene(160)
    carrier = asked(frame, mask)
    for _ in range(300):
        carrier.see(frame)

    assert np.array_equal(carrier.mask, mask)
    assert carrier.need < 0.1
    assert carrier.age == 300


@pytest.mark.parametrize("step", [0.5, 2, 4])
def test_a_mask_follows_what_it_is_of(step):
    carrier = asked(*scene(100))
    for index in range(1, 21):
        frame, mask = scene(100 + index * step)
        carrier.see(frame)

    assert iou(mask, carrier.mask) > 0.93
    assert iou(mask, scene(100)[1]) < 0.93  # what showing the last mask again would give


def test_a_slow_drift_is_not_let_through():
    """Each frame is nearly the one before: comparing neighbours (the article's recipe) would never ask."""
    carrier = asked(*scene(100))
    background, wear = room(), cloth()
    for index in range(1, 241):
        frame, mask = scene(100 + index * 0.25, background=background, wear=wear)
        carrier.see(frame)

    assert iou(mask, carrier.mask) > 0.9 or carrier.need >= 1


def test_what_an_arm_uncovers_becomes_wall_again():
    background = room(rough=6)
    before, after = scene(120, background=background, radius=30), scene(200, background=background, radius=30)
    carrier = asked(*before)
    for index in range(1, 9):
        carrier.see(scene(120 + index * 10, background=background, radius=30)[0])

    where_it_was = (before[1] > 0.5) & (after[1] < 0.5)
    assert carrier.mask[where_it_was].mean() < 0.15


def test_somebody_who_comes_in_is_asked_about_at_once():
    empty = room()
    carrier = asked(empty, np.zeros(SIZE, np.float32))
    carrier.see(empty)
    quiet = carrier.need
    carrier.see(scene(20, background=empty)[0])

    assert quiet < 0.1
    assert carrier.need >= 1


def test_a_cut_is_asked_about():
    carrier = asked(*scene(160))
    carrier.see(np.rot90(room(9, rough=160), 2).copy())

    assert carrier.need >= 1


def test_light_that_changes_everywhere_is_not():
    frame, mask = scene(160)
    carrier = asked(frame, mask)
    for index in range(1, 11):
        carrier.see(cv2.add(frame, np.full_like(frame, index * 3)))

    assert carrier.need < 1
    assert iou(mask, carrier.mask) > 0.97


def test_noise_is_not():
    rng = np.random.default_rng(1)
    frame, mask = scene(160)
    carrier = asked(frame, mask)
    for _ in range(5):
        carrier.see(np.clip(frame + rng.normal(0, 10, frame.shape), 0, 255).astype(np.uint8))

    assert carrier.need < 1
    assert iou(mask, carrier.mask) > 0.95


def test_something_in_the_background_that_a_model_calls_background_is_asked_about_less_and_less():
    """A screen that flickers in an empty room must not cost an inference for each of its frames."""
    rng = np.random.default_rng(2)
    empty = room()
    carrier = asked(empty, np.zeros(SIZE, np.float32))
    asks = []
    for _ in range(60):
        frame = empty.copy()
        frame[20:90, 20:110] = rng.integers(0, 255, 3, dtype=np.uint8)
        carrier.see(frame)
        asks.append(carrier.need >= 1)
        if asks[-1]:
            carrier.answer(carrier.ask(), np.zeros(SIZE, np.float32))

    assert sum(asks[:8]) >= 6
    assert sum(asks[30:]) <= 12


def test_an_answer_that_comes_late_is_carried_to_the_newest_frame():
    carrier = Carrier(SIZE)
    frame, mask = scene(100)
    carrier.see(frame)
    ticket = carrier.ask()
    for index in range(1, 13):
        late, now = scene(100 + index * 3)
        carrier.see(late)
    carrier.answer(ticket, mask)

    assert carrier.age == 12
    assert iou(now, carrier.mask) > 0.88
    assert iou(now, mask) < 0.7


def test_answers_may_come_for_several_frames_and_tickets_are_bounded():
    carrier = Carrier(SIZE)
    tickets = []
    for index in range(12):
        carrier.see(scene(100 + index * 3)[0])
        tickets.append(carrier.ask())
    newest = scene(100 + 11 * 3)[1]
    carrier.answer(tickets[10], scene(100 + 10 * 3)[1])

    assert len(carrier._tickets) <= 4
    assert iou(newest, carrier.mask) > 0.85
    assert carrier.age == 1


def test_a_mask_of_another_shape_than_the_thumbnail_is_carried():
    carrier = Carrier((60, 200))
    frame, mask = scene(100)
    wide = cv2.resize(mask, (200, 60), interpolation=cv2.INTER_AREA)
    carrier.see(frame)
    carrier.answer(carrier.ask(), wide)
    later, truth = scene(106)
    carrier.see(later)

    assert carrier.mask.shape == (60, 200)
    assert iou(cv2.resize(truth, (200, 60), interpolation=cv2.INTER_AREA), carrier.mask) > 0.9


@pytest.mark.parametrize("shape", [(2, 2), (17, 640), (1080, 1920), (480, 2)])
def test_frames_of_any_size_are_taken(shape):
    carrier = Carrier(SIZE)
    rng = np.random.default_rng(0)
    for _ in range(2):
        carrier.see(rng.integers(0, 255, (*shape, 3), dtype=np.uint8))
        carrier.answer(carrier.ask(), np.zeros(SIZE, np.float32))
        carrier.see(rng.integers(0, 255, (*shape, 3), dtype=np.uint8))

    assert np.isfinite(carrier.need)
    assert np.isfinite(carrier.mask).all()
