"""Video that is generated: held for, asked for once, looked at until it is there, settled once, fetched. After a crash the same job is looked at."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.charge import Ask, charge, hold
from reelwise.charge.resolutions import generated, height_of
from reelwise.errors import (
    AlreadySettledError,
    AmbiguousError,
    AnswerError,
    BusyError,
    EndpointError,
    InputError,
    NotSentError,
    RefusedError,
)
from reelwise.ledger.events import ONE_CALL, What, who_of
from reelwise.models.films import Film
from reelwise.month import label_of, units_of
from reelwise.requests import Request
from reelwise.run.findings import made_folder
from reelwise.run.outcome import Outcome, OutcomeStatus, metered_units
from reelwise.stages.call import made_seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reelwise.flow import Piece
    from reelwise.models.films import FilmWire, VideoJob
    from reelwise.run.batching import Waits
    from reelwise.run.settle import Desk
    from reelwise.stages import Call

__all__ = ["Filming", "film_of", "films_held"]

_HOLD_SECONDS = 2 * 86_400.0
_POLL_MOST = 15.0
_UNREAD_MOST = 3
_STOPPING = frozenset({"key", "quota"})
_HEIGHTS = {720: (1280, 720), 1024: (1792, 1024), 1080: (1920, 1080), 2160: (3840, 2160)}
_PLAIN = 720


class _Noted(Struct, frozen=True, kw_only=True):
    """What the journal keeps of a job: what it is for, the vendor's id (empty: nobody knows), how often it was asked for, whether it is over."""

    head: Outcome
    film: Film
    id: str = ""
    number: int = 0
    over: bool = False


def _notes(notes: dict[str, Any]) -> list[_Noted]:
    return [msgspec.convert(note, _Noted) for name, note in notes.items() if name.startswith("film/")]


def films_held(notes: dict[str, Any]) -> int:
    """Sum what jobs hold that an earlier part of a run began and that are not over, in nano-USD."""
    return sum(noted.head.held_nano for noted in _notes(notes) if not noted.over)


def film_of(call: Call, piece: Piece, question: int, wire: FilmWire, name: str = "") -> Film:
    """Say what is to be made for a piece: as long as it is, rounded up to what the model makes, in its shape.

    Args:
        call: the stage.
        piece: its length and shape are the video's; nothing else of it is used.
        question: which of the questions is the prompt.
        wire: who makes it.
        name: the model's at the endpoint; empty is the wire's own.

    Raises:
        InputError: longer than any video, or a size that is another card's.
    """
    lengths = wire.lengths
    seconds, where = float(made_seconds(call.model, piece.item.seconds)), piece.track.info.path
    if seconds not in lengths:
        raise InputError(
            f"{call.model} makes no video of {float(piece.item.seconds):g} s", where=where,
            hint=f"{', '.join(map(str, lengths))} s: shorter clips, or --seconds {max(lengths)}",
        )  # fmt: skip
    high = call.model.endswith("-high-res")
    height = height_of(call.resolution) if call.resolution else (1024 if high else _PLAIN)
    size = _HEIGHTS.get(height or 0)
    if size is None or (call.model.startswith("openai/") and ((height or 0) > _PLAIN) != high):
        raise InputError(
            f"{call.model} is not sold at {call.resolution or height}", where=where,
            hint="resolution: 720p, 1080p or 4k; OpenAI's 1792x1024 is the model openai/sora-2-pro-high-res",
        )  # fmt: skip
    width, height = size if piece.item.width_px >= piece.item.height_px else size[::-1]
    script = piece.script.of(call.task)
    prompt = "\n\n".join(filter(None, (script.instructions, script.asked[question])))
    return Film(model=call.model, prompt=prompt, seconds=round(seconds), width=width, height=height, name=name)


class Filming:
    """Has videos made; safe for many threads.

    Args:
        desk: book, ledger, journal and cap of the run.
        waits: how long to wait for a job.
        feature: the budget's label.
        plan: the plan's hash.
        folder: where videos are kept.
    """

    def __init__(self, desk: Desk, waits: Waits, *, feature: str, plan: str, folder: Path) -> None:
        self._desk, self._waits, self._folder = desk, waits, folder
        self._who, self._plan = who_of(feature), plan

    def make(self, head: Outcome, wire: FilmWire, film: Callable[[], Film]) -> Outcome:
        """Have a video made, or go on with the job that an earlier part of the run began.

        Args:
            head: its outcome so far.
            wire: who makes it.
            film: says what is to be made, where no job is under way.

        Raises:
            BudgetError: it cannot be held for: nothing was sent.
            BusyError: it is not over: the same command goes on with it.
            EndpointError: no job like it can succeed.
            OutputError: the video is there and paid for, and cannot be written: the same command fetches it.
        """
        note = self._desk.journal.notes.get(f"film/{head.identity}")
        before = msgspec.convert(note, _Noted) if note is not None else None
        if before is not None and not before.over:
            if before.id:
                return self._followed(before, wire)
            return self._unknown(
                before, "the run ended while it was asked for: it may be billed, and is not asked for again", "lost"
            )
        return self._begun(head, film(), wire, 1 if before is None else before.number + 1)

    def _begun(self, head: Outcome, film: Film, wire: FilmWire, number: int) -> Outcome:
        desk, row = self._desk, f"{head.identity}-{number}"
        bound = hold(self._ask(film), desk.book).nano
        desk.cap.take(bound, wait_seconds=self._waits.seconds)
        head = msgspec.structs.replace(head, held_nano=bound, sent_as=row, task="generate")
        try:
            desk.ledger.hold_job(row, self._who, bound, timeout_seconds=_HOLD_SECONDS)
        except BaseException:
            desk.cap.settle(bound, 0)
            raise
        noted = _Noted(head=head, film=film, number=number)
        self._note(noted)
        try:
            job = wire.create(film, identity=row)
        except (RefusedError, NotSentError, BusyError, InputError) as error:
            found = self._free(noted, error.message, getattr(error, "reason", "") or "input")
            if isinstance(error, InputError) or found.reason in _STOPPING | {"model"}:
                raise
            return found
        except (AmbiguousError, AnswerError) as error:
            return self._unknown(noted, error.message, error.reason)
        noted = msgspec.structs.replace(noted, id=job.id)
        self._note(noted)
        return self._followed(noted, wire, job)

    def _note(self, noted: _Noted, *, over: bool = False) -> None:
        name = f"film/{noted.head.identity}"
        self._desk.journal.note(name, msgspec.to_builtins(msgspec.structs.replace(noted, over=over)))

    @staticmethod
    def _ask(film: Film) -> Ask:
        return Ask(model=film.model, seconds_generated=float(film.seconds), resolution=f"{film.width}x{film.height}")

    # what became of it

    def _followed(self, noted: _Noted, wire: FilmWire, job: VideoJob | None = None) -> Outcome:
        """Look until the job is over. A look that fails changes nothing: the next one tells."""
        turns, unread = self._waits.turns("the video is not there", noted.id, _POLL_MOST), 0
        while job is None or job.state == "running":
            next(turns)
            try:
                job = wire.look(noted.id, noted.film)
                unread = 0
            except RefusedError as error:
                if error.reason in _STOPPING:
                    raise
                return self._unknown(noted, f"its job cannot be looked at any more: {error.message}", "gone")
            except AnswerError as error:
                unread += 1
                if unread >= _UNREAD_MOST:
                    return self._unknown(noted, f"what its job says cannot be read: {error.message}", error.reason)
            except EndpointError:
                job = None
        return self._ended(noted, wire, job)

    def _ended(self, noted: _Noted, wire: FilmWire, job: VideoJob) -> Outcome:
        if job.state == "failed" and job.unsure:
            return self._unknown(noted, f"it was made and held back: {job.why}", "content")
        if job.state == "failed" or job.used is None:
            return self._free(noted, job.why or "it failed", "content" if job.refused else "failed")
        used, head = job.used, noted.head
        if used.unpriced:
            return self._unknown(noted, used.unpriced, "usage", unpriced=used.unpriced)
        sku, resolution = generated(self._ask(noted.film), self._desk.book)
        request = Request(model=sku, count=1, seconds_output=used.seconds_output, resolution=resolution)
        nano = charge(request, self._desk.book).nano
        self._post(noted, nano, What(model=label_of(request)[:120], plan=self._plan, stage="call"), request)
        found = msgspec.structs.replace(
            head, status="ok", cost_nano=nano, units=metered_units(request), request_id=job.id
        )
        path = self._folder / f"{head.identity}.mp4"
        made_folder(self._folder)
        try:
            wire.fetch(job, path)
            found = msgspec.structs.replace(found, files=(str(path),))
        except RefusedError as error:
            if error.reason in _STOPPING:
                raise
            found = msgspec.structs.replace(found, status="unreadable", error=error.message, reason="expired")
        return self._over(noted, found)

    def _post(self, noted: _Noted, nano: int, what: What, request: Request | None) -> None:
        units = ONE_CALL if request is None else units_of(request)
        with suppress(
            AlreadySettledError
        ):  # by the part of the run before, which ended before it could write that down
            self._desk.ledger.post_job(noted.head.sent_as, nano, what=what, units=units)

    def _unknown(self, noted: _Noted, why: str, reason: str, *, unpriced: str = "") -> Outcome:
        """Nobody knows whether, or how much, it is billed: all that was held counts."""
        head = noted.head
        self._post(
            noted, head.held_nano, What(model=noted.film.model, plan=self._plan, stage="call", status="ambiguous"), None
        )
        return self._over(
            noted, msgspec.structs.replace(head, status="ambiguous", cost_nano=head.held_nano, error=why, reason=reason, unpriced=unpriced)
        )  # fmt: skip

    def _free(self, noted: _Noted, why: str, reason: str) -> Outcome:
        """It failed, and nothing is billed."""
        with suppress(AlreadySettledError):
            self._desk.ledger.void_job(noted.head.sent_as)
        status: OutcomeStatus = "refused" if reason == "content" else "failed"
        return self._over(noted, msgspec.structs.replace(noted.head, status=status, error=why, reason=reason))

    def _over(self, noted: _Noted, found: Outcome) -> Outcome:
        self._desk.cap.settle(found.held_nano, found.cost_nano)
        self._desk.journal.end(found)
        self._note(noted, over=True)
        return found
