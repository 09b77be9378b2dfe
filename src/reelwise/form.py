"""The form of an answer: fields, or a JSON Schema of the user's own; what each vendor takes of it; whether an answer follows it."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from reelwise.errors import DocumentError

__all__ = ["Field", "checked", "fitted", "object_of", "problem", "schema_of", "tokens_most"]

_DEPTH_MAX = 5
_PROPERTIES_MAX = 200
_WORDS = frozenset(
    {
        "type", "properties", "required", "additionalProperties", "items", "enum", "description", "title", "minimum", "maximum",
        "minItems", "maxItems", "maxLength",
    }
)  # fmt: skip
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_NOT_TAKEN: dict[str, frozenset[str]] = {
    # developers.openai.com/api/docs/guides/structured-outputs, supported properties: no lengths of texts
    "openai": frozenset({"maxLength"}),
    "responses": frozenset({"maxLength"}),
    # ai.google.dev/gemini-api/docs/structured-output, JSON Schema support: no lengths of texts
    "gemini": frozenset({"maxLength"}),
    # platform.claude.com/docs/en/build-with-claude/structured-outputs, limitations: no limits of numbers, texts and lists
    "anthropic": frozenset({"maxLength", "minimum", "maximum", "minItems", "maxItems"}),
}


class Field(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that an answer says.

    Attributes:
        name: what it is called.
        type: string, integer, number or boolean. A number named confidence says how sure the model is, 0 to 1.
        one_of: the texts that it is one of; empty for any.
        many: a list of them.
        or_null: null where nothing can be said.
        says: what it means, for the model.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
    type: Literal["string", "integer", "number", "boolean"] = "string"
    one_of: tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...] = ()
    many: bool = False
    or_null: bool = False
    says: Annotated[str, Meta(max_length=2000)] = ""

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        kind: Any = [self.type, "null"] if self.or_null and not self.many else self.type
        one: dict[str, Any] = {"type": kind}
        if self.one_of:
            one["enum"] = [*self.one_of, None] if isinstance(kind, list) else list(self.one_of)
        if self.name == "confidence" and self.type == "number" and not self.many:
            one |= {"minimum": 0, "maximum": 1}
        found: dict[str, Any] = {"type": "array", "items": one} if self.many else one
        return {**found, "description": self.says} if self.says else found


def object_of(properties: dict[str, Any]) -> dict[str, Any]:
    """Make the schema of an object that has all of these and nothing else."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def schema_of(answer: tuple[Field, ...] | dict[str, Any], where: str) -> dict[str, Any]:
    """Return the schema of an answer.

    Raises:
        DocumentError: see `checked`.
    """
    if isinstance(answer, dict):
        found = checked(answer, where)
        if found.get("type") != "object":
            raise DocumentError("an answer is an object", where=where, hint='{"type": "object", "properties": ...}')
        return found
    names = [field.name for field in answer]
    if len(set(names)) != len(names):
        raise DocumentError("two fields have the same name", where=where, hint="rename one")
    for field in answer:
        if field.one_of and (field.type != "string" or len(set(field.one_of)) < len(field.one_of)):
            raise DocumentError(f"one_of of {field.name}", where=where, hint="different texts, of type string")
    return object_of({field.name: field.schema() for field in answer})


def checked(schema: Any, where: str, depth: int = 0) -> dict[str, Any]:
    """Check a JSON Schema, and write out what all vendors want said: every property is required, and there are no others.

    Raises:
        DocumentError: no schema, a word that not all of them take, a property that may be missing, or too large.
    """
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        raise DocumentError("is no JSON Schema, or too deep", where=where, hint=f"at most {_DEPTH_MAX} levels")
    other = sorted(set(schema) - _WORDS)
    if other:
        raise DocumentError(
            f"{other[0]!r:.40} is not taken by all vendors", where=where, hint=f"of {', '.join(sorted(_WORDS))}"
        )
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not kinds or any(kind not in _TYPES for kind in kinds):
        raise DocumentError("has no type", where=f"{where}.type", hint=", ".join(_TYPES))
    if not isinstance(schema.get("enum", []), list) or schema.get("enum") == []:
        raise DocumentError("lists nothing", where=f"{where}.enum", hint="a list of values")
    for word in ("minimum", "maximum", "minItems", "maxItems", "maxLength"):
        if isinstance(schema.get(word, 0), bool) or not isinstance(schema.get(word, 0), (int, float)):
            raise DocumentError("is no number", where=f"{where}.{word}", hint="a number")
    found = dict(schema)
    if "array" in kinds:
        found["items"] = checked(schema.get("items"), f"{where}.items", depth + 1)
    if "object" in kinds:
        found |= _checked_object(schema, where, depth)
    return found


def _checked_object(schema: dict[str, Any], where: str, depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not 1 <= len(properties) <= _PROPERTIES_MAX:
        raise DocumentError("has no properties", where=f"{where}.properties", hint=f"1 to {_PROPERTIES_MAX}")
    missing = sorted(set(properties) - set(schema.get("required", properties)))
    if missing:
        raise DocumentError(
            f"{missing[0]} may be missing: vendors want every property answered", where=f"{where}.required",
            hint='require it, and let it be null: {"type": ["string", "null"]}',
        )  # fmt: skip
    if schema.get("additionalProperties", False) is not False:
        raise DocumentError(
            "lets in properties that nobody names", where=f"{where}.additionalProperties", hint="leave it out, or false"
        )
    inner = {str(name): checked(one, f"{where}.{name}", depth + 1) for name, one in properties.items()}
    return object_of(inner)


def fitted(schema: Any, kind: str) -> Any:
    """Leave out what a kind of endpoint does not take; answers are held against the whole schema all the same.

    Args:
        schema: a checked one.
        kind: openai, responses, gemini or anthropic.
    """
    if not isinstance(schema, dict):
        return schema
    left = {word: value for word, value in schema.items() if word not in _NOT_TAKEN[kind]}
    if "items" in left:
        left["items"] = fitted(left["items"], kind)
    if isinstance(left.get("properties"), dict):
        left["properties"] = {name: fitted(one, kind) for name, one in left["properties"].items()}
    return left


def problem(value: Any, schema: dict[str, Any], at: str = "$") -> str:
    """Say where an answer does not follow its schema; empty where it does."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is(value, kind) for kind in kinds):
        return f"{at} is no {' or '.join(kinds)}"
    if "enum" in schema and not any(type(value) is type(one) and value == one for one in schema["enum"]):
        return f"{at} is none of the {len(schema['enum'])} values it may be"
    if isinstance(value, dict):
        return _object_problem(value, schema, at)
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf):
            return f"{at} has {len(value)} entries"
        return next((said for n, one in enumerate(value) if (said := problem(one, schema["items"], f"{at}[{n}]"))), "")
    return _limit_problem(value, schema, at)


def _limit_problem(value: Any, schema: dict[str, Any], at: str) -> str:
    if isinstance(value, str) and len(value) > schema.get("maxLength", math.inf):
        return f"{at} has {len(value)} characters"
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number and not schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf):
        return f"{at} is {value}"
    return ""


def _object_problem(value: dict[str, Any], schema: dict[str, Any], at: str) -> str:
    properties = schema["properties"]
    missing = [name for name in properties if name not in value]
    if missing:
        return f"{at}.{missing[0]} is missing"
    more = [name for name in value if name not in properties]
    if more:
        return f"{at} has {more[0]!r:.40}, which nobody asked for"
    return next((said for name, one in properties.items() if (said := problem(value[name], one, f"{at}.{name}"))), "")


def _is(value: Any, kind: str) -> bool:
    if kind in {"integer", "number"}:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return False
        return kind == "number" or value == int(value)
    of = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, of[kind])


def tokens_most(schema: dict[str, Any]) -> int | None:
    """Return about how many bytes the longest answer has that follows a schema; None where it holds free text or a list."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "enum" in schema:
        return max(len(str(one)) for one in schema["enum"]) + 2
    if "array" in kinds or "string" in kinds:
        return None
    if "object" in kinds:
        inner = [(name, tokens_most(one)) for name, one in schema["properties"].items()]
        if any(size is None for _, size in inner):
            return None
        return 1 + sum(len(name) + 4 + (size or 0) for name, size in inner)
    return 5
