"""`reelwise ledger`: what was spent, by whom, on what; and whether every balance is what its rows add up to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.ledger_files import backup, export, prune
from reelwise.cli.ledger_fixes import correct, jobs
from reelwise.cli.ledger_options import amount, exact, ledger_option, moment, moment_of, open_ledger, open_store, pairs
from reelwise.cli.output import json_option, note, print_json, table
from reelwise.ledger.address import shown_address

if TYPE_CHECKING:
    from reelwise.ledger.verify import Problem

__all__ = ["cli"]

_HOUR = 3_600_000


_ROWS = click.IntRange(1, 1_000_000)


@click.group()
def cli() -> None:
    """Show, sum, check, correct and export what was spent."""


for _command in (export, backup, prune, jobs, correct):
    cli.add_command(_command)


@cli.command()
@click.option("--last", "count", type=_ROWS, default=20, show_default=True, help="Rows to show, the newest first.")
@click.option("--before", type=click.IntRange(1, 1 << 62), help="Only rows with a smaller number: the next page.")
@click.option(
    "--match", multiple=True, metavar="LABEL=VALUE", help="Only rows with this label: feature=blur, status=cut."
)
@click.option("--id", "identity", default="", help="Only the rows of one id: a call's, a job's, and its overrun.")
@ledger_option
@json_option
def show(*, count: int, before: int | None, match: tuple[str, ...], identity: str, where: str, as_json: bool) -> None:
    """Show the newest rows."""
    from reelwise.errors import InputError
    from reelwise.ledger.queries import NAMES, last_rows

    labels = dict(pairs(match, "--match"))
    known = NAMES[2:17]
    for name in labels:
        if name not in known and not name.startswith("tag:"):
            raise InputError(f"rows have no label {name[:40]!r}", where="--match", hint=", ".join(known) + ", tag:NAME")
    store, _ = open_store(where)
    found = last_rows(store, count, before=before, labels=labels, identity=identity)
    store.close()
    if as_json:
        print_json({"ledger": shown_address(where), "rows": found})
        return
    if not found:
        note("no rows")
        return
    table(
        ("row", "when (UTC)", "feature", "user", "session", "model", "what", "cost $", "avoided $", "ms"),
        (
            (
                str(one["number"]),
                moment_of(one["at_ms"]),
                one["feature"],
                one["user"],
                one["session"],
                one["model"],
                one["kind"] if one["status"] == "ok" else f"{one['kind']} {one['status']}",
                amount(one["cost_nano"], "usd"),
                amount(one["avoided_nano"], "usd") if one["avoided_nano"] else "",
                f"{one['latency_ms']:,}",
            )
            for one in found
        ),
        right=(0, 1, 7, 8, 9),
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
@click.option("--last", "most", type=_ROWS, default=20, show_default=True, help="Lines to show.")
@click.option("--units", is_flag=True, help="Say also what a session and a user cost; adds up all of them.")
@ledger_option
@json_option
def top(
    *, by: str, since_: str, until: str, feature: str | None, most: int, units: bool, where: str, as_json: bool
) -> None:
    """Show who or what costs most, with the unit costs."""
    from reelwise.errors import InputError
    from reelwise.ledger.rolls import sums, with_rest

    store, clock = open_store(where)
    now = clock.now_ms()
    first = moment(since_, now, "--since")
    stop = moment(until, now, "--until") if until else now + 1
    if stop <= first:
        raise InputError("it ends before it begins", where="--until", hint="--since 2026-10-01 --until 2026-11-01")
    if by != "feature":  # sums by other labels are kept by the hour
        first, stop = first - first % _HOUR, stop + -stop % _HOUR
    found = with_rest(sums(store, first, stop, by=by, feature=feature), sums(store, first, stop, feature=feature))
    people = {}
    for name in ("session", "user") if units else ():
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

    store, clock = open_store(where)
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
                ((one.what, one.where, _problem(one, one.kept), _problem(one, one.computed)) for one in found.problems),
                right=(2, 3),
            )
    if found.problems:
        raise GateError(
            f"{len(found.problems)} balances differ from their rows",
            where=shown_address(where),
            hint="restore a backup, and tell us: no balance may ever differ",
        )
    if not as_json:
        click.echo("every balance is what its rows add up to")


def _problem(one: Problem, value: int) -> str:
    return exact(value) if one.measure == "usd" else f"{value:,}"


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
    store, clock = open_store(where, read_only=not writes)
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

    from reelwise.errors import InputError
    from reelwise.month import close_month
    from reelwise.rates import Book

    try:
        day = dt.date.fromisoformat(f"{month}-01")
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year < 9999:
        raise InputError(f"no month: {month[:40]!r}", where="month", hint="2026-10")
    with open_ledger(where) as ledger:
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
