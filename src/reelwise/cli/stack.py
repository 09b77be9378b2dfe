"""`reelwise stack`: what each lever takes off the month's bill, alone and together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.options import case_options, open_case
from reelwise.cli.output import json_option, money, print_json, table

if TYPE_CHECKING:
    from reelwise.stack import Stack

__all__ = ["cli", "show_stack", "stack_json"]


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@case_options
@click.option("--levers", help="Names, comma separated, in this order; default: the file's, or all that apply.")
@json_option
def cli(workload: Path, *, levers: str | None, as_json: bool, **options: Any) -> None:
    """Pull levers on a WORKLOAD one after another: the waterfall, with overlap and what was skipped."""
    from reelwise.sensitivity import band
    from reelwise.stack import stack

    names = tuple(name.strip() for name in levers.split(",") if name.strip()) if levers is not None else None
    case = open_case(workload, levers=names, **options)
    result = stack(case, case.levers if names is not None else None)
    before, after = (
        band(case.workload, plan, case.facts, case.book, case.account) for plan in (case.plan, result.plan)
    )
    if as_json:
        print_json({**stack_json(result), "band_naive": before, "band_final": after})
        return
    click.echo(f"{case.workload.feature}, prices of {case.day.isoformat()}")
    show_stack(result)
    for name, one in (("as it is", before), ("with the levers", after)):
        click.echo(f"{name}: P10 {money(one.p10)}, P50 {money(one.p50)}, P90 {money(one.p90)} USD a month")


def stack_json(result: Stack) -> dict[str, Any]:
    """Return a stack under its stable keys."""
    return {
        "naive_usd_month": result.naive_usd_month,
        "final_usd_month": result.final_usd_month,
        "factor": _finite(result.factor),
        "steps": [
            {
                "lever": step.lever,
                "title": step.title,
                "total_usd_month": step.total_usd_month,
                "factor": _finite(step.factor),
                "factor_alone": _finite(step.factor_alone),
                "touched_share": step.touched_share,
                "factor_on_touched": _finite(step.factor_on_touched),
                "overlap": step.overlap,
                "effort": step.effort,
                "settings": step.settings,
                "evidence": step.evidence,
                "quality": step.quality,
            }
            for step in result.steps
        ],
        "skipped": [{"lever": one.lever, "title": one.title, "reason": one.reason} for one in result.skipped],
        "questions": [{"question": question, "answer": answer} for question, answer in result.questions],
        "naive_feasible": result.naive_feasible,
        "naive_why": list(result.naive_why),
        "feasible": result.feasible,
        "why": list(result.why),
        "plan": result.plan,
        "plan_hash": result.plan.hash,
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity: everything saved is null."""
    return None if value is None or value == float("inf") else value


def _times(value: float | None) -> str:
    if value is None:
        return "-"
    return "all" if value == float("inf") else f"{value:,.2f}x"


def show_stack(result: Stack) -> None:
    """Print the waterfall as a table, then what was skipped."""
    from reelwise.stages import Gate

    rows = [("as it is", money(result.naive_usd_month), "", "", "", "", "", "", "")]
    rows.extend(
        (
            step.lever,
            money(step.total_usd_month),
            _times(step.factor),
            _times(step.factor_alone),
            f"{step.touched_share:.0%}",
            _times(step.factor_on_touched),
            "-" if step.overlap is None else f"{step.overlap:.0%}",
            step.effort,
            "not measured" if step.quality is None else f"{step.quality:.1%}",
        )
        for step in result.steps
    )
    columns = ("lever", "USD a month", "in place", "alone", "touches", "on that", "overlap", "effort", "quality kept")
    table(columns, rows, right=(1, 2, 3, 4, 5, 6))
    click.echo(
        f"{money(result.naive_usd_month)} to {money(result.final_usd_month)} USD a month: {_times(result.factor)} less"
    )
    if any(stage.at == "edge" for stage in result.plan.of(Gate)):
        click.echo("The gate runs at the edge: the device's own cost is not in these figures.")
    unknown = [step.lever for step in result.steps if step.quality is None]
    if unknown:
        click.echo(
            f"Nobody has measured what these do to your answers: {', '.join(unknown)}. Try them on known cases first."
        )
    for reason in result.naive_why:
        click.echo(f"as it is, NOT FEASIBLE: {reason}")
    for reason in result.why:
        click.echo(f"with the levers, NOT FEASIBLE: {reason}")
    click.echo("\nThe four questions:")
    for question, answer in result.questions:
        click.echo(f"  {question} {answer}")
    click.echo("\nSkipped:")
    cards = [one.lever for one in result.skipped if "card only" in one.reason]
    for one in result.skipped:
        if one.lever not in cards:
            click.echo(f"  {one.lever}: {one.reason}")
    if cards:
        click.echo(f"  {', '.join(cards)}: a card only, not priced here yet")
