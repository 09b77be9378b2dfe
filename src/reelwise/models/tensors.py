"""Read a .safetensors file: a header in JSON, then plain numbers. Nothing in it can run."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_file", "read_tensors", "tensor_names"]

_LARGEST: Final = 1_500_000_000
_HEADER_LARGEST: Final = 10_000_000
_HINT: Final = "name a folder that holds model.safetensors"
_TYPES: Final[dict[str, Any]] = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "I8": np.int8,
}  # fmt: skip


class _Entry(Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read_file(path: Path, *, largest: int = _LARGEST, hint: str) -> bytes:
    """Read a file of a model.

    Raises:
        InputError: missing, unreadable or too large.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(largest + 1)
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", where=str(path), hint=hint) from None
    except ValueError:  # a NUL in the name
        raise InputError("no file can have this name", where=repr(str(path)), hint=hint) from None
    if len(raw) > largest:
        raise InputError(f"larger than {largest:,} bytes", where=str(path), hint=hint)
    return raw


def _header(raw: bytes, path: Path) -> tuple[dict[str, _Entry], int]:
    """Return the entries of a file's header, and where its numbers begin."""
    size = int.from_bytes(raw[:8], "little")
    hint = "fetch the file again"
    if not 0 < size <= min(_HEADER_LARGEST, len(raw) - 8):
        raise InputError("is no .safetensors file", where=str(path), hint=hint)
    try:
        header = msgspec.json.decode(raw[8 : 8 + size], type=dict[str, msgspec.Raw])
        entries = {
            name: msgspec.json.decode(entry, type=_Entry) for name, entry in header.items() if name != "__metadata__"
        }
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InputError(f"a damaged header: {error}", where=str(path), hint=hint) from None
    return entries, 8 + size


def tensor_names(path: Path) -> frozenset[str]:
    """Return the names of a file's arrays.

    Raises:
        InputError: see `read_tensors`.
    """
    return frozenset(_header(read_file(path, hint=_HINT), path)[0])


def read_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], str]:
    """Return the arrays of a file by name, and its sha256 in hex. The arrays are views of the file's bytes.

    Raises:
        InputError: missing, too large, damaged, or of a type that is not read (bfloat16 is not).
    """
    raw = read_file(path, hint=_HINT)
    entries, begin = _header(raw, path)
    found = {}
    for name, entry in entries.items():
        kind = _TYPES.get(entry.dtype)
        if kind is None:
            raise InputError(f"{name} is of type {entry.dtype}", where=str(path), hint=f"known: {', '.join(_TYPES)}")
        start, stop = (begin + at for at in entry.data_offsets)
        count = math.prod(entry.shape) if all(one >= 0 for one in entry.shape) else -1
        if not begin <= start <= stop <= len(raw) or count * np.dtype(kind).itemsize != stop - start:
            raise InputError(f"{name} does not lie in the file", where=str(path), hint="fetch the file again")
        found[name] = np.frombuffer(raw, kind, count, start).reshape(entry.shape)
    return found, hashlib.sha256(raw).hexdigest()
