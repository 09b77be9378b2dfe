"""What commands share: `--json`, tables, numbers for people, messages on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["json_option", "money", "note", "print_json", "quantity", "table"]

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
    """Print a plain table; the columns named in `right` are aligned right. Wide enough for a pipe, fitted to a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console() if sys.stdout.isatty() else Console(width=160)
    grid = Table(title=title or None, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    numbers = set(right)
    for index, name in enumerate(columns):
        grid.add_column(name, justify="right" if index in numbers else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))  # plain: `reelwise[report]` is no markup
    with console.capture() as text:
        console.print(grid)
    click.echo(text.get(), nl=False)  # rich would end the process itself where a pipe is closed
