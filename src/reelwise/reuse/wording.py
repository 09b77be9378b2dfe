"""Other words for the same: spelling, fillers, ways to ask "how", plurals. Each step leads to a form in which more questions are equal.

The rules are of the English language; none names what a question is about, so a noun or a verb is never taken for another one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "AUXILIARIES",
    "COUNTED",
    "agreed",
    "framed",
    "listed",
    "loose_letters",
    "plain_words",
    "singular",
    "synonymous",
    "unhelped",
]


def listed(words: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(words.split())


COUNTED: Final = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip
AUXILIARIES: Final = listed(
    "is are was were am be do does did can could will would should shall may might must has have had"
)
_SPELLED: Final = {
    "aeroplane": "airplane", "behaviour": "behavior", "cancelled": "canceled", "catalogue": "catalog", "centre": "center",
    "cheque": "check", "colour": "color", "coloured": "colored", "defence": "defense", "dialogue": "dialog", "favour": "favor",
    "favourite": "favorite", "fibre": "fiber", "flavour": "flavor", "grey": "gray", "harbour": "harbor", "honour": "honor",
    "humour": "humor", "jewellery": "jewelry", "labour": "labor", "learnt": "learned", "licence": "license", "litre": "liter",
    "metre": "meter", "mum": "mom", "neighbour": "neighbor", "odour": "odor", "offence": "offense", "parlour": "parlor",
    "pls": "please", "plz": "please", "practise": "practice", "programme": "program", "rumour": "rumor", "skilful": "skillful",
    "theatre": "theater", "traveller": "traveler", "travelling": "traveling", "tyre": "tire",
    "vapour": "vapor", "ve": "have", "&": "and", "favorit": "favorite", "cos": "because", "ok": "okay", "tv": "television",
}  # fmt: skip
_IS_IZE: Final = re.compile(r"^([a-z]{3,})is(e|es|ed|ing|ation|ations)$")
_IS_IZE_STEMS: Final = listed(
    "organ real recogn legal mobil minim maxim optim author apolog analog capital civil colon critic custom digit emphas equal final"
    " general harmon hospital ideal immun industrial initial item local memor modern moral national neutral normal penal person polar"
    " popular priorit privat random sensit special stabil standard steril summar symbol sympath urban util visual demonet monet"
)
_FILLERS: Final = listed(
    "really actually exactly truly just basically literally simply please some any several various possibly actual generally usually ever"
)
_PHRASES: Final = tuple(
    (re.compile(rf"(?<!\S){pattern}(?!\S)"), to)
    for pattern, to in (
        (r"(?:some|few) of", ""), (r"at all", ""), (r"do you think", ""), (r"please comment$", ""), (r"in your opinion", ""),
        (r"(?:kind|kinds|sort|sorts) of", "type of"), (r"types of", "type of"), (r"lots of|lot of", "many"), (r"would be", "is"),
        (r"how come", "why"), (r"versus", "vs"), (r"going to", "gonna"), (r"similar to", "like"), (r"in order to", "to"),
        (r"as well as", "and"), (r"or not$", ""), (r"wanna", "want to"), (r"earn money", "make money"), (r"such as", "like"),
    )
)  # fmt: skip
_WHO: Final = r"(?:i|you|we|one|someone|somebody|anyone|people)"
_HELP: Final = r"(?:do|does|can|could|should|would|might|may)"
_HOW: Final = rf"how (?:to|{_HELP} {_WHO})"
_HOW_ANYONE: Final = (
    rf"how (?:to|{_HELP} (?:i|we|one|someone|somebody|anyone|people))"  # "how do you" may ask for habits
)
_GOOD: Final = r"(?:(?:best|good|better|great|most|effective|efficient|proper|right|correct|ideal) )*"
_BE: Final = r"(?:is|are|would be|could be|can be)"
_FRAMES: Final = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (rf"^(?:what|which) {_BE} {_GOOD}(?:way|ways|method|methods) (?:for {_WHO} )?to ", "<how> "),
        (rf"^(?:what|which) {_BE} {_GOOD}(?:way|ways|method|methods) {_WHO} (?:can|could|should) ", "<how> "),
        (r"^(?:how does it feel|what does it feel like|what is it like|how is it) (?:to )?", "<feel> "),
        (r"^(?:is it possible|is there way|is there possibility) (?:for (?:me|you|us|someone) )?to ", "<possible> "),
        (r"^what (?:is|are) (?:difference|differences) (?:in )?between (.+)$", r"<apart> \1"),
        (rf"^{_HOW} (?:differentiate|distinguish|tell apart)(?: between)? (.+ and .+)$", r"<apart> \1"),
        (r"^how (?:do|does|are|is) (.+ and .+) (?:differ|different)(?: from each other)?$", r"<apart> \1"),
        (r"^what (?:does|do) (.+) (?:mean|stand for)$", r"<meaning> \1"),
        (r"^what (?:is|are) (?:meaning|definition) of (.+)$", r"<meaning> \1"),
        (r"^(?:what do you mean by|define) (.+)$", r"<meaning> \1"),
        (rf"^{_HOW_ANYONE} ", "<how> "),
    )
)  # fmt: skip
_HELPED: Final = re.compile(rf"^{_HOW} ")
_ONE_OF: Final = {"are": "is", "were": "was", "does": "do", "have": "has", "these": "this", "those": "that"}
_SYNONYMS: Final = {
    word: row.split()[0]
    for row in (
        "film movie", "picture photo image photograph", "child kid", "car automobile", "bicycle bike", "buy purchase", "begin start",
        "large big", "small little", "fast quick", "happen occur", "get obtain", "difficult hard", "main major", "television tv",
        "airplane plane", "phone cellphone smartphone mobile", "advantage benefit pro", "disadvantage drawback con", "improve enhance",
        "say tell", "find locate", "shop store", "road street", "quickly fast", "finish end", "man guy", "woman lady", "ill sick",
        "choose select", "fix repair", "delete remove", "use utilize", "biggest largest", "job career", "need require", "doctor physician",
        "company firm", "allow permit", "try attempt", "answer reply", "help assist", "show display", "scared afraid", "people person",
    )
    for word in row.split()
}  # fmt: skip
_MANY: Final = {"men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth", "mice": "mouse"}
_LOOSE: Final = (
    listed(
        "how to what which way way method for it like feel possible there possibility me us difference differ different differentiate"
        " distinguish between and in from each other mean meaning stand definition define of by tell apart i you we one someone somebody"
        " anyone people best good better great easiest easy most effective efficient proper right correct fastest quickest simplest ideal be"
        " some few at all or in into this that think your opinion kind sort type lot many come why versus vs going gonna similar order as well"
        " not wanna want earn make comment such"
    )
    | AUXILIARIES
    | _FILLERS
)


def plain_words(words: Sequence[str]) -> tuple[str, ...]:
    """Write words in one spelling, without fillers; what has two sides of equal rank in the order of the alphabet."""
    found = [COUNTED.get(word, _spelled(word)) for word in words]
    text = " ".join(found)
    for pattern, to in _PHRASES:
        text = pattern.sub(to, text)
    found = text.split() or found
    kept = tuple(word for word in found if word not in _FILLERS)
    return _sided(kept or tuple(found))


def _sided(words: tuple[str, ...]) -> tuple[str, ...]:
    """Sort what stands around "and" behind "between", and around "or" behind "which is better"."""
    start = words.index("between") + 1 if "between" in words else 3 if words[1:3] == ("is", "better") else 0
    joint = "and" if "between" in words else "or"
    if not start or words.count(joint) != 1 or words.index(joint) < start:
        return words
    at = words.index(joint)
    one, other = sorted((words[start:at], words[at + 1 :]))
    return (*words[:start], *one, joint, *other)


def framed(words: tuple[str, ...]) -> tuple[str, ...]:
    """Write one frame for all that ask the same about something: a way to do it, what sets two things apart, what it means."""
    text = " ".join(words)
    for pattern, to in _FRAMES:
        changed, times = pattern.subn(to, text)
        if times:
            return _rank(tuple(changed.split()))
    return words


def _rank(words: tuple[str, ...]) -> tuple[str, ...]:
    if words[0] != "<apart>" or words.count("and") != 1:
        return words
    at = words.index("and")
    one, other = sorted((words[1:at], words[at + 1 :]))
    return (words[0], *one, "and", *other)


def unhelped(words: tuple[str, ...]) -> tuple[str, ...]:
    """Take away who asks how with which helping verb: how can I, how do you, how to."""
    return tuple(_HELPED.sub("<how> ", " ".join(words)).split())


def agreed(words: Iterable[str]) -> tuple[str, ...]:
    """Write nouns in the singular, and the verbs that go with them."""
    return tuple(_ONE_OF.get(word, singular(word)) for word in words)


def synonymous(words: Iterable[str]) -> tuple[str, ...]:
    """Write one word for those that mean much the same."""
    found = []
    for word in words:
        one = singular(word)
        known = _SYNONYMS.get(one)
        found.append(word if known is None else known if word == one else f"{known}s")
    return tuple(found)


def singular(word: str) -> str:
    """Cut the ending of a plural; what is no plural may lose an ending too, and does so everywhere."""
    if word in _MANY:
        return _MANY[word]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("xes", "sses", "ches", "shes")) else word[:-1]
    return f"{word[:-2]}y" if len(word) > 4 and word.endswith("ie") else word


def loose_letters(words: Iterable[str]) -> str:
    """Return the letters of the words that no rule here takes away, in the order of the alphabet."""
    bare = agreed(synonymous(COUNTED.get(word, _spelled(word)) for word in words))
    return "".join(sorted("".join(word for word in bare if word not in _LOOSE)))


def _spelled(word: str) -> str:
    known = _SPELLED.get(word)
    if known is None and word.endswith("s"):
        one = _SPELLED.get(word[:-1])
        known = f"{one}s" if one is not None else None
    if known is not None:
        return known
    ending = _IS_IZE.match(word)
    if ending and ending[1] in _IS_IZE_STEMS:
        return f"{ending[1]}iz{ending[2]}"
    return word
