"""What is sent for one call: instructions in front, what is shown, the question last; and what that can use at most."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.charge import Ask
from reelwise.form import fitted
from reelwise.models.work import Clip, Text, Work
from reelwise.script import text_tokens
from reelwise.stages.prefixes import kept_an_hour, prefix_min

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.flow import Piece
    from reelwise.models.work import Part
    from reelwise.run.kinds import Kind
    from reelwise.run.rendering import Shown
    from reelwise.script import Script
    from reelwise.stages import Call

__all__ = ["ask_of", "content_key", "expected_text", "kept_tokens", "task_of", "work_of"]

_TIMEOUT_SECONDS = 600.0


def task_of(script: Script, *, questions: int, alone: bool = False) -> str:
    """Name the endpoint's method; chats are asked to transcribe in words."""
    if alone:
        return script.task
    return "moderate" if script.task == "moderate" and questions == 1 else "ask"


def work_of(
    call: Call,
    piece: Piece,
    shown: Shown,
    *,
    question: int,
    kind: Kind,
    identity: str,
    sure: bool,
    turn: str = "",
    name: str = "",
    alone: bool = False,
) -> Work:
    """Put a call together.

    Args:
        call: the stage.
        piece: with its script.
        shown: pictures, clip, sound.
        question: which question; -1 for all at once.
        kind: what the endpoint speaks.
        identity: the call's id.
        sure: ask how sure the model is.
        turn: what the call is for, see `Outcome`; each sample has a seed of its own where the endpoint takes one, the others are drawn
            anew at the vendor's own temperature.
        name: the model's at the endpoint; empty is the plan's.
        alone: the endpoint takes no words.
    """
    script: Script = piece.script.of(call.task)
    if alone:
        return Work(model=name, parts=shown.parts, identity=identity, timeout_seconds=_TIMEOUT_SECONDS)
    asked = script.asked if question < 0 else (script.asked[question],)
    most = piece.item.tokens_output_most
    caps = [cap for cap in (script.output_most, int(most) if most < 1e9 else None) if cap is not None]
    cap = min(caps) * len(asked) if caps else None
    # what repeats goes first, in `system`; then what all questions about an item share; the question last: prefixes stay equal
    item = (Text(text=script.of_item),) if script.varying else ()
    parts: tuple[Part, ...] = (*item, *shown.parts, Text(text=script.joined(asked)))
    keeps = call.cache == "prefix" and bool(script.repeated)
    return Work(
        model=name or call.model,
        parts=parts,
        system=script.instructions,
        system_keep=keeps and kind == "anthropic",
        keep_hour=keeps and kind == "anthropic" and kept_an_hour(call.cache_hours),
        labels=script.labels if len(asked) == 1 else (),
        schema=_schema(script, len(asked), kind),
        tokens_output=max(1, cap) if cap is not None else None,
        confidence=sure
        and kind not in {"anthropic", "responses"}
        and script.task != "moderate"
        and not _says_itself(script),
        mode="standard" if call.mode == "batch" else call.mode,
        seed=int(turn.split()[1]) if turn.startswith("sample") and kind in {"openai", "gemini"} else None,
        cache_key=_cache_key(script) if keeps and kind in {"openai", "responses"} else "",
        identity=identity,
        timeout_seconds=_TIMEOUT_SECONDS,
    )


def _schema(script: Script, questions: int, kind: Kind) -> bytes:
    """Return the form of the answer as this kind of endpoint takes it."""
    whole = script.schema(questions, keyed=kind == "anthropic")
    return msgspec.json.encode(fitted(msgspec.json.decode(whole), kind)) if whole else b""


def _cache_key(script: Script) -> str:
    return f"reelwise-{hashlib.sha256(script.instructions.encode()).hexdigest()[:24]}"


def _says_itself(script: Script) -> bool:
    """Say whether the answer's form asks how sure the model is."""
    form = script.form
    return form is not None and "confidence" in form["properties"]


def ask_of(call: Call, shown: Shown, work: Work) -> Ask:
    """Say what a call can use at most, for its hold."""
    words = len(work.words.encode()) + len(work.schema)
    part = "audio" if shown.audio_only else "video" if shown.media is not None else "images"
    return Ask(
        model=call.model or "host",
        mode=call.mode,
        media=shown.media,
        part=part,  # type: ignore[arg-type]
        fps=shown.fps,
        stills=shown.stills,
        detail=next((one.detail for one in work.parts if isinstance(one, Clip)), call.detail),
        token_rule=call.token_rule or "",
        text_bytes=words,
        tokens_output=work.tokens_output,
        cache_write=call.cache == "prefix",
        cache_hour=work.keep_hour,
    )


def expected_text(work: Work) -> int:
    """Estimate the tokens of all text of a call."""
    texts = [work.system, *(part.text for part in work.parts if isinstance(part, Text)), work.schema.decode()]
    return sum(text_tokens(one) for one in texts)


def kept_tokens(call: Call, script: Script) -> int:
    """Estimate the tokens that a prompt cache is to keep of a call: none where the prefix is too short for its model."""
    tokens = script.prefix_tokens
    return tokens if call.cache == "prefix" and tokens >= prefix_min(call.model) else 0


def content_key(work: Work, shown: Shown | None = None, *, place: str = "", form: Any = None) -> str:
    """Hash everything that an answer depends on: pixels and words, model and settings; never a file's name, or the address of what is shown.

    Args:
        work: what is sent, before anything of it went up by itself.
        shown: of a call whose findings carry times: the same pixels at other times have other ones.
        place: who answers, and what it does: two hosts may serve other models under one name.
        form: the JSON Schema that the answer is held against: some of it is not sent.
    """
    made = hashlib.sha256()

    def add(*words: object) -> None:
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            made.update(len(data).to_bytes(8, "little") + data)

    add("" if shown is None else repr((shown.spans, shown.times)), place, msgspec.json.encode(form, order="sorted"))
    add(work.model, work.mode, work.system, work.schema, msgspec.json.encode(work.labels), work.tokens_output)
    add(work.temperature, work.seed, work.confidence, len(work.parts))
    for part in work.parts:
        if isinstance(part, Text):
            add("text", part.text)
            continue
        looked = (part.fps, part.start_seconds, part.stop_seconds) if isinstance(part, Clip) else ()
        add(type(part).__name__, getattr(part, "detail", ""), looked, part.source.mime)
        add(_bytes_hash(part.source.data, part.source.path), part.source.uri)
    return made.hexdigest()


def _bytes_hash(data: bytes, path: Path | str) -> bytes:
    made = hashlib.sha256(data)
    if path:
        with open(path, "rb") as file:  # noqa: PTH123 - a stream of pieces
            while chunk := file.read(1 << 20):
                made.update(chunk)
    return made.digest()
