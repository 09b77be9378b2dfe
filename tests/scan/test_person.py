from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction

import pytest

from reelwise.errors import InputError, MissingExtraError
from reelwise.scan import by_person, scan
from reelwise.scan.by_person import ByPerson, _Due, _spans

NO, YES = False, True


@pytest.mark.parametrize(
    ("looks", "coarse", "exact"),
    [
        ([], [], []),
        ([(0, NO), (1, NO)], [], []),
        ([(0, YES), (1, YES)], [(0.0, 10)], [(0.0, 10)]),
        ([(0, NO), (1, YES), (2, YES), (3, NO)], [(0, 3)], [(0.5, 2.5)]),
        ([(0, NO), (1, YES)], [(0, 10)], [(0.5, 10)]),
        ([(0, YES), (1, NO), (2, NO), (3, YES), (4, NO)], [(0.0, 1), (2, 4)], [(0.0, 0.5), (2.5, 3.5)]),
    ],
)
def test_looks_become_stretches(looks, coarse, exact):
    assert _spans(looks, 10, edge=0.0) == coarse
    assert _spans(looks, 10, edge=0.5) == exact


def test_looks_are_a_second_apart_and_closer_at_edges():
    due = _Due([(-math.inf, math.inf)])
    assert [at / 10 for at in range(31) if due(at / 10)] == [0, 1, 2, 3]

    due = _Due([(1.0, 1.8), (3.0, 4.6)])
    assert [at / 10 for at in range(50) if due(at / 10)] == [
        1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 3.1, 3.3, 3.5, 3.7, 3.9, 4.1, 4.3, 4.5,
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["coarse", "exact"])
def test_a_person_who_leaves_and_comes_back(person_clip, installed_person, mode):
    found = scan(person_clip, mode=mode, method="person")

    slack = 1.1 if mode == "coarse" else 0.4
    assert installed_person.exists()
    assert len(found.events) == 2
    first, second = found.events
    assert first.start_seconds == 0
    assert first.stop_seconds == pytest.approx(11.0, abs=slack)
    assert second.start_seconds == pytest.approx(14.2, abs=slack)
    assert second.stop_seconds == pytest.approx(20, abs=0.11)
    assert first.found_by == "person"
    assert [one.method for one in found.stretches] == ["person"]
    assert found.why == "asked for"
    assert 0 < found.blind_seconds <= 2


def test_a_yard_without_people_in_the_front_is_empty(drawn_clip, installed_person):
    found = scan(drawn_clip, method="person")

    assert installed_person.exists()
    assert found.kept_share < 0.2  # a drawn person crosses it, small
    assert found.frames_decoded_share <= 2


def test_it_is_never_taken_unasked(drawn_clip):
    assert scan(drawn_clip).method != "person"


def test_without_the_networks_it_says_how_to_install_them(drawn_clip, tmp_path):
    import os

    done = subprocess.run(
        [sys.executable, "-m", "reelwise", "scan", str(drawn_clip), "--method", "person"], capture_output=True, text=True,
        check=False, env={**os.environ, "REELWISE_CACHE": str(tmp_path)},
    )  # fmt: skip

    assert done.returncode == 2
    assert "is not installed" in done.stderr
    assert "reelwise models install person-segmentation" in done.stderr


def test_without_onnxruntime_it_says_which_extra(drawn_clip, installed_person, monkeypatch):
    assert installed_person.exists()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError):
        scan(drawn_clip, method="person")


def test_key_frames_are_enough_where_they_are_close(person_clip, installed_person, tmp_path, monkeypatch):
    import av

    close = tmp_path / "close.mp4"
    with av.open(str(person_clip)) as source, av.open(str(close), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.gop_size = 480, 270, "yuv420p", 10
        for number, frame in enumerate(source.decode(video=0)):
            frame.pts, frame.time_base = number, Fraction(1, 10)
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    assert installed_person.exists()

    found = scan(close, mode="coarse", method="person")

    assert found.frames_decoded_share < 0.25
    assert len(found.events) == 2
    monkeypatch.setattr(by_person, "_people", lambda: lambda _: [])
    assert scan(close, method="person").events == ()


def test_a_live_stream_has_no_such_method(drawn_clip):
    from reelwise.cli import cli
    from reelwise.errors import ReelwiseError

    with pytest.raises(ReelwiseError, match="no such method"):
        cli.main(
            ["scan", "--follow", str(drawn_clip), "--method", "person", "--json"],
            standalone_mode=False,
            prog_name="reelwise",
        )


def test_real_people_come_and_go(shared_clips, installed_person):
    assert installed_person.exists()
    found = scan(shared_clips / "intel_one-by-one_first60s.mp4", method="person")

    kept = [(one.start_seconds, one.stop_seconds) for one in found.events]
    assert len(kept) == 3
    for start, stop in ((7.5, 18.0), (24.0, 42.8), (52.0, 58.0)):
        assert any(a <= start and b >= stop for a, b in kept)
    assert not any(a <= 2.0 <= b for a, b in kept)
    assert scan(shared_clips / "intel_car-detection.mp4", method="person").events == ()


def test_it_costs_less_than_it_says_it_may():
    assert ByPerson.decodes
    assert 0 < ByPerson.cost < 1
    with pytest.raises(InputError):
        scan("nowhere.mp4", method="people")
