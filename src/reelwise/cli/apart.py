"""What a command writes must not be what it reads, nor be written twice: a clip that is its own output would be lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["check_apart"]


def check_apart(written: Mapping[str, str | Path | None], read: Iterable[str | Path | None]) -> None:
    """Look at names only; files that are not there yet have none.

    Args:
        written: what is written, by the option that names it; None where it is not given.
        read: what is read; what is no file on this machine may be among it.

    Raises:
        InputError: one file would be read and written, or written twice.
    """
    from reelwise.errors import InputError

    taken = {_place(one): "what is read" for one in read if one is not None}
    for option, one in written.items():
        if one is None:
            continue
        place = _place(one)
        if place in taken:
            raise InputError(f"is {taken[place]}, too", where=f"{option} {one}", hint="name another file to write to")
        taken[place] = f"the file of {option}"


def _place(one: str | Path) -> str:
    try:
        return str(Path(one).resolve())
    except (OSError, ValueError, RuntimeError):  # no name that a file can have: whoever opens it says so
        return str(one)
