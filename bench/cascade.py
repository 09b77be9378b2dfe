"""The cascade on MMLU-Pro, Gemini 1.5 Flash to Pro, with Llama 3.1 8B as the second cheap model. Prints JSON.

    python bench/cascade.py [--evals ../shared/evals] [--test FOLDER] [--nested 10]

Scores are of rows that were not learned from (5 parts).

A bound HOLDS on a split where the rows of the other half, served by the cut-off that was set on this half, are right at least 97 % as often as Pro on
the very same rows: no allowance for their luck. Three ways to set it, each on 100 random halves:

- a floor of 97 % that is proved for as many rows to come, and one for the long run (`hold_floor`);
- a share of Pro calls that is given beforehand (`hold_share`): the cut-off keeps to it, and what quality is proved there is held against the other
  half, too;
- for comparison what nobody can know: the smallest share that holds on 95 of the 100 when it is chosen with the answers of all rows (`oracle`), and
  the smallest at which a proof from half of these rows can succeed (`any_proof`): the other half's luck is this half's, turned around.

`--nested N` learns the score on the half, too: N splits from end to end, nothing of the other half is seen. `--test` names a folder with files of the same
names: then all rows of --evals are learned from, and the cut-off set there too.

Cost counts the cheap call of every row: prices of both Gemini models from reelwise's books, tokens taken as letters of question and answer
over 4 (assumed; the benchmark's examples, sent with each question to both models, are left out, which flatters neither). It is given for the cascade on
Flash alone: Llama 3.1 8B has no one price.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from outcome_rows import EVALS, FLASH, PRO, tiers
from reelwise.charge import charge
from reelwise.rates import Book
from reelwise.requests import Request
from reelwise.route.bounds import mean_lower
from reelwise.route.floor import Floor, area, curve, hold_floor, hold_share, share_at
from reelwise.route.learner import FOR_CASCADE, Table, cross_scores, learn
from reelwise.route.outcomes import Outcome, table_of

QUALITY = 0.97
SPLITS = 100
RISK = 0.05
GIVEN = (0.16, 0.22)
"""Shares of Pro calls that are given: what is to be reached, and what must be."""


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


Set = Callable[[np.ndarray, np.ndarray, np.ndarray], Floor]


def ways(rows: int) -> dict[str, Set]:
    """Return the ways to set a cut-off."""
    found: dict[str, Set] = {
        "floor_for_as_many_rows": lambda *these: hold_floor(*these, quality=QUALITY, risk=RISK, ahead=rows),
        "floor_in_the_long_run": lambda *these: hold_floor(*these, quality=QUALITY, risk=RISK, ahead=0),
    }
    for share in GIVEN:
        found[f"share_of_{share:.0%}_given".replace("%", "_percent")] = lambda *these, share=share: hold_share(
            *these, share=share, risk=RISK, ahead=rows
        )
    return found


def halves(count: int, split: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(split).permutation(count)
    return order[: count // 2], order[count // 2 :]


def held(floor: Floor, scores: np.ndarray, other: Table) -> tuple[float, float, bool]:
    """Return the share of Pro calls on other rows, the quality kept there, and whether what was proved is kept."""
    sent = np.ones(len(other), bool) if floor.cut is None else scores > floor.cut
    kept = float(np.where(sent, other.dear, other.cheap).mean() / other.dear.mean())
    return float(sent.mean()), kept, kept >= floor.quality


def summed(found: list[tuple[float, float, bool]], proved: list[float]) -> dict[str, Any]:
    shares, kept, kept_proved = (np.array(column) for column in zip(*found, strict=True))
    return {
        "splits": len(found),
        "held": int((kept >= QUALITY).sum()),
        "dear_share_mean": round(float(shares.mean()), 4),
        "kept_mean": round(float(kept.mean()), 4),
        "kept_least": round(float(kept.min()), 4),
        "proved_mean": round(float(np.mean(proved)), 4),
        "held_what_was_proved": int(kept_proved.sum()),
    }


def bounds(scores: np.ndarray, these: Table, splits: int = SPLITS) -> dict[str, Any]:
    """Set cut-offs on a random half and hold them against the other half, 100 times; then what nobody can know."""
    result = {}
    for name, choose in ways(len(these) // 2).items():
        found, proved = [], []
        for split in range(splits):
            mine, other = halves(len(these), split)
            floor = choose(scores[mine], these.cheap[mine], these.dear[mine])
            found.append(held(floor, scores[other], these.of(other)))
            proved.append(floor.quality)
        result[name] = summed(found, proved)
    return {**result, "limits": limits(scores, these)}


def limits(scores: np.ndarray, these: Table) -> dict[str, Any]:
    """Find the smallest share that holds on 95 of 100 when it is chosen with all answers, and the smallest that half of the rows can prove."""
    order = np.argsort(-scores, kind="stable")
    count = len(these)
    others = [halves(count, split)[1] for split in range(SPLITS)]
    oracle = proof = 1.0
    for number in range(201):
        share = number / 200
        sent = np.zeros(count, bool)
        sent[order[: round(share * count)]] = True
        each = np.where(sent, these.dear, these.cheap) - QUALITY * these.dear
        if oracle == 1.0 and sum(each[other].mean() >= 0 for other in others) >= (1 - RISK) * SPLITS:
            oracle = share
        mean = float(each.mean())
        lower = mean_lower(float(each.sum()), float((each**2).sum()), count, RISK)
        if proof == 1.0 and mean - 2 * (mean - lower) >= 0:
            proof = share
    return {"oracle": oracle, "any_proof": proof}


def nested(these: Table, splits: int) -> dict[str, Any]:
    """Learn, and set the cut-off, on a half; hold it against the other half."""
    found: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in ways(1)}
    proved: dict[str, list[float]] = {name: [] for name in found}
    for split in range(splits):
        mine, other = (these.of(rows) for rows in halves(len(these), split))
        scores = cross_scores(mine, FOR_CASCADE, seed=split)
        there = learn(mine, FOR_CASCADE, seed=split).score(other.numbers, other.texts)
        for name, choose in ways(len(other)).items():
            floor = choose(scores, mine.cheap, mine.dear)
            found[name].append(held(floor, there, other))
            proved[name].append(floor.quality)
    return {name: summed(found[name], proved[name]) for name in found}


def unseen(these: Table, scores: np.ndarray, there: Table) -> dict[str, Any]:
    """Learn from all rows, set cut-offs on them, and hold both against rows of another folder."""
    other = learn(these, FOR_CASCADE).score(there.numbers, there.texts)
    return {
        "trained_on": f"all {len(these)} rows of --evals",
        **figures(other, there),
        "set_on_all_rows_of_evals": {
            name: summed([held(floor, other, there)], [floor.quality])
            for name, choose in ways(len(there)).items()
            for floor in [choose(scores, these.cheap, these.dear)]
        },
        "set_on_half_of_these_rows": bounds(other, there),
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
    parser.add_argument("--deals", type=int, default=2)
    parser.add_argument(
        "--nested", type=int, default=10, help="splits that learn the score on the half, too; 0 for none"
    )
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
            "bounds": bounds(deals[0], these),
        }
        if answers == 2 and options.nested:
            result[name]["learned_on_the_half_too"] = nested(these, options.nested)
        if answers == 1:
            share = result[name]["dear_share_at_97_percent"]
            sent = np.argsort(-deals[0], kind="stable")[: round(share * len(these))]
            result[name]["cost_at_97_percent"] = cost(rows, sent)
        if options.test:
            result[name]["unseen"] = unseen(these, deals[0], table(tiers(options.test), answers))
    result["cpu_seconds"] = round(time.process_time() - began, 1)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
