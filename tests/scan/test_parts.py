"""The parts of the cascade, each alone."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from reelwise.scan.cascade import ASKED, METHODS, SIGNALS
from reelwise.scan.heads import blind_seconds
from reelwise.scan.normal import Unrest, robust_spread, running_level, smooth, unrest
from reelwise.scan.packets import BETWEEN, KEY, PREDICTED, arrange
from reelwise.scan.routes import Task, landing, least_share, route
from reelwise.scan.separable import judge, sample_keys
from reelwise.scan.source import FULL, PASS, REFERENCES, SKIP
from reelwise.scan.watch import Pulse, events_of, join_spans, overlay_mask


def table(count=3000, fps=10.0, gop=50, sizes=None, stamps=None):
    key = np.arange(count) % gop == 0
    times = np.arange(count) / fps if stamps is None else np.asarray(stamps, float)
    size = np.where(key, 20_000, 400).astype(np.int64) if sizes is None else np.asarray(sizes, np.int64)
    return arrange(times, times, size, key, np.full(count, np.nan, np.float32), nominal=1 / fps)


def test_classes_and_clock():
    stamps = [0.0, 0.3, 0.1, 0.2, 0.4]
    packets = arrange(
        np.array(stamps), np.arange(5) / 10 - 0.2, np.full(5, 9), np.array([1, 0, 0, 0, 0], bool),
        np.full(5, np.nan, np.float32), nominal=0.1,
    )  # fmt: skip
    assert packets.kind.tolist() == [KEY, PREDICTED, BETWEEN, BETWEEN, PREDICTED]
    assert packets.seconds == pytest.approx(0.5)
    restarted = table(200, stamps=[*(np.arange(100) / 10), *(np.arange(100) / 10)])
    assert restarted.restarts == 1
    assert (np.diff(restarted.times) > 0).all()
    assert restarted.seconds == pytest.approx(20.0)
    assert table(10, stamps=[np.nan] * 10).repaired == 10


def test_unrest_sees_more_bits_and_not_a_slow_drift():
    dice = np.random.default_rng(1)
    size = 400 * np.exp(dice.normal(0, 0.2, 3000)) * np.linspace(1, 2, 3000)
    size[1500:1530] *= 3
    times, score = unrest(table(sizes=size))
    inside = (times > 150.3) & (times < 152.7)
    assert score[inside].min() > 4
    assert np.quantile(score[(times < 149) | (times > 154)], 0.99) < 4


def test_robust_numbers():
    assert robust_spread(np.random.default_rng(2).normal(0, 3, 9999)) == pytest.approx(3, rel=0.1)
    assert robust_spread(np.zeros(0)) == 0
    assert smooth(np.arange(9.0), 3)[4] == pytest.approx(4)
    assert running_level(np.full(100, 7.0), 20, 35).tolist() == [7.0] * 100


def test_a_verdict_names_its_reason():
    dice = np.random.default_rng(4)
    lively = (300 * np.exp(dice.normal(0, 0.3, 3000))).astype(int)
    size = (640, 360)
    assert judge(table(sizes=lively), size, 0.1).separable
    for packets, kept, word in (
        (table(sizes=lively * 40), 0.1, "noise"),
        (table(sizes=np.full(3000, 1500)), 0.1, "constant bit rate"),
        (table(gop=1), 0.1, "key frame"),
        (table(400, sizes=lively[:400]), 0.1, "too short"),
        (table(sizes=lively), 0.9, "unusual"),
    ):
        verdict = judge(packets, size, kept)
        assert not verdict.separable
        assert word in verdict.why


def test_the_sample_stays_within_its_budget():
    packets = table(30_000)
    quiet = np.zeros(len(packets.keys) - 1)
    quiet[:100] = np.nan
    pairs = sample_keys(packets, quiet)
    assert 2 <= len(pairs) * 2 <= 0.003 * packets.count
    assert all(packets.kind[a] == packets.kind[b] == KEY and a >= 5000 for a, b in pairs)
    assert sample_keys(packets, np.full(len(quiet), np.nan)) == []


def test_the_plan_starts_at_the_key_frame_before():
    packets = table()
    plan = route(packets, [Task(12.0, 13.0)])
    assert np.flatnonzero(plan != SKIP).tolist() == list(range(100, 131))
    assert least_share(packets, [(12.0, 13.0)]) == pytest.approx(31 / 3000)
    assert least_share(packets, []) == 0
    assert blind_seconds(packets) == pytest.approx(2.0)


def test_a_jump_leaves_out_what_is_quiet_and_keeps_the_key_frame():
    packets = table()
    task = Task(13.0, 14.0, due=13.5, jump=True)
    assert landing(packets, task) == (130, 29)
    plan = route(packets, [task])
    assert plan[100] == REFERENCES
    assert (plan[101:130] == PASS).all()
    assert (plan[130:141] != PASS).all()
    assert (plan[131:140] == FULL).all()  # near the edge
    assert landing(packets, Task(10.3, 11.0, jump=True))[1] == 0  # so short a way is decoded


def test_what_packets_say_of_a_stretch():
    said = Unrest(np.arange(10.0), np.arange(10.0))
    assert (said.most(2, 5), said.least(2, 5)) == (4, 2)
    assert np.isnan(Unrest().most(0, 9))


def test_a_pulse_sees_a_box_and_neither_light_nor_a_clock():
    ground = np.random.default_rng(8).integers(60, 120, (90, 160)).astype(np.uint8)
    mask = np.zeros(ground.shape, bool)
    mask[:8, :40] = True
    pulse = Pulse(mask)
    box, clock = ground.copy(), ground.copy()
    box[40:60, 40:60] = 240
    clock[:6, :36] = 250
    assert not pulse.moves(ground)
    assert not pulse.moves(ground + 20)
    assert not pulse.moves(clock)
    assert pulse.moves(box)
    assert not pulse.moves(box)


def test_every_signal_keeps_to_the_protocol():
    names = [one.name for one in SIGNALS]
    assert list(METHODS) == ["auto", *names, *(one.name for one in ASKED)]
    costs = [one.cost for one in SIGNALS]
    assert costs == sorted(costs)
    stream = SimpleNamespace(
        packets=table(), verdict=SimpleNamespace(separable=True, why="so"), asked="auto", source=None, mask=None
    )
    assert SIGNALS[0].believed(stream)[0]
    assert SIGNALS[-1].believed(stream)[0]
    assert all(isinstance(one.believed(stream)[1], str) for one in SIGNALS)


def test_events_need_change_and_background():
    times = np.arange(100) / 10
    change, activity = np.zeros(100, np.float32), np.zeros(100, np.float32)
    change[20:40] = 0.02
    change[70:80] = 0.02  # light: nothing against the background
    activity[22:40] = 0.05
    assert events_of(times, change, activity, 0.1) == [(pytest.approx(2.0), pytest.approx(4.0))]
    assert join_spans([(3.0, 4.0), (0.0, 1.0), (1.2, 2.0)], 0.5) == [(0.0, 2.0), (3.0, 4.0)]


def test_a_clock_is_masked_and_a_person_is_not():
    dice = np.random.default_rng(6)
    ground = dice.integers(60, 120, (90, 160)).astype(np.uint8)
    grids = []
    for index in range(8):
        grid = ground.copy()
        grid[5:9, 150:154] = 255 * (index % 2)
        grids.append(grid)
    mask = overlay_mask(grids)
    assert mask is not None
    assert mask[5:9, 150:154].all()
    assert mask.mean() < 0.1
    for index, grid in enumerate(grids):
        grid[:] = ground
        grid[40:80, 15 * index : 15 * index + 12] = 220
    assert overlay_mask(grids) is None
    assert overlay_mask(grids[:3]) is None


def test_importing_the_package_loads_neither_av_nor_numpy():
    code = "import sys, reelwise.scan; print('av' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
