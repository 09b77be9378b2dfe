"""Lever 1: sample frames, do not process all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from reelwise.levers.base import Card, Lever, Verdict, no, sees_pictures, yes
from reelwise.levers.grid import grid_call
from reelwise.stages import Sample
from reelwise.stages.sample import Way  # noqa: TC001 - msgspec reads it

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.workload import Workload

__all__ = ["SampleFrames"]


_RANK: dict[Way, int] = {"uniform": 0, "change": 1, "shot": 2, "question": 3}


class SampleFrames(Lever, frozen=True, kw_only=True):
    """Send `fps` frames a second at most, chosen at an even pace, by change, by shot or by question; a budget a clip on top.

    `adaptive` is another word for by: change. A budget in tokens counts those of the model that is called.
    """

    fps: Annotated[float, Meta(gt=0, le=240)] = 0.5
    by: Way = "uniform"
    adaptive: bool = False
    budget: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    budget_tokens: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    scores: str | None = None

    card: ClassVar[Card] = Card(
        number=1,
        family="process_less",
        title="Sample frames; do not process all of them",
        summary="Send one frame every few seconds, only frames that changed, one of each shot, or those that score high for a question. A second of video is mostly copies of one frame.",
        effort="hours",
        risk="short events fall between two frames; check the largest change that was not sent",
        latency="shorter: fewer tokens to read",
        prerequisites=("know the shortest event that must not be missed",),
        ask=("How short is the shortest thing the answer depends on?",),
        sources=(
            "25-levers article, lever 1 (2026-06-03)",
            "Efficient Video Sampling, arXiv:2510.14624: time to first token up to 4x lower",
            "counter-evidence: SGLang PR 20857 (VideoMME 0.781 to 0.750 at 0.8 pruning)",
        ),
    )
    owns: ClassVar[tuple[str, ...]] = (
        "sample.fps",
        "sample.adaptive",
        "sample.by",
        "sample.budget",
        "sample.budget_tokens",
        "sample.budget_model",
        "sample.scores",
    )
    offers: ClassVar[tuple[dict[str, object], ...]] = (
        {"fps": 1.0},
        {"fps": 0.5},
        {"fps": 0.2},
        {"fps": 0.1},
        {"fps": 1.0, "adaptive": True},
    )

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:  # noqa: ARG002 - one signature for all
        """Fit every workload that looks at pictures."""
        if not sees_pictures(workload):
            return no("the job looks at no pictures")
        if self.adaptive and self.by in {"shot", "question"}:
            return no(f"adaptive means by: change, and `by` is {self.by}")
        if self._way == "question" and self.scores is None:
            return no("by question needs `scores`: what a model of yours says of each second, in a file or folder")
        if self._way in {"change", "shot"} and not facts.has("sample.frames_per_second", workload.footage):
            return no("how many frames change is not measured: run `reelwise audit` on your footage")
        return self._budgeted(workload, plan)

    def _budgeted(self, workload: Workload, plan: Plan) -> Verdict:
        """Say whether a budget a clip means something here."""
        if self.budget is None and self.budget_tokens is None:
            return yes()
        if workload.demand.form in {"hours", "cameras"} and not workload.lengths:
            return no("a budget is one clip's, and the workload does not say how long clips are: add `lengths`")
        if self.budget_tokens is not None and grid_call(plan) is None:
            return no("no call is billed by tokens of pictures: give `budget` in frames")
        return yes()

    @property
    def _way(self) -> Way:
        return "change" if self.adaptive else self.by

    def apply(self, plan: Plan) -> Plan:
        """Take the lower rate and the smaller budget of the two, and the way that looks closer."""
        grid = grid_call(plan) if self.budget_tokens is not None else None
        return plan.merge(Sample, lambda: Sample(fps=self.fps), lambda s: self._merged(s, grid))

    def _merged(self, stage: Sample, grid: tuple[str, str] | None) -> Sample:
        way = max(stage.way, self._way, key=_RANK.__getitem__)
        tokens = [(stage.budget_tokens, stage.budget_model, stage.budget_detail)]
        if grid is not None:
            # at the model's own level: another lever may ask for a coarser one, and then the budget is not used up
            tokens.append((self.budget_tokens, grid[0], ""))
        fewest = min((one for one in tokens if one[0] is not None), default=(None, None, ""))
        by_change = way == "change"
        return replace(
            stage,
            fps=min(stage.fps, self.fps),
            by=way if not by_change or "change" in {stage.by, self.by} else "uniform",
            adaptive=by_change and (stage.adaptive or self.adaptive),
            budget=min((one for one in (stage.budget, self.budget) if one is not None), default=None),
            budget_tokens=fewest[0],
            budget_model=fewest[1],
            budget_detail=fewest[2],
            scores=min((one for one in (stage.scores, self.scores) if one is not None), default=None)
            if way == "question"
            else None,
        )
