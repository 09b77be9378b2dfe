"""Clips without sound, where a call sends nothing else: it is not made about them, and the other stages go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelwise.flow import Piece
    from reelwise.plan import Plan

__all__ = ["footage_notes", "told_apart"]

_SHOWN = 10


def told_apart(stage: Call, pieces: Iterable[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Tell the pieces that a call can be made about from those of which it would send sound, and there is none."""
    todo: list[Piece] = []
    silent: list[Piece] = []
    for piece in pieces:
        (silent if stage.part == "audio" and not _sounds(piece) else todo).append(piece)
    return todo, silent


def _sounds(piece: Piece) -> bool:
    return piece.item.has_sound and piece.heard != ()  # () is what a stage leaves of sound that is all silence


def footage_notes(plan: Plan, pieces: Sequence[Piece]) -> tuple[str, ...]:
    """Say of clips what a reader must know: one that ends early, or has no sound where a call asks for some."""
    said = []
    damaged = dict.fromkeys(
        f"{Path(piece.track.info.path).name}: {note}" for piece in pieces for note in piece.track.notes
    )
    said += list(damaged)[:_SHOWN]
    if len(damaged) > _SHOWN:
        said.append(f"{len(damaged) - _SHOWN:,} more such remarks about clips")
    silent = sum(not piece.track.info.has_audio for piece in pieces)
    for model in dict.fromkeys(call.serves for call in plan.of(Call, lambda call: call.part == "audio")):
        if silent:
            have = "has" if silent == 1 else "have"
            said.append(f"{silent:,} of {len(pieces):,} clips {have} no sound: {model} is not asked about that")
    return tuple(said)
