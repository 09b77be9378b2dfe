"""Fit the coefficients of `reelwise.duplicates.verdict` on the scenes that were tuned on, and print them.

python bench/dedupe_fit.py [--clips FOLDER] [--work FOLDER]

The coefficients that ship were fitted while more candidates were compared a question (191 copies, 183 other moments). A refit on
the present code weighs seconds of movement negatively, which no evidence can mean, so they were kept; they call fewer pairs copies.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from dedupe import fresh
from dedupe_pairs import STRETCH, copies, fingerprint, overlap, sources
from reelwise.duplicates import Index
from reelwise.duplicates.verdict import evidence

_SHRINK = 0.3


def examples(clips: Path, work: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return evidence (n, 4) and truth (n,) of every comparison between 6-second stretches of tuned scenes."""
    stored, rows, truth = {}, [], []
    with Index(fresh(work, "fit.db")) as index:
        for source in (one for one in sources(clips, work) if one.tuned):
            for number in range(max(1, round(source.seconds // STRETCH))):
                span = (number * STRETCH, (number + 1) * STRETCH) if source.path else (0.0, source.seconds)
                name = f"{source.name}@{number}"
                if min(span[1], source.seconds) - span[0] >= 1.5 and index.add(
                    fingerprint(source.times, source.grids, *span), name
                ):
                    stored[name] = (source, span)
        rng = np.random.default_rng(1)
        for name, (source, (start, stop)) in stored.items():
            for transform, (times, grids) in (
                {"original": (source.times, source.grids)} | copies(source, work)
            ).items():
                low = start + (0.0 if transform == "original" else float(rng.uniform(0, 0.9)))
                high = min(stop, float(times[-1]) + 0.01)
                if high - low < 1.2 or transform == "crop20-off-centre":
                    continue
                for candidate in index.find(fingerprint(times, grids, low, high)):
                    other, span = stored[candidate.clip.name]
                    shared = overlap(source, (low, high), other, span)
                    if not candidate.likeness.moving_seconds or (shared is not None and candidate.clip.name != name):
                        continue
                    rows.append(evidence(candidate))
                    truth.append(candidate.clip.name == name)
    return np.array(rows), np.array(truth, float)


def fit(rows: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Fit a logistic by Newton's method, with a little shrinkage."""
    weights = np.zeros(rows.shape[1])
    for _ in range(60):
        chance = 1 / (1 + np.exp(-rows @ weights))
        curve = rows.T @ (rows * (chance * (1 - chance))[:, None]) + _SHRINK * np.eye(len(weights))
        weights += np.linalg.solve(curve, rows.T @ (truth - chance) - _SHRINK * weights)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[1].parent / "shared" / "clips")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "reelwise-dedupe")
    options = parser.parse_args()
    rows, truth = examples(options.clips, options.work)
    weights = fit(rows, truth)
    print(
        json.dumps(
            {"copies": int(truth.sum()), "others": int((1 - truth).sum()), "coefficients": weights.round(2).tolist()}
        )
    )


if __name__ == "__main__":
    main()
