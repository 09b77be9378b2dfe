"""The cards of all levers, what the unpriced ones say of a workload, and the flags."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from reelwise import video
from reelwise.evidence import Fact
from reelwise.facts import Facts
from reelwise.flow import Item, Out, Piece, Tally
from reelwise.hosts import Host
from reelwise.levers import FAMILIES, Lever, find, kinds
from reelwise.levers.base import Card, Verdict, language_calls, yes
from reelwise.levers.flags import Flags, changed_stages, flags, probes
from reelwise.levers.govern.serverless import Serverless
from reelwise.levers.smaller_model.open_model import OpenModel
from reelwise.plan import Plan, run
from reelwise.price import price_one
from reelwise.rates import Book
from reelwise.stages import Call, Escalate, Gate, Keep, Reuse, Route, Sample, Send
from reelwise.workload import Demand, Prompt, Repetition, Source, Workload

BOOK = Book.load(dt.date(2026, 11, 22))
MEASURED = {
    **{f"probe.{name}.speed_ratio": Fact(value=1.5, kind="measured", on="the clip") for name in ("quantize", "distil")},
    **{f"quality.{name}": Fact(value=0.98, kind="measured") for name in ("quantize", "distil")},
    "host.open.frames_per_second": Fact(value=30.0),
    "host.edge.frames_per_second": Fact(value=30.0),
}
FACTS = Facts.load(MEASURED)
RENTED = Plan(stages=(Call(model="gemini-2.5-pro"),))
HOSTED = Plan(stages=(Call(host="own"),), hosts=(Host(name="own", sku="aws/g4dn.xlarge"),))
BASE = Workload(feature="search", demand=Demand(hours=1000), latency="day", prompt=Prompt(output=300))
MINE = (8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 25)
NEED_A_HOST = (9, 10, 11, 12, 13, 14, 15, 19, 20, 21)


def by_number(number: int) -> Lever:
    return next(kind() for kind in kinds().values() if kind.card.number == number)


def verdict(name: str, workload: Workload = BASE, plan: Plan = HOSTED) -> Verdict:
    return find(name).applies(workload, plan, FACTS, BOOK)


def test_the_article_has_25_levers_and_each_is_here_once() -> None:
    numbers = [kind.card.number for kind in kinds().values() if kind.card.number is not None]
    assert numbers == list(range(1, 26))


@pytest.mark.parametrize("name", list(kinds()))
def test_a_card_says_all_a_person_needs(name: str) -> None:
    kind = kinds()[name]
    card = kind.card
    assert kind().name == name
    assert f"levers.{card.family}." in kind.__module__
    assert card.family in FAMILIES
    for text in (card.title, card.summary, card.risk, card.latency):
        assert text.strip()
    assert card.ask or card.number is None, "what to ask first"
    assert card.sources


@pytest.mark.parametrize("number", MINE)
def test_the_cards_on_paper_date_what_they_say(number: int) -> None:
    sources = " ".join(by_number(number).card.sources)
    assert re.search(r"20\d\d", sources)
    assert f"lever {number}" in sources


def test_figures_that_the_article_has_wrong_are_corrected() -> None:
    assert "halve" in find("quantize").card.summary
    assert "38 to 71 %" in find("provider").card.summary
    assert "do not multiply it with lever 12" in find("continuous_batching").card.summary


@pytest.mark.parametrize("number", NEED_A_HOST)
def test_levers_of_your_own_machines_refuse_a_rented_model(number: int) -> None:
    refused = by_number(number).applies(BASE, RENTED, FACTS, BOOK)
    assert not refused.ok
    assert "rented by the call" in refused.reason


@pytest.mark.parametrize("number", MINE)
def test_every_verdict_has_a_reason(number: int) -> None:
    for plan in (RENTED, HOSTED):
        for latency in ("realtime", "seconds", "minutes", "day"):
            for load in ("steady", "daily", "spiky"):
                workload = replace(BASE, latency=latency, load=load, peak_over_mean=2.0)
                assert by_number(number).applies(workload, plan, FACTS, BOOK).reason


def test_real_time_work_takes_neither_spot_nor_a_cold_start() -> None:
    live = replace(BASE, latency="realtime", load="spiky")
    assert not verdict("spot", live).ok
    assert not verdict("serverless", live).ok
    assert verdict("spot", replace(BASE, latency="hours")).ok
    assert "on demand" in verdict("spot", replace(BASE, latency="minutes")).reason


def test_steady_load_reserves_and_spiky_load_scales_to_zero() -> None:
    steady, spiky = replace(BASE, load="steady"), replace(BASE, load="spiky")
    assert verdict("reserved", steady).ok
    assert not verdict("serverless", steady).ok
    assert not verdict("reserved", spiky).ok
    assert verdict("serverless", spiky).ok
    assert verdict("open_model", steady, RENTED).ok
    assert not verdict("open_model", spiky, RENTED).ok
    assert OpenModel(scale="serverless").applies(spiky, RENTED, FACTS, BOOK).ok


@pytest.mark.parametrize(("name", "plan"), [("open_model", RENTED), ("edge", HOSTED)])
def test_a_machine_whose_speed_nobody_knows_has_no_price(name: str, plan: Plan) -> None:
    live = replace(BASE, latency="realtime")
    assert find(name).applies(live, plan, FACTS, BOOK).ok
    refused = find(name).applies(live, plan, Facts.load(), BOOK)
    assert not refused.ok
    assert "`reelwise bench-model` measures it" in refused.reason


def test_a_published_speed_will_do_where_network_and_processor_are_named() -> None:
    assert OpenModel(network="yolo26n-seg").applies(BASE, RENTED, Facts.load(), BOOK).ok
    assert not OpenModel(network="yolo26n-seg", sku="aws/inf1.xlarge").applies(BASE, RENTED, Facts.load(), BOOK).ok


@pytest.mark.parametrize("name", ["quantize", "distil"])
def test_a_smaller_network_is_pulled_on_measured_facts_only(name: str) -> None:
    def said(**changes: Fact) -> Verdict:
        known = {**MEASURED, **{key.replace("__", "."): fact for key, fact in changes.items()}}
        return find(name).applies(BASE, HOSTED, Facts.load(known), BOOK)

    assert said().reason == "measured on the clip: 1.50 times the speed, quality 0.980"
    assert not find(name).applies(BASE, HOSTED, Facts.load(), BOOK).ok
    assert f"`reelwise probe {name} MODEL CLIP`" in find(name).applies(BASE, HOSTED, Facts.load(), BOOK).reason
    assert not said(**{f"probe__{name}__speed_ratio": Fact(value=4.0)}).ok, "given is not measured"
    assert not said(**{f"quality__{name}": Fact(value=0.98, kind="assumed")}).ok
    slower = said(**{f"probe__{name}__speed_ratio": Fact(value=0.79, kind="measured")})
    assert not slower.ok
    assert "0.79 times the speed" in slower.reason


@pytest.mark.parametrize("name", ["quantize", "distil"])
def test_a_smaller_network_costs_what_its_measured_speed_says(name: str) -> None:
    known = Facts.load({**MEASURED, "host.own.frames_per_second": Fact(value=10.0)})
    auto = replace(HOSTED, hosts=(replace(HOSTED.hosts[0], scale="auto"),))
    before = price_one(BASE, auto, known, BOOK)
    after = price_one(BASE, find(name).apply(auto), known, BOOK)
    assert float(before.total_usd) / float(after.total_usd) == pytest.approx(1.5)


def test_serverless_takes_the_machine_with_the_same_processor() -> None:
    (host,) = find("serverless").apply(HOSTED).hosts
    assert (host.sku, host.scale) == ("modal/t4", "serverless")
    inferentia = replace(HOSTED, hosts=(replace(HOSTED.hosts[0], sku="aws/inf1.xlarge"),))
    assert find("serverless").apply(inferentia) == inferentia
    assert "name one with `sku`" in verdict("serverless", replace(BASE, load="spiky"), inferentia).reason
    named = Serverless(sku="modal/a10")
    assert named.apply(inferentia).hosts[0].sku == "modal/a10"
    hopper = replace(HOSTED, hosts=(replace(HOSTED.hosts[0], sku="aws/p5.4xlarge"),))
    assert "costs less by the hour" in verdict("serverless", replace(BASE, load="steady"), hopper).reason


def test_a_daily_load_reserves_only_machines_that_run_in_any_case() -> None:
    assert not verdict("reserved").ok
    floor = replace(HOSTED, hosts=(replace(HOSTED.hosts[0], minimum=2),))
    assert "2 machines" in verdict("reserved", plan=floor).reason


def test_serverless_looks_at_how_busy_machines_for_the_peak_are() -> None:
    assert not verdict("serverless", replace(BASE, peak_over_mean=1.1)).ok
    assert "25%" in verdict("serverless", replace(BASE, peak_over_mean=4.0)).reason
    already = replace(HOSTED, hosts=(replace(HOSTED.hosts[0], scale="serverless"),))
    assert not verdict("serverless", replace(BASE, load="spiky"), already).ok


@pytest.mark.parametrize("name", ["continuous_batching", "kv_cache", "speculative_decoding"])
def test_token_levers_refuse_networks_that_answer_in_one_pass(name: str) -> None:
    assert not verdict(name, replace(BASE, kind="segment")).ok
    assert verdict(name).ok


def test_a_shared_prefix_or_a_second_question_makes_the_kv_cache_worth_more() -> None:
    assert "only paging" in verdict("kv_cache").reason
    assert "share" in verdict("kv_cache", replace(BASE, repetition=Repetition(questions=5))).reason


def test_nothing_written_leaves_nothing_to_guess() -> None:
    assert not verdict("speculative_decoding", replace(BASE, prompt=Prompt())).ok


@pytest.mark.parametrize("name", ["distil", "quantize"])
def test_a_quality_floor_of_one_allows_no_smaller_model(name: str) -> None:
    assert verdict(name).ok
    assert not verdict(name, replace(BASE, quality_floor=1.0)).ok


def test_the_provider_matters_where_machines_traffic_or_storage_are_paid() -> None:
    assert not verdict("provider", plan=RENTED).ok
    moving = RENTED.put(Keep()).put(Send())
    assert verdict("provider", plan=moving).reason == "the plan stores footage and moves footage"
    assert "rents machines" in verdict("provider").reason


def test_the_edge_wants_cameras_or_a_deadline() -> None:
    assert not verdict("edge").ok
    assert verdict("edge", replace(BASE, source=Source(always_on=True))).ok
    assert verdict("edge", replace(BASE, latency="realtime")).ok
    at_edge = HOSTED.put(Gate(at="edge"))
    assert not verdict("edge", replace(BASE, source=Source(always_on=True)), at_edge).ok


def test_budgets_fit_every_workload() -> None:
    assert verdict("budgets", plan=RENTED).ok


class Invented(Lever, frozen=True, kw_only=True):
    card = Card(number=None, family="beyond", title="x", summary="x", effort="hours", risk="x", latency="x")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        return yes()


class Gated(Invented, frozen=True, kw_only=True):
    def apply(self, plan: Plan) -> Plan:
        return plan.put(Gate())


class Routed(Gated, frozen=True, kw_only=True):
    def apply(self, plan: Plan) -> Plan:
        return plan.put(Gate()).put(Route())


class Kept(Gated, frozen=True, kw_only=True):
    def apply(self, plan: Plan) -> Plan:
        return plan.put(Gate()).edit(
            Call, lambda call: call if call.host else replace(call, cache="explicit", mode="batch")
        )


class OnlyHosts(Invented, frozen=True, kw_only=True):
    def apply(self, plan: Plan) -> Plan:
        return replace(plan, hosts=(Host(name="spare", sku="aws/g4dn.xlarge"),))


@pytest.mark.parametrize(
    ("lever", "expected"),
    [
        (Invented(), (False, False, False)),
        (Gated(), (True, True, True)),
        (Routed(), (True, True, True)),
        (Kept(), (True, True, True)),
        (OnlyHosts(), (True, False, False)),
    ],
    ids=["card", "gate", "gate and route", "gate and a cache in batches", "hosts"],
)
def test_flags_follow_the_code_of_a_lever(lever: Lever, expected: tuple[bool, bool, bool]) -> None:
    assert flags(lever) == Flags(priced=expected[0], executed=expected[1], measured=expected[2])


@pytest.mark.parametrize("name", list(kinds()))
def test_flags_are_a_ladder_and_probes_reach_every_priced_lever(name: str) -> None:
    lever = find(name)
    found = flags(lever)
    assert found.priced == lever.is_priced
    assert found.priced or not found.measured
    assert found.measured or not found.executed
    if found.priced:
        hosts = any(lever.apply(plan).hosts != plan.hosts for plan in probes())
        assert list(changed_stages(lever)) or hosts, "no probe plan shows what this lever does"


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Piece:
    path = tmp_path_factory.mktemp("clips") / "yard.mp4"
    video.draw_demo(path, seconds=3, width=128, height=72, fps=10)
    track = video.track(path)
    item = Item(
        count=1.0, seconds=3.0, frames=30.0, audio_seconds=3.0, width_px=128, height_px=72, tokens_prefix=2000.0
    )
    return Piece(item=item, track=track, stretches=((0.0, 3.0),))


@pytest.mark.parametrize("name", [name for name in kinds() if flags(find(name)).measured])
def test_a_measured_lever_runs_on_footage_and_an_executed_one_finds_a_fact_in_it(name: str, piece: Piece) -> None:
    lever = find(name)
    found: set[tuple[str, str, str]] = set()
    for plan in probes():
        if name == "tile_resize" and not language_calls(plan, BOOK):
            continue  # it does not apply to calls without a token rule, and says so
        keys = [set(tallied(one, piece)) for one in (lever.apply(plan), plan)]
        found |= keys[0] - keys[1]
    if name in {"gate", "crop", "trim_silence"}:
        assert found


def tallied(plan: Plan, piece: Piece) -> dict[tuple[str, str, str], list[tuple[float, float]]]:
    tally = Tally()
    out = Out(BOOK, BOOK.day, tally)
    run(plan, [piece], FACTS, out)
    assert out.requests or plan.of(Gate), "only a gate may leave nothing to send"
    return tally.sums


def test_flags_of_some_levers() -> None:
    for name in ("sample_frames", "gate", "crop", "trim_silence"):
        assert flags(find(name)) == Flags(priced=True, executed=True, measured=True), name
    for name in ("downscale", "batch_api", "chunk_below_cliff", "contact_sheet", "flex", "ask_once", "trim_prompt"):
        assert flags(find(name)) == Flags(priced=True, executed=True, measured=True), name
    for name in ("route", "cascade", "prompt_cache", "precompute", "answer_cache"):
        assert flags(find(name)) == Flags(priced=True, executed=True, measured=True), name
    assert flags(find("explicit_cache")) == Flags(priced=True, executed=True, measured=True)
    for name in ("open_model", "serverless", "edge", "quantize", "distil"):
        assert flags(find(name)) == Flags(priced=True, executed=False, measured=False), name


def test_the_page_about_levers_names_each_in_its_family() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "levers.md"
    rows = {line.split("|")[1].strip(" `"): line for line in page.read_text().splitlines() if line.startswith("| `")}
    for name, kind in kinds().items():
        assert name in rows[kind.card.family], name


def test_the_cache_of_answers_turns_on_what_it_is_told_and_keeps_what_is_stricter() -> None:
    plan = Plan(stages=(Sample(fps=1.0), Call(model="gpt-4o", part="images")))
    wide = find("answer_cache").__class__(questions=True, frames=True, error_most=0.05)
    (reuse,) = wide.apply(plan).of(Reuse)
    assert (reuse.answers, reuse.questions, reuse.frames, reuse.error_most) == (True, True, True, 0.05)
    strict = find("answer_cache").__class__(questions=True, error_most=0.01)
    assert strict.apply(wide.apply(plan)) == wide.apply(strict.apply(plan))
    assert strict.apply(wide.apply(plan)).of(Reuse)[0].error_most == 0.01
    (plain,) = find("answer_cache").apply(plan).of(Reuse)
    assert not plain.questions
    assert not plain.frames


def test_the_cache_of_answers_fits_questions_and_frames_that_come_again() -> None:
    kind = find("answer_cache").__class__
    asked = replace(BASE, repetition=Repetition(questions=4))
    assert not kind().applies(asked, RENTED, FACTS, BOOK).ok
    assert kind(questions=True).applies(asked, RENTED, FACTS, BOOK).ok
    assert not kind(frames=True).applies(BASE, RENTED, FACTS, BOOK).ok
    assert kind(frames=True).applies(BASE, Plan(stages=(Sample(fps=1.0), *RENTED.stages)), FACTS, BOOK).ok


@pytest.mark.parametrize(
    "doubts",
    [{"sure": 0.6}, {"samples": 3}, {"second": "gpt-4.1-mini"}, {"verifier": "gpt-4o-mini"}, {"calibrated": "c.json"}],
)
def test_a_cascade_doubts_as_it_is_told(doubts: dict[str, object]) -> None:
    plan = find("cascade").__class__(**doubts).apply(RENTED)
    plan.check()
    (stage,) = plan.of(Escalate)
    assert {name: getattr(stage, name) for name in doubts} == doubts


def test_a_route_is_decided_as_it_is_told() -> None:
    assert find("route").__class__(trained="router.json").apply(RENTED).of(Route)[0].trained == "router.json"
    assert find("route").__class__(rule="price").apply(RENTED).of(Route)[0].rule == "price"
