"""Do not answer again what was answered before: precomputed artefacts, duplicate uploads, cached answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.evidence import ASSUMED
from reelwise.requests import Usage
from reelwise.stages.base import Stage, class_of
from reelwise.units import maximum, minimum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["Reuse"]


class Reuse(Stage, frozen=True, kw_only=True):
    """Use up repetition. What one part has used up, no other part can save again.

    Attributes:
        views: analyse once at ingest, serve every view from the stored artefact.
        duplicates: recognise the same upload and answer it from the first.
        answers: a cache of answers in front of the model; finds the share `cache.answer_hit_share` of calls, and never
            more than is still repeated. Without that fact it finds exact repeats only.
        sku: rate card of the storage that keeps artefacts and answers.
        megabytes: size of what is kept for one item.
        months: how long it is kept.
    """

    views: bool = False
    duplicates: bool = False
    answers: bool = False
    sku: str = "aws/s3-standard"
    megabytes: Annotated[float, Meta(ge=0, le=1e6)] = 0.05
    months: Annotated[float, Meta(ge=0, le=1200)] = 1.0

    slot: ClassVar[int] = 2
    counted: ClassVar[bool] = False

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Divide the calls by the repetition that is caught; bill what is kept."""
        count, views, duplicates, basis = item.count, item.views, item.duplicates, item.basis
        if self.views:
            count, views = count / views, 1.0
        if self.duplicates:
            count, duplicates = count / duplicates, 1.0
        if self.answers:
            most = 1 - 1 / (views * duplicates)
            hits, bit = facts.get(
                "cache.answer_hit_share", source_class=class_of(item, facts, "cache.answer_hit_share"), default=1.0
            )
            bit = bit or ASSUMED  # that every exact repeat is found
            caught = minimum(hits, most)
            basis |= bit
            count, views, duplicates = count * (1 - caught), maximum(views * duplicates * (1 - caught), 1.0), 1.0
        if self.views or self.duplicates or self.answers:
            out.usages.append(
                Usage(
                    sku=self.sku,
                    unit="gb_month",
                    quantity=count * self.megabytes / 1000 * self.months,
                    lane=item.lane,
                    source_class=item.source_class,
                    stage="reuse",
                    basis=basis,
                )
            )
        return (replace(item, count=count, views=views, duplicates=duplicates, basis=basis),)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Answer from what is kept where models are called; else divide by the repetition."""
        if out.runner is None:
            yield from super().process(pieces, facts, out)
        else:
            yield from out.runner.reuse(self, pieces, out)
