"""Rows as CSV or Parquet, page by page: memory does not grow with the ledger.

Beside the exact whole numbers (nano-USD, milliseconds) each row has `cost_usd` and `avoided_usd` (exact decimals), and `when_utc`.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reelwise.errors import InputError, MissingExtraError, OutputError
from reelwise.ledger.queries import NAMES, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["FIELDS", "write_csv", "write_parquet"]

_MONEY = ("cost_usd", "avoided_usd")
FIELDS: tuple[str, ...] = ("number", "when_utc", *NAMES[2:17], *_MONEY, "at_ms", *NAMES[17:])
"""What each row has, in this order."""

_TEXT = (*NAMES[2:17], "when_utc", "id_hash")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _flat(row: Row) -> dict[str, Any]:
    when = dt.datetime.fromtimestamp(row["at_ms"] // 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {
        **row,
        "tags": json.dumps(row["tags"]) if row["tags"] else "",
        "when_utc": f"{when}.{row['at_ms'] % 1000:03d}Z",
        "cost_usd": Decimal(row["cost_nano"]).scaleb(-9),
        "avoided_usd": Decimal(row["avoided_nano"]).scaleb(-9),
    }


def _for_csv(row: Row) -> dict[str, Any]:
    """Return a row whose text no spreadsheet takes for a formula: such a cell begins with a '."""
    flat = _flat(row)
    for name in _MONEY:
        flat[name] = f"{flat[name]:.9f}"
    for name in _TEXT:
        if flat[name].startswith(_FORMULA):
            flat[name] = f"'{flat[name]}"
    return flat


def write_csv(pages: Iterable[list[Row]], out: Path) -> int:
    """Write rows as CSV with a header; `-` writes to standard output. Returns how many.

    Raises:
        OutputError: the file cannot be written; no half of it is left.
    """
    if str(out) == "-":
        return _rows(csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n"), pages)
    with _whole(out) as part, part.open("w", encoding="utf-8", newline="") as file:
        return _rows(csv.DictWriter(file, FIELDS, lineterminator="\n"), pages)


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Give a name to write to; it becomes `out` when all went well, and is removed when anything did not."""
    if not out.name or out.is_dir():
        raise OutputError("a folder, not a file", where=str(out), hint="name a file in it")
    part = out.with_name(f".{out.name}.part")
    try:
        yield part
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write: {error.strerror or error}", where=str(out), hint="name another place with --out"
        ) from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _rows(writer: csv.DictWriter[str], pages: Iterable[list[Row]]) -> int:
    count = 0
    writer.writeheader()
    for page in pages:
        writer.writerows(_for_csv(one) for one in page)
        count += len(page)
    return count


def write_parquet(pages: Iterable[list[Row]], out: Path) -> int:
    """Write rows as Parquet: text, 64-bit whole numbers, dollars as decimals with nine digits. Returns how many.

    Raises:
        InputError: `-`: it is no text for a terminal or a pipe.
        MissingExtraError: pyarrow is not installed.
        OutputError: the file cannot be written; no half of it is left.
    """
    if str(out) == "-":
        raise InputError("Parquet goes to a file", where="--out -", hint="--out rows.parquet, or --format csv")
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(
            "Parquet needs pyarrow", where="--format parquet", hint="pip install 'reelwise[analytics]'"
        ) from None
    types = {**dict.fromkeys(_TEXT, pa.string()), **dict.fromkeys(_MONEY, pa.decimal128(20, 9))}
    schema = pa.schema([(name, types.get(name, pa.int64())) for name in FIELDS])
    count = 0
    with _whole(out) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for page in pages:
            writer.write_table(pa.Table.from_pylist([_flat(one) for one in page], schema=schema))
            count += len(page)
    return count
