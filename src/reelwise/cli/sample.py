"""`reelwise sample`: choose frames under a budget, and say what they show beside as many at an even pace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelwise.cli.output import json_option, print_json, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.video import Choice, Region, Scores, Seen, Track

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)
_BUDGET = 32
_TOGETHER = 4  # pictures in memory at once, at full size
_BY = {"uniform": "even pace", "change": "by change", "shot": "by shot", "question": "by question"}


@click.command()
@click.argument("clip", type=_FILE)
@click.option(
    "--by", type=click.Choice(tuple(_BY)), help="How frames are chosen.  [default: change; question with --scores]"
)
@click.option("--budget", type=click.IntRange(min=1, max=1_000_000), help=f"Frames.  [default: {_BUDGET}]")
@click.option("--tokens", type=click.IntRange(min=1), help="A budget in tokens of --model instead, or beside it.")
@click.option("--model", help="Whose tokens: gpt-4o, gemini-2.5-pro, ...")
@click.option("--detail", default="", help="Detail level of the model. Default: its own.")
@click.option("--scores", type=_FILE, help="Scores of moments for --by question: JSON or CSV, second and score.")
@click.option("--active", is_flag=True, help="Choose only where something happens.")
@click.option(
    "--crop",
    help="Cut pictures to a region, fitted to --model's tokens: activity, corners as fractions "
    '("0.1,0.5 0.9,0.5 0.5,0.9"), person, or a detector of yours (module:function).',
)
@click.option("--margin", type=click.FloatRange(0, 0.5), default=0.05, show_default=True, help="Around the region.")
@click.option("--out", type=_FILE, help="Write the frames as JPEG to this folder.")
@click.option("--long-side", type=click.IntRange(min=16, max=16_384), help="Pixels of the longer side that are sent.")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Decode at most this much of the clip.")
@json_option
def cli(  # noqa: PLR0917 - click passes options by name
    clip: Path,
    by: Any,
    budget: int | None,
    tokens: int | None,
    model: str | None,
    detail: str,
    scores: Path | None,
    active: bool,
    crop: str | None,
    margin: float,
    out: Path | None,
    long_side: int | None,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Choose frames of CLIP under a budget and compare them with as many frames at an even pace."""
    from reelwise import video

    by = by or ("question" if scores is not None else "change")
    if by == "question" and scores is None:
        raise click.UsageError("--by question needs --scores FILE: a score for each second, of a model of yours")
    if tokens is not None and model is None:
        raise click.UsageError("--tokens needs --model NAME")
    given: Scores | None = video.read_scores(scores) if scores is not None else None
    if crop is not None:
        _check_crop(crop)
    track = video.track(clip, audio=False, seconds_max=seconds)
    size = video.fit(track.info.width, track.info.height, long_side or max(track.info.width, track.info.height))
    price = _price(model, detail) if model is not None else None
    if given is not None:
        track = _noted(track, video.scores_outside(given, track.seconds, where=str(scores)), len(given.seconds))
    stretches = video.gate(track) if active else None
    region = _region(track, crop, margin, size, price) if crop is not None else None
    each = None if price is None else region.tokens if region is not None else price(*size)
    choice = video.choose(track, _frames(budget, tokens, each, model), by=by, stretches=stretches, scores=given)
    files = _write(choice, clip, out, max(size), region) if out is not None else []
    if as_json:
        print_json(_document(choice, track, files, model=model, each=each, size=size, region=region))
        return
    _show(choice, track, model, each)
    if region is not None:
        click.echo(_region_says(region, crop or "", model))
    if out is not None:
        click.echo(f"Written: {_counted(len(files))} to {out}")


def _noted(track: Track, outside: int, scores: int) -> Track:
    """Note on a track how many scores are of moments that it does not have."""
    from msgspec.structs import replace

    if not outside:
        return track
    said = (
        f"{outside:,} of {scores:,} scores lie behind the clip's end: left out (seconds are expected, not milliseconds)"
    )
    return replace(track, notes=(*track.notes, said))


def _price(model: str, detail: str) -> Callable[[int, int], int]:
    """Return what a picture costs a model, by its size."""
    from reelwise.errors import InputError
    from reelwise.tokens import rule_for

    rule = rule_for(model)
    if rule.image(512, 512, detail) < 1:
        raise InputError(f"{model} is not billed by tokens of a picture", where="--model", hint="give --budget FRAMES")
    return lambda width, height: rule.image(width, height, detail)


def _region(
    track: Track, crop: str, margin: float, size: tuple[int, int], price: Callable[[int, int], int] | None
) -> Region:
    """Find the region that is asked for and fit it to the model's tokens; without a model it stays as it is."""
    from reelwise import video
    from reelwise.stages.detector import detected, is_name

    if crop == "activity":
        box = video.activity_box(track, video.gate(track), margin=0.0)
    elif is_name(crop):
        found = detected(crop, track.info.path, track.info.sha256_head)
        box = None if found is None else video.Box(*found)
    else:
        box = video.polygon_box(_corners(crop), where="--crop")
    return video.crop_region(box, *size, price or (lambda width, height: width * height), margin=margin)


def _check_crop(crop: str) -> None:
    """Refuse a region that cannot be, before the clip is decoded."""
    from reelwise.stages.detector import is_name, load_detector
    from reelwise.video import polygon_box

    if is_name(crop) or ":" in crop:
        load_detector(crop)
    elif crop != "activity":
        polygon_box(_corners(crop), where="--crop")


def _corners(text: str) -> list[tuple[float, float]]:
    try:
        return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]
    except ValueError:
        raise click.UsageError(
            f"--crop {text!r:.60} is no region: activity, person, three or more x,y between 0 and 1, or module:function"
        ) from None


def _frames(budget: int | None, tokens: int | None, each: int | None, model: str | None) -> int:
    """Return how many frames the budgets allow together."""
    from reelwise.errors import InputError

    if tokens is None or each is None:
        return budget or _BUDGET
    frames = tokens // each
    if frames < 1:
        raise InputError(
            f"{tokens:,} tokens do not pay for one picture of {each:,} on {model}",
            where="--tokens",
            hint="give more, or a smaller --long-side",
        )
    return frames if budget is None else min(budget, frames)


def _write(choice: Choice, clip: Path, out: Path, long_side: int, region: Region | None) -> list[str]:
    from reelwise.documents import write_whole
    from reelwise.video import jpeg, pictures

    names = []
    for start in range(0, len(choice.seconds), _TOGETHER):
        some = choice.seconds[start : start + _TOGETHER]
        for number, (second, (_, picture)) in enumerate(
            zip(some, pictures(clip, some, long_side=long_side), strict=True), start=start + 1
        ):
            name = out / f"{number:04d}-{second:09.3f}s.jpg"
            cut = picture
            if region is not None:
                cut = picture[region.top : region.bottom, region.left : region.right]
            write_whole(name, jpeg(cut))
            names.append(str(name))
    return names


def _document(
    choice: Choice,
    track: Track,
    files: list[str],
    *,
    model: str | None,
    each: int | None,
    size: tuple[int, int],
    region: Region | None,
) -> dict[str, Any]:
    import msgspec

    rows: list[dict[str, Any]] = [
        {"frame": int(frame), "second": round(second, 3)}
        for frame, second in zip(choice.frames.tolist(), choice.seconds, strict=True)
    ]
    for row, name in zip(rows, files, strict=False):
        row["file"] = name
    return {
        "path": track.info.path,
        "seconds": round(track.seconds, 3),
        "frames_in_clip": track.frames,
        "by": choice.by,
        "model": model,
        "width": size[0],
        "height": size[1],
        "tokens_each": each,
        "tokens": None if each is None else each * len(rows),
        "region": None if region is None else _plain(region, model),
        "frames": rows,
        "seen": msgspec.to_builtins(choice.seen),
        "uniform": msgspec.to_builtins(choice.uniform),
        "judged_by": list(choice.judged_by),
        "verdict": choice.verdict,
        "notes": list(track.notes),
    }


def _plain(region: Region, model: str | None) -> dict[str, Any]:
    """Write a region as plain values; without a model nothing was counted in tokens."""
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(region)
    if model is None:
        return {name: value for name, value in plain.items() if not name.startswith("tokens")}
    return plain | {"saves": region.saves}


def _region_says(region: Region, crop: str, model: str | None) -> str:
    if not region.found:
        return f"Region: {'nobody was found' if crop == 'person' else 'the detector found nothing' if ':' in crop else 'nothing moves'}: whole frames"
    size = f"{region.right - region.left}x{region.bottom - region.top} of {region.width}x{region.height}"
    said = f"Region: {size} from {region.left}, {region.top}"
    if model is None:
        return said
    if not region.saves:
        return f"{said}: no tokens saved on {model}, {region.tokens_whole:,} a picture either way"
    cut = f", {region.tokens_unsnapped:,} cut out as it is" if region.tokens_unsnapped != region.tokens else ""
    return f"{said}: {region.tokens:,} tokens a picture on {model}; {region.tokens_whole:,} whole{cut}"


def _show(choice: Choice, track: Track, model: str | None, each: int | None) -> None:
    from reelwise.video.seen import FIGURES

    count = len(choice.seconds)
    cost = f", {count} x {each:,} = {count * each:,} tokens of {model}" if each is not None else ""
    click.echo(
        f"{track.info.path}: {track.seconds:,.1f} s, {_counted(track.frames)}; {count} chosen, {_BY[choice.by]}{cost}"
    )
    if not count:
        click.echo("Nothing happens in this clip: no frame is chosen. Leave --active out to choose from all of it.")
        return
    click.echo("Seconds: " + ", ".join(f"{second:,.2f}" for second in choice.seconds))
    head = ("what is seen", f"{count} {_BY[choice.by]}", f"{choice.uniform.frames} at an even pace")
    rows = [(text, _figure(choice.seen, name), _figure(choice.uniform, name)) for name, text in FIGURES.items()]
    table(head, [row for row in rows if row[1] or row[2]], right=(1, 2))
    click.echo(_says(choice))
    for text in track.notes:
        click.echo(f"Note: {text}")


def _figure(seen: Seen, name: str) -> str:
    value = getattr(seen, name)
    if value is None:
        return ""
    return f"{value:,.2f}" if name.endswith("_seconds") else f"{value:.1%}"


def _counted(pictures: int) -> str:
    return "1 picture" if pictures == 1 else f"{pictures:,} pictures"


def _says(choice: Choice) -> str:
    if choice.by == "uniform":
        return "This is the even pace that every other way is held against."
    from reelwise.video.seen import FIGURES

    judged = " and ".join(FIGURES[name] for name in choice.judged_by if getattr(choice.seen, name) is not None)
    if not judged:
        return "There is nothing in this clip that this way looks for: an even pace does as well."
    word = {"better": "Better than", "level": "No better than", "worse": "WORSE than"}[choice.verdict]
    return f"{word} an even pace with as many frames, judged by {judged}."
