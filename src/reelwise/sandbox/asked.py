"""A call as the sandbox understood it, whichever vendor's words it came in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.sandbox.clips import clip_size
from reelwise.sandbox.counting import Family, text_tokens
from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.pictures import picture_size

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.sandbox.clips import ClipSize

__all__ = ["Asked", "Piece", "clip_piece", "picture_piece", "sound_piece", "text_piece"]


class Piece(Struct, frozen=True, kw_only=True):
    """A part of the input, counted.

    Attributes:
        kind: text, image, video or audio.
        tokens: billable tokens of that kind.
        digest: of its bytes and settings.
        sound: tokens of a clip's sound, besides.
        mark: the prefix up to here is to be kept for so many seconds; 0 for not.
    """

    kind: str
    tokens: int
    digest: bytes
    sound: int = 0
    mark: float = 0.0


class Asked(Struct, kw_only=True):
    """One call.

    Attributes:
        maker: openai, google or anthropic.
        model: as prices list it; `named` as it was asked for.
        mode: the tier asked for.
        pieces: the input in order, instructions first.
        prompt: all of its text; `question` is the last of it.
        schema: a JSON Schema that the answer follows.
        most: tokens of output at most.
        stream: whether it is answered bit by bit.
        logprobs: whether probabilities are asked for.
        variant: what makes equal calls differ: a seed; None where a temperature above 0 draws anew each time.
        kept: tokens by kind of an explicit cache that it reads, its digest in front of the pieces.
        identity: the caller's id of the call.
        key: whose call it is.
        batch: whether it is a row of a batch.
        cache_key: prefixes are kept by it.
    """

    maker: str
    model: str
    named: str
    pieces: list[Piece]
    prompt: str
    question: str = ""
    mode: str = "standard"
    schema: Any = None
    most: int | None = None
    stream: bool = False
    logprobs: bool = False
    variant: int | None = 0
    kept: list[Piece] = []
    identity: str = ""
    key: str = ""
    batch: bool = False
    cache_key: str = ""

    @property
    def digest(self) -> bytes:
        """Of the whole call: equal calls, equal digests."""
        made = hashlib.blake2b(f"{self.maker}/{self.model}/{self.mode}/{self.stream}".encode(), digest_size=16)
        for piece in (*self.kept, *self.pieces):
            made.update(piece.digest)
        return made.digest()

    @property
    def item(self) -> bytes:
        """Of what is shown, whatever is asked."""
        made = hashlib.blake2b(digest_size=16)
        for piece in (*self.kept, *self.pieces):
            if piece.kind != "text":
                made.update(piece.digest)
        return made.digest()


def _digest(data: bytes | Path, *settings: Any) -> bytes:
    made = hashlib.blake2b(repr(settings).encode(), digest_size=16)
    if isinstance(data, bytes):
        made.update(data)
    else:
        with data.open("rb") as file:
            while chunk := file.read(1 << 20):
                made.update(chunk)
    return made.digest()


def text_piece(text: str, mark: float = 0.0) -> Piece:
    """Count a text."""
    return Piece(kind="text", tokens=text_tokens(text), digest=_digest(text.encode(), "text"), mark=mark)


def picture_piece(family: Family, data: bytes, detail: str, mark: float = 0.0) -> Piece:
    """Count a picture by the size that its own bytes say.

    Raises:
        BadRequestError: no picture.
    """
    size = picture_size(data)
    if size is None:
        raise BadRequestError("the image data you provided does not represent a valid image", code="invalid_image")
    return Piece(kind="image", tokens=family.picture(*size, detail), digest=_digest(data, "image", detail), mark=mark)


def clip_piece(
    family: Family, data: bytes | Path, *, fps: float | None, start: float | None, stop: float | None, detail: str
) -> Piece:
    """Count a clip by what its container says.

    Raises:
        BadRequestError: no clip, or a stretch that is not in it.
    """
    size = _clip(data)
    if not size.width:
        raise BadRequestError("the video has no picture")
    begin, end = start or 0.0, min(stop if stop is not None else size.seconds, size.seconds)
    if not 0 <= begin < end:
        raise BadRequestError("videoMetadata: the offsets are outside of the video")
    sound = 0
    if size.sound_seconds:
        heard = min(end, size.sound_seconds) - begin
        sound = family.sound(max(heard, 0.0))
    tokens = family.clip(end - begin, size.width, size.height, fps, detail)
    return Piece(kind="video", tokens=tokens, sound=sound, digest=_digest(data, "video", fps, start, stop, detail))


def sound_piece(family: Family, data: bytes | Path) -> Piece:
    """Count sound by what its container says.

    Raises:
        BadRequestError: none.
    """
    size = _clip(data)
    if not size.sound_seconds:
        raise BadRequestError("the audio cannot be read")
    return Piece(kind="audio", tokens=family.sound(size.sound_seconds), digest=_digest(data, "audio"))


def _clip(data: bytes | Path) -> ClipSize:
    size = clip_size(data)
    if size is None:
        raise BadRequestError("the video cannot be read", code="invalid_video")
    return size
