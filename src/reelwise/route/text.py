# ruff: noqa: RUF001 - multiplication signs are looked for
"""What a text says of how hard it is: a row of numbers from a question, and from a model's answer to it.

Nothing here knows a subject or a data set: lengths, numbers, shape, and words that hedge, refuse or conclude.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ANSWER", "BETWEEN", "QUESTION", "answer_row", "between_row", "final_answer", "question_row"]

_LONGEST = 40_000  # characters of a text that are read
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SENTENCE = re.compile(r"[.?!](?:\s|$)")
_SIGN = re.compile(r"[=+^*/<>\\_{}|()\[\]~√²³°≈×÷-]")
_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
_OPTION = re.compile(r"\([A-J]\)|\b[Oo]ption [A-J]\b|^[*\s]*[A-J][.:)]", re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[*-]|\d+[.)])\s", re.MULTILINE)
_FINAL = re.compile(r"answer\s*(?:is|:|=)\s*:?\s*\**\(?([^\s().,;*]{1,40})", re.IGNORECASE)
_SUM = re.compile(
    r"(?<![\d.+*/×÷^-])(?<![+*/×÷^-] )\$?(\d[\d,]{0,12}(?:\.\d{1,9})?) ?([-+*/×÷]) ?\$?(\d[\d,]{0,12}(?:\.\d{1,9})?)"
    r" ?[=≈] ?\$?(\d[\d,]{0,12}(?:\.\d{1,9})?)(?![\d%])(?! ?[-+*/×÷^])"
)

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "each": ("each", "every", "per"),
    "more": ("more", "less", "fewer", "than", "times", "as"),
    "conditions": ("if", "when", "unless", "suppose", "assume", "given"),
    "time": (
        "hour",
        "hours",
        "minute",
        "minutes",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "second",
        "seconds",
    ),
    "rest": ("remaining", "left", "rest", "remainder", "total", "altogether", "average", "ratio", "difference"),
    "negations": ("not", "no", "never", "except", "false", "incorrect", "least", "none", "neither"),
    "which": ("which", "what"),
    "why": ("why", "explain", "because"),
    "who": ("who", "whom", "where"),
    "tasks": ("find", "calculate", "compute", "determine", "solve", "evaluate", "simplify"),
    "parts": ("half", "third", "quarter", "fourth", "fifth", "thirds", "twice", "double", "triple", "thrice"),
}
_PLAIN: Final = frozenset(("the", "of", "a", "an", "in", "to", "is", "and", "that"))
_ANSWERS: Final[dict[str, tuple[str, ...]]] = {
    "about": ("approximately", "about", "roughly", "estimate", "estimated", "around"),
    "closest": ("closest", "close", "nearest", "closer"),
    "hedges": (
        "likely",
        "probably",
        "perhaps",
        "might",
        "may",
        "possibly",
        "seems",
        "plausible",
        "guess",
        "assume",
        "assuming",
        "suggests",
        "could",
        "would",
        "unclear",
        "typically",
        "generally",
        "usually",
        "unsure",
        "maybe",
        "appears",
    ),
    "turns": ("however", "but", "although", "though", "despite", "without", "unless", "wait", "actually"),
    "refuses": (
        "cannot",
        "unable",
        "insufficient",
        "provided",
        "additional",
        "incomplete",
        "missing",
        "error",
        "mistake",
        "necessary",
        "need",
        "requires",
        "impossible",
        "unavailable",
        "sorry",
        "unknown",
    ),
    "concludes": ("therefore", "thus", "hence", "clearly", "must", "exactly", "definition", "because", "since", "so"),
    "negations": ("not", "no", "none", "neither", "incorrect", "wrong", "false"),
}

QUESTION: Final[tuple[str, ...]] = (
    "length", "words", "sentences", "numbers", "numbers_distinct", "number_largest", "decimals", "percents", "fractions",
    "money", "words_distinct", "word_length", "sentence_length", "names", "how_many", "how_much", "lines", "line_length",
    "digits", "signs", "equals", "letters", "long_words", "plain_words", "quotes", "marks",
    *(name for name in _GROUPS if name != "parts"),
)  # fmt: skip
ANSWER: Final[tuple[str, ...]] = (
    "length", "words", "no_final", "finals_differ", "bare", "numbers", "equals", "options", "lines", "bullets",
    "words_distinct", "word_length", "sentence_length", "digits", "signs", "ends", "final_early", "after_final",
    "marks", "approximates", "sums_right", "sums_wrong", *_ANSWERS,
)  # fmt: skip
BETWEEN: Final[tuple[str, ...]] = (
    "agree", "one_has_none", "words_shared", "numbers_shared", "length_ratio",
)  # fmt: skip


def question_row(text: str) -> list[float]:
    """Return the numbers of `QUESTION` for a text; of a long one its first 40,000 characters."""
    text = text[:_LONGEST]
    low, size = text.lower(), max(1, len(text))
    numbers, words = _NUMBER.findall(text), _WORD.findall(low)
    counts, many = Counter(words), max(1, len(words))
    sentences = max(1, len([one for one in _SENTENCE.split(text) if one.strip()]))
    lines = [len(line) for line in text.split("\n") if line.strip()]
    return [
        math.log1p(len(text)), math.log1p(len(words)), math.log1p(sentences), math.log1p(len(numbers)),
        math.log1p(len(set(numbers))), math.log1p(max(map(_value, numbers), default=0.0)),
        float(sum("." in one for one in numbers)), float(text.count("%") + counts["percent"]),
        float(len(re.findall(r"\d/\d", text)) + sum(counts[word] for word in _GROUPS["parts"])),
        float(text.count("$")), len(counts) / many, sum(map(len, words)) / many, math.log1p(many / sentences),
        float(len(set(_CAPITAL.findall(text)))), float("how many" in low), float("how much" in low),
        math.log1p(len(lines)), math.log1p(sum(lines[1:]) / max(1, len(lines) - 1)), sum(map(str.isdigit, text)) / size,
        math.log1p(len(_SIGN.findall(text))), math.log1p(text.count("=") + text.count("^")),
        sum(map(str.isalpha, text)) / size, sum(len(word) >= 9 for word in words) / many,
        sum(word in _PLAIN for word in words) / many, math.log1p(text.count('"') + text.count("“")), float(text.count("?")),
        *(float(sum(counts[word] for word in group)) for name, group in _GROUPS.items() if name != "parts"),
    ]  # fmt: skip


def answer_row(text: str) -> list[float]:
    """Return the numbers of `ANSWER` for a model's answer."""
    text = text[:_LONGEST]
    size, words = max(1, len(text)), _WORD.findall(text.lower())
    counts, many = Counter(words), max(1, len(words))
    finals = [found.group(1).lower() for found in _FINAL.finditer(text)]
    last = max((found.start() for found in _FINAL.finditer(text)), default=0)
    right, wrong = _sums(text)
    return [
        math.log1p(len(text)), math.log1p(len(words)), float(not finals), float(len(set(finals)) > 1),
        float(len(text.strip()) < 30), math.log1p(len(_NUMBER.findall(text))), math.log1p(text.count("=")),
        math.log1p(len(_OPTION.findall(text))), math.log1p(text.count("\n")), math.log1p(len(_BULLET.findall(text))),
        len(counts) / many, sum(map(len, words)) / many, math.log1p(many / max(1, len(_SENTENCE.findall(text)))),
        sum(map(str.isdigit, text)) / size, math.log1p(len(_SIGN.findall(text))),
        float(text.rstrip().endswith(".")), float(bool(finals) and len(text) > 60 and last < len(text) / 2),
        math.log1p(len(text) - last), float(text.count("?")), float(text.count("≈")), float(right), float(wrong),
        *(float(sum(counts[word] for word in group)) for group in _ANSWERS.values()),
    ]  # fmt: skip


def between_row(one: str, other: str, *, one_final: str, other_final: str) -> list[float]:
    """Return the numbers of `BETWEEN` for two texts.

    Args:
        one: a text.
        other: another.
        one_final: what the first concludes, empty where nothing; see `final_answer`.
        other_final: what the second concludes.
    """
    one, other = one[:_LONGEST], other[:_LONGEST]
    words = _shared(_WORD.findall(one.lower()), _WORD.findall(other.lower()))
    numbers = _shared(_NUMBER.findall(one), _NUMBER.findall(other))
    agree = bool(one_final) and one_final.strip().lower() == other_final.strip().lower()
    ratio = math.log1p(len(one)) - math.log1p(len(other))
    return [float(agree), float(not one_final or not other_final), words, numbers, ratio]


def final_answer(text: str) -> str:
    """Return what an answer concludes: what its last "answer is ..." names, in small letters; empty where it has none."""
    finals = _FINAL.findall(text[-_LONGEST:])
    return finals[-1].lower() if finals else ""


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    both, all_ = set(one) & set(other), set(one) | set(other)
    return len(both) / max(1, len(all_))


def _value(number: str) -> float:
    return min(1e15, float(number.replace(",", "")[:30]))


def _sums(text: str) -> tuple[int, int]:
    """Count sums of two numbers that a text works out, right and wrong; a result may be rounded."""
    right = wrong = 0
    for left, sign, other, result in _SUM.findall(text):
        a, b, said = _value(left), _value(other), _value(result)
        if sign in "/÷" and b == 0:
            wrong += 1
            continue
        true = a / b if sign in "/÷" else a + b if sign == "+" else a - b if sign == "-" else a * b
        digits = len(result.partition(".")[2])
        if abs(true - said) <= max(0.51 * 10.0**-digits, 0.006 * abs(true)):
            right += 1
        else:
            wrong += 1
    return right, wrong
