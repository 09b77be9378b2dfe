"""Time and size of pricing: start-up, one workload, many plan variants, Monte Carlo draws. Prints JSON.

    python bench/price.py [--quick] [--json]

CPU seconds, medians. Start-up is measured in fresh processes against a bare interpreter in the same run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from reelwise.case import load
from reelwise.levers.process_less.sample_frames import SampleFrames
from reelwise.plan import Plan
from reelwise.price import price_one
from reelwise.search import price_many
from reelwise.stages import Call, Prompt, Sample, Scale

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("numpy", "av", "genai_prices", "yaml", "rich", "altair")


def child_cpu(code: list[str], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(code, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(seconds)


def start_up(runs: int) -> dict[str, object]:
    python = sys.executable
    modules = "import sys; from reelwise.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    modules += f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    loaded = subprocess.run([python, "-c", modules], check=True, capture_output=True, text=True).stderr.strip()
    return {
        "bare_python_cpu_s": child_cpu([python, "-c", "pass"], runs),
        "import_reelwise_cpu_s": child_cpu([python, "-c", "import reelwise"], runs),
        "help_cpu_s": child_cpu([python, "-m", "reelwise", "--help"], runs),
        "help_imports_of_heavy_modules": loaded,
    }


def median_cpu(work: object, runs: int) -> float:
    seconds = []
    for _ in range(runs):
        before = time.process_time()
        work()  # type: ignore[operator]
        seconds.append(time.process_time() - before)
    return statistics.median(seconds)


def variants(count: int) -> list[Plan]:
    """Distinct plans: three models, two modes, sizes, frame rates, answer caps."""
    models = ("gemini-2.5-pro", "gemini-2.5-flash", "gpt-4o")
    sides = (1920, 1280, 854, 640, 512)
    modes = ("standard", "batch")
    shapes = len(models) * len(sides) * len(modes)
    rates = [0.05 + 0.01 * i for i in range(-(-count // (shapes * 10)))]
    caps = [50.0 + 50 * i for i in range(10)]
    plans = [
        Plan(
            stages=(
                Sample(fps=fps),
                Scale(long_side=side),
                Prompt(output=cap),
                Call(model=model, mode=mode, part="images" if model == "gpt-4o" else "auto"),
            )
        )
        for model, side, mode, fps, cap in itertools.product(models, sides, modes, rates, caps)
    ]
    return plans[:count]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="the only format; accepted for symmetry")
    quick = parser.parse_args().quick
    runs = 3 if quick else 9
    count = 10_000 if quick else 100_000

    eight = ["lengths=" + json.dumps([{"seconds": 60 * (i + 1), "share": 0.125} for i in range(8)])]
    many = ["lengths=" + json.dumps([{"seconds": 60 * (i + 1), "share": 1 / 64} for i in range(64)])]
    spread = [
        "demand={hours: 50000, low: 0.7, high: 1.4}",
        'facts={"route.easy_share": {value: 0.9, low: 0.6, high: 0.95}}',
    ]
    example = ROOT / "examples" / "moderation-today.yaml"
    one = load(example)
    wide = load(example, settings=eight)
    drawn = load(example, settings=[*many, *spread])
    routed = SampleFrames(fps=0.5).apply(drawn.plan)
    plans = variants(count)
    price_many(wide.workload, plans[:100], wide.facts, wide.book, wide.account)
    report = {
        "start_up": start_up(runs),
        "price_one_workload_cpu_ms": 1000
        * median_cpu(lambda: price_one(one.workload, one.plan, one.facts, one.book, one.account), runs * 20),
        "variants": {
            "plans": len(plans),
            "item_classes": 8,
            "cpu_s": median_cpu(lambda: price_many(wide.workload, plans, wide.facts, wide.book, wide.account), 3),
        },
        "draws": {
            "draws": 10_000,
            "item_classes": 64,
            "cpu_ms": 1000
            * median_cpu(
                lambda: price_one(drawn.workload, routed, drawn.facts.draw(10_000), drawn.book, drawn.account), runs
            ),
        },
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
