"""docs/bench.md is what bench/publish.py writes from bench/results."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_in_step_with_the_results() -> None:
    spec = importlib.util.spec_from_file_location("bench_publish", ROOT / "bench" / "publish.py")
    assert spec is not None
    assert spec.loader is not None
    publish = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(publish)

    assert (ROOT / "docs" / "bench.md").read_text() == publish.page(), "run `python bench/publish.py`"
