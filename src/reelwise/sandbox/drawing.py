"""Answers that are drawn: the same call gets the same one, right more often from better models and for easier items."""

from __future__ import annotations

import hashlib
import math
import random
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.sandbox.counting import text_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.sandbox.scenario import ModelSkill, Scenario

__all__ = ["Drawn", "draw", "hashed", "pieces"]

_WORDS = [
    "man",
    "dog",
    "car",
    "red",
    "sky",
    "run",
    "sit",
    "hat",
    "two",
    "box",
    "cat",
    "bus",
    "day",
    "map",
    "sun",
    "toy",
    "one",
    "cup",
    "bag",
    "key",
    "top",
    "ice",
    "sea",
    "air",
    "lot",
    "job",
    "jar",
    "pen",
    "low",
    "far",
    "old",
    "big",
    "new",
    "dry",
    "wet",
    "hot",
    "raw",
    "dim",
    "tan",
    "icy",
    "own",
    "shy",
    "wry",
    "odd",
    "apt",
    "fit",
]
_DEPTH_MAX = 8
_OUTPUT_MAX = 60_000


class Drawn(Struct, kw_only=True):
    """An answer.

    Attributes:
        text: what is written.
        reasoning: tokens that are thought and not shown.
        finish: stop or length.
        label: what was chosen, where the prompt gives labels.
        right: whether it is the truth.
        difficulty: of the item, 0..1.
        confidence: what the model says of itself, 0..1.
    """

    text: str
    reasoning: int = 0
    finish: str = "stop"
    label: str = ""
    right: bool | None = None
    difficulty: float = 0.0
    confidence: float = 0.0

    @property
    def output(self) -> int:
        """Tokens that are billed as output."""
        return text_tokens(self.text) + self.reasoning


def hashed(*parts: Any) -> int:
    """Make a number of some values; the same values, the same number."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return int.from_bytes(digest.digest(), "little")


def draw(
    scenario: Scenario,
    model: str,
    prompt: str,
    item: int,
    *,
    variant: int = 0,
    schema: Any = None,
    most: int | None = None,
    question: str = "",
) -> Drawn:
    """Draw an answer.

    Args:
        scenario: how hard, how good, how long.
        model: who answers.
        prompt: all text of the call.
        item: a number of what is shown: the same pictures, the same number. Truth and difficulty come from it and the prompt.
        variant: of answers to equal calls (a seed, or a repetition at a temperature).
        schema: a JSON Schema that it follows.
        most: tokens at most, reasoning included.
        question: the last text of the call, which decides alone where the scenario says which other words answers need.
    """
    rule = next((one for one in scenario.answers if re.search(one.match, prompt)), None)
    about = (rule.means if rule is not None else "") or (question if scenario.needs else prompt)
    chance = random.Random(hashed(scenario.seed, item, about))  # noqa: S311 - no secret
    mean, spread = scenario.difficulty
    difficulty = min(1.0, max(0.0, chance.gauss(mean, spread)))
    truth, other = chance.random(), chance.random()
    skill = next((one for one in scenario.models if re.search(one.match, model)), None)
    lacking = _lacking(scenario, prompt, item, about)
    own = random.Random(hashed(scenario.seed, item, about, model, variant, *lacking))  # noqa: S311 - no secret
    sure = _right_share(skill, difficulty)
    first = random.Random(hashed(scenario.seed, item, about, model, variant)) if lacking else own  # noqa: S311 - no secret
    right = (first.random() < sure) != bool(lacking)
    said = min(1.0, max(0.0, own.gauss(sure if right else 1 - (1 - sure) * 0.6, skill.doubt if skill else 0.1)))
    labels = _labels(schema) or (rule.labels if rule else ())
    label = _label(labels, truth, other, right=right)
    length = max(1, round(scenario.output.tokens * math.exp(own.gauss(0.0, scenario.output.spread))))
    length = min(length, _OUTPUT_MAX)
    if schema is not None:
        text = _json(_Filling(own, label, said).value(schema))
    elif rule is not None and rule.text:
        text = rule.text.replace("{label}", label).replace("{confidence}", f"{said:.2f}")
    else:
        head = f"Label: {label}. Confidence: {said:.2f}. " if label else ""
        text = head + _words(own, max(0, length - text_tokens(head)))
    reasoning = 0
    if scenario.output.reasoning:
        reasoning = round(scenario.output.reasoning * math.exp(own.gauss(0.0, scenario.output.spread)))
    drawn = Drawn(
        text=text, reasoning=reasoning, label=label, right=right if label else None,
        difficulty=round(difficulty, 6), confidence=round(said, 4),
    )  # fmt: skip
    return _cut(drawn, most)


def _lacking(scenario: Scenario, prompt: str, item: int, about: str) -> tuple[str, ...]:
    """Name the words that this answer needs and the prompt does not hold."""
    return tuple(
        need.match
        for need in scenario.needs
        if not re.search(need.match, prompt)
        and hashed(scenario.seed, "need", need.match, item, about) / 2**64 < need.share
    )


def _cut(drawn: Drawn, most: int | None) -> Drawn:
    if most is not None and drawn.output > most:
        drawn.reasoning = min(drawn.reasoning, most)
        drawn.text = drawn.text.encode()[: 4 * (most - drawn.reasoning)].decode("utf-8", "ignore")
        drawn.finish = "length"
    return drawn


def _right_share(skill: ModelSkill | None, difficulty: float) -> float:
    ability, sharpness = (skill.skill, skill.sharpness) if skill else (0.8, 12.0)
    return 1 / (1 + math.exp(-sharpness * (ability - difficulty)))


def _label(labels: tuple[str, ...], truth: float, other: float, *, right: bool) -> str:
    if not labels:
        return ""
    at = min(int(truth * len(labels)), len(labels) - 1)
    if right or len(labels) == 1:
        return labels[at]
    return labels[(at + 1 + min(int(other * (len(labels) - 1)), len(labels) - 2)) % len(labels)]


def _words(chance: random.Random, tokens: int) -> str:
    return " ".join(chance.choices(_WORDS, k=tokens)) + ("." if tokens else "")


def pieces(text: str) -> Iterator[str]:
    """Split a text into tokens, as a stream sends them."""
    for at in range(0, len(text), 4):
        yield text[at : at + 4]


def _labels(schema: Any) -> tuple[str, ...]:
    """Find the first choice of strings in a schema: that is what is asked."""
    if not isinstance(schema, dict):
        return ()
    choice = schema.get("enum")
    if isinstance(choice, list) and choice and all(isinstance(one, str) for one in choice):
        return tuple(choice)
    for inner in (schema.get("properties") or {}).values():
        if found := _labels(inner):
            return found
    return _labels(schema.get("items"))


class _Filling:
    """Makes values that follow a schema."""

    def __init__(self, chance: random.Random, label: str, sure: float) -> None:
        self._chance, self._label, self._sure = chance, label, sure

    def value(self, schema: Any, name: str = "", depth: int = 0) -> Any:
        if not isinstance(schema, dict) or depth > _DEPTH_MAX:
            return None
        choice = schema.get("enum")
        if isinstance(choice, list) and choice:
            return self._label if self._label in choice else self._chance.choice(choice)
        kind = schema.get("type")
        kind = (kind[0] if isinstance(kind, list) and kind else kind) or (
            "object" if "properties" in schema else "string"
        )
        make = {"object": self._object, "array": self._array, "number": self._number, "integer": self._number}
        found = make.get(str(kind).lower())
        if found is not None:
            return found(schema, name, depth)
        return self._chance.random() < 0.5 if str(kind).lower() == "boolean" else _words(self._chance, 12)

    def _object(self, schema: dict[str, Any], _: str, depth: int) -> Any:
        return {key: self.value(inner, key, depth + 1) for key, inner in (schema.get("properties") or {}).items()}

    def _array(self, schema: dict[str, Any], _: str, depth: int) -> Any:
        count = min(max(int(schema.get("minItems", 1)), 1), 1000)
        return [self.value(schema.get("items", {}), "", depth + 1) for _ in range(count)]

    def _number(self, schema: dict[str, Any], name: str, _: int) -> Any:
        whole = str(schema.get("type")).lower() == "integer"
        low, high = float(schema.get("minimum", 0)), float(schema.get("maximum", 10 if whole else 1))
        if "confid" in name.lower() or "sure" in name.lower():
            return round(self._sure, 2)
        value = low + (high - low) * self._chance.random()
        return round(value) if whole else round(value, 2)


def _json(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
