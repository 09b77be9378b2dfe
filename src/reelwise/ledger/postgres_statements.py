"""Statements as psycopg wants them, and many rows in one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg.pq import Format

__all__ = ["Bulk", "Whole", "bulk_of", "own"]

_INSERT = re.compile(r"INSERT INTO (\w+) \(([^()]*)\) VALUES \([?, ]*\)( ON CONFLICT .*|)")


class Whole:
    """Reads NUMERIC, which PostgreSQL makes of the sum of integers, as an integer of any size."""

    format = Format.TEXT

    def __init__(self, oid: int, context: Any = None) -> None:
        del oid, context

    def load(self, data: Any) -> int | float:
        """Read one number."""
        text = bytes(data)
        return float(text) if b"." in text or b"N" in text else int(text)


class Bulk(NamedTuple):
    """The statements that write many rows at once."""

    make: bytes
    copy: bytes
    insert: bytes


@lru_cache(maxsize=64)
def bulk_of(text: str) -> Bulk | None:
    """Write an insert of one row as one of many; None where it is something else."""
    found = _INSERT.fullmatch(text)
    if found is None:
        return None
    table, columns, rest = found.groups()
    return Bulk(
        f"CREATE TEMP TABLE IF NOT EXISTS bulk_{table} ON COMMIT DELETE ROWS AS SELECT {columns} FROM {table} WITH NO DATA; "  # noqa: S608 - our own
        f"DELETE FROM bulk_{table}".encode(),
        f"COPY bulk_{table} ({columns}) FROM STDIN".encode(),
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM bulk_{table} {rest}".encode(),  # noqa: S608 - our own
    )


@lru_cache(maxsize=2048)
def own(text: str) -> bytes:
    """Write a statement as psycopg wants it; none of ours has a `?` in a string."""
    return text.replace("%", "%%").replace("?", "%s").encode()
