"""The semantic cache on labelled pairs of questions: error among hits under a bound, hits on repeats. Prints JSON.

    python bench/cache.py [--evals ../shared/evals] [--test OTHER_PAIRS.jsonl.gz] [--hold-back FOLDER]

Kinds of difference are counted on four fifths of the pairs and served on the other fifth, five times: every pair is tested once, by counts
that it is not in. Pairs that share a question are in the same fifth. `--test` names other pairs: then all of --evals is counted and they are
only tested. `--hold-back` writes such a pair of files: a fifth for --test, and the rest as an evals folder. The words of the kinds were chosen on
the pairs of ../shared/evals.

Repeats: a stored question again, in other case, with other space, in another order (a part moved to the front; words shuffled), and all
of case, space and a moved part at once. A hit on a stored question that is another one is wrong and counted.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outcome_rows import EVALS, pairs
from reelwise.reuse.bound import Counts, served
from reelwise.reuse.likeness import KINDS, Question, difference
from reelwise.reuse.semantic import Hit, SemanticCache
from reelwise.route.bounds import lower, upper

if TYPE_CHECKING:
    from collections.abc import Callable

BOUNDS = (0.01, 0.02, 0.05)
PARTS = 5
REPEATS = 1000
Pair = tuple[str, str, bool]
Kind = tuple[str, bool]


def spaced(text: str, rng: random.Random) -> str:
    return "  " + "".join(word + " " * rng.randint(1, 3) for word in text.split())


def cased(text: str, rng: random.Random) -> str:
    return rng.choice((text.upper(), text.lower(), text.title()))


def moved(text: str, rng: random.Random) -> str:
    words = text.rstrip("?").split()
    at = rng.randrange(1, len(words)) if len(words) > 1 else 0
    return " ".join(words[at:] + words[:at]) + "?"


def shuffled(text: str, rng: random.Random) -> str:
    words = text.rstrip("?").split()
    rng.shuffle(words)
    return " ".join(words) + "?"


def all_at_once(text: str, rng: random.Random) -> str:
    return spaced(cased(moved(text, rng), rng), rng)


WAYS: dict[str, Callable[[str, random.Random], str]] = {
    "case": cased,
    "space": spaced,
    "moved": moved,
    "shuffled": shuffled,
    "case_space_and_moved": all_at_once,
}


def parted(rows: list[Pair]) -> list[int]:
    """Say in which part each pair is: pairs that share a question, or are linked by others that do, are in one."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    plain = [(Question.of(a).plain, Question.of(b).plain) for a, b, _ in rows]
    for one, other in plain:
        parent[root(one)] = root(other)
    groups = sorted({root(one) for one, _ in plain})
    random.Random(0).shuffle(groups)  # noqa: S311 - a bench
    part = {name: at % PARTS for at, name in enumerate(groups)}
    return [part[root(one)] for one, _ in plain]


def hold_back(rows: list[Pair], parts: list[int], folder: Path) -> None:
    """Write a fifth of the pairs as test.jsonl.gz, and the others as an evals folder."""
    (folder / "question_pairs").mkdir(parents=True, exist_ok=True)
    for path, wanted in (("test.jsonl.gz", True), ("question_pairs/pairs.jsonl.gz", False)):
        with gzip.open(folder / path, "wt", encoding="utf-8") as file:
            for (one, other, same), part in zip(rows, parts, strict=True):
                if (part == 0) is wanted:
                    file.write(json.dumps({"text_a": one, "text_b": other, "label": int(same)}) + "\n")


def kinds_of(rows: list[Pair]) -> list[Kind]:
    return [(difference(Question.of(a), Question.of(b)), same) for a, b, same in rows]


def counts_of(kinds: list[Kind]) -> dict[str, Counts]:
    return {
        kind: Counts(right=kinds.count((kind, True)), wrong=kinds.count((kind, False))) for kind in KINDS
    }  # fmt: skip


def tested(learned: list[Kind], there: list[Kind], bound: float) -> dict[str, int]:
    """Count hits on pairs that nothing was learned from."""
    open_ = {verdict.kind for verdict in served(counts_of(learned), bound) if verdict.served}
    hits = [(kind, same) for kind, same in there if kind in open_]
    return {
        "pairs": len(there),
        "same": sum(same for _, same in there),
        "hits": len(hits),
        "wrong": sum(not same for _, same in hits),
        "paraphrase_hits": sum(kind not in {"exact", "shuffled"} for kind, _ in hits),
    }


def summed(parts: list[dict[str, int]]) -> dict[str, Any]:
    total = {name: sum(part[name] for part in parts) for name in parts[0]}
    hits, wrong = total["hits"], total["wrong"]
    return {
        **total,
        "error": round(wrong / hits, 4) if hits else None,
        "error_upper95": round(upper(wrong, hits, 0.05), 4) if hits else None,
        "error_lower95": round(lower(wrong, hits, 0.05), 4) if hits else None,
        "share_of_same_pairs_hit": round((hits - wrong) / max(1, total["same"]), 4),
    }


def repeats(learned: list[Pair], bound: float, questions: list[str]) -> dict[str, Any]:
    """Store questions, ask them again in other words, count hits on the right and on the wrong one."""
    rng = random.Random(0)  # noqa: S311 - a bench
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, SemanticCache(Path(folder) / "c.db", bound=bound) as cache:
        cache.learn(learned)
        for number, text in enumerate(questions):
            cache.put("video", text, str(number).encode())
        for name, way in WAYS.items():
            found = [cache.ask("video", way(text, rng)) for text in questions]
            right = sum(isinstance(one, Hit) and one.answer == str(at).encode() for at, one in enumerate(found))
            hits = sum(isinstance(one, Hit) for one in found)
            result[name] = {"asked": len(found), "hit_rate": round(right / len(found), 4), "wrong_hits": hits - right}
        three = [result[name]["hit_rate"] for name in ("case", "space", "moved")]
        result["case_space_order_mean"] = round(sum(three) / 3, 4)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evals", type=Path, default=EVALS)
    parser.add_argument("--json", action="store_true", help="it prints nothing else")
    parser.add_argument("--test", type=Path)
    parser.add_argument("--hold-back", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    began = time.process_time()
    rows = pairs(options.evals / "question_pairs" / "pairs.jsonl.gz")
    parts = parted(rows)
    if options.hold_back:
        hold_back(rows, parts, options.hold_back)
        return
    kinds = kinds_of(rows)
    unseen = pairs(options.test) if options.test else []
    order = list(range(len(rows)))
    random.Random(0).shuffle(order)  # noqa: S311 - a bench
    questions = list({Question.of(rows[at][0]).plain: rows[at][0] for at in order}.values())[:REPEATS]
    result: dict[str, Any] = {
        "bench": "cache",
        "tuned_on": "the 20,000 pairs of ../shared/evals: which words make a kind was chosen there",
        "counts": {kind: {"right": one.right, "wrong": one.wrong} for kind, one in counts_of(kinds).items()},
        "bounds": {},
    }
    for bound in BOUNDS:
        mine: dict[str, Any] = {
            "trained_on": "the other 4 of 5 parts of the pairs",
            **summed(
                [
                    tested(
                        [kind for kind, at in zip(kinds, parts, strict=True) if at != part],
                        [kind for kind, at in zip(kinds, parts, strict=True) if at == part],
                        bound,
                    )
                    for part in range(PARTS)
                ]
            ),
            "served": [verdict.kind for verdict in served(counts_of(kinds), bound) if verdict.served],
            "repeats": repeats(rows, bound, questions),
        }
        if unseen:
            mine["unseen"] = {
                "trained_on": f"all {len(rows)} pairs of --evals",
                **summed([tested(kinds, kinds_of(unseen), bound)]),
            }
        result["bounds"][str(bound)] = mine
    result["cpu_seconds"] = round(time.process_time() - began, 1)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
