"""`reelwise compare`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reelwise.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = str(ROOT / "examples" / "segmentation.yaml")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as done:
        main(["compare", *arguments])
    printed = capsys.readouterr()
    return int(done.value.code or 0), printed.out, printed.err


def parsed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    return dict(json.loads(out))


def test_it_is_among_the_commands() -> None:
    assert "compare" in COMMANDS


def test_json_has_the_stable_keys_and_nothing_else_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    found = parsed(capsys, EXAMPLE)
    assert list(found)[:2] == ["options", "break_even"]
    assert len(found["options"]) == 13
    for one in found["options"]:
        assert {
            "name",
            "kind",
            "usd_per_frame",
            "usd_per_minute",
            "usd_per_session",
            "usd_per_month",
            "feasible",
            "why",
        } <= one.keys()
        assert one["feasible"] == (not one["why"])
    for one in found["break_even"]:
        assert {"a", "b", "at", "unit"} <= one.keys()
        assert one["unit"] in {"sessions_month", "frames_per_second"}
    assert "curves" not in found


def test_the_text_says_who_wins_and_why_others_cannot(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, EXAMPLE)
    flat = " ".join(out.split())
    assert code == 0
    for part in (
        "background_blur: 3,000 sessions a month (500 minutes), answers within 0.2 s",
        "Cheapest that can do the job: `user's machine, then Inferentia`, 166.44 USD a month.",
        "As it is now (`image API, every frame`): 899.00, 732.56 more than that, and it cannot do the job.",
        "Below 510 sessions a month, `a Jetson at every desk` is cheaper.",
        "cheaper than `serverless T4, YOLO26n` above 89% busy",
        "- video API, 50.00 USD a month (0.0167 a session): about 10.4 s for an answer",
    ):
        assert part in flat, part
    assert out.index("Can do the job") < out.index("Cannot do the job")


def test_a_winner_by_volume_is_said_with_both_of_its_ends(capsys: pytest.CaptureFixture[str]) -> None:
    found = parsed(capsys, EXAMPLE, "--only", "T4,video")
    reaches, volume = found["cheapest"], found["volume"]
    now = next(at for at, one in enumerate(reaches) if one["low"] <= volume <= one["high"])
    assert len(reaches) > now + 2
    _, out, _ = run(capsys, EXAMPLE, "--only", "T4,video")
    later = reaches[now + 1]
    said = f"From {later['low']:,.0f} to {later['high']:,.0f} sessions a month, `{later['option']}` is cheaper."
    assert said in " ".join(out.split())


def test_without_a_deadline_the_article_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = parsed(capsys, EXAMPLE, "--set", "latency=seconds", "--set", "account.free_tiers=false")
    usd = {one["name"]: one["usd_per_month"] for one in found["options"]}
    assert usd["image API, every frame"] == pytest.approx(900 + 9 * 0.09)  # and 9 GB of masks
    assert usd["video API"] == pytest.approx(50)
    assert usd["SAM 3 by the block"] == pytest.approx(285)


def test_only_some_by_a_part_of_their_name(capsys: pytest.CaptureFixture[str]) -> None:
    found = parsed(capsys, EXAMPLE, "--only", "video API,yolo")
    assert {one["name"] for one in found["options"]} == {
        "video API", "own T4, YOLO26n", "N+1", "serverless T4, YOLO26n", "as it is", "own T4, YOLO26n, N+1",
    } - {"own T4, YOLO26n", "N+1"}  # fmt: skip
    code, out, err = run(capsys, EXAMPLE, "--only", "teleport")
    assert (code, out) == (2, "")
    assert "no option is named `teleport`" in err
    assert "video API" in err


def test_all_pairs_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    _, few, said = run(capsys, EXAMPLE)
    _, every, nothing = run(capsys, EXAMPLE, "--pairs")
    assert len(every.splitlines()) > len(few.splitlines()) + 20
    assert "--pairs shows them" in said
    assert nothing == ""


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _, out, _ = run(capsys, EXAMPLE)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert max(len(line) for line in plain.splitlines()) <= columns


def test_price_takes_an_option_as_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    found = parsed(capsys, EXAMPLE)
    for name in ("video API", "own T4, 15 fps, N+1"):
        with pytest.raises(SystemExit):
            main(["price", EXAMPLE, "--option", name, "--json"])
        month = json.loads(capsys.readouterr().out)["total_usd_month"]
        assert month == next(one["usd_per_month"] for one in found["options"] if one["name"] == name)
    with pytest.raises(SystemExit) as done:
        main(["price", EXAMPLE, "--option", "video", "--json"])
    assert done.value.code == 2
    assert "did you mean `video API`?" in capsys.readouterr().err


def test_an_option_and_a_plan_are_one_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, EXAMPLE, "--option", "video API", "--plan", EXAMPLE)
    assert code == 2
    assert "leave one of the two out" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.yaml"], "no such file"),
        ([EXAMPLE, "--set", "options.9999.fps=1"], "no place in a list"),
        ([EXAMPLE, "--set", "options.video API.modle=x"], "unknown field"),
        ([EXAMPLE, "--set", "demand.users=0"], "nothing to do"),
        ([EXAMPLE, "--evidence", "nowhere"], "no such folder"),
        ([EXAMPLE, "--day", "2019-01-01"], "no prices are known"),
    ],
)
def test_bad_input_is_said_with_a_hint(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert "hint:" in err


def test_a_folder_of_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    folder = tmp_path / "out"
    code, out, err = run(capsys, EXAMPLE, "--out", str(folder), "--json")
    assert code == 0
    assert json.loads(out)["options"]
    names = {path.name for path in folder.iterdir()}
    assert names == {"compare.html", "compare.json", "volume.svg", "volume.png", "sampling.svg", "sampling.png"}
    assert all(str(folder / name) in err for name in names)
    assert (folder / "volume.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "compare.html").read_text()
    assert "Cheapest that can do the job" in page
    assert "<script" not in page
    assert page.count("<svg") == 2
    assert json.loads((folder / "compare.json").read_text())["curves"]


def test_a_place_that_cannot_be_written_to(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    there = tmp_path / "file"
    there.write_text("kept")
    code, _, err = run(capsys, EXAMPLE, "--out", str(there))
    assert code == 5
    assert "cannot write" in err
    assert there.read_text() == "kept"
