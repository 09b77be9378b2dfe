"""The journal of a run: what was begun and what is over, a line each, so that a run that is cut off goes on where it was."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import msgspec
from msgspec import Struct

from reelwise.errors import InputError, OutputError
from reelwise.run.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

__all__ = ["VERSION", "Journal"]

VERSION = 1
_LARGEST = 1 << 30


class _Head(Struct, frozen=True, kw_only=True):
    journal: int
    run: str
    key: str


class _Line(Struct, frozen=True, omit_defaults=True):
    begun: str = ""
    clip: str = ""
    held_nano: int = 0
    over: Outcome | None = None
    note: dict[str, Any] | None = None


class Journal:
    """One run's journal; safe for many threads.

    Args:
        path: the file; made where it is missing.
        key: what the run is: plan, words, prices, source. A journal of something else is refused.

    Attributes:
        run: the run's id, which all its calls' ids begin with.
        over: calls that are over, by id.
        lost: calls that were begun and of which nobody knows more: (clip, held nano-USD) by id.
        notes: what else was written down, the last of each name.

    Raises:
        InputError: a journal of another version, of another run, or one that another process is writing.
        OutputError: it cannot be written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.over: dict[str, Outcome] = {}
        self.lost: dict[str, tuple[str, int]] = {}
        self.notes: dict[str, Any] = {}
        self.run = secrets.token_hex(6)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("ab")
            try:
                self._claim()
                whole = self._read(key)
                self._file.truncate(whole)  # a line that was cut off when the run was
            except BaseException:
                self._file.close()
                raise
        except OSError as error:
            raise OutputError(
                f"cannot write: {error.strerror or error}", where=str(path), hint="name another place with --out"
            ) from None
        if not whole:
            self._write(_Head(journal=VERSION, run=self.run, key=key))

    def _claim(self) -> None:
        """Keep other processes out: two of them would both make the calls that are still missing."""
        if sys.platform == "win32":  # it has no such lock: there nobody stops the second
            return
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "the same run is under way in this folder",
                where=str(self.path),
                hint="wait for it, or name another --out: two at once would pay for the same calls twice",
            ) from None
        except OSError:  # some file systems of a network have no locks
            return

    def _read(self, key: str) -> int:
        """Take over what is there, and return how many bytes of it are whole lines."""
        if self.path.stat().st_size > _LARGEST:
            raise InputError("is larger than any run's journal", where=str(self.path), hint="name another --out")
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].split(b"\n")[:-1]
        if not lines:
            return 0
        hint = "name another --out, or move it away"
        try:
            head = msgspec.json.decode(lines[0], type=_Head)
        except msgspec.MsgspecError:
            raise InputError("is no journal of a run", where=str(self.path), hint=hint) from None
        if head.journal != VERSION:
            raise InputError(f"is of version {head.journal}, this is {VERSION}", where=str(self.path), hint=hint)
        if head.key != key:
            raise InputError(
                "is of another run: its plan, its words, its clips or its prices differ", where=str(self.path),
                hint=f"{hint}; the run it belongs to goes on from it",
            )  # fmt: skip
        self.run = head.run
        for number, line in enumerate(lines[1:], 2):
            try:
                self._take(msgspec.json.decode(line, type=_Line))
            except msgspec.MsgspecError:
                raise InputError("is damaged", where=f"{self.path} line {number}", hint=hint) from None
        return whole

    def _take(self, line: _Line) -> None:
        if line.begun:
            self.lost[line.begun] = (line.clip, line.held_nano)
        if line.over is not None:
            self.lost.pop(line.over.identity, None)
            self.over[line.over.identity] = line.over
        if line.note is not None:
            self.notes.update(line.note)

    def _write(self, line: Any) -> None:
        data = msgspec.json.encode(line) + b"\n"
        with self._lock:
            try:
                self._file.write(data)
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise OutputError(
                    f"cannot write: {error.strerror or error}", where=str(self.path), hint="free some space, and go on"
                ) from None

    def begin(self, identity: str, clip: str, held_nano: int) -> None:
        """Write down that a call is about to be made."""
        self._write(_Line(begun=identity, clip=clip, held_nano=held_nano))

    def end(self, outcome: Outcome) -> None:
        """Write down what became of it."""
        self._write(_Line(over=outcome))
        self.over[outcome.identity] = outcome

    def note(self, name: str, value: Any) -> None:
        """Write down something else: a batch's id."""
        self._write(_Line(note={name: value}))
        self.notes[name] = value

    def known(self, head: Outcome) -> Outcome | None:
        """Return what became of a call in the part of the run before, where it is over or nobody knows."""
        over = self.over.get(head.identity)
        if over is not None and over.paid:
            return over
        if head.identity in self.lost:  # also one that had failed, and was made again when the run ended
            held = self.lost[head.identity][1]
            return msgspec.structs.replace(
                head, status="ambiguous", cost_nano=held, held_nano=held, reason="lost",
                error="the run ended while it was under way: it may be billed, and is not made again",
            )  # fmt: skip
        return None

    def unseen(self, seen: Iterable[Outcome]) -> list[Outcome]:
        """List calls of earlier parts of the run that are or may be paid, and that this part did not come to.

        It decided otherwise, or ended before. Of those that were under way when the run ended, nobody knows more than their clip.
        """
        names = {one.identity for one in seen}
        lost = (self.known(Outcome(identity=name, clip=clip, item=-1)) for name, (clip, _) in self.lost.items())
        paid = [*self.over.values(), *(one for one in lost if one is not None)]
        return [one for one in paid if one.paid and one.identity not in names]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
