"""What every stage has: settings, and one face for pricing and one for running."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Stage", "class_of"]


def class_of(item: Item, facts: Facts, name: str) -> str:
    """Name the class that a fact of what models did is looked up for: the class of users where it is known for that, else the footage."""
    own = item.source_class
    return own if own and facts.known(name, own) else item.footage


class Stage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="stage", tag=str.lower):
    """One step of a plan. Its fields are settings; what they lead to is a fact or is counted.

    Attributes:
        lane: the lane of items it acts on; null acts on all.
    """

    lane: str | None = None

    slot: ClassVar[int] = 0
    """Its place in the canonical order."""
    counted: ClassVar[bool] = True
    """Whether `process` really counts on footage (False: it needs a model's answers and only spreads items by facts)."""
    vector: ClassVar[tuple[str, ...]] = ()
    """Numeric settings that may be arrays when many plan variants are priced at once."""

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Say what one class of items becomes, and add what it would be billed for to `out`."""
        raise NotImplementedError

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Do it to real footage. Settings alone decide here; stages that look at the footage have their own `process`."""
        for piece in pieces:
            for item in self.expect(piece.item, facts, out):
                yield piece.with_item(**{name: getattr(item, name) for name in item.__struct_fields__})

    def unrun(self) -> str:
        """Say why it cannot be run on real items here; empty where it can. Pricing it is another matter."""
        return ""

    def check(self, where: str) -> None:
        """Refuse settings that the types let through.

        Raises:
            DocumentError: settings that contradict each other.
        """
