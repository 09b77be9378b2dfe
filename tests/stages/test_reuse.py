"""Repetition is used up: what one part has saved, no other part can save again."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import DocumentError
from reelwise.flow import Item
from reelwise.stages import Reuse, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

UNIQUE = 120 / (3 * 4)


@pytest.mark.parametrize("parts", list(product([False, True], repeat=3)))
def test_at_most_the_repetition_is_saved_whatever_is_turned_on(
    expect: Callable[..., Any], item: Item, parts: tuple[bool, bool, bool]
) -> None:
    views, duplicates, answers = parts
    (after,), out = expect(Reuse(views=views, duplicates=duplicates, answers=answers), item)
    by_part = 120 / (3 if views else 1) / (4 if duplicates else 1)
    assert after.count == pytest.approx(UNIQUE if answers else by_part)
    assert after.count / (after.views * after.duplicates) == pytest.approx(UNIQUE), "what is left is still repeated"
    assert len(out.usages) == (1 if any(parts) else 0), "what is kept costs storage"


def test_precomputing_leaves_the_answer_cache_only_duplicates(expect: Callable[..., Any], item: Item) -> None:
    (both,), _ = expect(Reuse(views=True, answers=True), item)
    (precomputed,), _ = expect(Reuse(views=True), item)
    assert precomputed.count / both.count == pytest.approx(4)
    (again,), _ = expect(Reuse(views=True, answers=True), both)
    assert again.count == pytest.approx(both.count), "the same repetition is not saved twice"


def test_a_precomputed_item_without_duplicates_has_nothing_left_to_cache(
    expect: Callable[..., Any], item: Item
) -> None:
    from msgspec.structs import replace

    unique = replace(item, duplicates=1.0)
    (one,), _ = expect(Reuse(views=True), unique)
    (two,), _ = expect(Reuse(views=True, answers=True), unique, cache__answer_hit_share=0.9)
    assert one.count == pytest.approx(two.count) == pytest.approx(40)


@given(hits=st.floats(0, 1), views=st.floats(1, 100), duplicates=st.floats(1, 100))
def test_a_cache_finds_its_share_and_never_more_than_is_repeated(
    expect: Callable[..., Any], hits: float, views: float, duplicates: float
) -> None:
    one = Item(count=100.0, seconds=1.0, frames=1.0, width_px=10, height_px=10, views=views, duplicates=duplicates)
    (after,), _ = expect(Reuse(answers=True), one, cache__answer_hit_share=hits)
    most = 1 - 1 / (views * duplicates)
    assert after.count == pytest.approx(100 * (1 - min(hits, most)))
    assert after.views >= 1
    assert after.duplicates == 1


def test_storage_is_by_what_is_kept(expect: Callable[..., Any], item: Item) -> None:
    _, out = expect(Reuse(views=True, duplicates=True, megabytes=2, months=3), item)
    (usage,) = out.usages
    assert usage.unit == "gb_month"
    assert usage.quantity == pytest.approx(UNIQUE * 2 / 1000 * 3)


@given(hits=st.floats(0, 1))
def test_questions_that_mean_the_same_are_asked_less_by_the_share_that_was_found(
    expect: Callable[..., Any], hits: float
) -> None:
    one = Item(count=100.0, seconds=1.0, frames=1.0, width_px=10, height_px=10, questions=6.0)
    (known,), _ = expect(Reuse(questions=True), one, reuse__question_hit_share=hits)
    (unknown,), out = expect(Reuse(questions=True), one)

    assert known.questions == pytest.approx(6 * (1 - hits))
    assert known.count == unknown.count == 100
    assert unknown.questions == 6, "nothing is promised that was not seen"
    assert len(out.usages) == 1, "what is kept costs storage"


def test_frames_are_left_out_where_they_are_chosen(expect: Callable[..., Any]) -> None:
    one = Item(count=1.0, seconds=60.0, frames=1500.0, width_px=640, height_px=360)
    (told,), out = expect(Reuse(frames=True), one)
    (chosen,), _ = expect(Sample(fps=1.0), told, reuse__frames_again_share=0.25)
    (unknown,), _ = expect(Sample(fps=1.0), told)
    (without,), _ = expect(Sample(fps=1.0), one, reuse__frames_again_share=0.25)

    assert told.frames == 1500
    assert not out.usages
    assert (chosen.frames, unknown.frames, without.frames) == (45, 60, 60)


def test_what_is_reused_in_all_lanes_has_no_lane() -> None:
    with pytest.raises(DocumentError, match="in all lanes"):
        Reuse(questions=True, lane="easy").check("plan")
