"""The learned router against prompt length: APGR on RouteLLM's GSM8K and MMLU outcomes, with and without a text embedding. Prints JSON.

    python bench/route.py [--evals ../shared/evals] [--embedding text-encoder] [--nested] [--test-gsm8k FILE] [--test-mmlu FILE]

Every figure is of rows that were not learned from: GSM8K in 5 parts (3 deals); MMLU on subjects not learned from, with 1,500
labels of the other subjects (7 groups of subjects, 3 deals). `--embedding` learns from vectors, too, and says what they add. `--nested`
chooses the recipe (weights, penalties, trees) anew for each tested part, on the rows that are learned from: what choosing it on the
tested rows flatters shows as the difference. `--test-gsm8k` and `--test-mmlu` name files of other rows, CSV or JSONL, of the same columns or
of `reelwise router`'s: then all of --evals is learned from (1,500 labels of MMLU) and the file is only tested on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from outcome_rows import EVALS, routed, tested
from reelwise.route.embedding import open_embedding
from reelwise.route.floor import area, hold_floor, share_at
from reelwise.route.learner import FOR_ROUTER, Recipe, Table, folds, learn
from reelwise.route.lift import lift_of
from reelwise.route.outcomes import Outcome, table_of
from reelwise.route.saved import with_vectors
from reelwise.route.trees import Growth

LABELS = 1500
RECIPES = tuple(
    Recipe(doubt=doubt, words=words, shrink=shrink, vectors=vectors, growth=growth)
    for doubt, words, shrink, growth in (
        (0.0, 0.5, 10_000.0, Growth()),
        (0.0, 0.0, 10_000.0, Growth()),
        (0.0, 0.5, 30_000.0, Growth()),
        (0.5, 0.5, 10_000.0, Growth()),
        (0.0, 0.5, 10_000.0, Growth(trees=150, rate=0.03)),
    )
    for vectors in (0.25, 0.0)
)
"""What --nested chooses from; the second of each two only with an embedding."""


def table(rows: list[dict[str, Any]], embedding: Any = None) -> Table:
    found = table_of(Outcome(text=row["text"], cheap=row["cheap"], dear=row["dear"]) for row in rows)
    if embedding is None:
        return found
    return with_vectors(found, embedding.embed([row["text"] for row in rows]).vectors, embedding.facts)


def without(these: Table) -> Table:
    return msgspec.structs.replace(these, vectors=None)


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


def scored(these: Table, some: Any, held: Any, recipe: Recipe, seed: int) -> np.ndarray:
    there = these.of(held)
    return learn(these.of(some), recipe, seed=seed).score(there.numbers, there.texts, there.vectors)


def parts_of(these: Table, domains: np.ndarray, deal: int) -> list[tuple[Any, Any]]:
    """Deal rows into parts that are tested, and rows that are learned from for each."""
    if not any(domains):
        return list(folds(len(these), 5, deal + 1))
    rng = np.random.default_rng(deal)
    names = rng.permutation(np.unique(domains))
    found = []
    for group in range(7):
        held = np.isin(domains, names[group::7])
        found.append((rng.permutation(np.flatnonzero(~held))[:LABELS], np.flatnonzero(held)))
    return found


def outer(these: Table, domains: np.ndarray, deal: int) -> np.ndarray:
    scores = np.zeros(len(these))
    for some, held in parts_of(these, domains, deal):
        scores[held] = scored(these, some, held, FOR_ROUTER, deal)
    return scores


def nested(these: Table, domains: np.ndarray, deal: int) -> dict[str, Any]:
    """Choose the recipe on the rows that are learned from alone, by subjects where there are some.

    Scores of two recipes are not on one scale, so each part has its own APGR, as has the fixed recipe beside it.
    """
    recipes = RECIPES if these.vectors is not None else RECIPES[::2]
    found, fixed, weight, chosen = [], [], [], []
    for some, held in parts_of(these, domains, deal):
        mine, subjects = these.of(some), domains[some]
        rng = np.random.default_rng(deal + 7)
        names = rng.permutation(np.unique(subjects)) if any(subjects) else np.arange(0)
        inner = [
            (np.flatnonzero(~np.isin(subjects, names[at::3])), np.flatnonzero(np.isin(subjects, names[at::3])))
            for at in range(3)
        ] if any(subjects) else list(folds(len(mine), 3, deal + 7))  # fmt: skip
        reached = []
        for recipe in recipes:
            scores = np.zeros(len(mine))
            for rest, part in inner:
                scores[part] = scored(mine, rest, part, recipe, deal)
            reached.append(area(scores, mine.cheap, mine.dear))
        best = int(np.argmax(reached))
        there = these.of(held)
        for kept, recipe in ((found, recipes[best]), (fixed, recipes[0])):
            kept.append(area(scored(these, some, held, recipe, deal), there.cheap, there.dear))
        weight.append(float((there.dear - there.cheap).sum()))
        chosen.append(best)
    return {
        "mean_apgr_of_parts": round(float(np.average(found, weights=weight)), 4),
        "the_same_of_the_fixed_recipe": round(float(np.average(fixed, weights=weight)), 4),
        "chosen": chosen,
    }


def measured(rows: list[dict[str, Any]], deals: int, *, embedding: Any, choose: bool) -> dict[str, Any]:
    these, domains = table(rows, embedding), np.array([row["domain"] for row in rows])
    plain = [outer(without(these), domains, deal) for deal in range(deals)]
    found = [area(one, these.cheap, these.dear) for one in plain]
    floor = hold_floor(plain[0], these.cheap, these.dear, quality=0.95)
    result = {
        **about(these),
        "trained_on": f"{LABELS} rows of the 24 subjects that are not in the tested group"
        if any(domains)
        else f"the other 4 of 5 parts of these {len(these)} rows",
        "apgr_mean_of_deals": round(float(np.mean(found)), 4),
        "apgr_of_deals": [round(one, 4) for one in found],
        **figures(plain[0], these),
        "floor_95_percent_proved_at_dear_share": floor.dear_share,
        "length_alone_apgr": round(area(these.numbers[:, 0], these.cheap, these.dear), 4),
    }
    if choose:
        result["nested"] = nested(without(these), domains, 0)
    if embedding is not None:
        result["with_embedding"] = beside(these, domains, plain, choose=choose)
    if any(domains):
        result["halves_of_subjects"] = halves(these, domains)
    if embedding is not None and any(domains):
        result["subjects_learned_from"] = mixed(these, deals)
    return result


def beside(these: Table, domains: np.ndarray, plain: list[np.ndarray], *, choose: bool) -> dict[str, Any]:
    """Say what the embedding adds to the same rows and deals."""
    scores = [outer(these, domains, deal) for deal in range(len(plain))]
    found = [area(one, these.cheap, these.dear) for one in scores]
    lifts = [lift_of(a, b, these.cheap, these.dear, samples=1000) for a, b in zip(plain, scores, strict=True)]
    return {
        "apgr_mean_of_deals": round(float(np.mean(found)), 4),
        "apgr_of_deals": [round(one, 4) for one in found],
        **figures(scores[0], these),
        "added_of_deals": [round(one.with_it - one.without, 4) for one in lifts],
        "added_interval95_of_deals": [[round(one.low, 4), round(one.high, 4)] for one in lifts],
        **({"nested": nested(these, domains, 0)} if choose else {}),
    }


def mixed(these: Table, deals: int) -> dict[str, Any]:
    """Learn from 1,500 rows of all subjects and test on the others: a team's own traffic, whose subjects come again."""
    result: dict[str, Any] = {"trained_on": f"{LABELS} rows of all subjects, tested on the other {len(these) - LABELS}"}
    rows = []
    for deal in range(deals):
        order = np.random.default_rng(deal).permutation(len(these))
        some, held = np.sort(order[:LABELS]), np.sort(order[LABELS:])
        there = these.of(held)
        one = lift_of(
            scored(without(these), some, held, FOR_ROUTER, deal), scored(these, some, held, FOR_ROUTER, deal),
            there.cheap, there.dear, samples=1000,
        )  # fmt: skip
        rows.append(one)
    return {
        **result,
        "apgr_without": [round(one.without, 4) for one in rows],
        "apgr_with": [round(one.with_it, 4) for one in rows],
        "added_interval95_of_deals": [[round(one.low, 4), round(one.high, 4)] for one in rows],
    }


def halves(these: Table, domains: np.ndarray, count: int = 8) -> dict[str, Any]:
    """Learn from 1,500 rows of half of the subjects and test on the other half: how much it matters which subjects are new."""
    found: dict[str, list[float]] = {"apgr_without": []}
    if these.vectors is not None:
        found["apgr_with"] = []
    for seed in range(count):
        rng = np.random.default_rng(100 + seed)
        held = np.isin(domains, rng.permutation(np.unique(domains))[::2])
        some, there = rng.permutation(np.flatnonzero(~held))[:LABELS], np.flatnonzero(held)
        for name, one in zip(found, (without(these), these), strict=False):
            scores = scored(one, some, there, FOR_ROUTER, 0)
            found[name].append(round(area(scores, these.cheap[there], these.dear[there]), 4))
    means = {f"{name}_mean": round(float(np.mean(each)), 4) for name, each in found.items()}
    return {"trained_on": f"{LABELS} rows of a random half of the subjects, tested on the other half", **found, **means}


def unseen(learned: list[dict[str, Any]], file: Path, labels: int, embedding: Any) -> dict[str, Any]:
    """Learn from all rows given, or so many labels, and test on a file."""
    mine, there = table(learned, embedding), table(tested(file), embedding)
    some = np.random.default_rng(0).permutation(len(mine))[:labels]
    known = {row["text"] for row in learned}
    both = [("without", without(mine), without(there))]
    both += [("with_embedding", mine, there)] if embedding is not None else []
    found = {}
    for name, a, b in both:
        scores = learn(a.of(some), FOR_ROUTER).score(b.numbers, b.texts, b.vectors)
        found[name] = figures(scores, b)
    return {
        **about(there),
        "file": file.name,
        "trained_on": f"{len(some)} rows of --evals",
        "rows_that_are_also_in_evals": sum(row["text"] in known for row in tested(file)),
        **found.pop("without"),
        **found,
        "length_alone_apgr": round(area(there.numbers[:, 0], there.cheap, there.dear), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evals", type=Path, default=EVALS)
    parser.add_argument("--embedding", help="text-encoder, a folder or a file; see `reelwise router train`")
    parser.add_argument("--nested", action="store_true", help="choose the recipe anew for each tested part")
    parser.add_argument("--test-gsm8k", type=Path, help="other rows to test on")
    parser.add_argument("--test-mmlu", type=Path, help="likewise, of other subjects")
    parser.add_argument("--deals", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="it always is")
    options = parser.parse_args()
    began = time.process_time()
    folder = options.evals / "routing_outcomes"
    embedding = open_embedding(options.embedding) if options.embedding else None
    easy, hard = routed(folder / "gsm8k_outcomes.csv"), routed(folder / "mmlu_outcomes.csv")
    result: dict[str, Any] = {
        "bench": "route",
        "metric": "APGR of arXiv 2406.18665, on all cuts; random is 0.5",
        "tuned_on": "the rows of --evals: features, recipe and growth were chosen there, one setting for both sets",
        "embedding": None if embedding is None else msgspec.to_builtins(embedding.facts),
        "gsm8k": measured(easy, options.deals, embedding=embedding, choose=options.nested),
        "mmlu": measured(hard, options.deals, embedding=embedding, choose=options.nested),
    }
    if options.test_gsm8k:
        result["gsm8k_unseen"] = unseen(easy, options.test_gsm8k, len(easy), embedding)
    if options.test_mmlu:
        result["mmlu_unseen"] = unseen(hard, options.test_mmlu, LABELS, embedding)
    result["cpu_seconds"] = round(time.process_time() - began, 1)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
