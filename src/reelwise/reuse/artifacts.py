"""What was worked out once of a clip, and is answered from first: transcript, embeddings, scene index, thumbnails, descriptions."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

from msgspec import Struct

from reelwise.errors import InputError
from reelwise.reuse.exact import request_key
from reelwise.reuse.vault import Vault

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

__all__ = ["Artifact", "Artifacts", "Kind"]

Kind = Literal["transcript", "embeddings", "scene_index", "thumbnails", "descriptions"]
_KINDS: Final[tuple[str, ...]] = get_args(Kind)
_APPLICATION: Final = 0x52454C5A
BUDGET_BYTES: Final = 10_000_000_000


class Artifact(Struct, frozen=True, kw_only=True):
    """A stored artifact.

    Attributes:
        content: sha256 of its bytes.
        data: the bytes.
        made: when it was stored, seconds since 1970.
    """

    content: str
    data: bytes
    made: float


class Artifacts:
    """Artifacts by the pixels they were made of, their kind and what made them. Equal bytes are stored once.

    Args:
        path: created where missing.
        budget_bytes: the least recently used go first.
        clock: seconds since 1970.

    Raises:
        InputError: the file is something else, damaged, or of another version.
        OutputError: it cannot be opened or created.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, budget_bytes: int = BUDGET_BYTES, clock: Callable[[], float] = time.time
    ) -> None:
        self._vault = Vault(
            path, application=_APPLICATION, what="artifact store", budget_bytes=budget_bytes, clock=clock
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._vault.close()

    def put(
        self, pixels: str, kind: Kind, data: bytes, *, made_by: str, settings: Mapping[str, Any] | None = None
    ) -> str:
        """Store an artifact; return the hash of its bytes.

        Args:
            pixels: what it was made of, see `clip_pixels`.
            kind: one of transcript, embeddings, scene_index, thumbnails, descriptions.
            data: its bytes.
            made_by: the model or the code and its version: another one makes another artifact.
            settings: whatever else changes it.

        Raises:
            InputError: `pixels` is no name of pixels, the kind is unknown, or it is larger than the whole budget.
        """
        key = self._key(pixels, kind, made_by, settings)
        content = hashlib.sha256(data).hexdigest()
        if not self._vault.put(f"data {content}", data):
            raise InputError(
                f"{len(data):,} bytes, the budget is {self._vault.budget_bytes:,}",
                where=kind,
                hint="raise budget_bytes",
            )
        self._vault.put(key, b"", scope=pixels, note=content)
        return content

    def get(
        self, pixels: str, kind: Kind, *, made_by: str, settings: Mapping[str, Any] | None = None
    ) -> Artifact | None:
        """Return an artifact, or None where it was never stored or had to go.

        Raises:
            InputError: `pixels` is no name of pixels, or the kind is unknown.
        """
        key = self._key(pixels, kind, made_by, settings)
        named = self._vault.get(key)
        if named is None:
            return None
        found = self._vault.get(f"data {named.note}")
        if found is None or hashlib.sha256(found.value).hexdigest() != named.note:
            # its bytes went first, or the disk changed them: what is left of it is worth nothing
            self._vault.drop(key=key)
            return None
        return Artifact(content=named.note, data=found.value, made=named.made)

    def first(
        self,
        pixels: str,
        kind: Kind,
        make: Callable[[], bytes],
        *,
        made_by: str,
        settings: Mapping[str, Any] | None = None,
    ) -> tuple[bytes, bool]:
        """Answer from the store, and make the artifact only where it is missing. Errors of `make` pass through.

        Returns:
            The bytes, and whether they were there.
        """
        found = self.get(pixels, kind, made_by=made_by, settings=settings)
        if found is not None:
            return found.data, True
        data = make()
        self.put(pixels, kind, data, made_by=made_by, settings=settings)
        return data, False

    def forget(self, pixels: str) -> int:
        """Remove the names of all artifacts of a clip (a deletion request); their bytes go unless another clip shares them.

        Returns:
            How many names.
        """
        contents = {entry.note for entry in self._vault.of(pixels)}
        gone = self._vault.drop(scope=pixels)
        for content in contents:
            if not self._vault.noted(content):
                self._vault.drop(key=f"data {content}")
        return gone

    @staticmethod
    def _key(pixels: str, kind: str, made_by: str, settings: Mapping[str, Any] | None) -> str:
        if kind not in _KINDS:
            raise InputError(f"no kind {kind}", where="artifact", hint=f"one of {', '.join(_KINDS)}")
        if not pixels:
            raise InputError("no name of pixels", where="artifact", hint="reelwise.reuse.clip_pixels(path)")
        return f"{kind} {request_key(pixels, made_by, kind, settings)}"

    @property
    def bytes(self) -> int:
        """Bytes of artifacts and keys."""
        return self._vault.bytes

    def __len__(self) -> int:
        return len(self._vault)
