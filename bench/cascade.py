"""The cascade on MMLU-Pro, Gemini 1.5 Flash to Pro, with Llama 3.1 8B as the second cheap model. Prints JSON.

    python bench/cascade.py [--evals ../shared/evals] [--test FOLDER]

Scores are of rows that were not learned from (5 parts). The bound: a cut-off is proved on a random half and held against the other half,
100 times. `--test` names a folder with files of the same names: then all rows of --evals are learned from, and the cut-off proved there too.

Cost counts the cheap call of every row: prices of both Gemini models from reelwise's books, tokens taken as letters of question and answer
over 4 (assumed; the benchmark's examples, sent with each question to both models, are left out, which flatters neither). It is given for the cascade on
Flash alone: Llama 3.1 8B has no one price.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from outcome_rows import EVALS, FLASH, PRO, tiers
from reelwise.charge import charge
from reelwise.rates import Book
from reelwise.requests import Request
from reelwise.route.floor import area, curve, hold_floor, share_at
from reelwise.route.learner import FOR_CASCADE, Table, cross_scores, learn
from reelwise.route.outcomes import Outcome, table_of

QUALITY = 0.97
SPLITS = 100


def table(rows: list[dict[str, Any]], answers: int) -> Table:
    return table_of(
        Outcome(text=row["text"], answers=row["answers"][:answers], cheap=row["cheap"], dear=row["dear"])
        for row in rows
    )


def figures(scores: np.ndarray, these: Table) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, len(these), len(these)) for _ in range(300)]
    shares = [share_at(scores[some], these.cheap[some], these.dear[some], QUALITY) for some in drawn]
    return {
        "rows": len(these),
        "cheap_right": round(float(these.cheap.mean()), 4),
        "dear_right": round(float(these.dear.mean()), 4),
        "apgr": round(area(scores, these.cheap, these.dear), 4),
        "dear_share_at_97_percent": round(share_at(scores, these.cheap, these.dear, QUALITY), 4),
        "interval95": [round(float(np.quantile(shares, q)), 4) for q in (0.025, 0.975)],
        "dear_share_at_100_percent": round(share_at(scores, these.cheap, these.dear, 1.0), 4),
        "best_right": round(float(curve(scores, these.cheap, these.dear).max()), 4),
    }


def bound(scores: np.ndarray, these: Table, ahead: int | None) -> dict[str, Any]:
    """Prove a cut-off on a random half, hold it against the other half, 100 times."""
    held, shares, kept, ran = 0, [], [], 0
    for split in range(SPLITS):
        order = np.random.default_rng(split).permutation(len(these))
        mine, other = order[: len(order) // 2], order[len(order) // 2 :]
        floor = hold_floor(scores[mine], these.cheap[mine], these.dear[mine], quality=QUALITY, ahead=ahead)
        sent = np.ones(len(other), bool) if floor.cut is None else scores[other] > floor.cut
        reached = np.where(sent, these.dear[other], these.cheap[other]).mean() / these.dear[other].mean()
        held += reached >= QUALITY
        shares.append(sent.mean())
        kept.append(reached)
        ran += 1
    return {
        "splits": ran,
        "held": int(held),
        "dear_share_mean": round(float(np.mean(shares)), 4),
        "kept_mean": round(float(np.mean(kept)), 4),
        "kept_least": round(float(np.min(kept)), 4),
    }


def cost(rows: list[dict[str, Any]], sent: np.ndarray) -> dict[str, Any]:
    """Return what the cascade costs against the dear model on every row."""
    book = Book.load(dt.date(2024, 11, 1))
    nano = [
        [
            charge(
                Request(model=model, count=1, tokens_text=max(1.0, len(row["text"]) / 4), tokens_output=said / 4), book
            ).nano
            for model, said in zip((FLASH, PRO), row["letters"], strict=True)
        ]
        for row in rows
    ]
    cheap, dear = np.array(nano, float).T
    return {
        "cost_share_of_all_dear": round(float((cheap.sum() + dear[sent].sum()) / dear.sum()), 4),
        "cheap_call_of_every_row_is": round(float(cheap.sum() / dear.sum()), 4),
        "tokens": "assumed: letters / 4",
        "prices": "2024-11-01",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evals", type=Path, default=EVALS)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--json", action="store_true", help="it always is")
    parser.add_argument("--deals", type=int, default=2)
    options = parser.parse_args()
    began = time.process_time()
    rows = tiers(options.evals / "mmlu_pro_tiers")
    result: dict[str, Any] = {
        "bench": "cascade",
        "tuned_on": "the rows of --evals: features and recipe were chosen there",
        "trained_on": "the other 4 of 5 parts of these rows",
    }
    for name, answers in (("flash_and_llama_answers", 2), ("flash_answer_only", 1)):
        these = table(rows, answers)
        deals = [cross_scores(these, FOR_CASCADE, seed=seed) for seed in range(options.deals)]
        found = [share_at(one, these.cheap, these.dear, QUALITY) for one in deals]
        result[name] = {
            "cheap_calls_a_row": answers,
            **figures(deals[0], these),
            "dear_share_of_deals": [round(one, 4) for one in found],
            "dear_share_mean_of_deals": round(float(np.mean(found)), 4),
            "bound_on_as_many_rows": bound(deals[0], these, None),
            "bound_in_the_long_run": bound(deals[0], these, 0),
        }
        if answers == 1:
            share = result[name]["dear_share_at_97_percent"]
            sent = np.argsort(-deals[0], kind="stable")[: round(share * len(these))]
            result[name]["cost_at_97_percent"] = cost(rows, sent)
        if options.test:
            there = table(tiers(options.test), answers)
            scores = learn(these, FOR_CASCADE).score(there.numbers, there.texts)
            floor = hold_floor(deals[0], these.cheap, these.dear, quality=QUALITY, ahead=len(there))
            sent = np.ones(len(there), bool) if floor.cut is None else scores > floor.cut
            reached = np.where(sent, there.dear, there.cheap).mean() / there.dear.mean()
            result[name]["unseen"] = {
                "trained_on": f"all {len(these)} rows of --evals",
                **figures(scores, there),
                "bound": {"dear_share": round(float(sent.mean()), 4), "kept": round(float(reached), 4)},
                "bound_on_as_many_rows": bound(scores, there, None),
            }
    result["cpu_seconds"] = round(time.process_time() - began, 1)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
