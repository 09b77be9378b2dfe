"""Refusals in each vendor's own words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

from reelwise.sandbox.exchange import Document, Exchange, document

if TYPE_CHECKING:
    from reelwise.sandbox.errors import RefusalError

__all__ = ["bytes_of", "read_google", "refusal", "shaped"]

T = TypeVar("T")
_AS_THEY_ARE = {"responseSchema", "responseJsonSchema", "response_schema", "response_json_schema", "metadata"}
_DEEPEST = 40


def refusal(exchange: Exchange, error: RefusalError) -> Document:
    """Write a refusal as the vendor whose path was asked for does."""
    headers = {}
    if error.retry_seconds is not None:
        headers = {
            "retry-after-ms": str(math.ceil(error.retry_seconds * 1000)),
            "retry-after": f"{error.retry_seconds:.3f}",
        }
    return document(
        shaped(exchange.path, error, google="x-goog-api-key" in exchange.headers), status=error.status, headers=headers
    )


def shaped(path: str, error: RefusalError, *, google: bool = False) -> dict[str, Any]:
    """Return a refusal as a document."""
    if path.startswith("/v1/messages"):
        kind = {529: "overloaded_error"}.get(error.status, error.kind)
        return {"type": "error", "error": {"type": kind, "message": error.message}, "request_id": "req_sandbox"}
    if google or path.startswith(("/v1beta", "/upload", "/v1/images:", "/v1/videos:", "/v1/projects/")):
        return {"error": {"code": error.status, "message": error.message, "status": error.google}}
    kind = {429: "requests", 500: "server_error", 503: "server_error"}.get(error.status, error.kind)
    return {"error": {"message": error.message, "type": kind, "param": None, "code": error.code or None}}


def read_google(data: bytes, kind: type[T]) -> T:
    """Read a document of Google's, whose fields may be written in either of two ways: mimeType or mime_type.

    Raises:
        BadRequestError: no JSON, or not that kind.
    """
    import msgspec

    from reelwise.sandbox.errors import BadRequestError
    from reelwise.sandbox.exchange import read_json

    try:
        return msgspec.convert(_camel(read_json(data, dict), 0), kind)
    except msgspec.ValidationError as error:
        raise BadRequestError(f"Invalid JSON payload received. {error}") from None


def _camel(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return [_camel(one, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        head, *rest = str(name).split("_")
        key = head + "".join(part[:1].upper() + part[1:] for part in rest)
        found[key] = inner if name in _AS_THEY_ARE else _camel(inner, depth + 1)
    return found


def bytes_of(address: str, what: str) -> tuple[bytes, str]:
    """Read a data address; other addresses are refused, the sandbox fetches nothing.

    Raises:
        BadRequestError: no data address, or no base64 in it.
    """
    import base64

    from reelwise.sandbox.errors import BadRequestError

    if not address.startswith("data:"):
        raise BadRequestError(
            f"the sandbox fetches nothing: send the {what} itself, as a data address", code="invalid_url"
        )
    head, found, data = address.partition(",")
    if not found or not head.endswith(";base64"):
        raise BadRequestError(f"the {what}'s address holds no base64", code="invalid_base64")
    try:
        return base64.b64decode(data, validate=True), head[5:].partition(";")[0]
    except ValueError:  # no base64, or not even ASCII
        raise BadRequestError(f"the {what} is no base64", code="invalid_base64") from None
