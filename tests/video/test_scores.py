"""Scores come from files and functions; what is no score is refused with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reelwise.errors import DocumentError, InputError
from reelwise.video import choose, read_scores, score_pictures, scores_of, scores_outside, with_scores

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"0": 0.1, "2": 0.5, "1": 0.25}'),
        ("a.json", '{"scores": {"0": 0.1, "2": 0.5, "1": 0.25}}'),
        ("a.json", "[[0, 0.1], [1, 0.25], [2, 0.5]]"),
        ("a.json", '[{"second": 0, "score": 0.1}, {"seconds": 1, "score": 0.25}, {"second": 2, "score": 0.5}]'),
        ("a.csv", "0,0.1\n1,0.25\n\n2,0.5\n"),
        ("a.csv", "second,score\n0, 0.1\n2, 0.5\n1, 0.25"),
        ("a.txt", "\ufeffseconds,similarity\r\n0,0.1\r\n1,0.25\r\n2,0.5\r\n"),
    ],
)
def test_files(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    scores = read_scores(tmp_path / name)
    assert scores.seconds.tolist() == [0, 1, 2]
    assert scores.values.tolist() == [0.1, 0.25, 0.5]
    assert scores.step == 1.0
    assert scores.above_median()[1].tolist() == [0.0, 0.0, 0.25]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no score"),
        ("{}", "no score"),
        ("[]", "no score"),
        ("{broken", "not JSON"),
        ("[" * 5000, "not JSON"),
        ('{"a": 1}', "not a number: 'a'"),
        ('{"1": true}', "not a number: True"),
        ('{"1": null}', "not a number"),
        ("[[1]]", r"\[0\]: not a second"),
        ("[[1, 2], 3]", r"\[1\]: not a second"),
        ('[{"score": 3}]', "not a number: None"),
        ("[[1, NaN]]", "nan at second 1"),
        ("[[-1, 2]]", "second -1"),
        ("[[1, 2], [1, 3]]", "two scores for second 1"),
        ("1,2,3\n", "line 1: not two columns"),
        ("1,2\nx,3\n", "line 2: not a number"),
        ("1,inf", "inf"),
    ],
)
def test_what_is_no_score_is_refused_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "scores").write_text(text)
    with pytest.raises(DocumentError, match=says) as error:
        read_scores(tmp_path / "scores")
    assert error.value.where.startswith(str(tmp_path / "scores"))
    assert error.value.hint


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        read_scores(tmp_path / "none.csv")


def test_a_function_scores_pictures(demo_track: Any) -> None:
    seen = []

    def score(picture: Any) -> float:
        seen.append(picture.shape)
        return float(picture.mean())

    scores = score_pictures(demo_track, score, every_seconds=4.0, long_side=64)
    assert seen == [(36, 64, 3)] * 8
    assert scores.seconds.tolist() == [0, 4, 8, 12, 16, 20, 24, 28]
    assert (scores.values > 0).all()
    with pytest.raises(InputError, match="returned None"):
        score_pictures(demo_track, lambda _: None, every_seconds=20)  # type: ignore[arg-type, return-value]
    with pytest.raises(InputError, match="every_seconds"):
        score_pictures(demo_track, score, every_seconds=0)


def test_scores_of_another_clip_or_in_milliseconds_are_refused(demo_track: Any) -> None:
    assert scores_outside(scores_of([(0, 1), (29, 2), (31, 3), (60, 4)]), 30.0) == 2
    milliseconds = scores_of((1000 * second, second) for second in range(40, 60))
    for use in (
        lambda: scores_outside(milliseconds, 30.0, where="a.csv"),
        lambda: choose(demo_track, 4, by="question", scores=milliseconds),
        lambda: with_scores(demo_track, milliseconds),
    ):
        with pytest.raises(InputError, match=r"the first is of second 40,000.0, and the clip ends at 30.0") as error:
            use()
        assert error.value.where
        assert "not milliseconds" in error.value.hint


def test_too_many_scores_are_refused() -> None:
    with pytest.raises(InputError, match="over 1,000,000"):
        scores_of((i, 0) for i in range(1_000_001))
