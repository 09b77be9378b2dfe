from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from reelwise.default_ledger import _Own
from reelwise.ledger import Budget, Ledger

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
import multiprocessing, os, sys, reelwise
from reelwise.ledger import Ledger
def call(_=None):
    with reelwise.meter("f", hold_nano=1): pass
"""


def ran(code: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "REELWISE_LEDGER": str(path)},
    )
    return done.stderr


def count(path: Path) -> int:
    with Ledger(path, thread=False) as ledger:
        return int(ledger.store.link.rows("SELECT COUNT(*) FROM event")[0][0])


def test_a_forked_child_opens_its_own(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    ran(
        """
call()
worker = multiprocessing.get_context("fork").Process(target=call)
worker.start(); worker.join(); assert worker.exitcode == 0
call()
""",
        path,
    )
    assert count(path) == 3


def test_threads_that_come_at_once_open_one(tmp_path: Path) -> None:
    own = _Own(lambda: str(tmp_path / "l.db"))
    gate = threading.Barrier(16)
    found = []

    def work() -> None:
        gate.wait()
        found.append(own.open())

    threads = [threading.Thread(target=work) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len({id(one) for one in found}) == 1
    found[0].close()
    assert own.open() is not found[0]  # a closed one is opened again
    own.open().close()


def test_money_that_passes_no_budget_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    said = ran("call(); call()", path)
    assert said.count("no budget is set") == 1
    with Ledger(path, thread=False) as ledger:
        ledger.set_budget(Budget(name="another", match=(("feature", "g"),), hard=1))
    assert ran("call()", path) == ""


@pytest.mark.parametrize(
    "code",
    [
        "unclosed = Ledger(os.environ['REELWISE_LEDGER'], group_seconds=0.5)\nwork(unclosed)",
        "worker = multiprocessing.get_context('fork').Process(target=work); worker.start(); worker.join()",
    ],
    ids=["process", "worker"],
)
def test_rows_of_a_ledger_that_nobody_closed_are_written_at_exit(tmp_path: Path, code: str) -> None:
    path = tmp_path / "l.db"
    ran(
        """
def work(ledger=None):
    ledger = ledger or Ledger(os.environ["REELWISE_LEDGER"], group_seconds=0.5)
    global kept
    kept = ledger
    for _ in range(5):
        with reelwise.meter("f", hold_nano=1, ledger=ledger, wait=False): pass
"""
        + code,
        path,
    )
    assert count(path) == 5
    with Ledger(path, thread=False) as ledger:
        assert ledger.store.link.rows("SELECT COALESCE(SUM(leased), 0) FROM slot")[0][0] == 0


def test_sigterm_turned_into_an_exit_settles_and_writes(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    code = """
import signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with reelwise.meter("f", hold_nano=9, wait=False):
    os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code],
        timeout=60,
        check=False,
        env={**os.environ, "REELWISE_LEDGER": str(path)},
        capture_output=True,
    )
    assert done.returncode == 143
    with Ledger(path, thread=False) as ledger:
        assert ledger.store.link.rows("SELECT e.cost, w.status FROM event e JOIN what w ON w.id = e.what") == [
            (9, "ambiguous")
        ]
