"""OpenAI's batch API: rows in a file, answers in another, half of the price, within a day."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.errors import AnswerError, EndpointError
from reelwise.models.batches import BatchRow, Job, Outcome, check_rows
from reelwise.models.body import Body, json_body, multipart
from reelwise.models.openai_chat import ChatReply
from reelwise.models.work import source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.models.openai_chat import OpenAIChat

__all__ = ["OpenAIBatches"]

_STATES = {
    "completed": "done",
    "expired": "expired",
    "cancelled": "cancelled",
    "failed": "failed",
}
_PAGES_MAX = 20
_IDENTITY = "reelwise"


class _File(Struct):
    id: str


class _Counts(Struct):
    total: int = 0
    completed: int = 0
    failed: int = 0


class _Error(Struct):
    message: str = ""


class _Errors(Struct):
    data: list[_Error] | None = None


class _Batch(Struct):
    id: str
    status: str
    created_at: int = 0
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: _Counts | None = None
    metadata: dict[str, str] | None = None
    errors: _Errors | None = None


class _List(Struct):
    data: list[_Batch]
    has_more: bool = False


class _Response(Struct):
    status_code: int = 0
    body: dict[str, Any] | None = None


class _Line(Struct):
    custom_id: str
    response: _Response | None = None
    error: dict[str, Any] | None = None


class OpenAIBatches:
    """Batches of chat completions; see `reelwise.models.batches.BatchWire`.

    Args:
        chat: the endpoint that the calls are for.
        seconds: for each exchange; an upload takes as long as it takes within it.
        page: jobs that are asked for at a time.
    """

    def __init__(self, chat: OpenAIChat, *, seconds: float = 600.0, page: int = 100) -> None:
        self._chat, self._seconds, self._page = chat, seconds, page

    def submit(self, rows: Sequence[BatchRow], identity: str) -> Job:
        """Send the rows up in a file, and hand the batch in; see `BatchWire`."""
        check_rows(rows)
        with tempfile.NamedTemporaryFile(suffix=".jsonl", delete=False) as file:
            path = Path(file.name)
            try:
                for row in rows:
                    for chunk in self._line(row).chunks():
                        file.write(chunk)
                file.close()
                body = multipart([("purpose", "batch")], "file", "batch.jsonl", source(path, "application/jsonl"))
                sent = self._chat.send("POST", "/files", body=body, seconds=self._seconds, safe=True)
                uploaded, _ = self._chat.json(sent, _File)
            finally:
                path.unlink(missing_ok=True)
        document = {
            "input_file_id": uploaded.id,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "metadata": {_IDENTITY: identity},
        }
        sent = self._chat.send("POST", "/batches", body=json_body(document), seconds=self._seconds, identity=identity)
        return _job(self._chat.json(sent, _Batch)[0])

    def _line(self, row: BatchRow) -> Body:
        request, inliner = self._chat.request(row.work)
        line = {"custom_id": row.name, "method": "POST", "url": "/v1/chat/completions", "body": request}
        return Body(pieces=(*inliner.pieces(line), b"\n"))

    def look(self, job_id: str) -> Job:
        """Ask for its state."""
        sent = self._chat.send("GET", f"/batches/{job_id}", seconds=self._seconds, safe=True, counted=False)
        return _job(self._chat.json(sent, _Batch)[0])

    def cancel(self, job_id: str) -> Job:
        """Stop it."""
        sent = self._chat.send("POST", f"/batches/{job_id}/cancel", seconds=self._seconds, safe=True, counted=False)
        return _job(self._chat.json(sent, _Batch)[0])

    def find(self, identity: str) -> Job | None:
        """Find the job that was handed in under an identity, among the latest."""
        after = ""
        for _ in range(_PAGES_MAX):
            path = f"/batches?limit={self._page}{after}"
            sent = self._chat.send("GET", path, seconds=self._seconds, safe=True, counted=False)
            found, _ = self._chat.json(sent, _List)
            for one in found.data:
                if (one.metadata or {}).get(_IDENTITY) == identity:
                    return _job(one)
            if not found.has_more or not found.data:
                return None
            after = f"&after={found.data[-1].id}"
        return None

    def outcomes(self, job: Job) -> Iterator[Outcome]:
        """Collect the answers and the errors, line by line."""
        for name in job.results:
            sent = self._chat.send("GET", f"/files/{name}/content", seconds=self._seconds, safe=True, counted=False)
            for raw in sent.reply.lines():
                if raw.strip():
                    yield self._outcome(raw)

    def _outcome(self, raw: bytes) -> Outcome:
        try:
            line = msgspec.json.decode(raw, type=_Line)
        except msgspec.DecodeError as error:
            raise AnswerError(
                f"a line of its results is no row: {error}", where=self._chat.name, reason="schema"
            ) from None
        if line.error is not None:
            code = str(line.error.get("code", ""))
            state: Any = "expired" if "expired" in code else "cancelled" if "cancel" in code else "error"
            return Outcome(name=line.custom_id, state=state, why=str(line.error.get("message", ""))[:300])
        body = line.response.body if line.response is not None else None
        if body is None or line.response is None or line.response.status_code >= 300:
            inner = (body or {}).get("error")
            said = inner.get("message") if isinstance(inner, dict) else ""
            return Outcome(name=line.custom_id, state="error", why=str(said)[:300])
        try:
            reply = msgspec.convert(body, ChatReply)
            return Outcome(name=line.custom_id, state="ok", answer=self._chat.answer(reply, body, "", mode="batch"))
        except (msgspec.ValidationError, EndpointError) as error:
            return Outcome(name=line.custom_id, state="error", why=f"its answer cannot be read: {error}"[:300])


def _job(batch: _Batch) -> Job:
    counts = batch.request_counts or _Counts()
    files = tuple(name for name in (batch.output_file_id, batch.error_file_id) if name)
    errors = batch.errors.data if batch.errors is not None and batch.errors.data else []
    return Job(
        id=batch.id, state=_STATES.get(batch.status, "running"), total=counts.total, succeeded=counts.completed,  # type: ignore[arg-type]
        failed=counts.failed, created=str(batch.created_at), results=files, why=errors[0].message if errors else "",
    )  # fmt: skip
