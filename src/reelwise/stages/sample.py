"""Choose frames instead of sending all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from reelwise.errors import DocumentError, InputError
from reelwise.evidence import ASSUMED
from reelwise.facts import settings_hash
from reelwise.flow import START
from reelwise.stages.base import Stage
from reelwise.stages.decoding import decoded
from reelwise.stages.reuse import leave_out, left_out
from reelwise.tokens import rule_for
from reelwise.units import ceil, is_array, minimum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.facts import Facts
    from reelwise.flow import Item, Out, Piece
    from reelwise.units import Num
    from reelwise.video import Scores, Track

__all__ = ["Sample", "Way"]

Way = Literal["uniform", "change", "shot", "question"]


class Sample(Stage, frozen=True, kw_only=True):
    """Keep frames: at most `fps` a second, at most a budget a clip, chosen in one of four ways.

    uniform: at an even pace. change: when enough has changed, or within a budget where most changes. shot: one of each shot,
    and more of longer ones until the budget is spent, or without a budget one for each `gap_max_seconds`. question: where
    the scores are high that a model of yours gave, within `fps` and the budget.

    Attributes:
        fps: frames a second, at most.
        by: how frames are chosen: uniform, change, shot or question.
        adaptive: another word for by: change.
        change: how much counts as enough: accumulated share of the picture.
        gap_max_seconds: a frame at least this often by change and by shot, where fps allows it and no budget decides.
        budget: frames of one clip, at most; null: as many as the rate takes.
        budget_tokens: tokens that the frames of one clip may cost, at the size they have before any `scale`.
        budget_model: the model whose tokens these are.
        budget_detail: its detail level; empty is its default.
        scores: for by: question, a file of scores (JSON or CSV, second and score), or a folder with one for each clip,
            named after it (door.mp4: door.json or door.csv). From Python, `video.with_scores` gives them to a track.
    """

    fps: Annotated[float, Meta(gt=0, le=240)] = 1.0
    by: Way = "uniform"
    adaptive: bool = False
    change: Annotated[float, Meta(gt=0, le=100)] = 0.03
    gap_max_seconds: Annotated[float, Meta(gt=0, le=3600)] = 10.0
    budget: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    budget_tokens: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    budget_model: str | None = None
    budget_detail: str = ""
    scores: str | None = None

    slot: ClassVar[int] = 4
    vector: ClassVar[tuple[str, ...]] = ("fps",)

    @property
    def way(self) -> Way:
        """How frames are chosen."""
        return "change" if self.adaptive else self.by

    @property
    def looks(self) -> bool:
        """Whether how many frames are kept depends on what the footage shows."""
        return self.way in {"change", "shot"}

    def check(self, where: str) -> None:
        """Refuse two ways at once, and a budget in tokens of nobody."""
        if self.adaptive and self.by not in {"uniform", "change"}:
            raise DocumentError(
                f"adaptive means by: change, and `by` is {self.by}", where=where, hint="leave `adaptive` out"
            )
        if (self.budget_tokens is None) != (self.budget_model is None):
            raise DocumentError(
                "a budget in tokens needs both budget_tokens and budget_model",
                where=where,
                hint="give both, or neither",
            )
        if self.scores is not None and self.way != "question":
            raise DocumentError("scores are for by: question", where=where, hint="leave `scores` out, or set `by`")

    def _most(self, item: Item) -> Num:
        """Bound the frames of one clip by rate and budgets."""
        frames = ceil(item.seconds * self.fps)
        held = self._budget(item)
        return frames if held is None else minimum(frames, float(held))

    def _budget(self, item: Item) -> int | None:
        """Return how many frames the budgets allow a clip, one at least; None without a budget."""
        if self.budget_tokens is None or self.budget_model is None:
            return self.budget
        each = rule_for(self.budget_model).image(item.width_px, item.height_px, self.budget_detail)
        paid = max(1, self.budget_tokens // each) if each > 0 else 1_000_000
        return paid if self.budget is None else min(paid, self.budget)

    @property
    def _fact(self) -> str:
        return "sample.frames_per_second" if self.looks else "sample.uniform_frames_per_second"

    def expect(self, item: Item, facts: Facts, out: Out) -> tuple[Item, ...]:
        """Bound the frames by the rate and the budget, and by what the footage showed where that was measured."""
        return (left_out(self, self._expected(item, facts, out), facts, out),)

    def _expected(self, item: Item, facts: Facts, out: Out) -> Item:
        if self.looks:
            item = decoded(item, facts, out, "sample")
        frames, basis = minimum(item.frames, self._most(item)), item.basis
        name = self._fact
        if is_array(self.fps) or not facts.has(name, item.footage):
            return replace(item, frames=frames, sampled=True, basis=basis)
        prefix = out.prefix() if facts.needs_prefix(name) else None
        found = facts.find(name, stage=self, prefix=prefix, source_class=item.footage)
        if found is not None and (self.looks or found[1]):
            rate, bit = facts.get(name, stage=self, prefix=prefix, source_class=item.footage)
            frames = minimum(item.frames, 1 + item.seconds * rate)
            if self.looks:
                frames = minimum(frames, item.seconds * self.fps + 1)
                basis |= bit
            held = self._budget(item)
            if held is not None:
                over = frames > held + 0.5
                if over.any() if is_array(over) else over:
                    basis |= ASSUMED  # clips longer than those measured: nobody has seen so few frames of so much
                frames = minimum(frames, float(held))
        return replace(item, frames=frames, sampled=True, basis=basis)

    def process(self, pieces: Iterable[Piece], facts: Facts, out: Out) -> Iterator[Piece]:
        """Choose the frames from what decoding has measured."""
        settings, prefix = settings_hash(self), out.prefix()
        for piece in pieces:
            chosen = self._chosen(piece)
            if out.tally and len(chosen) and (self.looks or prefix != START):
                # the first frame comes with every clip, however long: it must not be scaled to the hour
                out.tally.add(self._fact, settings, prefix, float(len(chosen)) - 1, piece.item.seconds)
            item = decoded(piece.item, facts, out, "sample") if self.looks else piece.item
            sampled = replace(piece, frames=chosen, item=item).with_item(frames=float(len(chosen)), sampled=True)
            yield leave_out(self, sampled, out)

    def _chosen(self, piece: Piece) -> Any:
        """Return the indexes of the frames that are kept."""
        from reelwise import video

        track, stretches = piece.track, piece.stretches
        most, budget = int(self._most(piece.item)), self._budget(piece.item)
        if self.way == "question":
            return video.sample_question(track, stretches, max(1, most), self.scores_of(track))
        if self.way == "shot":
            if budget is None:
                most = min(most, video.shot_frames(track, stretches, self.gap_max_seconds))
            return video.sample_shots(track, stretches, max(1, most))
        if self.way == "change":
            chosen = video.sample_adaptive(
                track, stretches, change=self.change, fps_max=self.fps, gap_max_seconds=self.gap_max_seconds
            )
        else:
            chosen = video.sample_uniform(track, stretches, self.fps)
        if budget is None or len(chosen) <= budget:
            return chosen
        if self.way == "change":
            return video.sample_adaptive_budget(track, stretches, budget)
        return video.sample_uniform_budget(track, stretches, budget)

    def scores_of(self, track: Track) -> Scores:
        """Return the scores that a track carries, or those in the file that the plan names.

        Raises:
            InputError: neither is there, or none of them lies in the clip.
        """
        from reelwise import video

        carried = video.track_scores(track)
        if carried is not None:
            return carried
        if self.scores is None:
            raise InputError(
                "no scores for sampling by question",
                where=track.info.path,
                hint="name a file under `scores`, or give the track some with video.with_scores",
            )
        path = Path(self.scores)
        if path.is_dir():
            name = Path(track.info.path).stem
            there = [one for one in (path / f"{name}.json", path / f"{name}.csv") if one.is_file()]
            if not there:
                raise InputError(f"no scores for {name}", where=str(path), hint=f"add {name}.json or {name}.csv")
            path = there[0]
        scores = video.read_scores(path)
        if scores.seconds[0] > track.seconds or track.start_seconds:  # a part of a clip may have none of its own
            video.scores_outside(
                scores,
                max(track.start_seconds + track.seconds, video.probe(track.info.path).seconds or 0.0),
                where=str(path),
            )
        return replace(scores, seconds=scores.seconds - track.start_seconds)
