"""`reelwise levers`: every way of cutting the bill, and how far each is built here."""

from __future__ import annotations

import inspect
import json
import textwrap
from typing import TYPE_CHECKING, Any

import click
import msgspec

from reelwise.cli.output import json_option, note, print_json, table
from reelwise.levers import FAMILIES, Lever, find, kinds
from reelwise.levers.flags import flags

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["cli"]

_WIDTH = 98


@click.command()
@click.argument("name", required=False)
@click.option("--family", type=click.Choice(list(FAMILIES)), help="Only this family.")
@json_option
def cli(*, name: str | None, family: str | None, as_json: bool) -> None:
    """List every lever, or show the whole card of one.

    priced: it changes a plan, so its worth can be computed. executed: `reelwise run` does it for real, on your footage and with
    your models. measured: its effect is found in the footage
    itself, or in what your models answer.
    """
    if name is not None:
        lever = find(name.strip().replace("-", "_").lower())
        if as_json:
            print_json({"levers": [_record(lever)]})
        else:
            _card(lever)
        return
    chosen = [kind() for kind in kinds().values() if family in {None, kind.card.family}]
    if as_json:
        print_json({"levers": [_record(lever) for lever in chosen]})
        return
    for key, title in FAMILIES.items():
        rows = [_row(lever) for lever in chosen if lever.card.family == key]
        if rows:
            columns = ("#", "lever", "what to do", "effort", "priced", "executed", "measured")
            table(columns, rows, title=title, right=(0,))
    note("`reelwise levers NAME` shows the whole card: risk, what to ask first, settings, sources.")


def _row(lever: Lever) -> tuple[str, ...]:
    card, built = lever.card, flags(lever)
    number = "" if card.number is None else str(card.number)
    marks = tuple("yes" if flag else "-" for flag in (built.priced, built.executed, built.measured))
    return number, lever.name, card.title, card.effort, *marks


def _record(lever: Lever) -> dict[str, Any]:
    card = msgspec.to_builtins(lever.card)
    first = {key: card.pop(key) for key in ("number", "family")}
    return {
        **first,
        "name": lever.name,
        "title": card.pop("title"),
        **msgspec.to_builtins(flags(lever)),
        **card,
        "settings": _settings(lever),
        "changes": list(lever.owns),
        "excludes": list(lever.excludes),
    }


def _settings(lever: Lever) -> list[dict[str, Any]]:
    schema = msgspec.json.schema(type(lever))
    properties = schema["$defs"][type(lever).__name__]["properties"]
    names = lever.__struct_fields__
    return [{"name": name, "default": getattr(lever, name), "allowed": _allowed(properties[name])} for name in names]


def _allowed(schema: dict[str, Any]) -> str:
    """Say in words what a JSON Schema lets through."""
    if "anyOf" in schema:
        return " or ".join(_allowed(part) for part in schema["anyOf"])
    if "enum" in schema:
        return ", ".join("null" if value is None else str(value) for value in schema["enum"])
    kinds_of = schema.get("type", "any")
    words = [" or ".join(kinds_of) if isinstance(kinds_of, list) else str(kinds_of)]
    bounds = {"exclusiveMinimum": "above", "minimum": "from", "exclusiveMaximum": "below", "maximum": "to"}
    words += [f"{word} {schema[key]:g}" for key, word in bounds.items() if key in schema]
    return " ".join(words)


def _card(lever: Lever) -> None:
    card, built = lever.card, flags(lever)
    number = f"Lever {card.number}" if card.number is not None else "Beyond the article"
    click.echo(f"{card.title}\n{number} | {lever.name} | {FAMILIES[card.family]}\n")
    click.echo(textwrap.fill(card.summary, _WIDTH) + "\n")
    marks = (("priced", built.priced), ("executed", built.executed), ("measured", built.measured))
    _field("Here", [", ".join(f"{word}: {'yes' if flag else 'no'}" for word, flag in marks)])
    _field("Effort", [card.effort])
    _field("Needs", card.prerequisites)
    _field("Ask first", card.ask)
    _field("Risk", [card.risk])
    _field("Latency", [card.latency])
    _field("Changes", [", ".join(lever.owns)] if lever.owns else [])
    _field("Not beside", [", ".join(lever.excludes)] if lever.excludes else [])
    meaning = inspect.cleandoc(type(lever).__doc__ or "").splitlines()
    settings = _settings(lever)
    lines = [f"{s['name']} = {json.dumps(msgspec.to_builtins(s['default']))}   ({s['allowed']})" for s in settings]
    _field("Settings", [*meaning[:1], *lines] if lines else ["none"])
    _field("Sources", card.sources)


def _field(name: str, lines: Iterable[str]) -> None:
    label = f"{name:<12}"
    for line in lines:
        click.echo(textwrap.fill(line, _WIDTH, initial_indent=label, subsequent_indent=" " * 14))
        label = " " * 12
