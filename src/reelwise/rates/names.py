"""Names of what is priced: card ids and their aliases, private ids, and what a wrong name may have meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from reelwise.errors import DocumentError, UnknownModelError, UnpricedError
from reelwise.rates import language as llm
from reelwise.rates.cards import load_cards

if TYPE_CHECKING:
    from reelwise.rates.overrides import Override, Overrides

__all__ = ["Names"]

_COMMITMENTS = ("spot", "reserved-1y", "reserved-3y")


class Names:
    """The card ids of a book: every id and alias, and the ids that an override file adds.

    Args:
        overrides: private prices.

    Raises:
        DocumentError: an override is about something that nobody lists.
    """

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._known: dict[str, str] | None = None
        self._check_targets()

    def known(self) -> dict[str, str]:
        """Map every id and alias to the id."""
        if self._known is None:
            names: dict[str, str] = {}
            for sku, (_, entry) in load_cards().items():
                names[sku] = sku
                names.update(dict.fromkeys(entry.aliases, sku))
            for one in self._overrides.entries:
                if one.sku and one.discount_percent is None:
                    names.setdefault(one.sku, one.sku)
            self._known = names
        return self._known

    def canonical(self, name: str) -> str:
        """Turn an id or alias into the id.

        Raises:
            UnpricedError: a spot or reserved price that has no source.
            UnknownModelError: nothing has that name.
        """
        names = self.known()
        if name in names:
            return names[name]
        base, _, last = name.rpartition("/")
        if last in _COMMITMENTS and base in names:
            raise UnpricedError(
                f"no sourced {last} price of {base}",
                where=name,
                hint="give the price you were quoted in a file and pass it with --rates",
            )
        raise self.unknown(name)

    def unknown(self, name: str) -> UnknownModelError:
        """Say that nothing has a name, with the closest that do."""
        near = self.near(name)
        hint = f"did you mean {', '.join(near)}?" if near else "`reelwise rates list --search WORD` finds names"
        return UnknownModelError(f"no price under the name {name!r}", where=name, hint=hint)

    def near(self, name: str) -> list[str]:
        """List at most four names close to one, cards of the same last part first."""
        cards = list(self.known())
        last = name.rpartition("/")[2].lower()
        near = [sku for sku in cards if sku.rpartition("/")[2] == last]
        near += difflib.get_close_matches(name, cards, n=3, cutoff=0.6)
        near += difflib.get_close_matches(name, [model.id for _, model in llm.all_models()], n=3, cutoff=0.7)
        return [one for one in dict.fromkeys(near) if one != name][:4]

    def _check_targets(self) -> None:
        for index, one in enumerate(self._overrides.entries):
            where = f"{self._overrides.where} $.overrides[{index}]"
            if one.provider:
                _check_provider(one.provider, where)
            elif one.discount_percent is not None:
                self._check_discounted(one, where)
            elif one.sku and "/" not in one.sku:
                raise DocumentError("a sku has the form provider/product", where=where, hint="or is it a `model`?")
            elif one.sku and not one.unit and not self._has_unit(one.sku):
                raise DocumentError("a price for something unpriced needs its `unit`", where=where, hint="add it")

    def _has_unit(self, sku: str) -> bool:
        found = load_cards().get(self.known()[sku])
        return bool(found and found[1].prices)

    def _check_discounted(self, one: Override, where: str) -> None:
        if one.sku in self.known() if one.sku else llm.find(one.model) is not None:
            return
        name = one.sku or one.model
        raise DocumentError(f"a discount on something unlisted: {name!r}", where=where, hint=self.unknown(name).hint)


def _check_provider(provider: str, where: str) -> None:
    known = {name for name, _ in load_cards().values()} | {name for name, _ in llm.all_models()}
    if provider not in known:
        near = difflib.get_close_matches(provider, sorted(known), n=1)
        hint = f"did you mean {near[0]}?" if near else "`reelwise rates list` shows them"
        raise DocumentError(f"unknown provider {provider!r}", where=where, hint=hint)
