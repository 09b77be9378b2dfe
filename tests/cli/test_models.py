"""`reelwise models`: what is installed, where it is, and taking it off again."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from reelwise.cli.models import cli
from reelwise.errors import InputError
from reelwise.models.shelf import folder_of


def run(*arguments):
    done = CliRunner().invoke(cli, list(arguments))
    if done.exception is not None:
        raise done.exception
    return done


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("REELWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def own(person_models, tmp_path, monkeypatch):
    """A cache of the test's own with the networks in it."""
    shutil.copytree(folder_of(person_models), folder_of(tmp_path / "cache"))
    monkeypatch.setenv("REELWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_where_nothing_is_installed_it_says_how(empty):
    done = run("list")
    assert done.stdout == ""
    assert "reelwise models install person-segmentation" in done.stderr
    found = json.loads(run("list", "--json").stdout)
    assert found["models"] == []
    assert found["folder"].startswith(str(empty))
    with pytest.raises(InputError) as caught:
        run("path")
    assert "reelwise models install person-segmentation" in caught.value.hint
    assert run("remove", "person-segmentation").stdout == "person-segmentation: was not installed\n"
    assert json.loads(run("remove", "person-segmentation", "--json").stdout)["removed"] == []
    assert not empty.exists()


@pytest.mark.parametrize("name", ["dog-segmentation", "person-segmentation:fast", ""])
def test_a_model_that_is_not_there_has_no_path(empty, name):
    assert not empty.exists()
    with pytest.raises(InputError) as caught:
        run("path", name)
    assert caught.value.hint


def test_what_is_installed_is_listed_found_and_removed(own):
    listed = json.loads(run("list", "--json").stdout)["models"]
    assert [(one["model"], one["state"]) for one in listed] == [
        ("person-segmentation:general", "ok"),
        ("person-segmentation:landscape", "ok"),
    ]
    assert all(len(one["sha256"]) == 64 and one["day"] for one in listed)
    table = run("list").stdout
    assert all(one["model"] in table for one in listed)
    assert run("path").stdout.strip() == listed[0]["path"]
    found = json.loads(run("path", "person-segmentation:landscape", "--json").stdout)
    assert found == {"model": "person-segmentation:landscape", "path": listed[1]["path"]}
    assert own in next(iter(one for one in [*own.rglob("*.onnx")])).parents

    removed = json.loads(run("remove", "person-segmentation", "--json").stdout)["removed"]
    assert {one["path"] for one in listed} <= set(removed)
    assert json.loads(run("list", "--json").stdout)["models"] == []


def test_a_damaged_file_is_listed_as_that(own):
    listed = json.loads(run("list", "--json").stdout)["models"]
    with open(listed[0]["path"], "r+b") as file:  # noqa: PTH123 - one byte of it
        file.write(b"\xff")
    assert own.exists()
    found = json.loads(run("list", "--json").stdout)["models"]
    assert [one["state"] for one in found] == ["damaged", "ok"]
    with pytest.raises(InputError):
        run("path")
