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

from reelwise.reuse.order import content, exchanged, is_sentence, rotated, small_words, turned
from reelwise.reuse.wording import (
    AUXILIARIES,
    COUNTED,
    agreed,
    framed,
    listed,
    loose_letters,
    plain_words,
    synonymous,
    unhelped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KINDS", "Question", "difference"]

_LONGEST = 4000  # characters
_WORDS_MOST = 200
_LONG = 6  # words
_SCATTERED = 0.2  # share of neighbours that are kept
_SHOUTED = 0.7  # share of words with a capital from which capitals name nothing
_TOKEN = re.compile(r"[^\W\d_]+|(?<![^\s(=])-?\d+(?:[.,:/]\d+)*!?|\d+(?:[.,:/]\d+)*!?|[^\w\s]|_")
_IGNORED: Final = frozenset("?!.,;:…\"'`´“”‘’()-–—")  # noqa: RUF001 - these are the marks
_ARTICLES: Final = frozenset(("a", "an", "the"))
_SHORT: Final = {
    "what's": "what is", "who's": "who is", "where's": "where is", "how's": "how is", "that's": "that is",
    "there's": "there is", "it's": "it is", "i'm": "i am", "you're": "you are", "they're": "they are", "we're": "we are",
    "i've": "i have", "i'd": "i would", "don't": "do not", "doesn't": "does not", "didn't": "did not", "isn't": "is not",
    "aren't": "are not", "wasn't": "was not", "weren't": "were not", "can't": "can not", "cannot": "can not",
    "won't": "will not", "wouldn't": "would not", "couldn't": "could not", "shouldn't": "should not",
}  # fmt: skip
_SHORTS = re.compile(r"\b(?:" + "|".join(map(re.escape, _SHORT)) + r")\b")
_NEGATIONS: Final = listed("not no never none nobody nothing neither nor without except unless wrong false incorrect")
_COUNTS: Final = listed(
    "twenty thirty forty fifty hundred thousand million billion first second third fourth fifth last half double twice"
) | frozenset(COUNTED)
_FRESH: Final = listed(
    "now today tonight tomorrow yesterday currently current latest newest recent recently live upcoming nowadays"
)
_WHOSE: Final = listed(
    "i me my mine you your yours we us our ours he him his she her hers it its they them their theirs who whom whose"
)

KINDS: Final[tuple[str, ...]] = (
    "exact", "shuffled", "moved", "small", "frames", "synonyms", "plurals", "which", "helpers", "turned",
)  # fmt: skip
"""Kinds of difference, in the order in which they are proved.

exact: case, space, and marks at the end. shuffled: the same words, and one of the two is no sentence. moved: a part went from one end to the
other, and both are sentences. small: marks between words, short forms, articles, spelling, fillers, the sides of "between". frames: the
best way to do it, and how do I do it. synonyms: film for movie. plurals: plurals, and the verbs with them. which: which for what.
helpers: how can I, and how do you. turned: a helping verb went behind its subject.
"""


class Question(Struct, frozen=True):
    """A question taken apart.

    Attributes:
        plain: small letters, single spaces, no marks at the end.
        words: its words and signs without articles and marks, short forms written out; at most 200.
        same: these words in one spelling, without fillers.
        names: words that are written with a capital and do not begin a sentence, in small letters.
        loose: what questions that differ by a known kind have in common; equal for all of them.
        fresh: it asks for what changes with time.
        sentence: its words are in an order that a question may have.
    """

    plain: str
    words: tuple[str, ...]
    same: tuple[str, ...]
    names: frozenset[str]
    loose: str
    fresh: bool
    sentence: bool

    @classmethod
    def of(cls, text: str) -> Question:
        """Take a question apart."""
        whole = " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").split())
        low = whole.lower()
        found = _TOKEN.findall(_SHORTS.sub(lambda short: _SHORT[short.group()], low[:_LONGEST]).replace("'s ", "s "))
        said = [word for word in _someone(found[:_WORDS_MOST]) if word not in _IGNORED]
        words = tuple(word for word in said if word not in _ARTICLES)
        written = _TOKEN.findall(whole[:_LONGEST])[:_WORDS_MOST]
        names = frozenset(
            word.lower()
            for before, word in zip(("?", *written), written, strict=False)
            if word[0].isupper() and before not in ".?!" and word != "I"
        )
        whole_text = len(whole) <= _LONGEST and len(found) <= _WORDS_MOST
        return cls(
            plain=_trimmed(low) or low,
            words=words,
            same=plain_words(words),
            names=names if len(names) < _SHOUTED * len(set(words)) or len(set(words)) < _LONG else frozenset(),
            loose=loose_letters(words) if whole_text else "=" + low,
            fresh=any(word in _FRESH for word in words),
            sentence=is_sentence(said),
        )


def _someone(words: Sequence[str]) -> list[str]:
    """Tell "one" that asks (how can one) from one that counts."""
    return [
        "someone" if word == "one" and before in AUXILIARIES else word
        for before, word in zip(("", *words), words, strict=False)
    ]


def difference(one: Question, other: Question) -> str:
    """Return the kind of difference of two questions, or what forbids that they share an answer.

    The answer is one of `KINDS`; or "negation", "number", "name", "identity" (another thing or person) or "order" (roles may be
    exchanged); or "other".
    """
    a, b = one.words, other.words
    if one.plain == other.plain:
        return "exact"
    if not a or not b:
        return "other"  # nothing but marks
    for name, words in (("negation", _NEGATIONS), ("number", _COUNTS)):
        if _picked(a, words) != _picked(b, words):
            return name
    kind = _kind(one, other) if one.loose == other.loose else ""
    if kind:
        return kind
    only = (set(one.same) - set(other.same), set(other.same) - set(one.same))
    if any(word in one.names | other.names for side in only for word in side):
        return "name"
    return "identity" if any(only[at] & _WHOSE or content(tuple(only[at])) for at in (0, 1)) else "other"


def _kind(one: Question, other: Question) -> str:
    """Find the first kind under which two questions are equal; empty for none."""
    a, b = one.same, other.same
    if "".join(a) == "".join(b):
        return "small"
    for x, y in ((one.words, other.words), (a, b)):
        if sorted(x) == sorted(y):
            return _ordered(x, y, sentences=one.sentence and other.sentence)
    both_how = unhelped(a) != a and unhelped(b) != b
    if not both_how:
        a, b = framed(a), framed(b)
    for name, change in _STEPS:
        a, b = change(a), change(b)
        if a == b:
            return name
    return "helpers" if both_how and _bare(one.same) == _bare(other.same) else ""


def _bare(words: tuple[str, ...]) -> tuple[str, ...]:
    return agreed(synonymous(unhelped(words)))


def _which(words: tuple[str, ...]) -> tuple[str, ...]:
    return ("what", *words[1:]) if words[:1] == ("which",) else words


_STEPS: Final = (("frames", tuple), ("synonyms", synonymous), ("plurals", agreed), ("which", _which))


def _trimmed(low: str) -> str:
    """Cut marks off the end; the mark of 5! is none."""
    short = low.rstrip(" ?.…")
    while short.endswith("!") and not short[-2:-1].isdigit():
        short = short.rstrip("!").rstrip(" ?.…")
    return short


def _picked(words: Sequence[str], those: frozenset[str]) -> list[str]:
    return sorted(
        COUNTED.get(word, word) for word in words if word in those or (those is _COUNTS and word[0].isdigit())
    )


def _ordered(a: tuple[str, ...], b: tuple[str, ...], *, sentences: bool) -> str:
    """Return the kind of two questions of the same words in another order."""
    if sentences and not _scattered(a, b):
        if exchanged(a, b):
            return "order"
        return "moved" if rotated(a, b) else "turned" if turned(a, b) else "order"
    if rotated(a, b) and not exchanged(content(a), content(b)):
        return "shuffled"
    # where only things changed places, who does what to whom may be the other way round
    return "order" if small_words(a) == small_words(b) else "shuffled"


def _scattered(a: Sequence[str], b: Sequence[str]) -> bool:
    """Say whether hardly a word kept its neighbour: no person turns a sentence like that."""
    before, after = set(itertools.pairwise(a)), set(itertools.pairwise(b))
    return len(a) >= _LONG and len(before & after) <= _SCATTERED * len(before)
