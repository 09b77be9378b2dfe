"""PostgreSQL, for ledgers that several hosts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.errors import MissingExtraError

if TYPE_CHECKING:
    from reelwise.ledger.sql import SqlStore

__all__ = ["open_postgres"]


def open_postgres(address: str) -> SqlStore:
    """Open a ledger in PostgreSQL."""
    raise MissingExtraError("no PostgreSQL yet", where=address)
