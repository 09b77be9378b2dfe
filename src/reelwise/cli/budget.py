"""`reelwise budget`: what may be spent, by whom, over what time; and the switches of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.budget_set import set_budget
from reelwise.cli.budget_text import limits, standing, unit_cost
from reelwise.cli.ledger_options import amount, duration, ledger_option, moment_of, open_ledger, open_store
from reelwise.cli.output import json_option, note, print_json, table
from reelwise.ledger.address import shown_address

if TYPE_CHECKING:
    from reelwise.ledger.ledger import Ledger
    from reelwise.ledger.queries import Account

__all__ = ["cli"]

_NOTICES = 5


@click.group()
def cli() -> None:
    """Set and show budgets: soft limits step a feature's mode down, hard limits deny a call before it is made."""


cli.add_command(set_budget)


@cli.command("list")
@ledger_option
@json_option
def list_budgets(where: str, as_json: bool) -> None:
    """List budgets, and features with ladders or switches."""
    import msgspec

    store, _ = open_store(where)
    definitions = store.definitions()
    store.close()
    budgets, features = list(definitions.budgets.values()), list(definitions.features.values())
    if as_json:
        print_json(
            {
                "ledger": shown_address(where),
                "budgets": msgspec.to_builtins(budgets),
                "features": msgspec.to_builtins(features),
            }
        )
        return
    if not budgets:
        note("no budgets yet: reelwise budget set all --period month --hard 500 --soft 80%")
    else:
        table(("budget", "what it does"), ((one.name, limits(one)) for one in budgets))
    if features:
        table(
            ("feature", "ladders", "now"),
            (
                (
                    one.name,
                    "; ".join(f"{name or 'all'}: {' > '.join(steps)}" for name, steps in one.ladders.items())
                    or "full > saver > basic > off",
                    f"switched off {one.reason}".strip()
                    if one.killed
                    else (f"forced to {one.forced}" if one.forced else ""),
                )
                for one in features
            ),
        )


@cli.command()
@click.argument("name", required=False)
@click.option(
    "--last",
    "most",
    type=click.IntRange(1, 1_000_000),
    default=20,
    show_default=True,
    help="Accounts to show, those with the most spent first.",
)
@ledger_option
@json_option
def status(name: str | None, most: int, where: str, as_json: bool) -> None:
    """Show where budgets stand: spent, held, left, how fast, and how long that can go on."""
    import msgspec

    from reelwise.errors import InputError
    from reelwise.ledger.queries import budget_status, notices

    store, clock = open_store(where)
    known = [one.name for one in store.definitions().budgets.values()]
    if name is not None and name not in known:
        raise InputError(f"no budget {name[:64]!r}", where=name[:64], hint=f"there are: {', '.join(known) or 'none'}")
    found = budget_status(store, clock.now_ms(), name=name, most=most)
    told = notices(store, _NOTICES, since={one.budget: one.window_ms for one in found})
    store.close()
    if as_json:
        print_json({"ledger": shown_address(where), "accounts": msgspec.to_builtins(found), "notices": told})
        return
    if not found:
        note("nothing to show: no budget is set, or nothing was spent")
        return
    table(
        (
            "budget",
            "who",
            "period",
            "limit",
            "spent",
            "held",
            "uncertain",
            "left",
            "would deny",
            "an hour now",
            "lasts",
        ),
        ((one.budget, one.account, one.period, *standing(one), duration(one.seconds_left)) for one in found),
        right=range(3, 10),
    )
    aimed = [one for one in found if one.target_nano is not None]
    if aimed:
        table(
            ("budget", "a unit is a", "$ a unit now", "aim $", "units", ""),
            ((one.budget, one.target_per, *unit_cost(one)) for one in aimed),
            right=(2, 3, 4),
        )
    _say(found, told)


def _say(found: list[Account], told: list[dict[str, Any]]) -> None:
    """Say what the table has no room for: overruns, what nobody is sure of, notices."""
    over: dict[str, int] = {}
    for one in found:
        if one.measure == "usd":
            over[one.budget] = over.get(one.budget, 0) + one.overrun
    if any(over.values()):
        note(f"{amount(max(over.values()), 'usd')} of it was spent above its holds or without one (overrun)")
    if any(one.lost for one in found):
        note("uncertain: leased by a process that died before it settled; counted as spent")
    for one in found:
        if one.silent:
            note(
                f"{one.budget}: {amount(one.silent, one.measure)} is held by processes not heard of for {one.silent_seconds} s"
            )
    for line in told:
        note(f"{moment_of(line['at_ms'])} UTC  {line['budget']}: {line['text']}")


@cli.command()
@click.argument("name")
@ledger_option
@json_option
def drop(name: str, where: str, as_json: bool) -> None:
    """Drop the budget NAME. Its rows stay."""
    with open_ledger(where) as ledger:
        ledger.drop_budget(name)
    if as_json:
        print_json({"ledger": shown_address(where), "dropped": name})
    else:
        note(f"dropped {name}")


@cli.command()
@click.argument("feature")
@click.option("--reason", default="", help="Told to whoever is denied.")
@ledger_option
@json_option
def kill(feature: str, reason: str, where: str, as_json: bool) -> None:
    """Switch FEATURE off: no call is let through in any process, from the next one on."""
    with open_ledger(where, create=True) as ledger:
        ledger.kill(feature, reason)
        _switched(ledger, feature, where, as_json)
    note(f"{feature} is off; `reelwise budget resume {feature}` switches it on")


def _switched(ledger: Ledger, feature: str, where: str, as_json: bool) -> None:
    """Say of which feature a switch was moved, and whether a call of it was seen before: a name may be misspelt."""
    import difflib

    import msgspec

    from reelwise.ledger.queries import features_seen

    seen = features_seen(ledger.store)
    if as_json:
        state = msgspec.to_builtins(ledger.feature(feature))
        print_json({"ledger": shown_address(where), "feature": state, "seen": feature in seen})
    if feature not in seen:
        like = difflib.get_close_matches(feature, seen, 3, 0.5)
        hint = f"; there are calls of {', '.join(like)}" if like else ""
        note(f"no call of {feature!r} was seen yet{hint}")


@cli.command()
@click.argument("feature")
@ledger_option
@json_option
def resume(feature: str, where: str, as_json: bool) -> None:
    """Switch FEATURE on again, and let its budgets choose its mode."""
    with open_ledger(where) as ledger:
        ledger.resume(feature)
        _switched(ledger, feature, where, as_json)
    note(f"{feature} is on")


@cli.command()
@click.argument("feature")
@click.argument("name", metavar="MODE")
@click.option("--reason", default="", help="Told with the mode.")
@ledger_option
@json_option
def mode(*, feature: str, name: str, reason: str, where: str, as_json: bool) -> None:
    """Set FEATURE to MODE by hand, whatever its budgets say, until `resume`."""
    with open_ledger(where, create=True) as ledger:
        ledger.force(feature, name, reason)
        _switched(ledger, feature, where, as_json)
    note(f"{feature} runs in mode {name} until `reelwise budget resume {feature}`")


@cli.command()
@click.argument("feature")
@click.argument("steps", nargs=-1, required=True, metavar="STEP...")
@click.option("--class", "user_class", default="", help="Only for this class of users: paying, free.")
@click.option("--set", "settings", multiple=True, metavar="STEP.LEVER=VALUE", help="What a step means: saver.fps=5.")
@ledger_option
@json_option
def ladder(
    *, feature: str, steps: tuple[str, ...], user_class: str, settings: tuple[str, ...], where: str, as_json: bool
) -> None:
    """Set the steps that FEATURE takes down, best first: full saver basic off."""
    import msgspec

    from reelwise.documents import parse_yaml
    from reelwise.errors import InputError

    with open_ledger(where, create=True) as ledger:
        old = ledger.feature(feature)
        modes = {name: dict(levers) for name, levers in old.modes.items()}
        for one in settings:
            path, sign, value = one.partition("=")
            step, dot, lever = path.partition(".")
            if not sign or not dot or not lever:
                raise InputError(f"cannot read {one[:60]!r}", where="--set", hint="--set saver.fps=5")
            modes.setdefault(step, {})[lever] = parse_yaml(value, where="--set")
        new = msgspec.structs.replace(old, ladders={**old.ladders, user_class: steps}, modes=modes)
        ledger.set_feature(new)
    if as_json:
        print_json({"ledger": shown_address(where), "feature": msgspec.to_builtins(new)})
    else:
        note(f"{feature}{f' ({user_class})' if user_class else ''}: {' > '.join(steps)}")
