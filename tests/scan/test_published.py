"""The table in docs/scan.md is the one that bench/results/scan.json gives."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_in_step_with_the_bench():
    spec = importlib.util.spec_from_file_location("scan_publish", ROOT / "bench" / "scan_publish.py")
    publish = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(publish)
    text = (ROOT / "docs" / "scan.md").read_text()
    kept = json.loads((ROOT / "bench" / "results" / "scan.json").read_text())
    assert publish.written(text, kept) == text
