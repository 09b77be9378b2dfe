"""What two texts claim, as far as words show it: what is there, what is not, and how many; and whether they contradict each other.

"No person is at the gate" and "A person is at the gate" share nearly all their words and say the opposite. Nothing here understands a
text: it finds negations and numbers and the words they stand before. It misses contradictions in other words ("empty", "crowded").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["contradiction"]

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+|[.;:!?,]")
_SHORT = re.compile(r"\b(?:can)?n't\b|(?<=[a-z])n't\b")
_NOT: Final = frozenset(("no", "not", "never", "without", "neither", "nor", "none", "zero"))
_NOBODY: Final = {
    "nobody": ("person", "people", "somebody", "someone", "anybody", "anyone"),
    "nothing": ("something", "anything"),
    "nowhere": ("somewhere",),
}
_NUMBERS: Final = {
    "a": "1", "an": "1", "one": "1", "single": "1", "two": "2", "both": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "hundred": "100", "thousand": "1000",
}  # fmt: skip
_ARTICLES: Final = frozenset(("a", "an"))
_LITTLE: Final = frozenset(
    [
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "from",
        "by",
        "with",
        "and",
        "or",
        "but",
        "then",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "it",
        "its",
        "there",
        "this",
        "that",
        "these",
        "those",
        "any",
        "some",
        "other",
        "others",
        "more",
        "longer",
        "very",
        "all",
        "each",
        "i",
        "we",
        "you",
        "they",
        "he",
        "she",
        "his",
        "her",
        "their",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "will",
        "would",
        "can",
        "could",
        "may",
        "might",
        "shown",
        "seen",
        "visible",
        "present",
        "appear",
        "appears",
        "see",
        "sees",
        "which",
        "who",
        "what",
        "into",
        "onto",
        "over",
        "under",
        "near",
        "while",
    ]
)
_STOPS: Final = frozenset(".;:!?,")
_BREAKS: Final = frozenset(("but", "and", "then", "while", "however", "with", "which", "who"))
_REACH = 2  # words that `not` is taken to hold for; `no` holds for the words that stand right behind it
_COUNTED = 2  # words that a number is taken to count
_LONGEST = 20_000  # characters
_LIKE = {"people": "person", "men": "man", "women": "woman", "children": "child", "persons": "person"}


def contradiction(one: str, other: str) -> str:
    """Say in what two texts contradict each other; empty where nothing shows that they do.

    A word that one text only negates and the other only affirms, a word that they count differently, a number that stands alone and is
    another one, or an answer that begins with yes where the other's begins with no.
    """
    a, b = _Claims(one), _Claims(other)
    if a.says and b.says and a.says != b.says:
        return f"{a.says} against {b.says}"
    for first, second in ((a, b), (b, a)):
        against = sorted(first.denied & second.there)
        if against:
            return f"{against[0]}: not there against there"
    for word in sorted(a.counts.keys() & b.counts.keys()):
        if not a.counts[word] & b.counts[word]:
            said = (" and ".join(sorted(one)) for one in (a.counts[word], b.counts[word]))
            return f"{word or 'a number'}: {' against '.join(said)}"
    return ""


class _Claims:
    """One text's claims.

    Attributes:
        denied: words that are only negated; `there` those that are only affirmed.
        counts: numbers by the word that they count; under "" those that count none.
        says: yes or no, where it begins so.
    """

    def __init__(self, text: str) -> None:
        low = _SHORT.sub(" not", text[:_LONGEST].lower().replace("\u2019", "'"))
        tokens = _TOKEN.findall(low)
        self.says = (
            tokens[0] if tokens and tokens[0] in {"yes", "no"} and (len(tokens) == 1 or tokens[1] in _STOPS) else ""
        )
        denied: set[str] = set()
        there: set[str] = set()
        self.counts: dict[str, set[str]] = {}
        reach, nouns, begun = 0, False, False
        for at, word in enumerate(tokens):
            if word in _STOPS or word in _BREAKS:
                reach = 0
            elif word in _NOT or word == "0":
                reach, nouns = _REACH, word not in {"not", "never"}
            elif word in _NOBODY:
                denied.update(_word(one) for one in _NOBODY[word])
            elif word[0].isdigit() or word in _NUMBERS:
                self._count(word, tokens[at + 1 :], denied=reach > 0)
            elif word not in _LITTLE:
                (denied if reach else there).add(_word(word))
                begun, reach = reach > 0, max(0, reach - 1)
            elif nouns and begun:
                reach, begun = 0, False
        self.denied, self.there = frozenset(denied - there), frozenset(there - denied)

    def _count(self, number: str, after: list[str], *, denied: bool) -> None:
        if denied:
            return
        counted = list(_content(after))[:_COUNTED]
        value = _NUMBERS.get(number, number)
        if not counted and number not in _ARTICLES:
            self.counts.setdefault("", set()).add(value)
        for word in counted:
            self.counts.setdefault(word, set()).add(value)


def _content(tokens: list[str]) -> Iterator[str]:
    for word in tokens:
        if word in _STOPS or word in _LITTLE or word in _NOT or word in _NUMBERS or word[0].isdigit():
            return
        yield _word(word)


def _word(word: str) -> str:
    """Cut a plural, or the ending of a verb, down to what both texts may share."""
    if word in _LIKE:
        return _LIKE[word]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") else word[:-1]
    return word
