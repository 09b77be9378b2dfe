"""The estimate held against what a run metered on the sandbox: many plans, each on clips whose model facts come from other clips.

For each plan the clips are split in two. Each half is run; what its calls were metered at (lengths of answers, tokens of text, doubted and
easy shares) predicts the other half. What stages count on footage without a model (active stretches, frames, regions) is counted on the
clips themselves, as `reelwise run` does, or comes from the other half too: both errors are printed.

    python bench/run.py --json [--quick | --further] [--only WORD] [--clips FOLDER]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import msgspec
import yaml

from reelwise import video
from reelwise.run.job import read_job
from reelwise.run.session import Session
from reelwise.sandbox import Scenario

DAY = "2026-11-22"
ASK = {
    "describe": {"task": "describe", "policy": "You watch a loading bay.", "output_most": 400},
    "moderate": {
        "task": "moderate", "labels": ["quiet", "busy", "unusual"], "output_most": 60,
        "policy": "You watch a loading bay. " + "Say whether something unusual happens. " * 40,
    },
    "questions": {"task": "ask", "questions": ["What happens?", "How many people?", "Is it dark?"], "output_most": 300},
}  # fmt: skip


def call(model: str, **more: object) -> dict[str, object]:
    return {"stage": "call", "model": model, **more}


ONE = {"stage": "sample", "fps": 1.0}
HALF = {"stage": "sample", "fps": 0.5}


def cascade(**decides: object) -> list[dict[str, object]]:
    doubt = {"stage": "escalate", **decides}
    return [HALF, call("gemini-2.5-flash-lite"), doubt, call("gemini-2.5-flash", lane="doubt")]


PLANS: list[tuple[str, list[dict[str, object]]]] = [
    ("describe", [call("gemini-2.5-pro")]),
    ("describe", [call("gemini-2.5-flash")]),
    ("describe", [call("gemini-3.5-flash")]),
    ("describe", [call("gemini-2.5-pro", detail="low")]),
    ("describe", [call("gemini-2.5-pro", mode="batch")]),
    ("describe", [{"stage": "gate"}, call("gemini-2.5-pro")]),
    ("describe", [{"stage": "gate"}, HALF, call("gemini-2.5-pro")]),
    ("describe", [HALF, call("gemini-2.5-pro")]),
    ("describe", [{"stage": "sample", "fps": 1.0, "by": "change"}, call("gemini-2.5-pro")]),
    ("describe", [{"stage": "audio", "keep": False}, call("gemini-2.5-pro")]),
    ("describe", [call("gemini-2.5-pro", chunk=4.0)]),
    ("describe", [ONE, call("gpt-4o")]),
    ("describe", [HALF, call("gpt-4o")]),
    ("describe", [ONE, call("gpt-4o", detail="low")]),
    ("describe", [ONE, call("gpt-4o-mini", pictures_a_call=6)]),
    ("describe", [ONE, call("gpt-4.1-mini")]),
    ("describe", [ONE, {"stage": "scale", "long_side": 256}, call("gpt-4.1-mini")]),
    ("describe", [ONE, call("gpt-5-mini", mode="flex")]),
    ("describe", [ONE, call("gpt-4o", mode="batch")]),
    ("describe", [ONE, call("claude-haiku-4-5")]),
    ("describe", [HALF, call("claude-sonnet-4-6")]),
    ("describe", [ONE, {"stage": "pack", "columns": 2, "rows": 2, "long_side": 640}, call("gpt-4o")]),
    ("describe", [{"stage": "crop"}, ONE, call("gpt-4o")]),
    ("moderate", [call("gemini-2.5-flash")]),
    ("moderate", [ONE, call("gpt-4o")]),
    ("moderate", [ONE, {"stage": "prompt", "prefix": 60}, call("gpt-4.1-mini")]),
    ("moderate", [HALF, call("claude-haiku-4-5")]),
    ("moderate", cascade(sure=0.6)),
    ("questions", [ONE, call("gpt-4o", ask="each")]),
    ("questions", [call("gemini-2.5-flash", ask="once")]),
    ("moderate", cascade(samples=3)),
    ("moderate", cascade(second="gpt-4.1-mini")),
    ("describe", cascade(verifier="gemini-2.5-flash")),
]
# levers that those leave out, summed up apart. Drawn clips of equal length move alike and differ in texture and noise: the index of uploads takes
# them for copies, and the estimate, which takes only equal bytes to be copies, does not. There it is off by all of their cost.
FURTHER: list[tuple[str, list[dict[str, object]]]] = [
    ("questions", [call("gemini-2.5-pro", cache="explicit", cache_hours=0.1)]),
    ("moderate", [HALF, call("claude-haiku-4-5", cache="prefix")]),
    ("describe", [{"stage": "audio", "trim_silence": True}, call("gemini-2.5-pro")]),
    ("describe", [ONE, {"stage": "scale", "snap_model": "gpt-4o"}, call("gpt-4o")]),
    ("describe", [call("gemini-2.5-pro", chunk="below_cliff")]),
    ("describe", [{"stage": "reuse", "duplicates": True, "answers": True}, HALF, call("gpt-4o-mini")]),
    (
        "moderate",
        [
            HALF,
            {"stage": "route", "rule": "difficulty"},
            call("gemini-2.5-pro"),
            call("gemini-2.5-flash-lite", lane="easy"),
        ],
    ),
]
MODEL_FACTS = ("call.", "escalate.", "route.", "cache.")


def drawn(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"bay{number}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        video.draw_demo(path, seconds=20 + 5 * (number % 4), width=320, height=180, fps=10, seed=number)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="nine plans, six clips; else 37 plans, 32 clips")
    parser.add_argument("--only", help="plans whose line holds this, on all clips")
    parser.add_argument("--further", action="store_true", help="the plans of FURTHER alone")
    parser.add_argument("--clips", type=Path, help="real clips beside the drawn ones")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each real clip")
    options = parser.parse_args()
    began = time.perf_counter()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clips = drawn(folder, 6 if options.quick else 32)
        if options.clips is not None:
            clips += sorted(path for path in options.clips.iterdir() if path.suffix in {".mp4", ".mkv", ".mov"})
        plans = FURTHER if options.further else PLANS[::5] + FURTHER[::3] if options.quick else PLANS + FURTHER
        plans = [one for one in plans if options.only is None or options.only in str(one)]
        decoded: dict[Path, object] = {}
        for number, (ask, stages) in enumerate(plans):
            rows.append(one_plan(folder, (number, ask, stages), clips, decoded, options.seconds))
            if not options.json:
                print(rows[-1])
    further = [row for row, plan in zip(rows, plans, strict=True) if plan in FURTHER]
    found = summary([row for row in rows if row not in further] or rows)
    if further and len(further) < len(rows):
        found["further"] = summary(further)
    found["clips"], found["seconds"] = len(clips), round(time.perf_counter() - began, 1)
    print(json.dumps({**found, "rows": rows}, indent=2) if options.json else json.dumps(found, indent=2))


def one_plan(folder: Path, what: tuple, clips: list[Path], decoded: dict, seconds: float) -> dict:
    number, ask, stages = what
    path = folder / f"plan{number}.yaml"
    tree = {"feature": "bay", "latency": "day", "day": DAY, "plan": {"stages": stages}, "ask": ASK[ask]}
    path.write_text(yaml.safe_dump(tree))
    job = read_job(path)
    scenario = Scenario(seed=11, day=DAY, batch_seconds=0.05)
    halves = (clips[::2], clips[1::2])
    cost, errors, errors_all, bands, residual = [], [], [], [], 0
    with Session(job, sandbox=True, scenario=scenario, out=folder / f"out{number}") as session:
        new = [clip for clip in clips if clip not in decoded]
        if new:
            decoded.update(zip(new, session.decoded(new, seconds), strict=True))
        results = [session.run(job.case.plan, [decoded[c] for c in half], name=f"{i}") for i, half in enumerate(halves)]
        for at, half in enumerate(halves):
            other = results[1 - at]
            metered = results[at].receipt.cost_usd
            tracks = [decoded[clip] for clip in half]
            model = [entry for entry in other.facts if entry.name.startswith(MODEL_FACTS)]
            found = predicted(session, job, tracks, model)
            errors.append(found.usd / metered - 1)
            bands.append((found.usd_low or found.usd, found.usd_high or found.usd))
            errors_all.append(predicted(session, job, tracks, other.facts).usd / metered - 1)
            residual += abs(results[at].receipt.reconciled.residual_nano)
            cost.append(metered)
    name = ", ".join(" ".join(str(value) for key, value in one.items() if key != "stage") for one in stages)
    return {
        "plan": f"{ask}: {name}", "usd": cost, "errors": errors, "bands": bands, "errors_all_facts": errors_all,
        "residual_nano": residual,
        "answered": sum(one.status == "ok" for result in results for one in result.results),
    }  # fmt: skip


def predicted(session: Session, job: object, tracks: list, entries: list) -> object:
    case = msgspec.structs.replace(job.case, facts=job.case.facts.with_entries(entries))
    return session.expected(msgspec.structs.replace(job, case=case), case.plan, tracks)


def summary(rows: list[dict]) -> dict:
    flat = [abs(error) for row in rows for error in row["errors"]]
    every = [abs(error) for row in rows for error in row["errors_all_facts"]]
    inside = [low <= usd <= high for row in rows for usd, (low, high) in zip(row["usd"], row["bands"], strict=True)]
    return {
        "what": "absolute error of the estimate against the metered cost, each plan on each half of the clips",
        "plans": len(rows),
        "pairs": len(flat),
        "error_median": statistics.median(flat),
        "error_p90": sorted(flat)[int(0.9 * (len(flat) - 1))],
        "error_max": max(flat),
        "within_5_percent": sum(error <= 0.05 for error in flat),
        "metered_within_low_and_high": sum(inside),
        "all_facts_from_other_clips": {"error_median": statistics.median(every), "error_max": max(every)},
        "residual_nano": sum(row["residual_nano"] for row in rows),
        "trained_on": "the other half of the clips; answers of both halves are drawn by the sandbox, seed 11",
    }


if __name__ == "__main__":
    main()
