"""What footage and models did, under which settings: measured > given by the user > published > assumed.

A measured fact is keyed by the settings of its stage, the plan before that stage and the class of footage. Asked under
another key, the nearest measurement is still used, but it counts as assumed, and the look-up says so.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.documents import decode, parse_yaml
from reelwise.errors import DocumentError, InputError
from reelwise.evidence import ASSUMED, MEASURED, Fact, kind_bit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reelwise.units import Num

__all__ = ["NAMES", "Entry", "Facts", "check_fact", "defaults", "settings_hash"]

NAMES = (
    "audio.speech_share",
    "cache.answer_hit_share",
    "cache.prefix_hit_share",
    "call.short_tokens_output",
    "call.text_factor",
    "call.tokens_output",
    "crop.area_share",
    "crop.height_share",
    "crop.width_share",
    "decode.cpu_seconds_per_second",
    "demand.factor",
    "escalate.doubt_share",
    "gate.active_share",
    "gate.kept_share",
    "latency.network_ms",
    "latency.output_tokens_per_second",
    "latency.overhead_ms",
    "latency.prefill_tokens_per_second",
    "reuse.frames_again_share",
    "reuse.question_hit_share",
    "route.easy_share",
    "sample.frames_per_second",
    "sample.uniform_frames_per_second",
    "scan.cpu_seconds_per_second",
    "serverless.cold_start_seconds",
    "serverless.idle_seconds",
)
"""Facts that stages and prices ask for; beside them `host.NAME.frames_per_second` and `.cold_start_seconds`,
`network.NETWORK.GPU.frames_per_second` as published, `quality.LEVER`, `quality.option.OPTION`, `scan.METHOD.MODE.cpu_share`, what a
scan costs beside a full decode, and `probe.LEVER.speed_ratio`, how much faster the smaller model of quantize or distil runs where it
was probed: 2 is twice as fast, below 1 is slower."""
_NAMED = re.compile(
    r"host\..+\.(frames_per_second|cold_start_seconds)|network\..+\.frames_per_second|quality\..+"
    r"|probe\.(quantize|distil)\.speed_ratio|scan\.(auto|packets|keyframes|luma|person)\.(coarse|exact)\.cpu_share"
)


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact and the key it holds under; empty parts of the key hold for all, and no class of footage borrows another's.

    Attributes:
        name: what, with its stage: "gate.active_share".
        settings: hash of the stage's settings.
        prefix: hash of the plan before the stage.
        source_class: class of users or footage.
        fact: the value and where it comes from.
    """

    name: str
    fact: Fact
    settings: str = ""
    prefix: str = ""
    source_class: str = ""


def settings_hash(settings: Any) -> str:
    """Hash settings, a struct or a tuple of them: canonical JSON, sha256, 16 hex digits; what is equal hashes equal."""
    plain = _floats(msgspec.to_builtins(settings))
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:16]


def _floats(value: Any) -> Any:
    """Write every number as a float: 1 and 1.0 are the same setting and would be different JSON."""
    if isinstance(value, dict):
        return {key: _floats(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_floats(one) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def check_fact(name: str, fact: Fact, where: str) -> None:
    """Refuse a fact that cannot be.

    Raises:
        DocumentError: a name that nothing asks for (the fact would change nothing, silently), a value below 0, a share above 1, a speed of 0, a low above the value or a high below it.
    """
    if name not in NAMES and not _NAMED.fullmatch(name):
        near = difflib.get_close_matches(name, NAMES, n=1)
        raise DocumentError(
            f"nothing asks for a fact named `{name}`",
            where=where,
            hint=f"did you mean `{near[0]}`?" if near else f"known: {', '.join(NAMES)}",
        )
    ends = [one for one in (fact.low, fact.value, fact.high) if one is not None]
    if ends != sorted(ends):
        raise DocumentError("low, value and high are not in this order", where=where, hint="low <= value <= high")
    if ends[0] < 0:
        raise DocumentError("a fact below 0", where=where, hint="give 0 or more")
    if name.endswith("_share") and ends[-1] > 1:
        raise DocumentError("a share above 1", where=where, hint="give 0.2 for 20 %")
    if ends[0] == 0 and _is_speed(name):
        raise DocumentError("a speed of 0 would take forever", where=where, hint="give more than 0")


def _is_speed(name: str) -> bool:
    """Say whether a price or a time is divided by the fact."""
    divided = name.endswith("_per_second") and name.startswith(("host.", "latency.", "network."))
    return divided or name.endswith(".speed_ratio")


@lru_cache(maxsize=1)
def defaults() -> tuple[Entry, ...]:
    """Load the published and assumed facts that ship with Reelwise, each with its source."""
    text = resources.files("reelwise").joinpath("data/facts.yaml").read_text(encoding="utf-8")
    table = parse_yaml(text, where="data/facts.yaml")
    return tuple(
        Entry(name=name, fact=decode(value, Fact, where=f"data/facts.yaml {name}")) for name, value in table.items()
    )


def _how_to_know(name: str) -> str:
    """Name the command that measures a fact."""
    command = "bench-model" if name.startswith("host.") else "audit CLIP"
    if name.startswith("probe."):
        return f"`reelwise probe {name.split('.')[1]} MODEL CLIP` measures it"
    return f"measure it (`reelwise {command}`) or give it: --set facts.{name}=VALUE"


_RANK = {"measured": 0, "given": 1, "published": 3, "assumed": 4}
_ELSEWHERE = 2
_EXACT = 3


class Facts:
    """Layers of facts, looked up by name and key.

    Args:
        entries: in any order; the look-up ranks them.
        values: drawn or fixed values that replace an entry's own (arrays in a Monte Carlo run).
    """

    def __init__(self, entries: Iterable[Entry] = (), values: Mapping[Entry, Num] | None = None) -> None:
        self.entries = tuple(entries)
        self._values = dict(values or {})
        self._by_name: dict[str, list[Entry]] = {}
        for entry in self.entries:
            self._by_name.setdefault(entry.name, []).append(entry)

    @classmethod
    def load(cls, given: Mapping[str, Fact] | None = None, measured: Iterable[Entry] = ()) -> Facts:
        """Layer measured facts, facts given by the user and the defaults."""
        own = tuple(Entry(name=name, fact=fact) for name, fact in (given or {}).items())
        return cls((*measured, *own, *defaults()))

    def with_entries(self, entries: Iterable[Entry]) -> Facts:
        """Return these facts and more."""
        return Facts((*entries, *self.entries), self._values)

    def find(
        self, name: str, *, stage: Any = None, prefix: str | None = None, source_class: str = ""
    ) -> tuple[Entry, bool] | None:
        """Look up the best entry, and say whether it holds under exactly this key."""
        candidates = [e for e in self._by_name.get(name, ()) if e.source_class in {"", source_class}]
        if not candidates:
            return None
        if len(candidates) == 1 and not (candidates[0].settings or candidates[0].prefix or candidates[0].source_class):
            return candidates[0], True
        settings = settings_hash(stage) if stage is not None and any(c.settings for c in candidates) else ""

        def rank(entry: Entry) -> tuple[int, int]:
            near = 2 * (entry.settings in {"", settings}) + (entry.prefix in {"", prefix or ""})
            own = _RANK[entry.fact.kind]
            return (own if near == _EXACT or own else _ELSEWHERE, -near)

        best = min(candidates, key=rank)
        return best, rank(best)[1] == -_EXACT

    def get(
        self,
        name: str,
        *,
        stage: Any = None,
        prefix: str | None = None,
        source_class: str = "",
        default: float | None = None,
    ) -> tuple[Num, int]:
        """Return a fact's value and its evidence bit.

        Raises:
            InputError: nothing is known under the name and no default was passed.
        """
        found = self.find(name, stage=stage, prefix=prefix, source_class=source_class)
        if found is None:
            if default is None:
                raise InputError(f"no fact is known for `{name}`", where="facts", hint=_how_to_know(name))
            return default, 0
        entry, exact = found
        bit = kind_bit(entry.fact.kind)
        if bit == MEASURED and not exact:
            bit |= ASSUMED
        return self._values.get(entry, entry.fact.value), bit

    def has(self, name: str, source_class: str = "") -> bool:
        """Say whether anything is known under the name for a class."""
        return any(e.source_class in {"", source_class} for e in self._by_name.get(name, ()))

    def known(self, name: str, source_class: str = "") -> bool:
        """Say whether the name is measured or given for a class, not just published or assumed."""
        return any(
            e.fact.kind in {"measured", "given"} and e.source_class in {"", source_class}
            for e in self._by_name.get(name, ())
        )

    def needs_prefix(self, name: str) -> bool:
        """Say whether any entry of the name depends on the plan before its stage."""
        return any(entry.prefix for entry in self._by_name.get(name, ()))

    def draw(self, n: int, seed: int = 0) -> Facts:
        """Draw every fact that has a low and a high, n times; drawn values are arrays of shape (n, 1).

        A split normal with the value as its mode, low as 5th and high as 95th percentile; shares stay within 0 to 1,
        and what is divided by stays above 0: a tenth of its low is as far down as it goes.
        """
        import numpy as np

        generator = np.random.default_rng(seed)
        drawn: dict[Entry, Num] = {}
        for entry in self.entries:
            fact = entry.fact
            if fact.low is None and fact.high is None:
                continue
            z = generator.standard_normal((n, 1))
            below = 0.0 if fact.low is None else (fact.value - fact.low) / 1.6448536
            above = 0.0 if fact.high is None else (fact.high - fact.value) / 1.6448536
            largest = 1.0 if entry.name.endswith("_share") else np.inf
            smallest = (fact.value if fact.low is None else fact.low) / 10 if _is_speed(entry.name) else 0.0
            drawn[entry] = np.clip(fact.value + np.where(z < 0, z * below, z * above), smallest, largest)
        return Facts(self.entries, drawn)

    @property
    def fixed_values(self) -> Mapping[Entry, Num]:
        """Values that stand in for entries' own: drawn, or fixed."""
        return self._values

    def fixed(self, entry: Entry, value: float) -> Facts:
        """Return these facts with one entry at another value (one bar of a tornado)."""
        return Facts(self.entries, {**self._values, entry: value})


def given(value: float, **details: Any) -> Fact:
    """Make a fact that the user states."""
    return Fact(value=value, kind="given", **details)
