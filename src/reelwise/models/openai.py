"""What all of OpenAI's APIs share: the key, the address, and the options of a call that carry the same names in chats and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from reelwise.models.endpoint import Endpoint
from reelwise.models.used import Used, read_usage

if TYPE_CHECKING:
    from reelwise.models.work import Work

__all__ = ["OpenAI", "openai_options", "read_openai"]


class OpenAI(Endpoint):
    """An endpoint of OpenAI's; see `Endpoint` for the arguments."""

    provider = "openai"
    variable = "OPENAI_API_KEY"
    address = "https://api.openai.com/v1"


def openai_options(work: Work) -> dict[str, Any]:
    """Return the options of a call that chats and responses name alike; what is left out is UNSET."""
    return {
        "temperature": UNSET if work.temperature is None else work.temperature,
        "service_tier": UNSET if work.mode in {"standard", "batch"} else work.mode,
        "prompt_cache_key": work.cache_key or UNSET,
    }


def read_openai(raw: dict[str, Any], flavor: str, model: str, *, provider: str = "openai") -> Used:
    """Read the usage of an answer; `flavor` is chat, responses or embeddings."""
    return read_usage(
        raw, provider=provider, flavor=flavor, model=model, tier=raw.get("service_tier"),
        request_id=str(raw.get("id") or ""),
    )  # fmt: skip
