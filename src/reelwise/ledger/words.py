"""Labels are kept once: rows of events name them by number."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.ledger.events import UNITS, Event, What, Who, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelwise.ledger.sql import Link

__all__ = ["EVENT_COLUMNS", "INSERT_EVENT", "Words"]

_KNOWN_MAX = 100_000
EVENT_COLUMNS = ("id", "at_ms", "who", "what", "cost", "avoided", "latency_ms", *UNITS)
INSERT_EVENT = (
    f"INSERT INTO event ({', '.join(EVENT_COLUMNS)}) VALUES ({', '.join('?' * len(EVENT_COLUMNS))}) "  # noqa: S608 - names of our own
    "ON CONFLICT (id) DO NOTHING"
)
_WHO = (
    'INSERT INTO who (digest, feature, "user", session, tenant, user_class, tags) VALUES (?, ?, ?, ?, ?, ?, ?) '
    "ON CONFLICT (digest) DO NOTHING"
)
_WHAT = (
    "INSERT INTO what (digest, model, provider, plan, stage, mode, version, status, kind, outcome) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING"
)


def digest_of(one: Who | What) -> bytes:
    """Return the 12 bytes that a set of labels is found by."""
    return hashlib.blake2b(msgspec.json.encode(one), digest_size=12).digest()


class Words:
    """The numbers of labels, remembered for as long as the transaction that made them holds."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._who: dict[Who, int] = {}
        self._what: dict[What, int] = {}
        self._new_who: list[Who] = []
        self._new_what: list[What] = []

    def keep(self) -> None:
        """The transaction was committed: what it added is there."""
        self._new_who.clear()
        self._new_what.clear()

    def forget(self) -> None:
        """It was rolled back: what it added is not."""
        for who in self._new_who:
            self._who.pop(who, None)
        for what in self._new_what:
            self._what.pop(what, None)
        self.keep()

    def who(self, one: Who) -> int:
        """Return the number of a `Who`, adding it where it is new."""
        known = self._who.get(one)
        if known is not None:
            return known
        digest = digest_of(one)
        tags = json.dumps(dict(one.tags)) if one.tags else ""
        self._link.run(_WHO, (digest, one.feature, one.user, one.session, one.tenant, one.user_class, tags))
        number = int(self._link.rows("SELECT id FROM who WHERE digest = ?", (digest,))[0][0])
        if len(self._who) >= _KNOWN_MAX:
            self._who.clear()
        self._who[one] = number
        self._new_who.append(one)
        return number

    def what(self, one: What) -> int:
        """Return the number of a `What`, adding it where it is new."""
        known = self._what.get(one)
        if known is not None:
            return known
        digest = digest_of(one)
        values = (
            one.model,
            one.provider,
            one.plan,
            one.stage,
            one.mode,
            one.version,
            one.status,
            one.kind,
            one.outcome,
        )
        self._link.run(_WHAT, (digest, *values))
        number = int(self._link.rows("SELECT id FROM what WHERE digest = ?", (digest,))[0][0])
        if len(self._what) >= _KNOWN_MAX:
            self._what.clear()
        self._what[one] = number
        self._new_what.append(one)
        return number

    def rows(self, events: Sequence[Event]) -> list[tuple[Any, ...]]:
        """Return the rows of events, in the order of `EVENT_COLUMNS`."""
        who, what = self._who, self._what
        return [
            (
                key_of(one.id),
                one.at_ms,
                who.get(one.who) or self.who(one.who),
                what.get(one.what) or self.what(one.what),
                one.cost_nano,
                one.avoided_nano,
                one.latency_ms,
                *msgspec.structs.astuple(one.units),
            )
            for one in events
        ]
