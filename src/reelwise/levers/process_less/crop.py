"""Lever 3: crop to the region of interest."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec.structs import replace

from reelwise.flow import START, Item, Out
from reelwise.levers.base import Card, Lever, Verdict, language_calls, no, rule_of, sees_pictures, yes
from reelwise.levers.grid import grid_call
from reelwise.stages import Crop as CropStage
from reelwise.stages import Pack, Scale

if TYPE_CHECKING:
    from reelwise.facts import Facts
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.stages import Call
    from reelwise.tokens import TokenRule
    from reelwise.workload import Workload

__all__ = ["Crop"]


class Crop(Lever, frozen=True, kw_only=True):
    """Send the part of the frame where something happens, where a detector of yours finds something, or a fixed polygon.

    Its size is fitted to the tokens of the model that is called, so that it never costs more than the whole frame.
    """

    mode: Literal["fixed", "activity", "detector"] = "activity"
    polygon: tuple[tuple[float, float], ...] = ()
    detector: str | None = None

    card: ClassVar[Card] = Card(
        number=3,
        family="process_less",
        title="Crop to the region of interest",
        summary="If only the doorway matters, send the doorway, cut to the model's grid: a strip cut as it is can cost more tiles than the whole frame. Saves where pixels are billed; a native Gemini video costs the same at any size.",
        effort="days",
        risk="context around the region is lost; a moved camera leaves the region empty",
        latency="shorter",
        prerequisites=("a camera that does not move, or a detector",),
        ask=("Does the answer need the surroundings?",),
        sources=("25-levers article, lever 3",),
    )
    owns: ClassVar[tuple[str, ...]] = ("crop.mode", "crop.polygon", "crop.detector", "crop.snap_model")

    def applies(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:
        """Fit fixed views whose active region is known."""
        if not sees_pictures(workload):
            return no("the job looks at no pictures")
        if self.mode == "fixed" and not self.polygon:
            return no("no polygon is given")
        known = any(facts.known(name, workload.footage) for name in ("crop.width_share", "crop.area_share"))
        if self.mode == "activity" and not known:
            return no("where things happen is not measured: run `reelwise audit`, or give facts.crop.area_share")
        if self.mode == "detector" and not (known or self.detector):
            return no('what is found is not measured: name a `detector`, "module:function", and run `reelwise audit`')
        return yes() if self.mode == "detector" and not known else self._saving(workload, plan, facts, book)

    def _saving(self, workload: Workload, plan: Plan, facts: Facts, book: Book) -> Verdict:
        """Compare the tokens of a frame, or of a minute of native video, with and without the crop."""
        if self.apply(plan) == plan:
            return no("the plan crops already")
        calls = language_calls(plan, book)
        rule = rule_of(calls[0]) if calls else None
        if rule is None:
            return yes()
        before, after = (
            _tokens(one, calls[0], rule, workload=workload, facts=facts, book=book) for one in (plan, self.apply(plan))
        )
        what = "a minute of video" if _native(calls[0], rule, plan) else "a picture"
        if before == after == 0:
            return yes()
        if after >= before:
            return no(
                f"cropping saves nothing on {calls[0].model}: {what} is {before:,.0f} tokens, cropped {after:,.0f}"
            )
        return yes(f"{what} of {before:,.0f} tokens becomes one of {after:,.0f} on {calls[0].model}")

    def apply(self, plan: Plan) -> Plan:
        """Add the crop, fitted to the main call's model; a fixed polygon wins over a detector, and that over activity."""
        grid = grid_call(plan)
        model = grid[0] if grid is not None else None
        settings = {"mode": self.mode, "polygon": self.polygon, "detector": self.detector}
        return plan.merge(
            CropStage,
            CropStage,
            lambda s: (
                s
                if (s.mode == "fixed" and s.polygon) or (s.mode == "detector" and self.mode == "activity")
                else replace(s, **settings, snap_model=s.snap_model or model)
            ),
        )


def _native(call: Call, rule: TokenRule, plan: Plan) -> bool:
    packed = bool(plan.of(Pack))
    return call.part == "video" or (call.part == "auto" and rule.fps_default is not None and not packed)


def _tokens(plan: Plan, call: Call, rule: TokenRule, *, workload: Workload, facts: Facts, book: Book) -> float:
    """Count the tokens of one frame of the workload's size behind a plan's crop and scale, or of a native minute of them."""
    source = workload.source
    item = Item(
        count=1.0, seconds=60.0, frames=60.0, width_px=source.width, height_px=source.height, footage=workload.footage,
        decoded=True,
    )  # fmt: skip
    out = Out(book, book.day)
    out.prefix = lambda: START
    for stage in plan.stages:
        if isinstance(stage, CropStage | Scale) and stage.lane in {None, call.lane or "main"}:
            (item,) = stage.expect(item, facts, out)
    detail = call.detail if call.detail in rule.details else ""
    if _native(call, rule, plan):
        return float(rule.video(item.width_px, item.height_px, 60.0, 60.0, detail))
    return float(rule.image(item.width_px, item.height_px, detail))
