"""`reelwise levers`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from reelwise.cli import COMMANDS
from reelwise.cli.levers import cli
from reelwise.errors import InputError
from reelwise.levers import FAMILIES, find, kinds
from reelwise.levers.flags import flags


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


def test_it_is_among_the_commands() -> None:
    assert "levers" in COMMANDS


def test_json_lists_every_lever_with_flags_from_the_code() -> None:
    levers = json.loads(run("--json").stdout)["levers"]
    assert [one["name"] for one in levers] == list(kinds())
    for one in levers:
        built = flags(find(one["name"]))
        assert (one["priced"], one["executed"], one["measured"]) == (built.priced, built.executed, built.measured)
        assert {"number", "family", "title", "effort", "risk", "ask", "sources", "settings"} <= one.keys()


@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_family_alone(family: str) -> None:
    levers = json.loads(run("--family", family, "--json").stdout)["levers"]
    assert levers
    assert {one["family"] for one in levers} == {family}
    text = run("--family", family).stdout
    assert FAMILIES[family] in text
    assert all(one["name"] in text for one in levers)


def test_the_table_names_every_lever() -> None:
    text = run().stdout
    assert all(name in text for name in kinds())


def test_a_name_shows_the_whole_card_in_100_columns() -> None:
    text = run("sample_frames").stdout
    for piece in ("Lever 1", "fps = 0.5", "above 0 to 240", "arXiv:2510.14624", "Ask first", "Risk"):
        assert piece in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize("name", list(kinds()))
def test_every_card_can_be_shown(name: str) -> None:
    assert find(name).card.title in run(name).stdout


def test_a_dash_will_do() -> None:
    assert json.loads(run("batch-api", "--json").stdout)["levers"][0]["name"] == "batch_api"


def test_settings_come_with_defaults_and_bounds() -> None:
    settings = json.loads(run("gate", "--json").stdout)["levers"][0]["settings"]
    assert [one["name"] for one in settings] == ["method", "mode", "threshold", "pad_seconds", "at"]
    assert settings[2] == {"name": "threshold", "default": None, "allowed": "number above 0 below 1 or null"}


def test_a_typo_gets_a_hint() -> None:
    with pytest.raises(InputError) as caught:
        run("quantise")
    assert "quantize" in caught.value.hint
