"""`reelwise ledger export|backup|prune`: rows leave the ledger, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import click

from reelwise.cli.ledger_options import check_file, ledger_option, moment, open_store
from reelwise.cli.output import json_option, note, print_json
from reelwise.errors import InputError
from reelwise.ledger.address import shown_address

__all__ = ["backup", "export", "prune"]

_FOREVER = 1 << 60


@click.command()
@click.option("--format", "kind", type=click.Choice(("csv", "parquet")), default="csv", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The file to write; - writes CSV to standard output."
)
@click.option("--since", "since_", default="", help="7d, 24h, 2026-11-01 (UTC); everything where it is left out.")
@click.option("--until", default="", help="Likewise.")
@ledger_option
@json_option
def export(*, kind: str, out: Path, since_: str, until: str, where: str, as_json: bool) -> None:
    """Write rows to a file, oldest first, money in dollars and in nano-USD."""
    from reelwise.ledger.exports import FIELDS, write_csv, write_parquet
    from reelwise.ledger.queries import export as pages

    to_pipe = str(out) == "-"
    if to_pipe and as_json:
        raise InputError("rows and --json cannot both go to standard output", where="--out -", hint="name a file")
    if not to_pipe:
        check_file(out, where, "--out")
    store, clock = open_store(where)
    try:
        now = clock.now_ms()
        first = moment(since_, now, "--since") if since_ else 0
        stop = moment(until, now, "--until") if until else _FOREVER
        rows = pages(store, first_ms=first, stop_ms=stop)
        count = write_parquet(rows, out) if kind == "parquet" else write_csv(rows, out)
    finally:
        store.close()
    if as_json:
        print_json({"ledger": shown_address(where), "out": str(out), "rows": count, "fields": FIELDS})
    else:
        note(f"{count:,} rows to {'standard output' if to_pipe else out}")


@click.command()
@click.argument("to", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace TO where it is there; never a database that is in use.")
@ledger_option
@json_option
def backup(*, to: Path, force: bool, where: str, as_json: bool) -> None:
    """Copy the ledger to the file TO while it is in use, whole or not at all."""
    check_file(to, where, "backup")
    store, _ = open_store(where)
    try:
        store.link.backup(to, overwrite=force)
    finally:
        store.close()
    if as_json:
        print_json({"ledger": shown_address(where), "copy": str(to)})
    else:
        note(f"copied to {to}; `reelwise ledger verify --ledger {to}` checks it")


@click.command()
@click.option(
    "--keep",
    type=click.IntRange(1, 36_500),
    default=400,
    show_default=True,
    help="Days of rows to keep; at least 62.",
)
@ledger_option
@json_option
def prune(keep: int, where: str, as_json: bool) -> None:
    """Delete old rows; their sums by minute, hour and day stay."""
    from reelwise.ledger.retention import prune as let_go

    store, clock = open_store(where, read_only=False)
    try:
        count = let_go(store, keep, clock.now_ms())
    finally:
        store.close()
    if as_json:
        print_json({"ledger": shown_address(where), "rows": count, "keep_days": keep})
    else:
        note(f"{count:,} rows let go of; their sums are kept")
