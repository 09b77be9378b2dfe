"""The numbered migrations of the ledger's tables: the same statements for every store, with its own words for three types."""

from __future__ import annotations

from importlib import resources

__all__ = ["VERSION", "migrations"]

VERSION = 1
"""The newest schema: the number of the last file."""


def migrations(after: int, *, serial: str, blob: str, real_table: str) -> list[tuple[int, list[str]]]:
    """Return the statements of each migration above a version, oldest first.

    Args:
        after: the version that a database has.
        serial: how the store writes a primary key that counts up.
        blob: how it writes a column of bytes.
        real_table: what it says after a table whose primary key is its order.
    """
    found = []
    for number in range(after + 1, VERSION + 1):
        text = resources.files(__package__).joinpath(f"{number:04d}.sql").read_text("utf-8")
        text = "\n".join(line.partition("--")[0] for line in text.splitlines())
        for word, value in (("{serial}", serial), ("{blob}", blob), ("{real_table}", real_table)):
            text = text.replace(word, value)
        found.append((number, [one.strip() for one in text.split(";") if one.strip()]))
    return found
