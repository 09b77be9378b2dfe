"""`reelwise price`: what a workload costs a month."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.forecast import show_forecast
from reelwise.cli.options import case_options, open_case
from reelwise.cli.output import json_option, money, print_json, quantity, table

if TYPE_CHECKING:
    from reelwise.bill import Bill
    from reelwise.case import Case

__all__ = ["cli"]


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@case_options
@click.option("--explain", is_flag=True, help="Say how each line came about.")
@click.option("--tornado", is_flag=True, help="Show which fact moves the figure most.")
@click.option(
    "--months", type=click.IntRange(1, 120), help="Forecast this many months, each at the prices of its first day."
)
@json_option
def cli(workload: Path, *, explain: bool, tornado: bool, months: int | None, as_json: bool, **options: Any) -> None:
    """Price a WORKLOAD file: the month, per unit, with evidence, a band and feasibility."""
    from reelwise.price import price_one
    from reelwise.sensitivity import band

    case = open_case(workload, **options)
    bill = price_one(case.workload, case.plan, case.facts, case.book, case.account)
    month = float(bill.total_usd)
    answer: dict[str, Any] = {
        "total_usd_month": month,
        "total_usd_month_with_buffer": month * (1 + case.account.buffer_share),
        "buffers": [{"name": b.name, "share": b.share, "usd": month * b.share} for b in case.account.buffers],
        "per": _per(case, bill),
        "line_items": _lines(bill, explain=explain or as_json),
        "evidence_share": bill.share(),
        "band": band(case.workload, case.plan, case.facts, case.book, case.account),
        "feasible": bill.feasible,
        "why": list(bill.why),
        "latency_ms": bill.latency_ms,
        "day": case.day.isoformat(),
        "plan_hash": case.plan.hash,
        "user_classes": _classes(case, bill),
    }
    if tornado or as_json:
        from reelwise.sensitivity import tornado as swings

        answer["tornado"] = swings(case.workload, case.plan, case.facts, case.book, case.account)
    if months is not None:
        from reelwise.forecast import forecast

        answer["forecast"] = forecast(case, months)
    if as_json:
        print_json(answer)
        return
    _show(case, answer, explain=explain)
    if months is not None:
        show_forecast(answer["forecast"])


def _per(case: Case, bill: Bill) -> dict[str, float | None]:
    from reelwise.price import per_unit

    return {name: None if usd is None else float(usd) for name, usd in per_unit(case.workload, bill.total_usd).items()}


def _lines(bill: Bill, *, explain: bool) -> list[dict[str, Any]]:
    from reelwise.evidence import weakest
    from reelwise.units import total

    rows = []
    for line in bill.lines:
        amount, count = float(line.usd_month), float(total(line.quantity))
        if amount == 0 and count == 0:
            continue
        row = {
            "sku": line.sku,
            "unit": line.unit,
            "stage": line.stage,
            "lane": line.lane,
            "user_class": line.source_class,
            "quantity": count,
            "rate_usd": amount / count if count else 0.0,
            "amount_usd": amount,
            "evidence": weakest(line.basis),
            "source": line.rate.source,
            "checked": line.rate.checked,
        }
        if explain:
            row["explain"] = line.explain()
        rows.append(row)
    return sorted(rows, key=lambda row: -row["amount_usd"])


def _classes(case: Case, bill: Bill) -> list[dict[str, Any]]:
    """Cost and revenue by user class: share of revenue, margin, and the price at which a class breaks even."""
    from reelwise.sensitivity import band_per_user

    if not case.workload.demand.classes:
        return []
    bands = band_per_user(case.workload, case.plan, case.facts, case.book, case.account)
    spent = bill.by(lambda line: line.source_class)
    rows = []
    for user_class in case.workload.demand.classes:
        usd = float(spent.get(user_class.name, 0.0))
        each = usd / user_class.users if user_class.users else 0.0
        revenue = user_class.revenue_usd
        rows.append(
            {
                "name": user_class.name,
                "users": user_class.users,
                "usd_month": usd,
                "usd_per_user": each,
                "band_per_user": bands.get(user_class.name),
                "revenue_usd_per_user": revenue,
                "cost_share_of_revenue": each / revenue if revenue else None,
                "margin_usd_per_user": None if revenue is None else revenue - each,
                "break_even_price_usd": each,
            }
        )
    return rows


def _show(case: Case, answer: dict[str, Any], *, explain: bool) -> None:
    workload = case.workload
    click.echo(f"{workload.feature}: {money(answer['total_usd_month'])} USD a month at prices of {answer['day']}")
    spread = answer["band"]
    click.echo(f"P10 {money(spread.p10)}   P50 {money(spread.p50)}   P90 {money(spread.p90)}")
    if case.account.buffers:
        named = ", ".join(f"{buffer.share:.0%} for {buffer.name}" for buffer in case.account.buffers)
        click.echo(f"with {named}: {money(answer['total_usd_month_with_buffer'])} USD")
    parts = [
        f"{money(usd)} {'an' if name == 'hour' else 'a'} {name}"
        for name, usd in answer["per"].items()
        if usd is not None and name != "month"
    ]
    click.echo("USD: " + ", ".join(parts))
    rows = [
        (
            row["sku"],
            row["unit"],
            "/".join(part for part in (row["stage"], row["lane"], row["user_class"]) if part),
            quantity(row["quantity"]),
            f"{row['rate_usd']:.6g}",
            money(row["amount_usd"]),
            row["evidence"],
        )
        for row in answer["line_items"]
    ]
    table(("billed", "unit", "where", "quantity", "USD each", "USD a month", "evidence"), rows, right=(3, 4, 5))
    if explain:
        for row in answer["line_items"]:
            click.echo(f"- {row['explain']}")
    if not answer["total_usd_month"]:
        click.echo("Nothing is billed: check the demand.")
        return
    shares = ", ".join(f"{share:.0%} {name}" for name, share in answer["evidence_share"].items() if share > 0.0005)
    click.echo(f"The bill rests on quantities that are {shares}.")
    for row in answer["user_classes"]:
        click.echo(_class_line(row))
    for swing in answer.get("tornado", ())[:8]:
        click.echo(
            f"{swing.fact} {swing.low:g} to {swing.high:g} ({swing.kind}): {money(swing.usd_low)} to {money(swing.usd_high)} USD"
            f", elasticity {swing.elasticity:+.2f}"
        )
    click.echo(f"An answer takes about {answer['latency_ms'] / 1000:,.1f} s (assumed until measured).")
    if not answer["feasible"]:
        for reason in answer["why"]:
            click.echo(f"NOT FEASIBLE: {reason}")


def _class_line(row: dict[str, Any]) -> str:
    text = f"{row['name']}: {money(row['usd_per_user'])} USD a user"
    if row["band_per_user"] is not None:
        text += f" (P10 {money(row['band_per_user'].p10)}, P90 {money(row['band_per_user'].p90)})"
    if row["cost_share_of_revenue"] is not None:
        text += f"; {row['cost_share_of_revenue']:.2%} of {money(row['revenue_usd_per_user'])} revenue"
        text += f", margin {money(row['margin_usd_per_user'])}"
    return text
