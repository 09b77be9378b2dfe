"""Facts: which one holds, under which key, and how it is drawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as drawn_by
from hypothesis import strategies as st

from reelwise.errors import DocumentError, InputError
from reelwise.evidence import ASSUMED, GIVEN, MEASURED, PUBLISHED, Fact, KindName
from reelwise.facts import NAMES, Entry, Facts, check_fact, defaults, given, settings_hash
from reelwise.stages import Gate, Sample

NAME = "gate.active_share"
GATE = Gate(pad_seconds=0.5)
KEY: dict[str, Any] = {"stage": GATE, "prefix": "start", "source_class": "doors"}


def entry(kind: KindName, value: float, **key: Any) -> Entry:
    return Entry(name=NAME, fact=Fact(value=value, kind=kind), **key)


EXACT = entry("measured", 0.1, settings=settings_hash(GATE), prefix="start", source_class="doors")
GIVEN_FACT = entry("given", 0.2)
ELSEWHERE = entry("measured", 0.3, settings="another", prefix="start", source_class="doors")
PUBLISHED_FACT = entry("published", 0.4)
ASSUMED_FACT = entry("assumed", 0.5)
LADDER = (EXACT, GIVEN_FACT, ELSEWHERE, PUBLISHED_FACT, ASSUMED_FACT)


@drawn_by(st.permutations(LADDER), st.integers(1, len(LADDER)))
def test_measured_beats_given_beats_elsewhere_beats_published_beats_assumed(order: list[Entry], kept: int) -> None:
    left = [one for one in order if one in LADDER[-kept:]]
    found = Facts(left).find(NAME, **KEY)
    assert found is not None
    assert found[0] is LADDER[-kept]


@pytest.mark.parametrize(
    ("one", "bits"),
    [
        (EXACT, MEASURED),
        (GIVEN_FACT, GIVEN),
        (ELSEWHERE, MEASURED | ASSUMED),
        (PUBLISHED_FACT, PUBLISHED),
        (ASSUMED_FACT, ASSUMED),
    ],
)
def test_the_evidence_is_that_of_the_fact_and_elsewhere_is_assumed(one: Entry, bits: int) -> None:
    assert Facts((one,)).get(NAME, **KEY) == (one.fact.value, bits)


def test_the_nearest_measurement_is_used_among_those_elsewhere() -> None:
    other_plan = entry("measured", 0.6, settings=settings_hash(GATE), prefix="gated", source_class="doors")
    assert Facts((ELSEWHERE, other_plan)).get(NAME, **KEY) == (0.6, MEASURED | ASSUMED)


def test_another_footages_measurement_is_never_used() -> None:
    other = entry("measured", 0.9, settings=settings_hash(GATE), prefix="start", source_class="streets")
    facts = Facts((other,))
    assert facts.find(NAME, **KEY) is None
    assert not facts.has(NAME, "doors")
    assert not facts.known(NAME, "doors")
    assert facts.known(NAME, "streets")
    with pytest.raises(InputError, match=NAME) as caught:
        facts.get(NAME, **KEY)
    assert NAME in caught.value.hint
    assert Facts((other, ASSUMED_FACT)).get(NAME, **KEY) == (0.5, ASSUMED)


def test_what_nobody_knows_takes_the_default_without_evidence() -> None:
    assert Facts().get("anything", default=0.7) == (0.7, 0)


def test_known_means_measured_or_given() -> None:
    assert not Facts((PUBLISHED_FACT, ASSUMED_FACT)).known(NAME)
    assert Facts((PUBLISHED_FACT, ASSUMED_FACT)).has(NAME)
    assert Facts((GIVEN_FACT,)).known(NAME)


def test_prefixes_are_only_computed_where_a_fact_depends_on_them() -> None:
    assert Facts((EXACT,)).needs_prefix(NAME)
    assert not Facts((GIVEN_FACT,)).needs_prefix(NAME)


def test_layers_come_in_order_and_can_be_added_to() -> None:
    facts = Facts.load({NAME: given(0.2)}, (EXACT,))
    assert facts.get(NAME, **KEY)[0] == 0.1
    assert facts.get(NAME, source_class="streets")[0] == 0.2
    assert facts.get("route.easy_share")[1] == PUBLISHED
    assert Facts((GIVEN_FACT,)).with_entries((EXACT,)).get(NAME, **KEY)[0] == 0.1


def test_the_defaults_have_a_source_each_and_could_all_be_given() -> None:
    for one in defaults():
        assert one.fact.source
        assert one.fact.kind in {"published", "assumed"}
        check_fact(one.name, one.fact, "data/facts.yaml")


def test_the_names_listed_are_those_that_the_code_asks_for() -> None:
    source = Path(__file__).resolve().parents[1] / "src" / "reelwise"
    text = "\n".join(path.read_text() for folder in ("stages", ".") for path in (source / folder).glob("*.py"))
    asked = set(re.findall(r"(?:facts\.\w+|_mean)\(\s*(?:facts, )?\"([a-z_]+\.[a-z_]+)\"", text))
    assert asked <= set(NAMES)
    assert {name for name in NAMES if text.count(f'"{name}"') < 2} == set(), "nothing asks for it"


@pytest.mark.parametrize(
    ("name", "fact", "said"),
    [
        ("gate.activeshare", Fact(value=0.5), "nothing asks for"),
        (NAME, Fact(value=1.5), "a share above 1"),
        (NAME, Fact(value=0.5, high=1.2), "a share above 1"),
        (NAME, Fact(value=-0.1), "below 0"),
        (NAME, Fact(value=0.5, low=0.6), "order"),
        (NAME, Fact(value=0.5, low=0.1, high=0.4), "order"),
        ("host.own.frames_per_second", Fact(value=0), "speed of 0"),
        ("probe.quantize.speed_ratio", Fact(value=0), "speed of 0"),
        ("probe.crop.speed_ratio", Fact(value=2), "nothing asks for"),
        ("latency.prefill_tokens_per_second", Fact(value=5, low=0), "speed of 0"),
    ],
)
def test_facts_that_cannot_be_are_refused(name: str, fact: Fact, said: str) -> None:
    with pytest.raises(DocumentError, match=said) as caught:
        check_fact(name, fact, "here")
    assert caught.value.where == "here"
    assert caught.value.hint


def test_facts_at_their_limits_are_taken() -> None:
    for name, value in ((NAME, 0.0), (NAME, 1.0), ("host.a b.frames_per_second", 0.01), ("quality.gate.at=edge", 1.0)):
        check_fact(name, Fact(value=value, low=value, high=value), "here")


# Drawing


def test_draws_keep_the_percentiles_and_have_a_shape_of_draws_by_one() -> None:
    drawn = Facts((Entry(name="x.amount", fact=Fact(value=100, low=90, high=130)),)).draw(4000, seed=1)
    values, _ = drawn.get("x.amount")
    array = np.asarray(values)
    assert array.shape == (4000, 1)
    low, middle, high = np.percentile(array, [5, 50, 95])
    assert low == pytest.approx(90, abs=1)
    assert middle == pytest.approx(100, abs=1)
    assert high == pytest.approx(130, abs=2)


@drawn_by(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_drawn_shares_are_shares(a: float, b: float, c: float) -> None:
    low, value, high = sorted((a, b, c))
    drawn = Facts((Entry(name=NAME, fact=Fact(value=value, low=low, high=high)),)).draw(200)
    array = np.asarray(drawn.get(NAME)[0])
    assert ((array >= 0) & (array <= 1)).all()


def test_what_is_divided_by_is_never_drawn_as_0() -> None:
    drawn = Facts((Entry(name="host.a.frames_per_second", fact=Fact(value=100, low=1)),)).draw(10_000)
    assert np.asarray(drawn.get("host.a.frames_per_second")[0]).min() >= 0.1


def test_draws_are_the_same_for_the_same_seed_and_leave_certain_facts_alone() -> None:
    facts = Facts((Entry(name="a.x", fact=Fact(value=1, low=0.5)), Entry(name="b.x", fact=Fact(value=2))))
    one, two, other = facts.draw(20, seed=3), facts.draw(20, seed=3), facts.draw(20, seed=4)
    assert np.array_equal(np.asarray(one.get("a.x")[0]), np.asarray(two.get("a.x")[0]))
    assert not np.array_equal(np.asarray(one.get("a.x")[0]), np.asarray(other.get("a.x")[0]))
    assert one.get("b.x")[0] == 2
    assert np.asarray(one.get("a.x")[0]).max() == 1, "no high: the value is as high as it goes"


def test_one_fact_can_be_fixed_and_the_rest_stays() -> None:
    facts = Facts((GIVEN_FACT, Entry(name="b.x", fact=Fact(value=2))))
    fixed = facts.fixed(GIVEN_FACT, 0.9)
    assert (fixed.get(NAME)[0], fixed.get("b.x")[0], facts.get(NAME)[0]) == (0.9, 2, 0.2)
    assert fixed.fixed(facts.entries[1], 3).get(NAME)[0] == 0.9


def test_settings_hash_tells_settings_apart_but_not_1_from_1_0() -> None:
    assert settings_hash(Sample(fps=1)) == settings_hash(Sample(fps=1.0))
    assert settings_hash(Sample(fps=1)) != settings_hash(Sample(fps=2))
    assert settings_hash(Gate()) != settings_hash(Sample())
    assert re.fullmatch("[0-9a-f]{16}", settings_hash(Gate()))
