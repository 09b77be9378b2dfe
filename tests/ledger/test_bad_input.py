"""Disks that are full, files that are damaged, amounts that cannot be: refused or recorded by rule, with a named error; nothing lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading

import pytest

from reelwise.errors import (
    AlreadySettledError,
    BudgetError,
    InputError,
    LedgerError,
    LedgerLockedError,
    OutputError,
    ReelwiseError,
)
from reelwise.ledger import Budget, Event, Ledger, Units, What, Who, who_of
from reelwise.ledger.sqlite import open_sqlite
from reelwise.ledger.verify import verify

WHO = who_of("blur", user="u1")
NAN = float("nan")


@pytest.mark.parametrize("cost", [-1, 1.5, NAN, float("inf"), None, "5", True, 1 << 70, [1]])
def test_a_cost_that_cannot_be_is_refused_and_the_hold_stays(ledger, rows, cost):
    ledger.set_budget(Budget(name="day", hard=100))
    hold = ledger.hold(WHO, 50)

    with pytest.raises(InputError, match="cost"):
        ledger.post(hold, "c1", cost)

    assert hold.status == "pending"
    ledger.post(hold, "c1", 50)
    assert rows(ledger) == [("call", 50)]


@pytest.mark.parametrize("amount", [-1, 1.5, NAN, None, "5", True])
@pytest.mark.parametrize("name", ["nano", "calls", "frames"])
def test_a_hold_that_cannot_be_is_refused(ledger, name, amount):
    ledger.set_budget(Budget(name="day", hard=100))
    given = {"nano": 1, name: amount}

    with pytest.raises(InputError):
        ledger.hold(WHO, given.pop("nano"), **given)

    assert ledger.remaining(WHO) == {"day": 100}
    assert ledger.open_holds == 0


@pytest.mark.parametrize("seconds", [0, -1, NAN, float("inf"), 1e9])
def test_a_timeout_that_cannot_be_is_refused(ledger, seconds):
    with pytest.raises(InputError):
        ledger.hold(WHO, 1, timeout_seconds=seconds)


@pytest.mark.parametrize(
    "given",
    [
        {"units": Units(frames=-1)},
        {"units": Units(frames=1.5)},
        {"units": Units(tokens_text=1 << 60)},
        {"latency_ms": -1},
        {"latency_ms": 0.5},
        {"avoided_nano": -1},
        {"what": What(model="x" * 129)},
        {"what": What(model="a\nb")},
        {"what": What(kind="gift")},
        {"what": What(status="fine")},
        {"identity": ""},
        {"identity": 7},
        {"identity": None},
        {"identity": "x" * 129},
        {"identity": "a\x00b"},
        {"identity": "\ud800"},
    ],
)
def test_what_cannot_be_written_is_refused_before_it_is_counted(ledger, rows, given):
    hold = ledger.hold(WHO, 50)

    with pytest.raises(InputError):
        ledger.post(hold, given.pop("identity", "c1"), 10, **given)

    ledger.post(hold, "c1", 10)
    assert rows(ledger) == [("call", 10)]


@pytest.mark.parametrize(
    "who",
    [
        Who(feature="x" * 129),
        Who(feature="a\tb"),
        Who(user=5),
        Who(tags=tuple((f"t{number}", "x") for number in range(17))),
        Who(tags=(("BIG NAME", "x"),)),
        Who(tags=(("t", "x" * 200),)),
        "blur",
    ],
)
def test_callers_that_cannot_be_are_refused(ledger, who):
    with pytest.raises(InputError):
        ledger.hold(who, 1)
    with pytest.raises(InputError):
        ledger.hold_job("j", who, 1)
    with pytest.raises(InputError):
        ledger.record(Event(id="e", at_ms=1, who=who, what=What(), units=Units(), cost_nano=1))


def test_a_tag_bomb_is_refused():
    for tags in ({f"t{number}": "x" for number in range(1000)}, {"t": "x" * 10**6}, {"x" * 1000: "t"}, {1: "t"}):
        with pytest.raises(InputError):
            who_of("blur", tags=tags)


def test_the_largest_amounts_add_up(ledger):
    ledger.set_budget(Budget(name="day", hard=1 << 59))
    for number in range(8):
        ledger.post(ledger.hold(WHO, 1 << 56), f"c{number}", 1 << 56)

    with pytest.raises(BudgetError):
        ledger.hold(WHO, 1)
    assert verify(ledger.store).cost_nano == 1 << 59


def test_more_calls_than_may_wait_are_denied_and_none_is_lost(opened, rows):
    ledger = opened(queue_max=5)
    for number in range(5):
        ledger.post(ledger.hold(WHO, 1), f"c{number}", 1, wait=False)

    with pytest.raises(BudgetError) as denied:
        ledger.hold(WHO, 1)

    assert (denied.value.reason, denied.value.retryable) == ("ledger", True)
    ledger.flush()
    ledger.post(ledger.hold(WHO, 1), "c5", 1)
    assert len(rows(ledger)) == 6


def test_a_full_disk_loses_nothing(opened, rows):
    ledger = opened()
    ledger.set_budget(Budget(name="day", hard=10**9))
    link = ledger.store.link
    pages = link.rows("PRAGMA page_count")[0][0]
    link.rows(f"PRAGMA max_page_count = {pages}")
    done = 0

    def until_full():
        nonlocal done
        for number in range(2000):
            ledger.post(ledger.hold(WHO, 5), f"c{number}", 5, what=What(model=f"m{number}" * 10))
            done += 1

    with pytest.raises(OutputError, match="full") as full:
        until_full()
    assert full.value.exit_code == 5
    with pytest.raises(OutputError):
        ledger.close()  # and it can be closed again later
    assert ledger.remaining(WHO) == {"day": 10**9 - 5 * (done + 1)}

    link.rows("PRAGMA max_page_count = 1000000")
    ledger.flush()

    assert len(rows(ledger)) == done + 1
    ledger.post(ledger.hold(WHO, 5), "after", 5)


def test_a_full_disk_under_a_thread_is_told_to_whoever_waits(path):
    with Ledger(path) as ledger:
        ledger.set_budget(Budget(name="day", hard=10**9))
        ledger.post(ledger.hold(WHO, 5), "first", 5)
        link = ledger.store.link
        pages = link.rows("PRAGMA page_count")[0][0]
        link.rows(f"PRAGMA max_page_count = {pages}")
        number = 0

        def until_full():
            nonlocal number
            for number in range(2000):
                ledger.post(ledger.hold(WHO, 5), f"c{number}", 5, what=What(model=f"m{number}" * 10))

        with pytest.raises(OutputError):
            until_full()
        link.rows("PRAGMA max_page_count = 1000000")
        ledger.post(ledger.hold(WHO, 5), "last", 5)
        found = verify(ledger.store)
        assert found.problems == ()
        assert found.cost_nano == 5 * (number + 3)


def test_a_locked_database_is_waited_for_and_then_named(path, clock):
    store = open_sqlite(path, wait_seconds=0.05)
    with Ledger(store, clock=clock, thread=False) as ledger:
        hold = ledger.hold(WHO, 5)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(LedgerLockedError, match="locked"):
            ledger.post(hold, "c1", 5)

        other.execute("ROLLBACK")
        other.close()
        ledger.flush()
        assert verify(ledger.store).cost_nano == 5
        with pytest.raises(AlreadySettledError):
            ledger.post(hold, "c1", 5)


def test_a_row_that_was_there_is_not_waited_for_when_the_disk_then_fails(opened, rows, monkeypatch):
    ledger = opened()
    ledger.post(ledger.hold(WHO, 5), "c1", 5)
    ledger.post(ledger.hold(WHO, 5), "c1", 5, wait=False)
    commit, calls = ledger.store.commit, []

    def fails_after_the_duplicate(*given):
        calls.append(given)
        if len(calls) == 2:
            raise OutputError("cannot write")
        return commit(*given)

    monkeypatch.setattr(ledger.store, "commit", fails_after_the_duplicate)
    with pytest.raises(OutputError):
        ledger.flush()
    ledger.flush()

    assert rows(ledger) == [("call", 5)]


def test_a_lock_that_is_let_go_in_time_is_not_noticed(path):
    with Ledger(path) as ledger:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.2, lambda: other.execute("ROLLBACK"))
        timer.start()
        ledger.post(ledger.hold(WHO, 5), "c1", 5)
        timer.join()
        other.close()


def make(path) -> None:
    with Ledger(path, thread=False) as ledger:
        ledger.set_budget(Budget(name="day", hard=10**6))
        for number in range(300):
            ledger.post(ledger.hold(WHO, 5), f"c{number}", 5, wait=False)


@pytest.mark.parametrize("damage", ["text", "truncated", "header", "middle", "empty_pages"])
def test_a_damaged_file_is_named_and_not_touched(path, damage):
    make(path)
    data = bytearray(path.read_bytes())
    if damage == "text":
        data = bytearray(b"no ledger at all, but some text that is long enough to be one\n" * 40)
    elif damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "header":
        data[:100] = b"\xff" * 100
    elif damage == "middle":
        for at in range(4096, len(data), 4096):
            data[at : at + 200] = b"\xaa" * 200
    else:
        data[4096:] = b"\0" * (len(data) - 4096)
    path.write_bytes(data)

    def use():
        ledger = Ledger(path, thread=False, create=False)
        try:
            ledger.post(ledger.hold(WHO, 5), "new", 5)
            assert verify(ledger.store).problems  # what can be read at all does not add up
        finally:
            ledger.store.close()
            ledger._closed = True
        raise LedgerError("balances differ", hint="restore a backup")

    with pytest.raises(LedgerError) as found:
        use()

    assert found.value.hint
    assert found.value.exit_code == 2


def test_a_ledger_of_a_newer_version_is_refused(path):
    make(path)
    direct = sqlite3.connect(path)
    direct.execute("UPDATE meta SET value = '999' WHERE name = 'schema'")
    direct.commit()
    direct.close()

    with pytest.raises(LedgerError, match="999"):
        Ledger(path)


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(InputError, match="no ledger"):
        Ledger(tmp_path / "none.db", create=False)
    with pytest.raises(OutputError):
        Ledger(tmp_path / "none" / "none.db")


def test_a_balance_that_was_changed_by_hand_is_found(path):
    make(path)
    direct = sqlite3.connect(path)
    direct.execute("UPDATE slot SET posted = posted - 1 WHERE posted > 0")
    direct.commit()
    direct.close()

    with Ledger(path, thread=False) as ledger:
        (problem,) = verify(ledger.store).problems

    assert (problem.what, problem.kept, problem.computed) == ("posted", 1499, 1500)


def test_a_row_that_was_deleted_by_hand_is_found(path):
    make(path)
    with Ledger(path, thread=False) as ledger:
        assert verify(ledger.store).problems == ()
    direct = sqlite3.connect(path)
    direct.execute("DELETE FROM event WHERE seq = 5")
    direct.commit()
    direct.close()

    with Ledger(path, thread=False) as ledger:
        assert {one.what for one in verify(ledger.store).problems} >= {"posted"}


def test_a_script_that_ends_without_closing_keeps_what_was_acknowledged(path):
    script = f"""
from reelwise.ledger import Ledger, Budget, who_of
ledger = Ledger({str(path)!r})
ledger.set_budget(Budget(name="day", hard=1000))
ledger.post(ledger.hold(who_of("f"), 10), "c1", 10)
"""
    subprocess.run([sys.executable, "-c", script], check=True)

    with Ledger(path) as ledger:
        assert verify(ledger.store).cost_nano == 10


def test_all_errors_of_the_ledger_are_ours():
    assert all(
        issubclass(one, ReelwiseError) for one in (LedgerError, LedgerLockedError, AlreadySettledError, BudgetError)
    )
