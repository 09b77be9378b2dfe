"""The sandbox's own prices: by day, by tier, with the jump for long calls, and steps and free units over a month."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.documents import read_yaml
from reelwise.sandbox.errors import BadRequestError, NotFoundError

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["Prices", "Tally"]

_FILE = Path(__file__).parent / "data" / "prices.yaml"
_MILLION = 1_000_000
_NANO = 1_000_000_000


class Tally(Struct, kw_only=True):
    """What one call used, as the sandbox counted it. Cached and written tokens are not in the fresh ones."""

    text: int = 0
    image: int = 0
    video: int = 0
    audio: int = 0
    cached: int = 0
    audio_cached: int = 0
    write: int = 0
    write_1h: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def input(self) -> int:
        """All input tokens."""
        return self.fresh + self.cached + self.write + self.write_1h

    @property
    def fresh(self) -> int:
        """Input tokens that no cache had to do with."""
        return self.text + self.image + self.video + self.audio


def _number(value: Any) -> Fraction:
    return Fraction(str(value))


class Prices:
    """All prices.

    Args:
        changed: prices in place of the file's: {"gpt-4o": {"input": 2.6}}; a model that is not there is added. For what-if, and to show
            that a wrong price is found.
    """

    def __init__(self, changed: dict[str, dict[str, Any]] | None = None) -> None:
        found = read_yaml(_FILE)
        self._models: dict[str, Any] = found["models"]
        self._cards: dict[str, Any] = found["cards"]
        for name, prices in (changed or {}).items():
            if name in self._cards:
                self._cards[name] = {**self._cards[name], **prices}
                continue
            old = self._models.get(name, {"maker": "other", "prices": [{"mode": "standard"}]})
            self._models[name] = {**old, "prices": [{**row, **prices} for row in old["prices"]]}

    def models(self) -> list[str]:
        """Name all models."""
        return list(self._models)

    def model(self, name: str) -> str:
        """Find the model that a name means: dates and versions after it are left out.

        Raises:
            NotFoundError: the sandbox sells no such model.
        """
        short = name.removeprefix("models/").removeprefix("openai/").removeprefix("google/").removeprefix("anthropic/")
        while short:
            if short in self._models:
                return short
            short = short.rpartition("-")[0] if short.rpartition("-")[2].isdigit() or short.endswith("-latest") else ""
        raise NotFoundError(
            f"The model `{name:.80}` does not exist or you do not have access to it.", code="model_not_found"
        )

    def context(self, model: str) -> int | None:
        """Return the most input tokens a model takes; None where nobody says."""
        limit: int | None = self._models[model].get("context")
        return limit

    def writes(self, model: str) -> bool:
        """Say whether writing to a cache has a price of its own."""
        return any("write" in row for row in self._models[model]["prices"])

    def row(self, model: str, mode: str, day: dt.date) -> dict[str, Any]:
        """Find a model's prices on a day in a mode.

        Raises:
            BadRequestError: the mode is not offered.
        """
        base = self._at(model, "standard", day)
        if mode == "standard":
            return base
        own = self._at(model, mode, day)
        if not own:
            raise BadRequestError(f"{mode} is not available for {model}", code="invalid_service_tier")
        return {**base, **own}

    def offers(self, model: str, mode: str, day: dt.date) -> bool:
        """Say whether a model is sold in a mode."""
        return bool(self._at(model, mode, day))

    def _at(self, model: str, mode: str, day: dt.date) -> dict[str, Any]:
        rows = [row for row in self._models[model]["prices"] if row["mode"] == mode]
        live = [row for row in rows if row.get("from", "") <= day.isoformat()]
        return max(live, key=lambda row: row.get("from", ""), default={})

    def nano(self, model: str, mode: str, day: dt.date, tally: Tally) -> int:
        """Price a call, in nano-USD, rounded once, half to even."""
        row, size = self.row(model, mode, day), tally.input

        def each(*names: str) -> Fraction:
            for name in names:
                if name in row:
                    value = row[name]
                    if isinstance(value, list):
                        return _number(value[2] if size > value[1] else value[0])
                    return _number(value)
            raise BadRequestError(f"the sandbox has no price of {names[0]} for {model}")

        amounts = (
            (tally.text, ("input",)),
            (tally.image, ("image", "input")),
            (tally.video, ("video", "input")),
            (tally.audio, ("audio", "input")),
            (tally.cached - tally.audio_cached, ("cached", "input")),
            (tally.audio_cached, ("audio_cached", "cached", "audio", "input")),
            (tally.write, ("write", "input")),
            (tally.write_1h, ("write_1h", "write", "input")),
            (tally.output, ("output",)),
        )
        usd = sum((number * each(*names) for number, names in amounts if number), Fraction(0)) / _MILLION
        return round(usd * _NANO)

    def card(self, sku: str) -> dict[str, Any]:
        """Find what a service costs that is not sold by tokens.

        Raises:
            NotFoundError: the sandbox does not sell it.
        """
        if sku not in self._cards:
            raise NotFoundError(f"the sandbox does not sell {sku:.80}")
        found: dict[str, Any] = self._cards[sku]
        return found

    def card_nano(self, sku: str, quantity: Fraction, before: Fraction, day: dt.date, resolution: str = "") -> int:
        """Price a quantity of a card's unit after so much of it this month, in nano-USD."""
        card = self.card(sku)
        later = card.get("later")
        top = _number(later["usd"] if later and later["from"] <= day.isoformat() else card["usd"])
        if resolution in card.get("resolutions", {}):
            top = _number(card["resolutions"][resolution])
        steps = [(Fraction(end), _number(usd)) for end, usd in card.get("steps", [])]
        free = Fraction(card.get("free", 0))
        usd, at, end = Fraction(0), before, before + quantity
        for limit, price in [(free, Fraction(0)), *steps]:
            if at < limit:
                part = min(end, limit) - at
                usd, at = usd + part * price, at + max(part, Fraction(0))
            if at >= end:
                return round(usd * _NANO)
        return round((usd + (end - at) * top) * _NANO)
