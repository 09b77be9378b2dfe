"""What commands share: `--json`, tables, numbers for people, messages on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["json_option", "money", "note", "print_json", "quantity", "table"]

_PIPE_WIDTH = 160
_NAME_WIDTH = 6
F = TypeVar("F", bound="Callable[..., Any]")


def json_option(command: F) -> F:
    """Add `--json` as the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(command)


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def note(text: str) -> None:
    """Say something on standard error."""
    click.echo(text, err=True)


def money(usd: float) -> str:
    """Write USD with as many digits as matter: 135,000.00, 0.0167, 9.74e-06."""
    size = abs(usd)
    if size == 0 or size >= 1:
        return f"{usd:,.2f}"
    if size >= 0.0001:
        return f"{usd:.4g}"
    return f"{usd:.3g}"


def quantity(value: float) -> str:
    """Write a quantity with thousands separators and at most three decimals."""
    text = f"{value:,.3f}".rstrip("0").rstrip(".")
    return text if abs(value) >= 0.001 or value == 0 else f"{value:.3g}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", right: Iterable[int] = ()) -> None:
    """Print a plain table; the columns numbered in `right` hold numbers: aligned right, and never broken in two.

    Wide enough for a pipe, fitted to a terminal: names fold there, gaps get narrow, headers break between words. Columns that are empty in
    every row are left out.
    """
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    numbers = set(right)
    cells = [tuple(row) for row in rows]
    shown = [at for at in range(len(columns)) if not cells or any(row[at] for row in cells)]
    widest = {at: max((cell_len(line) for row in cells for line in row[at].split("\n")), default=0) for at in shown}
    console = Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
    tight = sum(max(widest[at], cell_len(columns[at])) + 3 for at in shown) - 3 > console.width
    heads = {at: _broken(columns[at], widest[at]) if tight and at in numbers else columns[at] for at in shown}
    for at in shown:
        widest[at] = max(widest[at], *(cell_len(line) for line in heads[at].split("\n")))
    least = sum(widest[at] if at in numbers else min(widest[at], _NAME_WIDTH) for at in shown) + 2 * len(shown)
    console.width = max(console.width, least)  # rather than cut numbers off, a narrow terminal wraps the line
    grid = Table(
        title=title or None,
        box=SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        padding=(0, 1, 0, 0) if tight else (0, 1),
    )
    for at in shown:
        if at in numbers:
            grid.add_column(heads[at], justify="right", no_wrap=True, min_width=widest[at])
        else:
            grid.add_column(heads[at], overflow="fold")
    for row in cells:
        grid.add_row(*(Text(row[at]) for at in shown))  # plain: `reelwise[report]` is no markup
    with console.capture() as text:
        console.print(grid)
    click.echo(text.get(), nl=False)  # rich would end the process itself where a pipe is closed


def _broken(head: str, width: int) -> str:
    """Break a header between its words, so that it is no wider than its column's cells or its longest word."""
    import textwrap

    return "\n".join(textwrap.wrap(head, max(width, *(len(word) for word in head.split())), break_long_words=False))
