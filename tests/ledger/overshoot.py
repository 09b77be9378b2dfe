"""Many callers, four scopes, and budgets that run out: what was spent above a limit, and what was denied although it fitted.

`callers` has as many calls under way at once as there are callers, in an order drawn by a seed, and holds every decision against sums
kept beside it. `threads` and `processes` do it for real.

    python tests/ledger/overshoot.py --operations 100000
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from reelwise.errors import BudgetError
from reelwise.ledger import Budget, Ledger, Units, who_of
from reelwise.ledger.ledger import open_store
from reelwise.ledger.verify import verify

USD = 10**9
SCOPES = (("all", ()), ("feature", ("feature",)), ("user", ("user",)), ("session", ("session",)))


def set_up(ledger: Ledger, total: int) -> dict[str, int]:
    """Set four budgets of which each is short for somebody."""
    limits = {"all": total, "feature": total * 6 // 10, "user": total // 12, "session": total // 40}
    for name, each in SCOPES:
        ledger.set_budget(Budget(name=name, each=each, period="total", hard=limits[name]))
    return limits


def somebody(rng: random.Random):
    user = rng.randrange(20)
    return who_of(f"f{rng.randrange(3)}", user=f"u{user}", session=f"u{user}s{rng.randrange(6)}")


def callers(count: int, operations: int, seed: int, path: Path) -> dict[str, Any]:
    """Interleave callers by a seed; hold each decision against an exact account kept beside the ledger."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    total = operations * 160_000
    kept: Counter[tuple[str, str]] = Counter()  # posted and pending up to the hold
    found: Counter[str] = Counter()
    with Ledger(path, thread=False, lease_usd=rng.choice((0.01, 0.5, 5.0))) as ledger:
        limits = set_up(ledger, total)
        free = list(range(count))
        under_way: list[tuple[Any, list[tuple[str, str]], int]] = []
        for at in range(operations):
            if not free or (under_way and rng.random() < 0.5):
                place = rng.randrange(len(under_way))
                under_way[place], under_way[-1] = under_way[-1], under_way[place]
                hold, keys, nano = under_way.pop()
                free.append(at)
                fate = rng.random()
                cost = nano + 7 if fate < 0.02 else rng.randint(0, nano)
                if fate > 0.9:
                    ledger.void(hold)
                    kept.subtract(dict.fromkeys(keys, nano))
                    continue
                # what lies above the hold counts as spent, and apart from what the limit bounds
                found["overrun_nano"] += ledger.post(hold, f"{seed}-{at}", cost, wait=False).overrun_nano
                kept.update(dict.fromkeys(keys, cost - nano))
            else:
                who = somebody(rng)
                nano = rng.randint(0, 2_000_000)
                keys = [(name, who.label(name) if name != "all" else "") for name, _ in SCOPES]
                fits = all(kept[key] + nano <= limits[key[0]] for key in keys)
                try:
                    hold = ledger.hold(who, nano)
                except BudgetError:
                    found["denied"] += 1
                    found["false_denials"] += fits
                    continue
                found["let_through_above"] += not fits
                kept.update(dict.fromkeys(keys, nano))
                free.pop()
                under_way.append((hold, keys, nano))
            if len(ledger._kernel.queue) >= 500:
                ledger.step()
        for hold, _, _ in under_way:
            ledger.void(hold)
        ledger.flush()
    return {"callers": count, "operations": operations, **after(path, limits), **found}


def after(path: Path, limits: dict[str, int]) -> dict[str, Any]:
    """Return what a file says when all are done: what lies above limits, overruns apart, and whether all balances are exact."""
    store = open_store(path)
    found = verify(store)
    above = 0
    with store.transaction(write=False) as link:
        for name, posted, over, others in link.rows(
            "SELECT b.name, s.posted, s.overrun, s.leased + s.pending + s.lost FROM slot s JOIN budget b ON b.id = s.budget"
        ):
            above += max(0, posted - over + others - limits[name])
    store.close()
    return {"overshoot_nano": above, "rows": found.rows, "problems": len(found.problems), "spent_nano": found.cost_nano}


def threads(count: int, operations: int, seed: int, path: Path) -> dict[str, Any]:
    """Let threads call and settle; watch from outside, all the while, that nothing is above its limit."""
    total = operations * 150_000
    found: Counter[str] = Counter()
    with Ledger(path) as ledger:
        limits = set_up(ledger, total)
        stop = threading.Event()
        watcher = threading.Thread(target=_watch, args=(path, limits, stop, found))
        watcher.start()

        def work(number: int) -> None:
            rng = random.Random(f"{seed}-{number}")  # noqa: S311 - no secret
            mine: Counter[str] = Counter()
            for at in range(operations // count // 2):
                try:
                    hold = ledger.hold(somebody(rng), rng.randint(0, 2_000_000))
                except BudgetError:
                    mine["denied"] += 1
                    continue
                fate = rng.random()
                if fate > 0.9:
                    ledger.void(hold)
                else:
                    cost = hold.nano + 7 if fate < 0.02 else rng.randint(0, hold.nano)
                    mine["overrun_nano"] += ledger.post(hold, f"{number}-{at}", cost, wait=False).overrun_nano
                if len(ledger._kernel.queue) > 20_000:
                    time.sleep(0.01)
            found.update(mine)

        workers = [threading.Thread(target=work, args=(number,)) for number in range(count)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        ledger.flush()
        stop.set()
        watcher.join()
    return {"threads": count, "operations": operations, **after(path, limits), **found}


def _watch(path: Path, limits: dict[str, int], stop: threading.Event, found: Counter[str]) -> None:
    store = open_store(path)
    names = {number: one.name for number, one in store.definitions().budgets.items()}
    while not stop.wait(0.05):
        with store.transaction(write=False) as link:
            slots = link.rows("SELECT budget, posted - overrun + leased + pending + lost FROM slot")
        found["looks"] += 1
        found["seen_above"] += sum(1 for number, amount in slots if amount > limits[names[number]])
    store.close()


def processes(count: int, each: int, path: Path, limit: int = 20_000_000, nano: int = 1_003) -> dict[str, Any]:
    """Let processes of several threads spend equal amounts until they are denied: the budget must be used up, to the last call."""
    with Ledger(path, thread=False) as ledger:
        ledger.set_budget(Budget(name="all", period="total", hard=limit))
    command = [sys.executable, __file__, "--spend", str(path), "--threads", str(each), "--nano", str(nano)]
    running = [subprocess.Popen([*command, "--name", str(number)], stdout=subprocess.PIPE) for number in range(count)]
    passed = sum(int(one.communicate()[0]) for one in running)
    found = after(path, {"all": limit})
    return {
        "processes": count,
        "threads_each": each,
        "passed": passed,
        "fit": limit // nano,
        "left_nano": limit - found["spent_nano"],
        "false_denials": limit // nano - passed,
        **found,
    }


def spend(path: str, name: str, each: int, nano: int) -> None:
    """Spend the same amount from several threads, until denied for good."""
    passed = []
    with Ledger(path) as ledger:

        def work(number: int) -> None:
            at = 0
            while True:
                try:
                    hold = ledger.hold(who_of("f", user=f"u{number}"), nano)
                except BudgetError as error:
                    if error.retry_seconds is not None:
                        time.sleep(0.01)
                        continue
                    return
                ledger.post(hold, f"{name}-{number}-{at}", nano, units=Units(calls=1), wait=False)
                passed.append(1)
                at += 1

        workers = [threading.Thread(target=work, args=(number,)) for number in range(each)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
    print(len(passed))  # noqa: T201


def measure(
    operations: int, levels: tuple[int, ...] = (1, 16, 64, 256), *, count: int = 8, each: int = 8
) -> dict[str, Any]:
    """Run all three; return the figures and their sums."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        share = operations // (2 * len(levels))
        exact = [callers(level, share, at, folder / f"callers{level}.db") for at, level in enumerate(levels)]
        real = [threads(level, share, at, folder / f"threads{level}.db") for at, level in enumerate(levels)]
        many = processes(count, each, folder / "processes.db")
    parts = [*exact, *real, many]
    return {
        "operations": sum(one.get("operations", 0) for one in parts) + many["passed"],
        "overshoot_nano_usd": sum(one["overshoot_nano"] for one in parts),
        "false_denials": sum(one.get("false_denials", 0) for one in parts),
        "denials": sum(one.get("denied", 0) for one in parts),
        "problems": sum(one["problems"] for one in parts) + sum(one.get("seen_above", 0) for one in real),
        "overrun_nano_usd": sum(one.get("overrun_nano", 0) for one in parts),
        "seconds": round(time.perf_counter() - begun, 1),
        "callers": exact,
        "threads": real,
        "processes": many,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--spend")
    parser.add_argument("--name", default="a")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--nano", type=int, default=1_003)
    given = parser.parse_args()
    if given.spend:
        spend(given.spend, given.name, given.threads, given.nano)
        return
    print(json.dumps(measure(given.operations), indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
