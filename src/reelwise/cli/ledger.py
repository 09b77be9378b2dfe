"""`reelwise ledger`: what was spent, by whom, on what; and whether every balance is what its rows add up to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.ledger_options import amount, ledger_option, moment, moment_of, pairs
from reelwise.cli.output import json_option, note, print_json, table
from reelwise.ledger.address import shown_address

if TYPE_CHECKING:
    from reelwise.ledger.clock import SystemClock
    from reelwise.ledger.sql import SqlStore

__all__ = ["cli"]

_FOREVER = 1 << 60
_HOUR = 3_600_000


@click.group()
def cli() -> None:
    """Show, sum, check and export what was spent."""


def _open(where: str, *, read_only: bool = True) -> tuple[SqlStore, SystemClock]:
    from reelwise.ledger.clock import SystemClock
    from reelwise.ledger.ledger import open_store

    return open_store(where, create=False, read_only=read_only), SystemClock()


@cli.command()
@click.option("--last", "count", default=20, show_default=True, help="Rows to show, the newest first.")
@click.option("--before", type=int, help="Only rows with a smaller number: the next page.")
@click.option(
    "--match", multiple=True, metavar="LABEL=VALUE", help="Only rows with this label: feature=blur, status=cut."
)
@ledger_option
@json_option
def show(count: int, before: int | None, match: tuple[str, ...], where: str, as_json: bool) -> None:
    """Show the newest rows."""
    from reelwise.errors import InputError
    from reelwise.ledger.queries import NAMES, last_rows

    labels = dict(pairs(match, "--match"))
    known = NAMES[2:17]
    for name in labels:
        if name not in known and not name.startswith("tag:"):
            raise InputError(f"rows have no label {name[:40]!r}", where="--match", hint=", ".join(known) + ", tag:NAME")
    store, _ = _open(where)
    found = last_rows(store, max(0, count), before=before, labels=labels)
    store.close()
    if as_json:
        print_json({"ledger": shown_address(where), "rows": found})
        return
    if not found:
        note("no rows")
        return
    table(
        ("number", "when (UTC)", "feature", "user", "session", "model", "kind", "status", "cost $", "avoided $", "ms"),
        (
            (
                str(one["number"]),
                moment_of(one["at_ms"]),
                one["feature"],
                one["user"],
                one["session"],
                one["model"],
                one["kind"],
                one["status"],
                amount(one["cost_nano"], "usd"),
                amount(one["avoided_nano"], "usd") if one["avoided_nano"] else "",
                f"{one['latency_ms']:,}",
            )
            for one in found
        ),
        right=(0, 8, 9, 10),
    )


@cli.command()
@click.option(
    "--by",
    default="feature",
    show_default=True,
    help="feature, user, session, tenant, model, stage, mode, ... or tag:NAME.",
)
@click.option("--since", "since_", default="30d", show_default=True, help="7d, 24h, 2026-11-01 (UTC).")
@click.option("--until", default="", help="Likewise; now where it is left out.")
@click.option("--feature", help="Only that of one feature.")
@click.option("--last", "most", default=20, show_default=True, help="Lines to show.")
@ledger_option
@json_option
def top(*, by: str, since_: str, until: str, feature: str | None, most: int, where: str, as_json: bool) -> None:
    """Show who or what costs most, with the unit costs."""
    from reelwise.ledger.rolls import sums, with_rest

    store, clock = _open(where)
    now = clock.now_ms()
    first = moment(since_, now, "--since")
    stop = moment(until, now, "--until") if until else now + 1
    if by != "feature":  # sums by other labels are kept by the hour
        first, stop = first - first % _HOUR, stop + -stop % _HOUR
    found = with_rest(sums(store, first, stop, by=by, feature=feature), sums(store, first, stop, feature=feature))
    people = {}
    for name in ("session", "user"):
        labelled = [one for one in sums(store, first, stop, by=name, feature=feature) if one.label]
        people[name] = (len(labelled), sum(one.cost_nano for one in labelled))
    store.close()
    total = sum(one.cost_nano for one in found)
    lines = [_line(one, total) for one in found[:most]]
    if as_json:
        whole = {**_line_total(found), **{f"{name}s": count for name, (count, _) in people.items()}}
        print_json(
            {
                "ledger": shown_address(where),
                "by": by,
                "from_ms": first,
                "until_ms": stop,
                "lines": lines,
                "total": whole,
                "lines_in_all": len(found),
            }
        )
        return
    if not found:
        note("nothing was spent in this time")
        return
    table(
        (by, "cost $", "share", "avoided $", "calls", "$ a call", "frames", "$ a minute", "outcomes", "$ an outcome"),
        (
            (
                str(one["label"]) or "(none)",
                amount(one["cost_nano"], "usd"),
                f"{one['share']:.1%}",
                amount(one["avoided_nano"], "usd") if one["avoided_nano"] else "",
                f"{one['calls']:,}",
                amount(one["nano_per_call"], "usd"),
                f"{one['frames']:,}" if one["frames"] else "",
                amount(one["nano_per_minute"], "usd"),
                f"{one['outcomes']:,}" if one["outcomes"] else "",
                amount(one["nano_per_outcome"], "usd"),
            )
            for one in lines
        ),
        right=range(1, 10),
    )
    more = f"; {len(found) - most:,} more lines" if len(found) > most else ""
    note(f"{amount(total, 'usd')} dollars in all, from {moment_of(first)} to {moment_of(stop)} UTC{more}")
    each = [f"{amount(cost // count, 'usd')} a {name} ({count:,})" for name, (count, cost) in people.items() if count]
    if each:
        note(f"in dollars: {', '.join(each)}")


def _line(one: Any, total: int) -> dict[str, Any]:
    per = {
        "nano_per_call": one.calls,
        "nano_per_frame": one.frames,
        "nano_per_minute": one.video_ms / 60_000,
        "nano_per_outcome": one.outcomes,
    }
    return {
        "label": one.label,
        "cost_nano": one.cost_nano,
        "share": round(one.cost_nano / total, 6) if total else 0.0,
        "avoided_nano": one.avoided_nano,
        "events": one.events,
        "calls": one.calls,
        "frames": one.frames,
        "video_ms": one.video_ms,
        "outcomes": one.outcomes,
        "latency_ms_mean": round(one.latency_ms / one.events, 1) if one.events else None,
        **{name: round(one.cost_nano / count) if count else None for name, count in per.items()},
    }


def _line_total(found: list[Any]) -> dict[str, int]:
    names = ("cost_nano", "avoided_nano", "events", "calls", "frames", "video_ms", "outcomes")
    return {name: sum(getattr(one, name) for one in found) for name in names}


@cli.command()
@ledger_option
@json_option
def verify(where: str, as_json: bool) -> None:
    """Compute every balance again from the rows; exit code 3 where one differs."""
    import msgspec

    from reelwise.errors import GateError
    from reelwise.ledger.verify import verify as check

    store, clock = _open(where)
    found = check(store, clock.now_ms())
    store.close()
    if as_json:
        print_json({"ledger": shown_address(where), **msgspec.to_builtins(found)})
    else:
        click.echo(f"{found.rows:,} rows, {found.accounts:,} balances, {amount(found.cost_nano, 'usd')} dollars")
        click.echo(f"  above a hold, late or without one: {amount(found.overrun_nano, 'usd')}")
        click.echo(f"  held by jobs: {amount(found.pending_nano, 'usd')}")
        click.echo(
            f"  leased by processes that run: {amount(found.leased_nano, 'usd')} (what a crash would leave uncertain, at most)"
        )
        if found.silent_nano:
            said = f"{amount(found.silent_nano, 'usd')}, by processes not heard of for up to {found.silent_seconds} s"
            click.echo(f"    of it {said}")
        click.echo(f"  uncertain since a process died: {amount(found.lost_nano, 'usd')}")
        if found.problems:
            table(
                ("what", "where", "kept", "rows say"),
                ((one.what, one.where, f"{one.kept:,}", f"{one.computed:,}") for one in found.problems),
            )
    if found.problems:
        raise GateError(
            f"{len(found.problems)} balances differ from their rows",
            where=shown_address(where),
            hint="restore a backup, and tell us: no balance may ever differ",
        )
    if not as_json:
        click.echo("every balance is what its rows add up to")


@cli.command()
@click.option("--format", "kind", type=click.Choice(("csv", "parquet")), default="csv", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The file to write; - writes CSV to standard output."
)
@click.option("--since", "since_", default="", help="7d, 24h, 2026-11-01 (UTC); everything where it is left out.")
@click.option("--until", default="", help="Likewise.")
@ledger_option
def export(kind: str, out: Path, since_: str, until: str, where: str) -> None:
    """Write rows to a file, oldest first, money in nano-USD."""
    from reelwise.ledger.exports import write_csv, write_parquet
    from reelwise.ledger.queries import export as pages

    store, clock = _open(where)
    now = clock.now_ms()
    first = moment(since_, now, "--since") if since_ else 0
    stop = moment(until, now, "--until") if until else _FOREVER
    rows = pages(store, first_ms=first, stop_ms=stop)
    count = write_parquet(rows, out) if kind == "parquet" else write_csv(rows, out)
    store.close()
    note(f"{count:,} rows to {out}")


@cli.command()
@click.argument("to", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace TO where it is there; never a database that is in use.")
@ledger_option
def backup(to: Path, where: str, *, force: bool) -> None:
    """Copy the ledger to the file TO while it is in use, whole or not at all."""
    store, _ = _open(where)
    try:
        store.link.backup(to, overwrite=force)
    finally:
        store.close()
    note(f"copied to {to}; `reelwise ledger verify --ledger {to}` checks it")


@cli.command()
@click.option("--keep", default=400, show_default=True, help="Days of rows to keep; at least 62.")
@ledger_option
def prune(keep: int, where: str) -> None:
    """Delete old rows; their sums by minute, hour and day stay."""
    from reelwise.ledger.retention import prune as let_go

    store, clock = _open(where, read_only=False)
    count = let_go(store, keep, clock.now_ms())
    store.close()
    note(f"{count:,} rows let go of; their sums are kept")


@cli.command("settle-lost")
@click.argument("budget", required=False)
@click.option("--as-spent", is_flag=True, help="It was spent: keep it, as rows of the kind correction.")
@click.option("--release", is_flag=True, help="It was not spent: let go of it.")
@ledger_option
@json_option
def settle_lost(budget: str | None, *, as_spent: bool, release: bool, where: str, as_json: bool) -> None:
    """Show what is uncertain since processes died, of BUDGET or of all; settle it with --as-spent or --release."""
    import msgspec

    from reelwise.errors import InputError
    from reelwise.ledger.settling import lost
    from reelwise.ledger.settling import settle_lost as settle

    if as_spent and release:
        raise InputError("spent, or not spent", where="--as-spent", hint="one of --as-spent and --release")
    if as_spent and not budget:
        raise InputError(
            "the same money is lost in each budget that its calls count in",
            where="--as-spent",
            hint="name one budget, the narrowest; what is left in others after that: --release",
        )
    writes = as_spent or release
    store, clock = _open(where, read_only=not writes)
    if writes:
        store.reap(clock.now_ms())
    found = lost(store, budget)
    done = settle(store, found, as_spent=as_spent) if writes else []
    store.close()
    state = "kept as spent" if as_spent else "let go of" if release else "uncertain"
    if as_json:
        body = {"ledger": shown_address(where), "state": state, "lost": msgspec.to_builtins(found)}
        print_json({**body, "settled": msgspec.to_builtins(done)})
        return
    if not found:
        note("nothing is uncertain")
        return
    table(
        ("budget", "who", state, "process", "until (UTC)"),
        (
            (
                one.budget,
                one.account,
                amount(one.amount, one.measure),
                one.owner.partition("-")[0],
                moment_of(one.at_ms),
            )
            for one in found
        ),
        right=(2,),
    )


@cli.command()
@click.argument("month")
@click.option("--rates", type=click.Path(path_type=Path), help="Private prices (YAML).")
@ledger_option
@json_option
def close(month: str, rates: Path | None, where: str, as_json: bool) -> None:
    """Close MONTH (2026-10): price its rows again by the account's tiers, and write the difference as true-up rows."""
    import datetime as dt

    import msgspec

    from reelwise.ledger.ledger import Ledger
    from reelwise.month import close_month
    from reelwise.rates import Book

    with Ledger(where, thread=False, create=False) as ledger:
        try:
            day = dt.date.fromisoformat(f"{month}-01")
        except ValueError:
            day = dt.datetime.now(tz=dt.UTC).date()  # close_month says what is wrong with it
        found = close_month(ledger, month, Book.load(day, rates))
    if as_json:
        print_json({"ledger": shown_address(where), **msgspec.to_builtins(found)})
        return
    if not found.models:
        note("no model of this month has graduated prices, free units or a rounded sum: nothing to true up")
    else:
        table(
            ("model", "rows", "posted $", "owed $", "true-up $"),
            (
                (
                    one.model,
                    f"{one.rows:,}",
                    amount(one.posted_nano, "usd"),
                    amount(one.owed_nano, "usd"),
                    amount(one.owed_nano - one.posted_nano, "usd"),
                )
                for one in found.models
            ),
            right=range(1, 5),
        )
    for model, why in found.skipped:
        note(f"not priced: {model}: {why}")
