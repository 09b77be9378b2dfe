"""Files that were uploaded, on disk until the sandbox ends; and documents of batches, caches and jobs."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.sandbox.errors import BadRequestError, GoneError, NotFoundError

if TYPE_CHECKING:
    from reelwise.sandbox.clock import Clock

__all__ = ["Store", "Stored"]

_FILES_MAX = 100_000
_THINGS_MAX = 200_000


class Stored(Struct, kw_only=True):
    """A file that was uploaded.

    Attributes:
        path: where it lies.
        size: its bytes.
        mime: its media type.
        name: what its owner calls it.
        purpose: of OpenAI's files.
        at: when it came.
        until: when it is gone; 0 for never.
    """

    path: Path
    size: int
    mime: str = "application/octet-stream"
    name: str = ""
    purpose: str = ""
    at: float = 0.0
    until: float = 0.0


class Store:
    """What a sandbox keeps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._folder = Path(tempfile.mkdtemp(prefix="reelwise-sandbox-"))
        self._lock = threading.Lock()
        self._files: dict[str, Stored] = {}
        self._things: dict[str, Any] = {}
        self._number = 0

    def new_path(self) -> Path:
        """Name a file to write an upload to."""
        with self._lock:
            self._number += 1
            return self._folder / f"{self._number:08d}"

    def add(self, name: str, stored: Stored) -> None:
        """Keep a file under an id.

        Raises:
            BadRequestError: there are too many.
        """
        with self._lock:
            if len(self._files) >= _FILES_MAX:
                raise BadRequestError("too many files", code="storage_limit")
            stored.at = self._clock.now()
            self._files[name] = stored

    def file(self, name: str) -> Stored:
        """Find a file.

        Raises:
            NotFoundError: no such file.
            GoneError: it expired.
        """
        with self._lock:
            found = self._files.get(name)
            if found is None:
                raise NotFoundError(f"No such File object: {name:.80}", code="not_found")
            if found.until and self._clock.now() >= found.until:
                raise GoneError(f"You do not have permission to access the File {name:.80} or it may not exist.")
            return found

    def remove(self, name: str) -> None:
        """Forget a file."""
        self.file(name).path.unlink(missing_ok=True)
        with self._lock:
            self._files.pop(name, None)

    def put(self, name: str, thing: Any) -> None:
        """Keep a document."""
        with self._lock:
            if name not in self._things and len(self._things) >= _THINGS_MAX:
                raise BadRequestError("too many objects", code="storage_limit")
            self._things[name] = thing

    def get(self, name: str) -> Any:
        """Find a document.

        Raises:
            NotFoundError: none of that name.
        """
        with self._lock:
            if name not in self._things:
                raise NotFoundError(f"Not found: {name:.80}", code="not_found")
            return self._things[name]

    def under(self, head: str) -> list[Any]:
        """List documents whose names begin so, newest first."""
        with self._lock:
            return [thing for name, thing in reversed(self._things.items()) if name.startswith(head)]

    def drop(self, name: str) -> None:
        """Forget a document."""
        with self._lock:
            self._things.pop(name, None)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._folder, ignore_errors=True)
