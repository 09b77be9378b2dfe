"""Trim the text around the video, and cap the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.stages.base import Stage
from reelwise.units import minimum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece
    from reelwise.units import Num

__all__ = ["Prompt"]

Tokens = Annotated[float, Meta(ge=0, le=1e7)]


def _capped(tokens: Num, cap: float | None) -> Num:
    return tokens if cap is None else minimum(tokens, cap)


class Prompt(Stage, frozen=True, kw_only=True):
    """Cap the tokens of one call; null leaves a part as it is.

    Attributes:
        prefix: of what every call repeats.
        question: of what differs.
        output: of the answer (the API's maximum output tokens).
    """

    prefix: Tokens | None = None
    question: Tokens | None = None
    output: Tokens | None = None

    slot: ClassVar[int] = 8
    vector: ClassVar[tuple[str, ...]] = ("prefix", "question", "output")

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:  # noqa: ARG002 - arithmetic, needs no facts
        """Apply the caps."""
        return (
            replace(
                item,
                tokens_prefix=_capped(item.tokens_prefix, self.prefix),
                tokens_prompt=_capped(item.tokens_prompt, self.question),
                tokens_output=_capped(item.tokens_output, self.output),
                tokens_output_most=_capped(item.tokens_output_most, self.output),
            ),
        )

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Shorten the script of each piece: later parts of the instructions go first."""
        for piece in super().process(pieces, facts, out):
            if piece.script is None:
                yield piece
                continue
            script, _ = piece.script.trimmed(self.prefix, self.question)
            yield replace(piece, script=script)
