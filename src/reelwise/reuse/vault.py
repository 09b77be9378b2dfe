"""A file of values under a budget: SQLite with a write-ahead log, least recently used out first.

One connection and one lock: threads share a vault, processes share the file. What `put` returned from is on disk.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from reelwise.errors import InputError, OutputError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

__all__ = ["VERSION", "Entry", "Vault"]

VERSION = 1
_WAIT_SECONDS = 20.0
_NEW_MOST = 64
_TABLES = (
    """CREATE TABLE entry (key TEXT PRIMARY KEY, scope TEXT NOT NULL, loose TEXT NOT NULL, note TEXT NOT NULL, value BLOB NOT NULL,
    bytes INTEGER NOT NULL, made REAL NOT NULL, used REAL NOT NULL, until REAL) WITHOUT ROWID""",
    "CREATE INDEX entry_used ON entry (used)",
    "CREATE INDEX entry_loose ON entry (scope, loose)",
    "CREATE TABLE count (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
)


class Entry(Struct, frozen=True, kw_only=True):
    """A stored value.

    Attributes:
        key: its name.
        note: what was stored with it.
        value: its bytes.
        made: when it was stored, seconds since 1970.
    """

    key: str
    note: str
    value: bytes
    made: float


class Vault:
    """An open file; use it in a `with` statement.

    Args:
        path: created where missing.
        application: a number that says what the file is for.
        what: the same in a word, for messages.
        budget_bytes: of all values and keys; the least recently used go first. What the database adds is not counted.
        clock: seconds since 1970.
        version: of what is in it; a file of another one is refused.

    Raises:
        InputError: the file is something else, damaged, or of another version.
        OutputError: it cannot be opened or created.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        application: int,
        what: str,
        budget_bytes: int,
        clock: Callable[[], float] = time.time,
        version: int = VERSION,
    ) -> None:
        if budget_bytes <= 0:
            raise InputError(f"a budget of {budget_bytes} bytes", where=what, hint="give more than 0")
        self.path, self.what, self.budget_bytes, self.clock = str(path), what, budget_bytes, clock
        self._application, self._version = application, version
        self._lock = threading.RLock()
        if Path(path).is_dir():
            raise InputError("is a folder, a file was expected", where=self.path, hint="name a file in it")
        with self._mapped():
            self._base = sqlite3.connect(
                self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._base.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        with self._lock:
            self._base.close()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise InputError("is closed", where=self.path, hint="open it again") from None
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise OutputError(
                f"cannot be used: {error}", where=self.path, hint="check the folder, its rights and the disk"
            ) from None
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"is no {self.what}, or a damaged one: {error}",
                where=self.path,
                hint="remove the file, it is made anew",
            ) from None

    def _prepare(self) -> None:
        base = self._base
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        if not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            with self._writing():
                # another process may have been first
                if not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    base.execute(f"PRAGMA application_id={self._application}")
                    base.execute(f"PRAGMA user_version={self._version}")
                    for statement in _TABLES:
                        base.execute(statement)
        if base.execute("PRAGMA application_id").fetchone()[0] != self._application:
            raise InputError(f"is a database, but no {self.what}", where=self.path, hint="name another file")
        version = base.execute("PRAGMA user_version").fetchone()[0]
        if version != self._version:
            raise InputError(
                f"is of version {version} ({self.what}); this release reads and writes version {self._version}",
                where=self.path,
                hint="remove the file, or name another: what it held is paid for again",
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Open a transaction: all of it is kept, or nothing."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def put(
        self,
        key: str,
        value: bytes,
        *,
        scope: str = "",
        loose: str = "",
        note: str = "",
        keep_seconds: float | None = None,
    ) -> bool:
        """Store a value in place of what was there; room is made for it.

        Args:
            key: its name.
            value: its bytes.
            scope: what it belongs to, for `like` and `drop`.
            loose: a name that likes share.
            note: stored with it.
            keep_seconds: after so long it is not found again; None is for good.

        Returns:
            False where it is larger than the whole budget, and not stored.
        """
        size = len(value) + len(key) + len(scope) + len(loose) + len(note)
        if size > self.budget_bytes:
            return False
        now = self.clock()
        until = None if keep_seconds is None else now + keep_seconds
        with self._lock, self._mapped(), self._writing():
            self._base.execute(
                "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (key, scope, loose, note, value, size, now, now, until),
            )
            self._make_room(now, key)
        return True

    def _make_room(self, now: float, kept: str) -> None:
        self._base.execute("DELETE FROM entry WHERE until <= ?", (now,))
        over = self._size() - self.budget_bytes
        while over > 0:
            rows = self._base.execute(
                "SELECT key, bytes FROM entry WHERE key <> ? ORDER BY used, key LIMIT ?", (kept, _NEW_MOST)
            ).fetchall()
            if not rows:
                break
            for key, size in rows:
                self._base.execute("DELETE FROM entry WHERE key = ?", (key,))
                over -= size
                if over <= 0:
                    break

    def get(self, key: str) -> Entry | None:
        """Return a value, or None where it is not there or too old."""
        now = self.clock()
        with self._lock, self._mapped():
            row = self._base.execute(
                "SELECT key, note, value, made FROM entry WHERE key = ? AND (until IS NULL OR until > ?)", (key, now)
            ).fetchone()
            if row is None:
                return None
            self._base.execute("UPDATE entry SET used = ? WHERE key = ?", (now, key))
        return Entry(key=row[0], note=row[1], value=row[2], made=row[3])

    def like(self, scope: str, loose: str, *, most: int = 64) -> list[Entry]:
        """Return the newest values of a scope that share a loose name, at most `most`. It is no use of them."""
        with self._lock, self._mapped():
            rows = self._base.execute(
                "SELECT key, note, value, made FROM entry WHERE scope = ? AND loose = ? AND (until IS NULL OR until > ?)"
                " ORDER BY made DESC, key LIMIT ?",
                (scope, loose, self.clock(), most),
            ).fetchall()
        return [Entry(key=key, note=note, value=value, made=made) for key, note, value, made in rows]

    def of(self, scope: str) -> list[Entry]:
        """Return all values of a scope, at most 1,000."""
        with self._lock, self._mapped():
            rows = self._base.execute(
                "SELECT key, note, value, made FROM entry WHERE scope = ? ORDER BY key LIMIT 1000", (scope,)
            ).fetchall()
        return [Entry(key=key, note=note, value=value, made=made) for key, note, value, made in rows]

    def noted(self, note: str) -> int:
        """Return how many values carry a note."""
        with self._lock, self._mapped():
            return int(self._base.execute("SELECT count(*) FROM entry WHERE note = ?", (note,)).fetchone()[0])

    def drop(self, *, key: str | None = None, scope: str | None = None) -> int:
        """Remove one value, or all of a scope; return how many."""
        name, value = ("key", key) if key is not None else ("scope", scope)
        with self._lock, self._mapped(), self._writing():
            return self._base.execute(f"DELETE FROM entry WHERE {name} = ?", (value,)).rowcount  # noqa: S608 - one of two names

    def add(self, name: str, by: int = 1) -> None:
        """Raise a count that is kept in the file."""
        with self._lock, self._mapped(), self._writing():
            self._base.execute(
                "INSERT INTO count VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = number + excluded.number",
                (name, by),
            )

    def counts(self) -> dict[str, int]:
        """Return all counts by name."""
        with self._lock, self._mapped():
            return dict(self._base.execute("SELECT name, number FROM count ORDER BY name").fetchall())

    @property
    def bytes(self) -> int:
        """Bytes of values and keys."""
        with self._lock, self._mapped():
            return self._size()

    def _size(self) -> int:
        return int(self._base.execute("SELECT coalesce(sum(bytes), 0) FROM entry").fetchone()[0])

    def __len__(self) -> int:
        with self._lock, self._mapped():
            return int(self._base.execute("SELECT count(*) FROM entry").fetchone()[0])
