"""`reelwise sample`."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from reelwise.cli import COMMANDS
from reelwise.cli.sample import cli
from reelwise.errors import DocumentError, InputError, MediaError, UnknownModelError


def run(*arguments):
    return CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)


def test_it_is_among_the_commands():
    assert "sample" in COMMANDS


def test_the_comparison_is_always_there(drawn_clip):
    for by in ("uniform", "change", "shot"):
        text = run(drawn_clip, "--by", by, "--budget", 6).stdout
        assert "6 at an even pace" in text
        assert "activities with a frame in them" in text
        found = json.loads(run(drawn_clip, "--by", by, "--budget", 6, "--json").stdout)
        assert found["by"] == by
        assert len(found["frames"]) == found["seen"]["frames"] == found["uniform"]["frames"] == 6
        assert found["verdict"] in {"better", "level", "worse"}
        seconds = [one["second"] for one in found["frames"]]
        assert seconds == sorted(seconds)


def test_a_question_takes_its_scores_from_a_file(drawn_clip, tmp_path):
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps({str(second): float(second == 7) for second in range(12)}))
    found = json.loads(run(drawn_clip, "--scores", scores, "--budget", 1, "--json").stdout)
    assert found["by"] == "question"
    assert found["frames"][0]["second"] == pytest.approx(7.0, abs=0.1)
    assert found["seen"]["top_score_share"] == 1.0
    assert found["verdict"] == "better"
    with pytest.raises(DocumentError, match="no such file"):
        run(drawn_clip, "--scores", tmp_path / "none.json")


def test_scores_outside_the_clip_are_refused_or_noted(drawn_clip, tmp_path):
    scores = tmp_path / "scores.csv"
    scores.write_text("".join(f"{second},{second % 5}\n" for second in range(15)))
    done = run(drawn_clip, "--scores", scores, "--budget", 2)
    assert "Note: 2 of 15 scores lie behind the clip's end" in done.stdout
    assert any(
        "2 of 15 scores" in one for one in json.loads(run(drawn_clip, "--scores", scores, "--json").stdout)["notes"]
    )
    scores.write_text("".join(f"{1000 * second},{second}\n" for second in range(13, 20)))
    with pytest.raises(InputError, match="none of the scores lies in the clip") as error:
        run(drawn_clip, "--scores", scores)
    assert error.value.where == str(scores)
    assert "milliseconds" in error.value.hint


def test_a_budget_in_tokens_buys_whole_pictures(drawn_clip):
    found = json.loads(run(drawn_clip, "--tokens", 1000, "--model", "gpt-4o", "--json").stdout)
    assert found["tokens_each"] == 255, "320x180: one tile"
    assert len(found["frames"]) == 3
    assert found["tokens"] == 765
    both = json.loads(run(drawn_clip, "--tokens", 1000, "--model", "gpt-4o", "--budget", 2, "--json").stdout)
    assert len(both["frames"]) == 2
    with pytest.raises(InputError, match="do not pay for one picture"):
        run(drawn_clip, "--tokens", 200, "--model", "gpt-4o")
    with pytest.raises(UnknownModelError):
        run(drawn_clip, "--tokens", 200, "--model", "no-such-model")


def test_pictures_are_written(drawn_clip, tmp_path):
    found = json.loads(
        run(drawn_clip, "--budget", 5, "--out", tmp_path / "a" / "b", "--long-side", 100, "--json").stdout
    )
    files = [one["file"] for one in found["frames"]]
    assert len({*files}) == 5
    assert sorted(str(one) for one in (tmp_path / "a" / "b").iterdir()) == files
    assert all((tmp_path / one).read_bytes()[:2] == b"\xff\xd8" for one in files)
    assert (found["width"], found["height"]) == (100, 56)


def test_pictures_are_cut_to_a_region_that_costs_the_fewest_tokens(drawn_clip, tmp_path):
    from reelwise.video.reader import probe

    for crop in ("activity", "0.1,0.1 0.5,0.1 0.5,0.6"):
        found = json.loads(
            run(drawn_clip, "--crop", crop, "--model", "gpt-5.4", "--budget", 2, "--out", tmp_path, "--json").stdout
        )
        region = found["region"]
        assert region["tokens"] == found["tokens_each"] < region["tokens_whole"]
        assert region["saves"]
        first = probe(found["frames"][0]["file"])
        assert (first.width, first.height) == (region["right"] - region["left"], region["bottom"] - region["top"])
    assert region["left"] <= 0.05 * 320
    assert region["right"] >= 0.55 * 320
    text = run(drawn_clip, "--crop", "activity", "--model", "gpt-4o", "--budget", 2).stdout
    assert "no tokens saved on gpt-4o, 255 a picture either way" in text
    assert "Region: 320x180" not in text, "fewer pixels, even so"
    plain = json.loads(run(drawn_clip, "--crop", "activity", "--budget", 2, "--json").stdout)
    assert "tokens" not in plain["region"]
    for nonsense in ("somewhere", "0.1,0.1 0.5", "a,b c,d e,f"):
        with pytest.raises(click.UsageError, match="no region"):
            cli.main([str(drawn_clip), "--crop", nonsense], standalone_mode=False)
    with pytest.raises(InputError, match=r"the corner 1\.2,0 lies outside") as error:
        run(drawn_clip, "--crop", "0.1,0.5 1.2,0 0.5,0.9")
    assert error.value.where == "--crop"
    assert "0.1,0.5 0.9,0.5 0.5,0.9" in error.value.hint
    for refused in ("0,0 1,1", "0,0 2,0 1,1", "os:system", "no_such_module_at_all:find"):
        with pytest.raises(InputError):
            run(drawn_clip, "--crop", refused)


def test_only_where_something_happens(drawn_clip):
    from reelwise.video import gate, track

    found = json.loads(run(drawn_clip, "--active", "--by", "uniform", "--budget", 9, "--json").stdout)
    spans = gate(track(drawn_clip))
    assert all(any(a - 0.01 <= one["second"] <= b for a, b in spans) for one in found["frames"])


def test_a_clip_in_which_nothing_happens_and_a_clip_of_one_picture(tmp_path):
    import numpy as np

    from reelwise.video.writer import write_mp4

    planes = tuple(np.full(shape, 90, np.uint8) for shape in ((64, 96), (32, 48), (32, 48)))
    for name, frames in (("still.mp4", 30), ("one.mp4", 1)):
        write_mp4(tmp_path / name, [planes] * frames, width=96, height=64, fps=10)
    assert "no frame is chosen" in run(tmp_path / "still.mp4", "--active").stdout
    cut = run(tmp_path / "still.mp4", "--crop", "activity", "--model", "gpt-4o").stdout
    assert cut.splitlines()[-1] == "Region: nothing moves: whole frames"
    region = json.loads(run(tmp_path / "still.mp4", "--crop", "activity", "--model", "gpt-4o", "--json").stdout)[
        "region"
    ]
    assert (region["found"], region["right"], region["bottom"], region["saves"]) == (False, 96, 64, False)
    found = json.loads(run(tmp_path / "still.mp4", "--active", "--json").stdout)
    assert (found["frames"], found["verdict"], found["seen"]["change_share"]) == ([], "level", None)
    for by in ("uniform", "change", "shot"):
        found = json.loads(run(tmp_path / "one.mp4", "--by", by, "--json").stdout)
        assert [one["frame"] for one in found["frames"]] == [0]


def test_one_is_one_and_a_row_has_one_number_of_decimals(drawn_clip, tmp_path):
    import re

    done = run(drawn_clip, "--seconds", 0.1, "--budget", 1, "--out", tmp_path).stdout
    assert " 1 picture; 1 chosen" in done
    assert "Written: 1 picture to" in done
    text = run(drawn_clip, "--budget", 6).stdout
    (row,) = [line for line in text.splitlines() if "longest time without a frame, s" in line]
    assert len(re.findall(r"\d+\.\d\d\b", row)) == 2
    for line in text.splitlines():
        if "%" in line:
            assert len(re.findall(r"\d+\.\d%", line)) == line.count("%")


def test_a_detector_that_finds_nothing_is_said_so(drawn_clip, tmp_path, monkeypatch):
    (tmp_path / "finds_nothing_at_all.py").write_text("def find(rgb):\n    return []\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    done = run(drawn_clip, "--crop", "finds_nothing_at_all:find", "--model", "gpt-4o", "--budget", 2)
    assert done.stdout.splitlines()[-1] == "Region: the detector found nothing: whole frames"


def test_bad_input_is_refused(drawn_clip, tmp_path):
    for arguments in (("--by", "question"), ("--tokens", 10), ("--budget", 0), ("--by", "chance")):
        done = CliRunner().invoke(cli, [str(drawn_clip), *map(str, arguments)], standalone_mode=False)
        assert isinstance(done.exception, click.ClickException), arguments
    with pytest.raises(MediaError):
        run(tmp_path / "none.mp4")
