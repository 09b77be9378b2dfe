"""`reelwise sandbox`: model providers on this machine, without a key and without a bill."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelwise.cli.output import json_option, note, print_json

if TYPE_CHECKING:
    from types import FrameType

    from reelwise.sandbox import Sandbox

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--scenario", type=_FILE, help="What it does (YAML): how hard, how good, how slow, what goes wrong.")
@click.option("--port", type=click.IntRange(0, 65535), default=8790, show_default=True, help="0 for a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="It has no guard: leave it on this machine.")
@click.option("--invoice", type=_FILE, help="Write each row that it bills to this file, a JSON document a line.")
@click.option("--day", help="Take prices at this day (ISO), whatever the scenario says.")
@click.option("--seconds", type=click.FloatRange(0.0, 86_400.0), help="Stop by itself after so long.")
@json_option
def cli(
    *,
    scenario: Path | None,
    port: int,
    host: str,
    invoice: Path | None,
    day: str | None,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Serve the APIs of OpenAI, Gemini and Anthropic, and an invoice of what they would bill.

    Answers are drawn, tokens and prices are real: counted from the bytes that come in, by the rules that vendors publish. It listens until
    Ctrl-C. The invoice is at /invoice. With --json it prints one document when it ends: where it was and what it billed.
    """
    box = _open(scenario, host, port, invoice, day)
    note(
        f"sandbox: {box.url}   prices of {box.desk.clock.day().isoformat()}   any key{' of the scenario' if box.desk.scenario.keys else ''}"
    )
    note(f"  OpenAI     base_url={box.url}/v1")
    note(f"  Gemini     base_url={box.url}")
    note(f"  Anthropic  base_url={box.url}")
    note(f"  invoice    {box.url}/invoice   (Ctrl-C stops it)")
    try:
        _serve(box, seconds)
    except KeyboardInterrupt:
        note("stopped")
    finally:
        found = box.invoice.document(rows=False)
        box.close()
    if as_json:
        print_json({"url": box.url, **found})
    else:
        click.echo(f"{found['calls']} calls, {found['total_usd']} USD")


def _open(scenario: Path | None, host: str, port: int, invoice: Path | None, day: str | None) -> Sandbox:
    import msgspec

    from reelwise.documents import decode
    from reelwise.sandbox import Sandbox, Scenario

    found = Scenario.load(scenario) if scenario is not None else Scenario()
    if day:
        found = msgspec.structs.replace(found, day=decode(day, str, where="--day"))
    return Sandbox(found, host=host, port=port, invoice=invoice)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _serve(box: Sandbox, seconds: float | None) -> None:
    import signal

    signal.signal(signal.SIGTERM, _stop)  # what was uploaded is removed on every way out
    if seconds is None:
        box.serve()
        return
    import time

    box.start()
    time.sleep(seconds)
