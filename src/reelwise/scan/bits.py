"""Bits of a slice header: fixed lengths and Exp-Golomb codes, behind the bytes that keep start codes unique."""

from __future__ import annotations

__all__ = ["BitReader", "HeaderError", "without_escapes"]

_ZEROS_MAX = 31


class HeaderError(ValueError):
    """A parameter set or slice header that cannot be read; the caller goes on without it."""


def without_escapes(data: bytes) -> bytes:
    """Take out the emulation prevention bytes of a NAL unit."""
    return data.replace(b"\x00\x00\x03", b"\x00\x00")


class BitReader:
    """Reads bits from the front of some bytes."""

    __slots__ = ("_length", "_value", "at")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._length = len(data) * 8
        self.at = 0

    def bits(self, count: int) -> int:
        """Read an unsigned number of `count` bits."""
        self.at += count
        if self.at > self._length:
            raise HeaderError("ends too early")
        return (self._value >> (self._length - self.at)) & ((1 << count) - 1)

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb code."""
        zeros = 0
        while self.bits(1) == 0:
            zeros += 1
            if zeros > _ZEROS_MAX:
                raise HeaderError("no Exp-Golomb code")
        return (1 << zeros) - 1 + (self.bits(zeros) if zeros else 0)

    def se(self) -> int:
        """Read a signed Exp-Golomb code."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
