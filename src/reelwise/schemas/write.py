"""Make the schemas from the types."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.documents import write_whole
from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FOLDER", "NAMES", "schema_of", "schema_path", "schema_text", "write_all"]

FOLDER = Path(__file__).parent

NAMES: dict[str, str] = {
    "workload": "a workload file: the job, its plan, facts, account and levers",
    "plan": "a plan alone, for --plan",
    "rates": "your own prices, for --rates",
    "card": "a rate card, as they ship with Reelwise",
    "measurement": "measured facts, as an audit writes them",
}
"""Every schema and what it describes."""


def _workload() -> dict[str, Any]:
    from reelwise.case import schema

    return schema()


def _plan() -> dict[str, Any]:
    from reelwise.plan import Plan

    return msgspec.json.schema(Plan)


def _rates() -> dict[str, Any]:
    from reelwise.rates.overrides import PrivateRates

    return msgspec.json.schema(PrivateRates)


def _card() -> dict[str, Any]:
    from reelwise.rates.schema import card_schema

    return card_schema()


def _measurement() -> dict[str, Any]:
    from reelwise.evidence_store import Measurement

    return msgspec.json.schema(Measurement)


def schema_of(name: str) -> dict[str, Any]:
    """Make one schema (JSON Schema 2020-12).

    Raises:
        InputError: no schema has that name.
    """
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "workload": _workload,
        "plan": _plan,
        "rates": _rates,
        "card": _card,
        "measurement": _measurement,
    }
    if name not in makers:
        raise InputError(f"no schema is named `{name}`", where="schema", hint=f"one of {', '.join(makers)}")
    made: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(makers[name]())
    )  # defaults may be structs and tuples
    if name == "card":  # its file lies beside the cards and is written there
        return made
    made = _cleaned(made)
    made["title"] = f"Reelwise {name}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _cleaned(value: Any) -> Any:
    """Take the indentation out of descriptions: Python 3.13 does so itself, and the files must not depend on that."""
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(one) if key == "description" and isinstance(one, str) else _cleaned(one)
            for key, one in value.items()
        }
    return [_cleaned(one) for one in value] if isinstance(value, list) else value


def schema_text(name: str) -> str:
    """Write one schema as the text of its file."""
    return msgspec.json.format(msgspec.json.encode(schema_of(name), order="deterministic"), indent=2).decode() + "\n"


def schema_path(name: str) -> Path:
    """Say where the committed file of one schema is."""
    return FOLDER.parent / "rates" / "schema.json" if name == "card" else FOLDER / f"{name}.json"


def write_all() -> None:
    """Rewrite the committed files.

    Raises:
        OutputError: they cannot be written.
    """
    for name in NAMES.keys() - {"card"}:
        write_whole(schema_path(name), schema_text(name))
