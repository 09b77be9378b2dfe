"""What a live scan finds and costs, on the files of bench/scan.py read as a growing file, against ffmpeg decoding all of it.

CPU seconds of this process and its threads against those of `ffmpeg` on one thread in the same run; single runs. The files are copied
into MKV first, because an MP4 whose index comes last cannot be read while it grows. Nothing of a file is known before it is read:
the first 30 s are decoded to learn what is normal.

    python bench/live_scan.py [--folder FOLDER] [--files bottle-g50-630 ...] [--json]
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from reelwise.scan.feeds import GrowingFile
from reelwise.scan.live import LiveScan

_CLEAR_SECONDS = 0.5


def ffmpeg(*arguments: str) -> float:
    program = shutil.which("ffmpeg") or sys.exit("ffmpeg is not installed: it is what this bench compares with")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "-v", "error", "-nostdin", "-y", *arguments], check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(clip: Path, truth: list[list[float]]) -> dict[str, Any]:
    decode = ffmpeg("-threads", "1", "-i", str(clip), "-map", "0:v:0", "-f", "null", "-")
    began = time.process_time()
    live = LiveScan(GrowingFile(clip, idle_seconds=0.3))
    for _ in live.run():
        pass
    cpu = time.process_time() - began
    receipt = live.receipt()
    found = [(one.start_seconds, one.stop_seconds) for one in receipt.events]
    clear = [(a, b) for a, b in truth if b - a >= _CLEAR_SECONDS]
    seen = [[one for one in found if one[0] < b and one[1] > a] for a, b in clear]
    starts = [abs(min(one[0] for one in mine) - a) for mine, (a, _) in zip(seen, clear, strict=True) if mine]
    stops = [abs(max(one[1] for one in mine) - b) for mine, (_, b) in zip(seen, clear, strict=True) if mine]
    return {
        "file": clip.stem,
        "method": receipt.method,
        "over_full_decode": round(decode / cpu, 2),
        "cpu_seconds": round(cpu, 2),
        "times_real_time": round(receipt.seconds / cpu, 1),
        "events": len(clear),
        "recall": round(len(starts) / len(clear), 3) if clear else None,
        "start_error_median": round(statistics.median(starts), 2) if starts else None,
        "start_error_worst": round(max(starts), 2) if starts else None,
        "stop_error_median": round(statistics.median(stops), 2) if stops else None,
        "stop_error_worst": round(max(stops), 2) if stops else None,
        "false_events": sum(not any(a < d and b > c for c, d in truth) for a, b in found),
        "decoded_share": receipt.frames_decoded_share,
        "held_packets": receipt.buffer_packets,
        "held_mib": round(receipt.buffer_bytes / 2**20, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where bench/scan.py keeps its files")
    parser.add_argument("--files", nargs="*", default=["bottle-g50-630", "car-g50-630"])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = []
    for name in args.files:
        events = args.folder / f"{name.split('-')[0]}-{name.rsplit('-', 1)[-1]}.json"
        truth = json.loads(events.read_text())["events"] if events.exists() else []
        with tempfile.TemporaryDirectory() as folder:
            clip = Path(folder) / f"{name}.mkv"
            ffmpeg("-i", str(args.folder / f"{name}.mp4"), "-map", "0:v:0", "-c", "copy", str(clip))
            rows.append(measure(clip, truth))
        if not args.json:
            print("| " + " | ".join(map(str, rows[-1].values())) + " |", flush=True)
    if args.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
