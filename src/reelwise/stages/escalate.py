"""Ask a dearer model only where the cheap one is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.errors import DocumentError
from reelwise.flow import Out
from reelwise.stages.asking import RIGHT, answer_tokens, call_before, judge, short_tokens, with_model
from reelwise.stages.base import Stage, class_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Piece
    from reelwise.stages.call import Call

__all__ = ["OWN", "Escalate"]

OWN = "own"
"""The verifier that is a function of yours, handed to `reelwise.run.executing.execute`: it makes no call."""


class Escalate(Stage, frozen=True, kw_only=True):
    """Pass the share `escalate.doubt_share` of answered items on to lane `to`.

    What decides when it runs is one of these. Calls that deciding needs are calls like any other: of the same pictures, held for and paid.

    Attributes:
        to: the lane of doubtful items; a call in that lane follows.
        sure: where nothing below is set: how sure an answer must be. Below that, or where a model does not say, it is in doubt. `reelwise
            verify` says what the answers are worth then.
        calibrated: a file of a calibrated cascade; where it looks at two answers, `second` names the model of the second. null for none.
        samples: the cheap model is asked so often in all; a share of at least `agree` of its answers must be as the first.
        agree: see `samples`.
        second: another cheap model that is asked the same and must answer the same; empty for none.
        alike: two texts are the same answer where they conclude the same, or so much of their words is shared (F1).
        verifier: a model that is shown the same, with the answer, and says whether it is right; or `own`, a function handed to the library
            call. Empty for none.
    """

    to: str = "doubt"
    sure: Annotated[float, Meta(ge=0, le=1)] = 0.8
    calibrated: str | None = None
    samples: Annotated[int, Meta(ge=1, le=16)] = 1
    agree: Annotated[float, Meta(ge=0, le=1)] = 1.0
    second: str = ""
    alike: Annotated[float, Meta(ge=0, le=1)] = 0.6
    verifier: str = ""

    slot: ClassVar[int] = 12
    counted: ClassVar[bool] = False

    def check(self, where: str) -> None:
        """Refuse several things that decide at once."""
        answers = bool(self.second or self.calibrated)
        if (self.samples > 1) + answers + bool(self.verifier) > 1:
            raise DocumentError(
                "several things decide", where=where,
                hint="one of samples, second, verifier, calibrated; calibrated may look at the answer of `second`",
            )  # fmt: skip

    @property
    def by_confidence(self) -> bool:
        """Whether the answer's own confidence decides."""
        return self.samples == 1 and not (self.second or self.verifier or self.calibrated)

    def asks(self, cheap: Call, day: dt.date | None = None) -> tuple[tuple[str, Call], ...]:
        """List the calls that deciding needs beside the cheap one: what each is for, and the call."""
        if self.verifier and self.verifier != OWN:
            return (("verify", judge(cheap, self.verifier, day)),)
        if self.second:
            return (("second", with_model(cheap, self.second, day)),)
        return tuple((f"sample {number}", cheap) for number in range(2, self.samples + 1))

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Keep the doubtful share; the others are answered. What deciding asks of models is asked about all."""
        cheap = call_before(out.calls, item.lane)
        for turn, call in self.asks(cheap, out.day) if cheap is not None else ():
            shown = item
            if turn == "verify":
                tokens = short_tokens(call.model, RIGHT, item, facts)
                shown = replace(
                    item, tokens_prompt=item.tokens_prompt + answer_tokens(cheap or call, item, facts) + RIGHT.tokens,
                    tokens_output=tokens, tokens_output_most=tokens,
                )  # fmt: skip
            tried = Out(out.book, out.day)
            call.expect(shown, facts, tried)
            out.requests += [replace(request, stage="escalate") for request in tried.requests]
            out.usages += tried.usages
        prefix = out.prefix() if facts.needs_prefix("escalate.doubt_share") else None
        share, bit = facts.get(
            "escalate.doubt_share",
            stage=self,
            prefix=prefix,
            source_class=class_of(item, facts, "escalate.doubt_share"),
        )
        return (replace(item, lane=self.to, count=item.count * share, basis=item.basis | bit),)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Pass on the pieces whose answers are in doubt where models are called; else a share of each."""
        if out.runner is None:
            yield from super().process(pieces, facts, out)
        else:
            yield from out.runner.escalate(self, pieces, out)
