"""A deterministic simulation of the ledger: production code on a real SQLite file, under a seeded clock, upstream, disk and crashes.

Several processes are several `Ledger`s without threads, whose steps are interleaved by one random generator. What a power cut leaves is made
by cutting the write-ahead log after each frame (and in the middle of one). After every crash, and at the end, the invariants are
checked against what the callers were told, and against nothing that the ledger says of itself.

    python tests/ledger/simulation.py --seeds 1000 [--first 0] [--jobs 2]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from reelwise.errors import AlreadySettledError, BudgetError, OutputError, ReelwiseError
from reelwise.ledger import Budget, Event, Ledger, Units, What, who_of
from reelwise.ledger.accounts import ROLLING
from reelwise.ledger.events import key_of
from reelwise.ledger.periods import since
from reelwise.ledger.sql import SqlStore
from reelwise.ledger.sqlite import SqliteLink
from reelwise.ledger.verify import verify

START_MS = 1_760_000_000_000
TTL_MS = 30_000
CALL_MAX = 400
USERS = ("u1", "u2", "u3")
FEATURES = ("blur", "tags")
WHAT = What(model="m")
OUTCOME = What(model="n", outcome="kept")


HAD = (
    "SELECT l.owner, s.budget, s.account, CASE WHEN EXISTS (SELECT 1 FROM slot o WHERE o.budget = s.budget AND o.account = s.account "
    "AND o.bucket = -1) THEN -1 ELSE s.bucket END, SUM(l.amount) FROM {table} l JOIN slot s ON s.id = l.slot GROUP BY 1, 2, 3, 4"
)
"""What owners have, or had: what is lost of a rolling budget is booked on the slot of its time."""


class ProcessCrash(BaseException):
    """The process died here."""


class SimClock:
    """Time that passes when somebody sleeps; meanwhile other processes take their steps."""

    def __init__(self, rng: random.Random) -> None:
        self.now = START_MS + rng.randrange(86_400_000)
        self.others: list[Ledger] = []
        self.asleep = False

    def now_ms(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(1, int(seconds * 1000))
        if self.asleep:
            return
        self.asleep = True
        try:
            for one in list(self.others):
                if not one._closed:
                    one.step()
        finally:
            self.asleep = False


class FaultyLink(SqliteLink):
    """A connection that dies, or fails, at a given write."""

    def __init__(self, name: str) -> None:
        self.left = -1
        self.error: type[BaseException] = ProcessCrash
        self.after = self.dead = False
        super().__init__(name, 0.0)

    def arm(self, writes: int, error: type[BaseException], *, after: bool) -> None:
        self.left, self.error, self.after = writes, error, after

    def _hit(self) -> None:
        if self.left > 0:
            self.left -= 1
            if self.left == 0:
                self.left = -1
                if self.error is ProcessCrash:
                    self.dead = True
                    raise ProcessCrash
                raise OutputError("cannot write: database or disk is full", where=self._name, hint="")

    def run(self, text: str, values: Any = ()) -> int:
        if not text.startswith(("PRAGMA", "SELECT")):
            self._hit()
        return super().run(text, values)

    def many(self, text: str, rows: Any) -> int:
        self._hit()
        return super().many(text, rows)

    def commit(self) -> None:
        if self.after and self.left == 1 and self.error is ProcessCrash:
            super().commit()  # durable, and nobody was told
            self._hit()
        self._hit()
        super().commit()


class World:
    """One seed: its processes, what their callers were told, and the checks."""

    def __init__(self, seed: int, folder: Path, template: Path) -> None:
        self.seed = seed
        self.rng = random.Random(seed)  # noqa: S311 - no secret
        self.clock = SimClock(self.rng)
        self.folder = folder
        self.path = folder / "ledger.db"
        shutil.copyfile(template, self.path)
        self.owners: list[Ledger] = []
        self.open: dict[int, list[tuple[Any, int]]] = {}  # holds that wait, by process
        self.said: dict[str, int] = {}  # ids whose cost may be durable: what they cost
        self.acknowledged: dict[str, tuple[int, int]] = {}  # ids whose cost is: log and frame
        self.waiting: dict[int, list[str]] = {}  # posted without waiting, by process
        self.jobs: dict[str, int] = {}
        self.job_costs: dict[str, int] = {}
        self.limits: dict[str, int] = {}  # the highest that was in force, or what was spent when it came into force
        self.count = 0
        self.tally = dict.fromkeys(
            ("crashes", "cuts", "faults", "denials", "calls", "false_denials", "overruns", "late"), 0
        )
        self.leased_at_crash: dict[tuple[str, int, str, int], int] = {}
        self.generation = 0
        self.watcher = SqlStore(SqliteLink(str(self.path), 0.0), str(self.path))
        self.set_up()

    # processes

    def set_up(self) -> None:
        rng = self.rng
        kinds = [
            Budget(name="all", period="total", hard=rng.choice((1_000, 5_000, 20_000))),
            Budget(name="user", each=("user",), period="day", hard=rng.choice((500, 3_000)), soft=200),
            Budget(name="feature", each=("feature",), period="hour", rolling=True, hard=rng.choice((800, 4_000))),
            Budget(
                name="blur",
                match=(("feature", "blur"),),
                period="month",
                zone="Europe/Berlin",
                hard=rng.choice((900, 6_000)),
            ),
            Budget(name="calls", period="minute", measure="calls", hard=rng.choice((5, 50))),
            Budget(name="shadow", period="day", hard=100, shadow=True),
        ]
        for one in rng.sample(kinds, rng.randint(1, 4)):
            self.watcher.put_budget(one, self.clock.now)
            self.limits[one.name] = one.hard or 0
        for _ in range(rng.randint(1, 3)):
            self.start()

    def start(self) -> Ledger:
        """Start a process."""
        lease = self.rng.choice((0, 20, 100, 1_000)) / 1e9
        store = SqlStore(FaultyLink(str(self.path)), str(self.path))
        owner = Ledger(store, lease_usd=lease, clock=self.clock, thread=False)
        self.owners.append(owner)
        self.open[id(owner)] = []
        self.waiting[id(owner)] = []
        self.clock.others = self.owners
        return owner

    def die(self, owner: Ledger) -> None:
        """End a process without a word."""
        self.tally["crashes"] += 1
        self.note_leases(owner.owner)
        owner._closed = True
        owner.store.link._connection.close()
        self.owners.remove(owner)
        self.open.pop(id(owner))
        self.waiting.pop(id(owner))

    def note_leases(self, name: str) -> None:
        with self.watcher.transaction(write=False) as link:
            for table in ("lease", "lost"):
                for *whose, amount in link.rows(HAD.format(table=table)):
                    if whose[0] == name:
                        key = tuple(whose)
                        self.leased_at_crash[key] = self.leased_at_crash.get(key, 0) + amount

    # what callers do

    def frame(self) -> tuple[int, int]:
        wal = Path(f"{self.path}-wal")
        return self.generation, (wal.stat().st_size if wal.exists() else 0)

    def acknowledge(self, ids: list[str]) -> None:
        at = self.frame()
        for one in ids:
            self.acknowledged.setdefault(one, at)

    def identity(self) -> str:
        self.count += 1
        return f"{self.seed}-{self.count}"

    def act(self) -> None:
        rng = self.rng
        owner = rng.choice(self.owners)
        if rng.random() < 0.12:
            crash = rng.random() < 0.6
            self.tally["faults"] += not crash
            owner.store.link.arm(rng.randint(1, 12), ProcessCrash if crash else OutputError, after=rng.random() < 0.4)
        try:
            rng.choices(
                (
                    self.call,
                    self.settle_open,
                    self.let_go,
                    self.step,
                    self.record,
                    self.job,
                    self.tick,
                    self.change,
                    self.again,
                ),
                (40, 12, 4, 8, 3, 8, 10, 3, 3),
            )[0](owner)
        except ProcessCrash:
            for one in list(self.owners):  # the one that was armed: it may have stepped while another slept
                if one is owner or one.store.link.dead:
                    self.die(one)
            if not self.owners:
                self.start()
        except OutputError:
            pass
        if owner in self.owners:
            owner.store.link.left = -1

    def call(self, owner: Ledger) -> None:
        rng = self.rng
        who = who_of(rng.choice(FEATURES), user=rng.choice(USERS))
        nano = rng.choice((0, 1, rng.randint(1, CALL_MAX), CALL_MAX))
        self.tally["calls"] += 1
        try:
            hold = owner.hold(who, nano, timeout_seconds=rng.choice((5, 60, 600)))
        except BudgetError as error:
            self.tally["denials"] += 1
            self.check_denial(owner, error, who, nano)
            return
        fate = rng.random()
        if fate < 0.25:
            self.open[id(owner)].append((hold, nano))  # it takes its time
        elif fate < 0.35:
            owner.void(hold)
        else:
            self.post(owner, hold, nano)

    def post(self, owner: Ledger, hold: Any, nano: int) -> None:
        rng = self.rng
        cost = rng.randint(0, nano) if rng.random() < 0.9 else nano + rng.randint(1, 50)
        identity = self.identity()
        self.said[identity] = cost
        wait = rng.random() < 0.6
        done = owner.post(
            hold,
            identity,
            cost,
            what=rng.choice((WHAT, OUTCOME)),
            units=Units(calls=1, frames=rng.randint(0, 3)),
            wait=wait,
        )
        self.tally["overruns"] += done.overrun_nano > 0
        self.tally["late"] += done.late
        self.waiting[id(owner)].append(identity)
        if wait:
            self.written(owner)

    def written(self, owner: Ledger) -> None:
        if not owner._kernel.queue:
            self.acknowledge(self.waiting[id(owner)])
            self.waiting[id(owner)] = []

    def settle_open(self, owner: Ledger) -> None:
        held = self.open[id(owner)]
        if held:
            self.post(owner, *held.pop(self.rng.randrange(len(held))))

    def let_go(self, owner: Ledger) -> None:
        held = self.open[id(owner)]
        if held:
            owner.void(held.pop(self.rng.randrange(len(held)))[0])

    def step(self, owner: Ledger) -> None:
        owner.step()
        self.written(owner)

    def record(self, owner: Ledger) -> None:
        rng = self.rng
        identity = self.identity()
        negative = rng.random() < 0.5
        cost = -rng.randint(1, 40) if negative else rng.randint(1, 40)
        event = Event(
            id=identity,
            at_ms=self.clock.now - rng.choice((0, 5_000, 86_400_000)),
            who=who_of(rng.choice(FEATURES), user=rng.choice(USERS)),
            what=What(kind="correction" if negative else "true_up"),
            units=Units(),
            cost_nano=cost,
        )
        self.said[identity] = cost
        self.waiting[id(owner)].append(identity)
        owner.record(event)
        self.written(owner)

    def job(self, owner: Ledger) -> None:
        rng = self.rng
        if self.jobs and rng.random() < 0.6:
            name = rng.choice(sorted(self.jobs))
            nano = self.jobs.pop(name)
            try:
                if rng.random() < 0.3:
                    owner.void_job(name)
                    return
                cost = self.job_costs.setdefault(name, rng.randint(0, nano + 20))  # tried again, it costs the same
                self.said[f"job/{name}"] = cost
                owner.post_job(name, cost)
            except ProcessCrash:
                self.jobs[name] = nano
                raise
            except AlreadySettledError:
                # settled by the attempt that crashed after its commit
                return
            self.acknowledge([f"job/{name}"])
            return
        name, nano = self.identity(), rng.randint(1, 200)
        who = who_of(rng.choice(FEATURES), user=rng.choice(USERS))
        try:
            owner.hold_job(name, who, nano, timeout_seconds=rng.choice((10, 3600)))
        except BudgetError as error:
            self.check_denial(owner, error, who, nano)
        else:
            self.jobs[name] = nano

    def tick(self, owner: Ledger) -> None:
        self.clock.now += self.rng.choice((10, 500, 2_500, 70_000, 4_000_000))
        if self.rng.random() < 0.7:
            owner.step()
            self.written(owner)

    def change(self, owner: Ledger) -> None:
        rng = self.rng
        if rng.random() < 0.5:
            before = {one.name: one for one in owner.budgets()}
            one = before[rng.choice(sorted(before))]
            hard = max(0, (one.hard or 0) + rng.choice((-500, -100, 100, 2_000)))
            budget = Budget(
                **{**{name: getattr(one, name) for name in one.__struct_fields__}, "hard": hard, "soft": None}
            )
        else:
            budget = Budget(
                name=f"new{rng.randint(1, 2)}",
                each=rng.choice(((), ("user",))),
                period="day",
                hard=rng.randint(100, 3_000),
            )
        self.limits[budget.name] = max(
            self.limits.get(budget.name, 0), budget.hard or 0, 10**9 if budget.name[:3] == "new" else 0
        )
        owner.set_budget(budget)
        self.written(owner)

    def again(self, owner: Ledger) -> None:
        """Post an id that is there, with another cost: nothing may change."""
        if not self.acknowledged:
            return
        identity = self.rng.choice(sorted(self.acknowledged))
        if identity.startswith("job/"):
            return
        try:
            hold = owner.hold(who_of("tags", user="u1"), 10)
            owner.post(hold, identity, self.rng.choice((5, 10, 25)))
        except BudgetError:
            return
        except AlreadySettledError:
            self.written(owner)
            return
        raise AssertionError(f"{identity} was posted twice")

    # checks

    def check_denial(self, owner: Ledger, error: BudgetError, who: Any, nano: int) -> None:
        """A call is denied only where it does not fit, whatever other processes have leased and do not use."""
        if error.reason != "over_limit":
            return
        with self.watcher.transaction(write=False) as link:
            found = link.rows("SELECT id FROM budget WHERE name = ?", (error.budget,))
        number = int(found[0][0])
        definitions = self.watcher.definitions()
        budget = definitions.budgets[number]
        line = owner._kernel.lines.at(who, self.clock.now)
        account = next(one for one in line.accounts() if one.purse.budget_id == number)
        place = account.purse.place
        with self.watcher.transaction() as link:
            state = self.watcher._accounts.state(link, budget, place, self.clock.now)
            alive = {name for (name,) in link.rows("SELECT owner FROM lease WHERE slot = ?", (state.slot,))}
        free = sum(
            one._kernel.lines.purses[place].free
            for one in self.owners
            if place in one._kernel.lines.purses and one.owner in alive
        )
        remaining = (budget.hard or 0) - state.spent - state.leased - state.pending + free
        asked = 1 if budget.measure == "calls" else nano
        if asked <= remaining:
            self.tally["false_denials"] += 1
            raise AssertionError(f"{error} although {remaining} were left")

    def check(self, store: SqlStore, at: tuple[int, int] | None = None) -> None:
        """Hold what is durable against what callers were told; `at`: the place in the log that a power cut left."""
        verified = verify(store)
        if verified.problems:
            raise AssertionError(f"balances: {verified.problems}")
        with store.transaction(write=False) as link:
            rows = {bytes(key): int(cost) for key, cost in link.rows("SELECT id, cost FROM event")}
        seen = 0
        for identity, cost in self.said.items():
            first, over = rows.get(key_of(identity)), rows.get(key_of(f"{identity}/overrun"))
            seen += (first is not None) + (over is not None)
            if first is None:
                told = self.acknowledged.get(identity)
                if over is not None or (told is not None and (at is None or told <= at)):
                    raise AssertionError(f"lost: {identity}, acknowledged at {told}, cut at {at}")
            elif first + (over or 0) != cost:
                raise AssertionError(f"{identity} cost {cost}, written {first} + {over}")
        if seen != len(rows):
            raise AssertionError(f"{len(rows) - seen} rows that nobody posted")
        self.check_limits(store)

    def check_limits(self, store: SqlStore) -> None:
        budgets = store.definitions().budgets
        with store.transaction(write=False) as link:
            slots = link.rows("SELECT budget, account, bucket, posted, overrun, leased, pending, lost FROM slot")
        sums: dict[tuple[int, str, int], int] = {}
        for number, account, bucket, posted, overrun, leased, pending, lost in slots:
            budget = budgets.get(number)
            if min(leased, pending, lost) < 0:
                raise AssertionError(f"below nothing: {leased} leased, {pending} pending, {lost} lost")
            if budget is None or not budget.holds:
                continue
            first = since(budget.period, budget.zone, self.clock.now, rolling=True) if budget.rolling else 0
            if budget.rolling and bucket != ROLLING and bucket < first:
                continue
            key = (number, account, ROLLING if budget.rolling else bucket)
            sums[key] = sums.get(key, 0) + posted - max(0, overrun) + leased + pending + lost
        for (number, account, bucket), amount in sums.items():
            budget = budgets[number]
            if amount > self.limits[budget.name]:
                raise AssertionError(f"{budget.name} {account} {bucket}: {amount} of {self.limits[budget.name]}")

    def power_cut(self, most: int) -> None:
        """Cut the power in the middle of what one act writes: everybody dies, and the log ends after any of its frames."""
        wal = Path(f"{self.path}-wal")
        before = wal.stat().st_size if wal.exists() else 0
        head = wal.read_bytes()[:32] if before else b""
        database = self.path.read_bytes()
        for _ in range(20):
            self.act()
            after = wal.stat().st_size if wal.exists() else 0
            if after > before:
                break
        log = wal.read_bytes() if wal.exists() else b""
        if log[:32] != head and before:
            return  # the log was begun anew meanwhile: the next seed will do
        page = 24 + int.from_bytes(log[8:12], "big") if len(log) >= 32 else 0
        ends = [*range(max(before, 32), len(log) + 1, page)] if page else [0]
        if len(ends) > most:
            ends = sorted({ends[0], ends[-1], *self.rng.sample(ends, most - 2)})
        kept = self.rng.choice(ends)
        for owner in list(self.owners):
            self.die(owner)
        self.watcher.close()
        for end in ends:
            self.tally["cuts"] += 1
            torn = log[:end] + (log[end : end + self.rng.randrange(page)] if page and self.rng.random() < 0.3 else b"")
            for old in self.folder.iterdir():
                old.unlink()
            self.path.write_bytes(database)
            wal.write_bytes(torn)
            if end == kept:
                break
            store = SqlStore(SqliteLink(str(self.path), 0.0), str(self.path))
            self.check(store, (self.generation, end))
            store.close()
        self.watcher = SqlStore(SqliteLink(str(self.path), 0.0), str(self.path))
        at = (self.generation, kept)
        self.acknowledged = {one: (self.generation, 0) for one, told in self.acknowledged.items() if told <= at}
        with self.watcher.transaction(write=False) as link:
            rows = {bytes(key) for (key,) in link.rows("SELECT id FROM event")}
            leases = link.rows(
                HAD.format(
                    table="(SELECT owner, slot, amount FROM lease UNION ALL SELECT owner, slot, amount FROM lost)"
                )
            )
            held = {name for (name,) in link.rows("SELECT name FROM hold WHERE state = 0")}
        self.said = {one: cost for one, cost in self.said.items() if key_of(one) in rows or one in self.acknowledged}
        self.jobs = {name: nano for name, nano in self.jobs.items() if name in held}
        self.leased_at_crash = {tuple(whose): amount for *whose, amount in leases}
        self.generation += 1
        self.check(self.watcher)
        for _ in range(self.rng.randint(1, 2)):
            self.start()

    def end(self) -> None:
        """Everything that lives closes; what died is booked; nothing leaks."""
        for owner in list(self.owners):
            for hold, _ in self.open[id(owner)][::2]:
                owner.void(hold)
            owner.close(void_open=True)
            self.acknowledge(self.waiting[id(owner)])
            with self.watcher.transaction(write=False) as link:
                left = [
                    link.rows(f"SELECT SUM(amount) FROM {table} WHERE owner = ?", (owner.owner,))[0][0]  # noqa: S608
                    for table in ("lease", "lost")
                ]
            if any(left):
                raise AssertionError(f"closed with {left} leased or lost")
        self.clock.now += 40_000_000
        self.watcher.reap(self.clock.now)
        self.check(self.watcher)
        with self.watcher.transaction(write=False) as link:
            leaked = link.rows("SELECT COALESCE(SUM(leased), 0), COALESCE(SUM(pending), 0) FROM slot")[0]
            lost = link.rows(HAD.format(table="lost"))
            jobs = link.rows("SELECT COUNT(*) FROM hold WHERE state = 0")[0][0]
        if tuple(leaked) != (0, 0) or jobs:
            raise AssertionError(f"leaked: {leaked} leased and pending, {jobs} jobs")
        for *whose, amount in lost:
            if amount > self.leased_at_crash.get(tuple(whose), 0):
                raise AssertionError(f"lost {amount} of a lease of {self.leased_at_crash.get(tuple(whose), 0)}")
        self.watcher.close()


def run(seed: int, folder: Path, template: Path, *, cuts: int = 6) -> dict[str, int]:
    """Run one seed; raise AssertionError where an invariant does not hold."""
    place = Path(tempfile.mkdtemp(dir=folder))
    world = World(seed, place, template)
    try:
        for _ in range(world.rng.randint(4, 26)):
            world.act()
        world.power_cut(cuts)
        for _ in range(world.rng.randint(2, 12)):
            world.act()
        world.end()
    except (AssertionError, ReelwiseError) as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    finally:
        for one in world.owners:
            one.store.link._connection.close()
        shutil.rmtree(place, ignore_errors=True)
    return world.tally


def template_in(folder: Path) -> Path:
    path = folder / "template.db"
    SqlStore(SqliteLink(str(path), 0.0), str(path)).close()
    return path


def run_many(first: int, count: int, root: str | None, cuts: int = 6) -> dict[str, Any]:
    """Run seeds in one process; return what they counted, and the failures."""
    total: dict[str, Any] = {"seeds": 0, "failed": []}
    with tempfile.TemporaryDirectory(dir=root) as name:
        folder = Path(name)
        template = template_in(folder)
        for seed in range(first, first + count):
            try:
                tally = run(seed, folder, template, cuts=cuts)
            except AssertionError as error:
                total["failed"].append(str(error))
                continue
            total["seeds"] += 1
            for key, value in tally.items():
                total[key] = total.get(key, 0) + value
    return total


def memory() -> str | None:
    """Return a folder in memory, where there is one: nothing here needs a disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - temporary folders are made in it


def simulate(first: int, seeds: int, jobs: int, cuts: int = 6) -> dict[str, Any]:
    """Run seeds in several processes."""
    root = memory()
    begun = time.perf_counter()
    part = max(1, min(250, seeds // jobs))
    parts = [(at, min(part, first + seeds - at)) for at in range(first, first + seeds, part)]
    total: dict[str, Any] = {"seeds": 0, "failed": []}
    with ProcessPoolExecutor(jobs) as pool:
        for one in pool.map(run_many, *zip(*parts, strict=True), [root] * len(parts), [cuts] * len(parts)):
            for key, value in one.items():
                total[key] = total.get(key, type(value)()) + value
    total["seconds"] = round(time.perf_counter() - begun, 1)
    return total


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cuts", type=int, default=6)
    given = parser.parse_args()
    found = simulate(given.first, given.seeds, given.jobs, given.cuts)
    failed = found.pop("failed")
    print(json.dumps({**found, "failed": len(failed)}))  # noqa: T201
    for one in failed[:10]:
        print(one, file=sys.stderr)  # noqa: T201
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
