"""`reelwise seen`: has a clip, or a part of it, been seen before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelwise.cli.output import json_option, note, print_json, table

if TYPE_CHECKING:
    from reelwise.duplicates import Answer

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("index", type=_FILE)
@click.argument("clips", type=_FILE, nargs=-1, required=True)
@click.option(
    "--add", is_flag=True, help="Store each clip after it was asked about; the file is created where missing."
)
@json_option
def cli(index: Path, clips: tuple[Path, ...], add: bool, as_json: bool) -> None:
    """Say whether CLIPS, or parts of them, are in the file INDEX: of which clip, at which times, how likely."""
    import msgspec

    from reelwise.duplicates import Index, error, fingerprint_clip, seen
    from reelwise.errors import InputError, MediaError

    if not add and not index.exists():
        raise InputError("no such index", where=str(index), hint="--add creates it: reelwise seen INDEX CLIP --add")
    rows: list[dict[str, object]] = []
    failed: MediaError | None = None
    with Index(index) as known:
        for clip in clips:
            try:
                fingerprint = fingerprint_clip(clip)
            except MediaError as wrong:  # the other clips are asked about, and what was stored is said
                if len(clips) == 1:
                    raise
                failed = wrong
                rows.append({"clip": str(clip), "error": wrong.message, "hint": wrong.hint})
                note(f"error: {wrong}")
                continue
            answer = seen(known, fingerprint)
            added = add and known.add(fingerprint, str(clip))
            if as_json:
                rows.append({"clip": str(clip), **msgspec.to_builtins(answer), "added": added})
            else:
                _print(clip, answer, fingerprint.seconds)
                if add:
                    note("stored" if added else "this very fingerprint was stored already")
    if as_json:
        print_json({"index": str(index), "clips": rows, "error": error()})
    if failed is not None:
        raise MediaError("not every clip could be read", hint=failed.hint)


def _print(clip: Path, answer: Answer, seconds: float) -> None:
    chance = "" if answer.probability is None else f", {answer.probability:.1%} that it is a copy"
    click.echo(f"{clip} ({seconds:,.1f} s): {answer.verdict}{chance}")
    if not answer.matches:
        return
    table(
        ("verdict", "copy", "of", "here (s)", "there (s)", "still", "moving"),
        (
            (
                match.verdict,
                "cannot tell" if match.probability is None else f"{match.probability:.1%}",
                match.clip,
                f"{match.asked[0]:,.1f} to {match.asked[1]:,.1f}",
                f"{match.stored[0]:,.1f} to {match.stored[1]:,.1f}",
                f"{match.still:.2f}",
                f"{match.motion:.2f} over {match.moving_seconds:,.1f} s" if match.moving_seconds else "nothing moves",
            )
            for match in answer.matches
        ),
        right=(1, 5),
    )
