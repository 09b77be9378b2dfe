"""The page of an audit, read as a browser and as a person would read it."""

from __future__ import annotations

import math
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from reelwise.errors import MissingExtraError
from reelwise.report import charts
from reelwise.report.audit_page import audit_page, trust, verdict

if TYPE_CHECKING:
    from types import SimpleNamespace

    from reelwise.run.result import AuditResult

VOID = {"meta", "br", "img", "link", "input", "hr"}
HOSTILE = "<script>alert(1)</script>\"'&.mp4"

change = msgspec.structs.replace


class Reader(HTMLParser):
    """Collects the elements, the visible words, and what is not closed or would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.wrong: list[str] = []
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.wrong.append(f"{tag} {name}")
            if name in {"src", "href", "xlink:href", "data", "srcset"} and tag != "a":
                self.loaded.append(value or "")
            if name == "href" and tag == "a":
                self.links.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"style", "title"}:
            self.words.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.wrong
    assert not reader.open
    assert "script" not in reader.tags
    assert all(one.startswith("data:image/jpeg;base64,") for one in reader.loaded)
    assert "@import" not in page
    assert "url(" not in page
    return reader


def words(page: str) -> str:
    return " ".join(" ".join(read(page).words).split())


def plain(result: AuditResult) -> str:
    return words(audit_page(result, None))


@pytest.fixture(scope="module")
def drawn(fake: SimpleNamespace) -> charts.Drawn:
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    return charts.draw(fake.result())


def test_first_lines_say_money_factor_range_and_what_they_rest_on(result: AuditResult) -> None:
    assert verdict(result) == "47,300.00 USD a month as it is; 1,210.00 with six levers: 39.1x less"
    said = plain(result)
    assert verdict(result) in said
    assert "980.00 to 1,523.00 USD with the levers" in said
    assert "3 min 34 s of footage in two clips, cut into 14 segments" in said
    assert "the largest error is 8.3% (all levers)" in said
    assert "quality is not measured for five levers" in said


def test_parts_stand_in_the_order_of_a_readers_questions(result: AuditResult, drawn: charts.Drawn) -> None:
    page = audit_page(result, drawn)
    order = (
        "waterfall",
        "per",
        "skipped",
        "footage",
        "look",
        "losses",
        "facts",
        "holdout",
        "bill",
        "prices",
        "stages",
        "warnings",
        "again",
    )
    places = [page.index(f'<section id="{name}"') for name in order]
    assert places == sorted(places)


def test_every_figure_of_the_result_is_on_the_page(result: AuditResult) -> None:
    said = plain(result)
    for one in result.stack.steps:
        assert one.title in said
        assert f"{one.total_usd_month:,.2f}" in said
    for skipped in result.stack.skipped:
        assert skipped.reason in said
    for question, answer in result.stack.questions:
        assert question in said
        assert answer in said
    for line in (*result.explained, *result.explained_naive, *result.warnings):
        assert line in said
    assert "0.00000125" in said
    assert "98% of the time in which something happens is still seen" in said
    assert "No model was called here" in said
    assert "+6.5%" in said
    assert "-8.3%" in said
    assert "0.000036" in said


def test_how_the_active_stretches_are_found_is_on_the_page(result: AuditResult, fake: SimpleNamespace) -> None:
    said = plain(result)
    for one in result.look.signals:
        assert f"{one.cpu_seconds:,.2f}" in said
        assert f"{one.frames_decoded:,}" in said
    assert result.look.chosen in said
    assert "5.22x less processor time than a full decode" in said
    assert "4.64" in said, "what the signals saved, summed"
    assert "2 of 2 activities seen; 93% of their time is kept, with over 99% of what changes in it" in said
    assert "packet sizes tell active from quiet" in said
    assert "Lost:" not in said

    clip = result.clips[0]
    lost = fake.looked(clip, lost=clip.stretches[:1], faint=1, blind_seconds=2.0)
    worse = msgspec.structs.replace(result, look=fake.look(result.clips, clips=(lost,), factor=0.9, is_safe=False))
    said = plain(worse)
    assert "Lost: 0:12.0 to 0:27.5." in said
    assert "1 of 2 activities seen" in said
    assert "one more that only a full decode calls active holds hardly any change" in said
    assert "it takes more processor time than a full decode" in said
    assert "What is over within 2 s and leaves nothing behind may be missing" in said

    whole = tuple(one for one in result.look.signals if one.signal == "full")
    decoded = fake.looked(clip, method="full", bound_seconds=None, bound_share=None)
    said = plain(msgspec.structs.replace(result, look=fake.look((), method="full", signals=whole, clips=(decoded,))))
    assert "Every picture is decoded to decide, here and in production" in said


def test_links_to_sources_are_the_only_addresses(result: AuditResult) -> None:
    links = read(audit_page(result, None)).links
    assert set(links) == {"#warnings", "https://ai.google.dev/gemini-api/docs/pricing"}


def test_with_charts_it_parses_and_both_widths_are_there(result: AuditResult, drawn: charts.Drawn) -> None:
    page = audit_page(result, drawn)
    assert read(page).tags.count("svg") == 2 * (1 + len(result.clips))
    assert "pip install" not in page
    assert "var(--cut)" in drawn.waterfall_wide
    assert "24,120 USD" in drawn.waterfall_narrow
    assert "logarithmic" in page


def test_hostile_names_stay_words(result: AuditResult, fake: SimpleNamespace) -> None:
    pytest.importorskip("altair")
    evil = change(
        result,
        feature=HOSTILE,
        task=HOSTILE,
        clips=(change(result.clips[0], path=f"/tmp/{HOSTILE}", codec=HOSTILE, notes=(HOSTILE,)), result.clips[1]),  # noqa: S108
        levers=(fake.lever(change(fake.steps[0], title=HOSTILE, lever=HOSTILE), (1.0, 0.5), fake.moments(HOSTILE, 1), thrown_away=HOSTILE),),
        stack=fake.waterfall(100.0, (fake.step(HOSTILE, HOSTILE, 100.0, 5.0, settings={HOSTILE: HOSTILE}),), (change(fake.skipped[0], reason=HOSTILE),)),
        sources=((HOSTILE, HOSTILE, 1.0, 'https://x.example/"onmouseover="a', HOSTILE), ("a", "b", 1.0, "javascript:alert(1)", "d")),
        warnings=(HOSTILE,),
        assumed=(HOSTILE,),
        explained=(HOSTILE,),
        machine=HOSTILE,
    )  # fmt: skip
    for page in (audit_page(evil, charts.draw(evil)), audit_page(evil, None)):
        reader = read(page)
        assert "<script>" not in page
        assert not any(link.startswith("javascript") for link in reader.links)
        assert HOSTILE in "".join(reader.words)


def test_a_file_name_that_is_no_unicode_can_be_written(result: AuditResult) -> None:
    odd = change(result, clips=(change(result.clips[0], path="caf\udce9.mp4"),))
    assert "caf?.mp4" in audit_page(odd, None).encode().decode()


def test_thirty_pictures_keep_the_page_small(result: AuditResult, drawn: charts.Drawn, fake: SimpleNamespace) -> None:
    full = change(result, levers=tuple(fake.lever(one, (1.0, 0.5), fake.moments("a.mp4", 5)) for one in fake.steps))
    page = audit_page(full, drawn)
    assert read(page).tags.count("img") == 30
    assert len(page.encode()) < 2_000_000


def test_pictures_are_bounded_and_the_page_says_so(result: AuditResult, fake: SimpleNamespace) -> None:
    full = change(result, levers=tuple(fake.lever(one, (1.0, 0.5), fake.moments("a.mp4", 20)) for one in fake.steps))
    page = audit_page(full, None)
    assert read(page).tags.count("img") == 60
    assert "8 more moments are in audit.json" in page


def short(result: AuditResult) -> AuditResult:
    """One clip of few points, so that many results can be drawn."""
    return change(result, clips=(change(result.clips[0], activity=result.clips[0].activity[::60]),))


def quiet(result: AuditResult, fake: SimpleNamespace) -> AuditResult:
    still = change(fake.clip("still.mp4", 10.0, (), 0.0), activity=())
    return change(result, clips=(still,), facts=(), holdout=(), holdout_error=None)


def nothing_pulled(result: AuditResult, fake: SimpleNamespace) -> AuditResult:
    return change(
        result, stack=fake.waterfall(47300.0, (), fake.skipped), levers=(), stages=(), per={}, explained=(), sources=()
    )


def one_step(result: AuditResult, fake: SimpleNamespace) -> AuditResult:
    return change(result, stack=fake.waterfall(47300.0, fake.steps[:1]))


def all_saved(result: AuditResult, fake: SimpleNamespace) -> AuditResult:
    steps = (fake.steps[0], fake.step("edge", "Run it on the device", 24120, 0.0, overlap=None, factor_alone=math.inf))
    return change(result, stack=fake.waterfall(47300.0, steps), band_final=(0.0, 0.0, 0.0))


def free(result: AuditResult, fake: SimpleNamespace) -> AuditResult:
    return change(result, stack=fake.waterfall(0.0, ()), band_naive=(0.0, 0.0, 0.0), band_final=(0.0, 0.0, 0.0))


def many_clips(result: AuditResult, fake: SimpleNamespace) -> AuditResult:
    return change(
        result, clips=tuple(change(fake.clip(f"{n:02d}.mp4", 8.0, ((1.0, 2.0),), 0.0), activity=()) for n in range(30))
    )


def no_seconds(result: AuditResult, fake: SimpleNamespace) -> AuditResult:
    return change(result, clips=(change(fake.clip("one-frame.mp4", 0.0, (), 0.0), frames=1),))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (quiet, ("Nothing in it rises above its noise", "no sound", "too little to test", "Too little footage to cut in two")),
        (nothing_pulled, ("no lever here cuts this bill", "No lever was pulled", "no host in the plan")),
        (one_step, ("24,120.00 with one lever: 1.96x less",)),
        (all_saved, ("0.00 with two levers: nothing left to pay", "all of it")),
        (free, ("0.00 USD a month as it is", "no range can be given")),
        (many_clips, ("6 more clips", "29.mp4")),
        (no_seconds, ("one-frame.mp4",)),
    ],
)  # fmt: skip
def test_odd_results_still_make_a_page(
    shape: Any, said: tuple[str, ...], result: AuditResult, fake: SimpleNamespace
) -> None:
    odd = shape(short(result), fake)
    without = plain(odd)
    pytest.importorskip("altair")
    with_charts = words(audit_page(odd, charts.draw(odd)))
    for phrase in said:
        assert phrase in without
        assert phrase in with_charts
    assert "nan" not in without.replace("tenant", "").lower().split()


def test_small_factors_are_drawn_on_a_linear_axis_from_nought(result: AuditResult, fake: SimpleNamespace) -> None:
    pytest.importorskip("altair")
    assert "logarithmic" not in charts.draw(one_step(short(result), fake)).waterfall_wide
    assert "linear, from 0" in plain(one_step(result, fake))


def test_a_plan_that_cannot_do_the_job_is_said_at_the_top(result: AuditResult) -> None:
    stack = change(result.stack, feasible=False, why=("answers would come after 24 hours",))
    page = audit_page(change(result, stack=stack), None)
    assert page.index("could not do the job") < page.index('id="waterfall"')


def test_what_was_assumed_is_said_at_the_top(result: AuditResult) -> None:
    page = audit_page(change(result, assumed=("1,000 hours of such footage a month",)), None)
    assert page.index("1,000 hours of such footage") < page.index('id="waterfall"')


def test_trust_names_the_worst_plan_of_the_hold_out(result: AuditResult) -> None:
    worse = change(result.holdout[0], plan="gate alone", error=0.24)
    assert "24% (gate alone)" in trust(change(result, holdout=(*result.holdout, worse), holdout_error=0.24))


class Block:
    """Makes packages impossible to import."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        if name.partition(".")[0] in {"altair", "vl_convert"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_without_the_extra_the_page_says_how_to_get_charts(
    result: AuditResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in {"altair", "vl_convert"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Block(), *sys.meta_path])
    with pytest.raises(MissingExtraError) as caught:
        charts.draw(result)
    assert caught.value.hint == "pip install 'reelwise[report]'"
    said = words(audit_page(result, None))
    assert "pip install 'reelwise[report]'" in said
    assert "24,120 USD" in said


def test_sampling_is_held_against_an_even_pace_on_the_page(result: AuditResult) -> None:
    says = "9 frames by change: WORSE than as many at an even pace."
    levers = (change(result.levers[0], even_pace_says=says), *result.levers[1:])
    assert says in plain(change(result, levers=levers))
    assert says not in plain(result)
