"""`reelwise schema`: the JSON Schema of a document, for editors and checkers."""

from __future__ import annotations

import sys

import click

__all__ = ["cli"]

_NAMES = ("workload", "plan", "rates", "card", "measurement")


@click.command()
@click.argument("name", type=click.Choice(_NAMES), default="workload")
@click.option("--path", is_flag=True, help="Print where the installed file is, in place of its text.")
@click.option("--json", "_as_json", is_flag=True, help="The schema is JSON in any case.")
def cli(*, name: str, path: bool, _as_json: bool) -> None:
    """Print the JSON Schema of a workload file, a plan, private rates, a rate card or measured facts.

    An editor completes a YAML file whose first line is `# yaml-language-server: $schema=` and the schema's path or address.
    """
    from reelwise.schemas import schema_path, schema_text

    sys.stdout.write(f"{schema_path(name)}\n" if path else schema_text(name))
