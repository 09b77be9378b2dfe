"""Price a plan for a workload: fold its stages over a month's items, then price all requests of the account together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.account import Account
from reelwise.bill import Bill, Line
from reelwise.errors import DocumentError
from reelwise.evidence import ASSUMED, GIVEN
from reelwise.feasibility import keeps_up, over_quota, starts_in_time, too_late, too_long
from reelwise.fleet import Fleet, Work, fleet_of
from reelwise.flow import Out
from reelwise.plan import Plan, fold
from reelwise.rates import Rate, amount
from reelwise.stages import Call
from reelwise.units import Num, is_array, maximum, total
from reelwise.workload import Workload, items_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from reelwise.facts import Facts
    from reelwise.hosts import Host
    from reelwise.rates import Book
    from reelwise.requests import Usage

__all__ = ["check_day", "cost_per_user", "per_unit", "price", "price_collected", "price_one"]


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
    jobs = tuple(folded)
    usages: list[tuple[str, Usage, Rate, Num]] = []
    why: list[str] = []
    latency, latency_basis = 0.0, 0
    for workload, plan, out in jobs:
        for request in out.requests:
            if not request.model.startswith("host:"):
                usages.extend(
                    (workload.feature, usage, rate, request.count) for usage, rate in book.price_request(request)
                )
        usages.extend((workload.feature, usage, book.rate(usage.sku, usage.unit), 0.0) for usage in out.usages)
        why.extend(too_long(out.requests, book))
        late = too_late(workload, plan, out.requests, facts, book)
        latency, latency_basis = max(latency, late.latency_ms), latency_basis | late.basis
        why.extend(late.why)
    fleets = []
    for workload, host, work in _works(jobs, facts):
        fleet = _fleet(host, work, facts, book)
        fleets.append(fleet)
        billed = fleet.usages(book.card(host.sku), book.rate(host.sku).unit)
        usages.extend((workload.feature, usage, book.rate(usage.sku, usage.unit), 0.0) for usage in billed)
        why.extend(filter(None, (keeps_up(workload, fleet, work.fps), starts_in_time(workload, fleet))))
    why.extend(over_quota([(workload, out.requests) for workload, _, out in jobs], account.limits, book))
    lines = _lines(usages, account)
    return Bill(
        lines=(*lines, *_fees(jobs, lines)),
        feasible=not why,
        why=tuple(dict.fromkeys(why)),
        latency_ms=latency,
        latency_basis=latency_basis,
        fleets=tuple(fleets),
    )


def _one_class(value: Num) -> Num:
    """Sum over the classes of items and keep their axis, so that draws and variants stay on the first."""
    summed = total(value)
    return summed[..., None] if is_array(summed) and summed.ndim else summed


def _largest(value: Num) -> Num:
    """Take the largest class of items and keep their axis."""
    largest = value.max(axis=-1) if is_array(value) and value.ndim else value
    return largest[..., None] if is_array(largest) and largest.ndim else largest


def _works(jobs: Iterable[tuple[Workload, Plan, Out]], facts: Facts) -> Iterable[tuple[Workload, Host, Work]]:
    """Sum what each host has to do, over all features; its minimum runs even where nothing is left to serve."""
    works: dict[str, tuple[Workload, Host, Work]] = {}
    for workload, plan, out in jobs:
        called = {call.host for call in plan.of(Call)}
        factor, _ = facts.get("demand.factor", default=1.0)
        cameras = workload.demand.cameras or 0.0
        for host in plan.hosts:
            if host.name not in called:
                continue
            own = [request for request in out.requests if request.model == f"host:{host.name}"]
            work = Work(
                users=workload.users_month * factor, cameras=cameras * factor, peak=workload.peak_over_mean,
                peak_streams=(workload.peak_streams or 0.0) * factor, live=workload.is_live,
            )  # fmt: skip
            for request in own:
                work = work.plus(
                    Work(
                        frames=_one_class(request.count * request.images),
                        sessions=_one_class(request.count),
                        stream_seconds=_one_class(request.count * request.seconds),
                        fps=_largest(request.images / maximum(request.seconds, 1e-9)),
                        basis=request.basis,
                    )
                )
            before = works.get(host.name)
            works[host.name] = (workload, host, before[2].plus(work) if before else work)
    return works.values()


def _fleet(host: Host, work: Work, facts: Facts, book: Book) -> Fleet:
    """Size a fleet.

    Raises:
        DocumentError: a device is rented, or a machine that is rented is bought.
    """
    card = book.card(host.sku)
    unit = book.rate(host.sku).unit
    if (unit == "device") != (host.scale == "device"):
        wanted = "scale: device" if unit == "device" else "scale: fixed, auto or serverless"
        raise DocumentError(
            f"{host.sku} is billed by the {unit}, and the host is {host.scale}",
            where=f"hosts.{host.name}",
            hint=f"set {wanted}",
        )
    return fleet_of(host, work, facts, card)


def _fees(jobs: Iterable[tuple[Workload, Plan, Out]], lines: Sequence[Line]) -> Iterable[Line]:
    """Bill fixed amounts, each once an account, and what is missing to a least spend."""
    fees = {fee: workload.feature for workload, plan, _ in reversed(tuple(jobs)) for fee in plan.fees}
    for fee, feature in reversed(fees.items()):
        usd: Num = fee.usd_month
        if fee.minimum_of:
            spent: Num = 0.0
            for line in lines:
                if fee.covers(line.sku):
                    spent = spent + total(line.usd)
            usd = maximum(fee.usd_month - spent, 0.0)
        usd = usd[..., None] if is_array(usd) and usd.ndim else usd
        rate = Rate(sku=f"fee/{fee.name}", unit="month", usd=usd, source=fee.source or "the plan", quality="given")
        yield Line(feature=feature, sku=rate.sku, unit="month", stage="fee", lane="", source_class="", quantity=1.0, usd=usd,
                   rate=rate, basis=GIVEN)  # fmt: skip


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


def per_unit(workload: Workload, usd_month: Num) -> dict[str, Num | None]:
    """Divide a month's amount by frames, minutes, hours, sessions and users of the source footage.

    Returns:
        USD per {frame, minute, hour, session, user, month}; None where the demand does not say how many there are.
    """
    seconds = workload.seconds_month
    counts: dict[str, float | None] = {
        "frame": seconds * workload.source.fps,
        "minute": seconds / 60,
        "hour": seconds / 3600,
        "session": workload.sessions_month,
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
