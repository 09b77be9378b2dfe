"""Masks of a cheaper way beside the full plan's, on a sample, under a budget."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
import yaml

from reelwise.case import make
from reelwise.cli import main
from reelwise.errors import BudgetError, EndpointError, InputError
from reelwise.live.mask_agreement import mask_agreement
from reelwise.live.target import Target
from reelwise.live.verifying import MaskCheck, verify_masks
from reelwise.plan import Plan
from reelwise.run.agreement import Scored
from reelwise.run.audit import decode_clips
from reelwise.stages import Call, Crop, Sample, Scale
from reelwise.video.writer import write_mp4

CALL = Call(model="aws/rekognition/group1")
FULL = Plan(stages=(CALL,))
WORKLOAD = {
    "feature": "blur", "kind": "segment", "day": "2026-11-22", "demand": {"hours": 1},
    "source": {"width": 160, "height": 96, "fps": 10}, "plan": {"stages": [{"stage": "call", "model": CALL.model}]},
}  # fmt: skip


class Bright:
    """A model that finds what is bright, and counts its calls."""

    name = "bright"

    def __init__(self, fails: bool = False):
        self.calls, self.fails, self.sizes = 0, fails, set()

    def __call__(self, frame):
        self.calls += 1
        if self.fails:
            raise EndpointError("away")
        self.sizes.add(frame.shape[:2])
        return (frame[..., 0] > 128).astype(np.float32)


def draw(path, seconds, *, pixels_a_second=12.0, moves_from=0.0, seed=0):
    """Draw a bright box that goes to and fro over a dark wall."""
    wall = np.random.default_rng(seed).integers(20, 60, (12, 20), np.uint8).repeat(8, 0).repeat(8, 1)
    grey = np.full((48, 80), 128, np.uint8)

    def planes():
        for index in range(seconds * 10):
            picture = wall.copy()
            at = int(max(0.0, index / 10 - moves_from) * pixels_a_second) % 200
            at = at if at < 100 else 200 - at
            picture[20:76, at : at + 50] = 220
            yield picture, grey, grey

    write_mp4(path, planes(), width=160, height=96, fps=10)
    return path


@pytest.fixture(scope="session")
def boxes(tmp_path_factory):
    """Three clips of 30 s; in the last one nothing moves for the first twenty."""
    folder = tmp_path_factory.mktemp("boxes")
    clips = [draw(folder / f"box{n}.mp4", 30, seed=n, moves_from=20.0 if n == 2 else 0.0) for n in range(3)]
    return decode_clips(clips, None, None)


def check(cheap=FULL, model=None, price=1_000_000, **more):
    case = make(WORKLOAD, where="test")
    return MaskCheck(case=case, full=FULL, cheap=cheap, model=model or Bright(), price_nano=Fraction(price), **more)


def sampled(fps):
    return Plan(stages=(Sample(fps=fps), CALL))


def test_masks_that_are_held_longer_agree_less_and_cost_less(boxes):
    found = [verify_masks(check(sampled(fps)), boxes) for fps in (5.0, 2.0, 0.5)]
    masks = [one.agreements[0] for one in found]

    assert [one.what for one in masks] == ["masks"] * 3
    assert masks[0].value > masks[1].value > masks[2].value
    assert masks[0].value > 0.9 > masks[2].value
    assert [one.factor for one in found] == pytest.approx([2.0, 5.0, 20.0], rel=0.05)
    for one in masks:
        assert one.p5 <= one.value
        assert one.low <= one.value <= one.high
        assert one.p5_low <= one.p5 <= one.p5_high
        assert one.clips == 3
    assert found[0].drawn.quiet > 0
    assert found[0].drawn.active_drawn + found[0].drawn.quiet_drawn == 9


def test_compared_frames_are_not_those_that_an_even_pace_sends(boxes):
    """At two frames a second and a frame compared in half a second, a fixed step would see fresh masks only."""
    found = verify_masks(check(sampled(2.0)), boxes[:1])

    assert found.agreements[0].value < 0.97


def test_the_loop_holds_its_quality_with_fewer_calls_than_there_are_frames(boxes):
    model = Bright()
    found = verify_masks(check(model=model, target=Target(quality=0.9)), boxes)
    masks = found.agreements[0]

    assert masks.value > 0.9
    assert found.factor > 2
    assert found.cheap_plan.startswith("live: ")
    assert model.calls == pytest.approx(found.cost_usd * 1000)


def test_a_region_and_a_smaller_size_are_what_the_model_gets_and_masks_are_put_back(boxes):
    box = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    half = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))
    model = Bright()
    whole = verify_masks(
        check(Plan(stages=(Crop(mode="fixed", polygon=box), Scale(long_side=80), CALL)), model), boxes[:1]
    )
    lost = verify_masks(check(Plan(stages=(Crop(mode="fixed", polygon=half), CALL))), boxes[:1])

    assert model.sizes == {(96, 160), (48, 80)}
    assert whole.agreements[0].value > 0.9
    assert lost.agreements[0].value < 0.8


@pytest.mark.parametrize("target", [None, Target(quality=0.9)])
@pytest.mark.parametrize("calls", [60, 130, 135, 500, 899])
def test_the_budget_is_never_passed_and_is_used(boxes, target, calls):
    model = Bright()
    cheap = FULL if target is not None else sampled(2.0)
    one = check(cheap, model, target=target, most_nano=calls * 1_000_000)
    if (calls < 121 and target is not None) or calls < 40:
        with pytest.raises(BudgetError, match="does not pay for one part"):
            verify_masks(one, boxes)
        assert model.calls == 0
        return
    found = verify_masks(one, boxes)

    assert model.calls <= calls
    assert found.cost_usd == pytest.approx(model.calls / 1000)
    assert found.items > 0


def test_a_model_that_never_answers_is_an_error_and_asked_three_times(boxes):
    model = Bright(fails=True)
    with pytest.raises(EndpointError, match="no mask came from it"):
        verify_masks(check(sampled(1.0), model), boxes)
    assert model.calls == 3


def test_plans_that_send_the_same_are_refused(boxes):
    with pytest.raises(InputError, match="sends what the full one sends"):
        verify_masks(check(sampled(30.0)), boxes)


def test_frames_of_one_part_have_no_interval_and_clusters_widen_it():
    alone = mask_agreement([Scored(0.9, "a")] * 50, 1)
    many = mask_agreement([Scored(0.8 + 0.02 * (n % 10), f"clip{n % 10}") for n in range(200)], 10)
    few = mask_agreement([Scored(0.8 + 0.02 * (n % 10), f"clip{n % 2}") for n in range(200)], 2)

    assert (alone.low, alone.high) == (0.0, 1.0)
    assert many.high - many.low < few.high - few.low
    assert many.p5 == pytest.approx(0.8)


@pytest.mark.usefixtures("installed_person")
def test_the_person_network_on_a_drawn_person(person_clip, tmp_path, capsys):
    workload = tmp_path / "blur.yaml"
    tree = {
        **WORKLOAD,
        "source": {"width": 480, "height": 270, "fps": 10},
        "levers": [{"lever": "sample_frames", "fps": 1}],
    }
    workload.write_text(yaml.safe_dump(tree))

    def told(*words, code=0):
        with pytest.raises(SystemExit) as stopped:
            main(["verify", str(workload), str(person_clip), "--max-usd", "1", "--json", *words])
        out, err = capsys.readouterr()
        assert stopped.value.code == code, err
        return json.loads(out)

    live = told("--live", "--quality", "0.95")
    held = told("--floor", "0.99", code=3)

    assert live["agreements"][0]["what"] == held["agreements"][0]["what"] == "masks"
    assert live["agreements"][0]["value"] > 0.95
    assert live["agreements"][0]["value"] > held["agreements"][0]["value"]
    assert held["factor"] == pytest.approx(10, rel=0.05)
    assert any("one clip" in note for note in live["notes"])


def test_what_cannot_go_together_is_said(tmp_path, boxes, capsys):
    workload = tmp_path / "blur.yaml"
    workload.write_text(yaml.safe_dump(WORKLOAD))
    clip = boxes[0].info.path
    for words, said in (
        ((), "sends what the full one sends"),
        (("--sandbox",), "no sandbox draws masks"),
        (("--quality", "0.9"), "--live"),
        (("--live", "--quality", "0.2"), "a quality is an IoU"),
        (("--live", "--model", "nothing:here"), "nothing"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(["verify", str(workload), str(clip), *words])
        assert stopped.value.code == 2
        assert said in capsys.readouterr().err
