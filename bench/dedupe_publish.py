"""Write the table of docs/duplicates.md and the package's error figures from bench/results/dedupe.json.

python bench/keep.py dedupe && python bench/dedupe_publish.py
"""

from __future__ import annotations

import json
from pathlib import Path

from dedupe import wilson

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- written by bench/dedupe_publish.py -->", "<!-- end -->"
EASY = ("reencode", "240p", "gray", "brightness")
WORDS = {
    "reencode": "re-encoded, CRF 34",
    "240p": "240 lines",
    "gray": "gray",
    "brightness": "brighter, more contrast",
    "10fps": "10 frames a second",
    "crop10": "crop, 5 % of each edge",
    "crop20": "crop, 10 % of each edge",
    "letterbox": "bars above and below",
    "pillarbox": "bars left and right",
    "logo": "white logo",
    "crop20-off-centre": "crop of a fifth, off the centre",
    "all-at-once": "crop, brighter, 240 lines, bars, CRF 34",
}


def share(found: dict) -> str:
    low, high = found["wilson95"]
    return f"{found['hits']}/{found['of']} = {found['share']:.3f} ({low:.2f} to {high:.2f})" if found["of"] else "none"


def together(table: dict, names: tuple[str, ...], kind: str) -> tuple[int, int]:
    return sum(table[n][kind]["hits"] for n in names), sum(table[n][kind]["of"] for n in names)


def page(kept: dict) -> str:
    result = kept["result"]
    reported = result["error"]["reported"]
    lines = [
        f"Measured {kept['day']} on {kept['on']}, on scenes that nothing was tuned on; in brackets the 95 % interval (Wilson). Whole clips, and",
        "8-second parts at random times, asked against the whole originals; right means the right clip at the right time.",
        f"Tuned on: {', '.join(result['tuned_on'])}.",
        "",
        "| copy | whole clips | parts of 8 s | bar |",
        "|---|---|---|---|",
    ]
    for name, words in WORDS.items():
        row = reported["recall"][name]
        bar = (
            "0.99"
            if name in EASY
            else "0.90"
            if name in {"crop20", "crop20-off-centre", "letterbox", "pillarbox"}
            else ""
        )
        lines.append(f"| {words} | {share(row['whole'])} | {share(row['part'])} | {bar} |")
    lines += ["", "| what is no copy | called a copy | of pairs |", "|---|---|---|"]
    lines.append(f"| all pairs | {reported['wrong_pairs']} | {reported['negative_pairs']:,} |")
    lines.append(
        f"| of these, another moment of the same camera | {reported['same_camera_wrong']} | {reported['same_camera_pairs']:,} |"
    )
    lines.append(f"| filmed, all | {reported['filmed_wrong']} | {reported['filmed_pairs']:,} |")
    lines.append(
        f"| filmed, same camera | {reported['filmed_same_camera_wrong']} | {reported['filmed_same_camera_pairs']:,} |"
    )
    lines += [
        "",
        f"Precision over these copies and pairs: {share(reported['precision'])}; the bar is 0.99. Scored apart, because the gate of `reelwise audit` sees",
        f"no movement in them: copies {reported['still_positives']}, pairs {reported['still_negative_pairs']}.",
        "",
    ]
    if "calibration" in result:
        lines += [*calibrated(result["calibration"]["reported"]), ""]
    if "speed" in result:
        speed = result["speed"]
        lines += [
            "| speed | figure | bar |",
            "|---|---|---|",
            f"| fingerprints from 160 x 90 luma planes, keys included, a second and core | {speed['fingerprints_per_second_and_core']:,} | 10,000 |",
            f"| seconds of video stored a second and core, at two planes a second | {speed['seconds_of_video_per_second_stored']:,} | |",
            *(
                f"| question of 16 s to {speed['fingerprints_in_index']:,} seconds, {kind}: CPU ms, median (95th percentile) "
                f"| {found['median']} ({found['p95']}) | 10 |"
                for kind, found in speed["query_cpu_ms"].items()
            ),
            f"| tables in memory, MB | {speed['tables_megabytes']} | |",
            f"| file, MB | {speed['file_megabytes']:,} | |",
            f"| adding them all, CPU s | {speed['build_cpu_s']} | |",
            f"| opening the file, CPU s | {speed['open_cpu_s']} | |",
            "",
            f"Verdicts on 16-second copies and on new footage in that index: {speed['verdicts']}.",
        ]
    return "\n".join(lines)


def calibrated(found: dict) -> list[str]:
    """Say how far stated probabilities are from what they state."""
    return [
        "| probability stated | of comparisons | mean stated | were copies |",
        "|---|---|---|---|",
        *(
            f"| {row['from']:.2f} to {row['to']:.2f} | {row['of']:,} | {row['stated']:.3f} | {share(row)} |"
            for row in found["table"]
        ),
        "",
        f"Over {found['comparisons']:,} comparisons in which something moves, {found['copies']} of them copies, all of scenes that nothing was tuned on: expected",
        f"calibration error {found['expected_calibration_error']:.3f}, Brier score {found['brier']:.4f} (stating the base rate alone: {found['brier_of_the_base_rate']:.4f}). Copies are asked",
        "several times under several changes, so these are fewer independent cases than they count.",
    ]


def facts(kept: dict) -> dict:
    """Return the error as published facts."""
    reported = kept["result"]["error"]["reported"]
    on = "clips and drawn cameras of bench/dedupe_pairs.py that were not tuned on"
    wrong = reported["false_positive_share"]
    counted = {
        "duplicates.recall_whole": together(reported["recall"], EASY, "whole"),
        "duplicates.recall_part": together(reported["recall"], EASY, "part"),
        "duplicates.false_share": (wrong["hits"], wrong["of"]),
    }
    found = {}
    for name, (hits, of) in counted.items():
        low, high = wilson(hits, of)
        found[name] = {
            "value": round(hits / of, 5), "low": low, "high": high, "kind": "published", "source": "bench/dedupe.py",
            "day": kept["day"], "on": f"{hits} of {of}: {on}",
        }  # fmt: skip
    return found


def main() -> None:
    kept = json.loads((ROOT / "bench" / "results" / "dedupe.json").read_text())
    path = ROOT / "docs" / "duplicates.md"
    head, rest = path.read_text().split(BEGIN)
    path.write_text(f"{head}{BEGIN}\n{page(kept)}\n{END}{rest.split(END, 1)[1]}")
    (ROOT / "src" / "reelwise" / "data" / "duplicates.json").write_text(json.dumps(facts(kept), indent=2) + "\n")


if __name__ == "__main__":
    main()
