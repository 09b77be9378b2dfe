"""One YAML file: a workload with its plan, facts, account and levers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.account import Account
from reelwise.documents import decode, read_yaml
from reelwise.errors import DocumentError
from reelwise.evidence import Fact
from reelwise.evidence_store import read_store
from reelwise.facts import Entry, Facts, check_fact
from reelwise.levers import Lever, kinds, lever_union
from reelwise.option import Option
from reelwise.plan import Plan
from reelwise.price import check_day
from reelwise.rates import Book
from reelwise.script import Script
from reelwise.stages import Call
from reelwise.workload import Prompt, Workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Case", "CaseFile", "assign", "default_plan", "load", "make", "with_option", "with_words"]

DEFAULT_MODELS = {
    "understand": "gemini-2.5-pro",
    "transcribe": "openai/whisper-1",
    "generate": "google/veo-3.1-fast",
    "segment": "aws/rekognition/group2",
}
"""What a plan calls where the file names none."""
OUTPUT_ASSUMED = 100.0
"""Tokens of a free answer before any was measured."""


class CaseFile(Workload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workload file as written. Everything but `feature` and `demand` has a default.

    Attributes:
        plan: how it is done now; null is one call to a default model.
        model: short for a plan of one call.
        facts: what you know of your footage and models, by name: a number, or a fact with low, high and source.
        account: free tiers, private rates, buffers.
        levers: the levers to stack, with settings; empty is every lever that applies, with its defaults.
        options: other ways to deploy it, for `reelwise compare`; empty compares a set that fits the kind of job.
        day: the day whose prices hold, ISO; null is today.
    """

    plan: Plan | None = None
    model: str | None = None
    facts: dict[str, float | Fact] = msgspec.field(default_factory=dict)
    account: Account = Account()
    levers: tuple[dict[str, Any], ...] = ()
    options: tuple[Option, ...] = ()
    day: str | None = None


class Case(Struct, frozen=True, kw_only=True):
    """A workload file, opened: checked, with prices of the day and facts in layers."""

    workload: Workload
    plan: Plan
    facts: Facts
    account: Account
    levers: tuple[Lever, ...]
    book: Book
    day: dt.date
    where: str = ""
    options: tuple[Option, ...] = ()


def assign(tree: dict[str, Any], setting: str) -> None:
    """Set one field of a document: `demand.hours=500`, `plan.stages.0.fps=0.5`, `facts.gate.active_share=0.1`.

    Raises:
        DocumentError: not `path=value`, or a path through something that is no object or list.
    """
    from reelwise.documents import parse_yaml

    path, equals, text = setting.partition("=")
    if path.startswith("facts.quality.") and text.count("=") == 1:  # quality.downscale.long_side=512=0.97
        path, equals, text = setting.rpartition("=")
    if not equals or not path.strip():
        raise DocumentError("not a setting", where=f"--set {setting}", hint="write --set demand.hours=500")
    value = parse_yaml(text, where=f"--set {path}")
    parts = path.strip().split(".")
    at_facts = 0 if parts[0] == "facts" else 2 if parts[0] == "options" and parts[2:3] == ["facts"] else None
    if at_facts is not None:
        parts = [*parts[: at_facts + 1], *([".".join(parts[at_facts + 1 :])] if parts[at_facts + 1 :] else [])]
    node: Any = tree
    for index, part in enumerate(parts[:-1]):
        at = ".".join(parts[: index + 1])
        if isinstance(node, list):
            node = node[_index(part, node, setting)]
        elif isinstance(node, dict):
            node = node.setdefault(part, {})
        else:
            raise DocumentError(f"`{at}` is inside a plain value", where=f"--set {setting}", hint="check the path")
    if isinstance(node, list):
        node[_index(parts[-1], node, setting)] = value
    elif isinstance(node, dict):
        node[parts[-1]] = value
    else:
        raise DocumentError("the path leads into a plain value", where=f"--set {setting}", hint="check the path")


def _index(part: str, node: list[Any], setting: str) -> int:
    """Find a place in a list by its number, or by the `name` that something in it has."""
    named = [at for at, one in enumerate(node) if isinstance(one, dict) and one.get("name") == part]
    if named:
        return named[0]
    if not part.isdigit() or int(part) >= len(node):
        raise DocumentError(
            f"`{part}` is no place in a list of {len(node)}", where=f"--set {setting}", hint=f"use 0 to {len(node) - 1}"
        )
    return int(part)


def load(
    path: Path,
    *,
    settings: Sequence[str] = (),
    plan: Path | None = None,
    day: str | None = None,
    rates: Path | None = None,
    evidence: Path | None = None,
    levers: Sequence[str] | None = None,
    option: str | None = None,
) -> Case:
    """Open a workload file.

    Args:
        path: the YAML file.
        settings: `field.path=value` overrides, in order.
        plan: a YAML file with a plan, in place of the one in the file.
        day: ISO day of prices, in place of the one in the file.
        rates: private prices, in place of the account's.
        evidence: folder of measured facts; missing is none.
        levers: names of levers, in place of those in the file.
        option: name of one of the file's options, to take as the plan.

    Raises:
        DocumentError: anything in the file that cannot be; the path and a hint are in it.
    """
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise DocumentError(
            "a workload file is a mapping of fields", where=str(path), hint="`reelwise init` writes one"
        )
    for setting in settings:
        assign(tree, setting)
    if plan is not None:
        given = read_yaml(plan)
        tree["plan"] = given.get("plan", given) if isinstance(given, dict) else given
        tree.pop("model", None)
    if day is not None:
        tree["day"] = day
    said, _ = (
        tree.pop("ask", None),
        tree.pop("endpoints", None),
    )  # what `reelwise run` says, and to whom: here only its length counts
    if said is not None and "demand" not in tree:
        raise DocumentError(
            "does not say how much video there is in a month", where=f"{path} $.demand",
            hint="add `demand: {users: 100, sessions: 30, seconds: 60}`, or --set demand.hours=500",
        )  # fmt: skip
    measured = read_store(evidence) if evidence is not None and evidence.is_dir() else ()
    case = make(tree, where=str(path), rates=rates, measured=measured, levers=levers, folder=path.parent)
    if said is not None:
        script = decode(said, Script, where=f"{path} $.ask")
        script.check(f"{path} $.ask")
        case = msgspec.structs.replace(case, workload=with_words(case.workload, case.plan, script))
    return case if option is None else with_option(case, _named(case, option))


def with_words(workload: Workload, plan: Plan, script: Script) -> Workload:
    """Take the length of what is said from a script, in place of what the workload states of it."""
    once = all(call.ask == "once" for call in plan.of(Call))
    output = workload.prompt.output or script.output_expected or OUTPUT_ASSUMED
    prompt = Prompt(
        prefix=float(script.prefix_tokens), question=float(script.question_tokens(once=once)),
        output=min(output, float(script.output_most or 1e9)),
    )  # fmt: skip
    asked = msgspec.structs.replace(workload.repetition, questions=float(len(script.asked)))
    return msgspec.structs.replace(workload, prompt=prompt, repetition=asked)


def _named(case: Case, name: str) -> Option:
    import difflib

    names = [one.name for one in case.options]
    if name in names:
        return case.options[names.index(name)]
    near = difflib.get_close_matches(name, names, n=1)
    listed = f"it has {', '.join(names)}" if names else "it has no `options`"
    raise DocumentError(
        f"no option is named `{name}`", where=case.where, hint=f"did you mean `{near[0]}`?" if near else listed
    )


def with_option(case: Case, option: Option) -> Case:
    """Take an option as the plan, with the facts and quotas that hold for it; `price` and `compare` both price this."""
    own = {
        name: value
        if isinstance(value, Fact)
        else Fact(value=float(value), source=f"{case.where} option {option.name}")
        for name, value in option.facts.items()
    }
    facts = case.facts.with_entries(Entry(name=name, fact=fact) for name, fact in own.items())
    account = msgspec.structs.replace(case.account, limits=(*case.account.limits, *option.limits))
    return msgspec.structs.replace(case, plan=option.as_plan(case.workload, case.book), facts=facts, account=account)


def make(
    tree: Mapping[str, Any],
    *,
    where: str,
    rates: Path | None = None,
    measured: Sequence[Entry] = (),
    levers: Sequence[str] | None = None,
    folder: Path = Path(),
) -> Case:
    """Check a workload document and open prices and facts for it; see `load`."""
    file = decode(dict(tree), CaseFile, where=where)
    file.check(where)
    workload = msgspec.convert(
        {name: getattr(file, name) for name in Workload.__struct_fields__}, Workload, from_attributes=True
    )
    plan = file.plan or default_plan(workload, file.model)
    plan.check(f"{where} $.plan")
    _check_options(file, where)
    today = _day(file.day, where)
    private = rates or (folder / file.account.rates if file.account.rates else None)
    book = Book.load(today, private)
    given = {
        name: value if isinstance(value, Fact) else Fact(value=float(value), source=where)
        for name, value in file.facts.items()
    }
    for name, fact in given.items():
        check_fact(name, fact, f"{where} $.facts.{name}")
    demand = workload.demand
    if demand.low is not None or demand.high is not None:
        given["demand.factor"] = Fact(value=1.0, low=demand.low, high=demand.high, source=where)
    return Case(
        workload=workload,
        plan=plan,
        facts=Facts.load(given, measured),
        account=file.account,
        levers=_levers(file, where, levers),
        book=book,
        day=today,
        where=where,
        options=file.options,
    )


def _check_options(file: CaseFile, where: str) -> None:
    for at, limit in enumerate(file.account.limits):
        limit.check(f"{where} $.account.limits[{at}]")
    taken: set[str] = set()
    for at, option in enumerate(file.options):
        here = f"{where} $.options[{at}]"
        if option.name in taken:
            raise DocumentError(f"two options are named `{option.name}`", where=here, hint="rename one")
        taken.add(option.name)
        option.check(here)
        for name, value in option.facts.items():
            fact = value if isinstance(value, Fact) else Fact(value=float(value))
            check_fact(name, fact, f"{here}.facts.{name}")


def _day(text: str | None, where: str) -> dt.date:
    if text is None:
        return dt.datetime.now(tz=dt.UTC).date()
    try:
        return check_day(dt.date.fromisoformat(text[:10]))
    except ValueError:
        raise DocumentError(f"`{text}` is no day", where=f"{where} $.day", hint="write 2026-11-22") from None


def _levers(file: CaseFile, where: str, names: Sequence[str] | None) -> tuple[Lever, ...]:
    union = lever_union()
    own: dict[str, Lever] = {}
    for index, value in enumerate(file.levers):
        lever = decode(value, union, where=f"{where} $.levers[{index}]")
        if lever.name in own:
            raise DocumentError(
                f"`{lever.name}` is listed twice", where=f"{where} $.levers[{index}]", hint="keep one of them"
            )
        own[lever.name] = lever
    if names is None:
        return tuple(own.values())
    from reelwise.levers import find

    return tuple(own.get(name) or find(name) for name in names)


def default_plan(workload: Workload, model: str | None = None) -> Plan:
    """Return the naive plan: one call to a model for everything."""
    name = model or DEFAULT_MODELS[workload.kind]
    if workload.kind == "transcribe":
        return Plan(stages=(Call(model=name, part="audio"),))
    if workload.kind == "generate":
        return Plan(stages=(Call(model=name, part="generate", resolution="1080p"),))
    return Plan(stages=(Call(model=name),))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a workload file, for editor completion."""
    levers = tuple.__class_getitem__((lever_union(), ...))
    # both at once: a stage and a lever may have the same name, and are told apart by their modules then
    (main, lever, ask), parts = msgspec.json.schema_components(
        [CaseFile, levers, Script], ref_template="#/$defs/{name}"
    )
    more = {"ask": ask, "endpoints": {"type": "array", "items": {"type": "object"}, "default": []}}  # of `reelwise run`
    parts["CaseFile"]["properties"] |= {"levers": {**lever, "default": []}, **more}
    return {**main, "$defs": parts, "title": "Reelwise workload"}


def lever_names() -> list[str]:
    """List the names levers go by."""
    return list(kinds())
