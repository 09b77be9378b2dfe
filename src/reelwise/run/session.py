"""What runs of one command share: endpoints or a sandbox, the ledger, decoded clips."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import msgspec

from reelwise.errors import InputError, OutputError
from reelwise.plan import Plan
from reelwise.run.audit import decode_clips
from reelwise.run.batching import Waits
from reelwise.run.counted import with_counted
from reelwise.run.endpoints import Endpoints
from reelwise.run.estimate import estimate, estimate_counted
from reelwise.run.executing import execute, standing
from reelwise.run.inputs import copies_of, looked_at, pieces_of
from reelwise.run.scans import Scans
from reelwise.stages import Call, Sample
from reelwise.tokens import rule_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from reelwise.run.estimate import Estimate
    from reelwise.run.executing import RunResult
    from reelwise.run.job import Job
    from reelwise.video import Track

__all__ = ["Session", "naive_plan"]


def naive_plan(plan: Plan) -> Plan:
    """Return what a plan is compared with where nothing else is named: one call to its dearest lane's model, with everything.

    That is the model that items are escalated to, or that hard ones stay with; as native video where it takes that, else a picture a second.
    Calls with a task of their own, which find other things, stay beside it.
    """
    calls = plan.of(Call)
    main = [call for call in calls if call.lane in {None, "main"}]
    doubted = [call for call in calls if call.lane is not None and call.lane not in {"main", "easy"}]
    last = (doubted or main or list(calls))[-1]
    besides = tuple(msgspec.structs.replace(one, lane=None) for one in main if one.task and one is not last)
    call = Call(
        model=last.model, host=last.host, part=last.part, token_rule=last.token_rule, resolution=last.resolution, task=last.task,
    )  # fmt: skip
    if besides:
        hosts = tuple(host for host in plan.hosts if host.name in {one.host for one in (*besides, call)})
        return Plan(stages=(Sample(fps=1.0), *besides, call), hosts=hosts)
    takes_video = call.host is None and call.part in {"auto", "video"} and _takes_video(call)
    if call.part in {"audio", "generate"} or takes_video:
        return Plan(stages=(call,), hosts=plan.hosts if call.host else ())
    return Plan(stages=(Sample(fps=1.0), call), hosts=plan.hosts if call.host else ())


def _takes_video(call: Call) -> bool:
    from reelwise.errors import UnknownModelError

    try:
        return rule_for(call.model).fps_default is not None
    except UnknownModelError:
        return False


class Session:
    """Opens what runs need, and closes it. Use it as a context manager.

    Args:
        job: what is asked.
        sandbox: start a sandbox here, in place of all vendors.
        scenario: what it does.
        out: the runs' folder.
        ledger_at: where calls are written; None is the process's own, or one in `out` with a sandbox.
        at_once: calls under way at once.
        max_usd: the most that all runs together may spend.
        batch_wait: seconds to wait for a batch.
        kept: folder of answers and artefacts that runs share; None is one in each run's own.

    Attributes:
        box: the sandbox, or None.
        ledger: the ledger.

    Raises:
        InputError: made-up instructions for a real vendor.
        OutputError: the folder cannot be made.
    """

    def __init__(
        self,
        job: Job,
        *,
        sandbox: bool = False,
        scenario: Any = None,
        out: Path,
        ledger_at: str | None = None,
        at_once: int = 4,
        max_usd: float | None = None,
        batch_wait: float = 90_000.0,
        kept: Path | None = None,
    ) -> None:
        if job.stands_in and not sandbox:
            raise InputError(
                "it counts the tokens of a prompt and does not say what it is", where=job.case.where,
                hint="write it under `ask`, or run it with --sandbox",
            )  # fmt: skip
        self._job, self._out, self._at_once = job, out, at_once
        self._left = None if max_usd is None else round(max_usd * 1e9)
        self._stack = ExitStack()
        self._scans: Scans | None = None
        self._waits, self._kept = Waits(seconds=batch_wait), kept
        self.box: Any = None
        self._scenario = scenario
        self._sandbox = sandbox
        self._where = ledger_at
        self.ledger: Any = None

    def __enter__(self) -> Self:
        from reelwise.ledger.ledger import Ledger
        from reelwise.models.attempts import Attempts

        with ExitStack() as stack:
            if self._sandbox:
                self.box = stack.enter_context(self._opened())
            where = self._where or (
                str(self._out / "ledger.db") if self._sandbox else os.environ.get("REELWISE_LEDGER") or "reelwise.db"
            )
            if self._sandbox and not self._where:
                self._made()
            self.ledger = stack.enter_context(Ledger(where))
            if self.box is not None:
                before = standing(self._job.case.plan, self._job, self.ledger) or {}
                self.box.begin_month({sku: quantity for (sku, _), quantity in before.items()})
            self.attempts = Attempts()
            self._endpoints = Endpoints(
                self._job.case.book, self.attempts, places=self._job.places, sandbox=self.box.url if self.box else "",
                idempotent=bool(self.box and self.box.desk.scenario.idempotent),
            )  # fmt: skip
            stack.callback(self._endpoints.close)
            self._stack = stack.pop_all()
        return self

    def _made(self) -> None:
        try:
            self._out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot be made: {error.strerror or error}",
                where=str(self._out),
                hint="name another folder with --out",
            ) from None

    def _opened(self) -> Any:
        from reelwise.sandbox import Sandbox, Scenario

        given = self._scenario
        found = (
            given
            if isinstance(given, Scenario)
            else Scenario.load(given)
            if given is not None
            else Scenario(batch_seconds=1.0, video_seconds=1.0)
        )
        if not found.day:
            found = msgspec.structs.replace(found, day=self._job.case.day.isoformat())
        return Sandbox(found)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def decoded(
        self,
        clips: Sequence[Path],
        seconds: float | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> list[Track]:
        """Decode each clip once; the same file named twice is decoded once and comes twice.

        Raises:
            MediaError: a clip that cannot be read.
        """
        show = None if progress is None else (lambda path, share: progress(path.name, share))
        once = list(dict.fromkeys(clips))
        by_path = dict(zip(once, decode_clips(once, show, seconds), strict=True))
        tracks = [by_path[clip] for clip in clips]
        self._scans = Scans(by_path.values())
        return tracks

    @property
    def scans(self) -> Scans | None:
        """What scanning the clips found."""
        return self._scans

    def limit(self, nano: int) -> None:
        """Let the runs to come spend so much together, in nano-USD, and no more than was allowed before."""
        self._left = nano if self._left is None else min(self._left, nano)

    def knowing(self, job: Job, plan: Plan, tracks: Sequence[Track]) -> Job:
        """Add what the clips themselves tell of a plan's stages; see `with_counted`."""
        return with_counted(job, plan, tracks, self._scans)

    def expected(self, job: Job, plan: Plan, tracks: Sequence[Track]) -> Estimate:
        """Estimate what a run would use, without making it; see `execute`."""
        workload = job.workload(plan)
        knowing = self.knowing(job, plan, tracks)
        if knowing is not job:
            return estimate_counted(knowing.case, plan, pieces_of(job, workload, tracks, self._scans))
        infos = [looked_at(track) for track in tracks]
        most, copies = float(job.script.output_most or "inf"), copies_of(job.script, tracks)
        return estimate(job.case, plan, workload, infos, most, copies=copies)

    def run(
        self,
        plan: Plan,
        tracks: Sequence[Track],
        *,
        name: str = "",
        naive: Plan | None = None,
        levers: tuple[str, ...] = (),
        job: Job | None = None,
        fresh: bool = True,
        verifier: Callable[[str, str], bool] | None = None,
    ) -> RunResult:
        """Run a plan in the session's folder, or in a folder in it; see `execute`. A sandbox's invoice begins anew, where `fresh`."""
        if self.box is not None and fresh:
            self.box.invoice.clear()
        asked = job or self._job
        knowing = self.knowing(asked, plan, tracks)
        result = execute(
            knowing, plan, tracks, endpoints=self._endpoints, ledger=self.ledger,
            out=self._out / name if name else self._out, scans=self._scans, max_nano=self._left, at_once=self._at_once,
            naive=naive, levers=levers, sandbox=self.box, waits=self._waits, counted=knowing is not asked, kept=self._kept,
            verifier=verifier,
        )  # fmt: skip
        if self._left is not None:
            self._left = max(0, self._left - result.receipt.cost_nano)
        return result
