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

_MARK = 0x52574C47  # "RWLG", in the header of the file (application_id): whose file it is
_OURS = {"meta", "event", "slot", "lease"}
_BESIDE = ("-wal", "-shm", "-journal")

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


def open_sqlite(
    path: str | os.PathLike[str], *, wait_seconds: float = 10.0, create: bool = True, read_only: bool = False
) -> SqlStore:
    """Open a ledger, or make one.

    Args:
        path: the file; ":memory:" for one that lives as long as this process.
        wait_seconds: how long a transaction waits for other writers before it gives up.
        create: make the file where there is none, and its tables where it is empty.
        read_only: change nothing, not even the files beside it: enough where one may read the file and no more.

    Raises:
        LedgerError: not a ledger, damaged, or of a newer version; a database of something else is left as it is.
        InputError: the file is missing, or on a network file system.
        OutputError: it cannot be created or written.
    """
    name = os.fspath(path)
    if name != ":memory:":
        refuse_network(Path(name))
        if (not create or read_only) and not Path(name).is_file():
            raise InputError(
                "no ledger here", where=name, hint="`reelwise budget set` makes one; or name it with --ledger"
            )
    read_only = read_only and name != ":memory:"
    create = create and not read_only
    link = SqliteLink(name, wait_seconds, create=create, read_only=read_only)
    try:
        return SqlStore(link, name, create=create, read_only=read_only)
    except BaseException:
        link.close()
        raise


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

    def __init__(self, name: str, wait_seconds: float, *, create: bool = True, read_only: bool = False) -> None:
        self._name = name
        self._wait_seconds = wait_seconds
        self._count = 0
        self._tell = False
        self._shared: mmap.mmap | None = None
        self._still: tuple[int, int] | None = None  # of a file that nobody else has open: it must stay as it is
        self._read_only = read_only
        uri = self._uri() if read_only else ""
        try:
            self._connection = sqlite3.connect(
                uri or name,
                timeout=wait_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
                uri=bool(uri),
            )
        except sqlite3.Error as error:
            self._fail(error)
        try:
            self.marks = self._identify(create=create)
            if read_only:
                self.run("PRAGMA query_only = ON")
                return
            mode = self.rows("PRAGMA journal_mode = WAL")[0][0]
            _check_mode(name, str(mode))
            self.run("PRAGMA synchronous = FULL")
            self.run("PRAGMA cache_size = -32768")
            if name != ":memory:":
                self._share(Path(name + "-count"))
        except BaseException:
            self._connection.close()
            raise

    def _uri(self) -> str:
        """Return the address that the file is read by without writing anything.

        Where nobody has it open it is read as it is: making the files of its log would need a folder that can be written, and leave
        files there that others could not write.
        """
        path = Path(os.path.realpath(self._name))
        if any(path.with_name(path.name + end).exists() for end in _BESIDE):
            return f"{path.as_uri()}?mode=ro"
        self._still = _stamp(path)
        return f"{path.as_uri()}?mode=ro&immutable=1"

    def _identify(self, *, create: bool) -> tuple[str, ...]:
        """Look whose file it is before anything is changed; return the statements that mark it as a ledger, if it is not marked.

        Raises:
            LedgerError: it belongs to something else.
            InputError: it is empty, and none is to be made.
        """
        mark = int(self.rows("PRAGMA application_id")[0][0])
        if mark == _MARK:
            return ()
        tables = {str(name) for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if mark or (tables and not tables >= _OURS):
            raise LedgerError(
                "not a ledger, but a SQLite database of something else; nothing was changed",
                where=self._name,
                hint="name the ledger with --ledger, or a file that is not there yet",
            )
        if not tables and not create:
            raise InputError(
                "no ledger here: the file is empty", where=self._name, hint="`reelwise budget set` makes one"
            )
        return (f"PRAGMA application_id = {_MARK}",)

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
        if write and self._read_only:
            raise LedgerError("opened to be read only", where=self._name, hint="open it without read_only")
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

    def backup(self, path: Path, *, overwrite: bool = False) -> None:
        """See `Link`: whole or not at all; never over a database that is in use, this one least of all."""
        path = _target(path, self._name, overwrite=overwrite)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(part)) as target:
                self._connection.backup(target)
            if overwrite:
                _target(path, self._name, overwrite=True)  # once more: copying takes a while
                part.replace(path)
            else:
                os.link(part, path)  # fails where something is there by now
                part.unlink()
        except sqlite3.Error as error:
            part.unlink(missing_ok=True)
            self._fail(error)
        except InputError:
            part.unlink(missing_ok=True)
            raise
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OutputError(f"cannot write: {error.strerror}", where=str(path), hint="name another place") from None

    def close(self) -> None:
        """See `Link`."""
        if self._shared is not None:
            self._shared.close()
            self._shared = None
        self._connection.close()
        still, self._still = self._still, None
        if still is not None and still != _stamp(Path(os.path.realpath(self._name))):
            raise LedgerLockedError(
                "somebody began to write to it while it was read: what was read may not fit together",
                where=self._name,
                hint="run it again",
            )

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


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _target(path: Path, own: str, *, overwrite: bool) -> Path:
    """Return where a backup may be written to, links followed.

    Raises:
        InputError: it is the ledger itself, a database in use, or there already.
    """
    whole = Path(os.path.realpath(path))
    if own != ":memory:":
        mine = Path(os.path.realpath(own))
        taken = {mine, *(mine.with_name(mine.name + end) for end in (*_BESIDE, "-count"))}
        if whole in taken or (whole.exists() and mine.exists() and whole.samefile(mine)):
            raise InputError("a ledger cannot be copied onto itself", where=str(path), hint="name another file")
    beside = [end for end in _BESIDE if whole.with_name(whole.name + end).exists()]
    if beside:
        raise InputError(
            f"{whole.name}{beside[0]} lies beside it: a database that is open, or was not closed",
            where=str(path),
            hint="name another file",
        )
    if not overwrite and os.path.lexists(whole):
        raise InputError("there is a file already", where=str(path), hint="name another, or --force to replace it")
    return whole
