"""A plan in a drill: run on a drawn clip against a sandbox that does what the scenario says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from reelwise.documents import decode
from reelwise.errors import BudgetError, InputError
from reelwise.flow import Item, Out
from reelwise.ledger import Budget
from reelwise.run.session import Session
from reelwise.sandbox.scenario import Scenario
from reelwise.stages import Call

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.drill.scenario import Drill
    from reelwise.run.executing import RunResult
    from reelwise.run.job import Job

__all__ = ["picture_usd", "run_plan"]

_SEEDS = {"still": 0, "normal": 1, "fast": 2}


def picture_usd(job: Job) -> Decimal:
    """Say what one picture costs by the plan's first call that can be priced so: what a live loop pays for an inference.

    Raises:
        InputError: none of its calls takes a picture.
    """
    source = job.case.workload.source
    item = Item(count=1.0, seconds=1.0, frames=1.0, width_px=source.width, height_px=source.height, sampled=True,
                tokens_prefix=float(job.script.prefix_tokens), tokens_prompt=job.script.question_tokens(),
                tokens_output=job.script.output_expected or 1.0)  # fmt: skip
    for call in job.case.plan.of(Call):
        out = Out(job.case.book, job.case.book.day)
        call.expect(item, job.case.facts, out)
        usd = sum(
            (Decimal(str(usage.quantity)) * Decimal(str(float(rate.usd)))
             for request in out.requests for usage, rate in job.case.book.price_request(request)), Decimal(0),
        )  # fmt: skip
        if usd > 0:
            return usd.quantize(Decimal("0.000000001"))
    raise InputError(
        "none of its calls takes a picture", where=job.case.where, hint="give usd_per_call in the scenario"
    )


def run_plan(drill: Drill, job: Job, folder: Path) -> dict[str, float | str]:
    """Run the plan as a scenario says, and say what was seen.

    Raises:
        InputError: the plan cannot be run.
    """
    from reelwise import video

    clips = []
    for user in range(drill.users):
        clip = folder / f"user{user}.mp4"
        speed = {"still": 4.0, "normal": 1.0, "fast": 0.25}[drill.motion]
        seed = _SEEDS[drill.motion] + 10 * user
        video.draw_demo(clip, seconds=max(2.0, drill.seconds * speed), width=320, height=180, fps=10, seed=seed)
        clips.append(clip)
    first = folder / "before.mp4"
    video.draw_demo(first, seconds=drill.seconds, width=320, height=180, fps=10, seed=99)
    day = job.case.day.isoformat()
    scenario = decode({"day": day, "batch_seconds": 1.0, **drill.sandbox}, Scenario, where=drill.name)
    with Session(job, sandbox=True, scenario=scenario, out=folder) as session:
        tracks = session.decoded(clips, drill.seconds)
        before = session.run(job.case.plan, session.decoded([first]), name="before")
        knowing = msgspec.structs.replace(
            job, case=msgspec.structs.replace(job.case, facts=job.case.facts.with_entries(
                entry for entry in before.facts if entry.name.startswith("call."))),
        )  # fmt: skip
        if drill.budget_usd is not None:
            hard = round(drill.budget_usd * 1e9) + before.receipt.cost_nano
            session.ledger.set_budget(Budget(name="drill", period="total", hard=hard))
        if drill.budget_calls is not None:
            calls = drill.budget_calls + len(before.outcomes)
            session.ledger.set_budget(Budget(name="drill-calls", period="total", measure="calls", hard=calls))

        def one(number: int) -> RunResult:
            mine = [tracks[number % len(tracks)]]
            return session.run(job.case.plan, mine, name=f"run{number}", job=knowing)

        with ThreadPoolExecutor(drill.users) as pool:
            results = list(pool.map(one, range(drill.users * drill.repeats)))
        return _seen(drill, results, session, before)


def _seen(drill: Drill, results: list[RunResult], session: Session, before: RunResult) -> dict[str, float | str]:
    outcomes = [one for result in results for one in result.outcomes]
    cost = sum(result.receipt.cost_nano for result in results) / 1e9
    expected = sum(result.expected.usd for result in results)
    made = [one for one in outcomes if one.status != "cached"]
    items = [one for result in results for one in result.results]
    seen: dict[str, float | str] = {
        "cost_usd": cost,
        "cost_usd_hour": cost / (drill.users * drill.repeats) / drill.seconds * 3600,
        "answered_share": sum(one.status == "ok" for one in items) / max(1, len(items)),
        "attempts_per_call": sum(one.attempts for one in made) / max(1, len(made)),
        "calls": float(len(made)),
        "denied": float(sum(isinstance(result.stopped, BudgetError) for result in results)),
    }
    if cost > 0:
        seen["estimate_error"] = abs(expected / cost - 1)
    if drill.users == 1 and drill.repeats == 1 and results[0].receipt.reconciled is not None:
        seen["residual_nano"] = float(abs(results[0].receipt.reconciled.residual_nano))
    if drill.budget_usd is not None:
        seen["over_budget_usd"] = max(0.0, cost - drill.budget_usd)
    if drill.users > 1:
        each = [result.receipt.cost_nano / 1e9 / result.expected.usd for result in results if result.expected.usd]
        seen["users_factor"] = (cost / expected) / (sum(each) / len(each)) if each and expected else 0.0
    del session, before
    return seen
