"""The committed schemas say what the types say, and the examples obey them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from reelwise.cli import main
from reelwise.errors import InputError
from reelwise.schemas import NAMES, schema_of, schema_path, schema_text

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
RUN = [path for path in sorted((ROOT / "examples" / "run").glob("*.yaml")) if path.stem != "drills"]


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_schema_is_that_of_the_types(name: str) -> None:
    assert schema_path(name).read_text() == schema_text(name), "run `python -m reelwise.schemas`"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_names_its_schema_first_and_obeys_it(path: Path) -> None:
    text = path.read_text()
    mark, _, named = text.splitlines()[0].partition("$schema=")
    assert mark == "# yaml-language-server: "
    schema = json.loads((path.parent / named).resolve().read_text())
    document = json.loads(json.dumps(yaml.safe_load(text), default=str))  # YAML reads a day as a date
    jsonschema.Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_an_example_to_run_obeys_the_schema_of_a_workload_file(path: Path) -> None:
    document = json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))
    jsonschema.Draft202012Validator(schema_of("workload")).validate({"demand": {"hours": 1}, **document})


def test_the_schema_knows_a_wrong_field() -> None:
    checker = jsonschema.Draft202012Validator(schema_of("workload"))
    good = {"feature": "a", "demand": {"hours": 1}, "levers": [{"lever": "downscale", "long_side": 640}]}
    assert checker.is_valid(good)
    assert not checker.is_valid({**good, "demnad": {}})
    assert not checker.is_valid({**good, "levers": [{"lever": "downscale", "fps": 1}]})


@pytest.mark.parametrize("name", NAMES)
def test_the_command_prints_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["schema", name])
    assert done.value.code == 0
    assert json.loads(capsys.readouterr().out) == schema_of(name)


def test_the_command_says_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["schema", "plan", "--path"])
    assert Path(capsys.readouterr().out.strip()) == schema_path("plan")


def test_an_unknown_schema_is_refused() -> None:
    with pytest.raises(InputError, match="no schema"):
        schema_of("bill")
