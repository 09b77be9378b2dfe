"""The default store: one SQLite file in WAL mode, for many threads and processes of one host."""

from __future__ import annotations

import contextlib
import mmap
import os
import sqlite3
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reelwise.errors import InputError, LedgerError, LedgerLockedError, OutputError
from reelwise.ledger.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SqliteLink", "open_sqlite"]

_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "gpfs",
    "glusterfs",
    "fuse.sshfs",
    "fuse.s3fs",
    "davfs",
)
_COUNTER = 8  # bytes
_FULL = 13  # SQLite's codes: database or disk is full, read-only, cannot open, input or output error
_OUTPUT = {_FULL, 8, 14, 10}
_LOCKED = {5, 6}


def open_sqlite(path: str | os.PathLike[str], *, wait_seconds: float = 10.0, create: bool = True) -> SqlStore:
    """Open a ledger, or make one.

    Args:
        path: the file; ":memory:" for one that lives as long as this process.
        wait_seconds: how long a transaction waits for other writers before it gives up.
        create: make the file where there is none.

    Raises:
        LedgerError: not a ledger, damaged, or of a newer version.
        InputError: the file is missing, or on a network file system.
        OutputError: it cannot be created or written.
    """
    name = os.fspath(path)
    if name != ":memory:":
        refuse_network(Path(name))
        if not create and not Path(name).is_file():
            raise InputError(
                "no ledger here", where=name, hint="`reelwise budget set` makes one; or name it with --ledger"
            )
    return SqlStore(SqliteLink(name, wait_seconds), name)


def refuse_network(path: Path, mounts: Path = Path("/proc/mounts")) -> None:
    """Refuse a file on a network file system: SQLite's locks do not hold there, and a budget would be overspent.

    Raises:
        InputError: it is on one.
    """
    try:
        lines = mounts.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return  # no such list on this system: the documentation says so
    whole = path.resolve()
    best, kind = "", ""
    for line in lines:
        parts = line.split()
        if len(parts) > 2:
            point = parts[1].replace("\\040", " ")
            inside = point == "/" or str(whole) == point or str(whole).startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, parts[2]
    if kind.startswith(_NETWORK):
        raise InputError(
            f"{best} is a network file system ({kind}), where SQLite's locks do not hold",
            where=str(path),
            hint="use a local disk, or PostgreSQL for several hosts: postgresql://...",
        )


class SqliteLink:
    """One connection to a SQLite file."""

    serial = "INTEGER PRIMARY KEY"
    blob = "BLOB"
    real_table = "WITHOUT ROWID"

    def __init__(self, name: str, wait_seconds: float) -> None:
        self._name = name
        self._wait_seconds = wait_seconds
        self._count = 0
        self._tell = False
        self._shared: mmap.mmap | None = None
        try:
            self._connection = sqlite3.connect(
                name, timeout=wait_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        except sqlite3.Error as error:
            self._fail(error)
        try:
            mode = self.rows("PRAGMA journal_mode = WAL")[0][0]
            _check_mode(name, str(mode))
            self.run("PRAGMA synchronous = FULL")
            self.run("PRAGMA cache_size = -32768")
            if name != ":memory:":
                self._share(Path(name + "-count"))
        except BaseException:
            self._connection.close()
            raise

    def _share(self, path: Path) -> None:
        """Keep the counter that tells processes of changes in a file of 8 bytes that all of them map: reading it costs no query."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                if os.fstat(handle).st_size < _COUNTER:
                    os.ftruncate(handle, _COUNTER)
                self._shared = mmap.mmap(handle, _COUNTER)
            finally:
                os.close(handle)
        except OSError as error:
            raise OutputError(
                f"cannot write: {error.strerror}", where=str(path), hint="the ledger's folder must be writable"
            ) from None

    def begin(self, *, write: bool) -> None:
        """See `Link`."""
        self._run("BEGIN IMMEDIATE" if write else "BEGIN", ())

    def commit(self) -> None:
        """See `Link`."""
        self._run("COMMIT", ())
        if self._tell:
            self._tell = False
            self.moved()

    def rollback(self) -> None:
        """See `Link`."""
        self._tell = False
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # what failed is what the caller is told
                self._connection.execute("ROLLBACK")

    def run(self, text: str, values: Sequence[Any] = ()) -> int:
        """See `Link`."""
        return self._run(text, values).rowcount

    def many(self, text: str, rows: Sequence[Sequence[Any]]) -> int:
        """See `Link`."""
        try:
            return self._connection.executemany(text, rows).rowcount
        except sqlite3.Error as error:
            self._fail(error)

    def rows(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See `Link`."""
        try:
            return self._connection.execute(text, values).fetchall()
        except sqlite3.Error as error:
            self._fail(error)

    def _run(self, text: str, values: Sequence[Any]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(text, values)
        except sqlite3.Error as error:
            self._fail(error)

    def has_table(self, name: str) -> bool:
        """See `Link`."""
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def moved(self) -> None:
        """See `Link`."""
        if self._connection.in_transaction:  # others must not look before it is there
            self._tell = True
            return
        self._count += 1
        if self._shared is not None:
            # two processes that count at once may count one: what matters is that it is another number than before
            now = struct.unpack("<q", self._shared[:_COUNTER])[0]
            self._shared[:_COUNTER] = struct.pack("<q", now + 1 + (os.getpid() & 0xFF))

    def generation(self) -> int:
        """See `Link`."""
        if self._shared is not None:
            return int.from_bytes(self._shared[:_COUNTER], "little")
        return self._count

    def backup(self, path: Path) -> None:
        """See `Link`: whole or not at all."""
        part = path.with_name(f".{path.name}.part")
        try:
            part.unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(part)) as target:
                self._connection.backup(target)
            part.replace(path)
        except sqlite3.Error as error:
            part.unlink(missing_ok=True)
            self._fail(error)
        except OSError as error:
            raise OutputError(f"cannot write: {error.strerror}", where=str(path), hint="name another place") from None

    def close(self) -> None:
        """See `Link`."""
        if self._shared is not None:
            self._shared.close()
            self._shared = None
        self._connection.close()

    def _fail(self, error: sqlite3.Error) -> NoReturn:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        text = str(error)
        if code in _LOCKED:
            raise LedgerLockedError(
                f"locked by another process for {self._wait_seconds:g} s",
                where=self._name,
                hint="what waits is kept and written later; look for a process that is stopped in a transaction",
            ) from None
        if code in _OUTPUT:
            hint = (
                "free some space; nothing was lost"
                if code == _FULL
                else "the ledger's folder must exist and be writable"
            )
            raise OutputError(f"cannot write: {text}", where=self._name, hint=hint) from None
        if code in (11, 26):
            raise LedgerError(
                f"not a ledger, or damaged: {text}",
                where=self._name,
                hint="restore a backup (`reelwise ledger backup` makes them); sqlite3's .recover may save rows",
            ) from None
        raise LedgerError(f"SQLite: {text}", where=self._name, hint="`reelwise ledger verify` says more") from None


def _check_mode(name: str, mode: str) -> None:
    if mode not in ("wal", "memory"):
        raise OutputError(
            f"cannot keep a write-ahead log here (journal mode {mode})", where=name, hint="use a local, writable disk"
        )
