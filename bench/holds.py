"""How much is held before a call against what it costs. Prints JSON.

    python bench/holds.py [--quick] [--json] [CLIP...]

The calls and what each truly costs stand in bench/holds_calls.yaml, which no code of ours wrote. The true cost has the same input and
the answer at its maximum; beside it stands the realised ratio, with answers as long as 8,819 real requests got. CLIPs are opened
for the time that reading a container takes; without any, a drawn one is.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import yaml

from reelwise import video
from reelwise.charge import Ask, Hold, Media, hold, kept, machine_seconds, media_of
from reelwise.rates import Book
from reelwise.requests import Usage

CALLS = Path(__file__).resolve().parent / "holds_calls.yaml"
DAY = dt.date(2026, 11, 23)
NANO = 1_000_000_000
# 10th, 50th and 90th percentile of generated tokens: AzureLLMInferenceTrace_code.csv, Azure/AzurePublicDataset@b469a11, CC BY 4.0
REAL_OUTPUT = {"p10": 7, "p50": 13, "p90": 55}
NOT_VIDEO = {"whisper", "deepgram", "azure speech", "machines", "bytes"}
OTHERS = {
    "litellm 1.106.2": "measured: 0.000504 USD for an hour of video that costs 0.324 (643 times under); 0.00 for Sora 2 and Veo 3.1",
    "tensorzero 2026-04": "read in its code: 10,000 tokens a file",
}


def number(value: Any) -> Fraction:
    return Fraction(str(value))


def true_nano(row: dict[str, Any], output: int | None = None) -> Fraction:
    """Add up what is billed; `output` in place of the maximum where it is shorter."""
    usd = Fraction(0)
    for unit, factors, price, per in row["cost"]:
        quantity = Fraction(1)
        for factor in factors:
            quantity *= number(factor)
        if unit == "output" and output is not None:
            quantity = min(quantity, Fraction(output))
        usd += quantity * number(price) / number(per)
    return usd * NANO


def input_ratio(row: dict[str, Any], held: Hold) -> float:
    """Compare the input alone: a long answer must not hide a loose bound of the clip."""
    own = sum((part.nano for part in held.parts if part.unit != "tokens_output"), Fraction(0))
    return float(own / true_nano({**row, "cost": [part for part in row["cost"] if part[0] != "output"]}))


def position_of(row: dict[str, Any]) -> dict[tuple[str, str], float] | None:
    if "position" not in row:
        return None
    return {tuple(name.rsplit(" ", 1)): float(used) for name, used in row["position"].items()}  # type: ignore[misc]


def asked(row: dict[str, Any], table: dict[str, Any], book: Book) -> Ask | Usage:
    if "machine" in row:
        return machine_seconds(*row["machine"], book)
    if "usage" in row:
        sku, unit, quantity = row["usage"]
        return Usage(sku=sku, unit=unit, quantity=quantity)
    if "kept" in row:
        return kept(*row["kept"], book)
    media = row.get("media")
    found = msgspec.convert(table[media] if isinstance(media, str) else media, Media) if media else None
    fields = {**row["ask"], **({"tokens_output": row["output"]} if row.get("output") else {})}
    return msgspec.structs.replace(msgspec.convert(fields, Ask), media=found)


def measured(row: dict[str, Any], table: dict[str, Any], book: Book, runs: int) -> dict[str, Any]:
    what, position = asked(row, table, book), position_of(row)
    held = hold(what, book, position=position)
    times = []
    for _ in range(runs):
        before = time.perf_counter()
        hold(what, book, position=position)
        times.append(1000 * (time.perf_counter() - before))
    true = true_nano(row)
    found: dict[str, Any] = {
        "id": row["id"],
        "rule": row["rule"],
        "hold_usd": held.nano / NANO,
        "true_usd": float(true) / NANO,
        "ratio": round(held.nano / float(true), 4) if true else None,
        "units": sorted({part.unit for part in held.parts}),
        "ms_median": round(statistics.median(times), 3),
    }
    if any(unit == "output" for unit, *_ in row["cost"]):
        found["input_ratio"] = round(input_ratio(row, held), 4)
        found["realised"] = {
            name: round(held.nano / float(true_nano(row, tokens)), 3) for name, tokens in REAL_OUTPUT.items()
        }
    if "why" in row:
        found["why"] = row["why"]
    return found


def cold() -> float:
    """Time the first hold of a fresh process, in milliseconds, without starting the interpreter."""
    code = (
        "import datetime as dt, time; t = time.perf_counter();"
        "from reelwise.charge import Ask, Media, hold; from reelwise.rates import Book;"
        "hold(Ask(model='gemini-2.5-pro', media=Media(seconds=60, width=1920, height=1080), tokens_output=9),"
        " Book.load(dt.date(2026, 11, 23)));"
        "print(1000 * (time.perf_counter() - t))"
    )
    answers = [
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE).stdout for _ in range(3)
    ]
    return round(statistics.median(float(answer) for answer in answers), 1)


def containers(paths: list[str], runs: int) -> dict[str, Any]:
    medians = {}
    for path in paths:
        media_of(path)
        wall, cpu = [], []
        for _ in range(runs):
            before, spent = time.perf_counter(), time.process_time()
            media_of(path)
            wall.append(1000 * (time.perf_counter() - before))
            cpu.append(1000 * (time.process_time() - spent))
        medians[Path(path).name] = {"ms": round(statistics.median(wall), 2), "cpu_ms": round(statistics.median(cpu), 2)}
    return {
        "clips": medians,
        "ms_worst": max(found["ms"] for found in medians.values()),
        "cpu_ms_worst": max(found["cpu_ms"] for found in medians.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="the only format; accepted for symmetry")
    parser.add_argument("clips", nargs="*")
    given = parser.parse_args()
    runs = 5 if given.quick else 51
    book = Book.load(DAY)
    file = yaml.safe_load(CALLS.read_text(encoding="utf-8"))
    rows = [measured(row, file["media"], book, runs) for row in file["calls"]]
    wide = [measured(row, file["media"], book, 1) for row in file["wide"]]
    with tempfile.TemporaryDirectory() as folder:
        clips = given.clips
        if not clips:
            clips = [str(video.draw_demo(Path(folder) / "bay.mp4", seconds=12, width=320, height=180, fps=10).path)]
        opened = containers(clips, runs)
    ratios = [row["ratio"] for row in rows]
    realised = [row["realised"] for row in rows if "realised" in row]
    report = {
        "calls": len(rows),
        "calls_about_video": sum(row["rule"] not in NOT_VIDEO for row in rows),
        "rules": len({row["rule"] for row in rows}),
        "units": sorted({unit for row in rows for unit in row["units"]}),
        "ratio": {"lowest": min(ratios), "median": round(statistics.median(ratios), 4), "highest": max(ratios)},
        "outside_1.00_to_1.10": [row["id"] for row in rows if not 1.0 <= row["ratio"] <= 1.10],
        "input_ratio_highest": max(row["input_ratio"] for row in rows if "input_ratio" in row),
        "realised_ratio_median": {
            name: round(statistics.median(found[name] for found in realised), 3) for name in REAL_OUTPUT
        },
        "realised_ratio_highest": {name: max(found[name] for found in realised) for name in REAL_OUTPUT},
        "hold_ms": {
            "median": statistics.median(row["ms_median"] for row in rows),
            "worst": max(row["ms_median"] for row in rows),
        },
        "first_hold_of_a_process_ms": cold(),
        "container_ms": opened,
        "others": OTHERS,
        "rows": rows,
        "wide": wide,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
