"""Write the table of docs/scan.md from bench/results/scan.json.

python bench/keep.py scan && python bench/scan_publish.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- written by bench/scan_publish.py -->", "<!-- end -->"


def or_dash(value: Any, form: str = "{}") -> str:
    return "-" if value is None else form.format(value)


def line(row: dict, mode: str) -> str:
    found = row[mode]
    errors = " / ".join(
        f"{found[f'{edge}_error_median']:.2f} ({found[f'{edge}_error_worst']:.1f})"
        for edge in ("start", "stop")
        if found[f"{edge}_error_median"] is not None
    )
    checked = "-"
    if found["edges_checked"]:
        checked = f"{found['edges_checked']}: {or_dash(found['edge_error_seconds'], '{:.2f} s')}"
    return (
        f"| {row['file']}{' *' if row['tuned_on'] else ''} | {row['active_share']:.1%} | {mode} | {found['method']} "
        f"| {found['speed_over_full_decode']:.1f}x | {or_dash(found['recall'])} ({or_dash(found['recall_all'])}) | {errors or '-'} "
        f"| {found['kept_share']:.1%} | {found['frames_decoded_share']:.1%} ({found['bound_share']:.1%}) "
        f"| {found['jumps']} ({checked}) | {found['false_events']} |"
    )


def page(kept: dict) -> str:
    result = kept["result"]
    lines = [
        f"Measured {kept['day']} on {kept['on']}.",
        "",
        "| file | active | mode | method | over full decode | recall (all) | start / stop error, median (worst) s | kept | decoded (bound) | jumps (edges checked: apart) | false |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(line(row, mode) for row in result["files"] for mode in ("coarse", "exact")),
    ]
    peers = [row for row in result["files"] if "scenedetect_cpu_seconds" in row]
    if peers:
        lines += [
            "",
            "| file | PySceneDetect AdaptiveDetector, CPU s | exact, CPU s | times less | kept over active share |",
            "|---|---|---|---|---|",
        ]
    for row in peers:
        exact, peer = row["exact"], row["scenedetect_cpu_seconds"]
        over = exact["kept_share"] / row["active_share"]
        lines.append(
            f"| {row['file']} | {peer:.1f} | {exact['cpu_seconds']:.2f} | {peer / exact['cpu_seconds']:.1f}x | {over:.2f} |"
        )
    lines += ["", f"Start-up of Python and its libraries, not in these figures: {result['startup_cpu_seconds']:.2f} s."]
    return "\n".join(lines)


def written(text: str, kept: dict) -> str:
    """Return the document with its table as the results say."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n{page(kept)}\n{END}{rest.split(END, 1)[1]}"


def main() -> None:
    kept = json.loads((ROOT / "bench" / "results" / "scan.json").read_text())
    path = ROOT / "docs" / "scan.md"
    path.write_text(written(path.read_text(), kept))


if __name__ == "__main__":
    main()
