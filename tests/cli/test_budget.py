from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import reelwise
from reelwise.cli import cli, main
from reelwise.ledger import Ledger
from reelwise.ledger.events import What

if TYPE_CHECKING:
    from collections.abc import Iterator


_STYLE = re.compile(r"\x1b\[[0-9;]*m")


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


def today(form: str) -> set[str]:
    """The day now and a few minutes ago: midnight may have come between."""
    now = dt.datetime.now(tz=dt.UTC)
    return {f"{one:{form}}" for one in (now, now - dt.timedelta(minutes=5))}


def test_a_balance_that_was_tampered_with_is_found(capsys: pytest.CaptureFixture[str], where: str) -> None:
    import sqlite3

    run(capsys, "budget", "set", "all", "--hard", "1", "--ledger", where)
    spend(where)
    link = sqlite3.connect(where)
    link.execute("UPDATE slot SET posted = posted - 1")
    link.commit()
    link.close()
    out, err = run(capsys, "ledger", "verify", "--ledger", where, code=3)

    assert "0.749999999" in out
    assert "0.750000000" in out
    assert any(one in out for one in today("%Y-%m-"))
    assert "differ" in err


def test_a_lease_or_a_job_that_was_tampered_with_is_named(capsys: pytest.CaptureFixture[str], where: str) -> None:
    import sqlite3

    run(capsys, "budget", "set", "all", "--hard", "9", "--each", "user", "--ledger", where)
    with Ledger(where) as ledger:
        ledger.hold_job("veo-1", reelwise.ledger.who_of("trailer", user="u1"), 32 * 10**8)
    link = sqlite3.connect(where)
    link.execute("UPDATE slot SET pending = pending + 1, leased = leased + 5")
    link.commit()
    link.close()
    out = run(capsys, "ledger", "verify", "--ledger", where, code=3)[0]

    assert any(f"all (user=u1, from {one} 00:00 UTC)" in out for one in today("%Y-%m-%d"))
    for words in ("3.200000001", "3.200000000", "0.000000005"):
        assert words in out


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
        (["set", "x", "--hard", "12,50"], "not a number"),
        (["set", "x", "--hard", "snan"], "not a number"),
        (["set", "x", "--hard", "1e999999999"], "not a number"),
        (["set", "x", "--hard", ""], "empty"),
        (["set", "x", "--hard", "1", "--soft", " "], "empty"),
        (["set", "x", "--hard", "1", "--zone", ""], "empty"),
        (["set", "x", "--hard", "1", "--minimum", "3"], "no target"),
        (["set", "x", "--hard", "1", "--match", "user=a", "--match", "user=b"], "two values"),
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
        (["prune", "--keep", "999999999999"], "range"),
        (["top", "--since", "99999999w"], "old or new"),
        (["top", "--since", "999999999999999999w"], "no time can be read"),
        (["top", "--since", "1d", "--until", "2d"], "before it begins"),
        (["top", "--last", "-1"], "range"),
        (["show", "--last", "9" * 30], "range"),
        (["show", "--before", "9" * 30], "range"),
        (["close", "9999-12"], "no month"),
        (["export", "--format", "parquet", "--out", "-"], "Parquet goes to a file"),
        (["export", "--out", "-", "--json"], "standard output"),
        (["correct", "--usd", "0", "--reason", "x"], "nothing"),
        (["correct", "--usd", "1", "--reason", " "], "empty"),
        (["correct", "--usd", "1", "--reason", "x", "--match", "colour=red"], "no such label"),
        (["correct", "--usd", "1", "--reason", "x", "--at", "9000-01-01"], "ahead"),
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


def budget(capsys: pytest.CaptureFixture[str], where: str, *options: str) -> dict[str, object]:
    found = json.loads(run(capsys, "budget", "set", "b", *options, "--ledger", where, "--json")[0])
    return dict(found["budget"])


def test_changing_a_budget_changes_what_is_given_and_nothing_else(
    capsys: pytest.CaptureFixture[str], where: str
) -> None:
    given = ("--match", "feature=blur", "--period", "month", "--zone", "Europe/Berlin", "--forecast", "90", "--shadow")
    first = budget(capsys, where, *given, "--hard", "100", "--soft", "80%")
    then = budget(capsys, where, "--hard", "1,200.00")
    _, said = run(capsys, "budget", "set", "b", "--hard", "120", "--enforce", "--ledger", where)
    _, same = run(capsys, "budget", "set", "b", "--ledger", where)
    _, free = run(capsys, "budget", "set", "b", "--soft", "none", "--forecast", "none", "--ledger", where)

    assert then == {**first, "hard": 1200 * 10**9, "soft": 960 * 10**9}  # a share stays a share
    assert "hard $1,200.00 -> $120.00; soft $960.00 (80 %) -> $96.00 (80 %); shadow yes -> no" in said
    assert "period" not in said.splitlines()[0]
    assert "stays as it was" in same
    assert "soft $96.00 (80 %) -> none; forecast $90.00 -> none" in free


def test_another_measure_needs_its_own_limits(capsys: pytest.CaptureFixture[str], where: str) -> None:
    budget(capsys, where, "--hard", "100", "--soft", "80%")
    _, err = run(capsys, "budget", "set", "b", "--measure", "calls", "--ledger", where, code=2)

    assert "--hard was in usd" in err
    assert budget(capsys, where, "--measure", "calls", "--hard", "10")["soft"] == 8


def test_status_says_over_by_how_much_and_what_a_shadow_would_have_denied(
    capsys: pytest.CaptureFixture[str], where: str
) -> None:
    set_ = ("budget", "set")
    run(capsys, *set_, "all", "--hard", "0.7", "--ledger", where, "--shadow")
    run(capsys, *set_, "tight", "--hard", "0.8", "--ledger", where)
    run(
        capsys, *set_, "unit", "--target", "0.2/session", "--minimum", "3", "--match", "feature=blur", "--ledger", where
    )
    with Ledger(where) as ledger, reelwise.meter("blur", session="s", hold_usd="0.1", ledger=ledger) as call:
        call.cost(usd="0.8123")
    out, err = run(capsys, "budget", "status", "--ledger", where)
    lines = {line.split()[0]: line for line in out.splitlines() if line.split()}
    found = json.loads(run(capsys, "budget", "status", "unit", "--ledger", where, "--json")[0])["accounts"][0]

    assert "0.8000  0.8123" in " ".join(lines["tight"].split(" ")).replace("   ", "  ")
    assert "over by 0.0123" in lines["tight"]
    assert "0.1123" in lines["all"]  # would have been denied
    assert "over by" not in lines["all"]
    assert lines["unit"].split()[:5] == ["unit", "session", "0.8123", "0.2000", "1"]
    assert "not judged before 3" in out
    assert (found["unit_nano"], found["target_nano"], found["unit_count"]) == (812_300_000, 2 * 10**8, 1)
    assert "uncertain" not in out  # nothing is: no column for it
    assert any(f"{one} " in err for one in today("%Y-%m-%d"))


def test_notices_are_those_of_the_shown_budgets_and_of_their_window(
    capsys: pytest.CaptureFixture[str], where: str
) -> None:
    run(capsys, "budget", "set", "old", "--hard", "1", "--ledger", where)
    run(capsys, "budget", "set", "each", "--each", "user", "--hard", "0.3", "--ledger", where)
    spend(where)
    with Ledger(where, thread=False) as ledger, ledger.store.transaction() as link:
        link.run("UPDATE notice SET at_ms = at_ms - 200000000 WHERE budget = 'each' AND level = 50")
    old = json.loads(run(capsys, "budget", "status", "old", "--ledger", where, "--json")[0])["notices"]
    each = json.loads(run(capsys, "budget", "status", "each", "--ledger", where, "--json")[0])["notices"]
    run(capsys, "budget", "drop", "old", "--ledger", where)
    _, err = run(capsys, "budget", "status", "--ledger", where)

    assert {one["budget"] for one in old} == {"old"}
    assert {one["budget"] for one in each} == {"each"}
    assert all(one["level"] == 80 for one in each)
    assert "old:" not in err


def test_a_list_says_zone_forecast_and_minimum(capsys: pytest.CaptureFixture[str], where: str) -> None:
    limits = ("--hard", "9", "--zone", "Asia/Tokyo", "--forecast", "5")
    run(capsys, "budget", "set", "b", *limits, "--target", "1/call", "--minimum", "7", "--ledger", where)
    out = run(capsys, "budget", "list", "--ledger", where)[0]

    for words in ("Asia/Tokyo", "$5.00", "once 7 are counted"):
        assert words in out


def test_in_80_columns_no_number_is_broken(
    capsys: pytest.CaptureFixture[str], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(capsys, "budget", "set", "every-user-of-a-tenant", "--each", "user", "--hard", "123456.5", "--ledger", where)
    with Ledger(where) as ledger:
        for number in range(2):
            with reelwise.meter(
                "describe-clips", user=f"user-{number}@example.com", hold_usd="5", ledger=ledger
            ) as call:
                call.cost(usd="0.0123")
                call.used(video_ms=60_000, frames=12_345)
                call.outcome("match")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for command, numbers in (
        (("budget", "status"), ("123,456.5000", "0.0123", "123,456.4877")),
        (("ledger", "top"), ("0.0246", "100.0%", "24,690")),
        (("ledger", "show"), ("0.0123",)),
    ):
        out = run(capsys, *command, "--ledger", where)[0]
        assert max(len(line.rstrip()) for line in _STYLE.sub("", out).splitlines()) <= 80, out
        for one in numbers:
            assert one in out, out


def test_exports_are_for_people_who_have_a_spreadsheet(
    capsys: pytest.CaptureFixture[str], where: str, tmp_path: Path
) -> None:
    with Ledger(where) as ledger:
        hold = ledger.hold(reelwise.ledger.who_of("=1+1", user="@u"), 10**9)
        ledger.post(hold, "call-1", 12_300_000, what=What(outcome="-cmd"))
    text = run(capsys, "ledger", "export", "--out", "-", "--ledger", where)[0]
    row = next(csv.DictReader(io.StringIO(text)))
    out = tmp_path / "rows.csv"
    told = json.loads(run(capsys, "ledger", "export", "--out", str(out), "--ledger", where, "--json")[0])

    assert (row["feature"], row["user"], row["outcome"]) == ("'=1+1", "'@u", "'-cmd")
    assert (row["cost_usd"], row["avoided_usd"], row["cost_nano"]) == ("0.012300000", "0.000000000", "12300000")
    when = dt.datetime.fromisoformat(row["when_utc"])
    assert round(when.timestamp() * 1000) == int(row["at_ms"])
    assert row["id_hash"] == hashlib.blake2b(b"call-1", digest_size=12).hexdigest()
    assert told["rows"] == 1
    assert out.read_text() == text


def test_a_row_is_found_by_its_id(capsys: pytest.CaptureFixture[str], where: str) -> None:
    with Ledger(where) as ledger:
        for name in ("a", "b"):
            ledger.post(ledger.hold(reelwise.ledger.who_of("blur"), 10**8), name, 25 * 10**7)
    found = json.loads(run(capsys, "ledger", "show", "--id", "b", "--ledger", where, "--json")[0])["rows"]

    assert [(one["kind"], one["cost_nano"]) for one in found] == [("overrun", 15 * 10**7), ("call", 10**8)]


def test_tags_match_to_the_letter(capsys: pytest.CaptureFixture[str], where: str) -> None:
    with Ledger(where) as ledger:
        for value in ("red_a", "redXa", "RED_A", "100%"):
            with reelwise.meter("blur", tags={"team": value}, hold_usd="0.1", ledger=ledger):
                pass
    for value, count in (("red_a", 1), ("RED_A", 1), ("100%", 1), ("%", 0), ("red", 0)):
        out = run(capsys, "ledger", "show", "--match", f"tag:team={value}", "--ledger", where, "--json")[0]
        assert [one["tags"]["team"] for one in json.loads(out)["rows"]] == [value] * count


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_that_fails_leaves_nothing(
    capsys: pytest.CaptureFixture[str], where: str, tmp_path: Path, kind: str
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    from reelwise.ledger.exports import write_csv, write_parquet

    def pages() -> Iterator[list[dict[str, object]]]:
        yield []
        raise KeyboardInterrupt

    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        (write_csv if kind == "csv" else write_parquet)(pages(), folder / "rows")
    spend(where)
    for out in (".", str(folder)):
        assert "folder" in run(capsys, "ledger", "export", "--format", kind, "--out", out, "--ledger", where, code=5)[1]
    assert "itself" in run(capsys, "ledger", "export", "--out", where, "--ledger", where, code=2)[1]
    assert "itself" in run(capsys, "ledger", "backup", where, "--ledger", where, code=2)[1]
    assert not list(folder.iterdir())


def test_a_switch_of_a_feature_that_nobody_called_says_so(capsys: pytest.CaptureFixture[str], where: str) -> None:
    spend(where)
    _, err = run(capsys, "budget", "kill", "blurr", "--ledger", where)
    out, told = run(capsys, "budget", "kill", "blur", "--ledger", where, "--json")

    assert "no call of 'blurr' was seen yet; there are calls of blur" in err
    assert (json.loads(out)["seen"], json.loads(out)["feature"]["killed"]) == (True, True)
    assert "seen yet" not in told


@pytest.mark.parametrize(
    "command",
    [
        ("budget", "resume", "blur"),
        ("budget", "mode", "blur", "saver"),
        ("budget", "drop", "b"),
        ("ledger", "prune"),
        ("ledger", "backup", "copy.db"),
        ("ledger", "jobs"),
        ("ledger", "correct", "--usd", "1", "--reason", "x"),
    ],
)
def test_every_command_takes_json(
    capsys: pytest.CaptureFixture[str],
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    run(capsys, "budget", "set", "b", "--hard", "1", "--ledger", where)

    assert json.loads(run(capsys, *command, "--ledger", where, "--json")[0])["ledger"] == where


def test_no_command_of_the_house_is_without_json() -> None:
    def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from leaves(found, f"{path} {name}")
        else:
            yield path, command

    found = dict(leaves(cli, "reelwise"))
    assert "reelwise ledger export" in found
    assert [path for path, one in found.items() if not any("--json" in option.opts for option in one.params)] == []


def test_help_has_its_examples_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (("budget", "set"), ("ledger", "correct")):
        text = run(capsys, *command, "--help")[0]
        assert "\\b" not in text
        assert f"\n  reelwise {' '.join(command)} " in text


def test_open_jobs_are_listed(capsys: pytest.CaptureFixture[str], where: str) -> None:
    with Ledger(where) as ledger:
        for name in ("veo-1", "veo-2"):
            ledger.hold_job(name, reelwise.ledger.who_of("trailer", user="u1", tags={"team": "x"}), 32 * 10**8)
        ledger.void_job("veo-2")
    out, err = run(capsys, "ledger", "jobs", "--ledger", where)
    found = json.loads(run(capsys, "ledger", "jobs", "--ledger", where, "--json")[0])["jobs"]

    assert "veo-1" in out
    assert "veo-2" not in out
    assert "feature=trailer, user=u1, tag:team=x" in out
    assert "3.20 dollars held by 1 jobs" in err
    assert [(one["job"], one["amount"], one["who"]["tag:team"]) for one in found] == [("veo-1", 32 * 10**8, "x")]
    assert found[0]["expires_ms"] - found[0]["at_ms"] == 86_400_000


def test_a_mistake_is_corrected_by_a_row_of_its_own(capsys: pytest.CaptureFixture[str], where: str) -> None:
    run(capsys, "budget", "set", "all", "--each", "user", "--hard", "1", "--ledger", where)
    spend(where)
    whose = ("--match", "feature=blur", "--match", "user=u1", "--match", "model=m")
    fix = (
        "ledger",
        "correct",
        "--usd",
        "-0.05",
        "--reason",
        "refund 4711",
        *whose,
        "--id",
        "r-4711",
        "--ledger",
        where,
    )
    run(capsys, *fix)
    again = run(capsys, *fix, code=2)[1]
    row = json.loads(run(capsys, "ledger", "show", "--id", "r-4711", "--ledger", where, "--json")[0])["rows"][0]
    top = json.loads(run(capsys, "ledger", "top", "--by", "user", "--ledger", where, "--json")[0])["lines"]
    stands = json.loads(run(capsys, "budget", "status", "--ledger", where, "--json")[0])["accounts"]

    assert (row["kind"], row["cost_nano"], row["outcome"], row["calls"]) == ("correction", -5 * 10**7, "refund 4711", 0)
    assert "recorded before" in again
    assert {one["label"]: (one["cost_nano"], one["outcomes"]) for one in top}["u1"] == (2 * 10**8, 0)
    assert {one["account"]: one["posted"] for one in stands}["user=u1"] == 2 * 10**8
    run(capsys, "ledger", "verify", "--ledger", where)


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "money.md").read_text(encoding="utf-8")


def test_the_page_names_a_test_that_exists_for_each_promise() -> None:
    table = PAGE.partition("| promise | test, in `tests/` |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    for line in table:
        path, _, name = line.rsplit("`", 2)[1].partition("::")
        assert f"def {name}(" in (Path(__file__).resolve().parents[1] / path).read_text(encoding="utf-8"), line
    assert len(table) >= 15


def test_the_commands_of_the_page_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REELWISE_LEDGER", raising=False)
    spend("reelwise.db")
    own = re.findall(r"^    reelwise ((?:budget|ledger) .*)$", PAGE, re.MULTILINE)
    own += re.findall(r"`reelwise ((?:budget|ledger) (?:ladder|mode|kill|verify).*?)`", PAGE)
    for command in own:
        if "close" not in command and "correct" not in command:  # of days that may lie ahead
            run(capsys, *shlex.split(command, comments=True))

    assert len(own) >= 14


def test_top_says_what_a_session_and_a_user_cost_when_asked(capsys: pytest.CaptureFixture[str], where: str) -> None:
    spend(where)
    plain = json.loads(run(capsys, "ledger", "top", "--ledger", where, "--json")[0])["total"]
    asked = json.loads(run(capsys, "ledger", "top", "--units", "--ledger", where, "--json")[0])["total"]

    assert "users" not in plain  # it reads every user's sums
    assert (asked["users"], asked["sessions"]) == (3, 0)
    assert "0.25 a user (3)" in run(capsys, "ledger", "top", "--units", "--ledger", where)[1]
