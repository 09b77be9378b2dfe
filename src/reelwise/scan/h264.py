"""H.264 slice headers up to slice_qp_delta (ITU-T H.264 7.3.2.1, 7.3.2.2, 7.3.3); nothing of the entropy-coded data is read."""

from __future__ import annotations

from msgspec import Struct

from reelwise.scan.bits import BitReader, HeaderError, without_escapes

__all__ = ["Picture", "Sequence", "picture_set", "sequence_set", "slice_qp"]

_CHROMA_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_OPERATIONS_MAX = 70


class Sequence(Struct, frozen=True):
    """What a slice header needs of its sequence parameter set."""

    number: int
    separate_planes: bool
    frame_bits: int
    order_type: int
    order_bits: int
    order_always_zero: bool
    frames_only: bool


class Picture(Struct, frozen=True):
    """What a slice header needs of its picture parameter set."""

    number: int
    sequence: int
    cabac: bool
    order_present: bool
    references: tuple[int, int]
    weighted: bool
    weighted_between: int
    qp: int
    redundant: bool


def _skip_scaling_lists(read: BitReader, count: int) -> None:
    for index in range(count):
        if not read.bits(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + read.se()) % 256
            last = following or last


def sequence_set(unit: bytes) -> Sequence:
    """Read a sequence parameter set (a NAL unit with its header byte)."""
    read = BitReader(without_escapes(unit[1:]))
    profile = read.bits(8)
    read.bits(16)
    number = read.ue()
    separate = False
    if profile in _CHROMA_PROFILES:
        chroma = read.ue()
        if chroma == 3:
            separate = bool(read.bits(1))
        read.ue()
        read.ue()
        read.bits(1)
        if read.bits(1):
            _skip_scaling_lists(read, 12 if chroma == 3 else 8)
    frame_bits = read.ue() + 4
    order_type = read.ue()
    order_bits, always_zero = 0, False
    if order_type == 0:
        order_bits = read.ue() + 4
    elif order_type == 1:
        always_zero = bool(read.bits(1))
        read.se()
        read.se()
        for _ in range(min(read.ue(), 255)):
            read.se()
    read.ue()
    read.bits(1)
    read.ue()
    read.ue()
    return Sequence(number, separate, frame_bits, order_type, order_bits, always_zero, bool(read.bits(1)))


def picture_set(unit: bytes) -> Picture:
    """Read a picture parameter set (a NAL unit with its header byte)."""
    read = BitReader(without_escapes(unit[1:]))
    number, sequence = read.ue(), read.ue()
    cabac, order_present = bool(read.bits(1)), bool(read.bits(1))
    if read.ue():
        raise HeaderError("slice groups are not supported")
    references = (read.ue() + 1, read.ue() + 1)
    weighted, between = bool(read.bits(1)), read.bits(2)
    qp = 26 + read.se()
    read.se()
    read.se()
    read.bits(2)
    return Picture(
        number, sequence, cabac, order_present, references, weighted, between, qp, redundant=bool(read.bits(1))
    )


def slice_qp(unit: bytes, sequences: dict[int, Sequence], pictures: dict[int, Picture]) -> int:  # noqa: C901 - a header, field by field
    """Read the quantiser with which a slice starts, from the front of its NAL unit.

    Raises:
        HeaderError: the header cannot be read, or names a parameter set that is not known.
    """
    kind, reference = unit[0] & 31, unit[0] >> 5 & 3
    read = BitReader(without_escapes(unit[1:]))
    read.ue()
    slice_type = read.ue() % 5  # 0 P, 1 B, 2 I, 3 SP, 4 SI
    picture = pictures.get(read.ue())
    sequence = sequences.get(picture.sequence) if picture else None
    if picture is None or sequence is None:
        raise HeaderError("parameter set is missing")
    if sequence.separate_planes:
        read.bits(2)
    read.bits(sequence.frame_bits)
    field = False
    if not sequence.frames_only:
        field = bool(read.bits(1))
        if field:
            read.bits(1)
    if kind == 5:
        read.ue()
    if sequence.order_type == 0:
        read.bits(sequence.order_bits)
        if picture.order_present and not field:
            read.se()
    elif sequence.order_type == 1 and not sequence.order_always_zero:
        read.se()
        if picture.order_present and not field:
            read.se()
    if picture.redundant:
        read.ue()
    _skip_references(read, slice_type, picture, chroma=not sequence.separate_planes)
    if reference:
        _skip_marking(read, fresh=kind == 5)
    if picture.cabac and slice_type not in {2, 4}:
        read.ue()
    return picture.qp + read.se()


def _skip_references(read: BitReader, slice_type: int, picture: Picture, *, chroma: bool) -> None:
    if slice_type == 1:
        read.bits(1)
    counts = picture.references
    if slice_type not in {0, 1, 3}:
        return
    if read.bits(1):
        counts = (read.ue() + 1, read.ue() + 1 if slice_type == 1 else counts[1])
    for _ in range(2 if slice_type == 1 else 1):
        if read.bits(1):
            for _ in range(_OPERATIONS_MAX):
                if read.ue() == 3:
                    break
                read.ue()
    lists = counts if slice_type == 1 else counts[:1]
    if (picture.weighted and slice_type != 1) or (picture.weighted_between == 1 and slice_type == 1):
        _skip_weights(read, lists, chroma=chroma)


def _skip_weights(read: BitReader, lists: tuple[int, ...], *, chroma: bool) -> None:
    read.ue()
    if chroma:
        read.ue()
    for count in lists:
        if count > 32:
            raise HeaderError("too many references")
        for _ in range(count):
            if read.bits(1):
                read.se()
                read.se()
            if chroma and read.bits(1):
                for _ in range(4):
                    read.se()


def _skip_marking(read: BitReader, *, fresh: bool) -> None:
    if fresh:
        read.bits(2)
        return
    if not read.bits(1):
        return
    for _ in range(_OPERATIONS_MAX):
        operation = read.ue()
        if operation == 0:
            return
        read.ue()
        if operation == 3:
            read.ue()
