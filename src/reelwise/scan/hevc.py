"""HEVC slice segment headers up to slice_qp_delta (ITU-T H.265 7.3.2.2, 7.3.2.3, 7.3.6.1, 7.3.7)."""

from __future__ import annotations

from msgspec import Struct

from reelwise.scan.bits import BitReader, HeaderError, without_escapes

__all__ = ["Picture", "Sequence", "picture_set", "sequence_set", "slice_qp"]

_SETS_MAX = 64
_REFERENCES_MAX = 16


class Short(Struct, frozen=True):
    """A short-term reference picture set: distances in output order and whether the current picture uses each."""

    distances: tuple[int, ...]
    used: tuple[bool, ...]


class Sequence(Struct, frozen=True):
    """What a slice header needs of its sequence parameter set."""

    number: int
    chroma: int
    separate_planes: bool
    blocks: int
    order_bits: int
    adaptive_offset: bool
    sets: tuple[Short, ...]
    long_terms: tuple[bool, ...] | None
    temporal: bool


class Picture(Struct, frozen=True):
    """What a slice header needs of its picture parameter set."""

    number: int
    sequence: int
    dependent: bool
    output_present: bool
    extra_bits: int
    cabac_init: bool
    references: tuple[int, int]
    qp: int
    chroma_offsets: bool
    weighted: bool
    weighted_between: bool
    lists_change: bool


def _skip_profile(read: BitReader, layers: int) -> None:
    read.bits(88)
    read.bits(8)
    present = [(read.bits(1), read.bits(1)) for _ in range(layers)]
    if layers:
        read.bits(2 * (8 - layers))
    for profile, level in present:
        if profile:
            read.bits(88)
        if level:
            read.bits(8)


def _skip_scaling(read: BitReader) -> None:
    for size in range(4):
        for _ in range(0, 6, 3 if size == 3 else 1):
            if not read.bits(1):
                read.ue()
                continue
            if size > 1:
                read.se()
            for _ in range(min(64, 1 << (4 + (size << 1)))):
                read.se()


def _short_set(read: BitReader, index: int, known: list[Short], *, in_slice: bool) -> Short:
    if index and read.bits(1):
        back = read.ue() + 1 if in_slice else 1
        if back > index:
            raise HeaderError("reference set out of range")
        sign = read.bits(1)
        delta = (1 - 2 * sign) * (read.ue() + 1)
        base = known[index - back]
        found: list[tuple[int, bool]] = []
        for distance in (*base.distances, 0):
            used = bool(read.bits(1))
            kept = used or bool(read.bits(1))
            if kept and distance + delta:
                found.append((distance + delta, used))
        # negative distances first, nearest first, as the standard orders them
        found.sort(key=lambda one: (one[0] > 0, abs(one[0])))
        return Short(tuple(d for d, _ in found), tuple(u for _, u in found))
    before, after = read.ue(), read.ue()
    if before + after > _REFERENCES_MAX:
        raise HeaderError("too many references")
    distances: list[int] = []
    used_by: list[bool] = []
    for count, sign in ((before, -1), (after, 1)):
        at = 0
        for _ in range(count):
            at += sign * (read.ue() + 1)
            distances.append(at)
            used_by.append(bool(read.bits(1)))
    return Short(tuple(distances), tuple(used_by))


def sequence_set(unit: bytes) -> Sequence:  # noqa: C901 - a header, field by field
    """Read a sequence parameter set (a NAL unit with its two header bytes)."""
    read = BitReader(without_escapes(unit[2:]))
    read.bits(4)
    layers = read.bits(3)
    read.bits(1)
    _skip_profile(read, layers)
    number = read.ue()
    chroma = read.ue()
    separate = bool(read.bits(1)) if chroma == 3 else False
    width, height = read.ue(), read.ue()
    if read.bits(1):
        for _ in range(4):
            read.ue()
    read.ue()
    read.ue()
    order_bits = read.ue() + 4
    for _ in range(1 if not read.bits(1) else layers + 1):
        read.ue()
        read.ue()
        read.ue()
    smallest = read.ue() + 3
    block = smallest + read.ue()
    for _ in range(4):
        read.ue()
    if read.bits(1) and read.bits(1):
        _skip_scaling(read)
    read.bits(1)
    offset = bool(read.bits(1))
    if read.bits(1):
        read.bits(8)
        read.ue()
        read.ue()
        read.bits(1)
    count = read.ue()
    if count > _SETS_MAX:
        raise HeaderError("too many reference sets")
    sets: list[Short] = []
    for index in range(count):
        sets.append(_short_set(read, index, sets, in_slice=False))
    long_terms = None
    if read.bits(1):
        many = read.ue()
        if many > 32:
            raise HeaderError("too many long-term references")
        long_terms = tuple(bool(read.bits(order_bits + 1) & 1) for _ in range(many))
    side = 1 << block
    blocks = -(-width // side) * -(-height // side)
    return Sequence(
        number, chroma, separate, blocks, order_bits, offset, tuple(sets), long_terms, temporal=bool(read.bits(1))
    )


def picture_set(unit: bytes) -> Picture:
    """Read a picture parameter set (a NAL unit with its two header bytes)."""
    read = BitReader(without_escapes(unit[2:]))
    number, sequence = read.ue(), read.ue()
    dependent, output_present = bool(read.bits(1)), bool(read.bits(1))
    extra = read.bits(3)
    read.bits(1)
    cabac_init = bool(read.bits(1))
    references = (read.ue() + 1, read.ue() + 1)
    qp = 26 + read.se()
    read.bits(2)
    if read.bits(1):
        read.ue()
    read.se()
    read.se()
    chroma_offsets = bool(read.bits(1))
    weighted, between = bool(read.bits(1)), bool(read.bits(1))
    read.bits(1)
    tiles, _ = read.bits(1), read.bits(1)
    if tiles:
        columns, rows = read.ue(), read.ue()
        if columns + rows > 128:
            raise HeaderError("too many tiles")
        if not read.bits(1):
            for _ in range(columns + rows):
                read.ue()
        read.bits(1)
    read.bits(1)
    if read.bits(1):
        read.bits(1)
        if not read.bits(1):
            read.se()
            read.se()
    if read.bits(1):
        _skip_scaling(read)
    return Picture(
        number, sequence, dependent, output_present, extra, cabac_init, references, qp, chroma_offsets, weighted,
        between, lists_change=bool(read.bits(1)),
    )  # fmt: skip


def slice_qp(unit: bytes, sequences: dict[int, Sequence], pictures: dict[int, Picture]) -> int:
    """Read the quantiser with which the first slice of a picture starts, from the front of its NAL unit.

    Raises:
        HeaderError: the header cannot be read, names an unknown parameter set, or is not a picture's first.
    """
    kind = unit[0] >> 1 & 63
    read = BitReader(without_escapes(unit[2:]))
    if not read.bits(1):
        raise HeaderError("not the first slice of its picture")
    if 16 <= kind <= 23:
        read.bits(1)
    picture = pictures.get(read.ue())
    sequence = sequences.get(picture.sequence) if picture else None
    if picture is None or sequence is None:
        raise HeaderError("parameter set is missing")
    read.bits(picture.extra_bits)
    slice_type = read.ue()  # 0 B, 1 P, 2 I
    if picture.output_present:
        read.bits(1)
    if sequence.separate_planes:
        read.bits(2)
    in_use, motion_from_before = 0, False
    if kind not in {19, 20}:
        in_use, motion_from_before = _references(read, sequence)
    planes = sequence.chroma != 0 and not sequence.separate_planes
    if sequence.adaptive_offset:
        read.bits(2 if planes else 1)
    if slice_type != 2:
        _skip_prediction(read, slice_type, picture, in_use, planes=planes, from_before=motion_from_before)
    return picture.qp + read.se()


def _references(read: BitReader, sequence: Sequence) -> tuple[int, bool]:
    """Return how many pictures the current one may refer to, and whether motion is predicted from an earlier one."""
    read.bits(sequence.order_bits)
    sets = list(sequence.sets)
    if not read.bits(1):
        short = _short_set(read, len(sets), sets, in_slice=True)
    else:
        short = sets[read.bits((len(sets) - 1).bit_length()) if len(sets) > 1 else 0]
    in_use = sum(short.used)
    if sequence.long_terms is not None:
        many = len(sequence.long_terms)
        listed = read.ue() if many else 0
        own = read.ue()
        if listed + own > 33:
            raise HeaderError("too many long-term references")
        for index in range(listed + own):
            if index < listed:
                at = read.bits((many - 1).bit_length()) if many > 1 else 0
                in_use += sequence.long_terms[at] if at < many else 0
            else:
                read.bits(sequence.order_bits)
                in_use += read.bits(1)
            if read.bits(1):
                read.ue()
    return in_use, bool(read.bits(1)) if sequence.temporal else False


def _skip_prediction(  # noqa: C901 - a header, field by field
    read: BitReader, slice_type: int, picture: Picture, in_use: int, *, planes: bool, from_before: bool
) -> None:
    counts = picture.references
    if read.bits(1):
        counts = (read.ue() + 1, read.ue() + 1 if slice_type == 0 else counts[1])
    if max(counts) > _REFERENCES_MAX:
        raise HeaderError("too many references")
    lists = counts if slice_type == 0 else counts[:1]
    if picture.lists_change and in_use > 1:
        for count in lists:
            if read.bits(1):
                read.bits(count * (in_use - 1).bit_length())
    if slice_type == 0:
        read.bits(1)
    if picture.cabac_init:
        read.bits(1)
    if from_before:
        from_first = bool(read.bits(1)) if slice_type == 0 else True
        if counts[0 if from_first else 1] > 1:
            read.ue()
    if (picture.weighted and slice_type == 1) or (picture.weighted_between and slice_type == 0):
        _skip_weights(read, lists, planes=planes)
    read.ue()


def _skip_weights(read: BitReader, lists: tuple[int, ...], *, planes: bool) -> None:
    # flags are present for every entry: a picture cannot refer to itself without extensions
    read.ue()
    if planes:
        read.se()
    for count in lists:
        luma = [read.bits(1) for _ in range(count)]
        chroma = [read.bits(1) if planes else 0 for _ in range(count)]
        for index in range(count):
            if luma[index]:
                read.se()
                read.se()
            if chroma[index]:
                for _ in range(4):
                    read.se()
