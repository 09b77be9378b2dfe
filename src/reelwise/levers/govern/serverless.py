"""Lever 21: scale to zero with serverless GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, no, yes
from reelwise.levers.govern.twins import serverless_twin
from reelwise.levers.serve_better.serving_runtime import hosted_calls

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.hosts import Host
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["Serverless"]


class Serverless(Lever, frozen=True, kw_only=True):
    """Pay for busy seconds only, on `sku` (the cheapest serverless machine with the same processor if null)."""

    sku: str | None = None

    card: ClassVar[Card] = Card(
        number=21,
        family="govern",
        title="Scale to zero with serverless GPUs",
        summary="Billed by the second of work, nothing while idle. A serverless second costs more than a rented one: at current prices renting wins above 83 to 89 % busy, and against a hyperscaler's H100 not even then.",
        effort="days",
        risk="a cold start keeps the first request waiting; some platforms bill set-up and idle time too",
        latency="2 to 42 s more on a cold start, by platform and model size",
        prerequisites=("a model that loads fast", "requests that can wait for a cold start, or one warm machine"),
        ask=("What share of the month is a machine busy?", "May the first request after a pause wait half a minute?"),
        sources=(
            "25-levers article, lever 21 (2026-06-03)",
            "Modal T4 0.000164 and H100 0.001097 USD a second (2026-07-01) against g4dn.xlarge 0.526 (2026-07-20), Lambda H100 PCIe 3.29 and AWS p5.4xlarge 6.88 USD an hour",
            "cold starts 2 to 4 s (Modal), 8 to 15 s (Replicate), 36 to 42 s (Runpod H100): secondary sources, 2026, not measured by us",
        ),
    )

    owns: ClassVar[tuple[str, ...]] = ("host.sku", "host.scale")
    excludes: ClassVar[tuple[str, ...]] = ("open_model",)
    lossless: ClassVar[bool] = True

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit self-hosted work that leaves machines idle."""
        calls = hosted_calls(plan)
        if not calls:
            return no("every model is rented by the call: it costs nothing while idle already")
        named = {call.host for call in calls}
        hosts = [host for host in plan.hosts if host.name in named and host.scale in {"fixed", "auto"}]
        if not hosts:
            return no("every host is serverless already, or bought")
        if workload.latency == "realtime":
            return no("real-time answers cannot wait for a cold start")
        pairs = [(host, twin) for host in hosts if (twin := self._twin(host))]
        if not pairs:
            return no(f"no serverless machine is known with the processor of {hosts[0].sku}: name one with `sku`")
        shares = [book.rate(host.sku).usd / (book.rate(twin).usd * 3600) for host, twin in pairs]
        return idle_hours(workload, float(min(shares)))

    def apply(self, plan: Plan) -> Plan:
        """Put the serverless twin in place of each rented machine that has one."""
        hosts = []
        for host in plan.hosts:
            twin = self._twin(host) if host.scale in {"fixed", "auto"} else None
            hosts.append(replace(host, sku=twin, scale="serverless") if twin else host)
        return replace(plan, hosts=tuple(hosts))

    def _twin(self, host: Host) -> str | None:
        return self.sku or serverless_twin(host.sku)


def idle_hours(workload: Workload, share: float) -> Verdict:
    """Say whether the load leaves a rented machine idle for long enough; it is cheaper where it is busy for more than `share`."""
    if share >= 1:
        return yes("the serverless machine costs less by the hour than the rented one")
    if workload.load == "steady":
        return no(f"the load is steady: a rented machine is cheaper above {share:.0%} busy")
    if workload.load == "spiky":
        return yes("the load is spiky: idle hours cost nothing")
    busy = 1 / workload.peak_over_mean
    if busy >= share:
        return no(f"machines for the peak are {busy:.0%} busy: renting is cheaper above {share:.0%} (peak_over_mean)")
    return yes(f"machines for the peak are busy {busy:.0%} of the time at most, renting is cheaper above {share:.0%}")
