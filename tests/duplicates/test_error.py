"""The error that is shipped is the one that was measured."""

from __future__ import annotations

import json
from pathlib import Path

from reelwise.duplicates import error

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_the_bench_s():
    kept = json.loads((ROOT / "bench" / "results" / "dedupe.json").read_text())
    measured = kept["result"]["error"]["reported"]["false_positive_share"]
    shipped = error()["duplicates.false_share"]

    assert shipped.day == kept["day"]
    assert shipped.on.startswith(f"{measured['hits']} of {measured['of']}:")
    assert (shipped.low, shipped.high) == tuple(measured["wilson95"])


def test_every_figure_is_a_published_share():
    for name, fact in error().items():
        assert name.startswith("duplicates.")
        assert 0 <= fact.low <= fact.value <= fact.high <= 1
        assert (fact.kind, fact.source) == ("published", "bench/dedupe.py")


def test_the_page_has_the_bench_s_day():
    kept = json.loads((ROOT / "bench" / "results" / "dedupe.json").read_text())

    assert f"Measured {kept['day']} on" in (ROOT / "docs" / "duplicates.md").read_text()
