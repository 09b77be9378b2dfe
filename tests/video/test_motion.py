from __future__ import annotations

import numpy as np

from reelwise.video import Motion


def scene(frames: int, *, noise: float = 0.0, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    still = np.kron(rng.integers(60, 180, (9, 16)), np.ones((10, 10))) + rng.normal(0, 6, (90, 160))
    return still[None] + rng.normal(0, noise, (frames, 90, 160)) if noise else np.repeat(still[None], frames, 0)


def measure(frames: np.ndarray, fps: float = 10.0) -> np.ndarray:
    grids = np.clip(frames, 0, 255).astype(np.uint8)
    signal = Motion()
    parts = [
        signal.measure(grids[i : i + 32], np.arange(i, min(i + 32, len(grids))) / fps) for i in range(0, len(grids), 32)
    ]
    return np.concatenate(parts)


def test_nothing_happens_in_a_still_or_noisy_picture() -> None:
    for noise in (0.0, 2.0, 5.0, 9.0):
        found = measure(scene(128, noise=noise))
        assert found[64:, 1].max() < 0.001, noise
        assert found[64:, 0].max() < 0.001, noise


def test_an_object_is_seen_where_it_is() -> None:
    frames = scene(128, noise=2.0)
    for i in range(80, 128):
        frames[i, 40:60, i : i + 12] = 235
    found = measure(frames)
    assert found[:78, 1].max() < 0.001
    share = 20 * 12 / (90 * 160)
    assert np.all(np.abs(found[85:, 1] - share) < share * 0.5)
    left, top, right, bottom = found[100, 2:]
    assert abs(left - 100) <= 3
    assert abs(right - 112) <= 3
    assert abs(top - 40) <= 2
    assert abs(bottom - 60) <= 2


def test_light_for_the_whole_picture_is_no_event() -> None:
    frames = scene(200, noise=1.5)
    fade = np.interp(np.arange(200), [60, 80, 120, 121], [1.0, 0.7, 0.7, 0.95])[:, None, None]
    found = measure(frames * fade + np.interp(np.arange(200), [150, 160], [0, 25])[:, None, None])
    assert found[:, 1].max() < 0.003


def test_a_cloud_over_half_the_picture_is_no_event() -> None:
    frames = scene(160, noise=1.5)
    shade = 1 - 0.3 / (1 + np.exp((np.arange(160) - 80) / 6))
    field = np.ones((160, 90, 160))
    for i in range(60, 160):
        amount = min(1.0, (i - 60) / 30)
        field[i] = 1 - amount * (1 - shade[None, :])
    found = measure(frames * field)
    assert found[:, 1].max() < 0.004


def test_an_object_is_still_seen_while_the_light_fades() -> None:
    frames = scene(128, noise=1.5) * np.linspace(1, 0.75, 128)[:, None, None]
    for i in range(80, 128):
        frames[i, 40:60, i : i + 12] = 235
    found = measure(frames)
    assert found[:78, 1].max() < 0.002
    assert found[84:, 1].min() > 0.008


def test_what_stands_still_becomes_background() -> None:
    frames = scene(200, noise=1.5)
    frames[60:, 40:60, 70:90] += 60
    found = measure(frames)
    assert found[60:75, 1].min() > 0.02
    assert found[130:, 1].max() < 0.002


def test_shaking_leaves_are_learned() -> None:
    rng = np.random.default_rng(2)
    frames = scene(600, noise=1.5)
    frames[:, :20, :30] += rng.normal(0, 25, (600, 20, 30))
    found = measure(frames)
    assert found[-100:, 1].mean() < 0.002


def test_result_does_not_depend_on_the_blocks_but_for_learning() -> None:
    frames = np.clip(scene(60, noise=2.0), 0, 255).astype(np.uint8)
    frames[30:, 10:30, 10:30] = 250
    one = Motion().measure(frames, np.arange(60) / 10)
    signal = Motion()
    two = np.concatenate([signal.measure(frames[i : i + 20], np.arange(i, i + 20) / 10) for i in (0, 20, 40)])
    assert np.array_equal(one[:, 1] > 0.01, two[:, 1] > 0.01)
