"""Anthropic's message batches: all rows in one request, all answers in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from reelwise.errors import AnswerError, EndpointError
from reelwise.models.anthropic import MessageReply
from reelwise.models.batches import BatchRow, Job, Outcome, check_rows
from reelwise.models.body import Body

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.models.anthropic import Anthropic

__all__ = ["AnthropicBatches"]

_STATES = {"succeeded": "ok", "errored": "error", "expired": "expired", "canceled": "cancelled"}
_LOOKED_MAX = 50


class _Counts(Struct):
    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0


class _Batch(Struct):
    id: str
    processing_status: str
    request_counts: _Counts
    created_at: str = ""
    results_url: str | None = None


class _List(Struct):
    data: list[_Batch]


class _Result(Struct):
    type: str
    message: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class _Line(Struct):
    custom_id: str
    result: _Result


class AnthropicBatches:
    """Batches of messages; see `reelwise.models.batches.BatchWire`.

    Args:
        anthropic: the endpoint that the calls are for.
        seconds: for each exchange.
    """

    def __init__(self, anthropic: Anthropic, *, seconds: float = 600.0) -> None:
        self._anthropic, self._seconds = anthropic, seconds

    def submit(self, rows: Sequence[BatchRow], identity: str) -> Job:
        """Hand a batch in; see `BatchWire`. The API keeps no id of ours with it: `find` goes by the rows' names."""
        check_rows(rows)
        pieces: list[Any] = [b'{"requests":[']
        for at, row in enumerate(rows):
            request, inliner = self._anthropic.request(row.work)
            head = b"," if at else b""
            pieces += [
                head + b'{"custom_id":' + msgspec.json.encode(row.name) + b',"params":',
                *inliner.pieces(request),
                b"}",
            ]
        pieces.append(b"]}")
        sent = self._anthropic.send(
            "POST", "/v1/messages/batches", body=Body(pieces=tuple(pieces)), seconds=self._seconds, identity=identity
        )
        return _job(self._anthropic.json(sent, _Batch)[0])

    def look(self, job_id: str) -> Job:
        """Ask for its state."""
        sent = self._anthropic.send(
            "GET", f"/v1/messages/batches/{job_id}", seconds=self._seconds, safe=True, counted=False
        )
        return _job(self._anthropic.json(sent, _Batch)[0])

    def cancel(self, job_id: str) -> Job:
        """Stop it."""
        path = f"/v1/messages/batches/{job_id}/cancel"
        sent = self._anthropic.send("POST", path, seconds=self._seconds, safe=True, counted=False)
        return _job(self._anthropic.json(sent, _Batch)[0])

    def find(self, identity: str) -> Job | None:
        """Find an ended job of which a row's name begins with the identity; None where none ended yet, or is among the latest."""
        path = f"/v1/messages/batches?limit={_LOOKED_MAX}"
        sent = self._anthropic.send("GET", path, seconds=self._seconds, safe=True, counted=False)
        for one in self._anthropic.json(sent, _List)[0].data:
            job = _job(one)
            if job.state == "running" or not job.results:
                continue
            first = next(self.outcomes(job), None)
            if first is not None and first.name.startswith(identity):
                return job
        return None

    def outcomes(self, job: Job) -> Iterator[Outcome]:
        """Collect what became of the rows, line by line."""
        for address in job.results:
            path = urlsplit(address).path  # asked of the endpoint itself: its key goes nowhere else
            sent = self._anthropic.send("GET", path, seconds=self._seconds, safe=True, counted=False, rooted=True)
            try:
                for raw in sent.reply.lines():
                    if raw.strip():
                        yield self._outcome(raw)
            finally:
                sent.reply.close()

    def _outcome(self, raw: bytes) -> Outcome:
        try:
            line = msgspec.json.decode(raw, type=_Line)
        except msgspec.DecodeError as error:
            raise AnswerError(
                f"a line of its results is no row: {error}", where=self._anthropic.name, reason="schema"
            ) from None
        state: Any = _STATES.get(line.result.type, "error")
        if state != "ok" or line.result.message is None:
            inner = (line.result.error or {}).get("error", {})
            said = inner.get("message", "") if isinstance(inner, dict) else ""
            return Outcome(name=line.custom_id, state="error" if state == "ok" else state, why=str(said)[:300])
        try:
            reply = msgspec.convert(line.result.message, MessageReply)
            answer = self._anthropic.answer(reply, line.result.message, "", mode="batch")
        except (msgspec.ValidationError, EndpointError) as error:
            return Outcome(name=line.custom_id, state="error", why=f"its answer cannot be read: {error}"[:300])
        return Outcome(name=line.custom_id, state="ok", answer=answer)


def _job(batch: _Batch) -> Job:
    counts = batch.request_counts
    ended = batch.processing_status == "ended"
    total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
    state: Any = "running"
    if ended:
        state = "expired" if counts.expired else "cancelled" if counts.canceled else "done"
    return Job(
        id=batch.id, state=state, total=total, succeeded=counts.succeeded, failed=total - counts.processing - counts.succeeded,
        created=batch.created_at, results=(batch.results_url,) if batch.results_url else (),
    )  # fmt: skip
