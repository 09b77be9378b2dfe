"""The decision, from measurements that are given: nothing is timed here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.probe.likeness import Likeness
from reelwise.probe.speed import Speed
from reelwise.probe.verdict import DISTIL, QUANTIZE, Floors, judge


def speed(ratio, low=None, high=None):
    low, high = ratio * 0.95 if low is None else low, ratio * 1.05 if high is None else high
    return Speed(ratio=ratio, low=low, high=high, teacher_ms=2.0, student_ms=2.0 / ratio, rounds=50, clock="cpu")


def alike(mean, p5):
    return Likeness(mean=mean, low=mean, high=mean, p5=p5, worst=0.0, frames=100)


def test_what_this_network_measures_at_8_bits_is_refused_for_both_reasons():
    """speed and IoU of the general network: anchors, segmentation, section 2."""
    verdict = judge("quantize", speed(0.79), alike(0.971, 0.959), QUANTIZE)

    assert not verdict.accepted
    assert verdict.why[0].startswith("it is slower: 0.79 times")
    assert "IoU 0.971 on average, 0.98 is asked for" in verdict.why[1]


def test_a_dense_network_is_accepted():
    verdict = judge("quantize", speed(4.05), alike(0.991, 0.982), QUANTIZE)

    assert verdict.accepted
    assert verdict.why == ("4.05 times as fast at IoU 0.991 (5th percentile 0.982)",)


def test_fast_and_wrong_and_right_and_slow_are_refused():
    assert not judge("distil", speed(5.4), alike(0.817, 0.254), DISTIL).accepted
    assert not judge("distil", speed(0.9), alike(1.0, 1.0), DISTIL).accepted
    assert judge("distil", speed(5.4), alike(0.958, 0.938), DISTIL).accepted


def test_good_on_average_with_bad_moments_is_refused():
    verdict = judge("distil", speed(5.4), alike(0.96, 0.3), DISTIL)

    assert not verdict.accepted
    assert "bad moments" in verdict.why[0]


def test_faster_only_by_chance_is_refused():
    assert not judge("quantize", speed(1.03, low=0.95, high=1.1), alike(1.0, 1.0), QUANTIZE).accepted
    asked = Floors(iou=0.9, iou_p5=0.9, ratio=2.0)
    assert "not fast enough" in judge("quantize", speed(1.5), alike(1.0, 1.0), asked).why[0]


@given(st.floats(0.1, 10), st.floats(0, 1), st.floats(0, 1))
def test_it_is_accepted_exactly_where_all_floors_are_met(ratio, mean, p5):
    p5 = min(mean, p5)
    verdict = judge("quantize", speed(ratio), alike(mean, p5), QUANTIZE)

    assert verdict.accepted == (ratio * 0.95 > 1 and mean >= 0.98 and p5 >= 0.95)
    assert verdict.why


@pytest.mark.parametrize("lever", ["quantize", "distil"])
def test_what_is_measured_becomes_facts_that_are_known(lever, tmp_path):
    from reelwise.evidence_store import read_store
    from reelwise.facts import Facts
    from reelwise.measured import keep, probe_entries

    entries = probe_entries(
        lever, speed_ratio=(0.79, 0.74, 0.84), quality=(0.971, 0.96, 0.98), source="a test", on="a clip"
    )
    keep(tmp_path, entries, clips=[("a.mkv", "0" * 16)], seconds=3)
    facts = Facts.load(measured=read_store(tmp_path))

    assert facts.get(f"probe.{lever}.speed_ratio") == (0.79, 1)
    assert facts.get(f"quality.{lever}") == (0.971, 1)
    assert facts.known(f"probe.{lever}.speed_ratio")


def test_a_speed_whose_low_end_is_open():
    from reelwise.measured import host_entry

    assert host_entry("gpu", (3.0, 0.0, 5.0), source="a test").fact.low is None
