"""How often `reelwise seen` is right, and how fast it is: copies of real clips made with ffmpeg, other moments of the same cameras.

    python bench/dedupe.py [--clips FOLDER] [--work FOLDER] [--speed-only] [--json]

Scenes named in TUNED_ON (bench/dedupe_pairs.py) set thresholds and coefficients; "reported" counts the others only. Positives:
each whole clip and 8-second parts of it under each transform, asked against whole originals. Negatives: 6-second
stretches, plain and transformed, against all other stretches. Stretches in which the gate of `reelwise audit` sees no movement are scored apart.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from dedupe_clips import TRANSFORMS
from dedupe_pairs import STRETCH, TUNED_ON, Source, copies, fingerprint, is_copy, overlap, sources
from reelwise.duplicates import Index, seen
from reelwise.duplicates.fingerprint import Fingerprint, picture_of, reduced
from reelwise.duplicates.keys import stored_keys
from reelwise.duplicates.verdict import answer_of, probability

SUBCLIP = 8.0
PARTS = 4
COPY = ("duplicate", "part")


def wilson(hits: int, total: int) -> list[float]:
    """Return the 95 % interval of a share."""
    if not total:
        return [0.0, 1.0]
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def rate(hits: int, total: int) -> dict[str, Any]:
    return {
        "hits": hits,
        "of": total,
        "share": round(hits / total, 4) if total else None,
        "wilson95": wilson(hits, total),
    }


def fresh(work: Path, name: str) -> Path:
    for end in ("", "-wal", "-shm"):
        (work / f"{name}{end}").unlink(missing_ok=True)
    return work / name


def held(
    source: Source, span: tuple[float, float], candidates: list[Any], stored: dict[str, Any]
) -> list[dict[str, Any]]:
    """Hold the probability of every comparison in which something moves against what it is."""
    rows = []
    for candidate in candidates:
        other, span_other = stored[candidate.clip.name]
        right = is_copy(source, span, other, span_other, candidate)
        if right is not None and candidate.likeness.motion.seconds:
            rows.append({"tuned": source.tuned or other.tuned, "chance": probability(candidate), "copy": right})
    return rows


def calibration(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Say how far stated probabilities are from the share of copies among them."""
    chance = np.array([row["chance"] for row in rows])
    copy = np.array([row["copy"] for row in rows], float)
    edges = (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
    table, error = [], 0.0
    for low, high in itertools.pairwise(edges):
        mine = (chance >= low) & ((chance < high) | (high == 1.0))
        if mine.any():
            error += float(mine.mean()) * abs(float(chance[mine].mean()) - float(copy[mine].mean()))
            table.append({"from": low, "to": high, "stated": round(float(chance[mine].mean()), 4),
                          **rate(int(copy[mine].sum()), int(mine.sum()))})  # fmt: skip
    return {
        "comparisons": len(rows),
        "copies": int(copy.sum()),
        "brier": round(float(((chance - copy) ** 2).mean()), 4),
        "brier_of_the_base_rate": round(float(copy.mean() * (1 - copy.mean())), 4),
        "expected_calibration_error": round(error, 4),
        "table": table,
    }


def positives(found: list[Source], work: Path, chances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask for every whole copy and for parts of it against whole originals."""
    rows = []
    stored = {source.name: (source, (0.0, source.seconds)) for source in found}
    with Index(fresh(work, "whole.db")) as index:
        for source in found:
            index.add(fingerprint(source.times, source.grids), source.name)
        for source in found:
            rng = np.random.default_rng(len(source.name))
            for name, (times, grids) in copies(source, work).items():
                spans = [("whole", 0.0, float(times[-1]) + 1)]
                if times[-1] > SUBCLIP + 2:
                    starts = rng.uniform(0, times[-1] - SUBCLIP, PARTS)
                    spans += [("part", float(start), float(start) + SUBCLIP) for start in starts]
                for kind, start, stop in spans:
                    candidates = index.find(fingerprint(times, grids, start, stop))
                    answer = answer_of(candidates)
                    chances += held(source, (start, min(stop, float(times[-1]))), candidates, stored)
                    right = any(
                        match.verdict in COPY
                        and (match.clip == source.name)
                        and abs((match.stored[0] - match.asked[0]) - start) < 1.0
                        for match in answer.matches
                    )
                    rows.append(
                        {"scene": source.name, "tuned": source.tuned, "transform": name, "kind": kind,
                         "active": source.is_active(start, stop), "verdict": answer.verdict, "right": right}
                    )  # fmt: skip
    return rows


def negatives(found: list[Source], work: Path, chances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask for every stretch, plain and transformed, against all stretches; rows of those that are not the same footage."""
    stored: dict[str, tuple[Source, tuple[float, float]]] = {}
    rows: list[dict[str, Any]] = []
    with Index(fresh(work, "stretches.db")) as index:
        for source in found:
            for number in range(max(1, round(source.seconds // STRETCH))):
                span = (number * STRETCH, (number + 1) * STRETCH) if source.path else (0.0, source.seconds)
                name = f"{source.name}@{number}"
                if min(span[1], source.seconds) - span[0] >= 1.5 and index.add(
                    fingerprint(source.times, source.grids, *span), name
                ):
                    stored[name] = (source, span)
        rng = np.random.default_rng(1)
        for source, (start, stop) in stored.values():
            made = {"original": (source.times, source.grids)} | copies(source, work)
            for transform, (times, grids) in made.items():
                low = start + (0.0 if transform == "original" else float(rng.uniform(0, 0.9)))
                high = min(stop, float(times[-1]) + 0.01)
                if high - low < 1.2:
                    continue
                candidates = index.find(fingerprint(times, grids, low, high))
                chances += held(source, (low, high), candidates, stored)
                matches = {match.clip: match for match in answer_of(candidates).matches}
                for other, (theirs, span) in stored.items():
                    shared = overlap(source, (low, high), theirs, span)
                    if shared is not None and shared > -1.0:
                        continue
                    match = matches.get(other)
                    rows.append(
                        {"asked": source.name, "stored": other, "transform": transform,
                         "tuned": source.tuned or theirs.tuned, "camera": source.camera == theirs.camera,
                         "drawn": source.path is None,
                         "active": source.is_active(low, high) or theirs.is_active(*span),
                         "verdict": match.verdict if match else "new"}
                    )  # fmt: skip
    return rows


def summary(asked: list[dict[str, Any]], others: list[dict[str, Any]]) -> dict[str, Any]:
    """Count, for the scenes that were not tuned on and for all."""
    result: dict[str, Any] = {}
    for name, keep in (("reported", lambda row: not row["tuned"]), ("tuned", lambda row: row["tuned"])):
        rows, pairs = [row for row in asked if keep(row)], [row for row in others if keep(row)]
        moving = [row for row in rows if row["active"]]
        still = [row for row in rows if not row["active"]]
        table = {}
        for transform in TRANSFORMS:
            table[transform] = {
                kind: rate(sum(row["right"] for row in moving if row["transform"] == transform and row["kind"] == kind),
                           sum(1 for row in moving if row["transform"] == transform and row["kind"] == kind))
                for kind in ("whole", "part")
            }  # fmt: skip
            both = table[transform].values()
            table[transform]["both"] = rate(sum(r["hits"] for r in both), sum(r["of"] for r in list(both)[:2]))
        live = [row for row in pairs if row["active"]]
        dead = [row for row in pairs if not row["active"]]
        wrong = [row for row in live if row["verdict"] in COPY]
        same = [row for row in live if row["camera"]]
        hits = sum(row["right"] for row in moving)
        result[name] = {
            "recall": table,
            "negative_pairs": len(live),
            "wrong_pairs": len(wrong),
            "same_camera_pairs": len(same),
            "same_camera_wrong": sum(row["verdict"] in COPY for row in same),
            "filmed_pairs": sum(not row["drawn"] for row in live),
            "filmed_wrong": sum(not row["drawn"] for row in wrong),
            "filmed_same_camera_pairs": sum(not row["drawn"] for row in same),
            "filmed_same_camera_wrong": sum(not row["drawn"] and row["verdict"] in COPY for row in same),
            "false_positive_share": rate(len(wrong), len(live)),
            "precision": rate(hits, hits + len(wrong)),
            "wrong_by_scene": Counter(f"{row['asked']} in {row['stored']}" for row in wrong).most_common(12),
            "still_positives": dict(Counter(row["verdict"] for row in still)),
            "still_negative_pairs": dict(Counter(row["verdict"] for row in dead)),
        }
    return result


def cpu_of(job: Any, repeat: int) -> float:
    """Return the median CPU seconds of a job."""
    spent = []
    for _ in range(repeat):
        began = time.process_time()
        job()
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def speed(found: list[Source], work: Path, million: int) -> dict[str, Any]:
    """Fingerprints a second from luma planes, and questions to an index of a million seconds."""
    planes = np.random.default_rng(0).integers(0, 256, (1024, 90, 160), dtype=np.uint8)
    pictures = picture_of(reduced(planes))
    plane_s = cpu_of(lambda: picture_of(reduced(planes)), 9) / len(planes)
    keys_s = cpu_of(lambda: stored_keys(pictures), 9) / len(planes)
    path = fresh(work, "million.db")
    rng = np.random.default_rng(5)
    real = [fingerprint(s.times, s.grids) for s in found if s.path is not None]
    began, wall = time.process_time(), time.perf_counter()
    with Index(path) as index:
        for source, print_ in zip((s for s in found if s.path is not None), real, strict=True):
            index.add(print_, source.name)
        number = 0
        while number < million:
            length = int(min(rng.integers(20, 600), million - number))
            index.add(synthetic(real, rng, length, 2), f"clip-{number}")
            number += length
        build = time.process_time() - began, time.perf_counter() - wall
    began = time.process_time()
    with Index(path) as index:
        opened = time.process_time() - began
        spent: dict[str, list[float]] = {"copy": [], "new": []}
        verdicts = Counter()
        for turn in range(3):
            for print_, source in zip(real, (s for s in found if s.path is not None), strict=True):
                if turn == 0:
                    index.find(print_)
                for kind, asked in (("copy", cut(print_, 16)), ("new", synthetic(real, rng, 16))):
                    began = time.process_time()
                    answer = seen(index, asked)
                    spent[kind].append(time.process_time() - began)
                    verdicts[f"{kind}: {answer.verdict}"] += 1
                del source
        return {
            "planes_per_second_and_core": round(1 / plane_s),
            "fingerprints_per_second_and_core": round(1 / (plane_s + keys_s)),
            "seconds_of_video_per_second_stored": round(1 / (2 * plane_s + keys_s)),
            "fingerprints_in_index": len(index),
            "clips_in_index": index.clips,
            "query_cpu_ms": {
                kind: {"median": round(1000 * statistics.median(all_), 2),
                       "p95": round(1000 * float(np.percentile(all_, 95)), 2), "questions": len(all_)}
                for kind, all_ in spent.items()
            },
            "verdicts": dict(verdicts),
            "open_cpu_s": round(opened, 2),
            "build_cpu_s": round(build[0], 1),
            "build_wall_s": round(build[1], 1),
            "tables_megabytes": round(index.bytes / 1e6, 1),
            "file_megabytes": round(path.stat().st_size / 1e6, 1),
        }  # fmt: skip


def cut(whole: Fingerprint, seconds: int) -> Fingerprint:
    pictures = whole.pictures[3 : 3 + seconds * whole.rate]
    return Fingerprint(pictures=pictures, rate=whole.rate, seconds=len(pictures) / whole.rate, box=whole.box)


def synthetic(real: list[Fingerprint], rng: np.random.Generator, seconds: int, pace: int = 8) -> Fingerprint:
    """Make footage that never was: a ground of its own, three shapes that walk over it, and a trace of a real clip."""
    at = np.arange(seconds * pace) / pace
    ground = np.kron(rng.normal(120, 45, (6, 6)), np.ones((4, 4))) + np.kron(
        rng.normal(0, 20, (12, 12)), np.ones((2, 2))
    )
    y, x = np.mgrid[:24, :24].astype(np.float32)
    mixed = np.broadcast_to(ground.astype(np.float32), (len(at), 24, 24)).copy()
    for _ in range(3):
        way = rng.uniform(3, 20, 2)[:, None] + rng.uniform(3, 9, 2)[:, None] * np.sin(
            at[None, :] * rng.uniform(0.1, 1.5, 2)[:, None] + rng.uniform(0, 6, 2)[:, None]
        )
        far = (y - way[0][:, None, None]) ** 2 + (x - way[1][:, None, None]) ** 2
        mixed += np.where(far < rng.uniform(3, 16), np.float32(rng.uniform(-80, 80)), np.float32(0))
    a = real[int(rng.integers(len(real)))].pictures
    mixed += 0.15 * a[(np.arange(len(at)) + int(rng.integers(len(a)))) % len(a)]
    pictures = np.clip(mixed, 0, 255).astype(np.uint8)
    return Fingerprint(pictures=pictures, rate=pace, seconds=float(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[1].parent / "shared" / "clips")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "reelwise-dedupe")
    parser.add_argument("--million", type=int, default=1_000_000)
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--json", action="store_true", help="print JSON (the default, kept for scripts)")
    options = parser.parse_args()
    if not options.clips.is_dir():
        sys.exit(f"{options.clips}: no such folder; name one with --clips")
    options.work.mkdir(parents=True, exist_ok=True)
    found = sources(options.clips, options.work)
    result: dict[str, Any] = {"bench": "dedupe", "tuned_on": list(TUNED_ON), "scenes": len(found)}
    chances: list[dict[str, Any]] = []
    result["error"] = summary(positives(found, options.work, chances), negatives(found, options.work, chances))
    result["calibration"] = {
        "reported": calibration([row for row in chances if not row["tuned"]]),
        "tuned": calibration([row for row in chances if row["tuned"]]),
    }
    if not options.no_speed:
        result["speed"] = speed(found, options.work, options.million)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
