"""Ten million events in one SQLite file: how long each question takes, and how large the file is.

python bench/ledger_rows.py --rows 1000000
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from reelwise.ledger import Budget, Ledger, What, who_of
from reelwise.ledger.events import key_of
from reelwise.ledger.ledger import open_store
from reelwise.ledger.rolls import fold, series, sums
from reelwise.ledger.verify import verify
from reelwise.ledger.words import INSERT_EVENT

DAY = 86_400_000
FIRST = round(dt.datetime(2026, 9, 1, tzinfo=dt.UTC).timestamp() * 1000)
DAYS = 30
PART = 20_000
A_SESSION = 10  # events
USERS = 20_000
FEATURES = ("blur", "captions", "tags", "search", "moderation")
MODELS = ("small", "medium", "large", "embed", "speech", "film")


def fill(path: Path, rows: int) -> dict[str, Any]:
    """Write rows as the ledger's own writer does: the same tables, labels and sums, without holds and budgets."""
    rng = random.Random(1)  # noqa: S311 - no secret
    store = open_store(path)
    store.link.rows("PRAGMA wal_autocheckpoint = 20000")
    whats = [
        What(model=model, provider="cloud", stage="call", mode=mode) for model in MODELS for mode in ("full", "saver")
    ]
    begun, cpu = time.perf_counter(), time.process_time()
    for at in range(0, rows, PART):
        found = []
        with store.transaction() as link:
            numbers = [store._words.what(one) for one in whats]  # noqa: SLF001 - the loader is the writer's twin
            for first in range(at, min(rows, at + PART), A_SESSION):
                user = rng.randrange(USERS)
                who = store._words.who(  # noqa: SLF001
                    who_of(FEATURES[user % 5], user=f"user-{user}", session=f"s{first // A_SESSION}")
                )
                when = FIRST + first * DAYS * DAY // rows
                for number in range(first, first + A_SESSION):
                    video = rng.randrange(1_000, 60_000)
                    found.append(
                        (
                            key_of(f"call-{number}"),
                            when + (number - first) * 7_000,
                            who,
                            numbers[(first // A_SESSION * 5 + number // 4) % 12],  # a session uses a few models
                            video * 31,
                            0,
                            rng.randrange(200, 3_000),
                            *(1, 0, 0, 120, 0, video // 10, 0, 0, 0, rng.randrange(20, 400), video, 0, 0, 0, 0),
                        )
                    )
            link.many(INSERT_EVENT, found)
        fold(store)
    while fold(store):
        pass
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    store.put_budget(Budget(name="month", period="month", hard=10**15), FIRST + DAYS * DAY - 1)
    store.link.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    parts = {str(name): round(int(used) / rows, 1) for name, used in _sizes(store) if used > rows / 10}
    store.close()
    return {
        "load_seconds": round(seconds, 1),
        "load_rows_s": round(rows / seconds),
        "load_cpu_s": round(cpu, 1),
        "bytes_row": round(size / rows, 1),
        "bytes_row_by_table": parts,
    }


def _sizes(store: Any) -> list[tuple[str, int]]:
    try:
        return store.link.rows("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC")
    except Exception:  # noqa: BLE001 - this SQLite has no dbstat: only the file's size is known
        return []


def ask(path: Path, rounds: int) -> dict[str, Any]:
    """Time each question, each time for another span or feature, on an open ledger."""
    rng = random.Random(2)  # noqa: S311 - no secret
    stop = FIRST + DAYS * DAY
    with Ledger(path, thread=False, create=False) as ledger:
        store = ledger.store

        def by_day(by: str) -> list[Any]:
            at = FIRST + rng.randrange(DAYS - 1) * DAY
            return sums(store, at, at + DAY, by=by, most=20)

        def a_day(grain: str) -> list[Any]:
            at = FIRST + rng.randrange(DAYS - 1) * DAY
            return series(store, at, at + DAY, grain)

        def latest() -> list[Any]:
            with store.transaction(write=False) as link:
                return link.rows(
                    "SELECT e.at_ms, e.cost, h.feature, h.session, w.model FROM event e JOIN who h ON h.id = e.who "
                    "JOIN what w ON w.id = e.what ORDER BY e.seq DESC LIMIT 100"
                )

        def status() -> list[int]:
            budget = next(iter(store.definitions().budgets.items()))
            return store.spent([(budget[1], (budget[0], "", FIRST))], stop - 1)

        questions = {
            "total, month": lambda: sums(store, FIRST, stop),
            "by feature, month": lambda: sums(store, FIRST, stop, by="feature"),
            "by model, month": lambda: sums(store, FIRST, stop, by="model"),
            "by model, 30 days of one feature": lambda: sums(
                store, FIRST, stop, by="model", feature=rng.choice(FEATURES)
            ),
            "by feature, day": lambda: by_day("feature"),
            "by user, day, top 20": lambda: by_day("user"),
            "by session, day, top 20": lambda: by_day("session"),
            "by user, month, top 20": lambda: sums(store, FIRST, stop, by="user", most=20),
            "by session, month, top 20": lambda: sums(store, FIRST, stop, by="session", most=20),
            "series by hour, day": lambda: a_day("hour"),
            "series by hour, month": lambda: series(store, FIRST, stop, "hour"),
            "series by minute, day": lambda: a_day("minute"),
            "last 100 rows": latest,
            "budget status": status,
        }
        found = {}
        for name, question in questions.items():
            taken = []
            for _ in range(rounds):
                begun = time.perf_counter()
                question()
                taken.append((time.perf_counter() - begun) * 1000)
                if sum(taken) > 20_000:
                    break  # slow enough to know
            taken.sort()
            found[name] = {
                "median_ms": round(statistics.median(taken), 2),
                "p95_ms": round(taken[int(len(taken) * 0.95)], 2),
                "rounds": len(taken),
            }
        return found


def measure(rows: int, *, rounds: int = 40, check: bool = True, folder: str | None = None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name) / "ledger.db"
        found = {"rows": rows, **fill(path, rows), "queries": ask(path, rounds)}
        slow = [one for one, figures in found["queries"].items() if figures["p95_ms"] > 100]
        found["query_p95_ms_worst"] = max(one["p95_ms"] for one in found["queries"].values())
        found["queries_above_100_ms"] = slow
        if check:
            store = open_store(path)
            begun = time.perf_counter()
            verified = verify(store)
            found["verify_seconds"] = round(time.perf_counter() - begun, 1)
            found["verify_problems"] = len(verified.problems)
            store.close()
        return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", default=os.environ.get("TMPDIR"))
    given = parser.parse_args()
    print(json.dumps(measure(given.rows, folder=given.folder), indent=1))


if __name__ == "__main__":
    main()
