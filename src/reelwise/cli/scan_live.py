"""What `reelwise scan` does with a live stream and with triggers: options, and events printed as they start and stop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.output import note, table
from reelwise.cli.signals import stopped_by_signals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reelwise.scan.ears import Ear
    from reelwise.scan.live_receipt import LiveReceipt
    from reelwise.scan.pump import Feed
    from reelwise.scan.webhook import Webhook

__all__ = ["ears_of", "feed_of", "live_options", "run_live", "trigger_options"]

_TOKEN = "REELWISE_WEBHOOK_TOKEN"  # noqa: S105 - the variable's name


def trigger_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options about triggers, for files and for live streams."""
    for option in (
        click.option(
            "--require-trigger",
            is_flag=True,
            help="Only what pictures and a trigger agree on is an event; without it, what either says.",
        ),
        click.option(
            "--sound",
            multiple=True,
            type=click.Choice(("energy", "speech")),
            help="Listen too: sound above the learned noise floor, or speech (needs reelwise[sound]). May be repeated.",
        ),
    ):
        command = option(command)
    return command


def live_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options about live streams."""
    for option in (
        click.option(
            "--webhook-token", envvar=_TOKEN, default="", help=f"Its secret, sent as Bearer token; or in {_TOKEN}."
        ),
        click.option(
            "--webhook",
            metavar="HOST:PORT",
            help="Take a camera's own events over HTTP while reading live; 127.0.0.1:0 takes a free port.",
        ),
        click.option(
            "--warm-up", type=click.FloatRange(0, 3600), default=30.0, show_default=True,
            help="Seconds of a live stream that are decoded to learn what is normal.",
        ),
        click.option(
            "--idle", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True,
            help="Seconds after which a file that does not grow has ended.",
        ),
        click.option(
            "--reconnects", type=click.IntRange(0, 1000), default=5, show_default=True,
            help="How often in a row to open a stream again that went away; 0: it ends where it ends.",
        ),
        click.option(
            "--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True,
            help="Seconds without anything from a stream until it counts as gone.",
        ),
        click.option(
            "--transport", type=click.Choice(("tcp", "udp")), default="tcp", show_default=True,
            help="How RTSP carries the pictures.",
        ),
        click.option("--for", "for_seconds", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
                     help="Read live for so long; without it until the stream ends, or Ctrl-C."),
        click.option("--follow", is_flag=True, help="Read a file that is still being written, as it grows."),
    ):  # fmt: skip
        command = option(command)
    return command


def feed_of(paths: tuple[Path, ...], names: tuple[str, ...], live: dict[str, Any]) -> Feed | None:
    """Return what to read live; None where files are to be scanned.

    Raises:
        InputError: live and files at a time, or options that need a live stream without one.
    """
    from reelwise.errors import InputError
    from reelwise.scan.feeds import Camera, GrowingFile, is_stream

    streams = [one for one in names if is_stream(one)]
    if not streams and not live["follow"]:
        if given := _given():
            raise InputError(
                f"{given[0]} is for live streams", where=names[0], hint="rtsp://... or a file with --follow"
            )
        return None
    if len(names) > 1:
        raise InputError(
            "one live stream at a time", where=names[-1].rpartition("@")[2], hint="start one scan for each"
        )
    if streams:
        return Camera(
            streams[0], transport=live["transport"], timeout_seconds=live["timeout"], tries=live["reconnects"]
        )
    return GrowingFile(paths[0], idle_seconds=live["idle"])


def _given() -> list[str]:
    """List the options for live streams that were written on the command line."""
    from click.core import ParameterSource

    context = click.get_current_context()
    return [
        f"--{name.removesuffix('_seconds').replace('_', '-')}"
        for name in ("for_seconds", "webhook", "transport", "timeout", "reconnects", "idle", "warm_up")
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]


def ears_of(sound: tuple[str, ...]) -> list[Ear]:
    """Make what listens to the sound."""
    from reelwise.scan.ears import ear

    return [ear(name) for name in dict.fromkeys(sound)]


def _webhook_of(address: str | None, token: str) -> Webhook | None:
    from reelwise.errors import InputError
    from reelwise.scan.webhook import Webhook

    if not address:
        return None
    host, _, port = address.rpartition(":")
    if not port.isdigit() or not port.isascii() or int(port[:6]) > 65_535 or not host:
        raise InputError("is no HOST:PORT", where=f"--webhook {address}", hint="127.0.0.1:8080")
    hook = Webhook(host.strip("[]"), int(port), token=token)
    note(f"taking events at http://{hook.host}:{hook.port}/event")
    return hook


def run_live(
    feed: Feed, *, method: Any, sound: tuple[str, ...], require_trigger: bool, live: dict[str, Any], as_json: bool
) -> None:
    """Scan a live stream and print events as they come, then the receipt.

    Raises:
        ReelwiseError: what ended the stream, after the receipt was printed.
    """
    from reelwise.scan.live import LiveScan
    from reelwise.scan.sources import Listening

    ears = ears_of(sound)
    hook = _webhook_of(live["webhook"], live["webhook_token"])
    scan = LiveScan(
        feed,
        method=method,
        listening=Listening(ears=ears, webhook=hook) if ears or hook else None,
        require_trigger=require_trigger,
        for_seconds=live["for_seconds"],
        warm_up_seconds=live["warm_up"],
    )
    with stopped_by_signals(scan.stop):
        for item in scan.run():
            _print_json(item) if as_json else _print(item)
    receipt = scan.receipt()
    if as_json:
        import msgspec

        _line({"event": "receipt", **msgspec.to_builtins(receipt)})
    elif receipt.frames:
        _show(receipt)
    if scan.error is not None:
        raise scan.error


def _line(document: dict[str, Any]) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    sys.stdout.flush()


def _print_json(item: Any) -> None:
    from reelwise.scan.live import Notice
    from reelwise.scan.triggers import described

    if isinstance(item, Notice):
        _line({"event": "note", "seconds": round(item.seconds, 3), "text": item.text})
    else:
        _line(described(item))


def _print(item: Any) -> None:
    from reelwise.scan.live import Notice

    if isinstance(item, Notice):
        note(f"{item.seconds:,.1f} s: {item.text}")
        return
    by = ", ".join(item.by)
    if item.what == "start":
        click.echo(f"{item.start_seconds:,.2f} s: event {item.number} starts ({by})")
    else:
        length = item.stop_seconds - item.start_seconds
        click.echo(
            f"{item.stop_seconds:,.2f} s: event {item.number} stops, {length:,.2f} s from {item.start_seconds:,.2f} ({by})"
        )
    sys.stdout.flush()


def _show(receipt: LiveReceipt) -> None:
    click.echo(
        f"{receipt.source}: {receipt.seconds:,.1f} s from {receipt.started}, {receipt.frames:,} pictures, {receipt.codec}; "
        f"{receipt.events_count:,} events in {receipt.kept_share:.1%} of it; ended: {receipt.ended}"
    )
    rows = [(f"{one.start_seconds:,.1f}", f"{one.stop_seconds:,.1f}", one.method, one.why) for one in receipt.stretches]
    table(("from s", "to s", "method", "why"), rows, right=(0, 1))
    spent = ", ".join(
        f"{one.signal} {one.cpu_seconds:.2f} s ({one.frames_decoded:,} pictures)" for one in receipt.signals
    )
    click.echo(
        f"CPU: {spent}; {receipt.realtime_factor:,.0f} times real time, {receipt.frames_decoded_share:.1%} decoded"
    )
    click.echo(
        f"Losses: {receipt.gaps:,} gaps of {receipt.gap_seconds:,.1f} s, {receipt.frames_lost:,} pictures missing, "
        f"{receipt.frames_broken:,} broken, {receipt.frames_dropped:,} dropped because they came too fast; "
        f"opened again {receipt.reconnects:,} times, {receipt.clock_restarts:,} restarts of the clock"
    )
    click.echo(f"Held at most: {receipt.buffer_packets:,} packets, {receipt.buffer_bytes / 2**20:,.1f} MiB")
    for text in receipt.notes:
        click.echo(f"Note: {text}")
