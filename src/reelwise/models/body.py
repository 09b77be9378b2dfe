"""Bodies of requests that are sent in pieces: files go from the disk to the wire, as they are or in base64, and are never whole in memory."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelwise.models.work import Source

__all__ = ["Body", "FilePiece", "Inliner", "file_body", "json_body", "multipart"]

_CHUNK = 192 * 1024  # a multiple of three, so that base64 needs no padding between chunks


class FilePiece(Struct, frozen=True, kw_only=True):
    """A file, or a stretch of it, as it is or in base64.

    Attributes:
        path: the file.
        size: bytes of the file that are sent.
        offset: the first of them.
        base64: whether they are sent in base64.
    """

    path: str
    size: int
    offset: int = 0
    base64: bool = False

    @property
    def length(self) -> int:
        """Bytes on the wire."""
        return 4 * ((self.size + 2) // 3) if self.base64 else self.size

    def chunks(self) -> Iterator[bytes]:
        """Read it in pieces.

        Raises:
            InputError: the file became shorter, or went away.
        """
        left = self.size
        try:
            with Path(self.path).open("rb") as file:
                file.seek(self.offset)
                while left > 0:
                    data = file.read(min(_CHUNK, left))
                    if not data:
                        raise InputError("became shorter while it was sent", where=self.path, hint="send it again")
                    left -= len(data)
                    yield base64.b64encode(data) if self.base64 else data
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=self.path, hint="check the file") from None


Piece: TypeAlias = bytes | FilePiece


class Body(Struct, frozen=True, kw_only=True):
    """A body of known length.

    Attributes:
        pieces: in order.
        mime: its media type.
    """

    pieces: tuple[Piece, ...]
    mime: str = "application/json"

    @property
    def length(self) -> int:
        """Bytes on the wire."""
        return sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in self.pieces)

    def chunks(self) -> Iterator[bytes]:
        """Yield it in pieces of bounded size, from the beginning each time."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from piece.chunks()

    def whole(self) -> bytes:
        """Return it in one piece, for tests and small bodies."""
        return b"".join(self.chunks())


class Inliner:
    """Stands in for the bytes of pictures and clips in a JSON document, until it is sent."""

    def __init__(self) -> None:
        self._mark = f"@{secrets.token_hex(12)}:"
        self._pieces: list[Piece] = []

    def base64(self, source: Source) -> str:
        """Return what stands for a source's bytes in base64."""
        if source.path:
            piece: Piece = FilePiece(path=source.path, size=source.bytes_count, base64=True)
        else:
            piece = base64.b64encode(source.data)
        self._pieces.append(piece)
        return f"{self._mark}{len(self._pieces) - 1:06d}@"

    def data_uri(self, source: Source) -> str:
        """Return an address that holds the bytes; an address stays as it is."""
        return source.uri or f"data:{source.mime};base64,{self.base64(source)}"

    def pieces(self, document: Any) -> Iterator[Piece]:
        """Encode a document, with the bytes in their places."""
        text = msgspec.json.encode(document)
        mark = self._mark.encode()
        head, *rest = text.split(mark)
        yield head
        for part in rest:
            yield self._pieces[int(part[:6])]
            yield part[7:]


def json_body(document: Any, inliner: Inliner | None = None) -> Body:
    """Make a body of a document; `inliner` is the one that its bytes were put into."""
    if inliner is None:
        return Body(pieces=(msgspec.json.encode(document),))
    return Body(pieces=tuple(inliner.pieces(document)))


def file_body(source: Source) -> Body:
    """Make a body of a source's bytes."""
    if source.path:
        piece: Piece = FilePiece(path=source.path, size=source.bytes_count)
    else:
        piece = source.data
    return Body(pieces=(piece,), mime=source.mime or "application/octet-stream")


def multipart(fields: Sequence[tuple[str, str]], name: str, filename: str, source: Source) -> Body:
    """Make a form with a file in it.

    Args:
        fields: names and values in front of the file.
        name: the file's field.
        filename: what the file is called; quotes and line ends are taken out.
        source: its bytes.
    """
    edge = secrets.token_hex(16)
    head = "".join(
        f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields
    )
    safe = "".join(c for c in filename if c.isprintable() and c not in '"\\')[:200] or "file"
    head += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{safe}"\r\n'
    head += f"Content-Type: {source.mime or 'application/octet-stream'}\r\n\r\n"
    return Body(
        pieces=(head.encode(), *file_body(source).pieces, f"\r\n--{edge}--\r\n".encode()),
        mime=f"multipart/form-data; boundary={edge}",
    )
