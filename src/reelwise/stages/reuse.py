"""Do not answer again what was answered before: artefacts, duplicate uploads, cached answers, like frames, like questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.errors import DocumentError
from reelwise.evidence import ASSUMED
from reelwise.facts import settings_hash
from reelwise.requests import Usage
from reelwise.stages.base import Stage, class_of
from reelwise.units import maximum, minimum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece

__all__ = ["FRAMES_AGAIN", "QUESTION_HITS", "Reuse", "leave_out", "left_out"]

FRAMES_AGAIN = "reuse.frames_again_share"
QUESTION_HITS = "reuse.question_hit_share"


class Reuse(Stage, frozen=True, kw_only=True):
    """Use up repetition. What one part has used up, no other part can save again.

    Attributes:
        views: analyse once at ingest, serve every view from the stored artefact.
        duplicates: recognise the same upload and answer it from the first.
        answers: a cache of answers in front of the model; finds the share `cache.answer_hit_share` of calls, and never
            more than is still repeated. Without that fact it finds exact repeats only.
        frames: of the frames that a `sample` stage chose, those that look like one that is sent are not sent again: in a call with
            several frames they are left out, with a frame a call the earlier frame's answer stands in. The first is always sent.
        frames_different: how much they may differ: the mean over cells of 24 x 24, in steps of 255; no cell by more than eight times that.
        frames_seconds: for how long a frame stands in for later ones.
        questions: a cache of answers by what questions on the same pixels mean. It finds the share `reuse.question_hit_share` of
            questions; without that fact none.
        error_most: share of its hits that may be wrong. What may be served under it is learned from answers, and kept.
        explore: share of its hits that are asked all the same, to see whether they were right.
        fresh_seconds: for how long it serves answers to what changes ("now", "latest"); 0 is never.
        sku: rate card of the storage that keeps artefacts and answers.
        megabytes: size of what is kept for one item.
        months: how long it is kept.
    """

    views: bool = False
    duplicates: bool = False
    answers: bool = False
    frames: bool = False
    frames_different: Annotated[float, Meta(gt=0, lt=255)] = 1.5
    frames_seconds: Annotated[float, Meta(gt=0, le=86400)] = 10.0
    questions: bool = False
    error_most: Annotated[float, Meta(gt=0, lt=1)] = 0.02
    explore: Annotated[float, Meta(ge=0, le=1)] = 0.05
    fresh_seconds: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
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
        questions = item.questions
        if self.questions:
            hits, bit = facts.get(
                QUESTION_HITS, stage=self.question_key, source_class=class_of(item, facts, QUESTION_HITS), default=0.0
            )
            basis |= bit or ASSUMED  # that nothing is asked twice
            questions = questions * (1 - hits)
        if self.views or self.duplicates or self.answers or self.questions:
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
        again = self if self.frames else item.frames_again
        return (
            replace(
                item, count=count, views=views, duplicates=duplicates, questions=questions, frames_again=again, basis=basis
            ),
        )  # fmt: skip

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Answer from what is kept where models are called; else divide by the repetition."""
        if out.runner is None:
            yield from super().process(pieces, facts, out)
        else:
            for piece in out.runner.reuse(self, pieces, out):
                yield piece.with_item(frames_again=self) if self.frames else piece

    @property
    def question_key(self) -> tuple[Any, ...]:
        """What the share of questions that are found depends on."""
        return (self.error_most, self.explore, self.fresh_seconds)

    def frames_key(self, sample: Any) -> tuple[Any, ...]:
        """What the share of frames that are left out depends on: how alike, and which are chosen."""
        return (self.frames_different, self.frames_seconds, sample)

    def check(self, where: str) -> None:
        """Refuse a cache of answers in two ways at once."""
        if self.lane is not None and (self.frames or self.questions):
            raise DocumentError("frames and questions are reused in all lanes", where=where, hint="leave `lane` out")


def left_out(sample: Any, item: Item, facts: Facts, out: Out) -> Item:
    """Take those frames off a class of items that look like one that is sent, where a stage `reuse` asks for it.

    Args:
        sample: the stage that chose the frames.
        item: what it left.
        facts: with the share; without it no frame is taken off.
        out: the plan before.
    """
    stage = item.frames_again
    if stage is None:
        return item
    prefix = out.prefix() if facts.needs_prefix(FRAMES_AGAIN) else None
    share, bit = facts.get(
        FRAMES_AGAIN, stage=stage.frames_key(sample), prefix=prefix, source_class=item.footage, default=0.0
    )
    return replace(item, frames=item.frames * (1 - share), basis=item.basis | (bit or ASSUMED))


def leave_out(sample: Any, piece: Piece, out: Out) -> Piece:
    """Do it to the frames of a clip, and count how many there were.

    Raises:
        MediaError: the clip cannot be read any more.
    """
    stage = piece.item.frames_again
    if stage is None or piece.frames is None or not len(piece.frames):
        return piece
    from reelwise import video

    kept = video.leave_out_alike(
        piece.track, piece.frames, most_different=stage.frames_different, age_seconds=stage.frames_seconds
    )
    if out.tally is not None:
        again = float(len(piece.frames) - len(kept))
        out.tally.add(
            FRAMES_AGAIN, settings_hash(stage.frames_key(sample)), out.prefix(), again, float(len(piece.frames))
        )
    return replace(piece, frames=kept).with_item(frames=float(len(kept)))
