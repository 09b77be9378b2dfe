"""A comparison in words, as a page and as charts."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reelwise.case import load, make
from reelwise.compare import BreakEven, Comparison, compare
from reelwise.report.compare_charts import MOST_LINES, ComparisonDrawn, draw_comparison
from reelwise.report.compare_files import write_comparison
from reelwise.report.compare_page import comparison_page
from reelwise.report.compare_text import heading, machine_rows, notes, pair_cells, pairs, record, refusals, sentences

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "segmentation.yaml"


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(load(EXAMPLE))


def apis(**more: Any) -> Comparison:
    tree = {
        "feature": "blur", "kind": "segment", "latency": "seconds", "day": "2026-11-22", "demand": {"clips": 100, "seconds": 60},
        "options": [{"name": "image", "model": "aws/rekognition/group1"}, {"name": "video", "model": "aws/rekognition/video-stored"}],
        **more,
    }  # fmt: skip
    return compare(make(tree, where="job.yaml"))


def test_the_heading_says_what_was_compared() -> None:
    assert heading(apis()) == "blur: 100 sessions a month (100 minutes), answers within 10 s, prices of 2026-11-22"
    hours = apis(demand={"hours": 50}, latency="day")
    assert heading(hours) == "blur: 3,000 minutes a month, answers within 24 h, prices of 2026-11-22"


def test_sentences_of_a_winner_alone_of_a_tie_and_of_none() -> None:
    alone = apis(options=[{"name": "image", "model": "aws/rekognition/group1"}], model="aws/rekognition/group1")
    assert sentences(alone)[0].endswith("No other one can.")
    tie = apis(
        options=[{"name": "a", "model": "fal/sam-3"}, {"name": "b", "model": "fal/sam-3", "fps": 30}], model="fal/sam-3"
    )
    assert "`b` costs the same." in sentences(tie)[0]
    none = apis(latency="realtime")
    assert sentences(none)[0].startswith("None of the options can do the job")


def test_a_quota_that_ends_the_job_is_said() -> None:
    limit = {"model": "aws/rekognition/group1", "calls_per_second": 5}
    option = {"name": "image", "model": "aws/rekognition/group1", "limits": [limit]}
    said = " ".join(sentences(apis(options=[option], model="aws/rekognition/group1")))
    assert "none can do the job: quotas end" in said


def test_crossings_of_one_pair_are_told_as_one() -> None:
    def even(a: str, b: str, at: float, **more: Any) -> BreakEven:
        return BreakEven(a=a, b=b, at=at, unit="sessions_month", axis="volume", usd_per_month=1.0, **more)

    rows = pairs(
        [even("x", "y", 100), even("y", "x", 200), even("u", "v", 7, feasible=False, at_low=5.0, at_high=9.0)], 150
    )
    assert [pair_cells(row)[:3] for row in rows] == [
        ("x", "100 to 200, 2 times", "x (in between also y)"),
        ("u", "7 (5 to 9) *", "v"),
    ]


def test_notes_are_gathered(found: Comparison) -> None:
    said = notes([one for one in found.options if one.feasible])
    assert any(text.startswith("All of them: its time to an answer is assumed") for text in said)
    assert any("the speed of yolo26n-seg is as published: measure yours" in text for text in said)
    assert len(said) == len(set(said))


def test_rows_of_machines_leave_out_what_is_not_paid(found: Comparison) -> None:
    rows = machine_rows(found.options)
    assert not [row for row in rows if "user's machine:" in row[0]]
    assert any(row[0] == "own T4, 15 fps, N+1: 2 g4dn.xlarge" for row in rows)


def test_options_without_a_price_share_their_reason() -> None:
    machines = [{"name": name, "host": {"name": "x", "sku": "aws/inf2.xlarge"}} for name in ("a", "b")]
    said = refusals(apis(options=machines, model="fal/sam-3"))
    assert [
        text for text in said if text.startswith("a; b: not priced: no fact is known for `host.x.frames_per_second`")
    ]


def test_the_record_has_no_curves_unless_asked(found: Comparison) -> None:
    assert "curves" not in record(found)
    assert len(record(found, curves=True)["curves"]) > 13


def test_the_page_escapes_names_and_stands_alone(found: Comparison) -> None:
    nasty = replace(found.options[0], name="<script>alert(1)</script>")
    page = comparison_page(replace(found, options=(nasty, *found.options[1:])), None)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "pip install 'reelwise[report]'" in page.replace("&#x27;", "'")


def test_without_the_extra_there_is_a_page_and_no_charts(
    found: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "altair", None)
    names = {path.name for path in write_comparison(found, tmp_path)}
    assert names == {"compare.html", "compare.json"}


@pytest.fixture(scope="module")
def drawn(found: Comparison) -> ComparisonDrawn:
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    return draw_comparison(found)


class TestCharts:
    @pytest.fixture(autouse=True)
    def _extra(self) -> None:
        pytest.importorskip("altair")
        pytest.importorskip("vl_convert")

    def test_each_line_is_named_and_the_break_even_of_the_article_is_marked(self) -> None:
        drawn = draw_comparison(apis(account={"free_tiers": False}))
        assert drawn.sampling_svg is not None
        for name in ("image", "video", "USD a minute of footage", "1.67"):
            assert name in drawn.sampling_svg, name
        assert "var(--" in drawn.volume, "in the page, colours follow the page"
        assert "var(--" not in drawn.volume_svg

    def test_what_cannot_do_the_job_has_a_star(self, drawn: ComparisonDrawn) -> None:
        assert ">video API*<" in drawn.volume_svg
        assert ">Inferentia, N+1<" in drawn.volume_svg
        assert ">510<" in drawn.volume_svg, "where the cheapest changes"
        assert ">user's machine*: 0<" in drawn.volume_svg.replace("&#39;", "'").replace("&apos;", "'")

    def test_names_at_the_ends_do_not_overlap(self, found: Comparison, drawn: ComparisonDrawn) -> None:
        import re

        names = {one.name for one in found.options}
        places = []
        for matrix, text in re.findall(r"<text[^>]*translate\(([-\d., ]+)\)[^>]*>([^<]*)</text>", drawn.volume_svg):
            if text.replace("&#39;", "'").rstrip("*").split("*")[0] in names:
                places.append(float(matrix.split(",")[1]))
        places.sort()
        assert len(places) >= 12
        assert min(b - a for a, b in itertools.pairwise(places)) > 12

    def test_forty_options_and_speech_without_a_sampling_axis(self) -> None:
        many = apis(
            options=[
                {"name": f"option {at}", "model": "fal/sam-3", "fees": [{"name": "fee", "usd_month": at + 1}]}
                for at in range(40)
            ]
        )
        picture = draw_comparison(many).volume_svg
        assert sum(f">option {at}<" in picture for at in range(40)) == MOST_LINES
        speech = compare(load(EXAMPLE.parent / "speech.yaml"))
        drawn = draw_comparison(speech)
        assert drawn.sampling_svg is None
        assert drawn.volume_png.startswith(b"\x89PNG")

    def test_an_option_that_is_free_and_one_without_a_price(self) -> None:
        free = {
            "name": "free",
            "host": {
                "name": "h",
                "sku": "nvidia/jetson-orin-nano-super",
                "scale": "device",
                "device": {"owner": "user"},
            },
        }
        lost = {"name": "lost", "host": {"name": "x", "sku": "aws/inf2.xlarge"}}
        drawn = draw_comparison(apis(options=[free, lost], facts={"host.h.frames_per_second": 30}))
        assert ">free: 0<" in drawn.volume_svg
        assert "lost" not in drawn.volume_svg

    def test_numbers_in_the_picture_are_finite(self, found: Comparison, drawn: ComparisonDrawn) -> None:
        assert "NaN" not in drawn.volume_svg
        assert all(math.isfinite(usd) for line in found.curves for usd in line.usd if usd is not None)
