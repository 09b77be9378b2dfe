"""`reelwise init`: ask what the article asks, and write a commented workload file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from msgspec import Struct

from reelwise.cli.output import json_option, money, note, print_json
from reelwise.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.video import ClipInfo

__all__ = ["Answers", "cli", "workload_text"]

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")

_LATENCIES = ("realtime", "seconds", "minutes", "hours", "day")
_LOADS = ("steady", "daily", "spiky")
_KINDS = ("understand", "transcribe", "generate", "segment")
_FORMS = ("hours", "users", "cameras")
_POSITIVE = click.FloatRange(min=0, min_open=True, max=1e12)
_COUNT = click.FloatRange(min=0, max=1e12)
_AT_LEAST_ONE = click.FloatRange(min=1, max=1e9)
_HOURS_DEFAULT = 1000.0


class Answers(Struct, kw_only=True):
    """What was answered, with the defaults of what was not.

    Attributes:
        demand: fields of the demand, in one of its forms.
        clip: name of the clip that the source was read from, or empty.
        placeholder: the demand is a placeholder that nobody has given.
    """

    feature: str = "my_feature"
    task: str = ""
    kind: Literal["understand", "transcribe", "generate", "segment"] = "understand"
    latency: str = "minutes"
    questions: float = 1.0
    views: float = 1.0
    duplicates: float = 1.0
    prefix: float = 0.0
    question_tokens: float = 0.0
    output_tokens: float = 0.0
    load: str = "daily"
    peak_over_mean: float = 1.0
    demand: dict[str, float]
    model: str
    width: int = 1920
    height: int = 1080
    fps: float = 30.0
    audio: bool = True
    megabits_per_second: float = 4.0
    clip: str = ""
    clip_seconds: float = 0.0
    placeholder: bool = False


def _answer_options(command: F) -> F:
    for option in reversed(
        (
            click.option("--feature", help="Name of the feature that spends."),
            click.option("--task", help="What it does, in a line."),
            click.option("--kind", type=click.Choice(_KINDS), default="understand", show_default=True, help="The job."),
            click.option("--latency", type=click.Choice(_LATENCIES), help="How long an answer may take."),
            click.option("--questions", type=_AT_LEAST_ONE, help="Questions asked about one video."),
            click.option("--views", type=_AT_LEAST_ONE, help="Views of one video that would each run the model."),
            click.option("--duplicates", type=_AT_LEAST_ONE, help="Mean uploads of the same clip."),
            click.option("--prefix", type=_COUNT, help="Tokens in front of every call, word for word the same."),
            click.option("--question-tokens", type=_COUNT, default=0.0, help="Tokens that differ from call to call."),
            click.option("--output-tokens", type=_COUNT, default=0.0, help="Tokens of one answer."),
            click.option("--load", type=click.Choice(_LOADS), help="Steady around the clock, daily, or spiky."),
            click.option("--peak-over-mean", type=_AT_LEAST_ONE, default=1.0, help="Busiest hour over the mean hour."),
            click.option("--hours", type=_COUNT, help="Demand: hours of video a month."),
            click.option("--users", type=_COUNT, help="Demand: active users a month."),
            click.option("--sessions", type=_COUNT, help="... sessions of one user a month."),
            click.option("--seconds", type=_POSITIVE, help="... seconds of one session."),
            click.option("--cameras", type=_COUNT, help="Demand: cameras."),
            click.option("--hours-a-day", type=click.FloatRange(0, 24), help="... hours each records a day."),
            click.option("--model", help="Model or rate card that is called now."),
            click.option("--width", type=click.IntRange(1, 65535), help="Pixels of the source."),
            click.option("--height", type=click.IntRange(1, 65535), help="Pixels of the source."),
            click.option("--fps", type=click.FloatRange(0, 1000, min_open=True), help="Frames a second of the source."),
            click.option("--audio/--no-audio", default=None, help="Whether the source has sound."),
        )
    ):
        command = option(command)
    return command


@click.command()
@click.argument("clip", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), default=Path("workload.yaml"), show_default=True)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--yes", is_flag=True, help="Ask nothing: take the options and the defaults.")
@_answer_options
@json_option
def cli(*, clip: Path | None, out: Path, force: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """Ask four questions and the demand, and write a commented workload file.

    Size, rate and sound of the source are read from CLIP, a typical clip of yours, if one is named. Every answer is an
    option too.
    """
    if out.exists() and not force:
        raise OutputError("is there already", where=str(out), hint="name another place with --out, or add --force")
    _check_demand(given)
    info = _probed(clip) if clip else None
    answers = _collect(given, info, ask=not yes)
    text = workload_text(answers, out)
    usd, why = _priced(text, str(out))
    from reelwise.documents import write_whole

    write_whole(out, text)
    if as_json:
        print_json({"path": str(out), "workload": answers, "naive_usd_month": usd, "why_not": why})
        return
    note(f"wrote {out}: {money(usd)} USD a month as it is; next: reelwise stack {out}")
    if answers.placeholder:
        note(f"the demand of {_HOURS_DEFAULT:,.0f} hours a month is a placeholder: put yours")
    for reason in why:
        note(f"not feasible yet: {reason}")


def _probed(clip: Path) -> ClipInfo:
    from reelwise import video

    return video.probe(clip)


def _check_demand(given: dict[str, Any]) -> None:
    """Refuse a demand in two forms, or half of one, before anything is asked."""
    named = [name for name in _FORMS if given[name] is not None]
    if len(named) > 1:
        raise InputError(
            f"the demand is given by {' and by '.join(named)}", where="--" + named[1], hint="keep one form"
        )
    for part, whole in (("sessions", "users"), ("seconds", "users"), ("hours_a_day", "cameras")):
        if given[part] is not None and given[whole] is None:
            option = f"--{part.replace('_', '-')}"
            raise InputError(f"{option} goes with --{whole}", where=option, hint=f"add --{whole}")


class _Asker:
    """Asks on standard error what no option answered; with `ask` off it takes the default."""

    def __init__(self, *, ask: bool) -> None:
        self.ask = ask

    def __call__(self, text: str, given: T | None, default: Any, kind: Any = None) -> Any:
        if given is not None or not self.ask:
            return default if given is None else given
        try:
            return click.prompt(text, default=default, type=kind, err=True)
        except click.Abort:
            if sys.stdin.isatty():
                raise
            raise InputError(
                "the questions were not answered", where="init", hint="--yes asks nothing; every answer is an option"
            ) from None

    def sure(self, text: str, *, default: bool) -> bool:
        """Ask for yes or no."""
        answer = self(text, None, "yes" if default else "no", click.Choice(["yes", "no"]))
        return bool(answer == "yes")


def _collect(given: dict[str, Any], info: ClipInfo | None, *, ask: bool) -> Answers:
    from reelwise.case import DEFAULT_MODELS

    asker = _Asker(ask=ask)
    kind = given["kind"]
    answers = Answers(
        feature=asker("Name of the feature", given["feature"], "my_feature"),
        task=given["task"] or "",
        kind=kind,
        latency=asker(
            "1. Does it have to be real-time? An answer within", given["latency"], "minutes", click.Choice(_LATENCIES)
        ),
        demand={},
        model="",
        peak_over_mean=given["peak_over_mean"],
        question_tokens=given["question_tokens"],
        output_tokens=given["output_tokens"],
        **_repetition(given, asker),
        **_source(given, info),
    )
    answers.load = given["load"] or _load(asker)
    answers.demand, answers.placeholder = _demand(given, asker)
    answers.model = asker("Model that is called now", given["model"], DEFAULT_MODELS[kind])
    return answers


def _repetition(given: dict[str, Any], asker: _Asker) -> dict[str, Any]:
    names = ("questions", "views", "duplicates", "prefix")
    answered = any(given[name] is not None for name in names)
    ask = not answered and asker.ask and asker.sure("2. Does the input repeat?", default=False)
    more = _Asker(ask=ask)
    return {
        "questions": more("   questions asked about one video", given["questions"], 1.0, _AT_LEAST_ONE),
        "views": more("   views of one video that would each run the model", given["views"], 1.0, _AT_LEAST_ONE),
        "duplicates": more("   uploads of the same clip, on average", given["duplicates"], 1.0, _AT_LEAST_ONE),
        "prefix": more("   tokens that every call repeats word for word", given["prefix"], 0.0, _COUNT),
    }


def _load(asker: _Asker) -> str:
    if not asker.ask:
        return "daily"
    if asker.sure("3. Is the load steady around the clock?", default=False):
        return "steady"
    return "spiky" if asker.sure("4. Is it spiky and unpredictable?", default=False) else "daily"


def _demand(given: dict[str, Any], asker: _Asker) -> tuple[dict[str, float], bool]:
    form = next((name for name in _FORMS if given[name] is not None), None)
    placeholder = form is None and not asker.ask
    form = asker("How much a month: by hours, users or cameras?", form, "hours", click.Choice(_FORMS))
    if form == "users":
        return {
            "users": asker("   active users a month", given["users"], 1000.0, _COUNT),
            "sessions": asker("   sessions of one user a month", given["sessions"], 4.0, _COUNT),
            "seconds": asker("   seconds of one session", given["seconds"], 60.0, _POSITIVE),
        }, placeholder
    if form == "cameras":
        return {
            "cameras": asker("   cameras", given["cameras"], 10.0, _COUNT),
            "hours_a_day": asker(
                "   hours a day that each records", given["hours_a_day"], 24.0, click.FloatRange(0, 24)
            ),
        }, placeholder
    return {"hours": asker("   hours of video a month", given["hours"], _HOURS_DEFAULT, _COUNT)}, placeholder


def _source(given: dict[str, Any], info: ClipInfo | None) -> dict[str, Any]:
    known: dict[str, Any] = {
        name: given[name] for name in ("width", "height", "fps", "audio") if given[name] is not None
    }
    if info is None:
        return known
    found: dict[str, Any] = {
        "width": info.width,
        "height": info.height,
        "audio": info.has_audio,
        "clip": Path(info.path).name,
        "clip_seconds": round(info.seconds, 3),
    }
    if info.fps > 0:
        found["fps"] = round(info.fps, 3)
    if info.seconds > 0 and info.bytes > 0:
        found["megabits_per_second"] = max(round(info.bytes * 8 / info.seconds / 1e6, 3), 0.001)
    return {**found, **known}


def _priced(text: str, where: str) -> tuple[float, list[str]]:
    """Open what will be written, so that no file is written that cannot be priced."""
    from reelwise.case import make
    from reelwise.documents import parse_yaml
    from reelwise.price import price_one

    case = make(parse_yaml(text, where=where), where=where)
    bill = price_one(case.workload, case.plan, case.facts, case.book, case.account)
    return float(bill.total_usd), list(bill.why)


def workload_text(answers: Answers, out: Path) -> str:
    """Write the answers as a commented YAML document.

    Args:
        answers: what to write.
        out: where it will lie, for the path of the schema in its first line.
    """
    from reelwise.cli.init_text import render

    return render(answers, out)
