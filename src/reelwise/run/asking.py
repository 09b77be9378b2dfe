"""Calls that a stage makes to decide: the cheap call again, another model's, a verdict. Each is held for, metered and paid like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.charge import Ask
from reelwise.errors import InputError
from reelwise.models.work import Text, Work
from reelwise.run.orders import check_fits, expected_text, task_of
from reelwise.run.settle import Order
from reelwise.stages import Call, Escalate
from reelwise.stages.asking import EASY, RIGHT, call_before
from reelwise.stages.escalate import OWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.flow import Out, Piece
    from reelwise.plan import Plan
    from reelwise.run.endpoints import Endpoints
    from reelwise.run.outcome import Outcome
    from reelwise.script import Script
    from reelwise.stages import Route

__all__ = ["answers_of", "check_asks", "heard", "said_easy"]

_TIMEOUT_SECONDS = 120.0


def check_asks(plan: Plan, endpoints: Endpoints, script: Script, *, verifier: bool) -> None:
    """Refuse calls for deciding that these endpoints cannot take, before anything is decoded or sent.

    Args:
        plan: the plan.
        endpoints: who answers.
        script: what is said.
        verifier: a function is there for `verifier: own`.

    Raises:
        InputError: says what, and where in the plan.
    """
    for index, stage in enumerate(plan.stages):
        where = f"plan $.stages[{index}]"
        router = getattr(stage, "router", None)
        if router is not None:
            endpoints.kind_of(router)
        if not isinstance(stage, Escalate):
            continue
        if stage.verifier == OWN and not verifier:
            raise InputError(
                "`verifier: own` is a function of yours", where=where,
                hint="hand it to the library call: execute(..., verifier=...); in a plan file, name a model",
            )  # fmt: skip
        before = [one for one in plan.stages[:index] if isinstance(one, Call)]
        for lane in sorted({call.lane or stage.lane or "main" for call in before}):
            cheap = call_before(before, lane)
            if cheap is None or (stage.lane is not None and stage.lane != lane):
                continue
            for _, call in stage.asks(cheap):
                kind, video = endpoints.kind_of(call.model), endpoints.takes_video(call.model)
                check_fits(call, kind, script, video=video, where=where)


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
    asked = piece.script.asked
    labels = f"\nIt is one of: {', '.join(piece.script.labels)}" if piece.script.labels else ""
    questions = [
        f"{RIGHT.words}\n{RIGHT.about.format(question=question + labels, answer=answer)}"
        for question, answer in zip(asked, answers_of(piece.answers[-1], len(asked)), strict=True)
    ]
    return msgspec.structs.replace(piece, turn=(index, turn), script=RIGHT.script(piece.script, questions))


def answers_of(outcomes: Sequence[Outcome], questions: int) -> list[str]:
    """Return the answer to each question, the parts of an item that was split in order of time."""
    found = []
    for number in range(questions):
        parts = [one for one in outcomes if one.question in {number, -1}]
        said = (one.answers[number] if one.answers else one.label or one.text for one in parts)
        found.append("\n".join(text for text in said if text))
    return found


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

    def order(head: Outcome, endpoint: Any) -> Order:
        work = Work(
            model=call.model, parts=(Text(text=script.asked[0]),), labels=script.labels, schema=script.schema(),
            tokens_output=script.output_most, identity=head.identity, timeout_seconds=_TIMEOUT_SECONDS,
        )  # fmt: skip
        ask = Ask(
            model=call.model, part="images", text_bytes=len(work.words.encode()) + len(work.schema),
            tokens_output=work.tokens_output,
        )  # fmt: skip
        head = msgspec.structs.replace(head, text_expected=expected_text(work), labelled=True)
        return Order(head=head, endpoint=endpoint, task=task_of(script, questions=1), work=work, ask=ask)

    found = runner.one(call, msgspec.structs.replace(piece, turn=(index, "route")), order)
    return found is not None and found.status in {"ok", "cached"} and found.label == EASY.labels[0]
