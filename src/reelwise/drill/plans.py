"""A plan in a drill: run on a drawn clip against a sandbox that does what the scenario says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from reelwise.documents import decode
from reelwise.errors import BudgetError
from reelwise.ledger import Budget
from reelwise.ledger.queries import export, notices
from reelwise.run.reconcile import reconcile
from reelwise.run.session import Session
from reelwise.sandbox.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reelwise.drill.scenario import Drill
    from reelwise.run.executing import RunResult
    from reelwise.run.job import Job

__all__ = ["run_plan"]

_ROWS, _COLUMNS, _TILE, _FPS = 9, 16, 16, 10
_PIXELS_A_FRAME = {"still": 0.0, "normal": 3.0, "fast": 12.0}
_MODEL_FACTS = ("call.", "escalate.", "route.", "cache.")


def run_plan(drill: Drill, job: Job, folder: Path) -> dict[str, float | str]:
    """Run the plan as a scenario says, and say what was seen.

    First it is run on the same clips with nothing going wrong: the estimate knows what that teaches (how long answers are, how many are in
    doubt), so that what is left of its error is the system's, and not chance.

    Raises:
        InputError: the plan cannot be run.
    """
    day = job.case.day.isoformat()
    calm = {name: value for name, value in drill.sandbox.items() if name not in {"faults", "latency", "limits"}}
    scenario = decode({"day": day, "batch_seconds": 1.0, **drill.sandbox}, Scenario, where=drill.name)
    quiet = decode({"day": day, "batch_seconds": 1.0, **calm}, Scenario, where=drill.name)
    clips = [_draw(folder / f"user{n // drill.clips}-{n}.mp4", drill, n) for n in range(drill.users * drill.clips)]
    with Session(job, sandbox=True, scenario=quiet, out=folder / "before") as session:
        tracks = session.decoded(clips)
        before = session.run(job.case.plan, tracks)
    known = job.case.facts.with_entries(entry for entry in before.facts if entry.name.startswith(_MODEL_FACTS))
    knowing = msgspec.structs.replace(job, case=msgspec.structs.replace(job.case, facts=known))
    with Session(knowing, sandbox=True, scenario=scenario, out=folder / "runs") as session:
        session.decoded(clips)
        if drill.budget_usd is not None:
            session.ledger.set_budget(Budget(name="drill", period="total", hard=round(drill.budget_usd * 1e9)))
        if drill.budget_calls is not None:
            session.ledger.set_budget(
                Budget(name="drill-calls", period="total", measure="calls", hard=drill.budget_calls)
            )

        def one(number: int) -> RunResult:
            first = number % drill.users * drill.clips
            mine = tracks[first : first + drill.clips]
            return session.run(job.case.plan, mine, name=f"run{number}", fresh=False)

        with ThreadPoolExecutor(drill.users) as pool:
            results = list(pool.map(one, range(drill.users * drill.repeats)))
        return _seen(drill, results, session, before)


def _draw(path: Path, drill: Drill, seed: int) -> Path:
    """Draw a clip: a wall of its own, which no other clip has, and a box that moves in front of it."""
    import numpy as np

    from reelwise.video.writer import write_mp4

    wall = np.random.default_rng(seed).integers(30, 120, (_ROWS, _COLUMNS), np.uint8).repeat(_TILE, 0).repeat(_TILE, 1)
    grey = np.full((wall.shape[0] // 2, wall.shape[1] // 2), 128, np.uint8)

    def planes() -> Iterator[Any]:
        span = wall.shape[1] - 4 * _TILE
        for index in range(max(2, round(drill.seconds * _FPS))):
            picture = wall.copy()
            at = round(index * _PIXELS_A_FRAME[drill.motion]) % span
            picture[2 * _TILE : 7 * _TILE, at : at + 4 * _TILE] = 235
            yield picture, grey, grey

    write_mp4(path, planes(), width=wall.shape[1], height=wall.shape[0], fps=_FPS)
    return path


def _seen(drill: Drill, results: list[RunResult], session: Session, before: RunResult) -> dict[str, float | str]:
    outcomes = [one for result in results for one in result.outcomes]
    cost = sum(result.receipt.cost_nano for result in results) / 1e9
    expected = sum(result.expected.usd for result in results)
    made = [one for one in outcomes if one.status != "cached"]
    items = [one for result in results for one in result.results]
    session.ledger.flush()
    rows = sum(row["cost_nano"] for page in export(session.ledger.store) for row in page)
    seen: dict[str, float | str] = {
        "cost_usd": cost,
        "cost_usd_hour": cost / (drill.users * drill.repeats * drill.clips) / drill.seconds * 3600,
        "answered_share": sum(one.status in {"ok", "skipped"} for one in items) / max(1, len(items)),
        "attempts_per_call": sum(one.attempts for one in made) / max(1, len(made)),
        "calls": float(len(made)),
        "denied": float(sum(isinstance(result.stopped, BudgetError) for result in results)),
        "notices": float(len(notices(session.ledger.store, 1000))),
        "residual_nano": float(abs(reconcile(outcomes, session.box.invoice.rows).residual_nano)),
        "ledger_nano": float(abs(rows - sum(result.receipt.cost_nano for result in results))),
    }
    if cost > 0 and expected > 0:
        seen |= {"estimate_error": abs(expected / cost - 1), "over_estimate": max(0.0, cost / expected - 1)}
    if drill.budget_usd is not None:
        seen["over_budget_usd"] = max(0.0, cost - drill.budget_usd)
    if drill.users > 1 and before.receipt.cost_nano:
        seen["users_factor"] = cost / drill.repeats / before.receipt.cost_usd
    return seen
