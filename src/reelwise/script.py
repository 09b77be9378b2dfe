"""What is said around the video: instructions in named parts, questions, labels, and the form of the answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from reelwise.errors import DocumentError

__all__ = ["BYTES_A_TOKEN", "Part", "Script", "text_tokens"]

BYTES_A_TOKEN = 4
"""No vendor publishes tokenizers for all its models; their guides say about four characters of English a token."""

_DESCRIBE = "Describe what is shown, in two or three sentences."
_MODERATE = "Which one label fits best? Say how sure you are, from 0 to 1."
_TRANSCRIBE = "Write down what is said, word for word, and nothing else."
_DETECT = "Name what is shown, and when."
_SEGMENT = "Separate foreground from background."
_OWN = {"moderate": _MODERATE, "transcribe": _TRANSCRIBE, "detect": _DETECT, "segment": _SEGMENT}


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text: four bytes a token, rounded up; an endpoint's own count comes with its answer."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named part of the instructions. Parts that matter less come later: a cap on the prompt leaves these out first.

    Attributes:
        name: what receipts call it.
        text: what is said.
        needed: a word that answers hold where this part was needed; empty where nothing tells.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    text: Annotated[str, Meta(min_length=1, max_length=1_000_000)]
    needed: str = ""

    @property
    def tokens(self) -> int:
        """Its tokens, estimated."""
        return text_tokens(self.text)


class Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All text of a call.

    Attributes:
        task: what the model does: describe, ask, moderate (choose a label), transcribe, detect (name what is there) or segment.
        policy: instructions that every call repeats, in named parts, most important first; a plain text is one part.
        questions: what is asked about each item; empty asks what the task is by itself.
        labels: what moderate chooses from.
        output_most: tokens of an answer at most, a hard cap; null is the model's own limit.
    """

    task: Literal["describe", "ask", "moderate", "transcribe", "detect", "segment"] = "describe"
    policy: tuple[Part, ...] | str = ()
    questions: tuple[Annotated[str, Meta(min_length=1, max_length=100_000)], ...] = ()
    labels: tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...] = ()
    output_most: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None

    def check(self, where: str = "ask") -> None:
        """Refuse what cannot be asked.

        Raises:
            DocumentError: moderate without labels, labels without moderate, ask without a question, more questions than any call takes.
        """
        if self.task == "moderate" and not (2 <= len(self.labels) <= 200 and len(set(self.labels)) == len(self.labels)):
            raise DocumentError(f"{len(self.labels)} labels", where=f"{where} $.labels", hint="2 to 200 different ones")
        if self.task != "moderate" and self.labels:
            raise DocumentError("labels are for the task moderate", where=f"{where} $.labels", hint="task: moderate")
        if self.task == "ask" and not self.questions:
            raise DocumentError("nothing is asked", where=f"{where} $.questions", hint="add a question")
        if len(self.questions) > 1000:
            raise DocumentError(f"{len(self.questions)} questions", where=f"{where} $.questions", hint="at most 1,000")
        names = [part.name for part in self.parts]
        if len(set(names)) != len(names):
            raise DocumentError("two parts have the same name", where=f"{where} $.policy", hint="rename one")

    @property
    def parts(self) -> tuple[Part, ...]:
        """The instructions in parts."""
        if isinstance(self.policy, str):
            return (Part(name="policy", text=self.policy),) if self.policy else ()
        return self.policy

    @property
    def asked(self) -> tuple[str, ...]:
        """The questions, the task's own where none is given."""
        return self.questions or (_OWN.get(self.task, _DESCRIBE),)

    def of(self, task: str) -> Script:
        """Return what is said to a call with a task of its own: that task's question alone, and none of the others; empty is this one."""
        return msgspec.structs.replace(self, task=task, questions=(), labels=()) if task else self

    def schema(self, questions: int = 1) -> bytes:
        """Return the JSON Schema that answers follow; empty for free text.

        Args:
            questions: answered in one call; several are answered in a list.
        """
        one = self._one()
        if questions == 1:
            return b"" if one is None else msgspec.json.encode(one)
        item: dict[str, Any] = one or {"type": "string"}
        listed = {"type": "array", "items": item, "minItems": questions, "maxItems": questions}
        return msgspec.json.encode(_object({"answers": listed}))

    def _one(self) -> dict[str, Any] | None:
        if self.task != "moderate":
            return None
        return _object({"label": {"type": "string", "enum": list(self.labels)}, "confidence": {"type": "number"}})

    @property
    def instructions(self) -> str:
        """The instructions as one text."""
        return "\n\n".join(part.text for part in self.parts)

    @property
    def prefix_tokens(self) -> int:
        """Tokens that every call repeats: the instructions."""
        return text_tokens(self.instructions)

    def question_tokens(self, *, once: bool = False) -> float:
        """Tokens of one question, on average, with the form of its answer."""
        asked = self.asked
        if once and len(asked) > 1:
            return (text_tokens(self.joined(asked)) + text_tokens(self.schema(len(asked)).decode())) / len(asked)
        return sum(text_tokens(one) for one in asked) / len(asked) + text_tokens(self.schema().decode())

    @property
    def output_expected(self) -> float | None:
        """Tokens of an answer, where its form says; None for free text."""
        if self.task != "moderate":
            return None
        longest = max(self.labels, key=len, default="")
        return float(text_tokens(msgspec.json.encode({"label": longest, "confidence": 0.87}).decode()))

    @staticmethod
    def joined(questions: tuple[str, ...]) -> str:
        """Write several questions as one."""
        if len(questions) == 1:
            return questions[0]
        lines = "\n".join(f"{number}. {one}" for number, one in enumerate(questions, 1))
        return f"Answer each question, in this order:\n{lines}"

    def trimmed(self, prefix: float | None, question: float | None) -> tuple[Script, tuple[str, ...]]:
        """Keep to caps in tokens: later parts of the instructions go first, then the end of what is left.

        Returns:
            The shorter script, and what was left out, in words.
        """
        said: list[str] = []
        kept: list[Part] = []
        left = float("inf") if prefix is None else prefix
        for part in self.parts:
            if part.tokens <= left:
                kept.append(part)
                left -= part.tokens
                continue
            if not kept and left >= 1:
                text = _cut(part.text, int(left))
                kept.append(msgspec.structs.replace(part, text=text))
                said.append(f"part {part.name} is cut from {part.tokens:,} to {text_tokens(text):,} tokens")
            else:
                said.append(f"part {part.name} is left out ({part.tokens:,} tokens)")
            left = 0.0
        questions = self.questions
        if question is not None:
            cap = max(1, int(question - text_tokens(self.schema().decode())))
            questions = tuple(_cut(one, cap) if text_tokens(one) > cap else one for one in self.questions)
            shorter = sum(one != old for one, old in zip(questions, self.questions, strict=True))
            said += [f"{shorter} {'question is' if shorter == 1 else 'questions are'} cut at {cap:,} tokens"] * bool(
                shorter
            )
        return msgspec.structs.replace(self, policy=tuple(kept), questions=questions), tuple(said)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _cut(text: str, tokens: int) -> str:
    """Cut a text at a number of tokens, at the end of a line or sentence where there is one in its second half."""
    head = text.encode()[: max(1, tokens) * BYTES_A_TOKEN].decode("utf-8", "ignore")
    at = max(head.rfind("\n"), head.rfind(". ") + 1)
    return (head[:at] if at > len(head) / 2 else head).strip() or head or text[:1]
