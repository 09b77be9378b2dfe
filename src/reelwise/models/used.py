"""What an answer says it used, raw and in our units, so that a floor above can settle it on the tier that it names."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from reelwise.requests import Request

__all__ = ["TIERS", "Used", "read_usage", "tier_of", "unread"]

TIERS: dict[str, str] = {
    "": "standard",
    "auto": "standard",
    "default": "standard",
    "on_demand": "standard",
    "standard": "standard",
    "SERVICE_TIER_UNSPECIFIED": "standard",
    "unspecified": "standard",
    "batch": "batch",
    "flex": "flex",
    "priority": "priority",
    "fast": "fast",
}
"""What vendors call the service tier that a call was served on, and our modes."""

_LARGEST = 1 << 53
_RAW_MAX = 20_000


class Used(Struct, frozen=True, kw_only=True):
    """What one call used.

    Tokens of the input are apart: `tokens_text`, `tokens_image`, `tokens_video` and `tokens_audio` are fresh, what was read from or written
    to a cache is counted there alone. They add up to what the vendor calls input.

    Attributes:
        provider: openai, google, anthropic, ...
        model: as the answer names it, else as it was asked for.
        mode: the tier that the answer names, in our words: standard, batch, flex, priority, fast.
        tokens_text, tokens_image, tokens_video, tokens_audio: fresh input.
        tokens_cached: read from a prompt cache; `tokens_audio_cached` is the part of it that is sound.
        tokens_cache_write: written to a prompt cache (for five minutes where the vendor has several times).
        tokens_cache_write_1h: written for an hour.
        tokens_output: written by the model, reasoning included; `tokens_reasoning` is that part.
        seconds, images, seconds_output: of services that bill by these.
        resolution: of generated video.
        complete: False where a stream was cut off: `tokens_output` is what came, and the input may not be known.
        input_known: whether the answer said what the input came to.
        unpriced: why it cannot be settled as it stands: no usage, nonsense, an unknown tier. Empty where it can.
        raw: the usage as the answer wrote it, JSON.
        request_id: the vendor's id of the call.
    """

    provider: str
    model: str
    mode: str = "standard"
    tokens_text: int = 0
    tokens_image: int = 0
    tokens_video: int = 0
    tokens_audio: int = 0
    tokens_cached: int = 0
    tokens_audio_cached: int = 0
    tokens_cache_write: int = 0
    tokens_cache_write_1h: int = 0
    tokens_output: int = 0
    tokens_reasoning: int = 0
    seconds: float = 0.0
    images: float = 0.0
    seconds_output: float = 0.0
    resolution: str = ""
    complete: bool = True
    input_known: bool = True
    unpriced: str = ""
    raw: str = ""
    request_id: str = ""

    @property
    def tokens_input(self) -> int:
        """All input tokens: fresh, cached and written."""
        fresh = self.tokens_text + self.tokens_image + self.tokens_video + self.tokens_audio
        return fresh + self.tokens_cached + self.tokens_cache_write + self.tokens_cache_write_1h

    def request(self, *, model: str = "", count: int = 1, stage: str = "call") -> Request:
        """Make the request that `reelwise.charge.charge` prices.

        Args:
            model: the name that prices are kept under; empty is the one that the answer names.
            count: equal calls.
            stage: the plan's.
        """
        return Request(
            model=model or self.model, count=count, mode=self.mode, seconds=self.seconds, images=self.images,
            tokens_image=self.tokens_image, tokens_video=self.tokens_video, tokens_audio=self.tokens_audio,
            tokens_text=self.tokens_text, tokens_cached=self.tokens_cached,
            tokens_audio_cached=self.tokens_audio_cached, tokens_cache_write=self.tokens_cache_write,
            tokens_cache_write_1h=self.tokens_cache_write_1h,
            tokens_output=self.tokens_output, seconds_output=self.seconds_output, resolution=self.resolution,
            stage=stage,
        )  # fmt: skip


def tier_of(named: Any) -> tuple[str, str]:
    """Translate the tier that an answer names; the second is why it cannot be priced, empty where it can."""
    if named is None:
        return "standard", ""
    if isinstance(named, str):
        found = TIERS.get(named) or TIERS.get(named.lower().removeprefix("service_tier_"))
        if found is not None:
            return found, ""
    return "standard", f"the answer names a service tier that is not known: {named!r:.40}"


def unread(provider: str, model: str, why: str, *, raw: Any = None, request_id: str = "") -> Used:
    """Say that an answer's usage is missing or nonsense: never 0, but unpriced."""
    return Used(provider=provider, model=model, unpriced=why, raw=_text(raw), input_known=False, request_id=request_id)


def read_usage(  # the parts of an answer that bear on its price
    answer: dict[str, Any],
    *,
    provider: str,
    flavor: str,
    model: str,
    tier: Any = None,
    usage_at: str = "usage",
    request_id: str = "",
) -> Used:
    """Read the usage of a whole answer with the extractors of genai-prices.

    Args:
        answer: the decoded answer.
        provider: the package's name of the vendor.
        flavor: the package's name of the kind of API: chat, responses, default, embeddings.
        model: what was asked for, where the answer names none.
        tier: what the answer says of its service tier.
        usage_at: where the answer keeps its usage.
        request_id: the vendor's id of the call.
    """
    raw = answer.get(usage_at)
    named = answer.get("modelVersion" if provider == "google" else "model")
    model = named if isinstance(named, str) and named else model
    if not isinstance(raw, dict) or not raw:
        return unread(provider, model, "the answer says nothing of its usage", raw=raw, request_id=request_id)
    try:
        found = _extracted({"model": model, "modelVersion": model, usage_at: _whole(raw)}, provider, flavor)
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # the extractors check no types
        why = f"its usage cannot be read: {error!s:.200}"
        return unread(provider, model, why, raw=raw, request_id=request_id)
    mode, unpriced = tier_of(tier)
    head = Used(provider=provider, model=model, mode=mode, unpriced=unpriced, raw=_text(raw), request_id=request_id)
    return _used(found, head)


def _extracted(answer: dict[str, Any], provider: str, flavor: str) -> dict[str, int]:
    from genai_prices.data_snapshot import _bundled_snapshot  # the bundled one: see rates/language.py

    usage = _bundled_snapshot().extract_usage(answer, provider, None, flavor).usage
    return {name: int(value) for name, value in vars(usage).items() if isinstance(value, int)}


def _whole(raw: Any, depth: int = 0) -> Any:
    """Refuse counts that cannot be: negative, fractions, larger than any context; other fields are left alone."""
    if isinstance(raw, dict):
        return {key: _whole(value, depth + 1) for key, value in raw.items()} if depth < 6 else {}
    if isinstance(raw, list):
        return [_whole(one, depth + 1) for one in raw[:1000]] if depth < 6 else []
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        if raw != int(raw) or not 0 <= raw <= _LARGEST:
            raise ValueError(f"a count of {raw}")
        return int(raw)
    return raw


def _used(found: dict[str, int], head: Used) -> Used:
    """Fill in what was found."""
    get = found.get
    total, cached, written = get("input_tokens", 0), get("cache_read_tokens", 0), get("cache_write_tokens", 0)
    long = get("cache_write_1h_tokens", 0)
    fresh = {
        kind: get(f"input_{kind}_tokens", 0) - get(f"cache_{kind}_read_tokens", 0)
        for kind in ("image", "video", "audio")
    }
    text = total - cached - written - sum(fresh.values())
    if min(text, *fresh.values()) < 0 or long > written or get("cache_audio_read_tokens", 0) > cached:
        why = "the parts of its usage are more than their sum"
        return msgspec.structs.replace(head, input_known=False, unpriced=why)
    return msgspec.structs.replace(
        head, tokens_text=text, tokens_image=fresh["image"], tokens_video=fresh["video"], tokens_audio=fresh["audio"],
        tokens_cached=cached, tokens_audio_cached=get("cache_audio_read_tokens", 0), tokens_cache_write=written - long,
        tokens_cache_write_1h=long, tokens_output=get("output_tokens", 0),
        tokens_reasoning=get("output_reasoning_tokens", 0),
    )  # fmt: skip


def _text(raw: Any) -> str:
    return "" if raw is None else msgspec.json.encode(raw).decode()[:_RAW_MAX]
