"""How few frames of a stream need the model: the adaptive loop against every frame, fixed skip, the article's pseudo-code and OBS's gate.

The reference is the same network on every frame, so an IoU here is fidelity to inferring every frame, not to the truth. IoU of two empty
masks is 1; under 0.5 % of the frame counts as empty. Each policy has one setting for all clips. Flicker: how much more or less a mask
changes from frame to frame than the reference does, as a share of the foreground. Frames of all webcam clips are pooled.

The weights behind `need` (src/reelwise/live/doubt.py) were fitted on these same clips: figures on them are of data that was tuned on.

    python bench/live.py [--clips FOLDER] [--json] [--chart FILE.json]

needs the person-segmentation network (`reelwise models install person-segmentation`) and the clips in ../shared/clips.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from live_peers import PEERS, Clip, chosen, reused
from reelwise.live import Adaptive, Limits
from reelwise.live.carry import Carrier
from reelwise.live.masks import iou
from reelwise.models import PersonSegmentation

ROOT = Path(__file__).resolve().parent.parent
HALL = "intel_one-by-one_first60s"
QUALITY_MEAN, QUALITY_P5 = 0.98, 0.95
QUALITIES = (0.97, 0.965, 0.96, 0.955, 0.95, 0.945, 0.94, 0.93, 0.92, 0.90, 0.88, 0.85)
RATES = (0.33, 0.25, 0.2, 0.15, 0.125, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05)
EMPTY = 0.005
HALL_P5 = 0.94


def load(path: Path, model: PersonSegmentation) -> Clip:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate or 30)
        frames = [np.ascontiguousarray(one.to_ndarray(format="rgb24")) for one in container.decode(stream)]
    return Clip(path.stem, fps, frames, np.stack([model(one) for one in frames]))


def adaptive(clip: Clip, **target: Any) -> tuple[list[int], np.ndarray, Any]:
    """Run the loop over a clip; the model's answers are those of the reference, so that only the loop is measured."""
    now = 0

    def recorded(_: np.ndarray) -> np.ndarray:
        return clip.masks[now]

    loop = Adaptive(recorded, limits=Limits(wait_seconds=None), **target)
    keys, masks = [], []
    for now, frame in enumerate(clip.frames):
        answer = loop.look(frame, at=now / clip.fps)
        if answer.kind == "inferred":
            keys.append(now)
        masks.append(answer.mask)
    return keys, np.stack(masks), loop.close()


def ious(clip: Clip, masks: np.ndarray) -> np.ndarray:
    found = []
    for one, other in zip(masks >= 0.5, clip.masks >= 0.5, strict=True):
        first, second = int(one.sum()), int(other.sum())
        if first < EMPTY * one.size or second < EMPTY * one.size:
            found.append(float(first < EMPTY * one.size and second < EMPTY * one.size))
        else:
            found.append(float((one & other).sum() / (one | other).sum()))
    return np.array(found)


def flicker(clip: Clip, masks: np.ndarray) -> float:
    one, other = masks >= 0.5, clip.masks >= 0.5
    changes = (one[1:] ^ one[:-1]) ^ (other[1:] ^ other[:-1])
    area = np.maximum(other.mean(axis=(1, 2)), EMPTY)[1:]
    return float((changes.mean(axis=(1, 2)) / area).mean())


def pooled(clips: list[Clip], runs: list[tuple[list[int], np.ndarray]]) -> dict[str, Any]:
    found = np.concatenate([ious(clip, masks) for clip, (_, masks) in zip(clips, runs, strict=True)])
    shares = [len(keys) / len(clip.frames) for clip, (keys, _) in zip(clips, runs, strict=True)]
    return {
        "share": round(sum(len(keys) for keys, _ in runs) / len(found), 4),
        "share_lowest": round(min(shares), 3),
        "share_highest": round(max(shares), 3),
        "iou_mean": round(float(found.mean()), 4),
        "iou_p5": round(float(np.percentile(found, 5)), 4),
        "iou_p1": round(float(np.percentile(found, 1)), 4),
        "iou_min": round(float(found.min()), 4),
        "frames_iou_0": int((found == 0).sum()),
        "flicker": round(statistics.mean(flicker(c, m) for c, (_, m) in zip(clips, runs, strict=True)), 4),
    }


def peers(clips: list[Clip]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, (signal, thresholds) in PEERS.items():
        for threshold in thresholds:
            keys = [chosen(clip, signal, threshold) for clip in clips]
            runs = [(key, reused(clip, key)) for clip, key in zip(clips, keys, strict=True)]
            rows.setdefault(name, []).append({"setting": threshold, **pooled(clips, runs)})
    return rows


def ours(clips: list[Clip], settings: tuple[float, ...], target: Any) -> list[dict[str, Any]]:
    rows = []
    for setting in settings:
        runs = [adaptive(clip, **target(clip, setting))[:2] for clip in clips]
        rows.append({"setting": setting, **pooled(clips, runs)})
    return rows


def needed(rows: list[dict[str, Any]]) -> float | None:
    """Return the smallest share of inferred frames that keeps p5 and mean, between two settings by linear interpolation."""
    ordered = sorted(rows, key=lambda row: row["share"])
    lacking = None
    for row in ordered:
        short = min(row["iou_p5"] - QUALITY_P5, row["iou_mean"] - QUALITY_MEAN)
        if short >= 0:
            if lacking is None:
                return float(row["share"])
            before, missing = lacking
            return round(before + (row["share"] - before) * missing / (missing + short), 4)
        lacking = row["share"], -short
    return None


def at_share(rows: list[dict[str, Any]], share: float) -> dict[str, Any]:
    """Return the setting whose share comes nearest."""
    return min(rows, key=lambda row: abs(row["share"] - share))


def carried_errors(clip: Clip, reach: int = 60) -> np.ndarray:
    """Return 1 - IoU of the mask of each frame carried up to 60 frames on, by a carrier that remembers nothing from before that frame."""
    frames = len(clip.frames)
    errors = np.full((frames, reach), np.inf)
    for first in range(frames):
        carrier = Carrier(clip.masks.shape[1:])
        for gap in range(min(reach, frames - first)):
            carrier.see(clip.frames[first + gap])
            if gap == 0:
                carrier.answer(carrier.ask(), clip.masks[first])
            errors[first, gap] = 1.0 - iou(clip.masks[first + gap], carrier.mask)
    return errors


def in_hindsight(errors: np.ndarray, share: float, *, bad: float | None = None) -> dict[str, float]:
    """Choose the best frames to infer with all answers known (dynamic programming): what carrying itself allows.

    Least is the sum of errors, or with `bad` the number of frames whose error is above it.
    """
    frames, reach = errors.shape
    costs = errors if bad is None else np.where(np.isinf(errors), np.inf, (errors > bad) + 1e-3 * errors)
    sums, inferred = np.cumsum(costs, axis=1), round(share * frames)
    least = np.full(frames + 1, np.inf)
    least[0] = 0.0
    came = np.zeros((inferred, frames + 1), int)
    for number in range(inferred):
        before, least = least, np.full(frames + 1, np.inf)
        for end in range(1, frames + 1):
            starts = np.arange(max(0, end - reach), end)
            each = before[starts] + sums[starts, end - starts - 1]
            came[number, end] = starts[int(np.argmin(each))]
            least[end] = each.min()
    found, end = [], frames
    for number in reversed(range(inferred)):
        start = came[number, end]
        found.extend(1.0 - errors[start, : end - start])
        end = start
    return {
        "share": round(inferred / frames, 4),
        "iou_mean": round(float(np.mean(found)), 4),
        "iou_p5": round(float(np.percentile(found, 5)), 4),
    }


def skip_path(clip: Clip, rounds: int = 5) -> dict[str, float]:
    """Measure CPU of a skipped frame within the loop, 720p, one thread: decision and carrying, neither decoding nor blur."""
    frames = [cv2.resize(one, (1280, 720)) for one in clip.frames]
    spent = []
    for _ in range(rounds):
        now = 0
        loop = Adaptive(lambda _: clip.masks[now], limits=Limits(wait_seconds=None))  # noqa: B023 - called within the round
        for now, frame in enumerate(frames):
            before = time.thread_time_ns()
            answer = loop.look(frame, at=now / clip.fps)
            if answer.kind == "carried":
                spent.append((time.thread_time_ns() - before) / 1e6)
        loop.close()
    return {
        "frames": len(spent),
        "p50": round(statistics.median(spent), 3),
        "mean": round(statistics.mean(spent), 3),
        "p95": round(float(np.percentile(spent, 95)), 3),
    }


def measure(folder: Path) -> dict[str, Any]:
    cv2.setNumThreads(1)
    model = PersonSegmentation("general")
    webcam = [load(path, model) for path in sorted(folder.glob("intel_asl_*.mkv"))]
    hall = [load(folder / f"{HALL}.mp4", model)]
    found: dict[str, Any] = {"reference": model.name, "webcam_clips": [clip.name for clip in webcam]}
    for name, clips in (("webcam", webcam), ("hall", hall)):
        by_peer = peers(clips)
        by_quality = ours(clips, QUALITIES, lambda _, quality: {"quality": quality})
        by_rate = ours(clips, RATES, lambda clip, rate: {"inferences_a_minute": rate * clip.fps * 60})
        rows = {**by_peer, "reelwise, by quality": by_quality, "reelwise, by rate": by_rate}
        found[name] = {
            "frames": sum(len(clip.frames) for clip in clips),
            "share_needed": {policy: needed(one) for policy, one in rows.items()},
            "at_10_percent": {policy: at_share(one, 0.1) for policy, one in rows.items()},
            "default": ours(clips, (0.95,), lambda _, quality: {"quality": quality})[0],
            "curves": rows,
        }
    errors = carried_errors(hall[0])
    found["hall"]["best_in_hindsight"] = in_hindsight(errors, 0.1)
    found["hall"]["best_p5_in_hindsight"] = in_hindsight(errors, 0.1, bad=1.0 - HALL_P5)
    found["skip_path_ms_cpu_720p"] = skip_path(max(webcam, key=lambda clip: len(clip.frames)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=ROOT.parent / "shared" / "clips")
    parser.add_argument("--json", action="store_true", help="the default and only format")
    arguments = parser.parse_args()
    if not (arguments.clips / f"{HALL}.mp4").is_file():
        sys.exit(f"{arguments.clips}: the clips are not there")
    print(json.dumps(measure(arguments.clips), indent=2))


if __name__ == "__main__":
    main()
