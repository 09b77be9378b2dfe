"""What `reelwise run` is given: a plan, what is asked, who answers. One YAML file: a workload file with `ask` and `endpoints`, or a bare plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.case import Case, assign, make, with_words
from reelwise.documents import decode, read_yaml
from reelwise.errors import DocumentError, MediaError
from reelwise.evidence_store import read_store
from reelwise.facts import settings_hash
from reelwise.run.endpoints import Place
from reelwise.script import Part, Script
from reelwise.workload import Repetition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reelwise.plan import Plan
    from reelwise.workload import Workload

__all__ = ["Job", "clips_of", "read_job"]

_CLIPS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".mpeg", ".flv", ".3gp"}
_CLIPS_MAX = 10_000
_STANDING_IN = "This text stands in for instructions of the same length that the workload file only counts. "


class Job(Struct, frozen=True, kw_only=True):
    """Something to run.

    Attributes:
        case: workload, plan, facts, prices.
        script: what is said.
        places: endpoints of your own.
        notes: what was assumed or made up, in words.
        stands_in: the instructions are made up to the length that the workload states: only a sandbox may get them.
    """

    case: Case
    script: Script
    places: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()
    stands_in: bool = False

    def key(self, plan: Plan, items: Sequence[str], answering: Sequence[str]) -> str:
        """Hash what a run of a plan is: its items by name, see `inputs.name_of`, and who answers, see `Endpoints.marks`."""
        book = self.case.book
        return settings_hash(
            (plan.hash, settings_hash(self.script), book.day.isoformat(), tuple(items), tuple(answering))
        )

    def workload(self, plan: Plan) -> Workload:
        """Return the workload as these clips have it: the script's own lengths, each clip once."""
        said = with_words(self.case.workload, plan, self.script)
        return msgspec.structs.replace(said, repetition=Repetition(questions=said.repetition.questions))


def clips_of(sources: Sequence[Path]) -> list[Path]:
    """List the clips of files and folders, in order.

    Raises:
        MediaError: none, or more than a run takes.
    """
    found: list[Path] = []
    for one in sources:
        if one.is_dir():
            inside = sorted(path for path in one.iterdir() if path.suffix.lower() in _CLIPS and path.is_file())
            if not inside:
                raise MediaError("no clip in this folder", where=str(one), hint=", ".join(sorted(_CLIPS)))
            found += inside
        else:
            found.append(one)
    if len(found) > _CLIPS_MAX:
        raise MediaError(f"{len(found):,} clips", where=str(sources[0]), hint=f"at most {_CLIPS_MAX:,} a run")
    return found


def read_job(
    path: Path,
    *,
    workload: Path | None = None,
    settings: Sequence[str] = (),
    day: str | None = None,
    rates: Path | None = None,
    evidence: Path | None = None,
    levers: Sequence[str] | None = None,
) -> Job:
    """Open a plan, or a workload file with one.

    Args:
        path: a bare plan (`stages: [...]`), or a workload file; `ask` and `endpoints` may stand in either.
        workload: a workload file, where `path` is a plan.
        settings: `field.path=value` overrides.
        day: ISO day of prices, in place of the file's.
        rates: private prices.
        evidence: folder of measured facts.
        levers: names of levers, in place of the file's.

    Raises:
        DocumentError: anything in it that cannot be.
    """
    tree = _mapping(path)
    if "stages" in tree:
        own: dict[str, Any] = {name: tree.pop(name) for name in ("ask", "endpoints") if name in tree}
        tree = {**(_mapping(workload) if workload is not None else {}), **own, "plan": tree}
        tree.pop("model", None)
    elif workload is not None:
        tree = {**_mapping(workload), **tree}
    for setting in settings:
        assign(tree, setting)
    if day is not None:
        tree["day"] = day
    said = tree.pop("ask", None)
    places = decode(tree.pop("endpoints", ()), tuple[Place, ...], where=f"{path} $.endpoints")
    for number, place in enumerate(places):
        place.check(f"{path} $.endpoints[{number}]")
    tree.setdefault("feature", "run")
    tree.setdefault("demand", {"hours": 1})
    measured = read_store(evidence) if evidence is not None and evidence.is_dir() else ()
    folder = (workload or path).parent
    case = make(tree, where=str(path), rates=rates, measured=measured, levers=levers, folder=folder)
    script, notes, stands_in = _script(said, case, str(path))
    return Job(case=case, script=script, places=places, notes=notes, stands_in=stands_in)


def _mapping(path: Path) -> dict[str, Any]:
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise DocumentError(
            "a plan is a mapping of fields", where=str(path), hint="stages: [{stage: call, model: ...}]"
        )
    return dict(tree)


def _script(said: Any, case: Case, where: str) -> tuple[Script, tuple[str, ...], bool]:
    if said is not None:
        script = decode(said, Script, where=f"{where} $.ask")
        script.check(f"{where} $.ask")
        return script, (), False
    prompt = case.workload.prompt
    if not prompt.prefix and not prompt.question:
        script = Script(task="transcribe") if case.workload.kind == "transcribe" else Script()
        return script, (f"nothing is asked in {where}: `{script.asked[0]}`",), False
    parts = (Part(name="instructions", text=_filler(prompt.prefix)),) if prompt.prefix >= 1 else ()
    questions = (_filler(prompt.question),) * max(1, round(case.workload.repetition.questions))
    output = int(prompt.output) or None
    note = f"{where} says how long the prompt is, and not what it says: text of that length stands in"
    return Script(policy=parts, questions=questions, output_most=output and 4 * output), (note,), True


def _filler(tokens: float) -> str:
    size = max(1, int(tokens)) * 4
    return (_STANDING_IN * (size // len(_STANDING_IN) + 1))[:size]
