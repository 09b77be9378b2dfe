"""Rows of the public outcome sets that bench/route.py, cascade.py and cache.py measure on."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path
from typing import Any

from reelwise.errors import InputError
from reelwise.route.outcomes import Columns, read_outcomes

EVALS = Path(__file__).resolve().parents[1].parent / "shared" / "evals"
WEAK, STRONG = "mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"
FLASH, LLAMA, PRO = "gemini-1.5-flash-002", "Meta-Llama-3_1-8B-Instruct", "gemini-1.5-pro-002"


def opened(path: Path) -> Any:
    if not path.is_file():
        sys.exit(f"{path}: no such file; name the folder with --evals")
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8", newline="")


def routed(path: Path) -> list[dict[str, Any]]:
    """Return rows of text, weak, strong and domain of a RouteLLM file."""
    csv.field_size_limit(10_000_000)
    with opened(path) as file:
        return [
            {
                "text": row["prompt"],
                "cheap": float(row[WEAK] == "True"),
                "dear": float(row[STRONG] == "True"),
                "domain": row.get("domain", ""),
            }
            for row in csv.DictReader(file)
        ]


def tested(path: Path) -> list[dict[str, Any]]:
    """Return rows to test on: of a RouteLLM file, or any that `reelwise router test` reads."""
    try:
        rows = read_outcomes(path, Columns(cheap=WEAK, dear=STRONG)).rows
    except InputError as error:
        sys.exit(str(error))
    return [{"text": row.text, "cheap": row.cheap, "dear": row.dear, "domain": ""} for row in rows]


def tiers(folder: Path) -> list[dict[str, Any]]:
    """Return rows of text, answers of Flash and Llama 8B, and whether Flash and Pro were right; no answer is wrong."""
    said: dict[str, dict[str, str]] = {}
    for model in (FLASH, LLAMA):
        with opened(folder / f"answers_{model}.jsonl.gz") as file:
            said[model] = {str(row["question_id"]): row["text"] for row in map(json.loads, file)}
    with opened(folder / "outcomes.csv.gz") as file:
        return [
            {
                "text": row["question"],
                "answers": tuple(said[model].get(row["question_id"], "") for model in (FLASH, LLAMA)),
                "cheap": float(row[f"{FLASH}|ok"] or 0),
                "dear": float(row[f"{PRO}|ok"] or 0),
                "letters": tuple(float(row[f"{model}|out_chars"] or 0) for model in (FLASH, PRO)),
            }
            for row in csv.DictReader(file)
        ]


def pairs(path: Path) -> list[tuple[str, str, bool]]:
    with opened(path) as file:
        return [(row["text_a"], row["text_b"], bool(row["label"])) for row in map(json.loads, file)]
