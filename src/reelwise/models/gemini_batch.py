"""Gemini's batch API: calls of one model, inline while they are small, in a file where they are not."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.errors import AnswerError, EndpointError, InputError
from reelwise.models.batches import BatchRow, Job, Outcome, check_rows
from reelwise.models.body import Body
from reelwise.models.gemini import model_path
from reelwise.models.gemini_files import upload
from reelwise.models.gemini_wire import GenerateReply, generate_request
from reelwise.models.work import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.models.gemini import Gemini

__all__ = ["GeminiBatches"]

_INLINE_MAX = 15_000_000  # ai.google.dev, batch API: inline requests are for less than 20 MB in all
_STATES = {
    "SUCCEEDED": "done",
    "EXPIRED": "expired",
    "CANCELLED": "cancelled",
    "FAILED": "failed",
    "PARTIALLY_SUCCEEDED": "done",
}
_CODES = {1: "cancelled", 4: "expired"}
_PAGES_MAX = 20


class _Stats(Struct, rename="camel"):
    request_count: str = "0"
    successful_request_count: str = "0"
    failed_request_count: str = "0"


class _Meta(Struct, rename="camel"):
    state: str = ""
    display_name: str = ""
    create_time: str = ""
    model: str = ""
    batch_stats: _Stats = msgspec.field(default_factory=_Stats)


class _Row(Struct):
    metadata: dict[str, Any] = {}
    key: str = ""
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class _Inlined(Struct, rename="camel"):
    inlined_responses: list[_Row] = []


class _Response(Struct, rename="camel"):
    inlined_responses: _Inlined | None = None
    responses_file: str | None = None


class _Operation(Struct):
    name: str
    metadata: _Meta = msgspec.field(default_factory=_Meta)
    response: _Response | None = None
    error: dict[str, Any] | None = None


class _List(Struct, rename="camel"):
    operations: list[_Operation] = []
    next_page_token: str = ""


class GeminiBatches:
    """Batches of generateContent; see `reelwise.models.batches.BatchWire`.

    Args:
        gemini: the endpoint that the calls are for.
        seconds: for each exchange.
        inline_max: bytes up to which rows travel in the request itself.
    """

    def __init__(self, gemini: Gemini, *, seconds: float = 600.0, inline_max: int = _INLINE_MAX) -> None:
        self._gemini, self._seconds, self._inline_max = gemini, seconds, inline_max

    def submit(self, rows: Sequence[BatchRow], identity: str) -> Job:
        """Hand a batch in; see `BatchWire`.

        Raises:
            InputError: rows of several models.
        """
        check_rows(rows)
        models = {row.work.model for row in rows}
        if len(models) != 1:
            raise InputError(f"{len(models)} models in one batch", where="batch", hint="a batch for each")
        bodies = [self._row(row) for row in rows]
        if (
            sum(sum(len(p) if isinstance(p, bytes) else p.length for p in body) for _, body in bodies)
            <= self._inline_max
        ):
            pieces: list[Any] = [
                b'{"batch":{"displayName":',
                msgspec.json.encode(identity),
                b',"inputConfig":{"requests":{"requests":[',
            ]
            for at, (name, body) in enumerate(bodies):
                comma = b"," if at else b""
                meta = msgspec.json.encode({"key": name})
                pieces += [comma + b'{"metadata":' + meta + b',"request":', *body, b"}"]
            pieces.append(b"]}}}}")
        else:
            file = msgspec.json.encode(self._file(bodies, identity))
            title = msgspec.json.encode(identity)
            pieces = [b'{"batch":{"displayName":' + title + b',"inputConfig":{"fileName":' + file + b"}}}"]
        sent = self._gemini.send(
            "POST", f"{model_path(models.pop())}:batchGenerateContent", body=Body(pieces=tuple(pieces)),
            seconds=self._seconds, identity=identity,
        )  # fmt: skip
        return _job(self._gemini.json(sent, _Operation)[0])

    def _row(self, row: BatchRow) -> tuple[str, list[Any]]:
        request, inliner = generate_request(row.work, name=self._gemini.name)
        return row.name, list(inliner.pieces(request))

    def _file(self, bodies: list[tuple[str, list[Any]]], identity: str) -> str:
        """Write the rows to a file, a JSON document a line, and send it up."""
        with tempfile.NamedTemporaryFile(suffix=".jsonl", delete=False) as file:
            path = Path(file.name)
            try:
                for name, body in bodies:
                    head = b'{"key":' + msgspec.json.encode(name) + b',"request":'
                    for chunk in Body(pieces=(head, *body, b"}\n")).chunks():
                        file.write(chunk)
                file.close()
                sent = upload(
                    self._gemini, Source(path=str(path), mime="application/jsonl"), name=identity, seconds=self._seconds
                )
            finally:
                path.unlink(missing_ok=True)
        return "files/" + sent.uri.rpartition("files/")[2]

    def look(self, job_id: str) -> Job:
        """Ask for its state."""
        return _job(self._operation(job_id))

    def _operation(self, job_id: str) -> _Operation:
        sent = self._gemini.send("GET", f"/{job_id}", seconds=self._seconds, safe=True, counted=False)
        return self._gemini.json(sent, _Operation)[0]

    def cancel(self, job_id: str) -> Job:
        """Stop it."""
        self._gemini.send("POST", f"/{job_id}:cancel", seconds=self._seconds, safe=True, counted=False).reply.read()
        return self.look(job_id)

    def find(self, identity: str) -> Job | None:
        """Find the job that was handed in under an identity, among the latest."""
        token = ""
        for _ in range(_PAGES_MAX):
            sent = self._gemini.send(
                "GET", f"/batches?pageSize=100{token}", seconds=self._seconds, safe=True, counted=False
            )
            found, _ = self._gemini.json(sent, _List)
            for one in found.operations:
                if one.metadata.display_name == identity:
                    return _job(one)
            if not found.next_page_token:
                return None
            token = f"&pageToken={found.next_page_token}"
        return None

    def outcomes(self, job: Job) -> Iterator[Outcome]:
        """Collect what became of the rows."""
        operation = self._operation(job.id)
        model = operation.metadata.model.removeprefix("models/")
        response = operation.response or _Response()
        if response.responses_file:
            path = f"/download/v1beta/{response.responses_file}:download?alt=media"
            sent = self._gemini.send("GET", path, seconds=self._seconds, safe=True, counted=False, rooted=True)
            for raw in sent.reply.lines():
                if raw.strip():
                    yield self._outcome(self._decoded(raw), model)
            return
        for row in response.inlined_responses.inlined_responses if response.inlined_responses else []:
            yield self._outcome(row, model)

    def _decoded(self, raw: bytes) -> _Row:
        try:
            return msgspec.json.decode(raw, type=_Row)
        except msgspec.DecodeError as error:
            raise AnswerError(
                f"a line of its results is no row: {error}", where=self._gemini.name, reason="schema"
            ) from None

    def _outcome(self, row: _Row, model: str) -> Outcome:
        name = row.key or str(row.metadata.get("key", ""))
        if row.response is None:
            error = row.error or {}
            code = error.get("code")
            state: Any = _CODES.get(code, "error") if isinstance(code, int) else "error"
            return Outcome(name=name, state=state, why=str(error.get("message", ""))[:300])
        try:
            reply = msgspec.convert(row.response, GenerateReply)
            return Outcome(name=name, state="ok", answer=self._gemini.answer(reply, row.response, model, "batch"))
        except (msgspec.ValidationError, EndpointError) as error:
            return Outcome(name=name, state="error", why=f"its answer cannot be read: {error}"[:300])


def _job(operation: _Operation) -> Job:
    meta = operation.metadata
    state = meta.state.removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_")
    error = operation.error or {}
    return Job(
        id=operation.name, state=_STATES.get(state, "running"), total=_int(meta.batch_stats.request_count),  # type: ignore[arg-type]
        succeeded=_int(meta.batch_stats.successful_request_count), failed=_int(meta.batch_stats.failed_request_count),
        created=meta.create_time, why=str(error.get("message", "")),
    )  # fmt: skip


def _int(text: str) -> int:
    return int(text) if text.isdigit() else 0
