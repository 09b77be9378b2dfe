"""Forms with a file in them, written to disk as they come; nothing of it is whole in memory."""

from __future__ import annotations

import mmap
import re
from typing import TYPE_CHECKING

from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.store import Stored

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.sandbox.exchange import Exchange

__all__ = ["form"]

_HEAD_MAX = 65_536
_PIECE = 1 << 20


def form(exchange: Exchange) -> tuple[dict[str, str], Stored | None]:
    """Read a multipart form: its fields, and its file.

    Raises:
        BadRequestError: that is none.
    """
    kind = exchange.headers.get("content-type", "")
    found = re.search(r'boundary="?([^";]+)"?', kind)
    if not kind.startswith("multipart/form-data") or found is None:
        raise BadRequestError("Expected multipart/form-data")
    raw = exchange.desk.store.new_path()
    size = exchange.spool(raw)
    if not size:
        raise BadRequestError("the form is empty")
    fields: dict[str, str] = {}
    stored: Stored | None = None
    edge = b"--" + found[1].encode()
    with raw.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        at = view.find(edge)
        while at >= 0:
            begin = at + len(edge)
            if view[begin : begin + 2] == b"--":
                break
            end = view.find(b"\r\n" + edge, begin)
            split = view.find(b"\r\n\r\n", begin, begin + _HEAD_MAX)
            if end < 0 or split < 0:
                raise BadRequestError("the form is broken")
            head = view[begin:split].decode("utf-8", "replace")
            name = re.search(r'name="([^"]*)"', head)
            filename = re.search(r'filename="([^"]*)"', head)
            if filename is not None:
                mime = re.search(r"Content-Type:\s*(\S+)", head, re.IGNORECASE)
                path = exchange.desk.store.new_path()
                _copy(view, split + 4, end, path)
                stored = Stored(
                    path=path, size=end - split - 4, name=filename[1], mime=mime[1] if mime else "application/octet-stream"
                )  # fmt: skip
            elif name is not None:
                fields[name[1]] = view[split + 4 : min(end, split + 4 + _HEAD_MAX)].decode("utf-8", "replace")
            at = end + 2
    raw.unlink(missing_ok=True)
    return fields, stored


def _copy(view: mmap.mmap, begin: int, end: int, path: Path) -> None:
    with path.open("wb") as file:
        for at in range(begin, end, _PIECE):
            file.write(view[at : min(end, at + _PIECE)])
