"""What may be done to files: backups, databases of something else, and ledgers that one may only read."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from reelwise.cli.budget import cli as budget_cli
from reelwise.cli.ledger import cli as ledger_cli
from reelwise.errors import InputError, LedgerError, LedgerLockedError
from reelwise.ledger import Budget, Ledger, who_of
from reelwise.ledger.ledger import open_store
from reelwise.ledger.queries import last_rows
from reelwise.ledger.rolls import fold, sums
from reelwise.ledger.sqlite import open_sqlite
from reelwise.ledger.verify import verify

WHO = who_of("blur", user="u1")


def make(path, count=3, name="c", **options):
    with Ledger(path, thread=False, **options) as ledger:
        ledger.set_budget(Budget(name="day", hard=10**9, period="total"))
        for number in range(count):
            ledger.post(ledger.hold(WHO, 5), f"{name}{number}", 5)


def run(group, *arguments):
    return CliRunner().invoke(group, [str(one) for one in arguments])


@pytest.mark.parametrize("way", ["itself", "link", "hard_link", "log", "count"])
def test_a_backup_never_replaces_the_ledger_it_is_made_of(tmp_path, way):
    path = tmp_path / "ledger.db"
    ledger = Ledger(path, thread=False)
    ledger.post(ledger.hold(WHO, 5), "c1", 5)
    target = {"itself": path, "log": tmp_path / "ledger.db-wal", "count": tmp_path / "ledger.db-count"}.get(
        way, tmp_path / "other.db"
    )
    if way == "link":
        target.symlink_to(path)
    if way == "hard_link":
        os.link(path, target)

    for overwrite in (False, True):
        with pytest.raises(InputError, match="onto itself"):
            ledger.store.link.backup(target, overwrite=overwrite)

    ledger.post(ledger.hold(WHO, 5), "c2", 5)
    ledger.close()
    with Ledger(path, thread=False) as again:
        assert verify(again.store).rows == 2


def test_a_backup_replaces_a_file_only_when_told_and_never_one_in_use(tmp_path):
    path, other = tmp_path / "ledger.db", tmp_path / "other.db"
    make(path)
    make(other, 7)
    refused = run(ledger_cli, "backup", other, "--ledger", path)
    assert isinstance(refused.exception, InputError)
    with Ledger(other, thread=False) as used:
        used.flush()
        refused = run(ledger_cli, "backup", other, "--ledger", path, "--force")
        assert isinstance(refused.exception, InputError)
        assert "open" in str(refused.exception)
    with Ledger(other, thread=False) as same:
        assert verify(same.store).rows == 7

    assert run(ledger_cli, "backup", other, "--ledger", path, "--force").exit_code == 0

    with Ledger(other, thread=False) as copied:
        assert verify(copied.store).rows == 3
    assert not [one for one in tmp_path.iterdir() if one.suffix == ".part"]


@pytest.mark.parametrize(
    "tables", ["CREATE TABLE customers (x)", "CREATE TABLE meta (k, v)", "PRAGMA application_id = 7"]
)
@pytest.mark.parametrize("create", [True, False])
def test_a_database_of_something_else_is_left_as_it_is(tmp_path, tables, create):
    path = tmp_path / "crm.db"
    direct = sqlite3.connect(path)
    direct.execute(tables)
    direct.commit()
    direct.close()
    before = path.read_bytes()

    with pytest.raises(LedgerError, match="something else"):
        Ledger(path, create=create)

    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["crm.db"]


def test_an_empty_file_becomes_no_ledger_by_reading(tmp_path):
    path = tmp_path / "empty.db"
    path.touch()

    with pytest.raises(InputError, match="no ledger"):
        Ledger(path, create=False)

    assert path.read_bytes() == b""
    make(path)
    assert sqlite3.connect(path).execute("PRAGMA application_id").fetchone()[0] == 0x52574C47


def test_a_ledger_without_the_mark_is_known_and_gets_it_when_it_is_written(tmp_path):
    path = tmp_path / "ledger.db"
    make(path)
    direct = sqlite3.connect(path)
    direct.execute("PRAGMA application_id = 0")
    direct.close()

    open_sqlite(path, create=False).close()
    assert sqlite3.connect(path).execute("PRAGMA application_id").fetchone()[0] == 0
    open_sqlite(path).close()
    assert sqlite3.connect(path).execute("PRAGMA application_id").fetchone()[0] == 0x52574C47


def test_an_older_schema_is_not_changed_by_reading(tmp_path):
    path = tmp_path / "ledger.db"
    make(path)
    direct = sqlite3.connect(path)
    direct.execute("UPDATE meta SET value = '0' WHERE name = 'schema'")
    direct.commit()
    direct.close()

    with pytest.raises(LedgerError, match="nothing was changed"):
        open_sqlite(path, create=False)


@pytest.fixture
def shelf():
    """A folder that others may look into, and not write."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextlib.contextmanager
def as_somebody_else(folder):
    for one in folder.iterdir():
        one.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        for one in folder.iterdir():
            one.chmod(0o644)


LOOKING = (
    (ledger_cli, "show"),
    (ledger_cli, "top"),
    (ledger_cli, "verify"),
    (ledger_cli, "export", "--out", "-"),
    (budget_cli, "list"),
    (budget_cli, "status"),
)


@pytest.mark.parametrize("open_elsewhere", [True, False])
def test_who_may_only_read_can_look(shelf, open_elsewhere):
    path = shelf / "ledger.db"
    make(path)
    for group, *arguments in LOOKING:
        run(group, *arguments, "--ledger", path)  # what is imported when first used
    ledger = Ledger(path, thread=False) if open_elsewhere else None
    if ledger is not None:
        ledger.post(ledger.hold(WHO, 5), "c9", 5)
    names = sorted(one.name for one in shelf.iterdir())

    with as_somebody_else(shelf):
        with contextlib.closing(open_store(path, create=False, read_only=True)) as store:
            found = verify(store)
            assert found.problems == ()
            assert found.rows == 3 + open_elsewhere
            with pytest.raises(LedgerError, match="read only"):
                fold(store)
        for group, *arguments in LOOKING:
            result = run(group, *arguments, "--ledger", path)
            assert result.exit_code == 0, (arguments, result.exception, result.output)

    assert sorted(one.name for one in shelf.iterdir()) == names
    if ledger is not None:
        ledger.close()


def test_what_is_read_while_somebody_begins_to_write_is_said_to_be_doubtful(tmp_path):
    path = tmp_path / "ledger.db"
    make(path)
    store = open_store(path, read_only=True)
    verify(store)
    make(path, 500, "later")

    with pytest.raises(LedgerLockedError, match="began to write"):
        store.close()


@pytest.mark.parametrize("folded", [True, False])
def test_a_tags_name_stands_for_itself(ledger, folded):
    for number, name in enumerate(("a_b", "a-b", "axb")):
        who = who_of("f", tags={name: "V"})
        ledger.post(ledger.hold(who, 5), f"c{number}", number + 1)
    if folded:
        fold(ledger.store)
    now = ledger.clock.now_ms()

    assert [(one.label, one.cost_nano) for one in sums(ledger.store, 0, now + 1, by="tag:a_b")] == [("V", 1)]
    assert [one["cost_nano"] for one in last_rows(ledger.store, 9, labels={"tag:a_b": "V"})] == [1]
    assert last_rows(ledger.store, 9, labels={"tag:a_b": "v"}) == []
