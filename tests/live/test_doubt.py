from __future__ import annotations

import numpy as np

from reelwise.live.doubt import Doubt
from reelwise.live.thumb import SIDE

NONE = np.zeros((SIDE, SIDE), np.uint8)


def disc(radius=30.0):
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    return 255 * (np.hypot(x, y) < radius).astype(np.uint8)


def patch(size):
    marks = NONE.copy()
    marks[:size, :size] = 255
    return marks


def started(low=None):
    doubt = Doubt()
    doubt.reset(disc() if low is None else low)
    return doubt


def test_more_doubtful_places_make_more_need():
    needs = []
    for size in (0, 5, 10, 20, 40):
        doubt = started()
        doubt.mark(patch(size), NONE, NONE, NONE)
        needs.append(doubt.weigh(disc()))

    assert needs[0] == 0
    assert needs == sorted(needs)
    assert needs[-1] > 1


def test_small_errors_add_up():
    doubt = started()
    doubt.mark(patch(6), NONE, NONE, NONE)
    first = doubt.weigh(disc())
    for _ in range(800):
        last = doubt.weigh(disc())

    assert first < 1 <= last


def test_a_new_answer_begins_at_nothing():
    doubt = started()
    doubt.mark(patch(40), NONE, NONE, NONE)
    doubt.weigh(disc())
    doubt.reset(disc())

    assert doubt.weigh(disc()) == 0


def test_background_that_was_called_so_is_in_no_doubt():
    doubt = started()
    doubt.mark(patch(40), patch(40), NONE, patch(40))

    assert doubt.weigh(disc()) == 0


def test_a_mask_of_somebody_who_leaves_is_asked_about_and_one_who_leans_in_or_breathes_is_not():
    assert started().weigh(disc(20)) > 1
    assert started().weigh(disc(29)) < 0.1
    assert started().weigh(disc(40)) < 0.1


def test_answers_teach_how_much_doubt_means():
    def need_after(error):
        doubt = started()
        for _ in range(5):
            doubt.learn(0.05, error)
        doubt.mark(patch(10), NONE, NONE, NONE)
        return doubt.weigh(disc())

    assert need_after(0.0) < need_after(0.05) < need_after(0.4)
    assert need_after(0.4) <= 4.001 * need_after(0.0)  # bounded: half to twice


def test_an_empty_picture_that_somebody_enters_alarms_again():
    doubt = started(NONE)
    for _ in range(30):
        doubt.learn(0.5, 0.0)
    doubt.mark(NONE, patch(30), NONE, NONE)
    dulled = doubt.weigh(disc() * 0)
    doubt.learn(0.5, 1.0)
    doubt.reset(NONE)
    doubt.mark(NONE, patch(30), NONE, NONE)

    assert dulled < 1 <= doubt.weigh(disc() * 0)
