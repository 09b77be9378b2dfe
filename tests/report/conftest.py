from __future__ import annotations

import base64
import functools
import math
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from reelwise.plan import Plan
from reelwise.run.result import (
    AuditResult,
    ClipCount,
    FactCount,
    HoldoutError,
    LeverCount,
    LookCount,
    Looked,
    LookTried,
    Moment,
    SignalCount,
    StageCount,
)
from reelwise.stack import Skipped, Stack, Step
from reelwise.stages import Call
from reelwise.video.writer import jpeg


@functools.cache
def thumbnail(seed: int = 0) -> str:
    """A street scene of a sort, 320 x 180, as base64 JPEG."""
    down, across = np.mgrid[0:180, 0:320]
    rgb = np.stack([90 + across // 4, 110 + down // 3, np.full_like(down, 120)], axis=-1).astype(np.uint8)
    left = 20 + 37 * seed % 240
    rgb[90:150, left : left + 60] = (200, 40 + 10 * seed % 200, 40)
    return base64.b64encode(jpeg(rgb)).decode()


def clip(path: str, seconds: float, stretches: tuple[tuple[float, float], ...], audio: float) -> ClipCount:
    times = np.linspace(0, seconds, 600)
    share = 0.01 + 0.004 * np.sin(times * 3.1)
    for start, stop in stretches:
        inside = (times >= start) & (times <= stop)
        share[inside] += 0.22 * np.abs(np.sin((times[inside] - start) * 2.3))
    return ClipCount(
        path=path,
        sha256_head="9f2c66d1a0b3e4f5",
        seconds=seconds,
        frames=round(seconds * 25),
        width=1920,
        height=1080,
        fps=25.0,
        codec="h264",
        audio_seconds=audio,
        active_seconds=sum(stop - start for start, stop in stretches),
        stretches=stretches,
        activity=tuple((float(t), float(s)) for t, s in zip(times, share, strict=True)),
        cpu_seconds=2.87,
        notes=(),
    )


def step(lever: str, title: str, before: float, after: float, **fields: object) -> Step:
    usual: dict[str, object] = {
        "factor_alone": before / after if after else math.inf,
        "touched_share": 1.0,
        "overlap": 0.0,
        "effort": "hours",
        "settings": {},
        "evidence": "measured",
        "quality": None,
    }
    whole = {**usual, **fields}
    factor = before / after if after else math.inf
    return Step(
        lever=lever,
        title=title,
        total_usd_month=after,
        factor=factor,
        factor_on_touched=factor,
        **whole,
    )


def waterfall(naive: float, steps: tuple[Step, ...], skipped: tuple[Skipped, ...] = ()) -> Stack:
    final = steps[-1].total_usd_month if steps else naive
    return Stack(
        naive_usd_month=naive,
        final_usd_month=final,
        factor=naive / final if final else math.inf,
        steps=steps,
        skipped=skipped,
        questions=(
            ("Does it have to be real-time?", "no (day)"),
            ("Does the input repeat?", "yes"),
            ("Is the load steady around the clock?", "no (daytime)"),
            ("Is it spiky and unpredictable?", "no (daytime)"),
        ),
        naive_feasible=True,
        naive_why=(),
        feasible=True,
        why=(),
        plan=Plan(stages=(Call(model="gemini-2.5-pro"),)),
    )


STEPS = (
    step("batch_api", "Use the batch API for anything that is not real-time", 47300, 24120, evidence="published"),
    step("gate", "Gate the expensive model behind a cheap trigger", 24120, 7913.4, settings={"margin": 0.5}, overlap=0.02),
    step("sample_frames", "Sample frames; do not process all of them", 7913.4, 4020.75, settings={"fps": 0.5},
         factor_alone=3.1, overlap=0.4, quality=0.97, touched_share=0.91),
    step("downscale", "Downscale resolution before the model sees it", 4020.75, 2650, factor_alone=None, overlap=None),
    step("prompt_cache", "Cache the prompt", 2650, 2210.12, touched_share=0.34, evidence="published", effort="minutes"),
    step("route", "Route easy work to a cheaper tier", 2210.12, 1210, touched_share=0.8, evidence="assumed", effort="weeks"),
)  # fmt: skip

SKIPPED = (
    Skipped(lever="spot", title="Run interruptible work on spot GPUs", reason="no host in the plan: calls are paid by the token"),
    Skipped(lever="drop_audio", title="Drop the audio", reason="the task needs sound"),
    Skipped(lever="flex", title="Use the flex tier", reason="cannot be combined with batch_api, which came first"),
)  # fmt: skip


def moments(name: str, count: int) -> tuple[Moment, ...]:
    return tuple(
        Moment(clip=name, seconds=4.3 + 7.7 * n, change=0.031 + 0.01 * n, jpeg=thumbnail(n)) for n in range(count)
    )


def lever(one: Step | Skipped, usd: tuple[float, float], lost: tuple[Moment, ...] = (), **fields: object) -> LeverCount:
    usual: dict[str, object] = {
        "coverage": None,
        "counted": True,
        "thrown_away": "Nothing is thrown away: the model sees the same.",
    }
    return LeverCount(
        lever=one.lever, title=one.title, usd_clips_without=usd[0], usd_clips_with=usd[1], frames_without=3210,
        frames_with=1204, seconds_without=214.4, seconds_with=80.3, tokens_without=56213, tokens_with=21077, lost=lost,
        **{**usual, **fields},
    )  # fmt: skip


def looked(one: ClipCount, **fields: object) -> Looked:
    usual: dict[str, object] = {
        "method": "packets",
        "why": "packet sizes tell active from quiet",
        "separable": True,
        "frames": one.frames,
        "frames_decoded_share": 0.163,
        "bound_seconds": 4.0,
        "bound_share": 0.12,
        "blind_seconds": 0.0,
        "cpu_seconds": 0.55,
        "cpu_seconds_full": one.cpu_seconds,
        "kept": one.stretches,
        "kept_share": one.active_seconds / one.seconds if one.seconds else 0.0,
        "reference_share": 0.391,
        "activities": one.stretches,
        "lost": (),
        "faint": 0,
        "active_kept_share": 0.93,
        "change_kept_share": 0.998,
    }
    return Looked(path=one.path, **{**usual, **fields})


def look(footage: tuple[ClipCount, ...], **fields: object) -> LookCount:
    tried = LookTried(method="auto", believed=("packets",), activities=5, lost=0, change_kept_share=0.998,
                      frames_decoded_share=0.163, cpu_seconds=1.1, cpu_seconds_full=5.74)  # fmt: skip
    usual: dict[str, object] = {
        "method": "auto",
        "mode": "exact",
        "chosen": "auto loses 0 of 5 activities",
        "is_safe": True,
        "tried": (tried,),
        "signals": (
            SignalCount(signal="packets", cpu_seconds=0.12, frames_decoded=0, saved_cpu_seconds=4.69, cpu_seconds_an_hour=2.01, saved_usd_month=2.481),
            SignalCount(signal="luma", cpu_seconds=0.98, frames_decoded=874, saved_cpu_seconds=-0.05, cpu_seconds_an_hour=16.5, saved_usd_month=-0.0265),
            SignalCount(signal="full", cpu_seconds=5.74, frames_decoded=5360, saved_cpu_seconds=0.0, cpu_seconds_an_hour=96.4, saved_usd_month=0.0),
        ),
        "clips": tuple(looked(one) for one in footage),
        "sku": "aws/c7g.xlarge",
        "factor": 5.22,
    }  # fmt: skip
    return LookCount(**{**usual, **fields})


def make_result() -> AuditResult:
    dock = clip("footage/loading-bay-dusk.mp4", 134.4, ((12.0, 27.5), (61.2, 80.0), (110.0, 118.3)), 0.0)
    door = clip("footage/front-door.mp4", 80.0, ((5.0, 11.0), (40.5, 58.0)), 80.0)
    door = msgspec.structs.replace(door, notes=("2 frames without a time stamp were given one",))
    return AuditResult(
        feature="loading-bay",
        task="say when a lorry arrives, and whether the bay is clear",
        again="reelwise audit north.mp4 south.mp4 --workload bay.yaml --day 2026-11-22",
        day="2026-10-01",
        machine="Linux x86_64, 2 processors",
        version="0.1.0",
        clips=(dock, door),
        demand="40 cameras x 12 hours a day: 14,600 hours a month",
        assumed=(),
        stages=(
            StageCount(stage="gate", settings="margin 0.5", seconds_in=214.4, seconds_out=80.3, frames_in=5360, frames_out=2007, cpu_seconds=0.041),
            StageCount(stage="sample", settings="fps 0.5", seconds_in=80.3, seconds_out=80.3, frames_in=2007, frames_out=40, cpu_seconds=0.003),
            StageCount(stage="scale", settings="long_side 768", seconds_in=80.3, seconds_out=80.3, frames_in=40, frames_out=40, cpu_seconds=0.0),
            StageCount(stage="call", settings="model gemini-2.5-flash", seconds_in=80.3, seconds_out=80.3, frames_in=40, frames_out=40, cpu_seconds=0.001),
        ),
        levers=(
            lever(STEPS[0], (0.1932, 0.0966)),
            lever(STEPS[1], (0.1932, 0.0723), moments("loading-bay-dusk.mp4", 3), coverage=0.981,
                  thrown_away="134.1 of 214.4 seconds are not sent."),
            lever(STEPS[2], (0.1932, 0.0623), moments("front-door.mp4", 3), coverage=0.874,
                  thrown_away="5,253 of 5,360 pictures are not sent."),
            lever(STEPS[3], (0.1932, 0.1271), thrown_away="Frames of 1920x1080 become 768x432 pixels."),
            lever(STEPS[4], (0.1932, 0.1610)),
            lever(STEPS[5], (0.1932, 0.1058), counted=False, thrown_away="Gemini-2.5-flash answers the easy share."),
            lever(SKIPPED[1], (0.1932, 0.1811), thrown_away="80.0 of 80.0 seconds of sound are not sent."),
        ),
        look=look((dock, door)),
        stack=waterfall(47300.0, STEPS, SKIPPED),
        per={"frame": (0.000036, 9.2e-7), "minute": (0.054, 0.00138), "hour": (3.2397, 0.0829), "session": (None, None),
             "user": (None, None)},
        band_naive=(43100.0, 47250.0, 51900.0),
        band_final=(980.0, 1207.0, 1523.0),
        facts=(
            FactCount(name="active_share", value=0.3745, low=0.21, high=0.52, segments=14, on="loading-bay-dusk.mp4, front-door.mp4"),
            FactCount(name="clip_bits", value=1.92e6, low=1.1e6, high=2.6e6, segments=14, on="loading-bay-dusk.mp4, front-door.mp4"),
        ),
        holdout=(
            HoldoutError(plan="all levers", measured_on="first half", predicted="second half", usd_predicted=1285.0, usd_counted=1206.6, error=0.0652),
            HoldoutError(plan="all levers", measured_on="second half", predicted="first half", usd_predicted=1112.5, usd_counted=1213.6, error=-0.0833),
        ),
        holdout_error=0.0833,
        sources=(
            ("gemini-2.5-pro", "tokens_video", 1.25e-06, "https://ai.google.dev/gemini-api/docs/pricing", "2026-09-14"),
            ("gemini-2.5-flash", "tokens_output", 2.5e-06, "https://ai.google.dev/gemini-api/docs/pricing", "2026-09-14"),
            ("aws/rekognition/group2", "image", 0.001, "AWS price list API, us-east-1", "2026-09-14"),
        ),
        explained_naive=(
            ("3.45e+10 tokens_video in 8.76e+05 calls x 1.25e-06 USD = 43,125.00 USD; price of gemini-2.5-pro: "
            "https://ai.google.dev/gemini-api/docs/pricing, 2026-09-14; quantity: measured"),
        ),
        explained=(
            ("9.1e+08 tokens_video in 3.1e+05 calls x 1.5e-07 USD = 136.50 USD; price of gemini-2.5-flash (batch): "
            "https://ai.google.dev/gemini-api/docs/pricing, 2026-09-14; quantity: measured"),
        ),
        evidence={"measured": 0.71, "given": 0.0, "published": 0.08, "assumed": 0.21},
        warnings=(
            "214 seconds of footage in 14 segments are not a month: the interval covers how these segments differ.",
            "the month is priced at 1280x720 as the workload says; the clips are 1920x1080",
        ),
        seconds_wall=7.4,
        cpu_seconds=6.2,
    )  # fmt: skip


@pytest.fixture
def result() -> AuditResult:
    return make_result()


@pytest.fixture(scope="session")
def fake() -> SimpleNamespace:
    """What results are made of, for tests that want other ones."""
    return SimpleNamespace(
        clip=clip,
        lever=lever,
        look=look,
        looked=looked,
        moments=moments,
        result=make_result,
        skipped=SKIPPED,
        step=step,
        steps=STEPS,
        waterfall=waterfall,
    )
