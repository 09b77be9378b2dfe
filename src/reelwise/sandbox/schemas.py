"""JSON Schemas that calls want their answers to follow: checked before anything is drawn by them."""

from __future__ import annotations

from typing import Any

from reelwise.sandbox.errors import BadRequestError

__all__ = ["checked"]

_DEEPEST = 20
_NUMBERS = ("minimum", "maximum", "minItems")


def checked(schema: Any, depth: int = 0) -> dict[str, Any]:
    """Refuse what is no schema.

    Raises:
        BadRequestError: says what is wrong.
    """
    if not isinstance(schema, dict):
        raise BadRequestError("Invalid schema for response_format: it must be an object")
    if depth > _DEEPEST:
        raise BadRequestError("Invalid schema for response_format: it is nested too deeply")
    kind = schema.get("type", "string")
    if not isinstance(kind, str) and not (isinstance(kind, list) and all(isinstance(one, str) for one in kind)):
        raise BadRequestError("Invalid schema for response_format: type")
    for name in _NUMBERS:
        value = schema.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e15:
            raise BadRequestError(f"Invalid schema for response_format: {name}")
    if not isinstance(schema.get("enum", []), list):
        raise BadRequestError("Invalid schema for response_format: enum")
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise BadRequestError("Invalid schema for response_format: properties")
    for inner in properties.values():
        checked(inner, depth + 1)
    if "items" in schema:
        checked(schema["items"], depth + 1)
    return schema
