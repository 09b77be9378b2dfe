"""What deciding asks of models besides the answer itself: the cheap call again, the same of another model, a verdict of one word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from reelwise.errors import UnknownModelError
from reelwise.script import Script, text_tokens
from reelwise.tokens import rule_for
from reelwise.units import minimum

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from reelwise.facts import Facts
    from reelwise.flow import Item
    from reelwise.stages.call import Call
    from reelwise.units import Num

__all__ = [
    "EASY",
    "RIGHT",
    "SHORT_OUTPUT",
    "Verdict",
    "answer_tokens",
    "call_before",
    "judge",
    "short_tokens",
    "with_model",
]

SHORT_OUTPUT: Final = "call.short_tokens_output"
"""The fact of how many tokens a verdict takes, what the model thinks before it included."""


class Verdict(Struct, frozen=True, kw_only=True):
    """A question with one of two words for an answer.

    Attributes:
        labels: the two words.
        words: what is asked; what it is about follows.
        about: how that is written, with names for what is filled in.
        usual: as long as what is filled in usually is, for the estimate.
    """

    labels: tuple[str, str]
    words: str
    about: str
    usual: str

    def script(self, before: Script, questions: Iterable[str]) -> Script:
        """Ask it under the same instructions."""
        return Script(
            task="moderate", labels=self.labels, policy=before.policy, questions=tuple(questions),
            output_most=before.output_most, fields=before.fields, own=before.own,
        )  # fmt: skip

    @property
    def tokens(self) -> int:
        """Tokens of asking it, without what it is about, but for what is usually told of that."""
        form = Script(task="moderate", labels=self.labels).schema().decode()
        return text_tokens(f"{self.words}\n{self.usual}") + text_tokens(form)

    @property
    def output(self) -> float:
        """Tokens of the answer by its form; what a model thinks before is a fact, see `SHORT_OUTPUT`."""
        return Script(task="moderate", labels=self.labels).output_expected or 1.0


EASY: Final = Verdict(
    labels=("easy", "hard"),
    words="How hard is it for a small model to answer this about the clip? Say how sure you are, from 0 to 1.",
    about="Asked: {asked}\nThe clip: {seconds:.0f} s, {width}x{height}, something moves {active:.0%} of the time, sound: {sound}.",
    usual="Asked: \nThe clip: 120 s, 1280x720, something moves 40% of the time, sound: yes.",
)
RIGHT: Final = Verdict(
    labels=("right", "wrong"),
    words="Somebody answered a question about what is shown. Is the answer right? Say how sure you are, from 0 to 1.",
    about="Question: {question}\nAnswer: {answer}",
    usual="Question: \nAnswer: ",
)


def call_before(calls: Iterable[Call], lane: str) -> Call | None:
    """Return the last of some calls that items of a lane see; None where they see none."""
    found = [call for call in calls if call.lane in {None, lane}]
    return found[-1] if found else None


def with_model(call: Call, model: str, day: dt.date | None = None) -> Call:
    """Put another model into a call, without the settings that it does not have."""
    other = replace(call, model=model, host=None, token_rule=None)
    try:
        rule = rule_for(model, day)
    except UnknownModelError:
        return other
    detail = other.detail if not rule.details or other.detail in rule.details else ""
    part = "auto" if other.part == "video" and rule.fps_default is None else other.part
    return replace(other, detail=detail, part=part)


def judge(call: Call, model: str, day: dt.date | None = None) -> Call:
    """Make the call that shows another model the same, to judge the answers one by one, at once."""
    return replace(with_model(call, model, day), mode="standard", cache="none", ask="each", task="")


def answer_tokens(call: Call, item: Item, facts: Facts) -> Num:
    """Return the tokens of an answer of a call, as they were measured, else as the item says."""
    if not facts.known("call.tokens_output", item.footage):
        return item.tokens_output
    tokens, _ = facts.get("call.tokens_output", stage=(call.model,), source_class=item.footage)
    return minimum(tokens, item.tokens_output_most)


def short_tokens(model: str, verdict: Verdict, item: Item, facts: Facts) -> Num:
    """Return the tokens of a verdict, as they were measured of verdicts, else as its form says."""
    tokens, _ = facts.get(SHORT_OUTPUT, stage=(model,), source_class=item.footage, default=verdict.output)
    return minimum(tokens, item.tokens_output_most)
