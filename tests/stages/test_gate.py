"""A gate only ever takes away, and what it keeps is the active share of the month."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.errors import DocumentError
from reelwise.evidence import Fact
from reelwise.facts import Entry, Facts
from reelwise.flow import Item
from reelwise.stages import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

AMOUNTS = ("seconds", "frames", "audio_seconds", "megabytes")
shares = st.floats(0, 1)


@given(active=shares, kept=shares)
def test_nothing_grows_and_the_months_seconds_are_the_active_share(
    expect: Callable[..., Any], active: float, kept: float
) -> None:
    before = Item(count=9.0, seconds=60.0, frames=1800.0, audio_seconds=60.0, megabytes=30.0, width_px=64, height_px=36)
    left, _ = expect(Gate(), before, gate__active_share=active, gate__kept_share=kept)
    if not left:
        assert active == kept == 0
        return
    (after,) = left
    for name in ("count", *AMOUNTS):
        assert getattr(after, name) <= getattr(before, name) * (1 + 1e-12)
    assert after.count * after.seconds == pytest.approx(9 * 60 * active, abs=1e-9)
    assert (after.width_px, after.height_px) == (64, 36)


def test_footage_without_any_activity_makes_no_call(expect: Callable[..., Any], item: Item) -> None:
    after, out = expect(Gate(), item, gate__active_share=0.0, gate__kept_share=0.0)
    assert after == ()
    assert len(out.usages) == 1, "looking at it is paid all the same"


def test_items_without_activity_drop_out_and_the_others_keep_more_of_theirs(
    expect: Callable[..., Any], item: Item
) -> None:
    (after,), _ = expect(Gate(), item, gate__active_share=0.1, gate__kept_share=0.25)
    assert after.count == pytest.approx(30)
    for name in AMOUNTS:
        assert getattr(after, name) == pytest.approx(getattr(item, name) * 0.4)


def test_looking_is_billed_in_the_cloud_and_not_at_the_edge(expect: Callable[..., Any], item: Item) -> None:
    (cloud,), billed = expect(Gate(method="full"), item, gate__active_share=0.5)
    (edge,), free = expect(Gate(at="edge"), item, gate__active_share=0.5)
    (usage,) = billed.usages
    assert usage.quantity == pytest.approx(120 * 60 * 0.03 / 3600 / 4)
    assert not free.usages
    assert (cloud.place, edge.place) == ("cloud", "edge")
    assert cloud.decoded


def test_a_scan_costs_its_share_of_a_full_decode_until_it_was_measured(expect: Callable[..., Any], item: Item) -> None:
    for method, share in (("auto", 0.4), ("packets", 0.1)):
        (after,), billed = expect(Gate(method=method), item, gate__active_share=0.5)
        (usage,) = billed.usages
        assert usage.quantity == pytest.approx(120 * 60 * 0.03 * share / 3600 / 4)
        assert not after.decoded, "a scan keeps no pictures: who looks at some decodes what is left"
    _, billed = expect(Gate(), item, gate__active_share=0.5, scan__cpu_seconds_per_second=0.001)
    assert billed.usages[0].quantity == pytest.approx(120 * 60 * 0.001 / 3600 / 4)


def test_a_threshold_is_what_a_full_decode_measures(expect: Callable[..., Any], item: Item) -> None:
    (after,), _ = expect(Gate(threshold=0.1), item, gate__active_share=0.5)
    assert after.decoded
    Gate(threshold=0.1, method="full").check("plan")
    with pytest.raises(DocumentError, match="no threshold"):
        Gate(threshold=0.1, method="luma").check("plan")


def test_draws_are_gated_one_by_one(expect: Callable[..., Any], item: Item) -> None:
    drawn = np.array([[0.1], [0.5], [1.0]])
    (after,), _ = expect(Gate(), item, gate__active_share=drawn)
    for index, share in enumerate((0.1, 0.5, 1.0)):
        (one,), _ = expect(Gate(), item, gate__active_share=share)
        assert after.seconds[index, 0] == one.seconds
        assert np.broadcast_to(after.count, (3, 1))[index, 0] == one.count


def test_a_gate_keeps_where_people_are(person_clip, installed_person) -> None:
    from reelwise import video
    from reelwise.flow import Out, Piece, Tally
    from reelwise.rates import Book

    assert installed_person.exists()
    track = video.track(person_clip, audio=False)
    item = Item(count=1.0, seconds=20.0, frames=200.0, width_px=480, height_px=270)
    tally, facts, day = Tally(), Facts.load(), dt.date(2026, 11, 22)
    stage = Gate(method="person", pad_seconds=0.0, join_seconds=0.0)
    (kept,) = stage.process(
        [Piece(item=item, track=track, stretches=((0.0, 20.0),))], facts, Out(Book.load(day), day, tally)
    )
    assert kept.item.seconds == pytest.approx(16.7, abs=0.6)
    assert len(kept.stretches) == 2
    assert {name for name, _, _ in tally.sums} == {
        "gate.active_share",
        "gate.kept_share",
        "scan.cpu_seconds_per_second",
    }
    (after,) = stage.expect(
        item, facts.with_entries([Entry(name="gate.active_share", fact=Fact(value=0.8))]), Out(Book.load(day), day)
    )
    assert after.seconds == pytest.approx(16)
