"""An audit on a clip the project draws: counts, facts, projection, and what is said of it."""

from __future__ import annotations

import json

import msgspec
import pytest

from reelwise.case import make
from reelwise.evidence_store import read_store
from reelwise.levers import find
from reelwise.price import price_one
from reelwise.run.audit import audit, decode_clips, default_tree
from reelwise.run.footage import halves, part_of, piece_of, segments
from reelwise.run.measure import collect, entries_of, interval, wilson
from reelwise.run.pace import even_pace_says
from reelwise.run.result import EvenPace

TREE = {
    "feature": "bay",
    "day": "2026-11-22",
    "demand": {"cameras": 2, "hours_a_day": 24},
    "source": {"width": 320, "height": 180, "fps": 10},
    "latency": "day",
    "prompt": {"prefix": 1500, "question": 100, "output": 400},
    "model": "gemini-2.5-pro",
}


@pytest.fixture(scope="module")
def track(drawn_clip):
    return decode_clips([drawn_clip])[0]


@pytest.fixture(scope="module")
def result(track):
    return audit([track], TREE)


class TestCounts:
    def test_frames_sent_are_whole_and_no_more_than_there_are(self, result):
        for one in result.levers:
            if one.counted and one.lever != "contact_sheet":
                assert one.frames_with == int(one.frames_with)
                assert one.frames_with <= one.frames_without

    def test_naive_is_a_frame_a_second(self, result):
        assert result.levers[0].frames_without == 12

    def test_stages_take_frames_away_in_order(self, result):
        for row in result.stages:
            assert row.frames_out <= row.frames_in + 1e-9
            assert row.cpu_seconds >= 0

    def test_sampling_says_what_it_throws_away(self, result):
        one = next(one for one in result.levers if one.lever == "sample_frames")

        assert "not sent" in one.thrown_away
        assert one.coverage is not None
        assert 0 <= one.coverage <= 1
        assert one.lost
        assert all(0 <= moment.seconds <= 12 for moment in one.lost)

    def test_sampling_is_held_against_as_many_frames_at_an_even_pace(self, result, track):
        from reelwise.video import judge, sample_uniform_budget

        one = next(one for one in result.levers if one.lever == "sample_frames")
        (pace,) = one.even_pace
        assert (pace.clip, pace.by, pace.frames) == ("bay.mp4", "change", one.frames_with)
        assert pace.frames_even == pace.frames
        even = judge(track, sample_uniform_budget(track, ((0.0, track.seconds),), pace.frames), ((0.0, track.seconds),))
        assert pace.even["events_share"] == even.events_share
        assert pace.even["change_share"] == even.change_share
        assert pace.verdict in {"better", "level", "worse"}
        assert "as many at an even pace (activities with a frame in them" in one.even_pace_says
        assert all(not other.even_pace for other in result.levers if other.lever in {"gate", "batch_api"})

    def test_sampling_evenly_says_that_it_is_the_even_pace(self, track):
        (one,) = audit([track], {**TREE, "levers": [{"lever": "sample_frames", "fps": 0.5}]}).levers
        assert one.even_pace[0].verdict == "level"
        assert "This is the even pace" in one.even_pace_says

    def test_what_needs_a_model_is_said_not_to_be_counted(self, result):
        counted = {one.lever: one.counted for one in result.levers}

        assert counted["route"] is False
        assert counted["gate"] is True


class TestEvenPace:
    def test_many_clips_are_counted_by_verdict_and_one_frame_is_one(self):
        def row(verdict: str, frames: int = 1) -> EvenPace:
            figures = {"events_share": 0.5, "change_share": None}
            judged = ("events_share", "change_share")
            return EvenPace(
                clip="a.mp4", by="change", frames=frames, frames_even=frames, chosen=figures, even=figures,
                judged_by=judged, verdict=verdict,
            )  # fmt: skip

        assert even_pace_says(()) == ""
        assert even_pace_says([row("level")]) == (
            "1 frame by change: no better than as many at an even pace (activities with a frame in them 50.0%, evenly 50.0%)."
        )
        said = even_pace_says([row("better"), row("worse"), row("better")])
        assert said.endswith("better on 2, level on 0, WORSE on 1 of 3 clips.")


class TestFacts:
    def test_counted_equals_expected_under_the_exact_key(self, track):
        """The same plan, priced with the facts it was measured with, sends what was counted."""
        case = make(TREE, where="test")
        plan = find("downscale").apply(find("gate").apply(case.plan))
        piece = piece_of(case.workload, track)
        out, _, tally = collect(plan, [piece], case.facts, case.book)
        facts = case.facts.with_entries(entries_of(tally, None, footage="bay", on="bay.mp4", day=case.day))
        from reelwise.flow import Out
        from reelwise.plan import fold

        expected = Out(case.book, case.day)
        fold(plan, [piece.item], facts, expected)

        for counted, guess in zip(out.requests, expected.requests, strict=True):
            assert float(guess.tokens_audio) == pytest.approx(float(counted.tokens_audio))
            assert float(guess.tokens_video) == pytest.approx(float(counted.tokens_video))
            assert float(guess.count) == pytest.approx(float(counted.count))

    def test_interval_holds_the_value(self, result):
        for fact in result.facts:
            assert fact.low <= fact.value <= fact.high

    def test_a_share_seen_in_few_segments_is_not_sure(self):
        """Twelve seconds in one segment or two cannot say a share to the percent."""
        assert wilson(0.0, 5)[1] > 0.3
        assert wilson(1.0, 5)[0] < 0.7
        assert wilson(0.5, 1000) == pytest.approx((0.474, 0.526), abs=1e-3)

    def test_interval_of_equal_segments_is_a_point_and_of_one_segment_nothing(self):
        assert interval([(1.0, 2.0)] * 5, 0.5, 0) == (0.5, 0.5)
        assert interval([(1.0, 2.0)], 0.5, 0) == (None, None)

    def test_kept_in_a_store_and_read_back_by_price(self, track, tmp_path):
        audit([track], TREE, evidence=tmp_path)
        entries = read_store(tmp_path)
        case = make(TREE, where="test", measured=entries)
        other = make({**TREE, "feature": "another"}, where="test", measured=entries)

        assert {"gate.active_share", "sample.frames_per_second"} <= {entry.name for entry in entries}
        assert find("gate").applies(case.workload, case.plan, case.facts, case.book).ok
        assert not find("gate").applies(other.workload, other.plan, other.facts, other.book).ok


class TestMonth:
    def test_final_is_within_its_band(self, result):
        p10, p50, p90 = result.band_final

        assert p10 <= p50 <= p90
        assert p10 <= result.stack.final_usd_month <= p90

    def test_naive_month_is_the_demand_at_list_price(self, result):
        """2 cameras, 1,460 hours, 290 tokens a second, an hour a call: above the cliff of 200,000 tokens."""
        calls = 1460
        tokens = 3600 * (258 + 32) + 1600

        assert result.stack.naive_usd_month == pytest.approx(calls * (tokens * 2.5 + 400 * 15) / 1e6, rel=1e-6)

    def test_both_halves_are_predicted_for_all_levers_and_each_alone(self, result):
        plans = {row.plan for row in result.holdout}

        assert "all levers" in plans
        assert "gate alone" in plans
        assert result.holdout_error == max(abs(row.error) for row in result.holdout)

    def test_a_short_clip_is_said_not_to_be_a_month(self, result):
        assert any("not a month" in text for text in result.warnings)

    def test_without_a_workload_it_says_what_it_assumed(self, track):
        tree, assumed = default_tree([track])
        found = audit([track])

        assert found.assumed == assumed
        assert tree["source"]["width"] == 320

    def test_named_levers_are_pulled_in_their_order(self, track):
        found = audit([track], TREE, levers=("batch_api", "downscale"))

        assert [step.lever for step in found.stack.steps] == ["batch_api", "downscale"]


class TestNothingToSee:
    """What was not seen is no saving: an idle, silent or one-frame clip must not make the month free."""

    @pytest.fixture
    def still(self, tmp_path):
        """A clip whose picture never changes, and whose sound is off."""
        import numpy as np

        from reelwise.video.writer import write_mp4

        planes = (
            np.full((180, 320), 90, np.uint8),
            np.full((90, 160), 120, np.uint8),
            np.full((90, 160), 130, np.uint8),
        )
        planes[0][40:80, 100:160] = 200
        path = tmp_path / "still.mp4"
        write_mp4(path, [planes] * 120, width=320, height=180, fps=10, sound=np.zeros(16_000 * 12, np.float32))
        return decode_clips([path])[0]

    def test_a_gate_earns_nothing_where_nothing_happened(self, still):
        found = audit([still], TREE)
        reasons = {one.lever: one.reason for one in found.stack.skipped}

        assert "nothing happened" in reasons["gate"]
        assert found.stack.final_usd_month > 1

    def test_no_sound_is_no_measured_silence(self, still):
        info = msgspec.structs.replace(still.info, audio_seconds=0.0, has_audio=False)
        silent = msgspec.structs.replace(still, info=info)
        tree = {**TREE, "kind": "transcribe", "model": "openai/whisper-1", "facts": {"audio.speech_share": 0.65}}
        found = audit([silent], tree, levers=("trim_silence",))

        assert found.stack.final_usd_month == pytest.approx(found.stack.naive_usd_month * 0.65, rel=0.01)

    def test_the_first_frame_of_a_short_clip_is_not_scaled_to_the_hour(self, track):
        from reelwise.levers.process_less.sample_frames import SampleFrames

        case = make(TREE, where="test")
        plan = SampleFrames(fps=0.1).apply(case.plan)
        _, _, tally = collect(plan, [piece_of(case.workload, track)], case.facts, case.book)
        facts = case.facts.with_entries(entries_of(tally, None, footage="bay", on="x", day=case.day))
        with_facts, without = (price_one(case.workload, plan, f, case.book).total_usd for f in (facts, case.facts))

        assert with_facts == pytest.approx(without)

    def test_a_lever_with_a_card_only_is_skipped_with_the_reason(self, track):
        found = audit([track], TREE, levers=("spot",))

        assert found.stack.steps == ()
        assert [one.lever for one in found.stack.skipped] == ["spot"]


class TestFootage:
    def test_segments_and_halves_keep_all_frames(self, track):
        assert sum(part.frames for part in segments(track)) == track.frames
        first, second = halves(track)
        assert first.frames + second.frames == track.frames
        assert abs(first.seconds - second.seconds) < 1e-6

    def test_a_part_starts_at_its_own_zero(self, track):
        part = part_of(track, 6, 12)

        assert part.times[0] == pytest.approx(0, abs=0.11)
        assert part.info.audio_seconds == pytest.approx(6, abs=0.2)

    def test_a_clip_too_short_for_halves_has_no_holdout(self, drawn_clip):
        tracks = decode_clips([drawn_clip], seconds_max=3)
        found = audit(tracks, TREE)

        assert found.holdout == ()
        assert found.holdout_error is None


def test_real_clips_are_audited(shared_clips):
    tracks = decode_clips([shared_clips / "intel_car-detection.mp4", shared_clips / "intel_bottle-detection.mp4"])
    found = audit(tracks, TREE)
    active = {clip.path.rsplit("/", 1)[-1]: clip.active_seconds / clip.seconds for clip in found.clips}

    assert 0.3 < active["intel_car-detection.mp4"] < 0.9
    assert found.stack.factor > 10
    assert json.dumps([h.error for h in found.holdout])


def test_a_change_of_light_is_no_event(shared_clips):
    found = audit(decode_clips([shared_clips / "dvr_brightness_change.avi"]), TREE)

    assert found.clips[0].active_seconds == 0
