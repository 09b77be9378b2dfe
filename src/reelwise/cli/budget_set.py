"""`reelwise budget set`: make a budget, or change of one what is given and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.budget_text import limits, parts_of
from reelwise.cli.ledger_options import ledger_option, open_ledger, pairs
from reelwise.cli.output import json_option, note, print_json
from reelwise.errors import InputError
from reelwise.ledger.address import shown_address

if TYPE_CHECKING:
    from reelwise.ledger.budgets import Budget, Target

__all__ = ["set_budget"]

_PERIODS = ("minute", "hour", "day", "month", "total")
_MEASURES = ("usd", "calls", "frames")
_NONE = "none"
_MINIMUM = 30


@click.command("set")
@click.argument("name")
@click.option(
    "--match", multiple=True, metavar="DIMENSION=VALUE", help="Count only calls with this label; none: all calls."
)
@click.option("--each", multiple=True, metavar="DIMENSION", help="A budget of its own for each value: user; none: one.")
@click.option("--period", type=click.Choice(_PERIODS), help="What the limit is for.  [day]")
@click.option("--rolling/--calendar", default=None, help="The last 24 hours, or this day.  [calendar]")
@click.option("--zone", help="The time zone in which days and months begin.  [UTC]")
@click.option("--hard", help="Denied before the call: dollars, or a number of calls or frames; none.")
@click.option("--soft", help="Noticed, and the mode steps down: likewise, or a share of the hard limit (80%); none.")
@click.option("--measure", type=click.Choice(_MEASURES), help="What is limited.  [usd]")
@click.option("--shadow/--enforce", default=None, help="Report what would have been denied, deny nothing.  [enforce]")
@click.option(
    "--target", metavar="USD/UNIT", help="A unit cost to stay under: 0.05/session, 0.30/video_hour, 1/user; none."
)
@click.option("--minimum", type=click.IntRange(1, 1 << 50), help="Units that a target needs before it is judged.  [30]")
@click.option(
    "--forecast", help="What the plan expects in the period: notices by pace are held against it; none for none."
)
@ledger_option
@json_option
def set_budget(name: str, where: str, as_json: bool, **options: Any) -> None:
    """Set the budget NAME, or change of it what is given: all else stays. What was spent in its present window counts.

    \b
    reelwise budget set all --period month --hard 500 --soft 80%
    reelwise budget set all --hard 600
    reelwise budget set per-user --each user --period day --hard 0.50
    reelwise budget set blur --match feature=blur --period day --target 0.05/session --minimum 20
    """  # noqa: D301 - click's mark for lines that stay as they are
    import msgspec

    from reelwise.ledger.budgets import Budget, check_budget

    with open_ledger(where, create=True) as ledger:
        old = next((one for one in ledger.budgets() if one.name == name), None)
        budget = check_budget(_with(old or Budget(name=name), options))
        changed = _changes(old, budget) if old is not None else {}
        if old is None or changed:
            ledger.set_budget(budget)
    if as_json:
        said = {key: list(both) for key, both in changed.items()} if old is not None else None
        print_json({"ledger": shown_address(where), "budget": msgspec.to_builtins(budget), "changed": said})
    elif old is None:
        note(f"set {name}: {limits(budget)}")
    elif not changed:
        note(f"{name} stays as it was: {limits(budget)}")
    else:
        note(f"changed {name}: " + "; ".join(f"{key} {was} -> {now}" for key, (was, now) in changed.items()))
        note(f"now {name}: {limits(budget)}")


def _changes(old: Budget, new: Budget) -> dict[str, tuple[str, str]]:
    """Say what differs, as people read it."""
    before, after = parts_of(old), parts_of(new)
    return {key: (before[key], after[key]) for key in before if before[key] != after[key]}


def _with(old: Budget, options: dict[str, Any]) -> Budget:
    """Return a budget with what is given in place of what it had."""
    import msgspec

    given = {key: value for key, value in options.items() if value is not None and value != ()}
    new: dict[str, Any] = {key: given[key] for key in ("period", "rolling", "measure", "shadow") if key in given}
    if "zone" in given:
        if not given["zone"].strip():
            raise InputError("it is empty", where="--zone", hint="is a shell variable not set? UTC, Europe/Berlin")
        new["zone"] = given["zone"]
    if "match" in given:
        new["match"] = () if given["match"] == (_NONE,) else pairs(given["match"], "--match")
    if "each" in given:
        new["each"] = () if given["each"] == (_NONE,) else given["each"]
    measure = new.get("measure", old.measure)
    if measure != old.measure:
        _check_measure(old, given)
    new |= _limits_of(old, given, measure)
    if "target" in given or "minimum" in given:
        new["target"] = _target(old.target, given.get("target"), given.get("minimum"))
    return msgspec.structs.replace(old, **new)


def _check_measure(old: Budget, given: dict[str, Any]) -> None:
    """Refuse to read 100 dollars as 100,000,000,000 calls."""
    for key in ("hard", "soft", "forecast"):
        if getattr(old, key) is not None and key not in given and not (key == "soft" and old.soft_share):
            raise InputError(
                f"--{key} was in {old.measure}", where="--measure", hint=f"give --{key} anew, or --{key} none"
            )


def _limits_of(old: Budget, given: dict[str, Any], measure: Any) -> dict[str, Any]:
    from reelwise.ledger.budgets import amount_of

    new: dict[str, Any] = {}
    for key in ("hard", "forecast"):
        if key in given:
            new[key] = None if given[key].strip() == _NONE else amount_of(given[key], measure, f"--{key}")
    hard = new.get("hard", old.hard)
    text = given.get("soft", "").strip()
    if "soft" not in given:
        if old.soft_share and "hard" in new:  # a share stays a share
            new |= _share(old.soft_share, hard)
    elif text == _NONE:
        new |= {"soft": None, "soft_share": ""}
    elif text.endswith("%"):
        new |= _share(text[:-1].strip(), hard)
    else:
        new |= {"soft": amount_of(text, measure, "--soft"), "soft_share": ""}
    return new


def _share(text: str, hard: int | None) -> dict[str, Any]:
    from reelwise.ledger.budgets import amount_of

    if hard is None:
        raise InputError(
            "a share needs a hard limit to be a share of", where="--soft", hint="--hard 10 --soft 80%, or --soft none"
        )
    return {"soft": hard * amount_of(text, "usd", "--soft") // (100 * 1_000_000_000), "soft_share": text}


def _target(old: Target | None, text: str | None, minimum: int | None) -> Target | None:
    from typing import get_args

    import msgspec

    from reelwise.ledger.budgets import Per, Target, amount_of

    if text is None:
        if old is None:
            raise InputError("there is no target", where="--minimum", hint="--target 0.05/session --minimum 20")
        return msgspec.structs.replace(old, minimum=minimum)
    if text.strip() == _NONE:
        return None
    if minimum is None:
        minimum = old.minimum if old is not None else _MINIMUM
    usd, _, unit = text.partition("/")
    if unit not in get_args(Per):
        raise InputError(
            f"no such unit: {unit[:40]!r}", where="--target", hint="0.05/session; " + ", ".join(get_args(Per))
        )
    return Target(per=unit, nano=amount_of(usd, "usd", "--target"), minimum=minimum)  # type: ignore[arg-type] # checked above
