"""Writers under load that are killed with SIGKILL at random moments, and what must hold of the file they leave.

python tests/ledger/killing.py --runs 200 [--first 0]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from reelwise.errors import BudgetError, LedgerError
from reelwise.ledger import Budget, Ledger, who_of
from reelwise.ledger.events import key_of
from reelwise.ledger.ledger import open_store
from reelwise.ledger.verify import verify

LIMIT = 40_000_000
THREADS = 4
LEASE_USD = 0.0005


def write(path: str, name: str, seed: int) -> None:
    """Call and settle from several threads until killed; say on standard output what was acknowledged."""
    ledger = Ledger(path, lease_usd=LEASE_USD)

    def work(number: int) -> None:
        rng = random.Random(f"{seed}-{name}-{number}")  # noqa: S311 - no secret
        at = 0
        while True:
            who = who_of("blur", user=f"u{rng.randrange(5)}", session=f"s{rng.randrange(20)}")
            try:
                hold = ledger.hold(who, rng.randint(1, 2_000))
            except BudgetError:
                time.sleep(0.001)
                continue
            if rng.random() < 0.1:
                ledger.void(hold)
                continue
            cost = rng.randint(0, hold.nano) + (100 if rng.random() < 0.05 else 0)
            identity = f"{name}-{number}-{at}-{cost}"
            at += 1
            wait = rng.random() < 0.7
            ledger.post(hold, identity, cost, wait=wait)
            if wait:
                os.write(1, f"{identity}\n".encode())

    for number in range(THREADS):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    os.write(1, b"ready\n")
    while True:
        time.sleep(60)


def run(seed: int, folder: Path) -> dict[str, int]:
    """Run two writers, kill each at a random moment, and check the file; return what was seen."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    path = folder / f"{seed}.db"
    with Ledger(path, thread=False) as ledger:
        ledger.set_budget(Budget(name="all", period="total", hard=LIMIT))
        ledger.set_budget(Budget(name="user", each=("user",), period="total", hard=LIMIT // 4))
        ledger.set_budget(Budget(name="session", each=("session",), period="day", hard=LIMIT // 8))
        ledger.set_budget(Budget(name="few", each=("user",), period="total", hard=rng.choice((LIMIT, 200_000))))
    command = [sys.executable, __file__, "--write", str(path), "--first", str(seed)]
    writers = [subprocess.Popen([*command, "--name", name], stdout=subprocess.PIPE) for name in "ab"]
    said: list[list[str]] = [[], []]
    readers = [threading.Thread(target=_read, args=(one, said[at])) for at, one in enumerate(writers)]
    for one in readers:
        one.start()
    begun = time.monotonic()
    first = 1 + seed % 2  # every other run is killed after a row was acknowledged, on a slow machine too
    while any(len(one) < first for one in said) and time.monotonic() - begun < 60:
        time.sleep(0.005)
    for one in rng.sample(writers, 2):
        time.sleep(rng.random() * 0.25)
        one.send_signal(signal.SIGKILL)
    for one, reader in zip(writers, readers, strict=True):
        one.wait()
        reader.join()
        if one.stdout:
            one.stdout.close()
    acknowledged = [one for lines in said for one in lines if one != "ready"]
    return {"acknowledged": len(acknowledged), **check(path, acknowledged)}


def _read(writer: subprocess.Popen[bytes], said: list[str]) -> None:
    for line in writer.stdout or ():
        text = line.decode()
        if text.endswith("\n"):  # a line that was cut off in the middle was not said
            said.append(text.strip())


def check(path: Path, acknowledged: list[str]) -> dict[str, int]:
    """Check a file whose writers are dead.

    Raises:
        AssertionError: an invariant does not hold.
    """
    store = open_store(path)
    before = verify(store)
    with store.transaction(write=False) as link:
        rows = {bytes(key): int(cost) for key, cost in link.rows("SELECT id, cost FROM event")}
        count = link.rows("SELECT COUNT(*) FROM event")[0][0]
    lost = [
        one
        for one in acknowledged
        if rows.get(key_of(one), -1) + rows.get(key_of(f"{one}/overrun"), 0) != int(one.rpartition("-")[2])
    ]
    doubled = count - len(rows)
    store.reap(round(time.time() * 1000) + 60_000)
    after = verify(store)
    with store.transaction(write=False) as link:
        leased, gone = link.rows("SELECT SUM(leased), SUM(lost) FROM slot")[0]
        over = link.rows(
            "SELECT COUNT(*) FROM slot s JOIN budget b ON b.id = s.budget WHERE "
            "s.posted - s.overrun + s.leased + s.pending + s.lost > json_extract(b.body, '$.hard')"
        )[0][0]
    store.close()
    if before.problems or after.problems or lost or doubled or leased or over:
        raise AssertionError(
            f"{path.name}: {before.problems} {after.problems} lost {lost[:3]} twice {doubled} leased {leased} above {over}"
        )
    if after.lost_nano != before.leased_nano + before.lost_nano:
        raise AssertionError(f"{path.name}: {after.lost_nano} lost of leases of {before.leased_nano}")
    return {
        "rows": count,
        "lost": 0,
        "double": 0,
        "leaked": 0,
        "uncertain_nano": int(gone or 0),
    }  # none where a writer died before its first lease


def kill(first: int, runs: int) -> dict[str, Any]:
    """Run several; return totals and failures."""
    begun = time.perf_counter()
    total: dict[str, Any] = {"runs": 0, "failed": []}
    with tempfile.TemporaryDirectory() as name:
        for seed in range(first, first + runs):
            try:
                found = run(seed, Path(name))
            except (AssertionError, LedgerError) as error:
                total["failed"].append(str(error))
                continue
            total["runs"] += 1
            for key, value in found.items():
                total[key] = total.get(key, 0) + value
    total["seconds"] = round(time.perf_counter() - begun, 1)
    return total


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--write")
    parser.add_argument("--name", default="a")
    given = parser.parse_args()
    if given.write:
        write(given.write, given.name, given.first)
    found = kill(given.first, given.runs)
    print(json.dumps(found))  # noqa: T201
    raise SystemExit(bool(found["failed"]))


if __name__ == "__main__":
    main()
