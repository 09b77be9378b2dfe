"""The JSON Schema of rate cards, made from their types: `python -m reelwise.rates.schema` rewrites schema.json."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import msgspec

from reelwise.documents import write_whole
from reelwise.rates.cards import Sheet

__all__ = ["PATH", "card_schema", "schema_text"]

PATH = Path(__file__).with_name("schema.json")


def card_schema() -> dict[str, Any]:
    """Make the schema of one provider's card file."""
    schema = _cleaned(msgspec.json.schema(Sheet))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Reelwise rate card", **schema}


def _cleaned(value: Any) -> Any:
    """Take the indentation out of descriptions: Python 3.13 does so itself, and the file must not depend on that."""
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(one) if key == "description" and isinstance(one, str) else _cleaned(one)
            for key, one in value.items()
        }
    return [_cleaned(one) for one in value] if isinstance(value, list) else value


def schema_text() -> str:
    """Write the schema as the text of schema.json."""
    return msgspec.json.format(msgspec.json.encode(card_schema(), order="deterministic"), indent=2).decode() + "\n"


if __name__ == "__main__":
    write_whole(PATH, schema_text())
