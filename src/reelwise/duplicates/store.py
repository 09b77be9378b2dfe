"""The index's file: SQLite with a write-ahead log. A clip is there whole, or it is not there."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from reelwise.duplicates.fingerprint import SIDE, STORED
from reelwise.duplicates.keys import BANDS
from reelwise.errors import InputError, OutputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Kept", "Store"]

_APPLICATION = 0x52454C57
_VERSION = 2
_CHUNK = 32  # seconds a blob
_WAIT_SECONDS = 20.0
_TABLES = """
CREATE TABLE clip (id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE, name TEXT NOT NULL, seconds REAL NOT NULL,
                   count INTEGER NOT NULL, keys BLOB NOT NULL, valid BLOB NOT NULL);
CREATE TABLE chunk (clip INTEGER NOT NULL REFERENCES clip(id), number INTEGER NOT NULL, pictures BLOB NOT NULL,
                    PRIMARY KEY (clip, number));
"""


class Kept(Struct, frozen=True):
    """A stored clip: its number, the hash of its content, name, length, and how many seconds are stored."""

    id: int
    content: str
    name: str
    seconds: float
    count: int


@contextmanager
def _mapped(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutputError(
            f"cannot be used: {error}", where=path, hint="check the folder, its rights and the disk"
        ) from None
    except sqlite3.DatabaseError as error:
        raise InputError(f"is no index, or a damaged one: {error}", where=path, hint="name another file") from None


class Store:
    """An open file; use it in a `with` statement.

    Args:
        path: created where missing.

    Raises:
        InputError: the file is no index.
        OutputError: it cannot be opened or created.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = str(path)
        if Path(path).is_dir():
            raise InputError("is a folder, a file was expected", where=self.path, hint="name a file in it")
        with _mapped(self.path):
            self._base = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._base.close()
                raise

    def _prepare(self) -> None:
        base = self._base
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")  # an add that returned survives a power cut, too
        base.execute("PRAGMA mmap_size=268435456")
        application = base.execute("PRAGMA application_id").fetchone()[0]
        tables = base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not application and not tables:
            with self.writing():
                # another process may have been first
                if not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    base.execute(f"PRAGMA application_id={_APPLICATION}")
                    base.execute(f"PRAGMA user_version={_VERSION}")
                    for statement in _TABLES.split(";")[:2]:
                        base.execute(statement)
            application = base.execute("PRAGMA application_id").fetchone()[0]
        if application != _APPLICATION:
            raise InputError("is a database, but no index", where=self.path, hint="name another file")
        version = base.execute("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            raise InputError(
                f"is an index of version {version}; this release reads and writes version {_VERSION}",
                where=self.path,
                hint="fingerprints differ: add the clips to a new file, reelwise seen NEW.db CLIPS --add",
            )

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Open a transaction: all of it is kept, or nothing."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def put(
        self,
        *,
        content: str,
        name: str,
        seconds: float,
        pictures: NDArray[np.uint8],
        keys: NDArray[np.uint16],
        valid: NDArray[np.bool_],
    ) -> bool:
        """Store one clip; on return it is on disk. False where its content is there already.

        Raises:
            OutputError: the disk is full, or the file is locked for too long.
        """
        with _mapped(self.path), self.writing():
            cursor = self._base.execute(
                "INSERT OR IGNORE INTO clip (content, name, seconds, count, keys, valid) VALUES (?, ?, ?, ?, ?, ?)",
                (content, name, seconds, len(pictures), keys.astype("<u2").tobytes(), np.packbits(valid).tobytes()),
            )
            if cursor.rowcount != 1:
                return False
            chunks = (
                (cursor.lastrowid, number, pictures[start : start + _CHUNK].tobytes())
                for number, start in enumerate(range(0, len(pictures), _CHUNK))
            )
            self._base.executemany("INSERT INTO chunk VALUES (?, ?, ?)", chunks)
        return True

    def has(self, content: str) -> bool:
        """Say whether a content is stored."""
        with _mapped(self.path):
            return self._base.execute("SELECT 1 FROM clip WHERE content = ?", (content,)).fetchone() is not None

    def since(self, last: int) -> Iterator[tuple[Kept, NDArray[np.uint16], NDArray[np.bool_]]]:
        """Yield clips added after one, with their keys uint16 (n, 6) and which of them are valid."""
        with (
            _mapped(self.path),
            closing(
                self._base.execute(
                    "SELECT id, content, name, seconds, count, keys, valid FROM clip WHERE id > ? ORDER BY id", (last,)
                )
            ) as rows,
        ):
            for number, content, name, seconds, count, keys, valid in rows:
                if len(keys) != count * 2 * BANDS or len(valid) * 8 < count * BANDS:
                    raise InputError(
                        "is damaged: the keys of a clip are cut off", where=self.path, hint="build it anew"
                    )
                bits = np.unpackbits(np.frombuffer(valid, np.uint8), count=count * BANDS).astype(np.bool_)
                found = np.frombuffer(keys, "<u2").reshape(count, BANDS).astype(np.uint16)
                yield Kept(number, content, name, seconds, count), found, bits.reshape(count, BANDS)

    def pictures(self, clip: int, start: int, stop: int) -> NDArray[np.uint8]:
        """Read stored seconds start..stop of a clip: uint8 (stop - start, 2, 24, 24)."""
        first, last = start // _CHUNK, (stop - 1) // _CHUNK
        with _mapped(self.path):
            blobs = self._base.execute(
                "SELECT pictures FROM chunk WHERE clip = ? AND number BETWEEN ? AND ? ORDER BY number",
                (clip, first, last),
            ).fetchall()
        joined = b"".join(blob for (blob,) in blobs)
        size = STORED * SIDE * SIDE
        if len(joined) < (stop - first * _CHUNK) * size:
            raise InputError("is damaged: pictures are missing", where=self.path, hint="build it anew")
        whole = np.frombuffer(joined, np.uint8).reshape(-1, STORED, SIDE, SIDE)
        return whole[start - first * _CHUNK : stop - first * _CHUNK]
