"""In what two questions differ: a kind of difference, or a gate that says they may not share an answer.

A cosine between two sentences says nothing of what differs; "dogs that like men" and "men that like dogs" are near twins. So
likeness is no number here. The words that differ decide the kind, and how often a kind is wrong is counted (`bound`).
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KINDS", "Question", "difference"]

_LONGEST = 4000  # characters
_WORDS_MOST = 200
_SCRAMBLED = 0.25  # share of kept neighbours up to which a text is a bag of words and no sentence
_TOKEN = re.compile(r"[^\W\d_]+|(?<![^\s(=])-?\d+(?:[.,:/]\d+)*!?|\d+(?:[.,:/]\d+)*!?|[^\w\s]|_")
_IGNORED: Final = frozenset("?!.,;:…\"'`´“”‘’()-–—")  # noqa: RUF001 - these are the marks
_ARTICLES: Final = frozenset(("a", "an", "the"))
_HELPERS: Final = frozenset(
    ["can", "could", "should", "would", "will", "shall", "may", "might", "do", "does", "did", "i", "you", "we", "one"]
)
_SHORT: Final = {
    "what's": "what is", "who's": "who is", "where's": "where is", "how's": "how is", "that's": "that is",
    "there's": "there is", "it's": "it is", "i'm": "i am", "you're": "you are", "they're": "they are", "we're": "we are",
    "i've": "i have", "i'd": "i would", "don't": "do not", "doesn't": "does not", "didn't": "did not", "isn't": "is not",
    "aren't": "are not", "wasn't": "was not", "weren't": "were not", "can't": "can not", "cannot": "can not",
    "won't": "will not", "wouldn't": "would not", "couldn't": "could not", "shouldn't": "should not",
}  # fmt: skip
_SHORTS = re.compile(r"\b(?:" + "|".join(map(re.escape, _SHORT)) + r")\b")
_NEGATIONS: Final = frozenset(
    [
        "not",
        "no",
        "never",
        "none",
        "nobody",
        "nothing",
        "neither",
        "nor",
        "without",
        "except",
        "unless",
        "wrong",
        "false",
        "incorrect",
    ]
)
_COUNTS: Final = frozenset(
    [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "hundred",
        "thousand",
        "million",
        "billion",
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "last",
        "half",
        "double",
        "twice",
    ]
)
_FRESH: Final = frozenset(
    [
        "now",
        "today",
        "tonight",
        "tomorrow",
        "yesterday",
        "currently",
        "current",
        "latest",
        "newest",
        "recent",
        "recently",
        "live",
        "upcoming",
        "nowadays",
    ]
)

KINDS: Final[tuple[str, ...]] = ("exact", "small", "moved", "scrambled", "endings", "helpers")
"""Kinds of difference, in the order in which they are proved.

exact: case, space, and marks at the end. small: marks between words, short forms, articles. moved: a part went from one end to the
other. scrambled: the same words in no order. endings: plurals. helpers: can for could, you for I.
"""


class Question(Struct, frozen=True):
    """A question taken apart.

    Attributes:
        plain: small letters, single spaces, no marks at the end.
        words: its words and signs without articles and marks, short forms written out; at most 200.
        names: words that are written with a capital and do not begin a sentence, in small letters.
        loose: what questions that differ by a known kind have in common; equal for all of them.
        fresh: it asks for what changes with time.
    """

    plain: str
    words: tuple[str, ...]
    names: frozenset[str]
    loose: str
    fresh: bool

    @classmethod
    def of(cls, text: str) -> Question:
        """Take a question apart."""
        whole = " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").split())
        low = whole.lower()
        found = _TOKEN.findall(_SHORTS.sub(lambda short: _SHORT[short.group()], low[:_LONGEST]).replace("'s ", "s "))
        words = tuple(word for word in found[:_WORDS_MOST] if word not in _IGNORED and word not in _ARTICLES)
        written = _TOKEN.findall(whole[:_LONGEST])[:_WORDS_MOST]
        names = frozenset(
            word.lower()
            for before, word in zip(("?", *written), written, strict=False)
            if word[0].isupper() and before not in ".?!" and word != "I"
        )
        # joined and split words ("semi-final", "semi final") share their letters only
        letters = sorted("".join(_singular(word) for word in words if word not in _HELPERS))
        whole_text = len(whole) <= _LONGEST and len(found) <= _WORDS_MOST
        return cls(
            plain=_trimmed(low) or low,
            words=words,
            names=names,
            loose="".join(letters) if whole_text else "=" + low,
            fresh=any(word in _FRESH for word in words),
        )


def difference(one: Question, other: Question) -> str:  # noqa: PLR0911 - a kind each
    """Return the kind of difference of two questions, or what forbids that they share an answer.

    The answer is one of `KINDS`; or "negation", "number", "name" or "order" (roles may be exchanged); or "other".
    """
    a, b = one.words, other.words
    if one.plain == other.plain:
        return "exact"
    if not a or not b:
        return "other"  # nothing but marks
    for name, words in (("negation", _NEGATIONS), ("number", _COUNTS)):
        if _picked(a, words) != _picked(b, words):
            return name
    if "".join(a) == "".join(b):
        return "small"
    if sorted(a) == sorted(b):
        return _ordered(one, other)
    if any(name not in b for name in one.names & set(a)) or any(name not in a for name in other.names & set(b)):
        return "name"
    if [_singular(word) for word in a] == [_singular(word) for word in b]:
        return "endings"
    if [word for word in a if word not in _HELPERS] == [word for word in b if word not in _HELPERS]:
        return "helpers"
    return "other"


def _trimmed(low: str) -> str:
    """Cut marks off the end; the mark of 5! is none."""
    short = low.rstrip(" ?.…")
    while short.endswith("!") and not short[-2:-1].isdigit():
        short = short.rstrip("!").rstrip(" ?.…")
    return short


def _picked(words: Sequence[str], those: frozenset[str]) -> list[str]:
    return sorted(word for word in words if word in those or (those is _COUNTS and word[0].isdigit()))


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") else word[:-1]
    return word


def _ordered(one: Question, other: Question) -> str:
    """Return the kind of two questions of the same words in another order."""
    a, b = one.words, other.words
    if _exchanged(a, b):
        return "order"
    if any(a[at:] + a[:at] == b for at in range(1, len(a))):
        return "moved"
    names = one.names | other.names
    if [w for w in a if w in names or w[0].isdigit()] != [w for w in b if w in names or w[0].isdigit()]:
        return "order"
    before, after = set(itertools.pairwise(a)), set(itertools.pairwise(b))
    kept = len(before & after) / max(1, len(before | after))
    return "scrambled" if kept <= _SCRAMBLED else "order"


def _exchanged(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Say whether two parts changed places around one that stayed: who does what to whom may be the other way round."""
    start, stop = 0, len(a)
    while start < stop and a[start] == b[start]:
        start += 1
    while stop > start and a[stop - 1] == b[stop - 1]:
        stop -= 1
    a, b = a[start:stop], b[start:stop]
    size = len(a)
    for left in range(1, size - 1):
        if b[size - left :] != a[:left]:
            continue
        for right in range(1, size - left):
            if b[:right] == a[size - right :] and b[right : size - left] == a[left : size - right]:
                return True
    return False
