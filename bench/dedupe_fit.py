"""Fit the coefficients of `reelwise.duplicates.verdict` on the scenes that were tuned on, and print them.

    python bench/dedupe_fit.py [--clips FOLDER] [--work FOLDER]

Stretches of 3 to 8 seconds, plain and transformed, are asked against other cuts of the same scenes; every comparison is an
example, also those of a copy laid over itself at a wrong time. Besides the tuned scenes, drawn cameras that the bench does not use.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from dedupe import fresh
from dedupe_pairs import Source, copies, drawn, fingerprint, is_copy, sources
from reelwise.duplicates import Index
from reelwise.duplicates import index as index_module
from reelwise.duplicates.verdict import evidence

_SHRINK = 0.3
_DRAWN = 0.5  # weight of an example that is drawn
_OWN_TAKES = {0: range(12, 30), 1: range(12, 30), 100: range(30), 101: range(30), 102: range(30)}
_LENGTHS = (3.0, 4.0, 6.0, 8.0)


def altered(grids: np.ndarray, way: int, rng: np.random.Generator) -> np.ndarray:
    """Change drawn luma grids as a copy is: other light, a crop, coarser levels."""
    made = grids.astype(np.float32)
    if way == 0:
        made = made * rng.uniform(0.85, 1.15) + rng.uniform(-12, 12)
    if way == 1:
        rows, columns = made.shape[1:]
        side = rng.uniform(0.8, 0.95)
        top, left = int(rng.uniform(0, 1 - side) * rows), int(rng.uniform(0, 1 - side) * columns)
        made = made[:, top : top + int(side * rows), left : left + int(side * columns)]
    if way == 2:
        made = np.round(made / 6) * 6 + rng.normal(0, 4, made.shape)
    return np.clip(made + rng.normal(0, 1, made.shape), 0, 255).astype(np.uint8)


def questions(
    source: Source, work: Path, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray, float, float]]:
    """Return times, grids, start and stop of what is asked about one scene."""
    if source.path is None:
        spans = [(float(rng.uniform(0, 2)), float(rng.uniform(3, 6))) for _ in range(2)]
        return [
            (source.times, altered(source.grids, way, rng), start, start + long)
            for way, (start, long) in enumerate(spans)
        ]
    found = []
    for times, grids in ({"original": (source.times, source.grids)} | copies(source, work)).values():
        for _ in range(4 if times[-1] > 4 else 1):
            long = min(float(rng.choice(_LENGTHS)), float(times[-1]))
            start = float(rng.uniform(0, max(0.01, times[-1] - long)))
            found.append((times, grids, start, start + long))
    return found


def spans_of(source: Source, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Cut a scene into what is stored."""
    if source.path is None or source.seconds <= 8:
        return [(0.0, source.seconds)]
    spans, start = [], 0.0
    while start < source.seconds - 2:
        long = float(rng.choice(_LENGTHS))
        spans.append((start, min(start + long, source.seconds)))
        start += long
    return spans


def examples(clips: Path, work: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return evidence (n, 6), truth (n,) and weight (n,) of every comparison."""
    index_module._COMPARED, index_module._WORTH = 8, 0.0  # noqa: SLF001 - also those that a question would not look at
    tuned = [source for source in sources(clips, work) if source.tuned]
    tuned += [drawn(camera, take, work) for camera, takes in _OWN_TAKES.items() for take in takes]
    rng = np.random.default_rng(3)
    stored, rows, truth, weight = {}, [], [], []
    with Index(fresh(work, "fit.db")) as index:
        for source in tuned:
            for span in spans_of(source, rng):
                name = f"{source.name}@{span[0]}"
                if index.add(fingerprint(source.times, source.grids, *span), name):
                    stored[name] = (source, span)
        for source in tuned:
            for times, grids, start, stop in questions(source, work, rng):
                if not source.is_active(start, stop):
                    continue
                for found in index.find(fingerprint(times, grids, start, stop)):
                    other, span = stored[found.clip.name]
                    right = is_copy(source, (start, stop), other, span, found)
                    if right is None or not found.likeness.motion.seconds:
                        continue
                    rows.append(evidence(found))
                    truth.append(right)
                    weight.append(_DRAWN if source.path is None else 1.0)
    return np.array(rows), np.array(truth, float), np.array(weight)


def fit(rows: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fit a logistic by Newton's method, with a little shrinkage."""
    weights = np.zeros(rows.shape[1])
    for _ in range(60):
        chance = 1 / (1 + np.exp(-rows @ weights))
        curve = rows.T @ (rows * (weight * chance * (1 - chance))[:, None]) + _SHRINK * np.eye(len(weights))
        weights += np.linalg.solve(curve, rows.T @ (weight * (truth - chance)) - _SHRINK * weights)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[1].parent / "shared" / "clips")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "reelwise-dedupe")
    options = parser.parse_args()
    rows, truth, weight = examples(options.clips, options.work)
    weights = fit(rows, truth, weight)
    print(
        json.dumps(
            {"copies": int(truth.sum()), "others": int((1 - truth).sum()), "coefficients": weights.round(2).tolist()}
        )
    )


if __name__ == "__main__":
    main()
