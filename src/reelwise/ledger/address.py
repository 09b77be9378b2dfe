"""How the place of a ledger is written where people read it."""

from __future__ import annotations

__all__ = ["shown_address"]


def shown_address(where: str) -> str:
    """Return the name of a ledger as it may be printed: a PostgreSQL address without password and options, a path as it is."""
    if not where.startswith(("postgresql://", "postgres://")):
        return where
    base, _, query = where.partition("?")
    scheme, _, rest = base.partition("://")
    user, at, place = rest.rpartition("@")
    if "@" in query and not at:  # a password with a ? in it: what looks like the place is a part of it
        return f"{scheme}://..."
    schema = next((f"?{one}" for one in query.split("&") if one.startswith("schema=")), "")
    return f"{scheme}://{user.partition(':')[0]}{at}{place}{schema}"
