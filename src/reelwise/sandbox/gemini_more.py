"""Gemini's files and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.batches import Batch, Done, Line
from reelwise.sandbox.errors import BadRequestError, RefusalError
from reelwise.sandbox.exchange import Document, Exchange, FileOut, document, read_json, whole
from reelwise.sandbox.gemini import GenerateBody, asked_of, generated
from reelwise.sandbox.store import Stored
from reelwise.sandbox.vendors import read_google

if TYPE_CHECKING:
    from reelwise.sandbox.desk import Desk
    from reelwise.sandbox.exchange import Route

__all__ = ["ROUTES"]

_STATES = {"running": "RUNNING", "done": "SUCCEEDED", "expired": "EXPIRED", "cancelled": "CANCELLED"}
_ROWS_MAX = 50_000
_KEPT_SECONDS = 172_800.0
"""Files go away after 48 hours."""


# files


class _FileMeta(Struct, rename="camel"):
    display_name: str = ""
    mime_type: str = ""


class _Begin(Struct):
    file: _FileMeta = msgspec.field(default_factory=_FileMeta)


def _file_document(exchange: Exchange, name: str, stored: Stored) -> dict[str, Any]:
    clock = exchange.desk.clock
    return {
        "name": name,
        "displayName": stored.name,
        "mimeType": stored.mime,
        "sizeBytes": str(stored.size),
        "createTime": clock.iso(stored.at),
        "updateTime": clock.iso(stored.at),
        "expirationTime": clock.iso(stored.until or stored.at + _KEPT_SECONDS),
        "uri": f"{exchange.url}/v1beta/{name}",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }


def _begin_upload(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    raw = exchange.body()
    meta = read_google(raw, _Begin).file if raw.strip() else _FileMeta()
    mime = exchange.headers.get("x-goog-upload-header-content-type") or meta.mime_type
    name = desk.new_id("upload-sb")
    desk.store.put(name, {"path": desk.store.new_path(), "mime": mime, "name": meta.display_name, "size": 0})
    address = f"{exchange.url}/upload/v1beta/files?upload_id={name}&upload_protocol=resumable"
    return Document(body=b"", headers={"x-goog-upload-url": address, "x-goog-upload-status": "active"})


def _upload(exchange: Exchange) -> Document:
    """Begin an upload, or take the next piece of one, which goes to the disk as it comes."""
    if "upload_id" not in exchange.query:
        return _begin_upload(exchange)
    desk = exchange.desk
    job = desk.store.get(exchange.query["upload_id"])
    offset = whole(exchange.headers.get("x-goog-upload-offset", "0"), "x-goog-upload-offset")
    if offset != job["size"]:
        raise BadRequestError(f"the upload is at {job['size']}, not at {offset}")
    with job["path"].open("ab") as file:
        for chunk in exchange.chunks():
            file.write(chunk)
            job["size"] += len(chunk)
    if "finalize" not in exchange.headers.get("x-goog-upload-command", ""):
        return Document(body=b"", headers={"x-goog-upload-status": "active"})
    name = desk.new_id("files/sb")
    stored = Stored(
        path=job["path"], size=job["size"], mime=job["mime"] or "application/octet-stream", name=job["name"],
        until=desk.clock.now() + _KEPT_SECONDS,
    )  # fmt: skip
    desk.store.add(name, stored)
    found = document({"file": _file_document(exchange, name, stored)})
    found.headers = {"x-goog-upload-status": "final"}
    return found


def _get_file(exchange: Exchange, name: str) -> Document:
    exchange.desk.check_key(exchange.key)
    return document(_file_document(exchange, name, exchange.desk.store.file(name)))


def _delete_file(exchange: Exchange, name: str) -> Document:
    exchange.desk.check_key(exchange.key)
    exchange.desk.store.remove(name)
    return document({})


def _download(exchange: Exchange, name: str) -> FileOut:
    exchange.desk.check_key(exchange.key)
    stored = exchange.desk.store.file(name)
    return FileOut(path=stored.path, size=stored.size)


# batches


class _Inline(Struct, rename="camel"):
    request: GenerateBody
    metadata: dict[str, Any] = {}


class _Inlines(Struct):
    requests: list[_Inline] = []


class _Input(Struct, rename="camel"):
    requests: _Inlines | None = None
    file_name: str | None = None


class _Spec(Struct, rename="camel"):
    input_config: _Input
    display_name: str = ""


class _BatchBody(Struct):
    batch: _Spec


class _FileLine(Struct):
    key: str
    request: dict[str, Any]


def _create_batch(exchange: Exchange, model: str) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    spec = read_google(exchange.body(), _BatchBody).batch
    desk.prices.model(model)
    config = spec.input_config
    if config.file_name:
        with desk.store.file(config.file_name).path.open("rb") as file:
            lines = [_file_line(desk, model, raw, exchange.key) for raw in file if raw.strip()]
    else:
        rows = config.requests.requests if config.requests is not None else []
        lines = [_line(desk, model, one, str(at), exchange.key) for at, one in enumerate(rows)]
    if not 1 <= len(lines) <= _ROWS_MAX:
        raise BadRequestError(f"a batch holds 1 to {_ROWS_MAX:,} requests")
    meta = {"model": model, "display": spec.display_name, "file": config.file_name}
    batch = Batch(desk, desk.new_id("batches/sb"), lines, meta)
    desk.store.put(batch.name, batch)
    return document(_batch_document(desk, batch))


def _line(desk: Desk, model: str, one: _Inline, at: str, key: str) -> Line:
    name = str(one.metadata.get("key", at))
    try:
        return Line(name=name, asked=asked_of(desk, model, one.request, key=key, identity=name, batch=True))
    except RefusalError as error:
        return Line(name=name, error=error)


def _file_line(desk: Desk, model: str, raw: bytes, key: str) -> Line:
    name = ""
    try:
        line = read_json(raw, _FileLine)
        name = line.key
        body = read_google(msgspec.json.encode(line.request), GenerateBody)
        return Line(name=name, asked=asked_of(desk, model, body, key=key, identity=name, batch=True))
    except RefusalError as error:
        return Line(name=name, error=error)


def _result(one: Done, *, inline: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"metadata": {"key": one.name}} if inline else {"key": one.name}
    if one.served is not None:
        found["response"] = generated(one.served)
    elif one.error is not None:
        code = {"expired": 4, "canceled": 1}.get(one.status, 13 if one.error.status >= 500 else 3)
        found["error"] = {"code": code, "message": one.error.message}
    return found


def _batch_document(desk: Desk, batch: Batch) -> dict[str, Any]:
    state = batch.look()
    ok = batch.count("ok")
    meta = {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "model": f"models/{batch.meta['model']}",
        "displayName": batch.meta["display"],
        "name": batch.name,
        "state": f"BATCH_STATE_{_STATES[state]}",
        "createTime": desk.clock.iso(batch.created),
        "updateTime": desk.clock.iso(batch.ended or batch.created),
        "batchStats": {
            "requestCount": str(len(batch.lines)),
            "successfulRequestCount": str(ok),
            "failedRequestCount": str(len(batch.done) - ok),
        },
    }
    found: dict[str, Any] = {"name": batch.name, "metadata": meta}
    if state == "running":
        return found
    meta["endTime"] = desk.clock.iso(batch.ended)
    found["done"] = True
    if batch.meta["file"]:
        output = {"responsesFile": _results_file(desk, batch)}
    else:
        output = {"inlinedResponses": {"inlinedResponses": [_result(one, inline=True) for one in batch.done]}}  # type: ignore[dict-item]
    found["response"] = output
    meta["output"] = output
    return found


def _results_file(desk: Desk, batch: Batch) -> str:
    if "output" not in batch.meta:
        path = desk.store.new_path()
        with path.open("wb") as file:
            for one in batch.done:
                file.write(msgspec.json.encode(_result(one, inline=False)) + b"\n")
        name = desk.new_id("files/sb")
        desk.store.add(
            name, Stored(path=path, size=path.stat().st_size, mime="application/jsonl", name=f"{batch.name}.jsonl")
        )
        batch.meta["output"] = name
    found: str = batch.meta["output"]
    return found


def _get_batch(exchange: Exchange, name: str) -> Document:
    exchange.desk.check_key(exchange.key)
    return document(_batch_document(exchange.desk, exchange.desk.store.get(name)))


def _cancel_batch(exchange: Exchange, name: str) -> Document:
    exchange.desk.check_key(exchange.key)
    exchange.desk.store.get(name).cancel()
    return document({})


def _list_batches(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    return document({"operations": [_batch_document(desk, one) for one in desk.store.under("batches/")[:100]]})


ROUTES: tuple[Route, ...] = (
    ("POST", r"/upload/v1(?:beta|alpha)?/files", _upload),
    ("PUT", r"/upload/v1(?:beta|alpha)?/files", _upload),
    ("GET", r"/v1(?:beta|alpha)?/(?P<name>files/[a-z0-9-]+)", _get_file),
    ("DELETE", r"/v1(?:beta|alpha)?/(?P<name>files/[a-z0-9-]+)", _delete_file),
    ("GET", r"/(?:download/)?v1(?:beta|alpha)?/(?P<name>files/[a-z0-9-]+):download", _download),
    ("POST", r"/v1(?:beta|alpha)?/models/(?P<model>[^/:]+):batchGenerateContent", _create_batch),
    ("GET", r"/v1(?:beta|alpha)?/batches", _list_batches),
    ("GET", r"/v1(?:beta|alpha)?/(?P<name>batches/[a-z0-9-]+)", _get_batch),
    ("POST", r"/v1(?:beta|alpha)?/(?P<name>batches/[a-z0-9-]+):cancel", _cancel_batch),
)
