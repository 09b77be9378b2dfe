"""What cannot be run is refused before anything is decoded or sent, with its place in the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.run.asking import deciding_calls
from reelwise.run.kinds import KINDS, SENT, sends
from reelwise.stages import Call

if TYPE_CHECKING:
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.run.endpoints import Endpoints
    from reelwise.run.kinds import Kind, Trait
    from reelwise.script import Script

__all__ = ["check_fits", "check_runs"]


def check_runs(plan: Plan, endpoints: Endpoints, script: Script, book: Book, *, verifier: bool = False) -> None:
    """Refuse a plan that these endpoints cannot run, before anything is decoded or sent.

    Args:
        plan: the plan.
        endpoints: who answers.
        script: what is said.
        book: prices.
        verifier: a function is there for `verifier: own`.

    Raises:
        InputError: says what, and where in the plan.
    """
    for index, stage in enumerate(plan.stages):
        where = f"plan $.stages[{index}]"
        why = stage.unrun()
        if why:
            raise InputError(f"cannot be run: {why}", where=where, hint="`reelwise price` prices it all the same")
        if isinstance(stage, Call):
            _check_call(stage, endpoints, script, book, where)
        for call in deciding_calls(plan, index, verifier=verifier, where=where):
            _check_call(call, endpoints, script, book, where)


def _check_call(call: Call, endpoints: Endpoints, script: Script, book: Book, where: str) -> None:
    kind, video = _kind(endpoints, call, where), endpoints.takes_video(call.serves)
    ruled = call.host is None and book.is_language_model(call.model)
    check_fits(call, kind, script.of(call.task), video=video, by_rule=ruled, where=where)


def _kind(endpoints: Endpoints, call: Call, where: str) -> Kind:
    """Say what a call's endpoint speaks; what is wrong with it is said with the call's place in the plan."""
    try:
        endpoints.name_of(call.serves)
        endpoints.of(call.serves)
        return endpoints.kind_of(call.serves)
    except InputError as error:
        raise InputError(f"{call.serves}: {error.message}", where=where, hint=error.hint) from None


def check_fits(call: Call, kind: Kind, script: Script, *, video: bool, by_rule: bool, where: str) -> None:
    """Refuse, before anything is decoded or sent, what a kind of endpoint cannot take or do.

    Args:
        call: the stage.
        kind: what its endpoint speaks.
        script: what is said to it.
        video: the endpoint takes clips although its kind does not say so.
        by_rule: see `sends`.
        where: the stage's place in the plan, for messages.

    Raises:
        InputError: says what cannot be sent where, or what cannot be asked of it.
    """
    trait, name = KINDS[kind], call.serves
    part = sends(call, kind, by_rule=by_rule)
    if part and part not in trait.parts and not (part == "video" and video):
        able = " or ".join(SENT[one] for one in sorted(trait.parts))
        hint = {"video": "part: images behind a stage `sample`, or a model that does",
                "audio": "a model that does: gemini-2.5-flash, openai/whisper-1"}.get(part, "")  # fmt: skip
        if kind == "openai_sound":
            hint = "part: audio"
        elif trait.parts == {"generate"}:
            hint = "part: generate"
        raise InputError(
            f"{name} takes no {SENT[part]}: {able} alone", where=where, hint=hint or f"part: {min(trait.parts)}"
        )
    _check_task(call, trait, script, where)
    _check_bill(call, kind, script, where)


def _check_task(call: Call, trait: Trait, script: Script, where: str) -> None:
    name = call.serves
    if call.part == "generate":
        if call.ask == "once" and len(script.asked) > 1:
            raise InputError(f"{name} makes one video of one prompt", where=where, hint="ask: each")
        if not script.questions:
            raise InputError(
                "nothing says what the video shows", where=where, hint="ask: {questions: [A red kite over hills]}"
            )
        return
    if script.task not in trait.tasks:
        able = " or ".join(sorted(trait.tasks))
        raise InputError(
            f"{name} cannot {script.task}: {trait.what}", where=where,
            hint=f"task: {able}{' on this call' if len(trait.tasks) == 1 else ''}, or a model that can",
        )  # fmt: skip
    if trait.alone and script.questions:
        raise InputError(
            f"{name} answers no question: {trait.what}", where=where,
            hint=f"task: {min(trait.tasks)} on this call: it is asked nothing then",
        )  # fmt: skip


def _check_bill(call: Call, kind: Kind, script: Script, where: str) -> None:
    """Refuse ways of paying that an endpoint does not have."""
    name = call.serves
    if call.cache == "explicit" and kind != "gemini":
        raise InputError(f"{name} has no explicit caches", where=where, hint="cache: prefix")
    if KINDS[kind].alone and call.cache == "prefix":
        raise InputError(f"{name} is sent no words that a cache could keep", where=where, hint="cache: none")
    if call.cache == "prefix" and kind == "anthropic" and (call.cache_hours or 0.0) > 1:
        raise InputError(
            f"{name} keeps a prefix for an hour at most, not {call.cache_hours:g}", where=where,
            hint="cache_hours: 1, or leave it out for five minutes",
        )  # fmt: skip
    if call.mode == "flex" and kind == "anthropic":
        raise InputError(f"{name} has no mode flex", where=where, hint="standard or batch")
    if call.mode != "standard" and (
        call.host is not None or kind not in {"openai", "responses", "gemini", "anthropic"}
    ):
        raise InputError(f"{name} has no mode {call.mode}", where=where, hint="mode: standard")
    if call.mode == "batch" and kind == "responses":
        raise InputError(
            "batches of the Responses API are not run", where=where, hint="kind: openai, or mode: standard"
        )
    if kind == "anthropic" and script.output_most is None and call.part == "video":
        raise InputError("its answers need a maximum", where=where, hint="output_most: 300")
