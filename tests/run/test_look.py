"""How an audit finds the active stretches: the cheapest signal that loses nothing, what it cost, and what it lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reelwise.case import make
from reelwise.cli.audit import cli
from reelwise.errors import DocumentError, MediaError
from reelwise.facts import settings_hash
from reelwise.levers import find
from reelwise.price import price_one
from reelwise.run.audit import audit, decode_clips
from reelwise.run.footage import halves, part_of, piece_of, segments
from reelwise.run.look import _overlap, _seen, full_cpu, look, scan_total
from reelwise.run.measure import collect, entries_of
from reelwise.run.scans import Scans
from reelwise.scan import Event, Scan, Spent
from reelwise.stages import Gate
from reelwise.stages.decoding import CPU, SCAN_CPU, VCPUS
from reelwise.video import active_seconds, gate

TREE = {
    "feature": "bay",
    "day": "2026-11-22",
    "demand": {"hours": 1000},
    "source": {"width": 320, "height": 180, "fps": 10},
    "latency": "day",
    "prompt": {"prefix": 1500, "question": 100, "output": 400},
    "model": "gemini-2.5-pro",
}


@pytest.fixture(scope="module")
def track(drawn_clip):
    return decode_clips([drawn_clip])[0]


@pytest.fixture(scope="module")
def case():
    return make(TREE, where="test")


@pytest.fixture(scope="module")
def activities(track):
    found = gate(track, pad_seconds=0.0, join_seconds=0.0)
    assert found, "something happens in the drawn clip"
    return found


def answer(track, events, *, method="packets", decoded=0, cpu=0.01):
    """A scan as it might be: packets read, then some pictures decoded."""
    return Scan(
        path=track.info.path, mode="exact", method=method, why="it is so", codec="h264", seconds=track.seconds,
        frames=track.frames, events=tuple(Event(start_seconds=a, stop_seconds=b) for a, b in events), kept_share=0.0,
        frames_decoded_share=decoded / track.frames, realtime_factor=1.0, cpu_seconds=cpu,
        signals=(
            Spent(signal="packets", cpu_seconds=cpu / 4, frames_decoded=0),
            Spent(signal="sample", cpu_seconds=cpu / 4, frames_decoded=2),
            Spent(signal="luma", cpu_seconds=cpu / 2, frames_decoded=decoded),
        ),
        stretches=(), separable=True, bound_seconds=4.0, blind_seconds=0.0, bound_share=0.2, notes=(),
    )  # fmt: skip


def looked(case, track, answers, settings=None, *, is_free=True):
    """Look with scans that answer by method; an error is raised."""

    def scans(path, *, mode, method):
        assert (path, mode) == (track.info.path, "exact")
        if isinstance(answers[method], Exception):
            raise answers[method]
        return answers[method]

    return look(case, [track], scans, settings or Gate(), is_free=is_free)


class TestMethod:
    """The audit has decoded everything: it knows what a cheaper signal loses."""

    def test_the_cheapest_that_loses_nothing_is_taken(self, case, track, activities):
        taken, said = looked(case, track, {"auto": answer(track, activities)})

        assert (taken.method, said.method, said.is_safe) == ("auto", "auto", True)
        assert said.clips[0].method == "packets"
        assert said.clips[0].why == "it is so"
        assert said.clips[0].lost == ()
        assert said.clips[0].change_kept_share == pytest.approx(1, abs=0.02)

    def test_what_loses_activity_gives_way_to_the_next_dearer(self, case, track, activities):
        taken, said = looked(case, track, {"auto": answer(track, ()), "luma": answer(track, activities, method="luma")})

        assert taken.method == "luma"
        assert [(one.method, one.lost) for one in said.tried] == [("auto", len(activities)), ("luma", 0)]
        assert f"auto loses {len(activities)} of {len(activities)}" in said.chosen

    def test_a_full_decode_is_the_last_resort_and_loses_nothing(self, case, track):
        taken, said = looked(case, track, {"auto": answer(track, ()), "luma": answer(track, ())})

        assert taken.method == "full"
        assert said.is_safe
        assert said.clips[0].method == "full"
        assert said.clips[0].lost == ()
        assert said.factor == 1
        assert [one.signal for one in said.signals] == ["full"]

    def test_decoding_more_pictures_than_there_are_is_no_saving(self, case, track, activities):
        twice = answer(track, activities, decoded=2 * track.frames)
        taken, said = looked(case, track, {"auto": twice, "luma": answer(track, activities, method="luma")})

        assert taken.method == "luma"
        assert "some twice" in said.chosen

    def test_nor_is_taking_longer_than_a_full_decode(self, case, track, activities):
        slow = answer(track, activities, cpu=3 * full_cpu(track))
        taken, said = looked(case, track, {"auto": slow, "luma": slow})

        assert taken.method == "full"
        assert "auto takes 3.0 times the processor time of a full decode (by packets)" in said.chosen

    def test_a_method_that_was_asked_for_stays_and_what_it_loses_is_a_warning(self, track):
        found = audit([track], TREE | {"levers": [{"lever": "gate", "method": "packets"}]})

        assert found.look.method == "packets"
        assert not found.look.is_safe
        assert found.look.clips[0].lost
        assert any("method packets sees nothing of" in text for text in found.warnings)

    def test_a_file_that_cannot_be_scanned_is_decoded(self, case, track):
        taken, said = looked(case, track, {"auto": MediaError("no packets")})

        assert taken.method == "auto"
        assert said.clips[0].method == "full"
        assert "no packets" in said.clips[0].why
        assert [one.signal for one in said.signals] == ["not scanned", "full"]
        assert scan_total(said).cpu_seconds == said.signals[-1].cpu_seconds

    def test_or_an_error_where_the_method_was_asked_for(self, case, track):
        with pytest.raises(MediaError, match="no packets"):
            looked(case, track, {"luma": MediaError("no packets")}, Gate(method="luma"), is_free=False)

    def test_what_hardly_changes_is_no_loss(self, case, track, activities):
        """A full decode may call active what differs from the background by a hair; nothing moves there."""
        start, stop = activities[0]
        still = track.change.copy()
        inside = (track.times >= start) & (track.times < stop)
        still[inside] *= 1e-4
        other = replace(track, change=still)
        _, said = looked(case, other, {"auto": answer(track, activities[1:])})

        assert said.clips[0].faint == 1
        assert said.clips[0].lost == ()
        assert said.tried[0].activities == len(activities) - 1


class TestCut:
    """Spans that overlap are found in one pass, however many there are."""

    @given(
        st.lists(st.integers(0, 60), max_size=24, unique=True), st.lists(st.integers(0, 60), max_size=24, unique=True)
    )
    def test_the_cut_is_what_lies_in_both(self, one, two):
        rows = [tuple(itertools.pairwise(sorted(ends)))[::2] for ends in (one, two)]
        cut = _overlap(*rows)
        inside = [any(a <= at < b for a, b in cut) for at in range(61)]

        assert inside == [all(any(a <= at < b for a, b in row) for row in rows) for at in range(61)]

    @given(st.lists(st.integers(0, 60), max_size=24, unique=True), st.integers(0, 60))
    def test_an_event_near_an_activity_is_seen(self, ends, start):
        events = tuple((float(a), float(b)) for a, b in tuple(itertools.pairwise(sorted(ends)))[::2])

        assert _seen((start, start + 2), events) == any(a < start + 2.5 and b > start - 0.5 for a, b in events)


class TestCost:
    def test_what_signals_saved_sums_to_what_the_scan_saved(self, case, track, activities):
        _, said = looked(case, track, {"auto": answer(track, activities, decoded=30, cpu=0.02)})
        whole = scan_total(said)
        full = said.signals[-1]

        assert full.signal == "full"
        assert full.cpu_seconds == pytest.approx(full_cpu(track))
        assert whole.cpu_seconds == pytest.approx(0.02)
        assert whole.saved_cpu_seconds == pytest.approx(full_cpu(track) - 0.02)
        assert {one.signal: one.frames_decoded for one in said.signals} == {
            "packets": 0, "sample": 2, "luma": 30, "full": track.frames
        }  # fmt: skip
        assert next(one for one in said.signals if one.signal == "sample").saved_cpu_seconds == pytest.approx(-0.005)

    def test_dollars_are_those_of_the_cpu_for_the_months_hours(self, case, track, activities):
        _, said = looked(case, track, {"auto": answer(track, activities)})
        each = float(case.book.rate(CPU, "hour").usd) / 3600 / VCPUS

        for one in said.signals:
            expected = one.saved_cpu_seconds / track.seconds * 1000 * 3600 * each
            assert one.saved_usd_month == pytest.approx(expected)

    def test_the_bill_has_the_scan_in_place_of_the_full_decode(self, case, track, activities):
        """Half the CPU in the scan is half of what the gate's line costs."""
        bills = {}
        for name, cpu in (("dear", 0.2), ("cheap", 0.1)):
            scans = lambda _path, cpu=cpu, **_: answer(track, activities, cpu=cpu)  # noqa: E731
            plan = find("gate").apply(case.plan)
            _, _, tally = collect(plan, [piece_of(case.workload, track, scans)], case.facts, case.book)
            entries = entries_of(tally, None, footage="bay", on="x", day=case.day)
            assert settings_hash(("auto", "exact")) in {one.settings for one in entries if one.name == SCAN_CPU}
            bill = price_one(case.workload, plan, case.facts.with_entries(entries), case.book)
            bills[name] = sum(float(np.sum(line.usd)) for line in bill.lines if line.stage == "gate")
        assert bills["dear"] == pytest.approx(2 * bills["cheap"])
        assert bills["cheap"] > 0

    def test_a_full_gate_costs_a_full_decode(self, case, track):
        plan = case.plan.put(Gate(method="full"))
        out, left, tally = collect(plan, [piece_of(case.workload, track)], case.facts, case.book)
        (usage,) = (one for one in out.usages if one.stage == "gate")
        cpu, _ = case.facts.get("decode.cpu_seconds_per_second")

        assert usage.quantity == pytest.approx(track.seconds * cpu / 3600 / VCPUS)
        assert left[0].item.decoded
        assert SCAN_CPU not in {name for name, _, _ in tally.sums}
        assert left[0].stretches == gate(track)


class TestParts:
    """Halves and segments are judged by the scan of the whole file, cut at their ends."""

    def test_parts_of_a_clip_have_the_parts_of_its_events(self, case, track, activities):
        scans = lambda _path, **_: answer(track, activities)  # noqa: E731
        bare = Gate(pad_seconds=0.0, join_seconds=0.0)
        whole = bare.find(piece_of(case.workload, track, scans))
        parts = [bare.find(piece_of(case.workload, one, scans)) for one in (*halves(track),)]

        assert active_seconds(whole.events) == pytest.approx(active_seconds(activities))
        assert sum(active_seconds(one.events) for one in parts) == pytest.approx(active_seconds(whole.events))
        for one, part in zip(parts, halves(track), strict=True):
            assert all(0 <= a < b <= part.seconds for a, b in one.stretches)

    def test_a_part_of_a_part_knows_where_it_lies(self, track):
        part = part_of(part_of(track, 4, 10), 2, 5)

        assert part.start_seconds == pytest.approx(6)
        assert segments(track)[0].start_seconds == 0

    def test_padding_joins_and_stays_within_the_part(self, case, track):
        scans = lambda _path, **_: answer(track, ((0.2, 1.0), (3.0, 4.0), (9.0, 9.5)))  # noqa: E731
        found = Gate(pad_seconds=0.5, join_seconds=1.0).find(piece_of(case.workload, track, scans))

        assert found.stretches == ((0.0, 4.5), (8.5, 10.0))


class TestScans:
    def test_a_file_is_scanned_once_for_each_way_of_looking(self, track):
        scans = Scans()

        assert scans(track.info.path) is scans(track.info.path)
        assert scans(track.info.path, mode="coarse") is not scans(track.info.path)

    def test_no_more_is_scanned_than_was_decoded(self, drawn_clip):
        """`--seconds` bounds the work, not only the answer."""
        (head,) = decode_clips([drawn_clip], seconds_max=5)
        found = Scans([head])(head.info.path)

        assert found.path == head.info.path
        assert found.seconds == pytest.approx(5, abs=0.6)
        assert found.frames < 60


def test_the_receipt_is_printed_with_method_reason_and_what_it_costs_in_production(drawn_clip, tmp_path):
    found = CliRunner().invoke(
        cli,
        [
            str(drawn_clip),
            "--out",
            str(tmp_path / "out"),
            "--evidence",
            str(tmp_path / "facts"),
            "--day",
            "2026-11-22",
            "--levers",
            "gate,batch_api",
        ],
    )

    assert found.exit_code == 0, found.output
    assert "How the active stretches are found: method " in found.stdout
    assert "full decode" in found.stdout
    assert "CPU s saved" in found.stdout
    assert "This audit decoded everything once" in found.stdout or "method full" in found.stdout


def test_a_plan_with_a_threshold_for_packets_is_refused():
    plan = {"stages": [{"stage": "gate", "method": "packets", "threshold": 0.1}, {"stage": "call", "model": "gpt-4o"}]}
    tree = {key: value for key, value in TREE.items() if key != "model"}
    with pytest.raises(DocumentError, match="packets has no threshold"):
        make({**tree, "plan": plan}, where="test")


def test_scans_of_real_clips_lose_nothing_that_moves(shared_clips):
    found = audit(decode_clips([shared_clips / "intel_car-detection.mp4"]), TREE)

    assert found.look.is_safe
    assert found.look.clips[0].change_kept_share > 0.95
    assert np.isfinite(found.look.factor)
