"""Plans: canonical order, edits that keep what they do not mean, and a hash that names a plan."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import DocumentError
from reelwise.hosts import Host
from reelwise.plan import Plan, prefix_of
from reelwise.stages import (
    AnyStage,
    Audio,
    Call,
    Crop,
    Escalate,
    Gate,
    Keep,
    Pack,
    Prompt,
    Reuse,
    Route,
    Sample,
    Scale,
    Send,
)

CALL = Call(model="gemini-2.5-pro")
IN_ORDER: tuple[AnyStage, ...] = (
    Keep(), Gate(), Reuse(), Crop(), Sample(), Scale(), Audio(), Pack(), Prompt(), Send(), Route(), CALL,
)  # fmt: skip
FULL = Plan(stages=IN_ORDER)
OWN = Host(name="own", sku="aws/g4dn.xlarge")


def refused(plan: Plan) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        plan.check("job.yaml $.plan")
    assert caught.value.where.startswith("job.yaml $.plan")
    assert caught.value.hint
    return caught.value


def test_the_canonical_order_is_taken() -> None:
    FULL.check()
    assert [type(stage).__name__.lower() for stage in IN_ORDER] == (Plan.__doc__ or "").split("stages: ")[1].split()[
        :12
    ]


@pytest.mark.parametrize(("first", "second"), list(pairwise(range(len(IN_ORDER)))))
def test_any_two_neighbours_swapped_are_refused_where_they_stand(first: int, second: int) -> None:
    stages = list(IN_ORDER)
    stages[first], stages[second] = stages[second], stages[first]
    error = refused(Plan(stages=tuple(stages)))
    assert f"$.stages[{second}]" in error.where
    assert "canonical order" in error.message
    assert "keep gate reuse crop" in error.hint


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(stages=()), "needs a call"),
        (Plan(stages=(Sample(),)), "needs a call"),
        (Plan(stages=(Call(),)), "needs a model or a host"),
        (Plan(stages=(Call(model="a", host="own"),), hosts=(OWN,)), "needs a model or a host"),
        (Plan(stages=(Call(host="own"),)), "no host is named `own`"),
        (Plan(stages=(Call(host="own"),), hosts=(OWN, OWN)), "two hosts"),
        (Plan(stages=(Call(model="a", lane="easy"),)), "no stage feeds the lane `easy`"),
        (Plan(stages=(Crop(mode="fixed", polygon=((0, 0), (1, 1))), CALL)), "area"),
        (Plan(stages=(*[Route(lane="easy")] * 9, CALL)), "8 routes"),
        (Plan(stages=(*[Scale()] * 64, CALL)), "64 stages"),
        (Plan(stages=(CALL, Escalate(), Call(model="a", lane="doubt"), Call(model="b"))), "canonical order"),
    ],
)
def test_plans_that_could_not_run_are_refused(plan: Plan, said: str) -> None:
    assert said in refused(plan).message


def test_lanes_are_those_that_something_feeds() -> None:
    plan = Plan(
        stages=(
            Route(to="easy"),
            Call(model="a", lane="easy"),
            Call(model="b", lane="main"),
            Escalate(to="hard", lane="main"),
            Call(model="c", lane="hard"),
        )
    )
    plan.check()
    assert plan.lanes == ("easy", "hard")
    assert Plan(stages=(CALL,)).lanes == ()


# Edits


@given(st.permutations(IN_ORDER))
def test_stages_put_in_any_order_come_to_stand_in_the_canonical_one(stages: list[AnyStage]) -> None:
    plan = Plan(stages=())
    for stage in stages:
        plan = plan.put(stage)
    assert plan == FULL


def test_a_call_behind_an_escalation_comes_last_whenever_it_is_put() -> None:
    main, doubt = Call(model="a", lane="main"), Call(model="b", lane="doubt")
    one = Plan(stages=()).put(Escalate(lane="main")).put(doubt).put(main)
    two = Plan(stages=(main,)).put(Escalate(lane="main")).put(doubt)
    assert one == two
    one.check()


def test_putting_replaces_the_same_kind_in_the_same_lane_only() -> None:
    plan = Plan(stages=(Sample(fps=2.0), Sample(fps=3.0, lane="main"), CALL)).put(Sample(fps=1.0))
    assert {(stage.lane, stage.fps) for stage in plan.of(Sample)} == {(None, 1.0), ("main", 3.0)}
    plan.check()


def test_merging_changes_what_is_there_and_makes_what_is_not() -> None:
    def faster(stage: Sample) -> Sample:
        return msgspec.structs.replace(stage, fps=min(stage.fps, 1.0))

    there = Plan(stages=(Sample(fps=5.0, gap_max_seconds=3.0), CALL)).merge(Sample, Sample, faster)
    assert there.of(Sample) == (Sample(fps=1.0, gap_max_seconds=3.0),)
    made = Plan(stages=(CALL,)).merge(Sample, lambda: Sample(fps=9.0), faster)
    assert made.stages == (Sample(fps=1.0), CALL)


def test_editing_changes_every_stage_of_a_kind_and_no_other() -> None:
    plan = Plan(stages=(Sample(), Call(model="a", lane="main"), Call(model="b")))
    after = plan.edit(Call, lambda call: msgspec.structs.replace(call, mode="batch"))
    assert [stage.mode for stage in after.of(Call)] == ["batch", "batch"]
    assert after.of(Sample) == plan.of(Sample)
    assert plan.of(Call)[0].mode == "standard", "the plan itself is frozen"


# The hash


def test_the_order_of_fields_in_a_document_does_not_matter() -> None:
    texts = (
        b'{"stages":[{"stage":"sample","fps":1,"adaptive":true},{"stage":"call","model":"a"}]}',
        b'{"hosts":[],"stages":[{"adaptive":true,"fps":1.0,"stage":"sample"},{"model":"a","stage":"call"}]}',
    )
    one, two = (msgspec.json.decode(text, type=Plan) for text in texts)
    assert one == two
    assert one.hash == two.hash


def test_equal_plans_have_equal_hashes_however_a_number_was_written() -> None:
    one = Plan(stages=(Sample(fps=1), Call(model="a", chunk=60)))
    two = Plan(stages=(Sample(fps=1.0), Call(model="a", chunk=60.0)))
    assert one == two
    assert one.hash == two.hash


@pytest.mark.parametrize(
    "changed",
    [{"fps": 2.0}, {"adaptive": True}, {"change": 0.04}, {"gap_max_seconds": 11.0}, {"lane": "main"}],
)
def test_any_setting_changes_the_hash(changed: dict[str, Any]) -> None:
    plan = Plan(stages=(Sample(), CALL))
    other = Plan(stages=(msgspec.structs.replace(Sample(), **changed), CALL))
    assert plan.hash != other.hash
    assert Plan(stages=(Call(host="own"),), hosts=(OWN,)).hash != Plan(stages=(Call(host="own"),)).hash


def test_the_hash_is_the_same_in_another_process() -> None:
    code = (
        "from reelwise.plan import Plan; from reelwise.stages import Call, Sample; "
        "print(Plan(stages=(Sample(fps=1), Call(model='gemini-2.5-pro'))).hash)"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "7")
    }
    assert hashes == {Plan(stages=(Sample(fps=1.0), CALL)).hash}


def test_the_plan_before_a_stage_is_what_chose_its_stretches() -> None:
    gated = Plan(stages=(Gate(pad_seconds=2), Scale(), Sample(), CALL))
    same = Plan(stages=(Keep(), Gate(pad_seconds=2.0), Sample(), CALL))
    assert prefix_of(gated, 2) == prefix_of(same, 2) != prefix_of(gated, 0) == "start"
    other = Plan(stages=(Gate(pad_seconds=3), Sample(), CALL))
    assert prefix_of(other, 1) != prefix_of(same, 2)


def test_plans_are_values() -> None:
    assert hash(FULL) == hash(Plan(stages=IN_ORDER))
    with pytest.raises(AttributeError):
        FULL.stages = ()  # type: ignore[misc]
