"""Cropping to a region: a detector of the user's own, sizes fitted to a model's tokens, and what a plan may name."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reelwise.errors import DocumentError, InputError
from reelwise.evidence import Fact
from reelwise.facts import Entry, Facts
from reelwise.flow import Item, Out, Piece, Tally
from reelwise.plan import Plan
from reelwise.price import price_one
from reelwise.rates import Book
from reelwise.run.footage import piece_of
from reelwise.stages import Call, Crop, Sample
from reelwise.stages.detector import load_detector
from reelwise.tokens import rule_for
from reelwise.workload import Demand, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = dt.date(2026, 11, 22)
FACTS = Facts([Entry(name="decode.cpu_seconds_per_second", fact=Fact(value=0.03))])
JOB = Workload(feature="yard", demand=Demand(hours=1))
MODELS = ("gpt-4o", "gpt-5.4", "gemini-2.5-pro", "gemini-3-pro-preview", "claude-opus-5-5", "llama-4-maverick")


@pytest.fixture(scope="module")
def piece(drawn_clip: Path) -> Piece:
    from reelwise import video

    return piece_of(JOB, video.track(drawn_clip))


def cropped(stage: Crop, piece: Piece, tally: Tally | None = None) -> Piece:
    out = Out(Book.load(DAY), DAY, tally)
    out.prefix = lambda: "start"
    (after,) = stage.process([piece], FACTS, out)
    return after


@settings(deadline=None)
@given(
    corners=st.tuples(*[st.floats(0, 1)] * 4),
    size=st.tuples(st.integers(64, 2600), st.integers(64, 2600)),
    model=st.sampled_from(MODELS),
    multiple=st.sampled_from((1, 2, 16, 28)),
)
def test_a_snapped_crop_holds_its_region_and_costs_no_more_than_the_frame_nor_than_the_region(
    expect: Any, corners: tuple[float, ...], size: tuple[int, int], model: str, multiple: int
) -> None:
    (left, right), (top, bottom) = sorted(corners[:2]), sorted(corners[2:])
    if right - left < 1e-3 or bottom - top < 1e-3:
        return
    one = Item(count=1.0, seconds=1.0, frames=1.0, width_px=size[0], height_px=size[1])
    plain = Crop(mode="fixed", polygon=((left, top), (right, top), (right, bottom)), multiple=multiple)
    (unsnapped,), _ = expect(plain, one)
    (after,), _ = expect(replace(plain, snap_model=model), one)
    tokens = rule_for(model, DAY).image
    cost = tokens(after.width_px, after.height_px)
    assert cost <= tokens(unsnapped.width_px, unsnapped.height_px)
    assert cost <= tokens(*size)
    assert unsnapped.width_px <= after.width_px <= size[0]
    assert unsnapped.height_px <= after.height_px <= size[1]


def test_on_a_tie_the_region_is_sent_and_not_the_frame(expect: Any) -> None:
    one = Item(count=1.0, seconds=1.0, frames=1.0, width_px=320, height_px=180)
    corner = Crop(mode="fixed", polygon=((0, 0), (0.5, 0), (0.5, 0.5)), snap_model="gpt-4o")
    (after,), _ = expect(corner, one)
    assert (after.width_px, after.height_px) == (160, 90), "255 tokens either way"


def test_the_box_of_a_piece_holds_what_was_active_and_is_as_large_as_what_is_sent(piece: Piece) -> None:
    from reelwise import video

    wanted = video.activity_box(piece.track, piece.stretches, margin=0.02)
    assert wanted is not None
    for stage in (Crop(margin=0.02), Crop(margin=0.02, snap_model="gemini-2.5-pro"), Crop(margin=0.02, multiple=16)):
        after = cropped(stage, piece)
        left, top, right, bottom = after.box
        assert left <= wanted.left + 1e-9
        assert top <= wanted.top + 1e-9
        assert right >= wanted.right - 1e-9
        assert bottom >= wanted.bottom - 1e-9
        assert round((right - left) * 320) == after.item.width_px
        assert round((bottom - top) * 180) == after.item.height_px


def test_cropping_to_the_grid_saves_where_cropping_alone_costs_more() -> None:
    """Gemini 2.5 cuts pictures by their short side: a wide strip takes more tiles than the whole frame."""
    facts = Facts.load({"crop.width_share": Fact(value=0.6), "crop.height_share": Fact(value=0.35)})
    call = Call(model="gemini-2.5-pro", part="images")
    whole, plain, snapped = (
        price_one(JOB, Plan(stages=(*crop, Sample(fps=1.0), call)), facts, Book.load(DAY)).total_usd
        for crop in ((), (Crop(),), (Crop(snap_model="gemini-2.5-pro"),))
    )
    assert snapped < whole < plain


# Detectors


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "a_detector_of_ours"
    (tmp_path / f"{name}.py").write_text(
        "seen = []\n"
        "def find(rgb):\n"
        "    seen.append(rgb.shape)\n"
        "    return [(32, 18, 64, 90)] if len(seen) % 2 else []\n"
        "def nothing(rgb): return []\n"
        "def broken(rgb): return 1 / 0\n"
        "def nonsense(rgb): return [(1, 2)]\n"
        "number = 3\n"
    )
    (tmp_path / "broken_on_import.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for module in (name, "broken_on_import"):
        sys.modules.pop(module, None)


def test_a_detector_is_asked_on_pictures_of_the_clip_once(detector: str, piece: Piece) -> None:
    tally = Tally()
    stage = Crop(mode="detector", detector=f"{detector}:find", margin=0.0)
    after = cropped(stage, piece, tally)
    assert after.box == pytest.approx((0.1, 0.1, 0.2, 0.5))
    assert (after.item.width_px, after.item.height_px) == (32, 72)
    assert cropped(stage, piece).box == after.box
    assert sys.modules[detector].seen == [(180, 320, 3)] * 32, "once a clip"
    (name, _, _), sums = next(iter(tally.sums.items()))
    assert (name, sums[0][0] / sums[0][1]) == ("crop.width_share", pytest.approx(0.1))
    wider = cropped(replace(stage, margin=0.05), piece)
    assert wider.box == pytest.approx((0.05, 0.05, 0.25, 0.55), abs=0.01)
    empty = cropped(replace(stage, detector=f"{detector}:nothing"), piece)
    assert empty.box == (0.0, 0.0, 1.0, 1.0)


def test_pricing_never_imports_a_detector(expect: Any, item: Item) -> None:
    stage = Crop(mode="detector", detector="no_such_module_at_all:find")
    stage.check("plan")
    (after,), _ = expect(stage, item, crop__area_share=0.25)
    assert (after.width_px, after.height_px) == (960, 540)


@pytest.mark.parametrize("function", ["broken", "nonsense"])
def test_a_detector_that_fails_is_named(detector: str, function: str, piece: Piece) -> None:
    with pytest.raises(InputError, match="detector"):
        cropped(Crop(mode="detector", detector=f"{detector}:{function}"), piece)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("os:system", "no module of yours"),
        ("builtins:exec", "no module of yours"),
        ("pickle:loads", "no module of yours"),
        ("os.path:exists", "no module of yours"),
        ("reelwise.cli:main", "no module of yours"),
        ("no_such_module_at_all:find", "cannot import no_such_module_at_all: ModuleNotFoundError"),
        ("broken_on_import:find", "cannot import broken_on_import"),
        ("a_detector_of_ours:missing", "no function missing"),
        ("a_detector_of_ours:number", "no function number"),
        ("a_detector_of_ours", "not a detector"),
        ("a b:c", "not a detector"),
        ("a:b;import os", "not a detector"),
        ("../evil:find", "not a detector"),
    ],
)
@pytest.mark.usefixtures("detector")
def test_what_cannot_be_a_detector_is_refused(name: str, says: str) -> None:
    with pytest.raises(DocumentError, match=says) as error:
        load_detector(name)
    assert error.value.hint


def test_a_detector_in_another_mode_is_refused() -> None:
    for stage in (Crop(detector="a:b"), Crop(mode="detector", detector="nonsense")):
        with pytest.raises(DocumentError, match="mode detector"):
            stage.check("plan")


def test_the_built_in_detector_finds_people(person_clip, installed_person) -> None:
    from reelwise import video

    assert installed_person.exists()
    track = video.track(person_clip, seconds_max=4, audio=False)
    item = Item(count=1.0, seconds=4.0, frames=40.0, width_px=480, height_px=270)
    after = cropped(
        Crop(mode="detector", detector="person", margin=0.0), Piece(item=item, track=track, stretches=((0.0, 4.0),))
    )
    left, _, right, bottom = after.box
    assert 0 < left < 0.45
    assert right == 1  # she leaves there
    assert bottom > 0.97


def test_the_built_in_detector_says_how_its_networks_are_installed(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("REELWISE_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="is not installed"):
        load_detector("person")
