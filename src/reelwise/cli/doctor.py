"""`reelwise doctor`: what is installed, what is missing and the command that installs it."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

import click
from msgspec import Struct

from reelwise import __version__
from reelwise.cli.options import EVIDENCE
from reelwise.cli.output import json_option, note, print_json, table

__all__ = ["Check", "checks", "cli"]

KEYS: dict[str, tuple[str, ...]] = {
    "OpenAI": ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
    "Anthropic": ("ANTHROPIC_API_KEY",),
    "Google": ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
    "AWS": ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"),
    "Azure": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    "Groq": ("GROQ_API_KEY",),
    "Mistral": ("MISTRAL_API_KEY",),
    "xAI": ("XAI_API_KEY",),
    "OpenRouter": ("OPENROUTER_API_KEY",),
    "Deepgram": ("DEEPGRAM_API_KEY",),
    "ElevenLabs": ("ELEVENLABS_API_KEY",),
    "fal": ("FAL_KEY",),
    "Replicate": ("REPLICATE_API_TOKEN",),
    "TwelveLabs": ("TWELVELABS_API_KEY", "TWELVE_LABS_API_KEY"),
}
"""Environment variables in which model endpoints look for their keys. Only whether they are set is ever read."""

_CODECS: tuple[tuple[str, Literal["r", "w"], str], ...] = (
    ("h264", "r", "read H.264"),
    ("hevc", "r", "read H.265"),
    ("vp9", "r", "read VP9"),
    ("av1", "r", "read AV1"),
    ("aac", "r", "read AAC sound"),
    ("libx264", "w", "write H.264 (the demo clip)"),
)
_STALE_DAYS = 90
_LOW_DISK_GB = 2.0
_NVIDIA_SECONDS = 5

State = Literal["ok", "missing", "warning"]


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        group: packages, extras, codecs, keys, machine, models, evidence or prices.
        name: what was looked at.
        state: ok; missing where something optional is not there; warning where something will not work or is old.
        found: what was found.
        hint: the command or step that mends it, or empty.
    """

    group: str
    name: str
    state: State
    found: str = ""
    hint: str = ""


@click.command()
@click.option(
    "--evidence", type=click.Path(path_type=Path), default=EVIDENCE, show_default=True, help="Folder of measured facts."
)
@json_option
def cli(*, evidence: Path, as_json: bool) -> None:
    """Say what is installed and what is missing: packages, codecs, keys, GPU, disk, prices. Nothing is sent anywhere."""
    found = checks(evidence)
    if as_json:
        print_json(
            {
                "version": __version__,
                "python": platform.python_version(),
                "system": f"{platform.system()} {platform.machine()}",
                "cores": os.cpu_count(),
                "ok": all(check.state != "warning" for check in found),
                "checks": found,
            }
        )
        return
    click.echo(f"reelwise {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    shown = [check for check in found if check.group != "keys" or check.state == "ok"]
    table(
        ("", "looked at", "state", "found", "to mend it"), [(c.group, c.name, c.state, c.found, c.hint) for c in shown]
    )
    without = [check.name for check in found if check.group == "keys" and check.state != "ok"]
    if without:
        click.echo(f"no key set for {', '.join(without)}: needed only to call their models")
    warnings = sum(check.state == "warning" for check in found)
    note("everything that is needed is there" if not warnings else f"warnings: {warnings}")


def checks(evidence: Path, today: dt.date | None = None) -> tuple[Check, ...]:
    """Look at everything.

    Args:
        evidence: folder of measured facts; it is not made.
        today: the day ages are counted to.
    """
    today = today or dt.datetime.now(tz=dt.UTC).date()
    return (
        *_packages(),
        *_codecs(),
        *_keys(),
        _gpu(),
        *_disks(),
        *_models(),
        _evidence(evidence),
        *_prices(today),
    )


_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([A-Za-z0-9_-]+)['\"]")


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _requirements() -> dict[str, list[str]]:
    """Read what Reelwise needs from its own metadata: extra ("" for always) to requirements."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        listed = requires("reelwise") or []
    except PackageNotFoundError:
        listed = []
    needs: dict[str, list[str]] = {}
    for requirement in listed:
        extra = _EXTRA.search(requirement)
        needs.setdefault(extra[1] if extra else "", []).append(requirement.partition(";")[0].strip())
    return needs


def _packages() -> list[Check]:
    found: list[Check] = []
    for extra, requirements in sorted(_requirements().items()):
        if extra == "all":
            continue
        for requirement in requirements:
            name = _NAME.match(requirement)
            package = name[1] if name else requirement
            if any(one.name == package and one.group == f"extra {extra}" for one in found):
                continue  # one package under two markers
            version = _version(package)
            command = f"pip install 'reelwise[{extra}]'" if extra else f"pip install '{requirement}'"
            found.append(
                Check(
                    group=f"extra {extra}" if extra else "packages",
                    name=package,
                    state="ok" if version else "missing" if extra else "warning",
                    found=version or "not installed",
                    hint="" if version else command,
                )
            )
    return found


def _codecs() -> list[Check]:
    try:
        import av
    except ImportError as error:
        return [Check(group="codecs", name="PyAV", state="warning", found=str(error), hint="pip install 'av>=15,<19'")]
    found = []
    for name, mode, does in _CODECS:
        try:
            long_name = av.codec.Codec(name, mode).long_name
        except ValueError:
            hint = "install PyAV from its wheel: pip install --force-reinstall --only-binary :all: av"
            found.append(Check(group="codecs", name=does, state="warning", found=f"no {name}", hint=hint))
        else:
            found.append(Check(group="codecs", name=does, state="ok", found=long_name))
    return found


def _keys() -> list[Check]:
    found = []
    for provider, names in KEYS.items():
        there = [name for name in names if os.environ.get(name)]
        found.append(
            Check(
                group="keys",
                name=provider,
                state="ok" if there else "missing",
                found=f"{', '.join(there)} set" if there else "not set",
                hint="" if there else f"export {names[0]}=... (only to call its models)",
            )
        )
    return found


def _gpu() -> Check:
    command = shutil.which("nvidia-smi")
    if command is None:
        return Check(
            group="machine", name="GPU", state="missing", found="no nvidia-smi", hint="not needed to estimate or audit"
        )
    query = [command, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=_NVIDIA_SECONDS, check=False)  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(group="machine", name="GPU", state="warning", found=f"nvidia-smi failed: {type(error).__name__}")
    if done.returncode != 0 or not done.stdout.strip():
        said = (done.stdout or done.stderr).strip().splitlines()
        return Check(
            group="machine", name="GPU", state="warning", found=f"nvidia-smi: {said[0] if said else 'no answer'}"
        )
    return Check(group="machine", name="GPU", state="ok", found="; ".join(done.stdout.strip().splitlines()))


def _disks() -> list[Check]:
    found = []
    for name, folder in (
        ("free disk here", Path.cwd()),
        ("free disk for temporary files", Path(tempfile.gettempdir())),
    ):
        try:
            free = shutil.disk_usage(folder).free / 1e9
        except OSError as error:
            found.append(Check(group="machine", name=name, state="warning", found=error.strerror or "not readable"))
            continue
        low = free < _LOW_DISK_GB
        hint = f"free some of {folder}" if low else ""
        found.append(
            Check(group="machine", name=name, state="warning" if low else "ok", found=f"{free:,.1f} GB", hint=hint)
        )
    return found


def _models() -> list[Check]:
    """Say whether the networks that run on this machine are installed and whole."""
    from reelwise.errors import InputError
    from reelwise.models.shelf import INSTALL, MODEL, VARIANTS, installed, model_path

    found = []
    for variant in VARIANTS:
        name = f"{MODEL}:{variant}"
        try:
            there = any(one.variant == variant for one in installed())
            path = model_path(variant) if there else None
        except InputError as error:
            found.append(Check(group="models", name=name, state="warning", found=error.message, hint=error.hint))
        else:
            state: State = "ok" if path else "missing"
            said = str(path) if path else "not installed"
            found.append(Check(group="models", name=name, state=state, found=said, hint="" if path else INSTALL))
    return found


def _evidence(folder: Path) -> Check:
    """Try to write where measured facts would go, leaving nothing behind."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Check(
            group="evidence", name=str(folder), state="warning", found=f"cannot be written to: {error.strerror}",
            hint="name another place with --evidence",
        )  # fmt: skip
    if there != folder:
        return Check(group="evidence", name=str(folder), state="ok", found="not there yet, can be made")
    files = len(list(folder.glob("*.yaml")))
    return Check(group="evidence", name=str(folder), state="ok", found=f"can be written to, {files} measurements")


def _prices(today: dt.date) -> list[Check]:
    from reelwise.rates.language import package_read, package_version

    name, read = f"genai-prices {package_version()}", package_read()
    upgrade = "pip install --upgrade reelwise genai-prices"
    if not read:
        found = "nobody has compared this version with what vendors publish"
        return [Check(group="prices", name=name, state="warning", found=found, hint=upgrade), _cards(today)]
    age = (today - dt.date.fromisoformat(read)).days
    old = age > _STALE_DAYS
    found = f"compared with what vendors publish on {read}, {age} days ago"
    return [
        Check(group="prices", name=name, state="warning" if old else "ok", found=found, hint=upgrade if old else ""),
        _cards(today),
    ]


def _cards(today: dt.date) -> Check:
    from reelwise.rates.cards import load_cards

    ages: dict[str, int] = {}
    for sku, (_, entry) in load_cards().items():
        days = [price.checked for price in entry.prices if price.checked]
        if days:
            ages[sku] = (today - dt.date.fromisoformat(max(days))).days
    stale = sorted((sku for sku, age in ages.items() if age > _STALE_DAYS), key=lambda sku: -ages[sku])
    if not stale:
        return Check(
            group="prices", name="rate cards", state="ok", found=f"{len(ages)}, none older than {_STALE_DAYS} days"
        )
    return Check(
        group="prices",
        name="rate cards",
        state="warning",
        found=f"{len(stale)} of {len(ages)} were read more than {_STALE_DAYS} days ago, the oldest {stale[0]} {ages[stale[0]]} days",
        hint="reelwise rates check",
    )
