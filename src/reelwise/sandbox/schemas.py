"""JSON Schemas that calls want their answers to follow: checked before anything is drawn by them."""

from __future__ import annotations

from typing import Any

from reelwise.sandbox.errors import BadRequestError

__all__ = ["checked", "is_strict"]

_DEEPEST = 20
_NUMBERS = ("minimum", "maximum", "minItems", "maxItems", "maxLength")
_REFUSED = {"anthropic": ("minimum", "maximum", "maxItems", "maxLength"), "openai": ("maxLength",)}
"""Words of a schema that a maker's page on structured outputs says it refuses; Anthropic's lists begin at 0 or 1 entries."""


def checked(schema: Any, maker: str = "", *, strict: bool = False, depth: int = 0) -> dict[str, Any]:
    """Refuse what is no schema, or what its maker does not take.

    Args:
        schema: of an answer.
        maker: openai, google or anthropic.
        strict: each object must name all that it has, and let in nothing else.
        depth: how deep it lies in another.

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
    _taken(schema, kind, maker)
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise BadRequestError("Invalid schema for response_format: properties")
    if strict and properties:
        _closed(schema, properties)
    for inner in properties.values():
        checked(inner, maker, strict=strict, depth=depth + 1)
    if "items" in schema:
        checked(schema["items"], maker, strict=strict, depth=depth + 1)
    return schema


def _taken(schema: dict[str, Any], kind: Any, maker: str) -> None:
    """Refuse words that a maker does not take."""
    if not isinstance(schema.get("enum", []), list):
        raise BadRequestError("Invalid schema for response_format: enum")
    refused = [name for name in _REFUSED.get(maker, ()) if name in schema]
    if maker == "anthropic" and schema.get("minItems", 0) not in {0, 1}:
        refused.append("minItems")
    if refused:
        raise BadRequestError(f"output schema: for '{kind}' type, property '{refused[0]}' is not supported")


def _closed(schema: dict[str, Any], properties: dict[str, Any]) -> None:
    """Refuse an object that lets in what it does not name, or leaves out what it does."""
    if schema.get("additionalProperties") is not False or set(properties) != set(_names(schema)):
        raise BadRequestError(
            "Invalid schema for response_format: 'additionalProperties' must be false, and 'required' must name every property"
        )


def _names(schema: dict[str, Any]) -> list[str]:
    required = schema.get("required")
    return [one for one in required if isinstance(one, str)] if isinstance(required, list) else []


def is_strict(shape: Any) -> bool:
    """Say whether a response format asks for strictness (OpenAI)."""
    return isinstance(shape, dict) and bool(shape.get("strict"))
