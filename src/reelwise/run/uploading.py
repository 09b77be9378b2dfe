"""Large clips go up before their calls and are removed after them; each goes up once, however many calls are about it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import msgspec

from reelwise.errors import EndpointError

if TYPE_CHECKING:
    from reelwise.models.work import Source, Work

__all__ = ["UPLOAD_BYTES", "Uploads"]

UPLOAD_BYTES = 14_000_000
"""Gemini takes requests of 20 MB; base64 makes a third more of it (ai.google.dev, video-understanding)."""


class Uploads:
    """Files that some calls need. Use it as a context manager: what went up is removed at its end, where that can be.

    Args:
        endpoint: where they go; None sends everything in the request itself.
    """

    def __init__(self, endpoint: Any) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._sent: dict[str, Source] = {}

    def sent(self, work: Work) -> Work:
        """Send up what is too large for a request; the same file goes up once.

        Raises:
            EndpointError: it could not be sent, or the endpoint cannot read it. Nothing is billed for that.
        """
        from reelwise.models.work import Text

        if self._endpoint is None:
            return work
        if sum(part.source.bytes_count for part in work.parts if not isinstance(part, Text)) <= UPLOAD_BYTES:
            return work
        parts = tuple(
            part if isinstance(part, Text) or not part.source.path
            else msgspec.structs.replace(part, source=self._one(part.source))
            for part in work.parts
        )  # fmt: skip
        return msgspec.structs.replace(work, parts=parts)

    def _one(self, given: Source) -> Source:
        from reelwise.models.gemini_files import upload

        with self._lock:
            if given.path not in self._sent:
                self._sent[given.path] = upload(self._endpoint, given)
            return self._sent[given.path]

    def forget(self, work: Work) -> None:
        """Let files go that the endpoint no longer has: they go up again for the next call."""
        addresses = {part.source.uri for part in work.parts if hasattr(part, "source")}
        with self._lock:
            self._sent = {path: source for path, source in self._sent.items() if source.uri not in addresses}

    def close(self) -> None:
        """Remove what went up; where that fails the vendor removes it in time (Gemini after 48 hours)."""
        from reelwise.models.gemini_files import delete_file

        for source in self._sent.values():
            with suppress(EndpointError):
                delete_file(self._endpoint, source)
        self._sent.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
