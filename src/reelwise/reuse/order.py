"""The same words in another order: a part moved, sides exchanged, or no sentence any more."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from reelwise.reuse.wording import AUXILIARIES, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["content", "exchanged", "is_sentence", "rotated", "small_words", "turned"]

_ASKING: Final = listed("what which who whom whose when where why how")
_ARTICLES: Final = listed("a an the")
_BEFORE: Final = listed(  # prepositions and conjunctions: what they belong to comes after them
    "in on at of for with from by to into during after before between behind under over near since until while if because as and or than"
    " when about through"
)
_PERSONS: Final = listed("i you we they he she it")
_DETERMINERS: Final = listed("my your our his her its their this that these those there any some all each every no")
_ORDERS: Final = listed("please tell describe name list count give say show explain define find does read")
_STARTS: Final = _ASKING | _ARTICLES | _BEFORE | _PERSONS | _DETERMINERS | _ORDERS | AUXILIARIES
_FUNCTION: Final = _ASKING | _ARTICLES | _BEFORE | _PERSONS | _DETERMINERS | AUXILIARIES


def is_sentence(words: Sequence[str]) -> bool:
    """Say whether words, articles among them, may be a question in the order of the English language.

    It is meant for the words of a question in any order: what ends in an article, has a verb behind one, or begins with a thing, is none.
    """
    if not words:
        return True
    if words[-1] in _ARTICLES or words[-1] in _ASKING or words[-1] in {"and", "or", "than", "is", "are", "was", "were"}:
        return len(words) == 1
    if words[0] not in _STARTS and not words[0].endswith("ly"):
        return False
    for one, other in itertools.pairwise(words):
        if one in _ARTICLES and (other in _FUNCTION):
            return False
        if one in {"of", "than", "and", "or"} and other in AUXILIARIES:
            return False
    return not (words[0] in AUXILIARIES and any(word in _ASKING for word in words[1:3]))


def rotated(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether a part went from one end to the other, and no more."""
    a, b = tuple(one), tuple(other)
    return any(a[at:] + a[:at] == b for at in range(1, len(a)))


def turned(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether a helping verb went from before its subject to behind it, and no more: why is it so, why it is so."""
    a, b = tuple(one), tuple(other)
    if a[:1] != b[:1] or a[0] not in _ASKING:
        return False
    for first, second in ((a, b), (b, a)):
        if len(first) > 2 and first[1] in AUXILIARIES:
            rest = (first[0], *first[2:])
            if any((*rest[:at], first[1], *rest[at:]) == second for at in range(2, len(rest) + 1)):
                return True
    return False


def exchanged(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether two parts changed places around one that stayed: who does what to whom may be the other way round."""
    a, b = tuple(one), tuple(other)
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


def content(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words that name or say something."""
    return tuple(word for word in words if word not in _FUNCTION)


def small_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the other words: articles, prepositions, helping verbs."""
    return tuple(word for word in words if word in _FUNCTION)
