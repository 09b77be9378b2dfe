"""Gemini's explicit caches: put the clip in once, ask many times, pay for the time that it is kept."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.errors import AnswerError, InputError
from reelwise.models.body import json_body
from reelwise.models.gemini_wire import generate_request
from reelwise.models.used import Used, read_usage
from reelwise.requests import Usage

if TYPE_CHECKING:
    from reelwise.models.gemini import Gemini
    from reelwise.models.work import Work

__all__ = ["Kept", "create_cache", "delete_cache"]

_TTL_MAX_SECONDS = 7 * 86_400


class Kept(Struct, frozen=True, kw_only=True):
    """A cache that was made.

    Attributes:
        name: what `Work.cache` wants.
        model: of the calls that may read it.
        tokens: that are kept.
        ttl_seconds: how long.
        expires: ISO, by the endpoint.
        used: what putting it in used: input at the model's own price (assumed: no vendor page says what the first fill is billed at).
    """

    name: str
    model: str
    tokens: int
    ttl_seconds: float
    expires: str
    used: Used

    def storage(self) -> Usage:
        """Return what keeping it is billed by: tokens times hours of its whole time to live (ai.google.dev, caching)."""
        hours = self.tokens * Fraction(str(self.ttl_seconds)) / 3600
        # a Fraction: the amount is exact, whoever multiplies it
        return Usage(sku=f"{self.model}/cache-storage", unit="token_hour", quantity=hours)  # type: ignore[arg-type]


class _Usage(Struct, rename="camel"):
    total_token_count: int


class _Cache(Struct, rename="camel"):
    name: str
    expire_time: str
    usage_metadata: _Usage


def create_cache(gemini: Gemini, work: Work, ttl_seconds: float) -> Kept:
    """Put the parts of a work into a cache; calls that name it send only what differs.

    Args:
        gemini: the endpoint.
        work: model, instructions and parts to keep.
        ttl_seconds: how long; it is billed for all of it, used or not.

    Raises:
        InputError: longer than a week, or nothing.
        EndpointError: it was refused (too small, no such model), or nobody knows.
    """
    if not 1 <= ttl_seconds <= _TTL_MAX_SECONDS:
        raise InputError(f"{ttl_seconds} s", where="ttl_seconds", hint="up to a week")
    request, inliner = generate_request(work, name=gemini.name)
    model = work.model.removeprefix("models/").removeprefix("google/")
    details = gemini.count_details(work)
    document = {
        "model": f"models/{model}",
        "ttl": f"{ttl_seconds:.3f}".rstrip("0").rstrip(".") + "s",
        "displayName": work.identity[:100],
        "contents": msgspec.to_builtins(request.contents),
    }
    if request.system_instruction is not msgspec.UNSET:
        document["systemInstruction"] = msgspec.to_builtins(request.system_instruction)
    sent = gemini.send(
        "POST", "/cachedContents", body=json_body(document, inliner), seconds=work.timeout_seconds,
        tokens=work.tokens_expected,
    )  # fmt: skip
    found, _ = gemini.json(sent, _Cache)
    total = found.usage_metadata.total_token_count
    usage = {"promptTokenCount": total, "totalTokenCount": total, "promptTokensDetails": details}
    used = read_usage(
        {"usageMetadata": usage, "modelVersion": model}, provider="google", flavor="default", model=model,
        usage_at="usageMetadata", request_id=found.name,
    )  # fmt: skip
    _check_time(found.expire_time, sent.reply.where)
    return Kept(
        name=found.name, model=model, tokens=total, ttl_seconds=ttl_seconds, expires=found.expire_time, used=used
    )  # fmt: skip


def _check_time(text: str, where: str) -> None:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        raise AnswerError("its cache ends at no time", where=where, reason="schema") from None


def delete_cache(gemini: Gemini, kept: Kept | str, *, seconds: float = 30.0) -> None:
    """Remove a cache, or one of a name, before its time is up.

    Raises:
        EndpointError: it could not be.
    """
    name = kept if isinstance(kept, str) else kept.name
    gemini.send("DELETE", f"/{name}", seconds=seconds, safe=True, counted=False).reply.read()
