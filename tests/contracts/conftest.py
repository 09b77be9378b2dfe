"""The stores of the ledger, each behind the same fixture."""

from __future__ import annotations

import contextlib
import os
import secrets

import pytest

if os.environ.get("REELWISE_NEED_POSTGRES") == "1":  # in CI nothing of this may be skipped
    import psycopg  # noqa: F401 - or else fail here


class Stores:
    """Opens the same ledger again and again, as further threads or processes would."""

    def __init__(self, kind: str, where: str) -> None:
        self.kind = kind
        self.where = where
        self._open = []

    @property
    def shared(self) -> bool:
        """Whether two connections see the same ledger."""
        return self.kind != "memory"

    def open(self, **options):
        if not self.shared and self._open:
            return self._open[0]
        if self.kind == "postgres":
            from reelwise.ledger.postgres import open_postgres

            store = open_postgres(self.where, **options)
        else:
            from reelwise.ledger.sqlite import open_sqlite

            store = open_sqlite(self.where, **options)
        self._open.append(store)
        return store

    def close(self):
        for one in self._open:
            one.close()


def postgres_address() -> str:
    address = os.environ.get("REELWISE_TEST_POSTGRES", "")
    if not address:
        pytest.skip(os.environ.get("REELWISE_TEST_POSTGRES_WHY", "no REELWISE_TEST_POSTGRES: scripts/with_postgres"))
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    return address


@contextlib.contextmanager
def postgres_ledger():
    """A ledger in a schema of its own, which is dropped in the end."""
    address = postgres_address()
    import psycopg

    schema = f"test_{secrets.token_hex(6)}"
    stores = Stores("postgres", f"{address}?schema={schema}")
    try:
        yield stores
    finally:
        stores.close()
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("SET client_min_messages = error")
            connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())


@contextlib.contextmanager
def ledger_of(kind, folder):
    if kind == "postgres":
        with postgres_ledger() as stores:
            yield stores
        return
    stores = Stores(kind, ":memory:" if kind == "memory" else str(folder / "ledger.db"))
    try:
        yield stores
    finally:
        stores.close()


@pytest.fixture(params=["file", "memory", "postgres"])
def stores(request, tmp_path):
    """Each store in turn; `stores.open()` opens the same ledger again."""
    with ledger_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=["file", "postgres"])
def shared_stores(request, tmp_path):
    """Those that several processes may open at once."""
    with ledger_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def postgres():
    with postgres_ledger() as found:
        yield found
