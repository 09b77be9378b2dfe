"""Measured facts on disk: the newest counts, for a year, and a broken file is an error."""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reelwise.errors import DocumentError, OutputError
from reelwise.evidence import Fact
from reelwise.evidence_store import DAYS_VALID, Measurement, machine, merge, read_store, write_measurement
from reelwise.facts import Entry

if TYPE_CHECKING:
    from pathlib import Path

TODAY = dt.date(2026, 11, 22)


def entry(value: float, name: str = "gate.active_share", settings: str = "s") -> Entry:
    fact = Fact(value=value, low=value / 2, kind="measured", source="reelwise audit", day="2026-11-01", on="a.mp4")
    return Entry(name=name, settings=settings, prefix="start", source_class="doors", fact=fact)


def measurement(*entries: Entry, day: str = "2026-11-01") -> Measurement:
    return Measurement(day=day, machine=machine(), clips=(("a.mp4", "ab12" * 16),), seconds=60.0, entries=entries)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    entries = (entry(0.125), entry(1 / 3, "crop.width_share"))
    path = write_measurement(tmp_path / "evidence", measurement(*entries))
    assert path.name.startswith("2026-11-01-ab12ab12-")
    assert read_store(tmp_path / "evidence", TODAY) == entries
    assert write_measurement(tmp_path / "evidence", measurement(*entries)) == path, "the same again is the same file"


def test_the_newest_of_a_key_wins_and_other_keys_stay(tmp_path: Path) -> None:
    write_measurement(tmp_path, measurement(entry(0.9), day="2026-11-02"))
    write_measurement(tmp_path, measurement(entry(0.1), entry(0.2, settings="t"), day="2026-10-30"))
    assert {(one.settings, one.fact.value) for one in read_store(tmp_path, TODAY)} == {("s", 0.9), ("t", 0.2)}


@pytest.mark.parametrize("order", [(0.1, 0.9), (0.9, 0.1)])
def test_of_one_day_the_one_written_last_wins(tmp_path: Path, order: tuple[float, float]) -> None:
    for index, value in enumerate(order):
        path = write_measurement(tmp_path, measurement(entry(value)))
        os.utime(path, (1000 + index, 1000 + index))
    assert [one.fact.value for one in read_store(tmp_path, TODAY)] == [order[-1]]


def test_days_are_compared_as_days(tmp_path: Path) -> None:
    write_measurement(tmp_path, measurement(entry(0.9), day="20261102"))
    write_measurement(tmp_path, measurement(entry(0.1), day="2026-11-01"))
    assert [one.fact.value for one in read_store(tmp_path, TODAY)] == [0.9]


def test_an_old_measurement_counts_no_more(tmp_path: Path) -> None:
    last = TODAY - dt.timedelta(days=DAYS_VALID)
    write_measurement(tmp_path, measurement(entry(0.1), day=last.isoformat()))
    assert len(read_store(tmp_path, TODAY)) == 1
    assert read_store(tmp_path, TODAY + dt.timedelta(days=1)) == ()
    short = replace(measurement(entry(0.2), day="2026-11-01"), days_valid=7)
    write_measurement(tmp_path, short)
    assert [one.fact.value for one in read_store(tmp_path, TODAY)] == [0.1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", "not YAML"),
        ("{}", "day"),
        ("{day: soon, machine: m, clips: [], seconds: 1, entries: []}", "no day"),
        ("{day: 2026-11-01, machine: m, clips: [], seconds: 1, entries: [], extra: 1}", "extra"),
    ],
)
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    write_measurement(tmp_path, measurement(entry(0.1)))
    (tmp_path / "broken.yaml").write_text(text)
    with pytest.raises(DocumentError, match=said) as caught:
        read_store(tmp_path, TODAY)
    assert "broken.yaml" in caught.value.where


def test_other_files_and_an_empty_folder_are_no_measurements(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("[")
    assert read_store(tmp_path, TODAY) == ()


def test_a_folder_that_is_a_file_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(OutputError):
        write_measurement(tmp_path / "file", measurement(entry(0.1)))


def test_merging_lets_the_second_win_under_the_same_key() -> None:
    merged = merge((entry(0.1), entry(0.2, settings="t")), (entry(0.9),))
    assert [one.fact.value for one in merged] == [0.9, 0.2]


def test_the_machine_is_named_without_its_owner() -> None:
    assert re.fullmatch(r"[\w-]+, \d+ cores, \w+, Python 3\.\d+\.\S+", machine())
