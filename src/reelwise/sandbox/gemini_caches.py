"""Gemini's explicit caches: billed once for what is put in, and for the time that it is kept."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.exchange import Exchange, document
from reelwise.sandbox.gemini import Cache, Content, GenerateBody, asked_of, cache_of, seconds_of
from reelwise.sandbox.invoice import Row
from reelwise.sandbox.prefixes import least
from reelwise.sandbox.prices import Tally
from reelwise.sandbox.vendors import read_google

if TYPE_CHECKING:
    from reelwise.sandbox.desk import Desk
    from reelwise.sandbox.exchange import Document, Route

__all__ = ["ROUTES"]


class _CacheBody(Struct, rename="camel"):
    model: str
    contents: list[Content] = []
    system_instruction: Content | None = None
    ttl: str | None = None
    expire_time: str | None = None
    display_name: str = ""


class _CachePatch(Struct, rename="camel"):
    ttl: str | None = None


def _cache_document(desk: Desk, cache: Cache) -> dict[str, Any]:
    return {
        "name": cache.name,
        "model": f"models/{cache.model}",
        "displayName": cache.display,
        "createTime": desk.clock.iso(cache.created),
        "updateTime": desk.clock.iso(cache.created),
        "expireTime": desk.clock.iso(cache.expires),
        "usageMetadata": {"totalTokenCount": cache.tokens},
    }


def _store_cost(desk: Desk, cache: Cache, seconds: float) -> None:
    """Bill a cache's storage for its time to live, when it begins: ai.google.dev says "billed based on the TTL duration"."""
    sku, quantity, day = f"{cache.model}/cache-storage", cache.tokens * Fraction(str(seconds)) / 3600, desk.clock.day()
    desk.invoice.add(
        Row(
            id=cache.name,
            at=desk.clock.now(),
            day=day.isoformat(),
            maker="google",
            model=cache.model,
            sku=sku,
            quantity=str(quantity),
            nano=desk.prices.card_nano(sku, quantity, Fraction(0), day),
            kind="storage",
        )
    )


def _create_cache(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    body = read_google(exchange.body(), _CacheBody)
    inner = GenerateBody(contents=body.contents or [Content()], system_instruction=body.system_instruction)
    asked = asked_of(desk, body.model, inner, key=exchange.key)
    tokens = sum(piece.tokens + piece.sound for piece in asked.pieces)
    if tokens < least(asked.model):
        raise BadRequestError(
            f"Cached content is too small. total_token_count={tokens}, min_total_token_count={least(asked.model)}"
        )
    seconds = seconds_of(body.ttl) if body.ttl else 3600.0
    desk.prices.card(f"{asked.model}/cache-storage")
    now = desk.clock.now()
    cache = Cache(
        name=desk.new_id("cachedContents/sb"), model=asked.model, pieces=asked.pieces, prompt=asked.prompt,
        tokens=tokens, created=now, expires=now + (seconds or 0.0), display=body.display_name,
    )  # fmt: skip
    desk.store.put(cache.name, cache)
    tally, day = Tally(), desk.clock.day()
    for piece in asked.pieces:
        setattr(tally, piece.kind, getattr(tally, piece.kind) + piece.tokens)
        tally.audio += piece.sound
    desk.invoice.add(
        Row(
            id=cache.name,
            at=now,
            day=day.isoformat(),
            maker="google",
            model=asked.model,
            kind="cache",
            nano=desk.prices.nano(asked.model, "standard", day, tally),
            **msgspec.structs.asdict(tally),
        )
    )
    _store_cost(desk, cache, seconds or 0.0)
    return document(_cache_document(desk, cache))


def _get_cache(exchange: Exchange, name: str) -> Document:
    exchange.desk.check_key(exchange.key)
    return document(_cache_document(exchange.desk, cache_of(exchange.desk, name)))


def _patch_cache(exchange: Exchange, name: str) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    cache = cache_of(desk, name)
    seconds = seconds_of(read_google(exchange.body(), _CachePatch).ttl) or 0.0
    until = desk.clock.now() + seconds
    if until > cache.expires:
        _store_cost(desk, cache, until - cache.expires)
    cache.expires = until
    return document(_cache_document(desk, cache))


def _delete_cache(exchange: Exchange, name: str) -> Document:
    exchange.desk.check_key(exchange.key)
    cache_of(exchange.desk, name)
    exchange.desk.store.drop(name)
    return document({})


def _list_caches(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    live = [one for one in desk.store.under("cachedContents/") if one.expires > desk.clock.now()]
    return document({"cachedContents": [_cache_document(desk, one) for one in live[:1000]]})


ROUTES: tuple[Route, ...] = (
    ("POST", r"/v1(?:beta|alpha)?/cachedContents", _create_cache),
    ("GET", r"/v1(?:beta|alpha)?/cachedContents", _list_caches),
    ("GET", r"/v1(?:beta|alpha)?/(?P<name>cachedContents/[A-Za-z0-9-]+)", _get_cache),
    ("PATCH", r"/v1(?:beta|alpha)?/(?P<name>cachedContents/[A-Za-z0-9-]+)", _patch_cache),
    ("DELETE", r"/v1(?:beta|alpha)?/(?P<name>cachedContents/[A-Za-z0-9-]+)", _delete_cache),
)
