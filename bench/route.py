"""The learned router against prompt length: APGR on RouteLLM's GSM8K and MMLU outcomes. Prints JSON.

    python bench/route.py [--evals ../shared/evals] [--test OTHER_ROWS.csv]

Every figure is of rows that were not learned from: GSM8K in 5 parts (3 deals); MMLU on subjects not learned from, with 1,500
labels of the other subjects (7 groups of subjects, 3 deals). `--test-gsm8k` and `--test-mmlu` name files of the same columns: then all of --evals
is learned from (1,500 labels of MMLU) and the file is only tested on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from outcome_rows import EVALS, routed
from reelwise.route.floor import area, hold_floor, share_at
from reelwise.route.learner import FOR_ROUTER, Table, cross_scores, learn
from reelwise.route.outcomes import Outcome, table_of

LABELS = 1500


def table(rows: list[dict[str, Any]]) -> Table:
    return table_of(Outcome(text=row["text"], cheap=row["cheap"], dear=row["dear"]) for row in rows)


def interval(scores: np.ndarray, cheap: np.ndarray, dear: np.ndarray) -> list[float]:
    """Return the 95 % interval of APGR over 1,000 samples of the rows."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(1000):
        some = rng.integers(0, len(scores), len(scores))
        if cheap[some].mean() != dear[some].mean():
            found.append(area(scores[some], cheap[some], dear[some]))
    return [round(float(np.quantile(found, q)), 4) for q in (0.025, 0.975)]


def figures(scores: np.ndarray, these: Table) -> dict[str, Any]:
    return {
        "apgr": round(area(scores, these.cheap, these.dear), 4),
        "interval95": interval(scores, these.cheap, these.dear),
        "dear_share_at_95_percent": round(share_at(scores, these.cheap, these.dear, 0.95), 4),
    }


def about(these: Table) -> dict[str, Any]:
    return {
        "rows": len(these),
        "cheap_right": round(float(these.cheap.mean()), 4),
        "dear_right": round(float(these.dear.mean()), 4),
    }


def gsm8k(rows: list[dict[str, Any]], deals: int) -> dict[str, Any]:
    these = table(rows)
    scores = [cross_scores(these, FOR_ROUTER, seed=seed) for seed in range(deals)]
    found = [area(one, these.cheap, these.dear) for one in scores]
    floor = hold_floor(scores[0], these.cheap, these.dear, quality=0.95)
    return {
        **about(these),
        "trained_on": f"the other 4 of 5 parts of these {len(these)} rows",
        "apgr_mean_of_deals": round(float(np.mean(found)), 4),
        "apgr_of_deals": [round(one, 4) for one in found],
        **figures(scores[0], these),
        "floor_95_percent_proved_at_dear_share": floor.dear_share,
        "length_alone_apgr": round(area(these.numbers[:, 0], these.cheap, these.dear), 4),
    }


def mmlu(rows: list[dict[str, Any]], deals: int) -> dict[str, Any]:
    these = table(rows)
    domains = np.array([row["domain"] for row in rows])
    found, last = [], np.zeros(len(rows))
    for deal in range(deals):
        rng = np.random.default_rng(deal)
        names = rng.permutation(np.unique(domains))
        last = np.zeros(len(rows))
        for group in range(7):
            held = np.isin(domains, names[group::7])
            some = rng.permutation(np.flatnonzero(~held))[:LABELS]
            there = these.of(np.flatnonzero(held))
            last[held] = learn(these.of(some), FOR_ROUTER, seed=deal).score(there.numbers, there.texts)
        found.append(area(last, these.cheap, these.dear))
    return {
        **about(these),
        "subjects": len(np.unique(domains)),
        "trained_on": f"{LABELS} rows of the 24 subjects that are not in the tested group",
        "apgr_mean_of_deals": round(float(np.mean(found)), 4),
        "apgr_of_deals": [round(one, 4) for one in found],
        **figures(last, these),
        "length_alone_apgr": round(area(these.numbers[:, 0], these.cheap, these.dear), 4),
    }


def unseen(learned: list[dict[str, Any]], tested: Path, labels: int) -> dict[str, Any]:
    """Learn from all rows given, or so many labels, and test on a file."""
    mine, there = table(learned), table(routed(tested))
    some = np.random.default_rng(0).permutation(len(mine))[:labels]
    scores = learn(mine.of(some), FOR_ROUTER).score(there.numbers, there.texts)
    return {
        **about(there),
        "trained_on": f"{len(some)} rows of --evals",
        **figures(scores, there),
        "length_alone_apgr": round(area(there.numbers[:, 0], there.cheap, there.dear), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evals", type=Path, default=EVALS)
    parser.add_argument("--test-gsm8k", type=Path)
    parser.add_argument("--test-mmlu", type=Path)
    parser.add_argument("--deals", type=int, default=3)
    options = parser.parse_args()
    began = time.process_time()
    folder = options.evals / "routing_outcomes"
    easy, hard = routed(folder / "gsm8k_outcomes.csv"), routed(folder / "mmlu_outcomes.csv")
    result: dict[str, Any] = {
        "bench": "route",
        "metric": "APGR of arXiv 2406.18665, on all cuts; random is 0.5",
        "tuned_on": "the rows of --evals: features, recipe and growth were chosen there, one setting for both sets",
        "gsm8k": gsm8k(easy, options.deals),
        "mmlu": mmlu(hard, options.deals),
    }
    if options.test_gsm8k:
        result["gsm8k_unseen"] = unseen(easy, options.test_gsm8k, len(easy))
    if options.test_mmlu:
        result["mmlu_unseen"] = unseen(hard, options.test_mmlu, LABELS)
    result["cpu_seconds"] = round(time.process_time() - began, 1)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
