"""What frames chosen by change and by shot show beside as many at an even pace.  Run: python bench/sample.py CLIP... [--json].

Every clip is decoded once; for each budget the figures of `reelwise sample` are printed for both ways, as a table or as JSON.
Without a clip, the project's own is drawn: a minute of a loading bay.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from reelwise.video import choose, draw_demo, track

BUDGETS = (4, 8, 16)
WAYS = ("change", "shot")


def measure(path: Path) -> list[dict[str, Any]]:
    """Choose by each way at each budget."""
    seen = track(path, audio=False)
    return [
        {"clip": path.name, "seconds": round(seen.seconds, 1), "budget": budget, "by": by, "verdict": choice.verdict,
         "seen": msgspec.to_builtins(choice.seen), "uniform": msgspec.to_builtins(choice.uniform)}
        for budget in BUDGETS
        for by in WAYS
        for choice in [choose(seen, budget, by=by)]  # type: ignore[arg-type]
    ]  # fmt: skip


def line(row: dict[str, Any]) -> str:
    """Write a row of the table: chosen / even pace."""

    def both(name: str) -> str:
        one, other = row["seen"][name], row["uniform"][name]
        if one is None:
            return "-"
        return f"{one:.1f} / {other:.1f} s" if name.endswith("seconds") else f"{one:.0%} / {other:.0%}"

    figures = ("events_share", "change_share", "largest_unseen_change", "shots_share", "largest_gap_seconds")
    return f"| {row['clip']} | {row['budget']} | {row['by']} | {' | '.join(both(name) for name in figures)} | {row['verdict']} |"


def main() -> None:
    """Measure clips."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = options.clips
        if not clips:
            clips = [Path(folder) / "loading-bay.mp4"]
            draw_demo(clips[0], width=640, height=360)
        rows = [row for clip in clips for row in measure(clip)]
    if options.json:
        print(json.dumps({"rows": rows}, indent=2))
        return
    print(
        "| clip | frames | by | activities seen | change seen | most between two frames | shots seen | longest gap | |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(line(row))


if __name__ == "__main__":
    main()
