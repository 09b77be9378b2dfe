"""Anthropic's message batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.anthropic import MessageBody, asked_of, message
from reelwise.sandbox.batches import Batch, Done, Line
from reelwise.sandbox.errors import BadRequestError, RefusalError
from reelwise.sandbox.exchange import Document, Exchange, document, whole
from reelwise.sandbox.vendors import shaped

if TYPE_CHECKING:
    from reelwise.sandbox.desk import Desk
    from reelwise.sandbox.exchange import Route

__all__ = ["ROUTES"]

_ROWS_MAX = 100_000
_KINDS = {"ok": "succeeded", "error": "errored", "expired": "expired", "canceled": "canceled"}


class _Request(Struct):
    custom_id: str
    params: MessageBody


class _Body(Struct):
    requests: list[_Request]


def _line(desk: Desk, one: _Request, key: str) -> Line:
    try:
        asked = asked_of(desk, one.params, key=key, identity=one.custom_id, batch=True)
    except RefusalError as error:
        return Line(name=one.custom_id, error=error)
    return Line(name=one.custom_id, asked=asked)


def _create(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    rows = exchange.json(_Body).requests
    names = {one.custom_id for one in rows}
    if not 1 <= len(rows) <= _ROWS_MAX or len(names) != len(rows) or not all(1 <= len(name) <= 64 for name in names):
        raise BadRequestError("requests: 1 to 100,000, each with a custom_id of 1 to 64 characters of its own")
    batch = Batch(desk, desk.new_id("msgbatch_sb"), [_line(desk, one, exchange.key) for one in rows], {})
    desk.store.put(batch.name, batch)
    return document(_document(exchange, batch))


def _document(exchange: Exchange, batch: Batch) -> dict[str, Any]:
    state, clock = batch.look(), exchange.desk.clock
    ended = state != "running"
    counts = {kind: batch.count(status) for status, kind in _KINDS.items()}
    return {
        "id": batch.name,
        "type": "message_batch",
        "processing_status": "ended" if ended else "in_progress",
        "request_counts": {"processing": 0 if ended else len(batch.lines), **counts},
        "created_at": clock.iso(batch.created),
        "expires_at": clock.iso(batch.expires),
        "ended_at": clock.iso(batch.ended) if ended else None,
        "cancel_initiated_at": clock.iso(batch.cancelled) if batch.cancelled is not None else None,
        "archived_at": None,
        "results_url": f"{exchange.url}/v1/messages/batches/{batch.name}/results" if ended else None,
    }


def _result(one: Done) -> dict[str, Any]:
    result: dict[str, Any] = {"type": _KINDS[one.status]}
    if one.served is not None:
        result["message"] = message(one.served)
    elif one.status == "error" and one.error is not None:
        result["error"] = shaped("/v1/messages", one.error)
    return {"custom_id": one.name, "result": result}


def _batch(exchange: Exchange, name: str) -> Batch:
    exchange.desk.check_key(exchange.key)
    batch: Batch = exchange.desk.store.get(name)
    return batch


def _get(exchange: Exchange, name: str) -> Document:
    return document(_document(exchange, _batch(exchange, name)))


def _list(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    found = [
        _document(exchange, one)
        for one in desk.store.under("msgbatch_")[: whole(exchange.query.get("limit", "20"), "limit")]
    ]
    return document({"data": found, "has_more": False, "first_id": None, "last_id": None})


def _results(exchange: Exchange, name: str) -> Document:
    batch = _batch(exchange, name)
    if batch.look() == "running":
        raise BadRequestError("the batch has not ended")
    lines = b"".join(msgspec.json.encode(_result(one)) + b"\n" for one in batch.done)
    return Document(body=lines, mime="application/x-jsonl")


def _cancel(exchange: Exchange, name: str) -> Document:
    batch = _batch(exchange, name)
    batch.cancel()
    return document(_document(exchange, batch))


ROUTES: tuple[Route, ...] = (
    ("POST", r"/v1/messages/batches", _create),
    ("GET", r"/v1/messages/batches", _list),
    ("GET", r"/v1/messages/batches/(?P<name>msgbatch_\w+)", _get),
    ("GET", r"/v1/messages/batches/(?P<name>msgbatch_\w+)/results", _results),
    ("POST", r"/v1/messages/batches/(?P<name>msgbatch_\w+)/cancel", _cancel),
)
