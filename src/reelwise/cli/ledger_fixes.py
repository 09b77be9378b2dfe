"""`reelwise ledger jobs|correct`: what a person looks after: jobs that nobody settled, and rows that were wrong."""

from __future__ import annotations

import secrets
from typing import Any

import click

from reelwise.cli.ledger_options import amount, exact, ledger_option, moment, moment_of, open_ledger, open_store, pairs
from reelwise.cli.output import json_option, note, print_json, table
from reelwise.errors import InputError
from reelwise.ledger.address import shown_address

__all__ = ["correct", "jobs"]

_WHO = ("feature", "user", "session", "tenant", "user_class")
_WHAT = ("model", "provider", "plan", "stage", "mode", "version")
_JOBS_MAX = 10_000


@click.command()
@ledger_option
@json_option
def jobs(where: str, as_json: bool) -> None:
    """List jobs that wait to be settled, the next to expire first: what they hold, for whom, since when."""
    store, clock = open_store(where)
    now = clock.now_ms()
    found = store.jobs(_JOBS_MAX)
    store.close()
    if as_json:
        names = ("amount", "calls", "frames", "at_ms", "expires_ms")
        lines = [
            {"job": one.name, "who": _labels(one.who), **{key: getattr(one, key) for key in names}} for one in found
        ]
        print_json({"ledger": shown_address(where), "jobs": lines})
        return
    if not found:
        note("no job is held")
        return
    table(
        ("job", "who", "held $", "since (UTC)", "expires (UTC)", ""),
        (
            (
                one.name,
                ", ".join(f"{name}={value}" for name, value in _labels(one.who).items()),
                amount(one.amount, "usd"),
                moment_of(one.at_ms),
                moment_of(one.expires_ms),
                "overdue: let go of next" if one.expires_ms < now else "",
            )
            for one in found
        ),
        right=(2, 3, 4),
    )
    note(f"{amount(sum(one.amount for one in found), 'usd')} dollars held by {len(found):,} jobs")


def _labels(who: Any) -> dict[str, str]:
    own = {name: getattr(who, name) for name in _WHO if getattr(who, name)}
    return own | {f"tag:{name}": value for name, value in who.tags}


@click.command()
@click.option("--usd", required=True, help="What the rows so far are too low by; negative where they are too high.")
@click.option("--reason", required=True, help="Why, in up to 128 characters: kept as the row's outcome.")
@click.option(
    "--match", multiple=True, metavar="LABEL=VALUE", help="Whose cost it is: feature=blur, user=u1, tag:team=x."
)
@click.option(
    "--at", "at", default="", help="When the mistake was made (UTC): the window it counts in; now if left out."
)
@click.option("--id", "identity", default="", help="An id of your own: a second correction with it is refused.")
@ledger_option
@json_option
def correct(
    *, usd: str, reason: str, match: tuple[str, ...], at: str, identity: str, where: str, as_json: bool
) -> None:
    """Correct what was recorded: rows never change, a correction is a row of its own.

    \b
    reelwise ledger correct --usd -1.25 --reason "refund 4711" --match feature=blur --match user=u1 --at 2026-11-02
    """  # noqa: D301 - click's mark for lines that stay as they are
    from reelwise.ledger.budgets import amount_of
    from reelwise.ledger.events import NO_UNITS, Event, What, who_of

    text = usd.strip()
    nano = amount_of(text.removeprefix("-"), "usd", "--usd") * (-1 if text.startswith("-") else 1)
    if not nano:
        raise InputError("a correction of nothing", where="--usd", hint="-1.25")
    if not reason.strip():
        raise InputError("it is empty", where="--reason", hint="say why: whoever checks the rows will ask")
    labels = dict(pairs(match, "--match"))
    tags = {name[4:]: labels.pop(name) for name in list(labels) if name.startswith("tag:")}
    for name in labels:
        if name not in (*_WHO, *_WHAT):
            raise InputError(
                f"no such label: {name[:40]!r}", where="--match", hint=", ".join((*_WHO, *_WHAT)) + ", tag:NAME"
            )
    who = who_of(**{name: labels[name] for name in _WHO if name in labels}, tags=tags)
    purpose: dict[str, Any] = {name: labels[name] for name in _WHAT if name in labels}
    what = What(kind="correction", outcome=reason.strip(), **purpose)
    identity = identity or f"correction/{secrets.token_hex(8)}"
    with open_ledger(where) as ledger:
        now = ledger.clock.now_ms()
        at_ms = moment(at, now, "--at") if at else now
        if at_ms > now:
            raise InputError("it lies ahead", where="--at", hint="the day of the mistake")
        ledger.record(Event(id=identity, at_ms=at_ms, who=who, what=what, units=NO_UNITS, cost_nano=nano))
    if as_json:
        print_json({"ledger": shown_address(where), "id": identity, "cost_nano": nano, "at_ms": at_ms})
    else:
        note(f"{exact(nano)} dollars recorded as {identity}; `reelwise ledger show --id {identity}` shows the row")
