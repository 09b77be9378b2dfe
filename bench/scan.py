"""How much faster than a full decode `scan` finds events, and how well, on long files with known events.

CPU seconds (user and system) of this process against those of `ffmpeg` decoding the same file on one thread in the same run;
medians over --repeat runs of a scan (one where it takes over six seconds), after one full decode. The files are built once out of short real clips (see scan_files.py) and kept in --folder. Start-up
of Python is not in the figures of a scan (`startup_cpu_seconds` says what it costs), that of ffmpeg is in its own.

Events count as clear where they last half a second at least; shorter ones are counted apart, in `recall_all`: many of them are
pulses of the original's encoder. What moves a little outside of events (`false_events`) is counted as found.

    python bench/scan.py [--clips FOLDER] [--folder FOLDER] [--scenes ...] [--variants ...] [--seconds N] [--repeat N] [--json]
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
from typing import Any

import reelwise.scan.cascade  # noqa: F401 - start-up is measured apart
from reelwise.scan import scan
from scan_files import SCENES, VARIANTS, Built, build, build_static

_TUNED = ("car", "person")  # thresholds were chosen on these; the others were not looked at before
_CLEAR_SECONDS = 0.5
_LONG_SECONDS = 6.0  # a scan that takes longer is run once
_SHORT = 60.0
_STARTUP = "from reelwise.scan import scan; import reelwise.scan.cascade"


def cpu() -> float:
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        spent += usage.ru_utime + usage.ru_stime
    return spent


def spent(run: Any) -> tuple[float, Any]:
    before = cpu()
    found = run()
    return cpu() - before, found


def decode(path: Path) -> None:
    program = shutil.which("ffmpeg") or sys.exit("ffmpeg is not installed: it is what this bench compares with")
    command = [program, "-v", "error", "-nostdin", "-threads", "1", "-i", str(path), "-map", "0:v:0", "-f", "null", "-"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


_DETECT = (
    "import sys, scenedetect; len(sys.argv) > 1 and scenedetect.detect(sys.argv[1], scenedetect.AdaptiveDetector())"
)


def detect_scenes(python: str, path: Path) -> float:
    """Return CPU seconds of PySceneDetect's AdaptiveDetector in another environment, without its start."""
    start, _ = spent(lambda: subprocess.run([python, "-c", _DETECT], check=True))
    taken, _ = spent(lambda: subprocess.run([python, "-c", _DETECT, str(path)], check=True))
    return taken - start


def score(found: list[tuple[float, float]], events: list[tuple[float, float]]) -> dict[str, Any]:
    """Hold what was found against the truth."""
    errors_start, errors_stop = [], []
    hit = {}
    for a, b in events:
        over = [one for one in found if one[0] < b and one[1] > a]
        hit[a, b] = bool(over)
        if over:
            errors_start.append(abs(min(one[0] for one in over) - a))
            errors_stop.append(abs(max(one[1] for one in over) - b))
    clear = [one for one in events if one[1] - one[0] >= _CLEAR_SECONDS]
    wrong = [one for one in found if not any(one[0] < b + 1 and one[1] > a - 1 for a, b in events)]
    return {
        "recall": round(sum(hit[one] for one in clear) / len(clear), 3) if clear else None,
        "recall_all": round(sum(hit.values()) / len(events), 3) if events else None,
        "start_error_median": round(statistics.median(errors_start), 3) if errors_start else None,
        "start_error_worst": round(max(errors_start), 3) if errors_start else None,
        "stop_error_median": round(statistics.median(errors_stop), 3) if errors_stop else None,
        "stop_error_worst": round(max(errors_stop), 3) if errors_stop else None,
        "false_events": len(wrong),
    }


def runs(path: Path, mode: str, repeat: int) -> tuple[float, int, Any]:
    """Return the median CPU seconds of a scan, how often it ran, and its answer; one run is enough where it takes long."""
    times: list[float] = []
    result: Any = None
    for _ in range(repeat):
        taken, result = spent(lambda: scan(path, mode=mode))
        times.append(taken)
        if taken > _LONG_SECONDS:
            break
    return statistics.median(times), len(times), result


def figures(result: Any, built: Built) -> dict[str, Any]:
    """Hold one answer against the truth, and take what its receipt says."""
    return {
        "method": result.method,
        "why": result.why,
        "separable": result.separable,
        "kept_share": result.kept_share,
        "frames_decoded_share": result.frames_decoded_share,
        "bound_share": result.bound_share,
        "bound_seconds": result.bound_seconds,
        "blind_seconds": result.blind_seconds,
        "jumps": result.jumps,
        "edges_checked": result.edges_checked,
        "edge_error_seconds": result.edge_error_seconds,
        **score([(one.start_seconds, one.stop_seconds) for one in result.events], built.events),
    }


def measure(built: Built, repeat: int, scenedetect: str | None) -> dict[str, Any]:
    """Measure the full decode right before the scans, so that another tenant of the machine troubles both alike."""
    whole = statistics.median(
        spent(lambda: decode(built.path))[0] for _ in range(repeat if built.seconds < _SHORT else 1)
    )
    row: dict[str, Any] = {
        "file": built.name,
        "tuned_on": built.name.split("-")[0] in _TUNED,
        "seconds": round(built.seconds, 1),
        "megabytes": round(built.path.stat().st_size / 1e6, 1),
        "events": len(built.events),
        "active_share": round(built.active_share, 4),
        "ffmpeg_cpu_seconds": round(whole, 3),
    }
    for mode in ("exact", "coarse"):
        if mode == "coarse" and row["exact"]["method"] == "luma":
            row[mode] = row["exact"]  # the same pass
            continue
        taken, ran, result = runs(built.path, mode, repeat)
        row[mode] = {
            "cpu_seconds": round(taken, 3),
            "runs": ran,
            "speed_over_full_decode": round(whole / taken, 2),
            **figures(result, built),
        }
    if scenedetect and built.name.endswith("-g50"):
        row["scenedetect_cpu_seconds"] = round(detect_scenes(scenedetect, built.path), 3)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path("../shared/clips"), help="folder of short real clips")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "reelwise-bench" / "scan")
    parser.add_argument("--scenes", nargs="*", choices=tuple(SCENES), default=tuple(SCENES))
    parser.add_argument("--variants", nargs="*", choices=tuple(VARIANTS), default=tuple(VARIANTS))
    parser.add_argument("--seconds", type=float, default=630.0, help="length of each file (630)")
    parser.add_argument("--static-seconds", type=float, default=3600.0, help="length of the static file; 0 for none")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way (3)")
    parser.add_argument("--without", nargs="*", default=(), metavar="SCENE-VARIANT", help="files to leave out")
    parser.add_argument(
        "--scenedetect-python",
        metavar="PATH",
        help="a Python that has scenedetect and opencv; without it, no comparison",
    )
    parser.add_argument("--json", action="store_true", help="print JSON (the default, kept for scripts)")
    options = parser.parse_args()
    files: list[Built] = []
    for scene in options.scenes:
        variants = [one for one in options.variants if f"{scene}-{one}" not in options.without]
        files += build(options.clips, options.folder, scene, variants, options.seconds)
    trap = options.clips / "dvr_brightness_change.avi"
    if trap.is_file():
        files.append(Built("brightness-change", trap, 4.9, [], 12.0))
    if options.static_seconds > 0:
        static = build_static(options.clips, options.folder, options.static_seconds)
        files += [static] if static else []
    startup, _ = spent(lambda: subprocess.run([sys.executable, "-c", _STARTUP], check=True))
    rows = []
    for one in files:
        rows.append(measure(one, max(1, options.repeat), options.scenedetect_python))
        print(json.dumps(rows[-1]), file=sys.stderr)
    result = {
        "bench": "scan",
        "machine": {"system": platform.platform(), "python": platform.python_version()},
        "repeat": options.repeat,
        "startup_cpu_seconds": round(startup, 3),
        "scenedetect": "measured" if options.scenedetect_python else "skipped: no --scenedetect-python",
        "files": rows,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
