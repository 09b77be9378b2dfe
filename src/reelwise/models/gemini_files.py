"""Gemini's Files API: a clip that is too large for a request goes up first, from the disk, and is named in the request after that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from reelwise.errors import AmbiguousError, AnswerError, RefusedError
from reelwise.models.body import file_body, json_body
from reelwise.models.work import Source

if TYPE_CHECKING:
    from reelwise.models.gemini import Gemini

__all__ = ["delete_file", "upload"]

_POLL_SECONDS = 0.5
_POLL_MAX_SECONDS = 5.0


class _File(Struct, rename="camel"):
    name: str
    uri: str
    state: str = "ACTIVE"
    mime_type: str = ""


class _Uploaded(Struct):
    file: _File


def upload(gemini: Gemini, given: Source, *, name: str = "", seconds: float = 600.0) -> Source:
    """Send a file up, wait until it can be used, and return what stands for it in a request.

    It is read from the disk in pieces: memory does not grow with its size. Files cost nothing and go away after 48 hours.

    Args:
        gemini: the endpoint.
        given: a file or bytes; an address is returned as it is.
        name: what the file is called there.
        seconds: for all of it.

    Raises:
        EndpointError: it could not be sent, or the endpoint cannot read it.
        InputError: the file cannot be read.
    """
    given.check()
    if given.uri:
        return given
    until = time.monotonic() + seconds
    begun = gemini.send(
        "POST", "/upload/v1beta/files", body=json_body({"file": {"display_name": name[:200]}}), seconds=seconds, safe=True,
        rooted=True,
        headers={
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(given.bytes_count),
            "X-Goog-Upload-Header-Content-Type": given.mime,
        },
    )  # fmt: skip
    begun.reply.read()
    address = urlsplit(begun.reply.headers.get("x-goog-upload-url", ""))
    if not address.path:
        raise AnswerError("names no address for the upload", where=begun.reply.where, reason="schema")
    sent = gemini.send(
        "POST", f"{address.path}?{address.query}", body=file_body(given), seconds=max(0.001, until - time.monotonic()),
        safe=True, rooted=True, headers={"X-Goog-Upload-Offset": "0", "X-Goog-Upload-Command": "upload, finalize"},
    )  # fmt: skip
    file = gemini.json(sent, _Uploaded)[0].file
    return Source(uri=_ready(gemini, file, until).uri, mime=given.mime)


def _ready(gemini: Gemini, file: _File, until: float) -> _File:
    wait = _POLL_SECONDS
    while file.state == "PROCESSING":
        if time.monotonic() + wait >= until:
            raise AmbiguousError("is not ready in time", where=file.name, reason="time")
        time.sleep(wait)
        wait = min(_POLL_MAX_SECONDS, wait * 1.5)
        sent = gemini.send("GET", f"/{file.name}", seconds=until - time.monotonic(), safe=True, counted=False)
        file = gemini.json(sent, _File)[0]
    if file.state == "FAILED":
        raise RefusedError("cannot be read by the endpoint", where=file.name, hint="is it a clip?", reason="content")
    return file


def delete_file(gemini: Gemini, sent: Source, *, seconds: float = 30.0) -> None:
    """Remove a file that was sent up.

    Raises:
        EndpointError: it could not be.
    """
    name = sent.uri.rpartition("files/")[2]
    if not name:
        return
    try:
        gemini.send("DELETE", f"/files/{name}", seconds=seconds, safe=True, counted=False).reply.read()
    except RefusedError as error:
        if error.status not in {403, 404}:  # it is gone already
            raise
