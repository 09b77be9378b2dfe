"""Rows as CSV or Parquet, page by page: memory does not grow with the ledger."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Any

from reelwise.errors import MissingExtraError, OutputError
from reelwise.ledger.queries import NAMES, Row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["write_csv", "write_parquet"]

_TEXT = NAMES[2:17]


def _flat(row: Row) -> dict[str, Any]:
    return {**row, "tags": json.dumps(row["tags"]) if row["tags"] else ""}


def write_csv(pages: Iterable[list[Row]], out: Path) -> int:
    """Write rows as CSV with a header; `-` writes to standard output. Returns how many.

    Raises:
        OutputError: the file cannot be written; no half of it is left.
    """
    if str(out) == "-":
        writer = csv.DictWriter(sys.stdout, NAMES, lineterminator="\n")
        return _rows(writer, pages)
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            count = _rows(csv.DictWriter(file, NAMES, lineterminator="\n"), pages)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write: {error.strerror}", where=str(out), hint="name another place with --out"
        ) from None
    return count


def _rows(writer: csv.DictWriter[str], pages: Iterable[list[Row]]) -> int:
    count = 0
    writer.writeheader()
    for page in pages:
        writer.writerows(_flat(one) for one in page)
        count += len(page)
    return count


def write_parquet(pages: Iterable[list[Row]], out: Path) -> int:
    """Write rows as Parquet: text and 64-bit whole numbers. Returns how many.

    Raises:
        MissingExtraError: pyarrow is not installed.
        OutputError: the file cannot be written; no half of it is left.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(
            "Parquet needs pyarrow", where="--format parquet", hint="pip install 'reelwise[analytics]'"
        ) from None
    schema = pa.schema([(name, pa.string() if name in _TEXT else pa.int64()) for name in NAMES])
    part = out.with_name(f".{out.name}.part")
    count = 0
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for page in pages:
                writer.write_table(pa.Table.from_pylist([_flat(one) for one in page], schema=schema))
                count += len(page)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write: {error.strerror or error}", where=str(out), hint="name another place"
        ) from None
    return count
