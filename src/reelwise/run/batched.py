"""A stage whose calls go in batches: what is there already is not handed in, and equal calls are handed in once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.errors import InputError, LedgerError, MediaError
from reelwise.run.caching import fills, let_go
from reelwise.run.rendering import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.flow import Out, Piece
    from reelwise.run.again import Looked
    from reelwise.run.caching import Filled
    from reelwise.run.outcome import Outcome
    from reelwise.run.settle import Order
    from reelwise.run.uploading import Uploads
    from reelwise.stages import Call

__all__ = ["in_batches"]


def in_batches(runner: Any, stage: Call, pieces: list[Piece], out: Out) -> Iterator[Piece]:
    """Hand all calls in at once; those of an earlier part of the run are collected first.

    Args:
        runner: makes the calls, a `reelwise.run.runner.Runner`.
        stage: the stage.
        pieces: to call about.
        out: the plan's calls so far.
    """
    turn = pieces[0].turn if pieces else None
    index = runner.plan.stages.index(stage) if turn is None else turn[0]
    for _ in runner.batching.unfinished(index):
        pass
    batch = _Batch(runner, stage, runner.uploads(stage))
    with tempfile.TemporaryDirectory(prefix="reelwise-run-") as folder:
        for found in runner.batching.make(index, batch.orders(pieces, out, Path(folder) / "first")):
            batch.keep(found)
        if batch.copied():  # what was waited for is not kept: it was cut off, refused, or failed
            for _ in runner.batching.make(index, batch.orders(pieces, out, Path(folder) / "more")):
                pass
    batch.uploads.close()  # where the run ended before, the batch still needs them
    for filled in batch.caches:
        let_go(runner.desk, runner.endpoints.of(stage.serves), filled)
    seen = {one.identity for one in runner.outcomes}  # what could not be sent up was counted then
    for piece in pieces:
        rows = runner.heads(stage, piece, out)
        found = [one for row in rows for head in row if (one := _become(runner, head)) is not None]
        every = [*found, *(one for row in rows for one in fills(runner.desk, row[0].identity))]
        runner.outcomes += [one for one in every if one.identity not in seen]
        if any(one.status in {"ok", "refused", "cached"} for one in found):
            yield msgspec.structs.replace(piece, answers=(*piece.answers, tuple(found)))


def _become(runner: Any, head: Outcome) -> Outcome | None:
    found: Outcome | None = runner.known(head) or runner.desk.journal.over.get(head.identity)
    return found


class _Batch:
    """What one stage hands in.

    Args:
        runner: makes the calls.
        stage: the stage.
        uploads: files that go up for them.
    """

    def __init__(self, runner: Any, stage: Call, uploads: Uploads) -> None:
        self._runner, self._stage, self.uploads = runner, stage, uploads
        self.caches: list[Filled] = []
        self._looked: dict[str, Looked] = {}
        self._first: set[str] = set()
        self._same: dict[str, tuple[Outcome, str]] = {}
        self._only: set[str] | None = None

    def orders(self, pieces: list[Piece], out: Out, folder: Path) -> Iterator[Order]:
        """Put together what is not there already."""
        runner, stage = self._runner, self._stage
        for number, piece in enumerate(pieces):
            heads = runner.heads(stage, piece, out)
            if all(runner.known(head) is not None for row in heads for head in row):
                continue
            own = folder / f"{number}"
            own.mkdir(parents=True)
            try:
                for row, view in zip(heads, shown(stage, piece, out, own), strict=False):
                    asked = [runner.order(stage, piece, view, head, out) for head in row if runner.known(head) is None]
                    yield from self._ready(row[0], [order for order in asked if self._wanted(order)])
            except LedgerError:
                raise
            except (InputError, MediaError) as error:
                runner.broken.append((piece.track.info.path, error))

    def _ready(self, of: Outcome, orders: list[Order]) -> list[Order]:
        runner = self._runner
        if self._stage.cache != "explicit" or not orders:
            return [up for order in orders if (up := runner.up(order, self.uploads)) is not None]
        _, filled, pairs = runner.through(self._stage, of, orders, self.uploads)
        if filled is not None:
            self.caches.append(filled)
        return [ready for _, ready in pairs]

    def _wanted(self, order: Order) -> bool:
        """Say whether an order must be handed in: its answer is not there, and no equal one is in this batch."""
        if self._only is not None:
            return order.head.identity in self._only
        looked = self._runner.again.look(order, questions=False)
        if looked.found is not None:
            self._runner.desk.journal.end(looked.found)
            return False
        if looked.key and looked.key in self._first:
            self._same[order.head.identity] = (order.head, looked.key)
            return False
        self._first.add(looked.key)
        self._looked[order.head.identity] = looked
        return True

    def keep(self, found: Outcome) -> None:
        """Keep an answer."""
        if found.identity in self._looked:
            self._runner.again.keep(self._looked[found.identity], found)

    def copied(self) -> bool:
        """Answer equal calls from the first of them; say whether some are left, which are orders of their own then."""
        self._only = set()
        for head, key in self._same.values():
            found = self._runner.again.kept(head, key)
            if found is not None:
                self._runner.desk.journal.end(found)
            else:
                self._only.add(head.identity)
        return bool(self._only)
