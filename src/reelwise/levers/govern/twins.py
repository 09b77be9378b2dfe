"""Which serverless machine has the processor of a rented one."""

from __future__ import annotations

from reelwise.rates.cards import load_cards

__all__ = ["serverless_twin"]


def serverless_twin(sku: str) -> str | None:
    """Name the cheapest serverless card with the same accelerators, by its newest price; None where there is none."""
    _, own = load_cards().get(sku, ("", None))
    if own is None or not own.gpu:
        return None
    twins = [
        (entry.prices[-1].usd or 0.0, entry.sku)
        for _, entry in load_cards().values()
        if entry.kind == "serverless" and entry.gpu == own.gpu and entry.gpus == own.gpus and entry.prices
    ]
    return min(twins)[1] if twins else None
