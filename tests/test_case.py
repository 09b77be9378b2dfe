"""A workload file is opened or refused with its path and a hint, whatever is in it."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelwise.case import CaseFile, assign, default_plan, load, make, schema
from reelwise.documents import fields_of
from reelwise.errors import DocumentError, InputError, ReelwiseError
from reelwise.evidence import Fact
from reelwise.evidence_store import Measurement, write_measurement
from reelwise.facts import Entry
from reelwise.levers import kinds
from reelwise.price import price_one
from reelwise.stages import Call
from reelwise.workload import Workload

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TEXTS = [path.read_text() for path in sorted(EXAMPLES.glob("*.yaml"))]
JOB: dict[str, Any] = {"feature": "search", "demand": {"hours": 10}, "day": "2026-11-22"}


def written(folder: Path, tree: Any, name: str = "job.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(tree))
    return path


def refused(tree: Any, **options: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        make(tree, where="job.yaml", **options)
    assert caught.value.hint
    return caught.value


def test_two_lines_are_enough(tmp_path: Path) -> None:
    case = load(written(tmp_path, {"feature": "search", "demand": {"hours": 10}}))
    assert case.plan.stages == (Call(model="gemini-2.5-pro"),)
    assert abs(case.day - dt.datetime.now(tz=dt.UTC).date()) <= dt.timedelta(days=1)  # midnight may come between
    assert case.levers == ()
    assert price_one(case.workload, case.plan, case.facts, case.book).total_usd > 0


@pytest.mark.parametrize("kind", ["understand", "transcribe", "generate", "segment"])
def test_each_kind_of_job_has_a_naive_plan_that_has_a_price(kind: str) -> None:
    case = make({**JOB, "kind": kind}, where="job.yaml")
    assert price_one(case.workload, case.plan, case.facts, case.book).total_usd > 0
    named = make({**JOB, "kind": kind, "model": "gpt-4o"}, where="job.yaml")
    assert [call.model for call in named.plan.of(Call)] == ["gpt-4o"]


def test_a_default_plan_takes_a_model_by_name() -> None:
    workload = make(JOB, where="job.yaml").workload
    assert type(workload) is Workload
    assert default_plan(workload, "gpt-4o").stages == (Call(model="gpt-4o"),)


@pytest.mark.parametrize(
    ("tree", "where", "hint"),
    [
        ({"feature": "a"}, "job.yaml", ""),
        ({**JOB, "demands": 1}, "job.yaml", "`demand`"),
        ({**JOB, "demand": {"hour": 1}}, "$.demand", "`hours`"),
        ({**JOB, "demand": {}}, "$.demand", "hours"),
        ({**JOB, "feature": ""}, "$.feature", ""),
        ({**JOB, "latency": "soon"}, "$.latency", ""),
        ({**JOB, "day": "soon"}, "$.day", "2026-11-22"),
        ({**JOB, "day": "1999-01-01"}, "day", "2020"),
        ({**JOB, "facts": {"gate.activeshare": 0.1}}, "$.facts.gate.activeshare", "`gate.active_share`"),
        ({**JOB, "facts": {"route.easy_share": 1.2}}, "$.facts.route.easy_share", "0.2"),
        ({**JOB, "facts": {"route.easy_share": {"value": 0.5, "low": 0.9}}}, "$.facts", "low"),
        ({**JOB, "plan": {"stages": []}}, "$.plan $.stages", "call"),
        ({**JOB, "plan": {"stages": [{"stage": "cal", "model": "a"}]}}, "$.plan.stages[0]", ""),
        ({**JOB, "plan": {"stages": [{"stage": "call", "modle": "a"}]}}, "$.plan.stages[0]", "`model`"),
        ({**JOB, "levers": [{"lever": "flexx"}]}, "$.levers[0]", ""),
        ({**JOB, "levers": [{"lever": "downscale", "longside": 5}]}, "$.levers[0]", "`long_side`"),
        ({**JOB, "account": {"rates": "nowhere.yaml"}}, "nowhere.yaml", "path"),
        ({**JOB, "source": {"fps": 0}}, "$.source.fps", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_to_do(tree: Any, where: str, hint: str) -> None:
    error = refused(tree)
    assert where in error.where
    assert hint in error.hint


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    for value in ([1], "text", None, 5):
        with pytest.raises(DocumentError, match="mapping"):
            load(written(tmp_path, value))


# Settings from the command line


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("demand.hours=500", ("demand", "hours"), 500),
        ("source.audio=false", ("source", "audio"), False),
        ("plan.stages.0.fps=0.5", ("plan", "stages", 0, "fps"), 0.5),
        ("facts.gate.active_share=0.1", ("facts", "gate.active_share"), 0.1),
        ("facts.quality.downscale.long_side=512=0.97", ("facts", "quality.downscale.long_side=512"), 0.97),
        ("prompt={prefix: 5}", ("prompt",), {"prefix": 5}),
        ("task=a=b", ("task",), "a=b"),
        ("account.buffer=0.2", ("account", "buffer"), 0.2),
    ],
)
def test_a_setting_lands_where_it_says(setting: str, path: tuple[Any, ...], value: object) -> None:
    tree: dict[str, Any] = {"demand": {}, "plan": {"stages": [{}]}}
    assign(tree, setting)
    node: Any = tree
    for part in path:
        node = node[part]
    assert node == value


@pytest.mark.parametrize(
    "setting",
    [
        "demand",
        "=5",
        " =5",
        "plan.stages.7.fps=1",
        "plan.stages.x=1",
        "feature.x=1",
        "feature.x.y=1",
        "demand.hours=[",
        "a=.nan",
    ],
)
def test_a_setting_that_leads_nowhere_is_refused(setting: str) -> None:
    with pytest.raises(DocumentError) as caught:
        assign({"feature": "a", "plan": {"stages": [{}]}}, setting)
    assert setting.split("=", maxsplit=1)[0].strip() in caught.value.where
    assert caught.value.hint


def test_settings_come_in_order_and_on_top_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, JOB)
    case = load(path, settings=["demand.hours=1", "demand.hours=2", "model=gpt-4o"])
    assert case.workload.demand.hours == 2
    assert case.plan.of(Call)[0].model == "gpt-4o"
    assert load(path, day="2026-06-03").day == dt.date(2026, 6, 3)


def test_a_plan_of_its_own_file_replaces_the_one_inside(tmp_path: Path) -> None:
    job = written(tmp_path, {**JOB, "model": "gpt-4o"})
    stages = {"stages": [{"stage": "call", "model": "gpt-5"}]}
    for tree in (stages, {"plan": stages}):
        case = load(job, plan=written(tmp_path, tree, "plan.yaml"))
        assert [call.model for call in case.plan.of(Call)] == ["gpt-5"]


# Facts and levers


def test_facts_are_layered_measured_given_published(tmp_path: Path) -> None:
    fact = Fact(value=0.3, kind="measured", source="reelwise audit")
    entries = (Entry(name="gate.active_share", fact=fact, source_class="search"),)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    measurement = Measurement(day=today, machine="m", clips=(("a.mp4", "ab" * 32),), seconds=9.0, entries=entries)
    write_measurement(tmp_path / "evidence", measurement)
    path = written(tmp_path, {**JOB, "facts": {"gate.active_share": 0.5, "route.easy_share": 0.7}})
    given_only = load(path).facts
    assert given_only.get("gate.active_share", source_class="search")[0] == 0.5
    assert given_only.get("route.easy_share")[0] == 0.7
    assert given_only.get("escalate.doubt_share")[0] == 0.2
    both = load(path, evidence=tmp_path / "evidence").facts
    assert both.get("gate.active_share", source_class="search")[0] == 0.3
    assert load(path, evidence=tmp_path / "missing").facts.get("gate.active_share")[0] == 0.5


def test_unsure_demand_becomes_a_fact() -> None:
    case = make({**JOB, "demand": {"hours": 10, "low": 0.5, "high": 3}}, where="job.yaml")
    found = case.facts.find("demand.factor")
    assert found is not None
    assert (found[0].fact.low, found[0].fact.high) == (0.5, 3)


def test_levers_by_name_keep_the_settings_of_the_file() -> None:
    tree = {**JOB, "levers": [{"lever": "downscale", "long_side": 512}, {"lever": "flex"}]}
    assert [lever.name for lever in make(tree, where="x").levers] == ["downscale", "flex"]
    named = make(tree, where="x", levers=["batch_api", "downscale"]).levers
    assert [lever.name for lever in named] == ["batch_api", "downscale"]
    assert named[1].long_side == 512  # type: ignore[attr-defined]
    assert "batch_api" in refused(tree, levers=["batch_ap"]).hint


def test_private_prices_lie_beside_the_file(tmp_path: Path) -> None:
    prices = {"overrides": [{"model": "gemini-2.5-pro", "discount_percent": 50, "source": "contract"}]}
    path = written(tmp_path, {**JOB, "account": {"rates": "rates.yaml"}})
    with pytest.raises(DocumentError, match="no such file"):
        load(path)
    written(tmp_path, prices, "rates.yaml")
    cheaper = load(path)
    listed = load(written(tmp_path, JOB, "plain.yaml"))
    ours, theirs = (float(price_one(c.workload, c.plan, c.facts, c.book).total_usd) for c in (cheaper, listed))
    assert ours == pytest.approx(theirs / 2)


def test_the_schema_knows_every_field_and_every_lever() -> None:
    found = schema()
    text = json.dumps(found)
    assert [name for name in fields_of(CaseFile) if f'"{name}"' not in text] == []
    assert [name for name in kinds() if f'"{name}"' not in text] == []


def test_the_schema_tells_a_stage_from_the_lever_of_the_same_name() -> None:
    import jsonschema

    found = json.loads(msgspec.json.encode(schema()))
    tree = {
        **JOB,
        "plan": {
            "stages": [
                {"stage": "gate", "join_seconds": 3},
                {"stage": "crop", "margin": 0.1},
                {"stage": "call", "model": "a"},
            ]
        },
        "levers": [{"lever": "gate", "at": "edge"}, {"lever": "crop"}],
    }
    jsonschema.validate(tree, found)
    make(tree, where="job.yaml")
    for wrong in (
        {**tree, "levers": [{"lever": "gate", "join_seconds": 3}]},
        {**tree, "plan": {"stages": [{"lever": "gate"}]}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, found)


# Anything at all

SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**6), 10**20) | st.floats(allow_nan=True, allow_infinity=True)
    | st.sampled_from(["day", "call", "gpt-4o", "gemini-2.5-pro", "2026-11-22", "main", "", "x" * 100, "aws/g4dn.xlarge"])
    | st.dates() | st.binary(max_size=4)
)  # fmt: skip
NAMES = st.sampled_from(sorted(fields_of(CaseFile) | {"stage", "lever", "gate.active_share"})) | st.text(max_size=5)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.integers(), inner, max_size=5),
    max_leaves=25,
)


def opened_or_refused(path: Path) -> None:
    try:
        case = load(path)
    except ReelwiseError as error:
        assert error.hint or error.where, repr(error)  # noqa: PT017 - most are refused, either will do
        return
    try:
        total = price_one(case.workload, case.plan, case.facts, case.book, case.account).total_usd
    except ReelwiseError:
        return
    assert 0 <= float(total) < float("inf")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(tree=st.dictionaries(NAMES, TREES, max_size=6), sound=st.booleans())
def test_no_document_makes_the_reader_fall(tmp_path: Path, tree: dict[Any, Any], sound: bool) -> None:
    opened_or_refused(written(tmp_path, {**JOB, **tree} if sound else tree))


MARKS = "\n\t -:[]{}&*!#'\"|>%@`,?~0123456789.eE+nainf\x00\x7fé"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(text=st.sampled_from(TEXTS), seed=st.integers(0, 10**9))
def test_no_slip_of_the_pen_makes_the_reader_fall(tmp_path: Path, text: str, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(text) + 1)
        cut = rng.randrange(12)
        text = text[:at] + "".join(rng.choices(MARKS, k=rng.randrange(5))) + text[at + cut :]
    path = tmp_path / "job.yaml"
    path.write_bytes(text.encode())
    opened_or_refused(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(text=st.sampled_from(TEXTS), data=st.data())
def test_no_wrong_value_in_a_right_place_makes_the_reader_fall(tmp_path: Path, text: str, data: st.DataObject) -> None:
    tree = yaml.safe_load(text)
    node: Any = tree
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = data.draw(TREES)
    opened_or_refused(written(tmp_path, tree))
