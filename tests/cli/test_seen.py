from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from reelwise.cli import main
from reelwise.cli.seen import cli

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)


def test_a_clip_is_new_and_then_it_is_not(drawn_clip: Path, tmp_path: Path) -> None:
    index = tmp_path / "seen.db"
    whole = json.loads(run(index, drawn_clip, "--add", "--json").stdout)
    first = whole["clips"][0]
    again = json.loads(run(index, drawn_clip, "--add", "--json").stdout)["clips"][0]

    assert (first["verdict"], first["added"]) == ("new", True)
    assert (again["verdict"], again["added"]) == ("duplicate", False)
    assert again["probability"] > 0.85
    assert again["matches"][0]["clip"] == str(drawn_clip)
    assert whole["error"]["duplicates.false_share"]["kind"] == "published"


def test_people_read_where(drawn_clip: Path, tmp_path: Path) -> None:
    index = tmp_path / "seen.db"
    run(index, drawn_clip, "--add")
    done = run(index, drawn_clip)

    assert "duplicate" in done.stdout
    assert "that it is a copy" in done.stdout
    assert "0.0 to 12.0" in done.stdout


@pytest.mark.parametrize(("name", "words"), [("none.db", "--add creates it"), ("text.db", "no index")])
def test_bad_input_exits_2(
    drawn_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    (tmp_path / "text.db").write_text("no database\n" * 99)
    with pytest.raises(SystemExit) as stopped:
        main(["seen", str(tmp_path / name), str(drawn_clip)])

    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_a_bad_clip_among_others_loses_no_answer(
    drawn_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no clip\n")
    with pytest.raises(SystemExit) as stopped:
        main(["seen", str(tmp_path / "i.db"), str(bad), str(drawn_clip), "--add", "--json"])
    clips = json.loads(capsys.readouterr().out)["clips"]

    assert stopped.value.code == 2
    assert "error" in clips[0]
    assert clips[1]["added"]
