"""Masks of a cheaper way held against those of the full plan, frame by frame, on a sample of the footage, under a budget.

The cheaper way is a plan that crops, scales, gates or samples (between the frames that it sends, the last mask is held), or the adaptive
loop. Both ask the same model: what is compared is what they ask it about.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reelwise.case import Case
from reelwise.errors import BudgetError, EndpointError, InputError
from reelwise.live.mask_agreement import mask_agreement
from reelwise.live.mask_ways import Frames, Held, Loop, View, seen, whole
from reelwise.live.masks import iou
from reelwise.live.reference import Reference
from reelwise.live.source import Picture
from reelwise.live.sources import FileSource
from reelwise.live.target import Target
from reelwise.plan import Plan
from reelwise.run.agreement import Scored
from reelwise.run.drawing import ordered, strata_of, weights
from reelwise.run.footage import piece_of, segments
from reelwise.run.losses import kept_frames
from reelwise.run.measure import collect
from reelwise.run.verifying import Verified
from reelwise.video import Track

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MaskCheck", "verify_masks"]

_ROUNDS = 4


class MaskCheck(Struct, frozen=True, kw_only=True):
    """What is held against what.

    Attributes:
        case: facts and prices.
        full, cheap: the plans; of both, what comes before the call.
        model: from RGB uint8 (height, width, 3) to foreground 0..1 (h, w); both plans ask it.
        price_nano: of one call, exact.
        target: of the adaptive loop where it is the cheaper way; None where the cheaper plan is.
        most_nano: what verifying may cost; None for no budget.
        frames: how many frames are compared, at most.
        step_seconds: one frame is compared in so many seconds, which one is chance.
        timeout_seconds: how long an answer is waited for.
        seed: of the sample.
    """

    case: Case
    full: Plan
    cheap: Plan
    model: Callable[[NDArray[np.uint8]], Any]
    price_nano: Fraction
    target: Target | None = None
    most_nano: int | None = None
    frames: int = 400
    step_seconds: float = 0.5
    timeout_seconds: float = 10.0
    seed: int = 0


class _Part(Struct):
    """One part of a clip: how both plans see it, which frames are compared, and what it may cost at most."""

    place: int
    track: Track
    full: View
    cheap: View
    compared: NDArray[np.int64]

    def calls_most(self, *, adaptive: bool) -> int:
        """Calls that it can take."""
        return len(self.compared) + (self.track.frames if adaptive else len(self.cheap.frames))


class _Purse:
    """What is left; a call is only begun where its price is."""

    def __init__(self, price: Fraction, most: int | None) -> None:
        self.price, self.most, self.calls = price, most, 0

    def pays(self, calls: int = 1) -> bool:
        return self.most is None or (self.calls + calls) * self.price <= self.most

    def calls_left(self) -> float:
        return float("inf") if self.most is None or not self.price else float(self.most / self.price) - self.calls

    @property
    def usd(self) -> float:
        return float(self.calls * self.price) / 1e9


def verify_masks(check: MaskCheck, tracks: Sequence[Track]) -> Verified:
    """Hold masks against each other.

    Parts of the clips are taken in an order in which every beginning stands for the footage, as many as the budget pays for if every call
    that a part can take is made; what is left then pays for further ones.

    Args:
        check: what, and under which budget.
        tracks: decoded clips.

    Raises:
        BudgetError: it does not pay for one part.
        InputError: both plans send the same of these clips.
        EndpointError: the model fails from the first call on.
        MissingExtraError: OpenCV is not installed.
        MediaError: a clip cannot be read.
    """
    items = [part for track in tracks for part in segments(track)]
    active = strata_of(items)
    waiting = [_part(check, place, items[place]) for place in ordered(items, active, check.seed)]
    if check.target is None and all(_same(part.full, part.cheap) for part in waiting):
        raise InputError(
            "of these clips the cheaper plan sends what the full one sends: no mask can differ", where="the plans",
            hint="fewer frames a second than the clip has, a smaller size or region, or the adaptive loop",
        )  # fmt: skip
    purse = _Purse(check.price_nano, check.most_nano)
    work = _Work(check, purse)
    for _ in range(_ROUNDS):
        now = _affordable(check, waiting, purse, check.frames - len(work.compared))
        if not now or work.reference.is_over():
            break
        waiting = [part for part in waiting if part not in now]
        work.do(now)
    work.reference.close()
    if not work.compared:
        if work.reference.failed:
            raise EndpointError(f"no mask came from it: {work.reference.said}", where="--model")
        raise BudgetError(
            "does not pay for one part of ten seconds or more", reason="over_limit", where="--max-usd",
            hint=f"one takes up to {min(p.calls_most(adaptive=check.target is not None) for p in waiting):,} calls: raise it",
        )  # fmt: skip
    return _verified(check, work, items, active)


def _part(check: MaskCheck, place: int, track: Track) -> _Part:
    full, cheap = (_view(check, plan, track) for plan in (check.full, check.cheap))
    step = max(1, round(check.step_seconds * track.frames / track.seconds)) if track.seconds else 1
    # one by chance in each step: every n-th would be the very frames that a plan with an even pace sends
    chance = np.random.default_rng((check.seed, place))
    starts = np.arange(0, len(full.frames), step)
    picked = np.minimum(starts + chance.integers(0, step, len(starts)), len(full.frames) - 1)
    return _Part(place, track, full, cheap, full.frames[np.unique(picked)])


def _view(check: MaskCheck, plan: Plan, track: Track) -> View:
    """Fold a plan over a part, and say what it sends."""
    piece = piece_of(check.case.workload, track).with_item(count=1.0, views=1.0, duplicates=1.0)
    left = collect(plan, [piece], check.case.facts, check.case.book)[1]
    if not left:
        return View(np.zeros(0, np.int64), (0.0, 0.0, 1.0, 1.0), (track.info.width, track.info.height))
    frames = np.unique(np.asarray(kept_frames(left[0]), np.int64))
    return View(frames, left[0].box, (left[0].item.width_px, left[0].item.height_px))


def _same(one: View, other: View) -> bool:
    return one.box == other.box and one.size == other.size and np.array_equal(one.frames, other.frames)


def _affordable(check: MaskCheck, waiting: Sequence[_Part], purse: _Purse, frames: int) -> list[_Part]:
    calls = purse.calls_left()
    chosen: list[_Part] = []
    for part in waiting:
        calls -= part.calls_most(adaptive=check.target is not None)
        frames -= len(part.compared)
        if calls < 0 or (frames < 0 and chosen):
            break
        chosen.append(part)
        if frames <= 0:
            break
    return chosen


class _Compared(Struct, frozen=True):
    """One frame: how well both masks overlap, of which part and clip."""

    overlap: float
    place: int
    clip: str
    start: float


class _Work:
    """Goes through clips and compares."""

    def __init__(self, check: MaskCheck, purse: _Purse) -> None:
        self.check, self.purse = check, purse
        self.reference = Reference(check.model, timeout_seconds=check.timeout_seconds)
        self.compared: list[_Compared] = []
        self.calls_full = self.calls_cheap = self.failed = 0

    def do(self, parts: Sequence[_Part]) -> None:
        """Go through each clip once, through its parts in order of time."""
        for path in dict.fromkeys(part.track.info.path for part in parts):
            mine = sorted(
                (part for part in parts if part.track.info.path == path), key=lambda one: one.track.start_seconds
            )
            source = FileSource(path)
            try:
                frames = Frames(item for item in source.items() if isinstance(item, Picture))
                for part in mine:
                    self._part(part, frames)
            finally:
                source.close()

    def _part(self, part: _Part, frames: Frames) -> None:
        check = self.check
        loop = None
        if check.target is not None:
            loop = Loop(self._cheap_mask, check.target, check.price_nano, part.cheap)
        cheap: Loop | Held = loop or Held(self._cheap_mask, part.cheap)
        wanted = set(part.compared.tolist())
        for index, picture in frames.of(part.track):
            if self.reference.is_over():
                break
            due = index in wanted
            if not (due or cheap.looks_at(index)):
                continue
            rgb = picture.rgb()
            mask = cheap.mask(rgb, index, picture.seconds)
            if due:
                full = self._asked(rgb, part.full)
                if full is not None:
                    self.compared.append(
                        _Compared(iou(full, mask), part.place, part.track.info.path, part.track.start_seconds)
                    )
        self.calls_full += len(part.full.frames)
        if loop is not None:
            loop.close()

    def _cheap_mask(self, rgb: NDArray[np.uint8], view: View) -> NDArray[np.float32] | None:
        before = self.purse.calls
        mask = self._asked(rgb, view)
        self.calls_cheap += self.purse.calls - before
        return mask

    def _asked(self, rgb: NDArray[np.uint8], view: View) -> NDArray[np.float32] | None:
        """Ask the model about what a plan sends of a frame; the mask is of the whole frame again."""
        if not self.purse.pays():
            return None
        self.purse.calls += 1
        mask = self.reference.mask(seen(rgb, view))
        if mask is None:
            self.failed += 1
            return None
        return whole(mask, view.box)


def _verified(check: MaskCheck, work: _Work, items: Sequence[Track], active: Sequence[bool]) -> Verified:
    places = sorted({one.place for one in work.compared})
    weight, drawn = weights(active, places)
    clips = len({one.clip for one in work.compared})
    per = {place: sum(one.place == place for one in work.compared) for place in places}
    scored = [
        Scored(one.overlap, one.clip if clips > 1 else f"{one.start:g}", weight[one.place] / per[one.place])
        for one in work.compared
    ]
    found = mask_agreement(scored, clips)
    full, cheap = (float(calls * check.price_nano) / 1e9 for calls in (work.calls_full, work.calls_cheap))
    share = f"{work.calls_cheap:,} ({work.calls_cheap / max(1, work.calls_full):.1%})"
    notes = [
        f"{len(places)} of {len(items)} parts; the full plan sends {work.calls_full:,} of their frames, the cheaper way {share}",
        "both ask the same model: this is fidelity to the full plan's masks, not to the truth",
    ]
    if clips == 1:
        few = len(places) < 2
        notes.append(
            "one part only: it has no interval"
            if few
            else "all frames are of one clip: the interval speaks of that clip alone"
        )
    if work.failed:
        notes.append(f"{work.failed:,} calls brought no mask ({work.reference.said}); they count as paid for")
    return Verified(
        agreements=() if found is None else (found,), items=len(work.compared),
        of=sum(one.frames for one in items), drawn=drawn, full_usd=full, cheap_usd=cheap,
        factor=work.calls_full / work.calls_cheap if work.calls_cheap else None, cost_usd=work.purse.usd,
        full_plan=check.full.hash, cheap_plan=check.cheap.hash if check.target is None else f"live: {check.target.said}",
        stopped=f"the model fails: {work.reference.said}" if work.reference.is_over() else "", notes=tuple(notes),
    )  # fmt: skip
