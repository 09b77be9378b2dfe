"""Calls that a stage makes to decide: the cheap call again, another model's, a verdict. Each is held for, metered and paid like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.charge import Ask
from reelwise.errors import InputError
from reelwise.models.work import Text, Work
from reelwise.run.doubting import answers_of, asked_of, calibrated
from reelwise.run.orders import expected_text, task_of
from reelwise.run.settle import Order
from reelwise.stages import Call, Escalate, Route
from reelwise.stages.asking import EASY, RIGHT, call_before
from reelwise.stages.escalate import OWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.flow import Out, Piece
    from reelwise.plan import Plan
    from reelwise.run.outcome import Outcome

__all__ = ["deciding_calls", "heard", "said_easy"]

_TIMEOUT_SECONDS = 120.0


def deciding_calls(plan: Plan, index: int, *, verifier: bool, where: str) -> list[Call]:
    """List the calls that a stage makes to decide, so that what cannot be sent is refused before anything is.

    Args:
        plan: the plan.
        index: the stage's place in it.
        verifier: a function is there for `verifier: own`.
        where: the stage's place, for messages.

    Raises:
        InputError: `verifier: own` without a function, or a calibrated file that does not fit.
    """
    stage = plan.stages[index]
    if isinstance(stage, Route):
        return [] if stage.router is None else [Call(model=stage.router, part="images", task="describe")]
    if not isinstance(stage, Escalate):
        return []
    if stage.verifier == OWN and not verifier:
        raise InputError(
            "`verifier: own` is a function of yours", where=where,
            hint="hand it to the library call: execute(..., verifier=...); in a plan file, name a model",
        )  # fmt: skip
    calibrated(stage)
    before = [one for one in plan.stages[:index] if isinstance(one, Call)]
    lanes = {stage.lane} if stage.lane is not None else {call.lane or "main" for call in before}
    cheap = {call_before(before, lane) for lane in lanes}
    asked = [pair for one in cheap if one is not None for pair in stage.asks(one)]
    return [msgspec.structs.replace(call, task="describe") if turn == "verify" else call for turn, call in asked]


def heard(
    stage: Escalate, index: int, pieces: Iterable[Piece], runner: Any, out: Out
) -> dict[int, dict[str, tuple[Outcome, ...]]]:
    """Make the calls that an escalation looks at besides the cheap answers.

    Args:
        stage: the escalation.
        index: its place in the plan.
        pieces: that were answered.
        runner: makes the calls, a `reelwise.run.runner.Runner`.
        out: the plan's calls so far.

    Returns:
        For the id of each piece's track what each further call answered; what failed is not there.
    """
    found: dict[int, dict[str, tuple[Outcome, ...]]] = {}
    by_call: dict[Call, list[Piece]] = {}
    for piece in pieces:
        cheap = call_before(out.calls, piece.item.lane)
        if cheap is not None:
            by_call.setdefault(cheap, []).append(piece)
    for cheap, mine in by_call.items():
        for turn, call in stage.asks(cheap, out.day):
            marked = [_marked(piece, index, turn) for piece in mine]
            for piece in runner.call(call, marked, out):
                found.setdefault(id(piece.track), {})[turn] = piece.answers[-1]
    return found


def _marked(piece: Piece, index: int, turn: str) -> Piece:
    """Say what the call about a piece is for; for a verdict, ask for that."""
    if turn != "verify":
        return msgspec.structs.replace(piece, turn=(index, turn))
    script, asked = asked_of(piece)
    labels = f"\nIt is one of: {', '.join(script.labels)}" if script.labels else ""
    questions = [
        f"{RIGHT.words}\n{RIGHT.about.format(question=question + labels, answer=answer)}"
        for question, answer in zip(asked, answers_of(piece.answers[-1], len(asked)), strict=True)
    ]
    return msgspec.structs.replace(piece, turn=(index, turn), script=RIGHT.script(script, questions))


def said_easy(stage: Route, index: int, piece: Piece, runner: Any, active: float) -> bool:
    """Ask a model whether a piece is easy; what cannot be told is not.

    Args:
        stage: the route.
        index: its place in the plan.
        piece: the piece.
        runner: makes the call.
        active: the share of its time in which something happens.
    """
    item = piece.item
    about = EASY.about.format(
        asked=piece.script.joined(piece.script.asked), seconds=float(item.seconds), width=item.width_px,
        height=item.height_px, active=active, sound="yes" if float(item.audio_seconds) > 0 else "no",
    )  # fmt: skip
    script = EASY.script(msgspec.structs.replace(piece.script, policy=()), [f"{EASY.words}\n{about}"])
    call = Call(model=stage.router or "", part="images")

    def order(head: Outcome, endpoint: Any, name: str, place: str) -> Order:
        work = Work(
            model=name, parts=(Text(text=script.asked[0]),), labels=script.labels, schema=script.schema(),
            tokens_output=script.output_most, identity=head.identity, timeout_seconds=_TIMEOUT_SECONDS,
        )  # fmt: skip
        ask = Ask(
            model=call.model, part="images", text_bytes=len(work.words.encode()) + len(work.schema),
            tokens_output=work.tokens_output,
        )  # fmt: skip
        head = msgspec.structs.replace(head, text_expected=expected_text(work), labelled=True)
        return Order(
            head=head, endpoint=endpoint, task=task_of(script, questions=1), work=work, ask=ask, place=place,
        )  # fmt: skip

    found = runner.one(call, msgspec.structs.replace(piece, turn=(index, "route")), order)
    return found is not None and found.status in {"ok", "cached"} and found.label == EASY.labels[0]
