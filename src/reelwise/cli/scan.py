"""`reelwise scan`: when something happens in a video, decided from its packets where they tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.output import json_option, note, print_json, table
from reelwise.cli.scan_live import ears_of, feed_of, live_options, run_live, trigger_options

if TYPE_CHECKING:
    from reelwise.scan import Scan

__all__ = ["cli"]

_CLIPS = frozenset(
    {".avi", ".flv", ".h264", ".h265", ".hevc", ".m2ts", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpg", ".mts", ".ts",
     ".webm", ".wmv"}
)  # fmt: skip
_FILES_MAX = 100_000


@click.command()
@click.argument("paths", nargs=-1, required=True, type=str)
@click.option(
    "--mode",
    type=click.Choice(("coarse", "exact")),
    default="exact",
    show_default=True,
    help="coarse: which stretches to look at; exact: start and stop of each activity.",
)
@click.option(
    "--method",
    type=click.Choice(("auto", "packets", "slices", "keyframes", "luma", "person")),
    default="auto",
    show_default=True,
    help="The signal; auto takes the cheapest one that this file lets rely on. person: where people are, moving or not.",
)
@click.option(
    "--pad",
    type=click.FloatRange(min=0, max=3600),
    default=0.0,
    show_default=True,
    help="Seconds kept before and after each event.",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="Draw one file's answer as .svg or .png: frames over a strip of what moves. Decodes the file once more.",
)
@trigger_options
@live_options
@json_option
def cli(
    paths: tuple[str, ...],
    *,
    mode: Any,
    method: Any,
    pad: float,
    picture: Path | None,
    sound: tuple[str, ...],
    require_trigger: bool,
    as_json: bool,
    **live: Any,
) -> None:
    """Find when something happens in each of PATHS, clips or folders of clips, and say how that was found.

    PATHS may also be one live stream, rtsp://..., or with --follow one file that is still being written. Then events are
    printed as they start and stop, and --json prints one JSON object a line: start, stop, note, and at the end receipt.
    """
    from reelwise.errors import InputError

    named = tuple(Path(one) for one in paths)
    feed = feed_of(named, paths, live)
    if feed is None:
        return _scan_files(
            named, mode=mode, method=method, pad=pad, picture=picture, sound=sound,
            require_trigger=require_trigger, as_json=as_json,
        )  # fmt: skip
    if pad or mode != "exact" or picture is not None:
        raise InputError("--pad, --mode and --picture are for files", where=feed.shown, hint="leave them out")
    return run_live(feed, method=method, sound=sound, require_trigger=require_trigger, live=live, as_json=as_json)


def _scan_files(
    paths: tuple[Path, ...],
    *,
    mode: Any,
    method: Any,
    pad: float,
    picture: Path | None,
    sound: tuple[str, ...],
    require_trigger: bool,
    as_json: bool,
) -> None:
    from reelwise.errors import MediaError
    from reelwise.scan import scan
    from reelwise.scan.joined import join_triggers

    files, listed = _files(paths)
    if picture is not None:
        _check_picture(picture, listed=listed)
    found: list[dict[str, Any]] = []
    failed: MediaError | None = None
    failed_by_name = False
    for file in files:
        try:
            result = scan(file, mode=mode, method=method, pad_seconds=pad)
            result = join_triggers(result, ears=ears_of(sound), require_trigger=require_trigger)
        except MediaError as error:
            if not listed:
                raise
            note(f"error: {error}")
            failed = error
            failed_by_name = failed_by_name or file in paths
            found.append({"path": str(file), "error": error.message, "hint": error.hint})
            continue
        found.append(_document(result))
        if not as_json:
            _show(result)
        if picture is not None:
            _draw(result, picture)
    if as_json:
        print_json({"files": found} if listed else found[0])
    if failed is not None and all("error" in one for one in found):
        raise MediaError("none of the files could be scanned", hint=failed.hint)
    if failed is not None and failed_by_name:
        raise MediaError("not every file that was named could be scanned", hint=failed.hint)


def _check_picture(picture: Path, *, listed: bool) -> None:
    """Find out before the work whether a picture can be drawn."""
    from reelwise.report.svg import check_picture

    if listed:
        raise click.UsageError("--picture draws one file: name just one")
    check_picture(picture)


def _draw(result: Scan, picture: Path) -> None:
    from reelwise.report.strip import write_strip

    write_strip(result, picture)
    note(f"picture: {picture}")


def _files(paths: tuple[Path, ...]) -> tuple[list[Path], bool]:
    """Return the clips, and whether the answer is a list: a folder, or several paths."""
    from reelwise.errors import MediaError

    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in _CLIPS and one.is_file())
        if not inside:
            raise MediaError("no clip in this folder", where=str(path), hint=f"endings: {', '.join(sorted(_CLIPS))}")
        files += inside
    if len(files) > _FILES_MAX:
        raise MediaError(f"over {_FILES_MAX:,} clips", where=str(paths[0]), hint="name folders one by one")
    return files, len(paths) > 1 or paths[0].is_dir()


def _document(result: Scan) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(result)
    return document


def _show(result: Scan) -> None:
    click.echo(
        f"{result.path}: {result.seconds:,.1f} s, {result.frames:,} pictures, {result.codec}; "
        f"something happens in {result.kept_share:.1%} of it"
    )
    click.echo(f"Method: {result.method}, because {result.why}")
    rows = [
        (
            f"{one.start_seconds:,.2f}",
            f"{one.stop_seconds:,.2f}",
            f"{one.stop_seconds - one.start_seconds:,.2f}",
            ", ".join(one.by),
        )
        for one in result.events
    ]
    if rows:
        table(("start s", "stop s", "length s", "by"), rows, right=(0, 1, 2))
    spent = ", ".join(
        f"{one.signal} {one.cpu_seconds:.2f} s ({one.frames_decoded:,} pictures)" for one in result.signals
    )
    click.echo(
        f"CPU: {spent}; {result.realtime_factor:,.0f} times real time, {result.frames_decoded_share:.1%} decoded"
    )
    click.echo(
        f"Bound: key frames are up to {result.bound_seconds:.1f} s apart, so these events need "
        f"{result.bound_share:.1%} of the pictures at least"
    )
    if result.blind_seconds:
        click.echo(f"Blind: what is over within {result.blind_seconds:.1f} s and leaves nothing behind may be missing")
    if result.edges_checked:
        error = (
            "seen only one way"
            if result.edge_error_seconds is None
            else f"{result.edge_error_seconds:.2f} s apart at most"
        )
        click.echo(
            f"Jumps: {result.jumps} stretches were decoded without the quiet pictures before them; {result.edges_checked} starts "
            f"and stops decoded both ways were {error}"
        )
    for text in result.notes:
        click.echo(f"Note: {text}")
