"""OpenAI's files, batches, video jobs, embeddings and transcripts."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.sandbox.batches import Batch, Line
from reelwise.sandbox.cards import UNDELIVERED, begun, bill, let_in, served
from reelwise.sandbox.clips import clip_size
from reelwise.sandbox.errors import BadRequestError, NotFoundError, RefusalError
from reelwise.sandbox.exchange import Document, Exchange, FileOut, Reply, document, read_json, spoilt, whole
from reelwise.sandbox.google_videos import FILM
from reelwise.sandbox.invoice import Row
from reelwise.sandbox.openai_chat import ChatBody, asked_of, completion
from reelwise.sandbox.store import Stored
from reelwise.sandbox.uploads import form
from reelwise.sandbox.vendors import shaped

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.sandbox.desk import Desk
    from reelwise.sandbox.exchange import Route

__all__ = ["ROUTES"]

_ROWS_MAX = 50_000
_STATES = {"running": "in_progress", "done": "completed", "expired": "expired", "cancelled": "cancelled"}
_SIZES = {"720x1280", "1280x720", "1024x1792", "1792x1024"}


# files


def _file_document(name: str, stored: Stored) -> dict[str, Any]:
    return {
        "id": name,
        "object": "file",
        "bytes": stored.size,
        "created_at": int(stored.at),
        "filename": stored.name,
        "purpose": stored.purpose or "batch",
        "status": "processed",
    }


def _upload(exchange: Exchange) -> Document:
    exchange.desk.check_key(exchange.key)
    fields, stored = form(exchange)
    if stored is None:
        raise BadRequestError("'file' is a required property")
    stored.purpose = fields.get("purpose", "")
    name = exchange.desk.new_id("file-sb")
    exchange.desk.store.add(name, stored)
    return document(_file_document(name, stored))


def _file(exchange: Exchange, name: str) -> Document:
    exchange.desk.check_key(exchange.key)
    return document(_file_document(name, exchange.desk.store.file(name)))


def _content(exchange: Exchange, name: str) -> FileOut:
    exchange.desk.check_key(exchange.key)
    stored = exchange.desk.store.file(name)
    return FileOut(path=stored.path, size=stored.size)


def _delete_file(exchange: Exchange, name: str) -> Document:
    exchange.desk.check_key(exchange.key)
    exchange.desk.store.remove(name)
    return document({"id": name, "object": "file", "deleted": True})


# batches


class _BatchBody(Struct):
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None = None


class _BatchLine(Struct):
    custom_id: str
    body: ChatBody
    url: str = "/v1/chat/completions"
    method: str = "POST"


def _line(desk: Desk, raw: bytes, key: str) -> Line:
    name = ""
    try:
        found = read_json(raw, dict)
        name = str(found.get("custom_id", ""))
        line = read_json(raw, _BatchLine)
        return Line(name=line.custom_id, asked=asked_of(desk, line.body, key=key, identity=line.custom_id, batch=True))
    except RefusalError as error:
        return Line(name=name, error=error)


def _create_batch(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    body = exchange.json(_BatchBody)
    if body.endpoint != "/v1/chat/completions" or body.completion_window != "24h":
        raise BadRequestError("the sandbox's batches are of /v1/chat/completions, within 24h")
    stored = desk.store.file(body.input_file_id)
    with stored.path.open("rb") as file:
        lines = [_line(desk, raw, exchange.key) for raw in file if raw.strip()]
    if not 1 <= len(lines) <= _ROWS_MAX or len({line.name for line in lines}) != len(lines):
        raise BadRequestError(f"a batch holds 1 to {_ROWS_MAX:,} rows, each with a custom_id of its own")
    meta = {"file": body.input_file_id, "endpoint": body.endpoint, "metadata": body.metadata}
    batch = Batch(desk, desk.new_id("batch_sb"), lines, meta)
    desk.store.put(batch.name, batch)
    return document(_batch_document(desk, batch))


def _batch_document(desk: Desk, batch: Batch) -> dict[str, Any]:
    state = batch.look()
    if state != "running" and "output" not in batch.meta:
        _write_results(desk, batch)
    ok = batch.count("ok")
    return {
        "id": batch.name,
        "object": "batch",
        "endpoint": batch.meta["endpoint"],
        "errors": None,
        "input_file_id": batch.meta["file"],
        "completion_window": "24h",
        "status": _STATES[state],
        "output_file_id": batch.meta.get("output"),
        "error_file_id": batch.meta.get("errors"),
        "created_at": int(batch.created),
        "in_progress_at": int(batch.created),
        "expires_at": int(batch.expires),
        "completed_at": int(batch.ended or 0) if state == "done" else None,
        "expired_at": int(batch.ended or 0) if state == "expired" else None,
        "cancelled_at": int(batch.ended or 0) if state == "cancelled" else None,
        "request_counts": {"total": len(batch.lines), "completed": ok, "failed": len(batch.done) - ok},
        "metadata": batch.meta["metadata"],
    }


def _write_results(desk: Desk, batch: Batch) -> None:
    """Write the answers to one file and what went wrong to another, as OpenAI does."""
    for name, right in (("output", True), ("errors", False)):
        rows = [one for one in batch.done if (one.status == "ok") is right]
        if not rows:
            batch.meta.setdefault(name, None)
            continue
        path = desk.store.new_path()
        with path.open("wb") as file:
            for one in rows:
                file.write(msgspec.json.encode(_result(batch, one)) + b"\n")
        file_id = desk.new_id("file-sb")
        desk.store.add(
            file_id,
            Stored(path=path, size=path.stat().st_size, name=f"{batch.name}_{name}.jsonl", purpose="batch_output"),
        )
        batch.meta[name] = file_id


def _result(batch: Batch, one: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"id": f"{batch.name}-{one.name}", "custom_id": one.name, "response": None, "error": None}
    if one.status == "ok":
        found["response"] = {"status_code": 200, "request_id": one.served.id, "body": completion(one.served)}
    elif one.status == "error":
        body = shaped("/v1/chat/completions", one.error)
        found["response"] = {"status_code": one.error.status, "request_id": "", "body": body}
    else:
        found["error"] = {"code": f"batch_{one.status}", "message": "This request could not be executed in time."}
    return found


def _batch_of(exchange: Exchange, name: str) -> Batch:
    exchange.desk.check_key(exchange.key)
    batch: Batch = exchange.desk.store.get(name)
    return batch


def _get_batch(exchange: Exchange, name: str) -> Document:
    return document(_batch_document(exchange.desk, _batch_of(exchange, name)))


def _cancel_batch(exchange: Exchange, name: str) -> Document:
    batch = _batch_of(exchange, name)
    batch.cancel()
    return document(_batch_document(exchange.desk, batch))


def _list_batches(exchange: Exchange) -> Document:
    desk = exchange.desk
    desk.check_key(exchange.key)
    found = [
        _batch_document(desk, one)
        for one in desk.store.under("batch_")[: whole(exchange.query.get("limit", "20"), "limit")]
    ]
    return document({"object": "list", "data": found, "has_more": False, "first_id": None, "last_id": None})


# video jobs


class _VideoBody(Struct):
    prompt: str
    model: str = "sora-2"
    seconds: str = "4"
    size: str = "720x1280"


def _create_video(exchange: Exchange) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    if exchange.headers.get("content-type", "").startswith("multipart/"):
        fields, _ = form(exchange)
        try:
            body = msgspec.convert(fields, _VideoBody)
        except msgspec.ValidationError as error:
            raise BadRequestError(f"Invalid request: {error}") from None
    else:
        body = exchange.json(_VideoBody)
    desk.prices.card(f"openai/{body.model}")
    if body.seconds not in {"4", "8", "12"} or body.size not in _SIZES:
        raise BadRequestError("seconds: 4, 8 or 12; size: one of " + ", ".join(sorted(_SIZES)), code="invalid_value")
    fault = let_in(exchange, f"openai/{body.model}", msgspec.json.encode(body))
    name = desk.new_id("video_sb")
    job = {
        "body": body, "created": desk.clock.now(), "billed": False, "fault": fault,
        "identity": exchange.headers.get("idempotency-key", ""),
    }  # fmt: skip
    return begun(
        desk, name, job, done=lambda: _bill_video(desk, name, job), answer=lambda: _video_document(desk, name, job)
    )


def _bill_video(desk: Desk, name: str, job: dict[str, Any]) -> None:
    """Write the row of a video that is there, once."""
    if job["billed"]:
        return
    job["billed"], body = True, job["body"]
    row = Row(
        id=name, at=0.0, day="", maker="openai", model=body.model, kind="video", identity=job["identity"],
        delivered=job["fault"] not in UNDELIVERED,
    )  # fmt: skip
    bill(desk, f"openai/{body.model}", Fraction(body.seconds), row, resolution=body.size, counted=False)


def _video_document(desk: Desk, name: str, job: dict[str, Any]) -> dict[str, Any]:
    body, scenario = job["body"], desk.scenario
    share = min(1.0, (desk.clock.now() - job["created"]) / max(scenario.video_seconds, 1e-9))
    failed = share >= 1 and desk.failed("video", name)
    state = "failed" if failed else "completed" if share >= 1 else "in_progress" if share > 0.05 else "queued"
    if state == "completed":
        _bill_video(desk, name, job)
    done = share >= 1
    return {
        "id": name,
        "object": "video",
        "model": body.model,
        "status": state,
        "progress": int(share * 100),
        "created_at": int(job["created"]),
        "completed_at": int(job["created"] + scenario.video_seconds) if done else None,
        "expires_at": int(job["created"] + scenario.video_seconds + 3600) if state == "completed" else None,
        "seconds": "" if done and job["fault"] == "no_usage" else body.seconds,
        "size": body.size,
        "prompt": body.prompt,
        "error": {"code": "video_generation_failed", "message": "The video could not be made."} if failed else None,
        "remixed_from_video_id": None,
    }


def _video_of(exchange: Exchange, name: str) -> dict[str, Any]:
    exchange.desk.check_key(exchange.key)
    job: dict[str, Any] = exchange.desk.store.get(name)
    return job


def _get_video(exchange: Exchange, name: str) -> Reply:
    job = _video_of(exchange, name)
    found = _video_document(exchange.desk, name, job)
    spoil = job["fault"] in {"bad_json", "cut_stream"} and found["status"] == "completed"
    return spoilt(job["fault"] if spoil else None, document(found))


def _video_content(exchange: Exchange, name: str) -> Document:
    found = _video_document(exchange.desk, name, _video_of(exchange, name))
    if found["status"] != "completed":
        raise NotFoundError("the video is not there")
    if exchange.desk.clock.now() >= found["expires_at"]:
        raise NotFoundError("the video has expired", code="expired")
    return Document(body=FILM, mime="video/mp4")


# speech


def _transcribe(exchange: Exchange) -> Reply:
    desk = exchange.desk
    desk.check_key(exchange.key)
    fields, stored = form(exchange)
    if stored is None:
        raise BadRequestError("'file' is a required property")
    sku = f"openai/{fields.get('model', '')}"
    desk.prices.card(sku)
    size, digest = clip_size(stored.path), _digest(stored.path)
    stored.path.unlink(missing_ok=True)
    if size is None or not size.sound_seconds:
        raise BadRequestError("Invalid file format.", code="invalid_file")
    fault = let_in(exchange, sku, digest)
    seconds = -(-Fraction(str(round(size.sound_seconds, 6))) // 1)  # whole seconds, rounded up
    row = Row(
        id=desk.new_id("tr_sb"), at=0.0, day="", maker="openai", model=fields["model"], kind="speech",
        identity=exchange.headers.get("idempotency-key", ""), delivered=fault not in UNDELIVERED,
    )  # fmt: skip
    text = " ".join(["la"] * int(seconds))
    segment = {"id": 0, "start": 0.0, "end": size.sound_seconds, "text": text, "seek": 0, "tokens": [], "temperature": 0.0,
               "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0}  # fmt: skip
    found: dict[str, Any] = {"text": text, "usage": {"type": "duration", "seconds": int(seconds)}}
    if fields.get("response_format") == "verbose_json":
        found |= {"task": "transcribe", "language": "english", "duration": size.sound_seconds, "segments": [segment]}

    def answer() -> dict[str, Any]:
        bill(desk, sku, Fraction(seconds, 60), row, counted=False)
        return found

    return served(fault, answer, "usage")


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


ROUTES: tuple[Route, ...] = (
    ("POST", r"/v1/files", _upload),
    ("GET", r"/v1/files/(?P<name>file-\w+)", _file),
    ("DELETE", r"/v1/files/(?P<name>file-\w+)", _delete_file),
    ("GET", r"/v1/files/(?P<name>file-\w+)/content", _content),
    ("POST", r"/v1/batches", _create_batch),
    ("GET", r"/v1/batches", _list_batches),
    ("GET", r"/v1/batches/(?P<name>batch_\w+)", _get_batch),
    ("POST", r"/v1/batches/(?P<name>batch_\w+)/cancel", _cancel_batch),
    ("POST", r"/v1/videos", _create_video),
    ("GET", r"/v1/videos/(?P<name>video_\w+)", _get_video),
    ("GET", r"/v1/videos/(?P<name>video_\w+)/content", _video_content),
    ("POST", r"/v1/audio/transcriptions", _transcribe),
)
