from __future__ import annotations

import numpy as np
import pytest

from reelwise.models import People

pytest.importorskip("cv2")


class Marks:
    """A model that marks rectangles, as (top, bottom, left, right) in places of its mask."""

    def __init__(self, size, *boxes):
        self.name, self.size, self.calls = "marks", size, 0
        self._mask = np.zeros(size, np.float32)
        for top, bottom, left, right in boxes:
            self._mask[top:bottom, left:right] = 0.9

    def __call__(self, frame):  # noqa: ARG002 - whatever the frame
        self.calls += 1
        return self._mask


FRAME = np.zeros((288, 512, 3), np.uint8)


def test_a_box_around_what_both_see():
    both = People(networks=(Marks((144, 256), (20, 120, 50, 100)), Marks((256, 256), (71, 256, 50, 150))))

    (box,) = both(FRAME)

    assert box == pytest.approx((100, 80, 200, 240), abs=4)


def test_what_only_one_sees_is_no_person():
    bottle = People(networks=(Marks((144, 256), (20, 120, 50, 100)), Marks((256, 256), (0, 256, 150, 250))))

    assert bottle(FRAME) == []
    assert not bottle.mask(FRAME).any()


def test_two_people_have_two_boxes():
    pair = (20, 120, 10, 60), (30, 110, 180, 220)
    two = People(networks=(Marks((144, 256), *pair), Marks((144, 256), *pair)))

    assert len(two(FRAME)) == 2


def test_specks_are_nobody():
    speck = People(networks=(Marks((144, 256), (20, 32, 50, 62)), Marks((144, 256), (20, 32, 50, 62))))

    assert speck.mask(FRAME).any()
    assert speck(FRAME) == []  # under half a percent of the picture


def test_where_the_first_sees_nobody_the_second_is_not_asked():
    second = Marks((144, 256), (20, 120, 50, 100))

    assert People(networks=(Marks((144, 256)), second))(FRAME) == []
    assert second.calls == 0


def test_the_person_of_the_portrait_and_nobody_in_the_room(portrait, person_models):
    from reelwise.portrait import cut_portrait, portrait_frames

    people = People(folder=person_models)
    frames = list(portrait_frames(cut_portrait(portrait), 16, width=640, height=360, fps=1))

    for frame, alpha in (frames[1], frames[6]):
        (box,) = people(frame)
        down, across = np.nonzero(alpha > 0.5)
        truth = across.min(), down.min(), across.max(), down.max()
        assert box == pytest.approx(truth, abs=24)
    assert people(frames[12][0]) == []
