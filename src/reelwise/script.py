"""What is said around the video: instructions in named parts, examples, questions, labels, and the form of the answer."""

from __future__ import annotations

import fnmatch
import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from reelwise.errors import DocumentError
from reelwise.form import Field, object_of, problem, schema_of, tokens_most

__all__ = ["BYTES_A_TOKEN", "ITEM_FIELDS", "Example", "Part", "Script", "text_tokens"]

BYTES_A_TOKEN = 4
"""No vendor publishes tokenizers for all its models; their guides say about four characters of English a token."""

ITEM_FIELDS = ("clip", "folder", "seconds", "start")
"""What `{{...}}` may name of any item: its file's name and folder, its length, and where it begins in the file, in seconds."""

_DESCRIBE = "Describe what is shown, in two or three sentences."
_MODERATE = "Which one label fits best? Say how sure you are, from 0 to 1."
_TRANSCRIBE = "Write down what is said, word for word, and nothing else."
_SLOT = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_Value = str | int | float | bool
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
        text: what is said; `{{camera}}` stands for a field of the item.
        needed: a word that answers hold where this part was needed; empty where nothing tells.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    text: Annotated[str, Meta(min_length=1, max_length=1_000_000)]
    needed: str = ""

    @property
    def tokens(self) -> int:
        """Its tokens, estimated."""
        return text_tokens(self.text)


class Example(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer that shows how to answer.

    Attributes:
        answer: as the model should write it; a mapping where answers have a form.
        shown: what it is about, in words.
        question: what was asked; empty is any question.
    """

    answer: str | dict[str, Any]
    shown: str = ""
    question: str = ""

    def part(self, number: int) -> Part:
        """Write it as a part of the instructions."""
        answer = self.answer if isinstance(self.answer, str) else msgspec.json.encode(self.answer).decode()
        lines = [("Shown", self.shown), ("Question", self.question), ("Answer", answer)]
        text = "\n".join([f"Example {number}", *(f"{name}: {said}" for name, said in lines if said)])
        return Part(name=f"example {number}", text=text)


class Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All text of a call.

    Attributes:
        task: what the model does: describe, ask, moderate (choose a label), transcribe, detect (name what is there) or segment.
        policy: instructions that every call repeats, in named parts, most important first; a plain text is one part.
        examples: of answers; they come behind the policy, and are left out before it.
        questions: what is asked about each item; empty asks what the task is by itself.
        labels: what moderate chooses from.
        answer: the form of an answer to describe or ask: fields, or a JSON Schema; empty is free text.
        output_most: tokens of an answer at most, a hard cap; null is the model's own limit.
        fields: what `{{...}}` stands for, the same for all items.
        items: what it stands for in some: a pattern of the clip's name, and fields. Text that names these, or `ITEM_FIELDS`, differs from item
            to item: it is sent behind what repeats, so that a prompt cache keeps all of that.
        own: the item at hand; a run fills it in.
    """

    task: Literal["describe", "ask", "moderate", "transcribe", "detect", "segment"] = "describe"
    policy: tuple[Part, ...] | str = ()
    examples: tuple[Example, ...] = ()
    questions: tuple[Annotated[str, Meta(min_length=1, max_length=100_000)], ...] = ()
    labels: tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...] = ()
    answer: tuple[Field, ...] | dict[str, Any] = ()
    output_most: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    fields: dict[str, _Value] = msgspec.field(default_factory=dict)
    items: dict[str, dict[str, _Value]] = msgspec.field(default_factory=dict)
    own: dict[str, _Value] = msgspec.field(default_factory=dict)

    def check(self, where: str = "ask") -> None:
        """Refuse what cannot be asked.

        Raises:
            DocumentError: moderate without labels, labels without moderate, ask without a question, more questions than any call takes, a form
                that vendors do not take, an example that does not follow it, a field that nothing fills in.
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
        if self.own:
            raise DocumentError("a run fills this in", where=f"{where} $.own", hint="give `fields`, or `items`")
        self._check_form(where)
        self._check_slots(where)

    def _check_form(self, where: str) -> None:
        if self.answer and self.task not in {"describe", "ask"}:
            raise DocumentError(f"{self.task} has its own form", where=f"{where} $.answer", hint="task: ask")
        schema = schema_of(self.answer, f"{where} $.answer") if self.answer else None
        for number, example in enumerate(self.examples):
            at = f"{where} $.examples[{number}].answer"
            if schema is not None and (said := problem(example.answer, schema)):
                raise DocumentError(
                    f"does not follow the form of answers: {said}", where=at, hint="as the model should"
                )
            if self.task == "moderate" and isinstance(example.answer, str) and example.answer not in self.labels:
                raise DocumentError("is none of the labels", where=at, hint=", ".join(self.labels[:10]))

    def _check_slots(self, where: str) -> None:
        known = {*ITEM_FIELDS, *self.fields, *(name for fields in self.items.values() for name in fields)}
        for at, text in (
            *((f"policy, {part.name}", part.text) for part in self.parts),
            *(("questions", q) for q in self.asked),
        ):
            unknown = [name for name in _SLOT.findall(text) if name not in known]
            if unknown:
                raise DocumentError(
                    f"nothing fills in {{{{{unknown[0]}}}}}", where=f"{where} $.{at}", hint=f"known: {', '.join(sorted(known))}"
                )  # fmt: skip

    # the item at hand

    def about(self, clip: str, folder: str, *, seconds: float, start: float = 0.0) -> Script:
        """Fill in what an item's text is about.

        Args:
            clip: its file's name.
            folder: its folder's name.
            seconds: its length.
            start: where it begins in the file, in seconds.

        Raises:
            DocumentError: a field that this item does not have.
        """
        own: dict[str, _Value] = {"clip": clip, "folder": folder, "seconds": round(seconds), "start": round(start)}
        for pattern, fields in self.items.items():
            if fnmatch.fnmatchcase(clip, pattern):
                own |= fields
        named = {name for text in (*(part.text for part in self.parts), *self.asked) for name in _SLOT.findall(text)}
        missing = sorted(named - set(own) - set(self.fields))
        if missing:
            raise DocumentError(
                f"nothing fills in {{{{{missing[0]}}}}} for this clip", where=clip, hint="add it under `ask.items`"
            )
        return msgspec.structs.replace(self, own=own, items={})

    def varies(self, text: str) -> bool:
        """Say whether a text differs from item to item."""
        return any(name not in self.fields for name in _SLOT.findall(text))

    def filled(self, text: str) -> str:
        """Put what is known in place of `{{...}}`."""
        known = {**self.fields, **self.own}
        return _SLOT.sub(lambda found: str(known.get(found[1], found[0])), text)

    # text

    @property
    def parts(self) -> tuple[Part, ...]:
        """The instructions in parts, as they are written, examples behind them."""
        shown = tuple(example.part(number) for number, example in enumerate(self.examples, 1))
        if isinstance(self.policy, str):
            return (*((Part(name="policy", text=self.policy),) if self.policy else ()), *shown)
        return (*self.policy, *shown)

    @property
    def repeated(self) -> tuple[Part, ...]:
        """The parts that every call repeats, in order: they go in front."""
        return tuple(part for part in self.parts if not self.varies(part.text))

    @property
    def varying(self) -> tuple[Part, ...]:
        """The parts that differ from item to item: they go behind the repeated ones."""
        return tuple(part for part in self.parts if self.varies(part.text))

    @property
    def asked(self) -> tuple[str, ...]:
        """The questions, the task's own where none is given."""
        return tuple(self.filled(one) for one in self.questions) or (_OWN.get(self.task, _DESCRIBE),)

    def of(self, task: str) -> Script:
        """Return what is said to a call with a task of its own: that task's question alone, and none of the others; empty is this one."""
        return msgspec.structs.replace(self, task=task, questions=(), labels=(), answer=()) if task else self

    @property
    def instructions(self) -> str:
        """What every call repeats, as one text."""
        return "\n\n".join(self.filled(part.text) for part in self.repeated)

    @property
    def of_item(self) -> str:
        """The instructions that differ from item to item, as one text."""
        return "\n\n".join(self.filled(part.text) for part in self.varying)

    @property
    def form(self) -> dict[str, Any] | None:
        """The JSON Schema of one answer; None for free text."""
        if self.task == "moderate":
            label = {"type": "string", "enum": list(self.labels)}
            return object_of({"label": label, "confidence": {"type": "number"}})
        return schema_of(self.answer, "ask $.answer") if self.answer else None

    def schema(self, questions: int = 1, *, keyed: bool = False) -> bytes:
        """Return the JSON Schema that answers follow; empty for free text.

        Args:
            questions: answered in one call; several are answered in a list.
            keyed: several are answered under a name each, for vendors whose lists have no length.
        """
        one = self.form
        if questions == 1:
            return b"" if one is None else msgspec.json.encode(one)
        item: dict[str, Any] = one or {"type": "string"}
        listed: dict[str, Any] = {"type": "array", "items": item, "minItems": questions, "maxItems": questions}
        if keyed:
            listed = object_of({f"q{number}": item for number in range(1, questions + 1)})
        return msgspec.json.encode(object_of({"answers": listed}))

    @property
    def told(self) -> tuple[str, ...]:
        """All words of the calls about the item at hand: two items that are told the same may share answers."""
        return self.instructions, self.of_item, *self.asked

    # lengths

    @property
    def prefix_tokens(self) -> int:
        """Tokens that every call repeats: the instructions."""
        return text_tokens(self.instructions)

    def question_tokens(self, *, once: bool = False) -> float:
        """Tokens of one question, on average, with what differs from item to item and the form of its answer."""
        asked, own = self.asked, text_tokens(self.of_item)
        if once and len(asked) > 1:
            return (own + text_tokens(self.joined(asked)) + text_tokens(self.schema(len(asked)).decode())) / len(asked)
        return own + sum(text_tokens(one) for one in asked) / len(asked) + text_tokens(self.schema().decode())

    @property
    def output_expected(self) -> float | None:
        """Tokens of an answer, where its form says; None for free text."""
        if self.task == "moderate":
            longest = max(self.labels, key=len, default="")
            return float(text_tokens(msgspec.json.encode({"label": longest, "confidence": 0.87}).decode()))
        form = self.form
        size = None if form is None else tokens_most(form)
        return None if size is None else float(-(-size // BYTES_A_TOKEN))

    @staticmethod
    def joined(questions: tuple[str, ...]) -> str:
        """Write several questions as one."""
        if len(questions) == 1:
            return questions[0]
        lines = "\n".join(f"{number}. {one}" for number, one in enumerate(questions, 1))
        return f"Answer each question, in this order:\n{lines}"

    # shorter

    def without(self, name: str) -> Script:
        """Leave out the part of a name.

        Raises:
            DocumentError: there is none.
        """
        left = tuple(part for part in self.parts if part.name != name)
        if len(left) == len(self.parts):
            raise DocumentError(
                f"no part is named {name!r:.80}", where="ask $.policy", hint=", ".join(p.name for p in left)
            )
        return msgspec.structs.replace(self, policy=left, examples=())

    def trimmed(self, prefix: float | None, question: float | None) -> tuple[Script, tuple[str, ...]]:
        """Keep to caps in tokens: later parts of the instructions go first, then the end of what is left.

        Returns:
            The shorter script, and what was left out, in words.
        """
        kept, said = _kept(self.repeated, prefix)
        questions = self.questions
        behind = list(self.varying)
        if question is not None:
            room = max(
                0.0, question - text_tokens(self.schema().decode()) - max(text_tokens(one) for one in self.asked)
            )
            behind, more = _kept(self.varying, room, whole=True)
            cap = max(1, int(question - text_tokens(self.schema().decode())))
            questions = tuple(_cut(one, cap) if text_tokens(one) > cap else one for one in self.questions)
            shorter = sum(one != old for one, old in zip(questions, self.questions, strict=True))
            said += more + [
                f"{shorter} {'question is' if shorter == 1 else 'questions are'} cut at {cap:,} tokens"
            ] * bool(shorter)
        left = {part.name: part for part in (*kept, *behind)}
        policy = tuple(left[part.name] for part in self.parts if part.name in left)
        return msgspec.structs.replace(self, policy=policy, examples=(), questions=questions), tuple(said)


def _kept(parts: tuple[Part, ...], cap: float | None, *, whole: bool = False) -> tuple[list[Part], list[str]]:
    """Keep parts up to a cap: later ones go whole, the first is cut at the end where it alone is too long."""
    said: list[str] = []
    kept: list[Part] = []
    left = float("inf") if cap is None else cap
    for part in parts:
        if part.tokens <= left:
            kept.append(part)
            left -= part.tokens
            continue
        if not kept and left >= 1 and not whole:
            text = _cut(part.text, int(left))
            kept.append(msgspec.structs.replace(part, text=text))
            said.append(f"part {part.name} is cut from {part.tokens:,} to {text_tokens(text):,} tokens")
        else:
            said.append(f"part {part.name} is left out ({part.tokens:,} tokens)")
        left = 0.0
    return kept, said


def _cut(text: str, tokens: int) -> str:
    """Cut a text at a number of tokens, at the end of a line or sentence where there is one in its second half."""
    head = text.encode()[: max(1, tokens) * BYTES_A_TOKEN].decode("utf-8", "ignore")
    at = max(head.rfind("\n"), head.rfind(". ") + 1)
    return (head[:at] if at > len(head) / 2 else head).strip() or head or text[:1]
