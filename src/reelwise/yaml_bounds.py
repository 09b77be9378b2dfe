"""Refuse YAML that would cost the loader its stack or memory, from the stream of its events, before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEEPEST", "MOST_VALUES", "check_bounds"]

DEEPEST = 40
"""Levels of nesting; the C loader overflows its stack at some ten thousand."""
MOST_VALUES = 200_000
"""Values of a document, each alias counted as all it stands for: nine aliases of nine aliases are a billion soon."""


def check_bounds(events: Iterable[Any], where: str) -> None:
    """Go through the events of a document.

    Raises:
        DocumentError: too deep, too many values with aliases written out, an alias inside itself, or a key written
            twice (the loader would drop the first silently).
    """
    import yaml

    bounds = _Bounds(where)
    for event in events:
        bounds.line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            bounds.alias(event.anchor)
        elif isinstance(event, yaml.ScalarEvent):
            bounds.scalar(event.anchor, event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            bounds.start(event.anchor, mapping=isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            bounds.end()


class _Open:
    """A list or mapping whose end has not come yet; `first` is how many values came before it."""

    __slots__ = ("anchor", "first", "is_key", "keys")

    def __init__(self, anchor: str | None, first: int, keys: set[str] | None) -> None:
        self.anchor, self.first, self.keys = anchor, first, keys
        self.is_key = keys is not None


class _Bounds:
    """How deep and how large a document is so far."""

    def __init__(self, where: str) -> None:
        self.line = 1
        self._where = where
        self._values = 0
        self._open: list[_Open] = []
        self._sizes: dict[str, int] = {}

    def _refuse(self, message: str, hint: str) -> DocumentError:
        return DocumentError(message, where=f"{self._where} line {self.line}", hint=hint)

    def _add(self, values: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise self._refuse(f"more than {MOST_VALUES:,} values", "aliases (*) count as all they stand for")

    def _placed(self) -> None:
        """Turn from a key to its value, or back."""
        if self._open and self._open[-1].keys is not None:
            self._open[-1].is_key = not self._open[-1].is_key

    def alias(self, anchor: str | None) -> None:
        if anchor is None or anchor not in self._sizes:
            raise self._refuse(f"*{anchor} stands inside itself, or for nothing", "write it out")
        self._add(self._sizes[anchor])
        self._placed()

    def scalar(self, anchor: str | None, value: str) -> None:
        if anchor:
            self._sizes[anchor] = 1
        inside = self._open[-1] if self._open else None
        if inside is not None and inside.keys is not None and inside.is_key and value != "<<":
            if value in inside.keys:
                raise self._refuse(f"`{value}` is written twice", "remove one of the two")
            inside.keys.add(value)
        self._add(1)
        self._placed()

    def start(self, anchor: str | None, *, mapping: bool) -> None:
        if len(self._open) >= DEEPEST:
            raise self._refuse(f"nested deeper than {DEEPEST} levels", "no document needs that")
        self._sizes.pop(anchor or "", None)
        self._open.append(_Open(anchor, self._values, set() if mapping else None))
        self._add(1)

    def end(self) -> None:
        closed = self._open.pop()
        if closed.anchor:
            self._sizes[closed.anchor] = self._values - closed.first
        self._placed()
