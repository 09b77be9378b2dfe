"""Answers that are there already: of the same clip in this run or an earlier one, and of the same pixels with the same words."""

from __future__ import annotations

import hashlib
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from reelwise.errors import OutputError
from reelwise.facts import settings_hash
from reelwise.reuse.uploads import same_upload
from reelwise.run.again import Again
from reelwise.run.inputs import span_of
from reelwise.run.outcome import COPIED, Outcome
from reelwise.stages import Call, Reuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelwise.flow import Out, Piece
    from reelwise.plan import Plan
    from reelwise.reuse import SemanticCache
    from reelwise.run.journal import Journal

__all__ = ["Reusing"]

_KIND = "descriptions"
_NEAR_SECONDS = 0.5  # a container may round a clip's length
_WINDOWS_APART, _DECIBELS_APART, _QUIET = 8, 3.0, -60.0


class Reusing:
    """What a run keeps and finds again. Use it as a context manager.

    Args:
        folder: where it is kept; runs that share it share answers.
        plan: the plan: answers of another one are other answers.
        script: what is asked, likewise.
        budget_megabytes: of each store; the least recently used go first.
    """

    def __init__(self, folder: Path, plan: Plan, script: Any, *, budget_megabytes: float = 1000.0) -> None:
        self._folder, self._budget = folder, round(budget_megabytes * 1e6)
        rest = tuple(stage for stage in plan.stages if not isinstance(stage, Reuse))
        self._made_by = settings_hash((rest, settings_hash(script)))
        self._lock = threading.Lock()
        self._pixels: dict[str, str] = {}
        self._same: list[tuple[Piece, int]] = []
        self._place: dict[int, int] = {}
        self._wanted: dict[int, str] = {}
        self._stages = plan.of(Reuse)
        self._hears = any(call.part != "images" for call in plan.of(Call))
        self.again = Again(None, None)
        self.questions: SemanticCache | None = None
        self._artifacts: Any = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        from reelwise.reuse import Artifacts, ExactCache, SemanticCache

        asking = next((stage for stage in self._stages if stage.questions), None)
        if any(stage.views or stage.duplicates or stage.answers or stage.questions for stage in self._stages):
            self._made()
        with ExitStack() as stack:
            if any(stage.views for stage in self._stages):
                self._artifacts = stack.enter_context(
                    Artifacts(self._folder / "artifacts.db", budget_bytes=self._budget)
                )
            exact = None
            if any(stage.answers for stage in self._stages):
                exact = stack.enter_context(ExactCache(self._folder / "answers.db", budget_bytes=self._budget))
            if asking is not None:
                self.questions = stack.enter_context(
                    SemanticCache(
                        self._folder / "questions.db", bound=asking.error_most, budget_bytes=self._budget,
                        fresh_seconds=asking.fresh_seconds,
                    )
                )  # fmt: skip
            self.again = Again(exact, self.questions, explore=asking.explore if asking is not None else 0.0)
            self._open = stack.pop_all()
        return self

    def _made(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot be made: {error.strerror}", where=str(self._folder), hint="name another folder with --kept"
            ) from None

    def __exit__(self, *_: object) -> None:
        self._open.close()

    # before the calls

    def left(self, stage: Reuse, pieces: Iterable[Piece], out: Out, place: dict[int, int]) -> Iterator[Piece]:
        """Pass on the pieces that nothing kept answers.

        Args:
            stage: what may be reused.
            pieces: to look up.
            out: where the share is counted that need no call.
            place: of each track in the source.
        """
        self._place = place
        todo = list(pieces)
        first: dict[str, int] = {}
        copies = _Copies(hears=self._hears) if stage.duplicates else None
        for piece in todo:
            number = place[id(piece.track)]
            name = self._name(piece)
            if stage.views and self._artifacts is not None:
                self._wanted[number] = name
                if self._stored(name, piece) is not None:
                    continue
            if copies is not None:
                known = first.get(name)
                if known is None:
                    known = copies.known(piece, number)
                if known is not None:
                    self._same.append((piece, known))
                    continue
                first[name] = number
            yield piece
        if copies is not None:
            copies.close()
        del out

    def _name(self, piece: Piece) -> str:
        """Name an item by its pixels, by how much of it is looked at, by what is said of it, and by its sound where that is sent."""
        from reelwise.reuse import clip_pixels

        path = piece.track.info.path
        if path not in self._pixels:
            self._pixels[path] = clip_pixels(path)
        sound = hashlib.sha256(piece.track.audio.tobytes()).hexdigest() if self._hears else ""
        about = (self._pixels[path], span_of(piece.track), piece.script.told, sound)
        return hashlib.sha256(msgspec.json.encode(about)).hexdigest()

    def _settings(self, piece: Piece) -> dict[str, Any]:
        return {"seconds": round(piece.track.seconds, 3), "start": round(piece.track.start_seconds, 3)}

    def _stored(self, name: str, piece: Piece) -> list[Outcome] | None:
        found = self._artifacts.get(name, _KIND, made_by=self._made_by, settings=self._settings(piece))
        return None if found is None else msgspec.json.decode(found.data, type=list[Outcome])

    # after the calls

    def finish(self, pieces: Iterable[Piece], outcomes: list[Outcome], journal: Journal) -> list[Outcome]:
        """Keep what was answered, and return the outcomes of items that needed no call.

        Args:
            pieces: all items.
            outcomes: of the calls that were made.
            journal: of the run, for ids.
        """
        by_item: dict[int, list[Outcome]] = {}
        for one in outcomes:
            if one.kind != "call":  # what filling a cache cost says nothing of an item
                continue
            by_item.setdefault(one.item, []).append(one)
        found: list[Outcome] = []
        same = {self._place[id(piece.track)] for piece, _ in self._same}
        for piece in pieces:
            number = self._place.get(id(piece.track))
            name = self._wanted.get(number) if number is not None else None
            if number is None or name is None or number in same:
                continue
            mine = by_item.get(number, [])
            if mine and all(one.status in {"ok", "cached"} for one in mine):
                data = msgspec.json.encode(mine)
                self._artifacts.put(name, _KIND, data, made_by=self._made_by, settings=self._settings(piece))
            elif not mine and (stored := self._stored(name, piece)) is not None:
                copied = [_copy(one, number, piece, journal, "artefact") for one in stored]
                by_item[number] = copied
                found += copied
        for piece, known in self._same:
            number = self._place[id(piece.track)]
            found += [_copy(one, number, piece, journal, "upload") for one in by_item.get(known, [])]
        return found


def _copy(one: Outcome, number: int, piece: Piece, journal: Journal, how: str) -> Outcome:
    identity = f"run-{journal.run}-kept-{number}-{one.stage}-{one.chunk}-{one.question}"
    identity += one.turn and f"-{one.turn.replace(' ', '-')}"
    copied = msgspec.structs.replace(
        one, identity=identity, item=number, clip=piece.track.info.path, reused=how, **COPIED
    )
    if one.status in {"ok", "cached"}:
        return copied
    why = f"it is a copy of a clip that has no answer: {one.error or one.status}"
    return msgspec.structs.replace(copied, status="failed", error=why, reason="copy", unpriced="", reused="")


class _Copies:
    """Finds uploads that are a clip of this run again, in another size or container.

    Args:
        hears: sound is sent, too, and must be alike.
    """

    def __init__(self, *, hears: bool) -> None:
        import tempfile

        self._temporary = tempfile.TemporaryDirectory(prefix="reelwise-copies-")
        from reelwise.duplicates import Index

        self._index = Index(Path(self._temporary.name) / "index")
        self._known: dict[str, tuple[int, Piece]] = {}
        self._hears = hears

    def known(self, piece: Piece, number: int) -> int | None:
        """Return the place of the clip that this one is a copy of, looked at and told the same; else take it in."""
        from reelwise.duplicates.clip import fingerprint_clip

        mark = fingerprint_clip(piece.track.info.path)
        name = same_upload(self._index, mark) if self._known else None
        if name is not None:
            place, first = self._known[name]
            if self._same(first, piece):
                return place
        self._known[str(number)] = (number, piece)
        self._index.add(mark, str(number))
        return None

    def _same(self, one: Piece, other: Piece) -> bool:
        near = (abs(a - b) <= _NEAR_SECONDS for a, b in zip(span_of(one.track), span_of(other.track), strict=True))
        if one.script.told != other.script.told or not all(near):
            return False
        return not self._hears or _sounds_alike(one.track.audio, other.track.audio)

    def close(self) -> None:
        """Remove the index."""
        self._index.close()
        self._temporary.cleanup()


def _sounds_alike(one: Any, other: Any) -> bool:
    """Say whether two clips are as loud at the same moments, as far as another encoding tells."""
    import numpy as np

    length = min(len(one), len(other))
    if abs(len(one) - len(other)) > _WINDOWS_APART or not length:
        return len(one) == len(other)
    return (
        float(np.abs(np.maximum(one[:length], _QUIET) - np.maximum(other[:length], _QUIET)).mean()) <= _DECIBELS_APART
    )
