"""`reelwise tokens`: the billable tokens of a picture or a video, and how they were counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reelwise.cli.output import json_option, print_json, quantity, table

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["cli"]


@click.command()
@click.option("--model", help="Model name: gemini-2.5-pro, openai/gpt-4o, claude-haiku-4-5-20251001, ...")
@click.option("--width", type=int, help="Width in pixels.")
@click.option("--height", type=int, help="Height in pixels.")
@click.option("--seconds", type=float, help="Length of a video; leave out for pictures.")
@click.option("--fps", type=float, help="Frames a second to sample. Default: the model's own rate.")
@click.option("--detail", default="", help="Detail (media resolution) level: low, high, ... Default: the model's own.")
@click.option("--audio", is_flag=True, help="Send the video's sound too.")
@click.option("--images", type=int, default=1, show_default=True, help="Pictures in the request.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Day of the rule. Default: today.")
@click.option("--list", "listing", is_flag=True, help="List the rules, the models they count and their sources.")
@json_option
def cli(  # noqa: PLR0917 - click passes options by name
    model: str | None,
    width: int | None,
    height: int | None,
    seconds: float | None,
    fps: float | None,
    detail: str,
    audio: bool,
    images: int,
    day: dt.datetime | None,
    listing: bool,
    as_json: bool,
) -> None:
    """Count the billable tokens of a picture, a video or a minute of sound."""
    import msgspec

    from reelwise.errors import InputError
    from reelwise.tokens import count

    if listing:
        _list(as_json=as_json)
        return
    if model is None or width is None or height is None:
        missing = [n for n, v in (("--model", model), ("--width", width), ("--height", height)) if v is None]
        raise InputError(f"{', '.join(missing)} missing", where="tokens", hint="or use --list to see what is known")
    result = count(
        model,
        width=width,
        height=height,
        seconds=seconds,
        fps=fps,
        detail=detail,
        audio=audio,
        images=images,
        day=day.date() if day else None,
    )
    if as_json:
        values = msgspec.to_builtins(result)
        print_json({k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in values.items()})
        return
    what = f"{quantity(seconds)} s of video" if seconds is not None else f"{images} picture{'s' * (images != 1)}"
    click.echo(f"{result.model}: {quantity(result.tokens)} tokens for {what} at {width}x{height}")
    if result.unit != "tokens":
        click.echo(f"  billed by the {result.unit}, not in tokens")
    sound = f" + {quantity(result.audio_tokens)} of sound" if result.audio_tokens else ""
    unit = ("frame" if seconds is not None else "picture") + "s" * (result.frames != 1)
    sent = ", sent as pictures" if seconds is not None and result.sent_as == "pictures" else ""
    click.echo(f"  counted  {quantity(result.frames)} {unit} x {quantity(result.per_frame)}{sound}{sent}")
    click.echo(f"  rule     {result.rule}{f' ({result.detail})' if result.detail else ''}: {result.how}")
    click.echo(f"  source   {result.source} (read {result.checked})")
    for line in result.notes:
        click.echo(f"  note     {line}")


def _list(*, as_json: bool) -> None:
    """List rules with the models that they count today, and until when a dated one counted."""
    from reelwise.tokens import MATCHES, rules

    rows: list[dict[str, object]] = []
    cells: list[tuple[str, ...]] = []
    for rule in rules():
        matches = [m for m in MATCHES if m.rule == rule.name]
        models = [name for match in matches for name in match.models]
        until = next((match.until for match in matches if match.until), None)
        rows.append(
            {
                "family": rule.family,
                "rule": rule.name,
                "models": models,
                "until": until,
                "unit": rule.unit,
                "details": list(rule.details),
                "fps_default": rule.fps_default,
                "images_max": rule.images_max,
                "how": rule.formula,
                "source": rule.source,
                "checked": rule.checked,
                "notes": list(rule.notes),
            }
        )
        name = f"{rule.name} (until {until})" if until else rule.name
        cells.append((rule.family, name, ", ".join(models), f"{rule.source} (read {rule.checked})"))
    if as_json:
        print_json({"rules": rows})
        return
    table(("family", "rule", "models", "source"), cells)
