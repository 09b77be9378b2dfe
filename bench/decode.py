"""What one decode with all signals costs against `ffmpeg` decoding alone, and how much memory it takes.

CPU seconds (user and system, this process and its children), one decode thread, the ways taken in turn within one run,
medians. Two pairs: `track` without sound against ffmpeg decoding the picture only, and `track_audio`, which also measures
loudness, against ffmpeg decoding picture and sound. ffmpeg's start (some 0.05 s) counts, Python's does not: on clips of a
few seconds the ratio says little.

It draws two clips and keeps them in a temporary folder: 1080p, ten minutes (one minute with --quick), and the 720p minute
of `reelwise demo`. Clips that are named come on top.

    python bench/decode.py [--quick] [--json] [--repeat N] [CLIP...]
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from reelwise.video import draw_demo, probe, track

_LIMIT_RATIO = 1.15
_LIMIT_MEGABYTES = 200.0

_CHILD = """
import resource, sys
from pathlib import Path
from reelwise.video import track
found = track(sys.argv[1])
status = Path("/proc/self/status")
if status.exists():  # ru_maxrss would count the parent before exec
    peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)
print(found.frames, peak)
"""


def cpu() -> float:
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        spent += usage.ru_utime + usage.ru_stime
    return spent


def ffmpeg(clip: str, *, sound: bool) -> None:
    program = shutil.which("ffmpeg") or "ffmpeg"
    streams = ["-map", "0:v:0", *(["-map", "0:a:0"] if sound else [])]
    command = [program, "-v", "error", "-nostdin", "-threads", "1", "-i", clip, *streams, "-f", "null", "-"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def folder() -> Path:
    found = Path(tempfile.gettempdir()) / "reelwise-bench"
    found.mkdir(exist_ok=True)
    return found


def demo_clip() -> str:
    """Draw the clip that the project shows itself on."""
    clip = folder() / "demo-720p.mp4"
    if not clip.exists():
        draw_demo(clip)
    return str(clip)


def long_clip(minutes: int) -> str:
    """Draw 20 seconds at 1080p and loop them without encoding again."""
    short, whole = folder() / "demo-1080p-20s.mp4", folder() / f"demo-1080p-{minutes}min.mp4"
    if not short.exists():
        draw_demo(short, seconds=20, width=1920, height=1080)
    if not whole.exists():
        program = shutil.which("ffmpeg") or "ffmpeg"
        part = whole.with_suffix(".part.mp4")
        loops = str(minutes * 3 - 1)
        command = [
            program,
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-stream_loop",
            loops,
            "-i",
            str(short),
            "-c",
            "copy",
            str(part),
        ]
        subprocess.run(command, check=True)
        part.rename(whole)
    return str(whole)


def measure(clip: str, repeat: int) -> dict[str, object]:
    ways = {
        "ffmpeg": lambda: ffmpeg(clip, sound=False),
        "track": lambda: track(clip, audio=False),
    }
    against = {"track": "ffmpeg"}
    if probe(clip).has_audio:
        ways |= {"ffmpeg_audio": lambda: ffmpeg(clip, sound=True), "track_audio": lambda: track(clip)}
        against["track_audio"] = "ffmpeg_audio"
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, run in ways.items():
            before = cpu()
            run()
            spent[name].append(cpu() - before)
    child = subprocess.run([sys.executable, "-c", _CHILD, clip], check=True, capture_output=True, text=True)
    frames, megabytes = child.stdout.split()
    median = {name: statistics.median(times) for name, times in spent.items()}
    info = probe(clip)
    return {
        "clip": Path(clip).name,
        "codec": info.codec,
        "width": info.width,
        "height": info.height,
        "seconds": round(info.seconds, 2),
        "frames": int(frames),
        "cpu_seconds": {name: round(value, 3) for name, value in median.items()},
        "cpu_seconds_all": {name: [round(value, 3) for value in times] for name, times in spent.items()},
        "ratio_to_ffmpeg": {way: round(median[way] / median[other], 3) for way, other in against.items()},
        "realtime_factor": round(info.seconds / median["track"], 1),
        "peak_rss_megabytes": round(float(megabytes), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", metavar="CLIP")
    parser.add_argument("--quick", action="store_true", help="one minute instead of ten")
    parser.add_argument("--json", action="store_true", help="print JSON (the default, kept for scripts)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way (3)")
    options = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        sys.exit("ffmpeg is not installed: it is what this bench compares with")
    clips = [long_clip(1 if options.quick else 10), demo_clip(), *options.clips]
    found = [measure(clip, max(1, options.repeat)) for clip in clips]
    result = {
        "bench": "decode",
        "machine": {"system": platform.platform(), "python": platform.python_version()},
        "limits": {"ratio_to_ffmpeg": _LIMIT_RATIO, "peak_rss_megabytes": _LIMIT_MEGABYTES},
        "clips": found,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
