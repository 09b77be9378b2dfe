"""The `reelwise` command. Each command is one file, imported when it is called."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import click

from reelwise import __version__
from reelwise.errors import EXIT_INTERRUPTED, OutputError, ReelwiseError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "cli", "main"]

_BEHIND_MAX = 10  # errors behind an error
_CALLERS = ("reelwise-live-", "bench-stream")
"""Threads that call models; see `_leave`."""

COMMANDS: dict[str, str] = {
    "init": "Ask the four questions and write a commented workload file.",
    "run": "Run a plan for real: every call held, metered and settled, the receipt beside the estimate.",
    "audit": "Count what a clip would cost, and what each lever takes off it.",
    "scan": "Find when something happens in a video, faster than it can be decoded.",
    "live": "Segment a stream with a fraction of a model's inferences, at a quality or a price that is held.",
    "sample": "Choose frames under a budget, and compare them with as many at an even pace.",
    "price": "Price a workload: the month, per unit, with a band and what moves it.",
    "verify": "Say how far a cheaper plan's answers agree with the full plan's, on a sample, under a budget.",
    "prompt": "Say where the tokens of a call go, part by part, and which parts of the instructions answers need.",
    "drill": "Play the testing matrix with a plan: what was promised, what came of it, what it cost.",
    "compare": "Compare every way to deploy a job, with the volume at which another is cheaper.",
    "stack": "Pull levers one after another and print the waterfall.",
    "diff": "Say what a change to a workload file does to the bill, and stop above a gate.",
    "search": "Find the cheapest combination of levers under a quality floor.",
    "seen": "Say whether a clip, or a part of it, has been seen before.",
    "router": "Learn from your outcomes which requests a cheap model can take, and prove the floor that it keeps.",
    "cascade": "Learn when a cheap answer is in doubt, and prove the floor that the cascade keeps.",
    "tokens": "Count the billable tokens of a picture, a video or a minute of sound.",
    "rates": "List, show, check and compare prices.",
    "budget": "Set and show budgets: what may be spent, by whom, and what happens when it runs out.",
    "ledger": "Show, sum, check and export what was spent.",
    "bench-model": "Measure how many frames a second a model, or an endpoint, does; write it down for prices.",
    "probe": "Quantize or distil a model, measure it beside its teacher on your clips, accept or refuse it.",
    "models": "Install, list and remove the networks that run on this machine.",
    "sandbox": "Serve the APIs of model vendors on this machine, with an invoice, without a key.",
    "doctor": "Say what is installed and what is missing, with the command that installs it.",
    "schema": "Print the JSON Schema of a workload file, a plan or private rates.",
    "levers": "List every way of cutting the bill, or show one's card.",
    "checklist": "Write one page: which levers fit a workload, in order, and what to ask first.",
}
"""Every command and its one-line help, so that `--help` imports none of them. Command `x-y` is `cli` in reelwise/cli/x_y.py."""


class _Lazy(click.Group):
    """A group that imports a command's file when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"reelwise.cli.{cmd_name.replace('-', '_')}").cli
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="reelwise")
def cli() -> None:
    """Reelwise: what a video-AI feature costs, and what each way of cutting that bill is worth on your own footage."""


def _report(error: ReelwiseError) -> int:
    click.echo(f"error: {error}", err=True)
    if error.hint:
        click.echo(f"hint:  {error.hint}", err=True)
    return error.exit_code


def _interrupted() -> int:
    click.echo("interrupted", err=True)
    return EXIT_INTERRUPTED


def _is_interrupt(error: BaseException) -> bool:
    """Say whether an error came of Ctrl-C: native packages make an ImportError of it while they are loaded."""
    behind: BaseException | None = error
    for _ in range(_BEHIND_MAX):
        if behind is None or isinstance(behind, KeyboardInterrupt):
            break
        behind = behind.__cause__ or behind.__context__
    return isinstance(behind, KeyboardInterrupt)


def _to_nowhere() -> None:
    """Send what standard output still holds to nowhere, so that the interpreter does not fail on it once more."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and turn every error into a message and an exit code (see `reelwise.errors`)."""
    try:
        code: Any = cli.main(
            args=None if arguments is None else list(arguments), prog_name="reelwise", standalone_mode=False
        )
        sys.stdout.flush()
    except (ReelwiseError, ImportError) as error:
        if _is_interrupt(error):
            code = _interrupted()
        elif isinstance(error, ReelwiseError):
            code = _report(error)
        else:
            raise
    except click.exceptions.Abort:
        code = _interrupted()
    except click.ClickException as error:
        error.show()
        code = 2
    except KeyboardInterrupt:
        code = _interrupted()
    except (BrokenPipeError, SystemExit):
        # a reader that has seen enough (`| head`) is no error; click turns the broken pipe into an exit of its own
        _to_nowhere()
        code = 0
    except OSError as error:
        # our own files are mapped where they are written: what is left is standard output
        _to_nowhere()
        click.echo(f"error: cannot write the answer: {error.strerror}", err=True)
        code = OutputError.exit_code
    code = code if isinstance(code, int) else 0
    if arguments is None:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """End at once where a call of a model is still under way in a thread of ours that nobody can end.

    Python would stop that thread inside of the network's own code, and the process would abort in place of exiting with its code.
    """
    if any(one.daemon and one.name.startswith(_CALLERS) for one in threading.enumerate()):
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
