"""Whether a clip has been seen: copies, parts, other moments of the same scene, and nothing at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelwise.duplicates import Index, seen
from reelwise.duplicates.index import Index as _Index
from reelwise.errors import InputError


def bright(grids):
    return np.clip(grids * 1.1 + 20, 0, 255).astype(np.uint8)


def crop(grids):
    return grids[:, 9:81, 16:144]


def corner(grids):
    return grids[:, 15:87, 2:130]


def boxed(grids):
    return np.pad(grids, ((0, 0), (15, 15), (0, 0)), constant_values=16)


def smaller(grids):
    return grids[:, ::2, ::2]


def noisy(grids):
    return np.clip(grids + np.random.default_rng(1).normal(0, 5, grids.shape), 0, 255).astype(np.uint8)


def logo(grids):
    marked = grids.copy()
    marked[:, 5:17, 125:155] = 235
    return marked


@pytest.fixture(scope="module")
def known(tmp_path_factory, footage, print_of):
    with Index(tmp_path_factory.mktemp("index") / "seen.db") as index:
        for scene in range(4):
            for take in range(3):
                index.add(print_of(footage(scene, take, 10)), f"{scene}-{take}")
        index.add(print_of(footage(9, 0, 10, movers=0)), "empty")
        yield index


@pytest.mark.parametrize("change", [np.copy, bright, crop, corner, boxed, smaller, noisy, logo])
@pytest.mark.parametrize("scene", [0, 3])
def test_a_copy_is_a_duplicate(known, footage, print_of, change, scene):
    answer = seen(known, print_of(change(footage(scene, 1, 10))))

    assert answer.verdict == "duplicate"
    assert answer.matches[0].clip == f"{scene}-1"
    assert answer.probability > 0.9
    assert [match.verdict for match in answer.matches].count("duplicate") == 1


@pytest.mark.parametrize("start", [0.0, 2.4, 5.75])
def test_a_part_is_found_with_its_times(known, footage, print_of, start):
    first = round(start * 8)
    match = seen(known, print_of(bright(footage(2, 2, 10)[first : first + 34]))).matches[0]

    assert (match.verdict, match.clip) == ("part", "2-2")
    assert match.stored[0] - match.asked[0] == pytest.approx(start, abs=0.3)


def test_a_longer_clip_contains_a_stored_one(known, footage, print_of):
    longer = np.concatenate((footage(7, 1, 6), footage(1, 0, 10), footage(8, 1, 6)))
    match = seen(known, print_of(longer)).matches[0]

    assert (match.verdict, match.clip) == ("part", "1-0")
    assert match.asked == pytest.approx((6, 16), abs=1.1)


def test_a_crop_that_is_stored_is_found(tmp_path, footage, print_of):
    with Index(tmp_path / "i.db") as index:
        index.add(print_of(crop(footage(0, 0, 10))), "crop")
        match = seen(index, print_of(footage(0, 0, 10))).matches[0]

    assert (match.verdict, match.clip) == ("duplicate", "crop")
    assert match.crop[0] > 1


def test_another_moment_of_the_same_scene_is_no_copy(known, footage, print_of):
    for scene in range(4):
        answer = seen(known, print_of(footage(scene, 77, 10)))
        assert answer.verdict == "same scene"
        assert {match.clip[0] for match in answer.matches} == {str(scene)}
        assert answer.probability < 0.5


def test_a_scene_without_movement_cannot_be_told(known, footage, print_of):
    answer = seen(known, print_of(footage(9, 5, 8, movers=0)))

    assert (answer.verdict, answer.probability) == ("indistinguishable", None)


def test_something_else_is_new(known, footage, print_of):
    answer = seen(known, print_of(footage(33, 1, 10)))

    assert (answer.verdict, answer.probability, answer.matches) == ("new", 0.0, ())


def test_an_empty_index_has_seen_nothing(tmp_path, footage, print_of):
    with Index(tmp_path / "i.db") as index:
        assert seen(index, print_of(footage(0, 0, 3))).verdict == "new"


def test_one_frame_is_answered(known, footage, print_of):
    assert seen(known, print_of(footage(0, 1, 1)[:1])).verdict in {"indistinguishable", "new"}


@pytest.fixture(scope="module")
def prints(footage, print_of):
    return [print_of(footage(scene, take, 6)) for scene in range(3) for take in range(2)]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(order=st.permutations(range(6)), asked=st.integers(0, 5), again=st.lists(st.integers(0, 5), max_size=4))
def test_the_order_of_adds_does_not_matter_and_twice_is_once(tmp_path_factory, prints, order, asked, again):
    folder = tmp_path_factory.mktemp("order")
    with Index(folder / "a.db") as plain, Index(folder / "b.db") as mixed:
        for index in range(6):
            assert plain.add(prints[index], str(index))
        for index in (*order, *again):
            mixed.add(prints[index], str(index))
        expected, found = seen(plain, prints[asked]), seen(mixed, prints[asked])

        assert found == expected
        assert len(found.matches) <= 8
        assert found.matches[0].clip == str(asked)
        assert (mixed.clips, len(mixed)) == (6, 36)


def test_levels_are_merged_and_answers_stay(tmp_path, prints, monkeypatch):
    monkeypatch.setattr("reelwise.duplicates.index._TAIL_MOST", 10)
    with Index(tmp_path / "i.db") as index:
        for number, print_ in enumerate(prints):
            index.add(print_, str(number))
            assert seen(index, print_).matches[0].clip == str(number)
        expected = [seen(index, print_) for print_ in prints]
    monkeypatch.undo()
    with Index(tmp_path / "i.db") as index:
        assert [seen(index, print_) for print_ in prints] == expected
        assert index.bytes > 0


def test_another_process_sees_an_add(tmp_path, prints):
    with Index(tmp_path / "i.db") as one, Index(tmp_path / "i.db") as two:
        assert seen(two, prints[0]).verdict == "new"
        one.add(prints[0], "a")

        assert seen(two, prints[0]).verdict == "duplicate"
        assert two.has(prints[0])


def test_a_file_that_is_no_index_is_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to look like one\n" * 40)
    with pytest.raises(InputError, match="no index"):
        _Index(text)
    with pytest.raises(InputError, match="folder"):
        _Index(tmp_path)


def test_another_database_is_refused(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "other.db") as base:
        base.execute("CREATE TABLE t (x)")
    base.close()
    with pytest.raises(InputError, match="no index"):
        _Index(tmp_path / "other.db")


def test_an_older_index_says_what_to_do(tmp_path, prints):
    import sqlite3

    with Index(tmp_path / "i.db") as index:
        index.add(prints[0], "a")
    base = sqlite3.connect(tmp_path / "i.db")
    base.execute("PRAGMA user_version=1")
    base.close()

    with pytest.raises(InputError, match="version 1; this release reads and writes version 2") as raised:
        Index(tmp_path / "i.db")
    assert "new file" in raised.value.hint
