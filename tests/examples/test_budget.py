from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reelwise.ledger.ledger import open_store
from reelwise.ledger.queries import budget_status
from reelwise.ledger.verify import verify

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "budget.py"


def test_64_threads_in_each_of_8_processes_stop_at_the_budget(tmp_path: Path) -> None:
    where = tmp_path / "budget.db"
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), str(where), "6"], capture_output=True, text=True, timeout=120, check=True
    )
    store = open_store(where)
    found = verify(store)
    (status,) = budget_status(store, 1 << 45)
    store.close()

    assert done.stdout == "2,000 of 3,072 calls were made, 2.000 dollars\n"
    assert (found.rows, found.cost_nano, found.overrun_nano, found.leased_nano, found.problems) == (
        2000,
        2 * 10**9,
        0,
        0,
        (),
    )
    assert (status.posted, status.remaining) == (2 * 10**9, 0)
