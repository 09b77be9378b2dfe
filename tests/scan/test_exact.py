"""What exact mode leaves out must not change what it finds."""

from __future__ import annotations

import numpy as np
import pytest

from reelwise.scan import scan
from reelwise.scan import source as source_module
from reelwise.scan.exact import verify
from reelwise.scan.heads import watch_all, watch_heads
from reelwise.scan.routes import Task, route
from reelwise.scan.source import FULL, SKIP, Source

EVENTS = ((20.0, 23.0), (41.0, 45.0), (70.0, 73.0))


def near(found, slack=0.4):
    assert len(found) == len(EVENTS), found
    assert all(abs(a - c) <= slack and abs(b - d) <= slack for (a, b), (c, d) in zip(found, EVENTS, strict=True)), found


def test_jumping_over_a_file_reads_the_same_pictures(long_clips, monkeypatch):
    source = Source(long_clips("g50.mp4", gop=50))
    packets = source.packets()
    plan = route(packets, [Task(30.0, 31.0), Task(80.0, 82.0)])
    read = []
    for least in (20, 10**9):
        monkeypatch.setattr(source_module, "_SEEK_MIN", least)
        read.append([(seconds, grid.tolist()) for seconds, grid in source.grids(packets, plan.copy())])
    assert len(read[0]) > 10
    assert read[0] == read[1]


def test_a_jump_that_lands_elsewhere_is_read_again(long_clips, monkeypatch):
    source = Source(long_clips("g50.mp4", gop=50))
    packets = source.packets()
    plan = np.zeros(packets.count, np.uint8)
    plan[packets.keys[[0, 8]]] = FULL
    expected = [grid.tolist() for _, grid in source.grids(packets, plan)]
    monkeypatch.setattr(source_module, "_SEEK_MIN", 20)
    monkeypatch.setattr(Source, "_jumped", lambda *_: (iter(()), -1))
    assert [grid.tolist() for _, grid in source.grids(packets, plan)] == expected
    assert len(expected) == 2


def test_an_edge_after_a_jump_is_where_it_was(long_clips):
    clip = long_clips("far.mp4", gop=2000, options={"x264-params": "scenecut=0"})
    found = scan(clip, method="packets")
    near([(one.start_seconds, one.stop_seconds) for one in found.events])
    assert found.edges_checked >= 2
    assert found.edge_error_seconds <= 0.3
    assert found.jumps == 1
    assert {one.found_by for one in found.events} == {"luma", "jump"}
    assert {one.found_by for one in scan(clip, method="packets", mode="coarse").events} == {"packets"}


def test_without_what_packets_say_nothing_is_jumped_over(long_clips):
    source = Source(long_clips("g50.mp4", gop=50))
    verified = verify(source, source.packets(), [(a - 0.5, b + 0.5) for a, b in EVENTS], None)
    near(verified.events)
    assert (verified.jumped, verified.edges_checked) == ([], 0)


def test_candidates_that_come_late_stop_early_or_are_nothing(long_clips):
    source = Source(long_clips("g50.mp4", gop=50))
    packets = source.packets()
    late = [(a + 0.8, b - 1.0) for a, b in EVENTS]
    near(verify(source, packets, [*late, (55.0, 58.0)], None).events)
    assert verify(source, packets, [], None).events == []


def test_leaving_out_tails_finds_what_a_full_decode_finds(long_clips):
    source = Source(long_clips("noise.mp4", gop=20, noise=6.0, options={"preset": "ultrafast"}))
    packets = source.packets()
    near(watch_heads(source, packets, None))
    decoded = source.decoded
    assert decoded <= packets.count + len(packets.keys)  # noise this strong opens most tails
    near(watch_all(source, packets, None))
    assert source.decoded - decoded == packets.count


@pytest.mark.parametrize("mode", ["coarse", "exact"])
def test_slices_can_be_asked_for(long_clips, mode):
    found = scan(long_clips("g50.mp4", gop=50), mode=mode, method="slices")
    assert found.method == "slices"
    assert all(any(one.start_seconds < b and one.stop_seconds > a for one in found.events) for a, b in EVENTS)


def test_light_that_changes_slowly_hides_no_event(long_clips):
    clip = long_clips("slow.mp4", gop=50, light=lambda t: 1.0 + 0.12 * np.sin(t / 6))
    near([(one.start_seconds, one.stop_seconds) for one in scan(clip).events], slack=0.5)


def test_an_empty_plan_reads_nothing(long_clips):
    source = Source(long_clips("g50.mp4", gop=50))
    packets = source.packets()
    assert list(source.grids(packets, np.full(packets.count, SKIP, np.uint8))) == []


@pytest.mark.parametrize("gop", [2, 20])
def test_two_pictures_a_second(long_clips, gop):
    clip = long_clips(f"two{gop}.mp4", gop=gop, fps=2)
    near([(one.start_seconds, one.stop_seconds) for one in scan(clip).events], slack=1.0)
    source = Source(clip)
    wide = [(a - 1, b + 1) for a, b in EVENTS]
    near(verify(source, source.packets(), wide, None).events, slack=1.0)
