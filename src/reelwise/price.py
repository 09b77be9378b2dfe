"""Price a plan for a workload: fold its stages over a month's items, then price all requests of the account together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.account import Account
from reelwise.bill import Bill, Line
from reelwise.errors import DocumentError
from reelwise.evidence import ASSUMED
from reelwise.flow import Out
from reelwise.hosts import Host, host_usage
from reelwise.plan import Plan, fold
from reelwise.rates import Rate, amount
from reelwise.stages import Call, Escalate
from reelwise.units import Num, is_array, maximum, minimum, total
from reelwise.workload import LATENCY_SECONDS, Workload, items_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from reelwise.facts import Facts
    from reelwise.rates import Book
    from reelwise.requests import Request, Usage

__all__ = ["check_day", "cost_per_user", "per_unit", "price", "price_collected", "price_one"]

_BATCH_SECONDS = 86_400.0
_FLEX_SECONDS = 600.0


def price_one(workload: Workload, plan: Plan, facts: Facts, book: Book, account: Account | None = None) -> Bill:
    """Price one feature alone; see `price`."""
    return price(((workload, plan),), facts, book, account)


def price(jobs: Iterable[tuple[Workload, Plan]], facts: Facts, book: Book, account: Account | None = None) -> Bill:
    """Price the features of one account together.

    Args:
        jobs: workloads with their plans.
        facts: what footage and models do; drawn facts give arrays with draws on the first axis.
        book: prices of the day.
        account: free tiers.

    Returns:
        The month's bill.

    Raises:
        UnknownModelError, UnpricedError: a model or rate card without a price.
        InputError: a fact that is needed and not known.
    """
    folded = []
    for workload, plan in jobs:
        out = Out(book, book.day)
        fold(plan, items_of(workload, facts), facts, out)
        folded.append((workload, plan, out))
    return price_collected(folded, facts, book, account)


def price_collected(
    folded: Iterable[tuple[Workload, Plan, Out]], facts: Facts, book: Book, account: Account | None = None
) -> Bill:
    """Price what stages have collected, whether they were folded over a month's items or counted on footage; see `price`."""
    account = account or Account()
    usages: list[tuple[str, Usage, Rate, Num]] = []
    hosts: dict[str, tuple[Host, str, float]] = {}
    frames: dict[str, tuple[Num, int]] = {}
    why: list[str] = []
    latency, latency_basis = 0.0, 0
    for workload, plan, out in folded:
        for host in plan.hosts:
            hosts[host.name] = (host, workload.feature, workload.peak_over_mean)
        for call in plan.of(Call, lambda call: call.host is not None):
            frames.setdefault(call.host or "", (0.0, 0))  # its minimum runs even where nothing is left to serve
        for request in out.requests:
            if request.model.startswith("host:"):
                name = request.model.removeprefix("host:")
                before, basis = frames.get(name, (0.0, 0))
                frames[name] = (before + _one_class(request.count * request.images), basis | request.basis)
                continue
            usages.extend((workload.feature, usage, rate, request.count) for usage, rate in book.price_request(request))
        usages.extend((workload.feature, usage, book.rate(usage.sku, usage.unit), 0.0) for usage in out.usages)
        why.extend(_too_long(out.requests, book))
        lanes, bit = latency_ms(workload, plan, out.requests, facts)
        ms = _most(lanes)
        latency, latency_basis = max(latency, ms), latency_basis | bit
        limit = LATENCY_SECONDS[workload.latency]
        if ms / 1000 > limit:
            why.append(
                f"about {_span(ms / 1000)} for an answer, the latency class `{workload.latency}` allows {_span(limit)}"
            )
    usages.extend(_hosted(hosts, frames, facts, book))
    return Bill(
        lines=_lines(usages, account),
        feasible=not why,
        why=tuple(dict.fromkeys(why)),
        latency_ms=latency,
        latency_basis=latency_basis,
    )


def _one_class(value: Num) -> Num:
    """Sum over the classes of items and keep their axis, so that draws and variants stay on the first."""
    summed = total(value)
    return summed[..., None] if is_array(summed) and summed.ndim else summed


def _hosted(
    hosts: dict[str, tuple[Host, str, float]], frames: dict[str, tuple[Num, int]], facts: Facts, book: Book
) -> Iterable[tuple[str, Usage, Rate, Num]]:
    """Turn the frames that each host serves, over all features, into billed time."""
    for name, (host, feature, peak) in hosts.items():
        if name in frames:
            rate = book.rate(host.sku)
            count, basis = frames[name]
            usage = host_usage(host, count, facts, peak_over_mean=peak, unit=rate.unit, basis=basis)
            yield feature, usage, rate, 0.0


def _lines(usages: Sequence[tuple[str, Usage, Rate, Num]], account: Account) -> tuple[Line, ...]:
    """Price usages; graduated tiers, free tiers and month-end rounding act on the account's sum of a unit."""
    sums: dict[tuple[str, str], Num] = {}
    for _, usage, rate, _ in usages:
        if rate.tiers or rate.free_month or rate.round_to:
            key = (usage.sku, usage.unit)
            sums[key] = sums.get(key, 0.0) + total(usage.quantity)
    effective: dict[tuple[str, str], Any] = {}
    lines = []
    for feature, usage, rate, calls in usages:
        key = (usage.sku, usage.unit)
        if key in sums:
            if key not in effective:
                effective[key] = _each(rate, sums[key], account)
            usd = usage.quantity * effective[key]
        else:
            usd = usage.quantity * rate.usd
        basis = usage.basis | (ASSUMED if rate.quality in {"derived", "assumed"} else 0)
        lines.append(
            Line(
                feature=feature, sku=usage.sku, unit=usage.unit, stage=usage.stage, lane=usage.lane,
                source_class=usage.source_class, quantity=usage.quantity, usd=usd, rate=rate, basis=basis, calls=calls,
            )
        )  # fmt: skip
    return tuple(lines)


def _each(rate: Rate, quantity: Num, account: Account) -> Num:
    """Spread the account's amount evenly over its units."""
    usd = amount(rate, quantity, free_tiers=account.free_tiers)
    if is_array(quantity):
        import numpy as np

        each = np.divide(usd, quantity, out=np.zeros_like(quantity), where=quantity > 0)
        return each[..., None]
    return usd / quantity if quantity else 0.0


def tokens_in(request: Request) -> Num:
    """Sum the input tokens of one call."""
    return (
        request.tokens_image
        + request.tokens_video
        + request.tokens_audio
        + request.tokens_text
        + request.tokens_cached
        + request.tokens_cache_write
    )


def _too_long(requests: Iterable[Request], book: Book) -> list[str]:
    """Say which calls do not fit their model's context."""
    said = []
    for request in requests:
        limit = None if request.model.startswith("host:") else book.context_limit(request.model)
        if limit is None:
            continue
        most = _most(tokens_in(request))
        if most > limit:
            said.append(
                f"a call of {most:,.0f} tokens does not fit the context of {request.model} ({limit:,} tokens): split it (chunk)"
            )
    return said


def latency_ms(workload: Workload, plan: Plan, requests: Iterable[Request], facts: Facts) -> tuple[Num, int]:
    """Estimate the time to one answer: the slowest lane, with the lanes it escalated from before it.

    Prefill, output and overhead speeds are facts; until they are measured the estimate is assumed.

    Returns:
        Milliseconds for the longest item, an array over variants where the plan has them, and the evidence mask.
    """
    prefill, bit = _mean(facts, "latency.prefill_tokens_per_second")
    speed, bit2 = _mean(facts, "latency.output_tokens_per_second")
    overhead, bit3 = _mean(facts, "latency.overhead_ms")
    lanes: dict[str, Num] = {}
    for request in requests:
        if request.model.startswith("host:"):
            speed_host, bit_host = _mean(facts, f"{request.model.replace(':', '.')}.frames_per_second")
            # a segmented stream is answered frame by frame, a question about a video when all its frames are done
            frames = minimum(request.images, 1.0) if workload.kind == "segment" else request.images
            lanes[request.lane] = maximum(lanes.get(request.lane, 0.0), 1000 * _longest(frames) / speed_host)
            bit |= bit_host
            continue
        tokens = tokens_in(request) - request.tokens_cached * 0.9  # a cached token is read about ten times faster
        ms = overhead + 1000 * (_longest(tokens) / prefill + _longest(request.tokens_output) / speed)
        if request.mode == "batch":
            ms = _BATCH_SECONDS * 1000
        elif request.mode == "flex":
            ms = maximum(ms, _FLEX_SECONDS * 1000)
        lanes[request.lane] = maximum(lanes.get(request.lane, 0.0), ms)
    for stage in plan.stages:
        if isinstance(stage, Escalate) and stage.to in lanes:
            lanes[stage.to] = lanes[stage.to] + lanes.get(stage.lane or "main", 0.0)
    slowest: Num = 0.0
    for ms in lanes.values():
        slowest = maximum(slowest, ms)
    return slowest, bit | bit2 | bit3


def _longest(value: Num) -> Num:
    """Take the longest class of items (the last axis)."""
    return value.max(axis=-1) if is_array(value) and value.ndim else value


def _mean(facts: Facts, name: str) -> tuple[float, int]:
    value, bit = facts.get(name)
    return (float(value.mean()) if is_array(value) else float(value)), bit


def _most(value: Num) -> float:
    return float(value.max()) if is_array(value) else float(value)


def _span(seconds: float) -> str:
    for size, name in ((3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds * 1000:.3g} ms"


def per_unit(workload: Workload, usd_month: Num) -> dict[str, Num | None]:
    """Divide a month's amount by frames, minutes, hours, sessions and users of the source footage.

    Returns:
        USD per {frame, minute, hour, session, user, month}; None where the demand does not say how many there are.
    """
    seconds = workload.seconds_month
    demand = workload.demand
    sessions: float | None = None
    if demand.classes:
        sessions = sum(c.users * c.sessions for c in demand.classes)
    elif demand.users is not None:
        sessions = demand.users * (demand.sessions or 0.0)
    elif demand.clips is not None:
        sessions = demand.clips
    counts: dict[str, float | None] = {
        "frame": seconds * workload.source.fps,
        "minute": seconds / 60,
        "hour": seconds / 3600,
        "session": sessions,
        "user": workload.users_month or None,
        "month": 1.0,
    }
    return {name: (usd_month / count if count else None) for name, count in counts.items()}


def cost_per_user(workload: Workload, bill: Bill) -> dict[str, tuple[Num, Num]]:
    """Split a bill by user class.

    Returns:
        For each class: USD of one user in each of its equally large groups from light to heavy use (classes on the last
        axis), and the share of the class's users in one group.
    """
    users: dict[str, tuple[Num, Num]] = {}
    for user_class in workload.demand.classes:
        usd: Num = 0.0
        for line in bill.lines:
            if line.source_class == user_class.name:
                usd = usd + line.usd
        groups = usd.shape[-1] if is_array(usd) else 1
        if user_class.users > 0:
            users[user_class.name] = (usd / (user_class.users / groups), 1 / groups)
    return users


def check_day(day: dt.date) -> dt.date:
    """Refuse days no price can be known for.

    Raises:
        DocumentError: before 2020 or after 2100.
    """
    if not 2020 <= day.year <= 2100:
        raise DocumentError(f"no prices are known for {day}", where="day", hint="give a day between 2020 and 2100")
    return day
