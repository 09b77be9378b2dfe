"""Documents are read within bounds and with errors that help; files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import time
import tracemalloc
from pathlib import Path
from typing import Annotated, Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from reelwise.documents import decode, fields_of, parse_yaml, read_text, read_yaml, write_whole
from reelwise.errors import DocumentError, OutputError


class Inner(Struct, forbid_unknown_fields=True):
    threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.5


class Outer(Struct, forbid_unknown_fields=True):
    name: str
    stages: tuple[Inner, ...] = ()
    inner: Inner | None = None


def refused(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse_yaml(text, where="job.yaml")
    assert caught.value.where.startswith("job.yaml")
    assert caught.value.hint
    return caught.value


def test_plain_values_come_through() -> None:
    text = "a: 1\nb: [1.5, true, null, text]\nc: {d: 2026-11-22}\n"
    assert parse_yaml(text, where="x") == {"a": 1, "b": [1.5, True, None, "text"], "c": {"d": "2026-11-22"}}


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1000000000000000001", "-1000000000000000001"])
def test_numbers_that_no_document_can_mean_are_refused_with_their_path(number: str) -> None:
    assert refused(f"a: [1, {{b: {number}}}]").where == "job.yaml $.a[1].b"


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "a: b: c",
        "!!python/object:os.system x",
        "!!set {a, b}",
        "!!binary aGk=",
        "!!int ''",
        "!!bool maybe",
        "!!timestamp soon",
        "2026-13-45",
        "9" * 5000,
        "a: 1\n---\nb: 2",
        "\x00",
        "? [a]\n: b",
        "<<: 1",
    ],
)
def test_what_is_no_plain_yaml_is_refused(text: str) -> None:
    refused(text)


def test_a_key_written_twice_is_refused_where_the_second_stands() -> None:
    error = refused("demand:\n  hours: 5\n  hours: 6\n")
    assert "`hours` is written twice" in error.message
    assert error.where.endswith("line 3")
    assert parse_yaml("[{a: 1}, {a: 2}]", where="x") == [{"a": 1}, {"a": 2}]
    assert parse_yaml("a: b\nb: a", where="x") == {"a": "b", "b": "a"}


@pytest.mark.parametrize("opening", ["[", "{a: ", "? ", "- ", "[{a: "])
def test_depth_is_bounded_before_the_loader_recurses(opening: str) -> None:
    assert "nested deeper" in refused(opening * 50_000).message


def test_depth_is_bounded_in_blocks_too() -> None:
    assert "nested deeper" in refused("\n".join(" " * i + "a:" for i in range(300))).message
    assert parse_yaml("[" * 39 + "]" * 39, where="x")


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}], k{i}: 1}}\n" for i in range(1, 12)
)


@pytest.mark.parametrize("text", [LAUGHS, MERGES], ids=["lists", "merges"])
def test_a_billion_laughs_cost_neither_time_nor_memory(text: str) -> None:
    tracemalloc.start()
    start = time.perf_counter()
    error = refused(text)
    seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "200,000 values" in error.message
    assert seconds < 60  # unbounded it would be nine to the power of twelve values
    assert peak < 20e6


def test_aliases_are_fine_where_they_are_small() -> None:
    text = "a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\n"
    assert parse_yaml(text, where="x") == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}


def test_an_alias_inside_itself_is_refused() -> None:
    assert "inside itself" in refused("a: &a [*a]").message
    refused("a: *nowhere")


def test_a_long_list_is_refused_before_it_is_built() -> None:
    assert "200,000 values" in refused("[" + "1," * 300_000 + "]").message


words = st.text(alphabet="aé0 -:'#&*{}[]\n", max_size=8)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


@given(json_like)
def test_what_is_dumped_is_read_back(value: Any) -> None:
    import yaml

    assert parse_yaml(yaml.safe_dump(value, allow_unicode=True), where="x") == value


@given(st.text(alphabet="ab:-[]{}&*!<>|?'\"#%@, \n\t01.~=", max_size=60))
def test_no_text_makes_the_reader_fall(text: str) -> None:
    try:
        parse_yaml(text, where="x")
    except DocumentError as error:
        assert error.hint  # noqa: PT017 - most texts are fine or refused, either will do


# Files


def test_a_missing_file_a_folder_and_a_clip_are_told_apart(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"\x00\x00\x00\x20ftypisom\xff\xfe")
    for path, said in ((tmp_path / "no.yaml", "no such file"), (tmp_path, "folder"), (clip, "not a text file")):
        with pytest.raises(DocumentError, match=said) as caught:
            read_yaml(path)
        assert caught.value.where == str(path)
    with pytest.raises(DocumentError, match="name"):
        read_text(Path("a\0b.yaml"))
    with pytest.raises(DocumentError):
        read_text(clip / "inside.yaml")


def test_size_is_bounded_for_files_and_for_what_has_no_size(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("a" * 101)
    assert read_text(path, largest=101)
    for large in (path, Path("/dev/zero")):
        if large.exists():
            with pytest.raises(DocumentError, match="larger than 100 bytes"):
                read_text(large, largest=100)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes("\ufefffeature: a\r\n".encode())
    assert read_yaml(path) == {"feature": "a"}


# Structs


def test_a_wrong_value_is_refused_with_its_path() -> None:
    with pytest.raises(DocumentError) as caught:
        decode({"name": "a", "stages": [{}, {"threshold": 2.0}]}, Outer, where="job.yaml")
    assert caught.value.where == "job.yaml $.stages[1].threshold"


@pytest.mark.parametrize(("field", "near"), [("treshold", "threshold"), ("nam", "name"), ("stage", "stages")])
def test_an_unknown_field_gets_the_nearest_known_one(field: str, near: str) -> None:
    with pytest.raises(DocumentError, match=f"unknown field `{field}`") as caught:
        decode({"name": "a", "inner": {field: 1}}, Outer, where="job.yaml")
    assert caught.value.hint == f"did you mean `{near}`?"


def test_a_field_like_no_other_gets_a_hint_all_the_same() -> None:
    with pytest.raises(DocumentError) as caught:
        decode({"name": "a", "zzzzzz": 1}, Outer, where="job.yaml")
    assert "did you mean" not in caught.value.hint
    assert caught.value.hint


def test_fields_are_listed_at_any_depth() -> None:
    assert fields_of(Outer) == {"name", "stages", "inner", "threshold"}


# Writing


def test_writing_makes_folders_and_replaces_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "out.json"
    write_whole(path, "one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [one.name for one in path.parent.iterdir()] == ["out.json"]


class FullDisk:
    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, raw: bytes) -> int:
        self._file.write(raw[: len(raw) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.json"
    write_whole(path, "old")
    real = os.fdopen
    monkeypatch.setattr("reelwise.documents.os.fdopen", lambda *a, **k: FullDisk(real(*a, **k)))
    with pytest.raises(OutputError, match="No space left") as caught:
        write_whole(path, "new and longer")
    monkeypatch.undo()
    assert caught.value.where == str(path)
    assert caught.value.hint
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["out.json"]


def test_an_interrupt_leaves_no_part_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "out.json"
    write_whole(path, "old")
    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["out.json"]


def test_where_nothing_can_be_written_the_error_says_so(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "round").symlink_to(tmp_path / "round")
    paths = [file / "out.json", folder, tmp_path / ("x" * 300), Path("a\0b"), tmp_path / "round"]
    paths += [path for path in (Path("/proc/out.json"), Path("/dev/full")) if path.parent.is_dir()]
    for path in paths:
        with pytest.raises(OutputError):
            write_whole(path, "text")
    assert file.read_text() == "kept"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder", "round"]
    assert not list(Path("/dev").glob(".*.part"))


def test_a_device_stays_a_device_and_a_link_a_link(tmp_path: Path) -> None:
    if Path("/dev/null").is_char_device():
        write_whole(Path("/dev/null"), "text")
        assert Path("/dev/null").is_char_device()
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
