"""PostgreSQL, for ledgers that several hosts share: the address, and what it needs to be opened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reelwise.errors import InputError, MissingExtraError
from reelwise.ledger.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Address", "open_postgres", "read_address"]

SCHEMA = "reelwise"
"""The schema that a ledger is kept in where its address names none."""

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,47}")
_DEFAULTS = {
    "application_name": "reelwise",
    "client_encoding": "utf8",
    "connect_timeout": "5",
    # a host that is gone is noticed within about ten seconds, and not after the system's two hours
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    # of several hosts, the one that takes writes: after a failover that is another
    "target_session_attrs": "read-write",
}


class Address(NamedTuple):
    """Where a ledger is.

    Attributes:
        parameters: for libpq; may hold a password.
        schema: the PostgreSQL schema it is kept in.
        shown: the address as it may be printed: without the password.
    """

    parameters: Mapping[str, str]
    schema: str
    shown: str


def read_address(address: str) -> Address:
    """Read `postgresql://user@host:port/database?schema=NAME`, with any of libpq's own options.

    Raises:
        InputError: not an address, or no such name for a schema. The message never holds the password.
        MissingExtraError: psycopg is not installed.
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise MissingExtraError(
            "a ledger in PostgreSQL needs psycopg", where="ledger", hint="pip install 'reelwise[postgres]'"
        ) from None
    base, _, query = address.partition("?")
    options = [one for one in query.split("&") if one]  # libpq does not know `schema`, and reads `+` as it is
    schema = next((one.removeprefix("schema=") for one in options if one.startswith("schema=")), SCHEMA)
    if not _SCHEMA.fullmatch(schema) or schema.startswith("pg_"):
        raise InputError(
            f"no schema can be named {schema[:48]!r}", where="schema", hint="lower case letters, digits and _; up to 48"
        )
    rest = "&".join(one for one in options if not one.startswith("schema="))
    try:
        given = {
            name: str(value) for name, value in conninfo_to_dict(f"{base}?{rest}" if rest else base).items() if value
        }
    except psycopg.Error:  # its message may quote what it could not read: a password with a / in it
        raise _unreadable() from None
    ports = given.get("port", "").replace(",", "")
    if (ports and not ports.isdigit()) or "@" in given.get("dbname", ""):
        raise _unreadable()  # a part of the password stands where it would be printed
    user = f"{given['user']}@" if "user" in given else ""
    port = f":{given['port']}" if "port" in given else ""
    shown = f"postgresql://{user}{given.get('host', '')}{port}/{given.get('dbname', '')}?schema={schema}"
    return Address({**_DEFAULTS, **given}, schema, shown)


def _unreadable() -> InputError:
    return InputError(
        "not an address of PostgreSQL",
        where="ledger",
        hint="postgresql://user@host:5432/database?schema=reelwise; write / @ : ? in a password as %2F %40 %3A %3F",
    )


def open_postgres(
    address: str,
    *,
    wait_seconds: float = 10.0,
    restart_seconds: float = 60.0,
    silence_seconds: float = 5.0,
    create: bool = True,
    read_only: bool = False,
) -> SqlStore:
    """Open a ledger in PostgreSQL, or make one.

    Args:
        address: `postgresql://user@host:port/database?schema=NAME`: a ledger for each schema, "reelwise" where none is named. Other
            options are libpq's; a password is better kept in PGPASSWORD or in ~/.pgpass.
        wait_seconds: how long a transaction waits for other writers, or for a server that is away, before it gives up.
        restart_seconds: how long to wait for the server where the connection was lost in the middle of a commit: only it knows
            whether the rows are there.
        silence_seconds: calls are let through for this long after the server was last heard of: the latest that a kill switch set
            on another host takes effect. Mostly it takes a few milliseconds.
        create: make the tables where there are none.
        read_only: change nothing: a user who may SELECT is enough.

    Raises:
        InputError: the address cannot be read, there is no ledger, or this host's clock is wrong.
        MissingExtraError: psycopg is not installed.
        LedgerError: the server cannot be reached, is too old, or the ledger is of a newer version.
        OutputError: the server cannot write.
    """
    where = read_address(address)
    from reelwise.ledger.postgres_link import PostgresLink

    link = PostgresLink(
        where,
        wait_seconds=wait_seconds,
        restart_seconds=restart_seconds,
        silence_seconds=silence_seconds,
        create=create and not read_only,
    )
    try:
        return SqlStore(link, where.shown, create=create, read_only=read_only)
    except BaseException:
        link.close()
        raise
