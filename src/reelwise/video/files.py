"""A clip's file: whether it can be read, and what identifies its content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from reelwise.errors import MediaError

__all__ = ["checked_file", "head_hash"]


def checked_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a regular file that may be read and is not empty, or raise `MediaError`."""
    file = Path(path)
    where = str(path)
    try:
        if file.is_dir():
            raise MediaError("is a folder, a clip was expected", where=where, hint="name the clips in it")
        if not file.exists():
            raise MediaError("no such file", where=where, hint="check the path")
        if not file.is_file():
            raise MediaError("is not a regular file", where=where, hint="copy the clip to a file first")
        if file.stat().st_size == 0:
            raise MediaError("is empty", where=where, hint="record or copy it again")
        if not os.access(file, os.R_OK):
            raise MediaError("may not be read", where=where, hint="check its permissions")
    except (OSError, ValueError) as error:
        raise MediaError(f"cannot be read: {error}", where=where, hint="check the path") from None
    return file


def head_hash(file: Path, size: int) -> str:
    """Hash the size, the first and the last 64 KiB: identifies the content cheaply."""
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as raw:
        digest.update(raw.read(65_536))
        if size > 65_536:
            raw.seek(max(65_536, size - 65_536))
            digest.update(raw.read(65_536))
    return digest.hexdigest()
