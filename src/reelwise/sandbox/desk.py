"""Serving a call: let it in, draw an answer, count, price, bill. The same for all vendors."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reelwise.sandbox.clock import Clock
from reelwise.sandbox.drawing import Drawn, draw, hashed
from reelwise.sandbox.errors import BadRequestError, KeyRefusedError, LimitedError
from reelwise.sandbox.invoice import Invoice, Row
from reelwise.sandbox.limits import Gate
from reelwise.sandbox.prefixes import Prefixes, least
from reelwise.sandbox.prices import Prices, Tally
from reelwise.sandbox.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.sandbox.asked import Asked, Piece
    from reelwise.sandbox.exchange import Document
    from reelwise.sandbox.scenario import Fault, Scenario

__all__ = ["Desk", "Served"]

_SEEN_MAX = 200_000
_ANSWERS_MAX = 10_000
_CACHE_STEP = {"openai": 128}


class Served(Struct, kw_only=True):
    """A call that is answered.

    Attributes:
        asked: the call.
        drawn: its answer.
        tally: what it used, all of the answer counted.
        fault: what goes wrong with it; None for nothing.
        id: what its vendor calls it.
        at: when, of the sandbox's clock.
    """

    asked: object
    drawn: Drawn
    tally: Tally
    fault: str | None
    id: str
    at: float


class Desk:
    """One sandbox's state, for all of its threads.

    Args:
        scenario: what it does.
        invoice_file: where rows are written as they come.
    """

    def __init__(self, scenario: Scenario, invoice_file: Path | None = None) -> None:
        self.scenario = scenario
        self.clock = Clock(scenario.day, scenario.clock_speed)
        self.prices = Prices(scenario.prices)
        self.invoice = Invoice(invoice_file)
        self.store = Store(self.clock)
        self._gate = Gate(scenario.limits.requests_minute, scenario.limits.tokens_minute)
        self._prefixes = Prefixes()
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, int] = OrderedDict()
        self._answers: OrderedDict[str, Document] = OrderedDict()
        self._month: dict[str, Fraction] = {}
        self._number = 0

    def check_key(self, key: str) -> None:
        """Refuse a wrong key; without keys in the scenario any is right, and none too.

        Raises:
            KeyRefusedError: it is not one of the scenario's.
        """
        if self.scenario.keys and key not in self.scenario.keys:
            shown = f"{key[:4]}***" if key else "none"
            raise KeyRefusedError(f"Incorrect API key provided: {shown}.", code="invalid_api_key")

    def enter(self, key: str, model: str, tokens: int) -> None:
        """Keep to the limits; see `Gate.enter`."""
        self._gate.enter(f"{key}/{model}", tokens)

    def times_seen(self, digest: bytes) -> int:
        """Count equal calls: how often this one came before."""
        with self._lock:
            before = self._seen.pop(digest, 0)
            self._seen[digest] = before + 1
            while len(self._seen) > _SEEN_MAX:
                self._seen.popitem(last=False)
        return before

    def new_id(self, head: str) -> str:
        """Make an id; they are counted, so that a run can be repeated."""
        with self._lock:
            self._number += 1
            return f"{head}{self._number:012d}"

    def serve(self, asked: Asked) -> Served:
        """Let a call in, choose what goes wrong, and draw its answer. Nothing is billed yet: see `bill`.

        Raises:
            RefusalError: it is not served; nothing is billed.
        """
        self.check_key(asked.key)
        if not self.prices.offers(asked.model, asked.mode, self.clock.day()):
            raise BadRequestError(f"{asked.mode} is not available for {asked.named}", code="invalid_service_tier")
        kinds = sum(piece.tokens + piece.sound for piece in (*asked.kept, *asked.pieces))
        limit = self.prices.context(asked.model)
        if limit is not None and kinds > limit:
            raise BadRequestError(
                f"the input token count ({kinds}) exceeds the maximum number of tokens allowed ({limit})",
                code="context_length_exceeded",
            )
        if not asked.batch:
            self.enter(asked.key, asked.model, kinds)
        times = self.times_seen(asked.digest)
        kind = None if asked.batch else self.fault(asked.model, asked.digest, times)
        if kind == "lost_request":
            return Served(asked=asked, drawn=Drawn(text=""), tally=Tally(), fault=kind, id="", at=self.clock.now())
        variant = times if asked.variant is None else asked.variant
        drawn = draw(
            self.scenario, asked.model, asked.prompt, int.from_bytes(asked.item, "little"),
            variant=variant, schema=asked.schema, most=asked.most, question=asked.question,
        )  # fmt: skip
        if kind == "refused":
            drawn = Drawn(text="", finish="refused", difficulty=drawn.difficulty)
        tally = self._tally(asked)
        tally.output, tally.reasoning = drawn.output, drawn.reasoning
        return Served(asked=asked, drawn=drawn, tally=tally, fault=kind, id=self.new_id("sb"), at=self.clock.now())

    def fault(self, model: str, digest: bytes, times: int) -> str | None:
        """Choose what goes wrong with a call that came so often before; None for nothing.

        Raises:
            RefusalError: 429, 500 or 503: nothing is served.
        """
        found = self._drawn(model, hashed(self.scenario.seed, "fault", digest, times) / 2**64)
        if found is None:
            return None
        if found.kind in {"429", "500", "503"}:
            raise _failed(found.kind, found.retry_after)
        return found.kind

    def _drawn(self, model: str, chance: float) -> Fault | None:
        for fault in self.scenario.faults:
            if fault.match and not re.search(fault.match, model):
                continue
            if chance < fault.share:
                return fault
            chance -= fault.share
        return None

    def _tally(self, asked: Asked) -> Tally:
        tally = Tally()
        for piece in asked.kept:
            tally.cached += piece.tokens + piece.sound
            tally.audio_cached += piece.sound + (piece.tokens if piece.kind == "audio" else 0)
        for piece in asked.pieces:
            setattr(tally, piece.kind, getattr(tally, piece.kind) + piece.tokens)
            tally.audio += piece.sound
        if asked.batch or asked.kept:
            return tally
        marked = any(piece.mark for piece in asked.pieces)
        if asked.maker == "anthropic" and marked:
            self._marked(asked, tally)
        elif asked.maker != "anthropic" and (asked.cache_key or asked.maker in self.scenario.automatic_cache):
            self._automatic(asked, tally)
        return tally

    def _prefix(self, asked: Asked) -> list[tuple[bytes, int, Piece]]:
        """Digest and tokens of each prefix that ends with a piece."""
        made = hashlib.blake2b(f"{asked.key}/{asked.model}".encode(), digest_size=16)
        found, tokens = [], 0
        for piece in asked.pieces:
            made.update(piece.digest)
            tokens += piece.tokens + piece.sound
            found.append((made.copy().digest(), tokens, piece))
        return found

    def _marked(self, asked: Asked, tally: Tally) -> None:
        """Read the longest marked prefix that is kept, and write the rest up to the last mark (Anthropic)."""
        now, fewest = self.clock.now(), least(asked.model)
        prefixes = self._prefix(asked)
        ends = [(digest, tokens, piece.mark) for digest, tokens, piece in prefixes if piece.mark and tokens >= fewest]
        if not ends:
            return
        seconds = self.scenario.cache_seconds
        read = self._prefixes.longest([(digest, tokens) for digest, tokens, _ in ends], now, seconds)
        written = ends[-1][1] - read
        _take(asked, tally, read + written)
        tally.cached = read
        if ends[-1][2] > 600:
            tally.write_1h = written
        else:
            tally.write = written
        for digest, _, mark in ends:
            self._prefixes.keep(digest, now + (mark if mark > 600 else seconds))

    def _automatic(self, asked: Asked, tally: Tally) -> None:
        """Read the longest prefix that is kept, in whole steps, and keep this call's own (OpenAI; Google's implicit cache)."""
        now, fewest = self.clock.now(), least(asked.model)
        prefixes = [(digest, tokens) for digest, tokens, _ in self._prefix(asked)]
        step = _CACHE_STEP.get(asked.maker, 1)
        read = self._prefixes.longest(prefixes, now, self.scenario.cache_seconds) // step * step
        read = read if read >= fewest else 0
        whole = prefixes[-1][1] if prefixes else 0
        written = 0
        if asked.maker == "openai" and self.prices.writes(asked.model) and whole >= fewest:
            written = whole // step * step - read
        heard = _take(asked, tally, read + written)
        tally.cached, tally.write = read, written
        tally.audio_cached = min(heard, read)
        for digest, tokens in prefixes:
            if tokens >= fewest:
                self._prefixes.keep(digest, now + self.scenario.cache_seconds)

    def bill(self, served: Served, *, status: str = "ok", delivered: bool = True, output: int | None = None) -> Row:
        """Write a call's row.

        Args:
            served: the call.
            status: see `Row`.
            delivered: likewise.
            output: tokens of output that are billed, where that is not all of it.
        """
        asked: Asked = served.asked  # type: ignore[assignment]
        tally, drawn, day = served.tally, served.drawn, self.clock.day()
        if output is not None:
            tally = msgspec.structs.replace(tally, output=output, reasoning=min(tally.reasoning, output))
        row = Row(
            id=served.id, at=served.at, day=day.isoformat(), maker=asked.maker, model=asked.model, mode=asked.mode,
            nano=self.prices.nano(asked.model, asked.mode, day, tally), status=status, delivered=delivered,
            identity=asked.identity, kind="batch" if asked.batch else "call", label=drawn.label, right=drawn.right,
            difficulty=drawn.difficulty, confidence=drawn.confidence if drawn.label else None,
            **msgspec.structs.asdict(tally),
        )  # fmt: skip
        self.invoice.add(row)
        return row

    def remember(self, served: Served, reply: Document) -> None:
        """Keep an answer under the caller's id of the call, where the scenario answers such calls again."""
        asked: Asked = served.asked  # type: ignore[assignment]
        if not self.scenario.idempotent or not asked.identity:
            return
        with self._lock:
            self._answers[f"{asked.key}/{asked.identity}"] = msgspec.structs.replace(reply)
            while len(self._answers) > _ANSWERS_MAX:
                self._answers.popitem(last=False)

    def remembered(self, key: str, identity: str) -> Document | None:
        """Return the answer that a call got before."""
        if not self.scenario.idempotent or not identity:
            return None
        with self._lock:
            return self._answers.get(f"{key}/{identity}")

    def before(self, sku: str, quantity: Fraction) -> Fraction:
        """Note so much more of a card's unit this month, and return what there was before."""
        with self._lock:
            found = self._month.get(sku, Fraction(0))
            self._month[sku] = found + quantity
        return found

    def failed(self, kind: str, name: str) -> bool:
        """Say whether a job of this name is among those that fail."""
        return hashed(self.scenario.seed, kind, name) / 2**64 < self.scenario.video_failed

    def begin_month(self, used: dict[str, Fraction]) -> None:
        """Say what the account had used of cards' units this month before; see `Sandbox.begin_month`."""
        with self._lock:
            self._month.update(used)

    def wait(self, served: Served) -> None:
        """Be as slow as the scenario says before the first byte."""
        latency = self.scenario.latency
        if latency.first_ms:
            import math
            import random

            chance = random.Random(hashed(self.scenario.seed, "wait", served.id))  # noqa: S311 - no secret
            time.sleep(latency.first_ms / 1000 * math.exp(chance.gauss(0.0, latency.spread)))

    def close(self) -> None:
        """Give back what it keeps on disk."""
        self.invoice.close()
        self.store.close()


def _take(asked: Asked, tally: Tally, tokens: int) -> int:
    """Take the first tokens of a call out of its fresh ones; return how many of them are sound."""
    left, heard = tokens, 0
    for piece in asked.pieces:
        take = min(left, piece.tokens)
        setattr(tally, piece.kind, getattr(tally, piece.kind) - take)
        left -= take
        sound = min(left, piece.sound)
        tally.audio -= sound
        left -= sound
        heard += sound + (take if piece.kind == "audio" else 0)
        if left <= 0:
            break
    return heard


def _failed(kind: str, retry_after: float | None) -> Exception:
    if kind == "429":
        return LimitedError("Rate limit reached", code="rate_limit_exceeded", retry_seconds=retry_after)
    error = BadRequestError("The server had an error while processing your request", retry_seconds=retry_after)
    error.status, error.kind, error.google = int(kind), "api_error", "INTERNAL" if kind == "500" else "UNAVAILABLE"
    return error
