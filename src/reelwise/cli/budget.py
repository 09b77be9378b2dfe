"""`reelwise budget`: what may be spent, by whom, over what time; and the switches of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.ledger_options import amount, duration, ledger_option, pairs
from reelwise.cli.output import json_option, note, print_json, table
from reelwise.ledger.address import shown_address

if TYPE_CHECKING:
    from reelwise.ledger.budgets import Budget, Target
    from reelwise.ledger.ledger import Ledger

__all__ = ["cli"]

_PERIODS = ("minute", "hour", "day", "month", "total")
_MEASURES = ("usd", "calls", "frames")


@click.group()
def cli() -> None:
    """Set and show budgets: soft limits step a feature's mode down, hard limits deny a call before it is made."""


def _open(where: str, *, create: bool = False) -> Ledger:
    from reelwise.ledger.ledger import Ledger

    return Ledger(where, thread=False, create=create)


@cli.command("set")
@click.argument("name")
@click.option("--match", "match", multiple=True, metavar="DIMENSION=VALUE", help="Count only calls with this label.")
@click.option("--each", "each", multiple=True, metavar="DIMENSION", help="A budget of its own for each value: user.")
@click.option("--period", type=click.Choice(_PERIODS), default="day", show_default=True, help="What the limit is for.")
@click.option("--rolling", is_flag=True, help="The last 24 hours rather than this day.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone in which days and months begin.")
@click.option("--hard", help="Denied before the call: dollars, or a number of calls or frames.")
@click.option("--soft", help="Noticed, and the mode steps down: likewise, or a share of the hard limit (80%).")
@click.option("--measure", type=click.Choice(_MEASURES), default="usd", show_default=True, help="What is limited.")
@click.option("--shadow", is_flag=True, help="Report what would have been denied, deny nothing.")
@click.option("--target", metavar="USD/UNIT", help="A unit cost to stay under: 0.05/session, 0.30/video_hour, 1/user.")
@click.option("--minimum", default=30, show_default=True, help="Units that a target needs before it is judged.")
@click.option("--forecast", help="What the plan expects in the period: notices by pace are held against it.")
@ledger_option
@json_option
def set_budget(where: str, as_json: bool, **options: Any) -> None:
    r"""Set the budget NAME, or change it. What was spent in its present window counts.

    \b
    reelwise budget set all --period month --hard 500 --soft 80%
    reelwise budget set per-user --each user --period day --hard 0.50
    reelwise budget set blur --match feature=blur --period day --target 0.05/session --minimum 20
    """
    import msgspec

    budget = _budget(options)
    with _open(where, create=True) as ledger:
        known = {one.name for one in ledger.budgets()}
        ledger.set_budget(budget)
    if as_json:
        print_json({"ledger": shown_address(where), "budget": msgspec.to_builtins(budget)})
    else:
        note(f"{'changed' if budget.name in known else 'set'} {budget.name}: {_limits(budget)}")


def _budget(options: dict[str, Any]) -> Budget:
    from reelwise.ledger.budgets import Budget, amount_of, check_budget

    measure = options["measure"]
    hard = amount_of(options["hard"], measure, "--hard") if options["hard"] else None
    soft = _soft(options["soft"], hard, measure)
    forecast = amount_of(options["forecast"], measure, "--forecast") if options["forecast"] else None
    return check_budget(
        Budget(
            name=options["name"],
            match=pairs(options["match"], "--match"),
            each=options["each"],
            period=options["period"],
            rolling=options["rolling"],
            zone=options["zone"],
            measure=measure,
            hard=hard,
            soft=soft,
            shadow=options["shadow"],
            target=_target(options["target"], options["minimum"]),
            forecast=forecast,
        )
    )


def _soft(text: str | None, hard: int | None, measure: Any) -> int | None:
    from reelwise.errors import InputError
    from reelwise.ledger.budgets import amount_of

    if not text:
        return None
    if not text.endswith("%"):
        return amount_of(text, measure, "--soft")
    if hard is None:
        raise InputError("a share needs a hard limit to be a share of", where="--soft", hint="--hard 10 --soft 80%")
    share = amount_of(text[:-1], "usd", "--soft")
    return hard * share // (100 * 1_000_000_000)


def _target(text: str | None, minimum: int) -> Target | None:
    from typing import get_args

    from reelwise.errors import InputError
    from reelwise.ledger.budgets import Per, Target, amount_of

    if not text:
        return None
    usd, _, unit = text.partition("/")
    if unit not in get_args(Per):
        raise InputError(
            f"no such unit: {unit[:40]!r}", where="--target", hint="0.05/session; " + ", ".join(get_args(Per))
        )
    return Target(per=unit, nano=amount_of(usd, "usd", "--target"), minimum=minimum)  # type: ignore[arg-type] # checked above


def _limits(budget: Budget) -> str:
    parts = []
    unit = "" if budget.measure == "usd" else f" {budget.measure}"
    dollar = "$" if budget.measure == "usd" else ""
    if budget.hard is not None:
        parts.append(
            f"{'would deny' if budget.shadow else 'denies'} above {dollar}{amount(budget.hard, budget.measure)}{unit}"
        )
    if budget.soft is not None:
        parts.append(f"steps down from {dollar}{amount(budget.soft, budget.measure)}{unit}")
    if budget.target is not None:
        parts.append(f"aims at ${amount(budget.target.nano, 'usd')} a {budget.target.per}")
    scope = " and ".join(f"{name}={value}" for name, value in budget.match) or "everything"
    apart = f", for each {', '.join(budget.each)}" if budget.each else ""
    period = (
        f"the last {budget.period}"
        if budget.rolling
        else ("all time" if budget.period == "total" else f"a {budget.period}")
    )
    return f"{'; '.join(parts)}; over {period}, {scope}{apart}"


@cli.command("list")
@ledger_option
@json_option
def list_budgets(where: str, as_json: bool) -> None:
    """List budgets, and features with ladders or switches."""
    import msgspec

    from reelwise.ledger.ledger import open_store

    store = open_store(where, create=False, read_only=True)
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
        table(("budget", "what it does"), ((one.name, _limits(one)) for one in budgets))
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
    "--last", "most", default=20, show_default=True, help="Accounts to show, those with the most spent first."
)
@ledger_option
@json_option
def status(name: str | None, most: int, where: str, as_json: bool) -> None:
    """Show where budgets stand: spent, held, left, how fast, and how long that can go on."""
    import msgspec

    from reelwise.errors import InputError
    from reelwise.ledger.clock import SystemClock
    from reelwise.ledger.ledger import open_store
    from reelwise.ledger.queries import budget_status, notices

    store = open_store(where, create=False, read_only=True)
    known = [one.name for one in store.definitions().budgets.values()]
    if name is not None and name not in known:
        raise InputError(f"no budget {name[:64]!r}", where=name[:64], hint=f"there are: {', '.join(known) or 'none'}")
    found = budget_status(store, SystemClock().now_ms(), name=name, most=most)
    told = notices(store, 5)
    store.close()
    if as_json:
        print_json({"ledger": shown_address(where), "accounts": msgspec.to_builtins(found), "notices": told})
        return
    if not found:
        note("nothing to show: no budget is set, or nothing was spent")
        return
    table(
        ("budget", "who", "period", "limit", "spent", "held", "uncertain", "left", "an hour now", "lasts"),
        (
            (
                one.budget + (" (shadow)" if one.shadow else ""),
                one.account,
                one.period,
                amount(one.hard if one.hard is not None else one.soft, one.measure),
                amount(one.posted, one.measure),
                amount(one.leased + one.pending, one.measure),
                amount(one.lost, one.measure) if one.lost else "",
                amount(max(0, one.remaining), one.measure) if one.remaining is not None else "",
                amount(one.burn_per_hour, one.measure) if one.burn_per_hour else "",
                duration(one.seconds_left),
            )
            for one in found
        ),
        right=(3, 4, 5, 6, 7, 8),
    )
    over = sum(one.overrun for one in found if one.measure == "usd")
    if over:
        note(f"{amount(over, 'usd')} of it was spent above its holds or without one (overrun)")
    if any(one.lost for one in found):
        note("uncertain: leased by a process that died before it settled; counted as spent")
    for one in found:
        if one.silent:
            note(
                f"{one.budget}: {amount(one.silent, one.measure)} is held by processes not heard of for {one.silent_seconds} s"
            )
    for notice in told[:5]:
        note(notice["text"])


@cli.command()
@click.argument("name")
@ledger_option
def drop(name: str, where: str) -> None:
    """Drop the budget NAME. Its rows stay."""
    with _open(where) as ledger:
        ledger.drop_budget(name)
    note(f"dropped {name}")


@cli.command()
@click.argument("feature")
@click.option("--reason", default="", help="Told to whoever is denied.")
@ledger_option
def kill(feature: str, reason: str, where: str) -> None:
    """Switch FEATURE off: no call is let through in any process, from the next one on."""
    with _open(where, create=True) as ledger:
        ledger.kill(feature, reason)
    note(f"{feature} is off; `reelwise budget resume {feature}` switches it on")


@cli.command()
@click.argument("feature")
@ledger_option
def resume(feature: str, where: str) -> None:
    """Switch FEATURE on again, and let its budgets choose its mode."""
    with _open(where) as ledger:
        ledger.resume(feature)
    note(f"{feature} is on")


@cli.command()
@click.argument("feature")
@click.argument("name", metavar="MODE")
@click.option("--reason", default="", help="Told with the mode.")
@ledger_option
def mode(feature: str, name: str, reason: str, where: str) -> None:
    """Set FEATURE to MODE by hand, whatever its budgets say, until `resume`."""
    with _open(where, create=True) as ledger:
        ledger.force(feature, name, reason)
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

    with _open(where, create=True) as ledger:
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
