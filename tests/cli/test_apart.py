"""What is written is not what is read."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from reelwise.cli.apart import check_apart
from reelwise.cli.probe import cli as probe
from reelwise.errors import InputError


def test_files_of_their_own_pass(tmp_path):
    check_apart(
        {"--out": tmp_path / "a", "--masks": None, "--picture": "b"}, (tmp_path / "c", None, "rtsp://camera/x", "\0")
    )


def test_a_link_to_what_is_read_is_what_is_read(tmp_path):
    clip, link = tmp_path / "clip.mp4", tmp_path / "link.mp4"
    clip.write_bytes(b"x")
    link.symlink_to(clip)
    with pytest.raises(InputError, match="is what is read, too"):
        check_apart({"--out": link}, (clip,))


def test_nothing_is_written_twice(tmp_path):
    with pytest.raises(InputError, match="is the file of --out, too"):
        check_apart({"--out": tmp_path / "a", "--masks": tmp_path / "b" / ".." / "a"}, ())


def test_a_probe_does_not_replace_its_teacher(tmp_path):
    teacher, clip = tmp_path / "mine.onnx", tmp_path / "clip.mp4"
    for one in (teacher, clip):
        one.write_bytes(b"x")
        with pytest.raises(InputError, match="is what is read, too"):
            CliRunner().invoke(probe, ["quantize", str(teacher), str(clip), "--out", str(one)], catch_exceptions=False)
        assert one.read_bytes() == b"x"
