"""What `reelwise run` prints: answers, the receipt, the estimate beside it, the invoice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from reelwise.cli.output import money, table
from reelwise.cli.prompt_text import show_sheets

if TYPE_CHECKING:
    from reelwise.run.ablation import Ablation
    from reelwise.run.executing import Receipt, RunResult
    from reelwise.run.job import Job
    from reelwise.run.machines import MachineTime
    from reelwise.run.merged import Finding
    from reelwise.run.reconcile import Reconciled
    from reelwise.run.reused import Reused
    from reelwise.run.session import Session

__all__ = ["document", "show", "show_steps", "steps_document", "unit_words"]

_SHOWN = 20
_FAILED = {"failed", "broken", "unreadable", "ambiguous"}
_TEXT_MAX = 60
_FAR = 0.03  # an error that a reader asks about


def document(result: RunResult, session: Session) -> dict[str, Any]:
    """Make the JSON document of a run."""
    stopped = result.stopped
    return {
        "results": msgspec.to_builtins(result.results),
        "receipt": msgspec.to_builtins(result.receipt),
        "expected": msgspec.to_builtins(result.expected),
        "facts": [msgspec.to_builtins(entry) for entry in result.facts],
        "sandbox": session.box is not None,
        "stopped": None if stopped is None else {"error": str(stopped), "hint": stopped.hint},
        "notes": list(result.notes),
        "outcomes": msgspec.to_builtins(result.outcomes),
    }


def steps_document(found: Ablation, session: Session) -> dict[str, Any]:
    """Make the JSON document of several runs."""
    return {
        "factor": found.factor,
        "without_each": found.without_each,
        "steps": [
            {
                "lever": step.lever,
                "plan": step.plan,
                "predicted_usd": step.predicted_usd,
                "metered_usd": step.metered_usd,
                "predicted_factor": step.predicted_factor,
                "metered_factor": step.metered_factor,
                "changes": msgspec.to_builtins(step.changes),
                "receipt": msgspec.to_builtins(step.result.receipt),
                "answered": sum(one.status == "ok" for one in step.result.results),
                "items": len(step.result.results),
            }
            for step in found.steps
        ],
        "skipped": [{"lever": name, "reason": why} for name, why in found.skipped],
        "sandbox": session.box is not None,
    }


def show(result: RunResult, job: Job, *, sandbox: bool = False) -> None:
    """Print a run for people."""
    rows = []
    for one in result.results[:_SHOWN]:
        said = "; ".join(
            _short(f"{a.label} ({a.confidence:.2f})" if a.label and a.confidence is not None else a.label or a.text)
            for a in one.answers
            if a.label or a.text
        )
        if one.status not in _FAILED:
            said = said or "; ".join(_short(finding.text) for finding in one.findings if finding.text)
        said = said or one.why or ("the model would not answer" if one.status == "refused" else "")
        rows.append((Path(one.clip).name, one.status, f"{one.calls}", money(one.cost_usd), said))
    table(("clip", "status", "calls", "USD", "answer"), rows, right=(2, 3))
    if len(result.results) > _SHOWN:
        click.echo(f"{len(result.results) - _SHOWN:,} more are in the receipt")
    _show_drawn(result, sandbox=sandbox)
    _show_findings(result)
    _show_sides(result)
    _show_unknown(result, job)
    receipt = result.receipt
    if job.script.parts:
        show_sheets(receipt.prompt, of="of this run")
    _show_calls(receipt, job)
    if receipt.reused is not None:
        _show_reused(receipt.reused)
    if receipt.reconciled is not None:
        show_reconciled(receipt.reconciled)
    for machine in receipt.machines:
        show_machine(machine)
    for identity, why in receipt.unpriced[:_SHOWN]:
        click.echo(f"UNPRICED {identity}: {why}; all that was held for it counts")
    for text in result.notes:
        click.echo(f"Note: {text}")


def _show_drawn(result: RunResult, *, sandbox: bool) -> None:
    if sandbox and any(answer.text for one in result.results for answer in one.answers):
        click.echo(
            "A sandbox draws its answers: their words mean nothing, their tokens are counted and billed as a vendor's"
        )


def _show_calls(receipt: Receipt, job: Job) -> None:
    """Say how many calls there were, and how the cost stands to the naive plan's."""
    calls = ", ".join(f"{count} {status}" for status, count in sorted(receipt.requests.items())) or "none"
    made = sum(count for status, count in receipt.requests.items() if status != "cached")
    again = "" if receipt.attempts == made else f"; sent {receipt.attempts} times"
    click.echo(f"Calls: {calls}{again}; plan {receipt.plan_hash}; prices of {job.case.day}")
    if receipt.naive_hash == receipt.plan_hash:
        click.echo(
            "This is the naive plan itself, one call with everything: --stack runs it again with one lever after another"
        )
    elif receipt.naive_usd is not None and receipt.naive_usd > 0:
        less = f", {receipt.naive_usd / receipt.cost_usd:.3g} times what this run cost" if receipt.cost_usd else ""
        click.echo(f"The naive plan, one call with everything, is estimated at {money(receipt.naive_usd)} USD{less}")


def _show_reused(told: Reused) -> None:
    """Say what was there already, and what the cache by meaning has learned."""
    found = (
        ("from earlier runs", told.artefacts),
        ("copies of an upload", told.uploads),
        ("equal calls", told.exact),
    )
    there = ", ".join(f"{count} {what}" for what, count in found if count)
    if there:
        click.echo(f"Answered from what was there: {there}")
    if told.frames_chosen:
        click.echo(
            f"Frames: {told.frames_left_out} of {told.frames_chosen} look like one that is sent, and were left out"
        )
    asked = told.questions
    if asked is None:
        return
    hits = ", ".join(f"{count} {kind}" for kind, count in asked.hits.items())
    click.echo(
        f"Questions: {sum(asked.hits.values())} of {asked.asked} were answered before in other words"
        f"{f' ({hits})' if hits else ''}; {asked.explored} more were asked all the same, {asked.wrong} of them had another answer"
    )
    proved = (
        "nothing but the same words is proved yet"
        if asked.error_upper is None
        else f"proved: at most {asked.error_upper:.1%}"
    )
    click.echo(
        f"  wrong hits allowed: {asked.error_most:.1%}, {proved}; learned from {asked.learned} like questions,"
        f" {asked.learned_wrong} with another answer; served: {', '.join(asked.served)}"
    )


def _show_findings(result: RunResult) -> None:
    """Print what models found by themselves: a line a model and item."""
    rows = []
    for item in result.results[:_SHOWN]:
        for one in item.findings:
            counted = [_things(one)] if one.found else []
            rows.append(
                (Path(item.clip).name, one.model, one.status, ", ".join(counted + _files(one)), _short(one.text))
            )
    if rows:
        table(
            ("clip", "model", "status", "found", "what"),
            rows,
            title="What was found, each thing with its time in --json",
        )


def _things(one: Finding) -> str:
    first, count = one.found[0], len(one.found)
    many = "" if count == 1 else "s"
    if first.share is not None:
        shares = [thing.share or 0.0 for thing in one.found]
        return f"{count:,} mask{many}, {sum(shares) / count:.0%} foreground on average"
    if one.task == "transcribe":
        return f"{count:,} stretch{'' if count == 1 else 'es'} of speech"
    return (
        f"{count:,} {'box' if first.box else 'label' if first.label else 'text'}{'es' if first.box and many else many}"
    )


def _files(one: Finding) -> list[str]:
    return [str(Path(name)) for name in one.files]


def show_machine(one: MachineTime) -> None:
    """Say what a host's calls made of its machine."""
    usd = "" if one.usd is None else f", {money(one.usd)} USD at {money(one.usd_hour or 0.0)} an hour"
    told = "" if one.predicted_seconds is None else f" ({one.predicted_seconds:,.2f} s were expected)"
    click.echo(
        f"Host {one.host} ({one.sku}): {one.calls} {'call' if one.calls == 1 else 'calls'}, busy for {one.busy_seconds:,.2f} s{told}{usd}: {one.why}"
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_MAX else f"{line[: _TEXT_MAX - 3]}..."


_UNITS = {
    "usd": "cost, USD",
    "calls": "calls",
    "tokens_input": "tokens sent, all",
    "tokens_text": "  of text",
    "tokens_image": "  of pictures",
    "tokens_text_and_image": "  of text and pictures",
    "tokens_video": "  of video",
    "tokens_audio": "  of sound",
    "tokens_cached": "  read from a cache",
    "tokens_cache_write": "  written to a cache",
    "tokens_output": "tokens answered",
    "images": "pictures",
    "seconds": "seconds of video",
    "seconds_output": "seconds generated",
    "machine_seconds": "machine seconds",
    "cache": "explicit caches",
    "not_known": "calls of unknown cost",
}


def unit_words(unit: str, *, alone: bool = False) -> str:
    """Name a unit for people; `alone`, where it does not stand under the tokens that were sent."""
    words = _UNITS.get(unit, unit.replace("_", " "))
    return f"tokens{words[1:]}" if alone and words.startswith(" ") else words


def _show_sides(result: RunResult) -> None:
    rows = [
        (
            unit_words(side.unit),
            money(side.predicted) if side.unit == "usd" else f"{side.predicted:,.1f}",
            money(side.metered) if side.unit == "usd" else f"{side.metered:,.0f}",
            "-" if side.error is None else f"{side.error:+.1%}",
            "" if side.predicted_usd is None else money(side.predicted_usd),
            "" if side.metered_usd is None else money(side.metered_usd),
        )
        for side in result.receipt.estimate
    ]
    if rows:
        table(
            ("", "predicted", "metered", "error", "USD predicted", "USD metered"), rows, title="The estimate and the receipt",
            right=range(1, 6),
        )  # fmt: skip
    dollars = next((side for side in result.receipt.estimate if side.low is not None and side.high is not None), None)
    if dollars is not None:
        click.echo(
            f"USD were expected between {money(dollars.low or 0.0)} and {money(dollars.high or 0.0)}, nine times of ten: so uncertain are "
            "the facts of models behind them"
        )
    if result.expected.usd_besides:
        click.echo(
            f"Besides, no model bills it: {money(result.expected.usd_besides)} USD of CPU time, storage or traffic"
        )


def _show_unknown(result: RunResult, job: Job) -> None:
    """Say what nobody could know before the first run, and how the next estimate knows it."""
    side = next((one for one in result.receipt.estimate if one.unit == "usd"), None)
    if (
        side is None
        or side.error is None
        or abs(side.error) < _FAR
        or job.case.facts.has("call.tokens_output", job.case.workload.footage)
    ):
        return
    click.echo(
        "What only answers tell (how long they are, how many are in doubt) is not known before a first run, and was assumed: "
        "--evidence FOLDER keeps what this one measured, and `reelwise price` and the next run use it"
    )


def show_reconciled(held: Reconciled) -> None:
    """Say how a run and an invoice agree."""
    if held.earlier_calls:
        calls = "1 call was" if held.earlier_calls == 1 else f"{held.earlier_calls:,} calls were"
        click.echo(
            f"{calls} made before, by an earlier part of this run, and not made again: {money(held.earlier_nano / 1e9)} USD, which the "
            "invoice of that time has"
        )
        if not held.invoice_nano and not held.posted_nano and not held.ambiguous_calls:
            return
    invoice, posted = f"{held.invoice_nano / 1e9:.9f}", f"{held.posted_nano / 1e9:.9f}"
    if held.residual_nano == 0 and not held.ambiguous_calls and not held.differences:
        click.echo(
            f"The sandbox's invoice, counted and priced by other code: {invoice} USD; the same to the nano-dollar was posted here"
        )
        return
    click.echo(f"The sandbox's invoice, counted and priced by other code: {invoice} USD; posted here: {posted} USD")
    if held.ambiguous_calls:
        click.echo(
            f"Of {held.ambiguous_calls} calls nobody knows what is billed: {held.ambiguous_held_nano / 1e9:.9f} USD "
            f"are counted for them, all that was held; the invoice has {held.ambiguous_invoiced_nano / 1e9:.9f} USD"
        )
    click.echo(f"Of all others the two differ by {held.residual_nano} nano-dollars")
    for name, posted_nano, there in held.differences:
        click.echo(f"  {name}: posted {posted_nano}, invoiced {there} nano-dollars")


def show_steps(found: Ablation, job: Job) -> None:
    """Print a waterfall of runs."""
    rows = []
    for step in found.steps:
        answered = sum(one.status == "ok" for one in step.result.results)
        first = "all levers" if found.without_each else "as it is"
        name = f"without {step.lever}" if found.without_each and step.lever else step.lever or first
        error = step.predicted_usd / step.metered_usd - 1 if step.metered_usd else None
        held = step.result.receipt.reconciled
        rows.append(
            (
                name, money(step.predicted_usd), money(step.metered_usd), "-" if error is None else f"{error:+.1%}",
                _factor(step.predicted_factor), _factor(step.metered_factor),
                f"{answered} of {len(step.result.results)}", "" if held is None else f"{held.residual_nano}",
            )
        )  # fmt: skip
    count = len(found.steps[0].result.results)
    items = "1 item" if count == 1 else f"{count:,} items"
    columns = (
        "lever", "USD predicted", "USD metered", "error", "factor predicted", "factor metered", "answered",
        "residual, nano-USD",
    )  # fmt: skip
    table(columns, rows, title=f"{items}, prices of {job.case.day}", right=range(1, 8))
    if not found.without_each and found.factor is not None:
        click.echo(f"From naive to the stacked plan: {found.factor:.3g} times less, metered")
    _show_changes(found)
    for text in _surprises(found):
        click.echo(f"Note: {text}")
    for name, why in found.skipped:
        click.echo(f"Not pulled: {name}: {why}")


def _show_changes(found: Ablation) -> None:
    """Print what each lever saves, unit by unit."""
    rows = []
    for step in found.steps[1:]:
        for number, one in enumerate(step.changes):
            rows.append(
                (
                    "" if number else step.lever, unit_words(one.unit, alone=True), money(one.predicted_usd),
                    money(one.metered_usd), "-" if one.error is None or not one.predicted_usd else f"{one.error:+.1%}",
                )
            )  # fmt: skip
    if rows:
        title = (
            "What each lever saves, beside all others"
            if found.without_each
            else "What each lever saves, on top of those before it"
        )
        table(
            ("lever", "in", "USD predicted", "USD metered", "error"),
            rows,
            title=f"{title} (negative: it adds)",
            right=(2, 3, 4),
        )


def _surprises(found: Ablation) -> list[str]:
    """Say where a factor is not what a reader would think it is."""
    said = []
    idle = [one.lever for one in found.steps[1:] if not one.changes]
    if idle:
        what = "change" if len(idle) > 1 else "changes"
        said.append(f"{', '.join(idle)} {what} nothing on these clips: there is nothing of it in them")
    for step in found.steps[1:]:
        answers = next((one for one in step.changes if one.unit == "tokens_output"), None)
        if answers is None or step.metered_factor is None or step.predicted_factor is None:
            continue
        off = abs(step.metered_factor / step.predicted_factor - 1)
        if off > _FAR and abs(answers.metered_usd - answers.predicted_usd) > 0.5 * abs(
            sum(one.metered_usd - one.predicted_usd for one in step.changes)
        ):
            said.append(
                f"{step.lever}: its factor is {step.metered_factor:.3g} in place of {step.predicted_factor:.3g} because other pictures got "
                "answers of another length, by chance; more clips make that small"
            )
    return said


def _factor(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
