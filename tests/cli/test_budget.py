from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

import reelwise
from reelwise.cli import main
from reelwise.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def where(tmp_path: Path) -> str:
    return str(tmp_path / "money.db")


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    found = capsys.readouterr()
    assert stopped.value.code == code, found.err
    return found.out, found.err


def spend(where: str, count: int = 3) -> None:
    with Ledger(where) as ledger:
        for number in range(count):
            with reelwise.meter("blur", user=f"u{number}", hold_usd="0.30", ledger=ledger, model="m") as call:
                call.cost(usd="0.25")
                call.used(video_ms=60_000, frames=10)


def test_a_budget_is_set_listed_used_and_shown(capsys: pytest.CaptureFixture[str], where: str) -> None:
    run(capsys, "budget", "set", "all", "--hard", "1", "--soft", "50%", "--ledger", where)
    run(capsys, "budget", "set", "each", "--each", "user", "--measure", "calls", "--hard", "5", "--ledger", where)
    listed = json.loads(run(capsys, "budget", "list", "--ledger", where, "--json")[0])
    spend(where)
    shown = json.loads(run(capsys, "budget", "status", "--ledger", where, "--json")[0])
    people = run(capsys, "budget", "status", "all", "--ledger", where)[0]

    assert [(one["name"], one["hard"], one["soft"]) for one in listed["budgets"]] == [
        ("all", 10**9, 5 * 10**8),
        ("each", 5, None),
    ]
    first = shown["accounts"][0]
    assert (first["budget"], first["posted"], first["remaining"], first["leased"]) == ("all", 75 * 10**7, 25 * 10**7, 0)
    assert {one["account"] for one in shown["accounts"]} == {"everything", "user=u0", "user=u1", "user=u2"}
    assert "0.75" in people
    assert "0.25" in people
    assert any("soft limit" in one["text"] for one in shown["notices"])


def test_rows_are_shown_summed_verified_exported_and_copied(
    capsys: pytest.CaptureFixture[str], where: str, tmp_path: Path
) -> None:
    spend(where)
    rows = json.loads(run(capsys, "ledger", "show", "--ledger", where, "--json", "--match", "user=u1")[0])["rows"]
    top = json.loads(run(capsys, "ledger", "top", "--by", "user", "--ledger", where, "--json")[0])
    table = run(capsys, "ledger", "top", "--ledger", where)[0]
    checked = json.loads(run(capsys, "ledger", "verify", "--ledger", where, "--json")[0])
    text = run(capsys, "ledger", "export", "--out", "-", "--ledger", where)[0]
    copy = str(tmp_path / "copy.db")
    run(capsys, "ledger", "backup", copy, "--ledger", where)

    assert [(row["user"], row["cost_nano"]) for row in rows] == [("u1", 25 * 10**7)]
    assert top["total"]["cost_nano"] == 75 * 10**7
    assert {one["label"]: one["nano_per_minute"] for one in top["lines"]} == dict.fromkeys(
        ("u0", "u1", "u2"), 25 * 10**7
    )
    assert "100.0%" in table
    assert (checked["rows"], checked["cost_nano"], checked["problems"]) == (3, 75 * 10**7, [])
    assert [row["cost_nano"] for row in csv.DictReader(io.StringIO(text))] == [str(25 * 10**7)] * 3
    assert json.loads(run(capsys, "ledger", "verify", "--ledger", copy, "--json")[0])["rows"] == 3


def test_parquet_has_the_same_rows(capsys: pytest.CaptureFixture[str], where: str, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    spend(where)
    out = tmp_path / "rows.parquet"
    run(capsys, "ledger", "export", "--format", "parquet", "--out", str(out), "--ledger", where)

    assert parquet.read_table(out).column("cost_nano").to_pylist() == [25 * 10**7] * 3


def test_a_balance_that_was_tampered_with_is_found(capsys: pytest.CaptureFixture[str], where: str) -> None:
    import sqlite3

    run(capsys, "budget", "set", "all", "--hard", "1", "--ledger", where)
    spend(where)
    link = sqlite3.connect(where)
    link.execute("UPDATE slot SET posted = posted - 1")
    link.commit()
    link.close()
    out, err = run(capsys, "ledger", "verify", "--ledger", where, code=3)

    assert "749,999,999" in out
    assert "750,000,000" in out
    assert "differ" in err


def test_switches(capsys: pytest.CaptureFixture[str], where: str) -> None:
    run(capsys, "budget", "ladder", "blur", "full", "saver", "off", "--set", "saver.fps=5", "--ledger", where)
    run(capsys, "budget", "mode", "blur", "saver", "--ledger", where)
    with Ledger(where) as ledger:
        mode = ledger.mode(reelwise.ledger.who_of("blur"))
        assert (mode.name, mode.settings) == ("saver", {"fps": 5})
        run(capsys, "budget", "kill", "blur", "--reason", "bad day", "--ledger", where)
        with pytest.raises(reelwise.errors.BudgetError, match="bad day"):
            reelwise.meter("blur", hold_nano=1, ledger=ledger).__enter__()
        run(capsys, "budget", "resume", "blur", "--ledger", where)
        with reelwise.meter("blur", hold_nano=1, ledger=ledger):
            pass


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["set", "x"], "limits nothing"),
        (["set", "x", "--hard", "many"], "not a number"),
        (["set", "x", "--hard", "-1"], "out of range"),
        (["set", "x", "--hard", "0.0000000001"], "finer than"),
        (["set", "x", "--soft", "80%"], "share of"),
        (["set", "x", "--hard", "1", "--soft", "2"], "above the hard"),
        (["set", "x", "--hard", "1", "--zone", "Mars/Base"], "no such time zone"),
        (["set", "x", "--hard", "1", "--match", "colour=red"], "no such dimension"),
        (["set", "x", "--hard", "1", "--match", "feature"], "no value"),
        (["set", "x", "--hard", "1", "--each", "bananas"], "no such dimension"),
        (["set", "a b", "--hard", "1"], "can be named"),
        (["set", "x", "--hard", "1", "--period", "month", "--rolling"], "rolling period"),
        (["set", "x", "--target", "1/banana"], "no such unit"),
        (["drop", "x"], "no budget"),
        (["status", "x"], "no budget"),
        (["mode", "blur", "Loud"], "no ladder has"),
        (["ladder", "blur", "off", "full"], "last step"),
    ],
)
def test_bad_budgets_exit_2(capsys: pytest.CaptureFixture[str], where: str, arguments: list[str], words: str) -> None:
    Ledger(where).close()
    _, err = run(capsys, "budget", *arguments, "--ledger", where, code=2)
    assert words in err
    assert "hint:" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["top", "--by", "bananas"], "no sums by"),
        (["top", "--since", "yesterday"], "no time can be read"),
        (["show", "--match", "colour=red"], "no label"),
        (["prune", "--keep", "3"], "62 days"),
    ],
)
def test_bad_questions_exit_2(capsys: pytest.CaptureFixture[str], where: str, arguments: list[str], words: str) -> None:
    Ledger(where).close()
    assert words in run(capsys, "ledger", *arguments, "--ledger", where, code=2)[1]


def test_a_missing_ledger_and_a_folder_that_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "no ledger here" in run(capsys, "ledger", "show", "--ledger", str(tmp_path / "none.db"), code=2)[1]
    assert (
        "cannot write"
        in run(capsys, "budget", "set", "x", "--hard", "1", "--ledger", str(tmp_path / "no" / "x.db"), code=5)[1]
    )
