"""Which store a name means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelwise.ledger.sql import SqlStore

__all__ = ["open_store"]


def open_store(where: str | os.PathLike[str], *, create: bool = True, read_only: bool = False) -> SqlStore:
    """Open the store that a name means: a file, ":memory:", or a PostgreSQL address (postgresql://...).

    With `read_only` nothing is changed, and the right to read is enough: what is newer than the sums is added up while asked.

    Raises:
        InputError, LedgerError, OutputError: see `open_sqlite` and `open_postgres`.
    """
    name = os.fspath(where)
    if name.startswith(("postgresql://", "postgres://")):
        from reelwise.ledger.postgres import open_postgres

        return open_postgres(name, create=create, read_only=read_only)
    from reelwise.ledger.sqlite import open_sqlite

    return open_sqlite(name, create=create, read_only=read_only)
