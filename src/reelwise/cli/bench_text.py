"""What `reelwise bench-model` prints for people."""

from __future__ import annotations

from typing import Any

import click

from reelwise.cli.output import quantity, table

__all__ = ["show_endpoint", "show_local"]


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def _latency(found: dict[str, Any]) -> tuple[str, str, str]:
    return tuple(_ms(found[f"latency_ms_{name}"]) for name in ("p50", "p95", "p99"))  # type: ignore[return-value]


def _speed(found: dict[str, float]) -> tuple[str, str]:
    return f"{found['value']:,.1f}", f"{found['low']:,.1f} to {found['high']:,.1f}"


def show_local(found: dict[str, Any]) -> None:
    """Print what a model on this machine does."""
    cold = found["cold"]
    click.echo(f"{found['model']} on {found['machine']}; {found['takes']}")
    click.echo(
        f"From nothing to the first answer: {cold['first_answer_seconds']:.2f} s (opening it {cold['load_seconds']:.2f} s, "
        f"first call {cold['first_call_seconds'] * 1e3:,.1f} ms); memory of that process: {cold['rss_megabytes']:,.0f} MB"
    )
    threads = {run["threads"] for run in found["runs"]}
    table(
        ("batch", "streams", "threads", "frames/s", "5 to 95 %", "p50 ms", "p95 ms", "p99 ms", "CPU ms/frame", "memory MB", ""),
        [
            (
                str(run["batch"]), str(run["streams"]), "" if threads == {1} else str(run["threads"]), *_speed(run["frames_per_second"]),
                *_latency(run["latency"]), _ms(run["cpu_seconds_per_frame"] * 1e3), f"{run['rss_megabytes']:,.0f}",
                "best" if number == found["best"] else "",
            )
            for number, run in enumerate(found["runs"])
        ],
        right=range(10),
    )  # fmt: skip
    for one in found["skipped"]:
        click.echo(f"batch {one['batch']}: {one['why']}")
    if found["best"] is None:
        click.echo(f"None answers 95 % within {found['p95_ms']:g} ms.")


def show_endpoint(found: dict[str, Any]) -> None:
    """Print what an endpoint made of each rate."""
    click.echo(f"{found['model']}; {', '.join(f'{size:,}' for size in found['bytes_sent'][:1])} bytes a request")
    click.echo(
        f"First answer after {found['first_answer_seconds']:.3f} s, second after {found['second_answer_seconds']:.3f} s"
    )
    table(
        ("rate", "sent", "answered", "dropped", "failed", "frames/s", "5 to 95 %", "p50 ms", "p95 ms", "p99 ms", "in flight", ""),
        [
            (
                quantity(load["rate_required"]), f"{load['scheduled'] - load['dropped']:,}", f"{load['answered']:,}",
                f"{load['dropped']:,}", f"{sum(load['errors'].values()):,}", *_speed(load["frames_per_second"]),
                *_latency(load["latency"]), str(load["in_flight_most"]),
                "kept up" if load["kept_up"] else "this client's limit" if load["client_limit"] else "did not keep up",
            )
            for load in found["loads"]
        ],
        right=range(11),
    )  # fmt: skip
    click.echo("Latency counts from when a request was due, not from when it was sent.")
    for load in found["loads"]:
        at = f"At {quantity(load['rate_required'])} a second"
        if load["client_limit"]:
            click.echo(f"{at}: {load['client_limit']}. Not counted: drive it from a faster machine, or from several.")
        if load["errors"]:
            click.echo(f"{at}, failed: " + "; ".join(f"{count:,} x {what}" for what, count in load["errors"].items()))
        for gauge in load["gauges"]:
            click.echo(f"{at}: {gauge['name']} {gauge['mean']:,.1f} on average, {gauge['largest']:,.1f} at most")
        for text in load["notes"]:
            click.echo(f"{at}: {text}")
    if found["best"] is None and found["p95_ms"] is not None:
        click.echo(f"It kept up with no rate at which 95 % of the answers come within {found['p95_ms']:g} ms.")
