"""The size of a picture, read from its own bytes: JPEG, PNG, GIF and WebP."""

from __future__ import annotations

import struct

__all__ = ["picture_size"]

_SEGMENTS_MAX = 10_000
_NO_FRAME = {0xC4, 0xC8, 0xCC}


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels; None where these bytes are no such picture."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            size: tuple[int, int] | None = struct.unpack(">II", data[16:24])
        elif data.startswith(b"\xff\xd8"):
            size = _jpeg(data)
        elif data[:6] in {b"GIF87a", b"GIF89a"}:
            size = struct.unpack("<HH", data[6:10])
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            size = _webp(data)
        else:
            size = None
    except (struct.error, IndexError):
        return None
    return size if size is not None and min(size) > 0 else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk the segments up to the start of a frame; pictures on their side are counted as they are stored."""
    at = 2
    for _ in range(_SEGMENTS_MAX):
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        length = struct.unpack(">H", data[at + 1 : at + 3])[0]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack(">HH", data[at + 4 : at + 8])
            return width, height
        at += 1 + length
        if data[at] != 0xFF:
            return None
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack("<I", data[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    return None
