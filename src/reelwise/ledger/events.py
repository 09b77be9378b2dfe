"""What the ledger records: who caused a cost, what it was for, and how much of which unit.

Money is in integer nano-USD, times in milliseconds since 1970 (UTC), durations in milliseconds, amounts of data in bytes: all integers, so
that sums are exact.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

from reelwise.errors import InputError

__all__ = ["KINDS", "STATUSES", "UNITS", "Event", "Kind", "Status", "Units", "What", "Who", "key_of"]

Kind = Literal["call", "frames", "overrun", "late", "true_up", "correction", "avoided", "estimate"]
KINDS: tuple[str, ...] = ("call", "frames", "overrun", "late", "true_up", "correction", "avoided", "estimate")
Status = Literal["ok", "error", "cut", "ambiguous", "cached", "skipped"]
STATUSES: tuple[str, ...] = ("ok", "error", "cut", "ambiguous", "cached", "skipped")

LABEL_MAX = 128
"""The longest label, in characters: a feature's name, a user's id, a tag's value."""
TAGS_MAX = 16
_TAG_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_LARGEST = (
    1 << 56
)  # one amount: 72 million dollars, 72 PB. The stores keep 64-bit numbers: a hundred of the largest still add up


class Who(Struct, frozen=True, kw_only=True, cache_hash=True, gc=False):
    """Who a cost belongs to: every field is a label of at most 128 characters, empty where it is not known.

    Attributes:
        feature: the product's feature, by the name that budgets and ladders use.
        user, session, tenant: as the product names them; ids, never names of people.
        user_class: "paying", "free": what ladders of modes may differ by.
        tags: up to 16 further labels, sorted by name.
    """

    feature: str = ""
    user: str = ""
    session: str = ""
    tenant: str = ""
    user_class: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def label(self, name: str) -> str:
        """Return one label: a field's name, or `tag:NAME`; empty where it has none."""
        if name.startswith("tag:"):
            wanted = name[4:]
            return next((value for tag, value in self.tags if tag == wanted), "")
        return str(getattr(self, name))


class What(Struct, frozen=True, kw_only=True, cache_hash=True, gc=False):
    """What a cost was for.

    Attributes:
        model: the model or rate card.
        provider: where it was bought: a cloud, a provider, "device" or "cache".
        plan: the plan's hash.
        stage: the plan's stage.
        mode: the feature's mode: full, saver, basic.
        version: the deployed version.
        status: ok, error, cut (stream cut off), ambiguous (accepted or not is unknown), cached, skipped.
        kind: call, frames (a batch of them), overrun (what a call cost above its hold), late (posted after its hold had expired),
            true_up (month close), correction, avoided (nothing was spent), estimate (of an audit: kept, and counted in no budget and no sum).
        outcome: what came of it, in the product's words; empty where not known.
    """

    model: str = ""
    provider: str = ""
    plan: str = ""
    stage: str = ""
    mode: str = ""
    version: str = ""
    status: Status = "ok"
    kind: Kind = "call"
    outcome: str = ""


class Units(Struct, frozen=True, kw_only=True, gc=False):
    """How much of each unit one event used. Whole numbers; 0 where none."""

    calls: int = 0
    frames: int = 0
    images: int = 0
    tokens_text: int = 0
    tokens_image: int = 0
    tokens_video: int = 0
    tokens_audio: int = 0
    tokens_cached: int = 0
    tokens_cache_write: int = 0
    tokens_output: int = 0
    video_ms: int = 0
    audio_ms: int = 0
    output_ms: int = 0
    gpu_ms: int = 0
    bytes: int = 0


UNITS: tuple[str, ...] = Units.__struct_fields__
NO_UNITS = Units()
ONE_CALL = Units(calls=1)


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One immutable row of the ledger: a call, or a batch of frames.

    Attributes:
        id: unique; a second event with this id is refused. Any text up to 128 characters.
        at_ms: when the call began; the window it counts in.
        who, what, units: see there.
        cost_nano: what it cost, in nano-USD, rounded once. Negative only for corrections and true-ups.
        avoided_nano: what it would have cost besides, had no lever applied.
        latency_ms: from request to answer.
    """

    id: str
    at_ms: int
    who: Who
    what: What
    units: Units
    cost_nano: int
    avoided_nano: int = 0
    latency_ms: int = 0


def key_of(identity: str) -> bytes:
    """Return the 12 bytes that an id is kept as (BLAKE2b; two of 10^10 ids meet with a chance under 10^-9)."""
    return hashlib.blake2b(identity.encode(), digest_size=12).digest()


def check_label(value: Any, name: str) -> str:
    """Check one label.

    Raises:
        InputError: not text, too long, or with characters that do not print.
    """
    if not isinstance(value, str):
        raise InputError(f"{name} must be text, got {type(value).__name__}", where=name, hint="pass an id as text")
    if len(value) > LABEL_MAX:
        raise InputError(
            f"{name} has {len(value):,} characters, at most {LABEL_MAX} are kept",
            where=name,
            hint="pass an id, not free text",
        )
    if value and not value.isprintable():
        raise InputError(f"{name} holds characters that do not print", where=name, hint="pass an id, not free text")
    return value


def who_of(
    feature: str = "",
    *,
    user: str = "",
    session: str = "",
    tenant: str = "",
    user_class: str = "",
    tags: dict[str, str] | None = None,
) -> Who:
    """Make a checked `Who`.

    Raises:
        InputError: a label that is too long, too many tags, or a tag's name that is not lower case letters, digits and _ . -
    """
    given = tags or {}
    if not isinstance(given, dict):
        raise InputError(
            f"tags must be a dict, got {type(given).__name__}", where="tags", hint='tags={"team": "search"}'
        )
    if len(given) > TAGS_MAX:
        raise InputError(
            f"{len(given):,} tags, at most {TAGS_MAX} are kept", where="tags", hint="use few tags with few values"
        )
    pairs = []
    for name, value in sorted(given.items()):
        if not isinstance(name, str) or not _TAG_NAME.fullmatch(name):
            raise InputError(
                f"no tag can be named {str(name)[:40]!r}",
                where="tags",
                hint="lower case letters, digits, and _ . - ; up to 64",
            )
        pairs.append((name, check_label(value, f"tags.{name}")))
    return Who(
        feature=check_label(feature, "feature"),
        user=check_label(user, "user"),
        session=check_label(session, "session"),
        tenant=check_label(tenant, "tenant"),
        user_class=check_label(user_class, "user_class"),
        tags=tuple(pairs),
    )


def check_identity(value: Any) -> str:
    """Check the id of a row.

    Raises:
        InputError: not text, empty, or too long.
    """
    if not check_label(value, "id"):
        raise InputError("a row needs an id", where="id", hint="the same call must give the same id, each call another")
    return str(value)


def check_who(who: Who) -> Who:
    """Check a `Who` that was not made by `who_of`; see there."""
    if not isinstance(who, Who) or not isinstance(who.tags, tuple):
        raise InputError("not a caller", where="who", hint="make one with who_of(feature, user=...)")
    for name in ("feature", "user", "session", "tenant", "user_class"):
        check_label(getattr(who, name), name)
    if len(who.tags) > TAGS_MAX:
        raise InputError(
            f"{len(who.tags):,} tags, at most {TAGS_MAX} are kept", where="tags", hint="use few tags with few values"
        )
    for name, value in who.tags:
        if not isinstance(name, str) or not _TAG_NAME.fullmatch(name):
            raise InputError(f"no tag can be named {str(name)[:40]!r}", where="tags", hint="use who_of(tags={...})")
        check_label(value, f"tags.{name}")
    return who


def check_what(what: What) -> What:
    """Check the labels of a `What`; see `check_label`."""
    for name in ("model", "provider", "plan", "stage", "mode", "version", "outcome"):
        check_label(getattr(what, name), name)
    if what.status not in STATUSES or what.kind not in KINDS:
        raise InputError(
            "no such status or kind",
            where=f"{what.status}/{what.kind}",
            hint=f"statuses: {', '.join(STATUSES)}; kinds: {', '.join(KINDS)}",
        )
    return what


def check_amount(value: Any, name: str, *, negative: bool = False) -> int:
    """Check a whole number of nano-USD, milliseconds or units.

    Raises:
        InputError: a fraction, not a number, negative, or too large for 64 bits.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(
            f"{name} must be a whole number, got {value!r:.40}",
            where=name,
            hint="amounts are integers: nano-USD, milliseconds, bytes",
        )
    if (value < 0 and not negative) or abs(value) > _LARGEST:
        raise InputError(f"{name} cannot be {value:,}", where=name, hint="it must lie between 0 and 2^56")
    return value


def check_units(units: Units) -> Units:
    """Check each amount of units; see `check_amount`."""
    for value in msgspec.structs.astuple(units):
        if type(value) is not int or not 0 <= value <= _LARGEST:
            break
    else:
        return units
    for name in UNITS:
        check_amount(getattr(units, name), name)
    return units


encode_who = msgspec.json.Encoder(order="deterministic").encode
