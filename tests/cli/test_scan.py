"""`reelwise scan`."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from reelwise.cli import COMMANDS, main
from reelwise.cli.scan import cli
from reelwise.errors import MediaError


def run(*arguments):
    return CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)


def test_it_is_among_the_commands():
    assert "scan" in COMMANDS


def test_one_file_as_json(drawn_clip):
    found = json.loads(run(drawn_clip, "--json").stdout)
    assert {
        "events",
        "method",
        "why",
        "frames_decoded_share",
        "realtime_factor",
        "signals",
        "bound_seconds",
    } <= found.keys()
    assert found["mode"] == "exact"
    assert found["events"]
    assert all(one.keys() == {"start_seconds", "stop_seconds", "by", "found_by"} for one in found["events"])
    assert all(one["cpu_seconds"] >= 0 for one in found["signals"])


def test_one_file_as_text(drawn_clip):
    text = run(drawn_clip, "--mode", "coarse", "--pad", "0.5").stdout
    assert "Method: " in text
    assert "Bound: " in text
    assert "times real time" in text


def test_a_folder_is_a_list_and_goes_on_after_a_broken_file(drawn_clip, tmp_path):
    shutil.copy(drawn_clip, tmp_path / "b.mp4")
    (tmp_path / "a.mp4").write_bytes(b"broken" * 100)
    (tmp_path / "notes.txt").write_text("no clip")
    done = run(tmp_path, "--json")
    files = json.loads(done.stdout)["files"]
    assert [one["path"].rsplit("/", 1)[-1] for one in files] == ["a.mp4", "b.mp4"]
    assert files[0]["error"]
    assert files[1]["method"]


def test_bad_paths_are_errors(tmp_path):
    with pytest.raises(MediaError, match="no clip"):
        run(tmp_path)
    with pytest.raises(MediaError, match="no such file"):
        run(tmp_path / "none.mp4")
    (tmp_path / "a.mp4").write_bytes(b"broken" * 100)
    with pytest.raises(MediaError, match="none of the files"):
        run(tmp_path)
    assert run(tmp_path, "--mode", "both").exit_code == 2


def test_a_file_that_was_named_and_cannot_be_scanned_is_an_error_after_the_others(drawn_clip, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["scan", str(drawn_clip), str(tmp_path / "none.mp4"), "--json"])
    files = json.loads(capsys.readouterr().out)["files"]

    assert stopped.value.code == 2
    assert "error" in files[1]
    assert "events" in files[0]


@pytest.mark.parametrize(
    "option", [("--warm-up", "5"), ("--idle", "2"), ("--transport", "udp"), ("--timeout", "3"), ("--reconnects", "1")]
)
def test_options_for_live_streams_are_refused_for_files(drawn_clip, capsys, option):
    with pytest.raises(SystemExit) as stopped:
        main(["scan", str(drawn_clip), *option])

    assert stopped.value.code == 2
    assert f"{option[0]} is for live streams" in capsys.readouterr().err
