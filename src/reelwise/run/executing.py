"""Run a plan on clips with real calls: estimate first, then stage by stage, then the receipt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.errors import InputError, LedgerError, ReelwiseError, UnknownModelError, UnpricedError
from reelwise.facts import Entry
from reelwise.flow import Out, Tally
from reelwise.month import is_graduated
from reelwise.month_so_far import month_used
from reelwise.plan import run
from reelwise.requests import Request
from reelwise.run.batching import Batching, Waits, held_before
from reelwise.run.checking import check_runs
from reelwise.run.estimate import Estimate, Side, estimate, estimate_counted, sides
from reelwise.run.filming import Filming, films_held
from reelwise.run.inputs import copies_of, looked_at, name_of, pieces_of
from reelwise.run.journal import Journal
from reelwise.run.learned import learned
from reelwise.run.machines import Machines, MachineTime, machine_times
from reelwise.run.merged import ItemResult, asks, merged
from reelwise.run.notes import dear_caches, notes_of
from reelwise.run.outcome import MORE_UNITS, UNITS, Outcome
from reelwise.run.prompting import PromptSheet, metered_sheets
from reelwise.run.reconcile import Reconciled, reconcile
from reelwise.run.reused import Reused, count_reuse, reuse_notes, reused
from reelwise.run.reusing import Reusing
from reelwise.run.runner import Runner
from reelwise.run.settle import Cap, Desk
from reelwise.run.silent import footage_notes
from reelwise.stages import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reelwise.charge import Position
    from reelwise.flow import Piece
    from reelwise.ledger.ledger import Ledger
    from reelwise.plan import Plan
    from reelwise.rates import Book
    from reelwise.run.endpoints import Endpoints
    from reelwise.run.job import Job
    from reelwise.run.scans import Scans
    from reelwise.video import ClipInfo, Track

__all__ = ["Receipt", "RunResult", "execute", "looked_at", "pieces_of", "standing"]


class Receipt(Struct, frozen=True, kw_only=True):
    """What a run used and cost.

    Attributes:
        plan_hash: the plan.
        requests: calls that were made, by what became of them.
        usage: what they used, by unit.
        cost_usd: what was posted; cost_nano in nano-USD.
        invoice_usd: what the sandbox's invoice says of the same calls; None where there is none to see.
        reconciled: the calls of this part of the run held against that invoice.
        naive_usd: what the naive plan was expected to cost on the same clips; avoided_usd is the rest of it, naive_hash its plan.
        levers: names of levers that were pulled.
        estimate: predicted and metered, unit by unit.
        machines: the time that hosts' machines were busy, and what it costs; it is part of `cost_usd`, and on no vendor's invoice.
        unpriced: calls whose use cannot be priced, with why: all that was held counts for them.
        attempts: how often calls were sent.
        reused: what was there already; None where the plan asks for nothing of it.
        prompt: where their tokens went, part by part.
    """

    plan_hash: str
    requests: dict[str, int]
    usage: dict[str, float]
    cost_usd: float
    cost_nano: int
    naive_usd: float | None = None
    naive_hash: str = ""
    avoided_usd: float | None = None
    invoice_usd: float | None = None
    reconciled: Reconciled | None = None
    levers: tuple[str, ...] = ()
    estimate: tuple[Side, ...] = ()
    machines: tuple[MachineTime, ...] = ()
    unpriced: tuple[tuple[str, str], ...] = ()
    attempts: int = 0
    reused: Reused | None = None
    prompt: tuple[PromptSheet, ...] = ()


class RunResult(Struct, frozen=True, kw_only=True):
    """Everything a run did.

    Attributes:
        results: an answer for each item, in the order of the source.
        outcomes: each call.
        receipt: what it cost.
        expected: the estimate behind it.
        facts: what it teaches prices.
        stopped: what ended it early; None where it is complete.
        notes: what a reader must know.
    """

    results: tuple[ItemResult, ...]
    outcomes: tuple[Outcome, ...]
    receipt: Receipt
    expected: Estimate
    facts: tuple[Entry, ...] = ()
    stopped: ReelwiseError | None = None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """Items without an answer."""
        return sum(1 for one in self.results if one.status in {"failed", "ambiguous", "broken", "unreadable"})


def execute(
    job: Job,
    plan: Plan,
    tracks: Sequence[Track],
    *,
    endpoints: Endpoints,
    ledger: Ledger,
    out: Path,
    scans: Scans | None = None,
    max_nano: int | None = None,
    at_once: int = 4,
    naive: Plan | None = None,
    levers: tuple[str, ...] = (),
    sandbox: Any = None,
    waits: Waits | None = None,
    counted: bool = False,
    kept: Path | None = None,
    verifier: Callable[[str, str], bool] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> RunResult:
    """Run a plan on decoded clips.

    What is done is in the journal as soon as it is: the same run in the same folder goes on where it was, and pays nothing twice.

    Args:
        job: what is asked, facts and prices.
        plan: the plan to run.
        tracks: the clips, in order; the same track may come again.
        endpoints: who answers.
        ledger: where each call is held for and written.
        out: the run's folder.
        scans: remembers what scanning the clips found.
        max_nano: the most that the run may spend, nano-USD.
        at_once: calls under way at once.
        naive: the plan that it is compared with.
        levers: names of the levers that lead from it to this plan.
        sandbox: a `reelwise.sandbox.Sandbox` whose invoice the run is held against.
        waits: how long to wait for batches.
        kept: folder of answers and artefacts that runs share; None is one in `out`.
        verifier: for `verifier: own`, says of a question and an answer whether it holds; what it raises is passed on.
        counted: estimate with what the stages count on these very clips, not with facts of other footage.
        progress: called with the stage and the share done.

    Raises:
        InputError: the plan cannot be run here, or the journal is of another run.
        OutputError: the folder cannot be written.
    """
    check_runs(plan, endpoints, job.script, job.case.book, verifier=verifier is not None)
    infos, pieces = [looked_at(track) for track in tracks], pieces_of(job, job.workload(plan), tracks, scans)
    before, machines = standing(plan, job, ledger), Machines(plan.hosts, job.case.book)
    copies = copies_of(job.script, tracks)
    expected = (
        _expected(job, plan, infos, copies, before) if not counted else estimate_counted(job.case, plan, pieces, before)
    )
    runner, tally, stopped, told = _ran(
        job, plan, pieces, endpoints=endpoints, ledger=ledger, out=out, max_nano=max_nano, at_once=at_once,
        waits=waits or Waits(), kept=kept or out / "kept", machines=machines, in_turn=sandbox is not None, progress=progress,
        verifier=verifier,
    )  # fmt: skip
    outcomes = tuple(sorted(runner.outcomes, key=_in_order))
    held = reconcile(outcomes, sandbox.invoice.rows, earlier=runner.before) if sandbox is not None else None
    more = (held, told, machine_times(machines, plan.hosts, outcomes, expected.machine_seconds))
    return RunResult(
        results=merged(job.script, infos, outcomes, runner, asked=asks(plan)),
        outcomes=outcomes,
        receipt=_receipt(job, plan, outcomes, expected, (naive, infos, copies, before), levers, more),
        expected=expected,
        facts=_learned(job, outcomes, tally, infos),
        stopped=stopped,
        notes=_notes(job, plan, outcomes, pieces, before),
    )


def _notes(
    job: Job, plan: Plan, outcomes: Sequence[Outcome], pieces: Sequence[Piece], before: Position | None
) -> tuple[str, ...]:
    """Say what a reader must know, in words."""
    said = (
        *job.notes,
        *footage_notes(plan, pieces),
        *notes_of(job, plan, outcomes),
        *_free(outcomes, job.case.book, before),
    )
    return (*said, *dear_caches(job, plan, pieces), *reuse_notes(plan, len(job.script.asked)))


def _learned(job: Job, outcomes: Sequence[Outcome], tally: Tally, infos: Sequence[ClipInfo]) -> tuple[Entry, ...]:
    names, footage = _names(infos), job.case.workload.footage
    return learned(outcomes, tally, footage=footage, on=names, asked=len(job.script.asked))


def _expected(
    job: Job, plan: Plan, infos: list[ClipInfo], copies: float, before: Position | None
) -> Estimate:  # fmt: skip
    """Estimate what a run will use by facts of other footage."""
    most = float(job.script.output_most or "inf")
    return estimate(job.case, plan, job.workload(plan), infos, most, before=before, copies=copies)


def _ran(
    job: Job,
    plan: Plan,
    pieces: list[Piece],
    *,
    endpoints: Endpoints,
    ledger: Ledger,
    out: Path,
    max_nano: int | None,
    at_once: int,
    waits: Waits,
    kept: Path,
    machines: Machines,
    in_turn: bool,
    progress: Callable[[str, float], None] | None,
    verifier: Callable[[str, str], bool] | None,
) -> tuple[Runner, Tally, ReelwiseError | None, Reused | None]:
    """Run the stages with a journal; return what was made, what was counted, what ended it early, and what was reused."""
    tally, feature = Tally(), job.case.workload.feature
    answering = tuple(endpoints.marks(call.serves) for call in plan.of(Call))
    key = job.key(plan, [name_of(piece) for piece in pieces], answering)  # another plan here has a journal of its own
    with (
        Journal(out / f"journal-{key[:8]}.jsonl", key) as journal,
        Reusing(kept, plan, (job.script, answering)) as reusing,
    ):
        under_way = held_before(journal) + films_held(journal.notes)
        spent = sum(one.cost_nano for one in journal.over.values()) + under_way
        spent += sum(held for _, held in journal.lost.values())
        named = {"feature": feature, "plan": plan.hash}
        desk = Desk(
            job.case.book, ledger, journal, Cap(max_nano, spent, under_way), machines=machines, in_turn=in_turn, **named
        )  # fmt: skip
        batching = Batching(desk, endpoints, waits, form=job.script.form, **named)
        filming = Filming(desk, waits, folder=out / "videos", **named)
        runner = Runner(
            plan, desk, endpoints, batching, filming, reusing, job.case.facts, at_once=at_once, verifier=verifier
        )
        runner.number(pieces)
        stopped = _fold(job, plan, pieces, runner, tally, progress)
        runner.outcomes += journal.unseen(runner.outcomes)
        runner.outcomes += reusing.finish(pieces, runner.outcomes, journal)
        count_reuse(plan, runner.outcomes, tally)
        told = reused(plan, runner.outcomes, tally, reusing.questions)
    return runner, tally, stopped, told


def _in_order(one: Outcome) -> tuple[int, int, str, int, int]:
    return one.item, one.stage, one.turn, one.chunk, one.question


def _names(infos: Sequence[ClipInfo]) -> str:
    names = list(dict.fromkeys(Path(info.path).name for info in infos))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def standing(plan: Plan, job: Job, ledger: Ledger) -> Position | None:
    """Say what the account has used of graduated prices this month; None where no call of the plan has such a price."""
    book = job.case.book
    models = {call.model for call in plan.of(Call) if call.host is None and call.part != "generate"}
    if not any(_by_the_month(model, book) for model in models):
        return None
    return month_used(ledger, book, ledger.clock.now_ms())


def _by_the_month(model: str, book: Book) -> bool:
    try:
        return is_graduated(Request(model=model, count=1), book)
    except (UnknownModelError, UnpricedError):  # the estimate will say so
        return False


def _fold(  # noqa: PLR0917 - one call of it
    job: Job,
    plan: Plan,
    pieces: list[Piece],
    runner: Runner,
    tally: Tally,
    progress: Callable[[str, float], None] | None,
) -> ReelwiseError | None:
    """Run the stages; an error that ends it early is returned: what is done is kept."""
    count = len(plan.stages)
    done = 0

    def watch(stage: Any, *_: Any) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(type(stage).__name__.lower(), done / count)

    collected = Out(job.case.book, job.case.book.day, tally, runner)
    try:
        run(plan, pieces, job.case.facts, collected, watch=watch)
    except ReelwiseError as error:
        if isinstance(error, InputError) and not isinstance(error, LedgerError):
            raise
        return error
    return None


def _receipt(  # noqa: PLR0917 - one call of it
    job: Job,
    plan: Plan,
    outcomes: Sequence[Outcome],
    expected: Estimate,
    against: tuple[Plan | None, list[ClipInfo], float, Position | None],
    levers: tuple[str, ...],
    more: tuple[Reconciled | None, Reused | None, tuple[MachineTime, ...]],
) -> Receipt:
    held, told, machines = more
    usage = dict.fromkeys((*UNITS, *MORE_UNITS), 0.0)
    requests: dict[str, int] = {}
    for one in outcomes:
        requests[one.status] = requests.get(one.status, 0) + 1
        for name in usage:
            usage[name] += one.units.get(name, 0.0) if one.status != "cached" else 0.0
    nano = sum(one.cost_nano for one in outcomes)
    naive, infos, copies, before = against
    naive_usd = None
    if naive is not None:
        naive_usd = _expected(job, naive, infos, copies, before).usd
    return Receipt(
        plan_hash=plan.hash,
        requests=requests,
        usage={name: value for name, value in usage.items() if value},
        cost_usd=nano / 1e9,
        cost_nano=nano,
        naive_usd=naive_usd,
        naive_hash="" if naive is None else naive.hash,
        avoided_usd=None if naive_usd is None else naive_usd - nano / 1e9,
        invoice_usd=None if held is None else held.invoice_nano / 1e9,
        reconciled=held,
        levers=levers,
        estimate=sides(expected, outcomes, job.case.book),
        unpriced=tuple((one.identity, one.unpriced) for one in outcomes if one.unpriced),
        attempts=sum(one.attempts for one in outcomes if one.status != "cached"),
        reused=told,
        machines=machines,
        prompt=metered_sheets(plan, job.script, outcomes, job.case.book),
    )


def _free(outcomes: Sequence[Outcome], book: Book, before: Position | None) -> tuple[str, ...]:
    """Say which calls' prices count on the month's free units, and how far these were used up when the run began."""
    said = []
    for model in sorted({one.model for one in outcomes if before is not None and one.known and not one.hosted}):
        rates = () if book.is_language_model(model) else book.card_rates(model)
        for rate in rates:
            if rate.free_month:
                used = float((before or {}).get((rate.sku, rate.unit), 0))
                left = max(0.0, rate.free_month - used)
                said.append(
                    f"{model}: of {rate.free_month:,g} free {rate.unit}s a month this ledger had {left:,g} left"
                )
    return tuple(said)
