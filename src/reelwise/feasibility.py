"""Whether a plan can do the job: the time to an answer, contexts, quotas, and machines that keep up with a stream."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.evidence import ASSUMED
from reelwise.fleet import speed_of
from reelwise.stages import Escalate
from reelwise.units import HOURS_A_MONTH, Num, is_array, maximum, minimum, total
from reelwise.workload import LATENCY_SECONDS, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.account import Limit
    from reelwise.facts import Facts
    from reelwise.fleet import Fleet
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.requests import Request

__all__ = ["Verdict", "keeps_up", "latency_ms", "over_quota", "starts_in_time", "tokens_in", "too_late", "too_long"]

_BATCH_SECONDS = 86_400.0
_FLEX_SECONDS = 600.0
_LATE_SHARE = 0.01
"""A fleet is in time if 99 of 100 sessions find a machine that is on (our definition)."""


class Verdict(Struct, frozen=True, kw_only=True):
    """Reasons against a plan, and its time to an answer with the evidence for that."""

    why: tuple[str, ...] = ()
    latency_ms: float = 0.0
    basis: int = 0


def tokens_in(request: Request) -> Num:
    """Sum the input tokens of one call."""
    return (
        request.tokens_image
        + request.tokens_video
        + request.tokens_audio
        + request.tokens_text
        + request.tokens_cached
        + request.tokens_cache_write
        + request.tokens_cache_write_1h
    )


def too_long(requests: Iterable[Request], book: Book) -> list[str]:
    """Say which calls do not fit their model's context."""
    said = []
    for request in requests:
        limit = None if request.model.startswith("host:") else book.context_limit(request.model)
        if limit is None:
            continue
        largest = most(tokens_in(request))
        if largest > limit:
            said.append(
                f"a call of {largest:,.0f} tokens does not fit the context of {request.model} ({limit:,} tokens): split it (chunk)"
            )
    return said


def too_late(workload: Workload, plan: Plan, requests: Sequence[Request], facts: Facts, book: Book) -> Verdict:
    """Compare the time to an answer with the latency class."""
    lanes, basis = latency_ms(workload, plan, requests, facts, book)
    ms = most(lanes)
    limit = LATENCY_SECONDS[workload.latency]
    if ms / 1000 <= limit:
        return Verdict(latency_ms=ms, basis=basis)
    guess = " (assumed until measured)" if basis & ASSUMED and ms < _FLEX_SECONDS * 1000 else ""
    text = f"about {span(ms / 1000)} for an answer, the latency class `{workload.latency}` allows {span(limit)}{guess}"
    return Verdict(why=(text,), latency_ms=ms, basis=basis)


def latency_ms(
    workload: Workload, plan: Plan, requests: Iterable[Request], facts: Facts, book: Book
) -> tuple[Num, int]:
    """Estimate the time to one answer: the slowest lane, with the lanes it escalated from before it.

    Prefill, output and overhead speeds are facts; until they are measured the estimate is assumed. A live stream also waits
    for the footage that one call covers, unless the endpoint takes a stream or pictures one by one.

    Returns:
        Milliseconds for the longest item, an array over variants where the plan has them, and the evidence mask.
    """
    prefill, bit = mean_of(facts, "latency.prefill_tokens_per_second")
    speed, bit2 = mean_of(facts, "latency.output_tokens_per_second")
    overhead, bit3 = mean_of(facts, "latency.overhead_ms")
    lanes: dict[str, Num] = {}
    waits: dict[str, Num] = {}
    for request in requests:
        if request.model.startswith("host:"):
            ms, bit_host = _host_ms(workload, plan, request, facts, book)
            lanes[request.lane] = maximum(lanes.get(request.lane, 0.0), ms)
            bit |= bit_host
            continue
        tokens = tokens_in(request) - request.tokens_cached * 0.9  # a cached token is read about ten times faster
        written = request.tokens_output if _writes(request, book) else 0.0
        ms = overhead + 1000 * (longest(tokens) / prefill + longest(written) / speed)
        if workload.is_live and not _takes_pieces(request, book):
            ms = ms + 1000 * longest(request.seconds)
        if request.mode == "batch":
            ms = _BATCH_SECONDS * 1000
        elif request.mode == "flex":
            ms = maximum(ms, _FLEX_SECONDS * 1000)
        if request.stage == "escalate":  # what deciding asks comes after the answer, one call after another
            waits[request.lane] = waits.get(request.lane, 0.0) + ms
        else:
            lanes[request.lane] = maximum(lanes.get(request.lane, 0.0), ms)
    lanes |= {lane: lanes.get(lane, 0.0) + ms for lane, ms in waits.items()}
    for stage in plan.stages:
        if isinstance(stage, Escalate) and stage.to in lanes:
            lanes[stage.to] = lanes[stage.to] + lanes.get(stage.lane or "main", 0.0)
    slowest: Num = 0.0
    for ms in lanes.values():
        slowest = maximum(slowest, ms)
    return slowest, bit | bit2 | bit3


def _host_ms(workload: Workload, plan: Plan, request: Request, facts: Facts, book: Book) -> tuple[Num, int]:
    """Estimate the time on a machine; a live frame also travels to the cloud and back."""
    host = next(one for one in plan.hosts if f"host:{one.name}" == request.model)
    drawn, bit = speed_of(host, facts, book.card(host.sku))
    speed = float(drawn.mean()) if is_array(drawn) else drawn
    # a segmented stream is answered frame by frame, a question about a video when all its frames are done
    frames = minimum(request.images, 1.0) if workload.kind == "segment" else request.images
    ms = 1000 * longest(frames) / speed
    if workload.is_live and host.scale != "device":
        network, more = mean_of(facts, "latency.network_ms")
        return ms + network, bit | more
    return ms, bit


def _writes(request: Request, book: Book) -> bool:
    """Say whether an endpoint writes its answer token by token; one that bills no tokens has none to write."""
    if book.is_language_model(request.model):
        return True
    return any(
        rate.unit == "tokens_output" for rate in book.card_rates(request.model, request.mode, request.resolution)
    )


def _takes_pieces(request: Request, book: Book) -> bool:
    """Say whether an endpoint answers piece by piece while the footage comes in."""
    card = book.card(request.model)
    return card is not None and (card.streaming or card.kind == "vision")


def keeps_up(workload: Workload, fleet: Fleet, fps: Num) -> str:
    """Say why a machine cannot follow a live stream that stays on it; empty where it can."""
    host = fleet.host
    speed, wanted = mean(fleet.speed), most(fps)
    stays = host.streams is not None or host.scale == "device"
    if not (workload.is_live and stays) or wanted <= speed * (1 + 1e-9):
        return ""
    return (
        f"the source's {wanted:.3g} frames a second are not reached: one {host.sku} does {speed:.3g}; "
        "sample fewer, or take a faster machine"
    )


def starts_in_time(workload: Workload, fleet: Fleet) -> str:
    """Say why a machine that starts on demand answers too late; empty where it is in time or one is always on."""
    limit = LATENCY_SECONDS[workload.latency]
    cold = most(fleet.cold_seconds)
    share = most(fleet.cold_share)
    if not fleet.host.comes_and_goes or cold <= limit or share <= _LATE_SHARE:
        return ""
    enough = fleet.host.minimum + max(1, math.ceil(1 / most(fleet.streams) - 1e-9))  # one stream may take two machines
    more = f"keep more on (minimum: {enough}, or a spare)" if fleet.host.minimum else ""
    remedy = more or ("keep one on (scale: auto, minimum: 1)" if workload.latency == "realtime" else "keep one on")
    return (
        f"{100 * share:.2g}% of sessions wait about {span(cold)} for a machine to start, the latency class `{workload.latency}` "
        f"allows {span(limit)}: {remedy}"
    )


def over_quota(jobs: Sequence[tuple[Workload, Sequence[Request]]], limits: Iterable[Limit], book: Book) -> list[str]:
    """Say which quotas the peak of all features together is above."""
    said = []
    for limit in limits:
        calls = tokens = 0.0
        for workload, requests in jobs:
            one_calls, one_tokens = _peak_of(workload, requests, limit.model, book)
            calls, tokens = calls + one_calls, tokens + one_tokens
        for amount, allowed, what in (
            (calls, limit.calls_per_second, "calls a second"),
            (tokens * 60, limit.tokens_per_minute, "tokens a minute"),
        ):
            if allowed is not None and amount > allowed * (1 + 1e-9):
                said.append(
                    f"{amount:,.3g} {what} at the peak, the quota of {limit.model} is {allowed:,.3g}: ask for more, or send less"
                )
    return said


def _peak_of(workload: Workload, requests: Sequence[Request], model: str, book: Book) -> tuple[float, float]:
    """Return calls and input tokens a second of one model in the busiest hour; a live stream sends its own even when alone."""
    calls = tokens = alone = 0.0
    for request in requests:
        if request.model != model:
            continue
        card = book.card(request.model)
        pictures = card is not None and card.kind == "vision"
        each = request.images if pictures else 1.0
        calls += most(total(request.count * each))
        tokens += most(total(request.count * tokens_in(request)))
        if workload.is_live and pictures and most(request.count) > 0:
            alone = max(alone, most(request.images / maximum(request.seconds, 1e-9)))
    month = HOURS_A_MONTH * 3600 / workload.peak_over_mean
    if workload.is_live and workload.peak_streams is not None and alone:
        return max(workload.peak_streams * alone, calls / month), tokens / month
    return max(calls / month, alone), tokens / month


def longest(value: Num) -> Num:
    """Take the longest class of items (the last axis)."""
    return value.max(axis=-1) if is_array(value) and value.ndim else value


def most(value: Num) -> float:
    """Take the largest of all."""
    return float(value.max(initial=0.0)) if is_array(value) else float(value)


def mean(value: Num) -> float:
    """Reduce draws to their mean."""
    return float(value.mean()) if is_array(value) else float(value)


def mean_of(facts: Facts, name: str) -> tuple[float, int]:
    """Return a fact as one number, and its evidence."""
    value, bit = facts.get(name)
    return mean(value), bit


def span(seconds: float) -> str:
    """Write a length of time: 67 ms, 10 s, 4 h."""
    for size, name in ((3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds * 1000:.3g} ms"
