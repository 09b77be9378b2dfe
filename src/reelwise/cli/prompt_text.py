"""What is printed of a prompt: its parts, and what leaving each out changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reelwise.cli.output import money, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.run.prompting import PromptSheet
    from reelwise.run.trimming import Trimmed

__all__ = ["show_sheets", "show_trimmed"]


def show_sheets(sheets: Sequence[PromptSheet], *, of: str) -> None:
    """Print where the tokens of calls go.

    Args:
        sheets: a call each.
        of: what the dollars are of: a month, a run.
    """
    for sheet in sheets:
        rows = [
            (
                row.part, row.kind, f"{row.tokens:,.0f}" if row.tokens else "", money(row.usd), f"{row.share:.1%}",
                f"{row.cached:.0%}" if row.cached else "",
            )
            for row in sheet.rows
        ]  # fmt: skip
        lane = "" if sheet.lane == "main" else f", lane {sheet.lane}"
        table(
            ("part", "", "tokens a call", "USD", "share", "cached"), rows, right=range(2, 6),
            title=f"{sheet.model}{lane}: {sheet.calls:,.0f} {'call' if round(sheet.calls) == 1 else 'calls'}, {money(sheet.usd)} USD {of}",
        )  # fmt: skip


def show_trimmed(found: Trimmed) -> None:
    """Print what leaving each part out changed."""
    rows = [
        (
            one.part, f"{one.tokens:,}", f"{one.agreement.value:.1%}",
            f"{one.agreement.low:.1%} to {one.agreement.high:.1%}", f"{one.agreement.items}", f"{one.saved_share:.1%}", one.verdict,
        )
        for one in found.parts
    ]  # fmt: skip
    table(
        ("left out", "tokens", "answers agree", "95 % interval", "answers", "saves", ""), rows, right=(1, 2, 4, 5),
        title=f"{found.items:,} of {found.of:,} items, {found.what}",
    )  # fmt: skip
    again = found.again
    click.echo(
        f"The whole prompt asked twice agrees with itself in {again.value:.1%} ({again.low:.1%} to {again.high:.1%})"
    )
    if found.together is not None:
        one = found.together
        click.echo(
            f"Without all that was not needed ({one.part}): {one.agreement.value:.1%} "
            f"({one.agreement.low:.1%} to {one.agreement.high:.1%}) agree, {one.saved_share:.1%} is saved: {one.verdict}"
        )
    click.echo(f"This cost {money(found.cost_usd)} USD")
    for text in found.notes:
        click.echo(f"Note: {text}")
