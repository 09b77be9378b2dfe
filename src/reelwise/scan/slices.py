"""Slice quantisers from packets, in both framings: start codes (Annex B) and lengths (avcC, hvcC)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.scan import h264, hevc
from reelwise.scan.bits import HeaderError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SliceReader"]

_HEAD = 120  # bytes of a slice that hold its header
_UNITS_MAX = 64
_SETS_MAX = 64  # parameter sets remembered

NOT_KNOWN = float("nan")


class SliceReader:
    """Reads the quantiser of each packet's first slice.

    Args:
        is_hevc: HEVC, otherwise H.264.
        extradata: the container's parameter sets; empty where they come in the stream.
    """

    def __init__(self, *, is_hevc: bool, extradata: bytes) -> None:
        self._hevc = is_hevc
        self._h264_sequences: dict[int, h264.Sequence] = {}
        self._h264_pictures: dict[int, h264.Picture] = {}
        self._hevc_sequences: dict[int, hevc.Sequence] = {}
        self._hevc_pictures: dict[int, hevc.Picture] = {}
        self._length = 0  # bytes of a length; 0 for start codes
        for unit in self._configuration(extradata):
            self._learn(unit)

    @staticmethod
    def of(codec: str, extradata: bytes | None) -> SliceReader | None:
        """Make a reader for a codec by libav's name; None where its headers are not read here."""
        if codec not in {"h264", "hevc"}:
            return None
        return SliceReader(is_hevc=codec == "hevc", extradata=bytes(extradata or b""))

    def _configuration(self, data: bytes) -> list[bytes]:
        if not data or data[0] != 1:
            return [data[a:b] for a, b in _between_start_codes(data, len(data))]
        units: list[bytes] = []
        if self._hevc:
            if len(data) < 23:
                return []
            self._length = (data[21] & 3) + 1
            at = 23
            for _ in range(data[22]):
                count = int.from_bytes(data[at + 1 : at + 3], "big")
                at = _take(data, at + 3, min(count, _SETS_MAX), units)
            return units
        if len(data) < 7:
            return []
        self._length = (data[4] & 3) + 1
        at = _take(data, 6, data[5] & 31, units)
        if at < len(data):
            _take(data, at + 1, data[at], units)
        return units

    def _learn(self, unit: bytes) -> None:
        """Remember a parameter set; other units and broken sets are passed over."""
        if len(unit) < 3:
            return
        try:
            if self._hevc:
                kind = unit[0] >> 1 & 63
                if kind == 33:
                    sequence = hevc.sequence_set(unit)
                    _remember(self._hevc_sequences, sequence.number, sequence)
                elif kind == 34:
                    picture = hevc.picture_set(unit)
                    _remember(self._hevc_pictures, picture.number, picture)
                return
            kind = unit[0] & 31
            if kind == 7:
                one = h264.sequence_set(unit)
                _remember(self._h264_sequences, one.number, one)
            elif kind == 8:
                other = h264.picture_set(unit)
                _remember(self._h264_pictures, other.number, other)
        except HeaderError:
            return

    def qp(self, packet: Any) -> float:
        """Return the quantiser of a packet's first slice; nan where it cannot be read.

        Args:
            packet: bytes, or what has a buffer: a packet of PyAV.
        """
        data = memoryview(packet)
        for start, stop in self._units(data):
            first = data[start]
            try:
                if self._hevc:
                    kind = first >> 1 & 63
                    if kind < 32:
                        unit = bytes(data[start : min(stop, start + _HEAD)])
                        return float(hevc.slice_qp(unit, self._hevc_sequences, self._hevc_pictures))
                    parameters = kind in {33, 34}
                else:
                    kind = first & 31
                    if kind in {1, 5}:
                        unit = bytes(data[start : min(stop, start + _HEAD)])
                        return float(h264.slice_qp(unit, self._h264_sequences, self._h264_pictures))
                    parameters = kind in {7, 8}
            except HeaderError:
                return NOT_KNOWN
            if parameters:
                self._learn(bytes(data[start:stop]))
        return NOT_KNOWN

    def _units(self, data: memoryview) -> Iterator[tuple[int, int]]:
        size = len(data)
        if not self._length:
            yield from _between_start_codes(bytes(data), size)
            return
        at = 0
        for _ in range(_UNITS_MAX):
            start = at + self._length
            if start + 2 > size:
                return
            stop = start + int.from_bytes(data[at:start], "big")
            if stop > size or stop <= start:
                return
            yield start, stop
            at = stop


def _remember(into: dict[int, Any], number: int, value: Any) -> None:
    if number in into or len(into) < _SETS_MAX:
        into[number] = value


def _take(data: bytes, at: int, count: int, units: list[bytes]) -> int:
    for _ in range(count):
        length = int.from_bytes(data[at : at + 2], "big")
        units.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return at


def _between_start_codes(data: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Yield where NAL units lie in a byte stream; the last one found last."""
    at = data.find(b"\x00\x00\x01")
    for _ in range(_UNITS_MAX):
        if at < 0 or at + 5 > size:
            return
        following = data.find(b"\x00\x00\x01", at + 3)
        yield at + 3, size if following < 0 else following
        at = following
