"""The exact cache: the same pixels, model, prompt and settings are paid for once."""

from __future__ import annotations

import hashlib
import math
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from reelwise.errors import InputError
from reelwise.reuse.vault import Vault

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

__all__ = ["ExactCache", "request_key"]

_APPLICATION: Final = 0x52454C58
_NAME = re.compile(r"[0-9a-f]{64}")
BUDGET_BYTES: Final = 1_000_000_000


def request_key(pixels: str, model: str, prompt: str, settings: Mapping[str, Any] | None = None) -> str:
    """Return the key of a request.

    Args:
        pixels: what `Pixels.name` or `clip_pixels` returned; empty for text alone. An address or a file's name is refused: what it
            shows may change.
        model: its full name.
        prompt: all text that is sent, system prompt and schema included.
        settings: whatever else changes the answer: temperature, seed, detail, fps, maximum output.

    Raises:
        InputError: `pixels` is no such name, or a setting is no plain finite value.
    """
    if pixels and not _NAME.fullmatch(pixels):
        raise InputError(
            "is no name of pixels", where=f"pixels {pixels[:60]!r}", hint="decode it: reelwise.reuse.clip_pixels(path)"
        )
    try:
        plain = msgspec.json.encode(_finite(dict(settings or {})), order="deterministic")
    except (TypeError, ValueError) as error:
        raise InputError(
            f"a setting cannot be written as JSON: {error}", where="settings", hint="give plain values"
        ) from None
    parts = (pixels.encode(), model.encode(), prompt.encode(), plain)
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


class ExactCache:
    """Answers by key, in a file under a budget. Threads and processes may share it.

    Args:
        path: created where missing.
        budget_bytes: of all answers; the least recently used go first.
        keep_seconds: an answer is not served when it is older; None is for good.
        clock: seconds since 1970.

    Raises:
        InputError: the file is something else, damaged, or of another version.
        OutputError: it cannot be opened or created.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        budget_bytes: int = BUDGET_BYTES,
        keep_seconds: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._vault = Vault(path, application=_APPLICATION, what="cache", budget_bytes=budget_bytes, clock=clock)
        self.keep_seconds = keep_seconds
        self._lock = threading.Lock()
        self._flights: dict[str, threading.Lock] = {}
        self._waiting: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._vault.close()

    def get(self, key: str) -> bytes | None:
        """Return the answer of a key, or None."""
        entry = self._vault.get(key)
        return None if entry is None else entry.value

    def put(self, key: str, answer: bytes) -> bool:
        """Store an answer; False where it is larger than the whole budget."""
        return self._vault.put(key, answer, keep_seconds=self.keep_seconds)

    def forget(self, key: str) -> bool:
        """Remove an answer that turned out wrong; say whether it was there."""
        return bool(self._vault.drop(key=key))

    def answer(self, key: str, call: Callable[[], bytes]) -> tuple[bytes, bool]:
        """Return the answer of a key, calling for it where there is none.

        An error of the call passes through and nothing is stored. Threads that ask for one key at the same time make one call;
        after a failed one the next of them calls.

        Returns:
            The answer, and whether it came from the cache.
        """
        with self._lock:
            flight = self._flights.setdefault(key, threading.Lock())
            self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            with flight:
                found = self.get(key)
                if found is not None:
                    return found, True
                answer = call()
                self.put(key, answer)
                return answer, False
        finally:
            with self._lock:
                self._waiting[key] -= 1
                if not self._waiting[key]:
                    del self._waiting[key], self._flights[key]

    @property
    def bytes(self) -> int:
        """Bytes of answers and keys."""
        return self._vault.bytes

    def __len__(self) -> int:
        return len(self._vault)
