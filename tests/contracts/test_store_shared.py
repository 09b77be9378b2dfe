"""Several processes and hosts share one budget exactly, whichever store it is kept in."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from reelwise.errors import BudgetError
from reelwise.ledger import Budget, Ledger, What, who_of
from reelwise.ledger.verify import verify

LIMIT = 1_000_000_000
COST = 3_000_007

_SPEND = """
import sys
from reelwise.errors import BudgetError
from reelwise.ledger import Ledger, who_of

where, name = sys.argv[1:]
done = 0
with Ledger(where, lease_usd=0.02) as ledger:
    who = who_of("blur", user=name)
    sys.stdin.readline()
    while True:
        try:
            hold = ledger.hold(who, 3_000_007)
        except BudgetError:
            break
        ledger.post(hold, f"{name}-{done}", 3_000_007, wait=False)
        done += 1
    ledger.flush()
print(done)
"""


def spend(ledger, name, done):
    """Call until a budget says no; a call that costs less than it held, one that is let go, and one that costs more, among them."""
    who = who_of("blur", user=name)
    number = 0
    while True:
        try:
            hold = ledger.hold(who, COST)
        except BudgetError as error:
            done.append((number, error))
            return
        number += 1
        if number % 10 == 0:
            ledger.void(hold)
        else:
            ledger.post(hold, f"{name}-{number}", COST - number % 3, wait=number % 7 == 0)


@pytest.mark.parametrize("lease_usd", [0.0, 0.05])
def test_two_owners_in_threads_share_a_limit_exactly(stores, lease_usd):
    with Ledger(stores.open(), lease_usd=lease_usd) as first:
        first.set_budget(Budget(name="all", period="total", hard=LIMIT))
        first.set_budget(Budget(name="users", each=("user",), period="total", hard=LIMIT * 2 // 3))
        ledgers = [first]
        if stores.shared:
            ledgers.append(Ledger(stores.open(), lease_usd=lease_usd))
        done = []
        threads = [
            threading.Thread(target=spend, args=(one, f"u{at}-{thread}", done))
            for at, one in enumerate(ledgers)
            for thread in range(2)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join(120)
        for one in ledgers:
            one.flush()
        found = verify(first.store)

        assert len(done) == len(threads)
        assert found.overrun_nano == 0
        assert found.cost_nano <= LIMIT
        assert LIMIT - found.cost_nano - found.leased_nano < COST * 2
        assert not found.problems
        for one in ledgers[1:]:
            one.close()


def test_processes_share_a_limit_to_the_last_call(shared_stores):
    with Ledger(shared_stores.open()) as ledger:
        ledger.set_budget(Budget(name="all", period="total", hard=LIMIT))
    command = [sys.executable, "-W", "error", "-c", _SPEND, shared_stores.where]
    started = [
        subprocess.Popen([*command, f"u{at}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for at in range(3)
    ]
    counts = [one.communicate("go\n", timeout=120) for one in started]

    assert [one.returncode for one in started] == [0, 0, 0]
    posted = sum(int(text) for text, _ in counts)
    found = verify(shared_stores.open())
    assert posted == found.rows == LIMIT // COST  # to the last call that fits
    assert found.cost_nano == posted * COST
    assert (found.leased_nano, found.overrun_nano) == (0, 0)
    assert not found.problems


def test_a_process_that_is_killed_takes_at_most_its_lease_with_it(shared_stores):
    with Ledger(shared_stores.open()) as ledger:
        ledger.set_budget(Budget(name="all", period="total", hard=LIMIT))
    code = (
        _SPEND.replace("    sys.stdin.readline()\n", "")
        .replace("wait=False", "wait=True")
        .replace("        done += 1\n", "        done += 1\n        print(done, flush=True)\n")
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code, shared_stores.where, "dead"], stdout=subprocess.PIPE, text=True
    )
    acknowledged = [running.stdout.readline() for _ in range(20)]
    running.kill()
    rest, _ = running.communicate(timeout=60)
    acknowledged = int((acknowledged + rest.splitlines())[-1])
    store = shared_stores.open()
    store.reap(int(time.time() * 1000) + 60_000)
    found = verify(store)

    assert found.rows in (acknowledged, acknowledged + 1)  # the last may be written and not yet heard of
    assert found.lost_nano <= 20_000_000 + COST
    assert not found.problems
    with Ledger(store, lease_usd=0.02) as ledger:
        done = []
        spend(ledger, "next", done)
        ledger.flush()
        found = verify(store)
        assert LIMIT - COST < found.cost_nano + found.lost_nano + found.leased_nano <= LIMIT
        assert "uncertain since a process died" in str(done[0][1]) or not found.lost_nano


def until_refused(ledger, who, seconds):
    asked = time.monotonic()
    while time.monotonic() - asked < seconds:
        try:
            ledger.void(ledger.hold(who, COST))
        except BudgetError:
            return
    pytest.fail(f"calls were let through for {seconds} s")


def test_a_kill_switch_stops_the_next_call_of_every_owner(shared_stores):
    with Ledger(shared_stores.open()) as here, Ledger(shared_stores.open()) as there:
        who = who_of("blur", user="u1")
        there.void(there.hold(who, COST))

        here.kill("blur", "a loop")
        with pytest.raises(BudgetError) as caught:
            here.hold(who, COST)
        assert (caught.value.reason, caught.value.retryable) == ("killed", False)
        if shared_stores.kind == "postgres":  # in a file it is the very next call; over a network a little later
            until_refused(there, who, 60)
        with pytest.raises(BudgetError, match="a loop"):
            there.hold(who, COST)
        there.resume("blur")
        there.void(there.hold(who, COST))


def test_a_row_is_counted_once_whoever_sends_it(shared_stores):
    with Ledger(shared_stores.open()) as here, Ledger(shared_stores.open()) as there:
        here.set_budget(Budget(name="all", period="total", hard=LIMIT))
        who = who_of("blur")
        for number in range(20):
            for ledger in (here, there):
                ledger.post(ledger.hold(who, COST), f"{number}", COST, what=What(model="m"), wait=False)
        here.flush()
        there.flush()

        assert here.duplicates + there.duplicates == 20
        found = verify(here.store)
        assert (found.rows, found.cost_nano) == (20, 20 * COST)
        assert not found.problems
