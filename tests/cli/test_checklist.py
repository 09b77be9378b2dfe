"""`reelwise checklist`, and its page as a pure function."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from reelwise.cli import COMMANDS
from reelwise.cli.checklist import cli
from reelwise.errors import DocumentError, OutputError
from reelwise.levers import kinds
from reelwise.report.checklist import Answer, Checklist, Row, html, markdown, ordered, times

if TYPE_CHECKING:
    from pathlib import Path

UGC = """
feature: moderation
task: Describe and moderate every uploaded video
demand: {hours: 50000}
latency: day
model: gemini-2.5-pro
prompt: {prefix: 2000, question: 100, output: 300}
day: 2026-11-22
"""

CAMERAS = """
feature: yard
demand: {cameras: 40, hours_a_day: 24}
source: {always_on: true, audio: false}
latency: seconds
load: steady
kind: segment
facts: {gate.active_share: 0.02, host.t4.frames_per_second: 15}
plan:
  stages: [{stage: sample, fps: 1}, {stage: call, host: t4}]
  hosts: [{name: t4, sku: aws/g4dn.xlarge}]
day: 2026-11-22
"""

PAGE = Checklist(
    feature="search <b>",
    task="find | things",
    day="2026-11-22",
    answers=(Answer(question="Does it have to be real-time?", answer="no (day)", follows="batch is in"),),
    rows=(
        Row(name="slow", number=6, title="Slow", applies=True, effort="weeks", factor_alone=20.0),
        Row(name="unpriced", number=14, title="Unpriced", applies=True, effort="hours", reason="you host `own`"),
        Row(name="small", number=17, title="Small", applies=True, effort="hours", factor_alone=1.2),
        Row(name="big", number=16, title="Big", applies=True, effort="hours", factor_alone=2.0, factor_in_place=1.9,
            ask=("Who waits?", "How long?"), risk="late & lost"),
        Row(name="beyond_it", number=None, title="Other", applies=False, reason="no sound"),
        Row(name="spot", number=19, title="Spot", applies=False, reason="no <machine>"),
    ),
    naive_usd_month=135000.0,
    final_usd_month=4680.0,
    evidence="assumed",
)  # fmt: skip


class Page(HTMLParser):
    """Checks that tags close in order and collects them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)


@pytest.fixture
def ugc(tmp_path: Path) -> Path:
    path = tmp_path / "ugc.yaml"
    path.write_text(UGC)
    return path


@pytest.fixture
def cameras(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.yaml"
    path.write_text(CAMERAS)
    return path


def test_cheap_effort_comes_first_and_in_it_the_largest_factor() -> None:
    apply, others = ordered(PAGE.rows)
    assert [row.name for row in apply] == ["big", "small", "unpriced", "slow"]
    assert [row.name for row in others] == ["spot", "beyond_it"]


@pytest.mark.parametrize(
    ("factor", "text"),
    [(None, ""), (1.004, "1.00x"), (2.88, "2.9x"), (28.846, "28.8x"), (1234.5, "1,234x"), (math.inf, "all of it")],
)
def test_factors_are_written_for_people(factor: float | None, text: str) -> None:
    assert times(factor) == text


def test_markdown_says_order_worth_question_and_risk() -> None:
    text = markdown(PAGE)
    assert "$135,000 a month as it is; $4,680 with the priced levers below together (28.8x)" in text
    assert "1. [ ] **Big** (big, lever 16): 2.0x alone, 1.90x in place, hours" in text
    assert "   - Ask first: Who waits? How long?" in text
    assert "   - Risk: late & lost" in text
    assert "not priced here, hours" in text
    assert "- Other (beyond_it, beyond the 25): no sound" in text
    assert "find \\| things" in text
    assert "<" not in text


def test_html_is_one_closed_file_with_nothing_from_elsewhere() -> None:
    text = html(PAGE)
    page = Page(text)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not re.search(r"https?:|url\(|@import", text)
    assert {"src", "href", "onclick"}.isdisjoint(name for name, _ in page.attributes)
    assert "search &lt;b&gt;" in text
    assert "no &lt;machine&gt;" in text
    assert "late &amp; lost" in text
    assert "<code>own</code>" in text
    assert "@page" in text
    assert "viewport" in text


def test_an_empty_page_is_still_a_page() -> None:
    empty = Checklist(feature="none")
    Page(html(empty))
    assert "None." in markdown(empty)


def test_it_is_among_the_commands() -> None:
    assert "checklist" in COMMANDS


def test_a_workload_gets_every_lever_once_and_the_bill(ugc: Path) -> None:
    page = json.loads(run(ugc, "--json").stdout)
    assert sorted(row["name"] for row in page["rows"]) == sorted(kinds())
    assert page["naive_usd_month"] > page["final_usd_month"] > 0
    rows = {row["name"]: row for row in page["rows"]}
    assert rows["batch_api"]["applies"]
    assert rows["batch_api"]["factor_alone"] == pytest.approx(2.0)
    assert "batch_api" in page["order"]
    assert "spot" not in page["order"]
    assert "rented by the call" in rows["spot"]["reason"]
    assert rows["budgets"]["applies"]
    assert rows["budgets"]["factor_alone"] is None
    for row in page["rows"]:
        assert row["applies"] or row["reason"]


def test_factors_in_place_multiply_to_the_whole(ugc: Path) -> None:
    page = json.loads(run(ugc, "--json").stdout)
    product = math.prod(row["factor_in_place"] or 1.0 for row in page["rows"])
    assert page["naive_usd_month"] / page["final_usd_month"] == pytest.approx(product)


def test_the_totals_are_those_of_the_stack(ugc: Path) -> None:
    from reelwise.case import load
    from reelwise.stack import stack

    page = json.loads(run(ugc, "--json").stdout)
    assert page["final_usd_month"] == pytest.approx(stack(load(ugc)).final_usd_month)


def test_the_four_questions_decide(ugc: Path, cameras: Path) -> None:
    first, second = (json.loads(run(path, "--json").stdout) for path in (ugc, cameras))
    assert first["answers"][0]["answer"].startswith("no")
    assert second["answers"][0]["answer"].startswith("yes")
    assert "batch and spot are out" in second["answers"][0]["follows"]
    assert "reserved" in second["order"]
    assert "batch_api" not in second["order"]
    assert "spot" not in second["order"]


def test_a_lever_named_in_the_file_keeps_its_settings_and_goes_first(ugc: Path) -> None:
    default = json.loads(run(ugc, "--json").stdout)
    ugc.write_text(UGC + "levers: [{lever: flex}, {lever: sample_frames, fps: 0.1}]\n")
    page = json.loads(run(ugc, "--json", "--set", "model=gpt-5.4").stdout)
    rows = {row["name"]: row for row in page["rows"]}
    assert rows["flex"]["applies"]
    assert rows["batch_api"]["reason"] == "cannot be combined with flex, which came first"
    before = next(row for row in default["rows"] if row["name"] == "sample_frames")
    assert rows["sample_frames"]["factor_alone"] > before["factor_alone"]


def test_out_decides_the_format(ugc: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    result = run(ugc, "--out", out)
    assert result.stdout == ""
    assert "wrote" in result.stderr
    Page(out.read_text())
    run(ugc, "--format", "md", "--out", out)
    assert out.read_text().startswith("# Cost checklist: moderation")
    Page(run(ugc, "--format", "html").stdout)


def test_markdown_goes_to_standard_output(ugc: Path) -> None:
    assert run(ugc).stdout.startswith("# Cost checklist: moderation")


def test_bad_input_and_a_bad_place_to_write(ugc: Path, tmp_path: Path) -> None:
    with pytest.raises(DocumentError):
        run(tmp_path / "none.yaml")
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError):
        run(ugc, "--out", blocked / "page.html")
