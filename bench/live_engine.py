"""What the adaptive loop holds: a price in dollars an hour, the delay behind a slow model, the time to the first mask, its own cost.

How good masks are is measured elsewhere (bench/live.py); here the loop around the model is. Hours are simulated: the production code runs
under a clock that is moved by hand, with carriers whose need follows a script. The first mask is timed from outside, by the wall
clock, from starting the command to the line that says so. CPU is that of the thread that calls the loop, frame by frame, on frames
of 1280x720 that were not inferred; decoding and composing are measured apart, on the same frames.

    python bench/live_engine.py [--clip CLIP] [--runs 7] [--parts dollars,delay,first,skip] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from reelwise.errors import InputError
from reelwise.live import Adaptive, Limits
from reelwise.live.backdrop import Backdrop
from reelwise.live.carry import Carrier
from reelwise.live.histogram import Durations
from reelwise.live.simulated import SimulatedTime
from reelwise.live.source import Picture
from reelwise.live.sources import FileSource
from reelwise.models import PersonSegmentation
from reelwise.video.writer import Recording

PRICE = 0.001
FPS = 10
HOUR = 3600
SIZE = (1280, 720)
FRAME = np.zeros((16, 32, 3), np.uint8) + 60
NEEDS = {
    "nothing moves": lambda _since, _seen: 0.0,
    "slow drift": lambda since, _seen: since / 40,
    "bursts, half a minute in three": lambda since, seen: since / 3 if (seen // (30 * FPS)) % 6 == 0 else since / 400,
    "everything moves": lambda since, _seen: since * 2.0,
    "quiet for 40 minutes, then everything moves": lambda since, seen: (
        since / 1000 if seen < 2400 * FPS else since * 2.0
    ),
}


class Scripted:
    """A carrier whose need is a script of how many frames were seen since the last one that was asked about, and in all."""

    def __init__(self, script: Any) -> None:
        self.size, self.mask, self.need, self.age = (8, 8), None, 0.0, 0
        self._script, self._since, self._seen = script, 0, 0

    def see(self, _frame: Any) -> None:
        """Take the next frame."""
        self._seen += 1
        self._since += 1
        self.age += 1
        self.need = self._script(self._since, self._seen)

    def ask(self) -> int:
        """Say that the last frame goes to the model."""
        self._since = 0
        return self._seen

    def answer(self, _ticket: int, mask: Any) -> None:
        """Take a mask."""
        self.mask, self.age = mask, self._since


def quick(_frame: Any) -> Any:
    return np.ones((4, 4), bool)


def dollars(usd: str, name: str) -> dict[str, Any]:
    """Run a simulated hour and a half under a price; look at its first hour, and at the dearest 60 minutes in it."""
    clock, calls, blank = SimulatedTime(), [], 0

    def model(frame: Any) -> Any:
        calls.append(clock.now())
        return quick(frame)

    adaptive = Adaptive(
        model, usd_an_hour=usd, usd_per_call=str(PRICE), carrier=lambda: Scripted(NEEDS[name]), clock=clock, worker=clock,
        limits=Limits(wait_seconds=None),
    )  # fmt: skip
    first_hour = 0
    for index in range(HOUR * FPS * 3 // 2):
        clock.move(index / FPS)
        blank += adaptive.look(FRAME).kind == "blank"
        if index == HOUR * FPS - 1:
            first_hour = adaptive.receipt().cost_nano
    adaptive.close()
    moments = np.array(calls)
    dearest = int((np.searchsorted(moments, moments + HOUR) - np.arange(len(moments))).max())
    return {
        "usd_an_hour": usd,
        "footage": name,
        "first_hour_share": round(first_hour / 1e9 / float(usd), 4),
        "dearest_hour_share": round(dearest * PRICE / float(usd), 4),
        "frames_unanswered": blank,
    }


def delay(seconds: float, fps: int) -> dict[str, Any]:
    """Run ten simulated minutes with a model that is slower than the stream."""
    clock = SimulatedTime()
    ages: list[float] = []

    def model(frame: Any) -> Any:
        clock.spend(seconds)
        return quick(frame)

    adaptive = Adaptive(
        model,
        carrier=lambda: Scripted(NEEDS["everything moves"]),
        clock=clock,
        worker=clock,
        limits=Limits(wait_seconds=0.01),
    )
    for index in range(600 * fps):
        clock.move(index / fps)
        ages.append(adaptive.look(FRAME).age_seconds)
    receipt = adaptive.close()
    minute = 60 * fps
    return {
        "model_seconds": seconds,
        "fps": fps,
        "mask_age_most_first_minute": round(max(ages[minute // 6 : minute]), 3),
        "mask_age_most_last_minute": round(max(ages[-minute:]), 3),
        "mask_age_mean_first_minute": round(statistics.mean(ages[minute // 6 : minute]), 3),
        "mask_age_mean_last_minute": round(statistics.mean(ages[-minute:]), 3),
        "inferences_behind_most": receipt.behind_most,
        "frames_without_a_mask": receipt.frames_blank,
    }


def draw(path: Path, seconds: float) -> Path:
    """Draw a clip of 1280x720: a textured ground over which a box moves."""
    rng = np.random.default_rng(3)
    ground = cv2.resize(rng.integers(60, 150, (45, 80, 3), np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    recording = Recording(path, fps=30)
    for index in range(int(seconds * 30)):
        frame = ground.copy()
        left = int(300 + 250 * np.sin(index / 20))
        frame[200:600, left : left + 260] = (205, 170, 150)
        recording.write(frame, index / 30)
    recording.close()
    return path


def first_mask(clip: Path, runs: int) -> dict[str, Any]:
    """Start the command, and time the line that says that there is a mask."""
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "reelwise", "live", str(clip), "--for", "0.2"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            for line in process.stderr or ():
                if line.startswith("first mask"):
                    found.append(time.perf_counter() - began)
                    break
            process.communicate()
    return {
        "seconds_least": round(min(found), 3),
        "seconds_median": round(statistics.median(found), 3),
        "seconds_most": round(max(found), 3),
        "runs": len(found),
        "load_average": round(os.getloadavg()[0], 1),
    }


def skip_path(clip: Path, carrier: Any, model: Any) -> dict[str, Any]:
    """Measure, frame by frame, the CPU of frames that were not inferred; decoding and composing apart."""
    adaptive = Adaptive(model, carrier=carrier, limits=Limits(wait_seconds=None), quality=0.95)
    look, read, compose = Durations(), Durations(), Durations()
    backdrop, source = Backdrop(), FileSource(clip)
    before = time.thread_time()
    for item in source.items():
        if not isinstance(item, Picture):
            continue
        frame = item.rgb()
        if frame.shape[:2] != (SIZE[1], SIZE[0]):
            frame = cv2.resize(frame, SIZE)
        mark = time.thread_time()
        read.add(mark - before)
        answer = adaptive.look(frame, item.seconds)
        done = time.thread_time()
        if not answer.reason:
            look.add(done - mark)
        backdrop.compose(frame, answer.mask)
        before = time.thread_time()
        compose.add(before - done)
    source.close()
    receipt = adaptive.close()
    return {
        "frames": receipt.frames,
        "inference_share": receipt.inference_share,
        "skip_path_cpu_ms": look.milliseconds(),
        "read_cpu_ms": read.milliseconds(),
        "compose_cpu_ms": compose.milliseconds(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="in place of the drawn clip; scaled to 1280x720")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--parts", default="dollars,delay,first,skip")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    parts = args.parts.split(",")
    result: dict[str, Any] = {}
    if "dollars" in parts:
        result["dollars"] = [dollars(usd, name) for usd in ("0.50", "1.50", "6") for name in NEEDS]
    if "delay" in parts:
        result["delay"] = [delay(seconds, fps) for seconds, fps in ((0.4, 30), (1.5, 30), (0.2, 10))]
    with tempfile.TemporaryDirectory() as folder:
        clip = args.clip or draw(Path(folder) / "drawn.mp4", 20)
        try:
            if "first" in parts:
                PersonSegmentation()  # where it is not installed, that is said
                result["first_mask"] = first_mask(clip, args.runs)
            if "skip" in parts:
                result["skip_path"] = skip_path(clip, Carrier, PersonSegmentation())
                loop_alone = skip_path(clip, lambda: Scripted(NEEDS["nothing moves"]), PersonSegmentation())
                result["skip_path"]["of_it_the_loop_itself_cpu_ms"] = loop_alone["skip_path_cpu_ms"]
        except InputError as error:
            result["skipped"] = f"{error}; {error.hint}"
    if args.json:
        print(json.dumps(result, indent=2))
        return
    for name, rows in result.items():
        print(f"{name}:")
        for row in rows if isinstance(rows, list) else [rows]:
            print(f"  {row}")


if __name__ == "__main__":
    main()
