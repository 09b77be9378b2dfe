"""What only the store in PostgreSQL does: addresses, schemas, lost connections, a server that is restarted."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from reelwise.cli import cli as command_line
from reelwise.errors import BudgetError, InputError, LedgerError, MissingExtraError, OutputError
from reelwise.ledger import Budget, Event, Ledger, Units, What, Who, postgres_watch, who_of
from reelwise.ledger.address import shown_address
from reelwise.ledger.modes import Feature
from reelwise.ledger.postgres import open_postgres, read_address
from reelwise.ledger.verify import verify

pytest.importorskip("psycopg", reason="psycopg is not installed")
import psycopg

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_800_000_000_000
SECRET = "s3cr3t"  # noqa: S105 - of nothing


def row(identity):
    return Event(id=identity, at_ms=NOW, who=Who(feature="blur"), what=What(), units=Units(calls=1), cost_nano=1)


def rows(store):
    with store.transaction(write=False) as link:
        return int(link.rows("SELECT COUNT(*) FROM event")[0][0])


def kill_connection(where, store):
    """End the store's connection from the server's side."""
    number = store.link._connection.info.backend_pid
    with psycopg.connect(where.partition("?")[0], autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (number,))


# the address


def test_the_address_names_a_schema_and_keeps_libpqs_own_options():
    found = read_address(
        f"postgresql://me:{SECRET}@db.example:5433/money?sslmode=require&schema=team_a&connect_timeout=2"
    )

    assert found.schema == "team_a"
    assert found.shown == "postgresql://me@db.example:5433/money?schema=team_a"
    assert found.parameters["password"] == SECRET
    assert found.parameters["sslmode"] == "require"
    assert found.parameters["connect_timeout"] == "2"
    assert read_address("postgresql:///money").schema == "reelwise"


@pytest.mark.parametrize("schema", ["", "Team", "pg_temp", 'a"; DROP TABLE x', "x" * 49, "1st"])
def test_a_schema_that_cannot_be_named_so_is_refused(schema):
    with pytest.raises(InputError, match="schema"):
        read_address(f"postgresql:///money?schema={schema}")


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://me:a/{SECRET}@host/db",
        f"postgresql://me:{SECRET}@host:port/db",
        f"postgresql://me:{SECRET}@host/db?no_such_option=1",
        f"postgresql://me:{SECRET}%zz@host/db",
        f"postgresql://me:{SECRET}@127.0.0.1:1/db",
        f"postgresql://me:{SECRET}@host.invalid/db",  # as long as the name server takes to say so
    ],
)
def test_an_address_that_leads_nowhere_is_an_error_without_the_password(address):
    with pytest.raises((InputError, LedgerError)) as caught:
        open_postgres(address, wait_seconds=0.1)

    said = f"{caught.value} {caught.value.hint} {caught.value.where}"
    assert SECRET not in said
    assert caught.value.hint


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("folder/a@b:c.db", "folder/a@b:c.db"),
        (f"postgresql://me:{SECRET}@host:5433/db?password={SECRET}&schema=a", "postgresql://me@host:5433/db?schema=a"),
        (f"postgres://me:x/@{SECRET}@host/db", "postgres://me@host/db"),
        (f"postgresql://me:x?{SECRET}@host/db", "postgresql://..."),
        ("postgresql:///db", "postgresql:///db"),
    ],
)
def test_what_is_printed_of_an_address_has_no_password(where, said):
    assert shown_address(where) == said


@pytest.mark.parametrize(
    "command",
    [
        ["budget", "set", "all", "--hard", "1", "--json"],
        ["budget", "status", "--json"],
        ["ledger", "top", "--json"],
        ["ledger", "verify", "--json"],
        ["ledger", "backup", "copy"],
    ],
)
def test_no_command_prints_the_password(postgres, command):
    secret = read_address(postgres.where).parameters["password"]
    postgres.open()

    done = CliRunner().invoke(command_line, [*command, "--ledger", postgres.where])

    assert secret not in done.output + str(done.exception)
    if command[1] == "backup":
        assert "pg_dump" in done.exception.hint
    else:
        assert done.exception is None, done.output
        assert postgres.where.rpartition("?")[2] in done.output


def test_without_psycopg_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError) as caught:
        open_postgres("postgresql:///money")
    assert caught.value.hint == "pip install 'reelwise[postgres]'"


def test_a_wrong_password_is_an_error_without_it(postgres):
    base = postgres.where.partition("?")[0]
    host = base.rpartition("@")[2]
    with pytest.raises(LedgerError, match="password") as caught:
        open_postgres(f"postgresql://postgres:{SECRET}@{host}", wait_seconds=0.1)
    assert SECRET not in str(caught.value)


def test_ledgers_in_two_schemas_know_nothing_of_each_other(postgres):
    one = postgres.open()
    with psycopg.connect(postgres.where.partition("?")[0], autocommit=True) as admin:
        other = open_postgres(f"{postgres.where}_b", wait_seconds=1)
        try:
            one.put_feature(Feature(name="blur"))
            with one.transaction() as link:  # and one's writers do not wait for the other's
                link.run("UPDATE meta SET value = value")
                other.put_feature(Feature(name="find"))
            assert list(one.definitions().features) == ["blur"]
            assert list(other.definitions().features) == ["find"]
        finally:
            other.close()
            admin.execute("SET client_min_messages = error")
            admin.execute(f'DROP SCHEMA "{postgres.where.rpartition("=")[2]}_b" CASCADE'.encode())


def test_a_ledger_that_is_not_there_is_not_made_by_reading(postgres):
    with pytest.raises(InputError, match="no ledger") as caught:
        postgres.open(create=False)
    assert caught.value.hint
    postgres.open()
    postgres.open(create=False)


def test_a_backup_is_pg_dumps_work(postgres, tmp_path):
    with pytest.raises(InputError) as caught:
        postgres.open().link.backup(tmp_path / "copy")
    assert "pg_dump" in caught.value.hint
    assert postgres.where.rpartition("=")[2] in caught.value.hint


# what the server must be


def test_a_clock_far_from_the_servers_is_refused(postgres, monkeypatch):
    now = time.time
    monkeypatch.setattr("reelwise.ledger.postgres_link.time.time", lambda: now() - 40)
    with pytest.raises(InputError, match=r"clock .* 4\d s") as caught:
        postgres.open()
    assert "NTP" in caught.value.hint


def test_a_database_in_another_encoding_is_refused(postgres):
    base = postgres.where.partition("?")[0]
    name = postgres.where.rpartition("=")[2]
    with psycopg.connect(base, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE \"{name}\" ENCODING 'SQL_ASCII' TEMPLATE template0".encode())
        try:
            with pytest.raises(LedgerError, match="SQL_ASCII"):
                open_postgres(f"{base.rpartition('/')[0]}/{name}")
        finally:
            admin.execute(f'DROP DATABASE "{name}"'.encode())


def test_a_database_that_may_lose_its_last_moments_is_overruled(postgres):
    base = postgres.where.partition("?")[0]
    store = open_postgres(f"{base}?options=-csynchronous_commit%3Doff&schema={postgres.where.rpartition('=')[2]}")
    with store.transaction(write=False) as link:
        assert link.rows("SHOW synchronous_commit") == [("on",)]
    store.close()


def test_a_user_who_may_not_make_a_schema_is_told_which_grant_is_missing(postgres):
    base = postgres.where.partition("?")[0]
    name = postgres.where.rpartition("=")[2]
    with psycopg.connect(base, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{SECRET}'".encode())
        address = f"postgresql://{name}:{SECRET}@{base.rpartition('@')[2]}?schema={name}"
        try:
            with pytest.raises(LedgerError, match="permission denied") as caught:
                open_postgres(address)
            assert "GRANT" in caught.value.hint
            admin.execute(f'CREATE SCHEMA "{name}" AUTHORIZATION "{name}"'.encode())
            open_postgres(address).close()  # a schema of its own is all that it needs
        finally:
            admin.execute("SET client_min_messages = error")
            admin.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'.encode())
            admin.execute(f'DROP ROLE "{name}"'.encode())


@pytest.mark.parametrize("code", ["53100", "58030"])
def test_a_disk_that_is_full_loses_nothing(postgres, code):
    store = postgres.open()
    with store.transaction() as link:
        link.run(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '{code}'; END $$"
        )
        link.run("CREATE TRIGGER refuse BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION refuse()")
    with Ledger(store) as ledger:
        ledger.set_budget(Budget(name="all", period="total", hard=1000))
        hold = ledger.hold(who_of("blur"), 10)
        with pytest.raises(OutputError, match="no space left"):
            ledger.post(hold, "1", 7)
        with store.transaction() as link:
            link.run("DROP TRIGGER refuse ON event")
        ledger.flush()
        found = verify(store)
        assert (found.rows, found.cost_nano, ledger.duplicates) == (1, 7, 0)
        assert not found.problems


def test_a_server_that_takes_no_writes_is_an_output_error(postgres):
    store = postgres.open()
    store.link.run("SET default_transaction_read_only = on")
    with pytest.raises(OutputError, match="read-only"):
        store.put_feature(Feature(name="blur"))
    assert store.definitions().features == {}


# lost connections


class LostReply:
    """A connection whose next COMMIT is done, and not heard of; or is never done."""

    def __init__(self, connection, *, done):
        self._connection = connection
        self._done = done

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, text, *values, **options):
        if text != b"COMMIT":
            return self._connection.execute(text, *values, **options)
        if self._done:
            self._connection.execute(text)
        self._connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


def lose_reply(store, *, done):
    store.link._connection = LostReply(store.link._connection, done=done)


def test_a_commit_that_was_done_but_not_heard_of_is_done_once(postgres):
    store = postgres.open()
    store.commit("a", [row("1")], [], NOW)
    lose_reply(store, done=True)

    assert store.commit("a", [row("2")], [], NOW).duplicates == []
    assert rows(store) == 2
    assert store.commit("a", [row("2")], [], NOW).duplicates == [0]


def test_a_commit_that_was_not_done_is_said_to_be_not_done(postgres):
    store = postgres.open()
    store.commit("a", [row("1")], [], NOW)
    lose_reply(store, done=False)

    with pytest.raises(LedgerError, match="before the commit"):
        store.commit("a", [row("2")], [], NOW)
    assert rows(store) == 1
    assert store.commit("a", [row("2")], [], NOW).duplicates == []


@pytest.mark.parametrize("done", [True, False])
def test_where_nobody_knows_the_process_goes_on_only_if_its_memory_is_right(postgres, monkeypatch, done):
    store = postgres.open(wait_seconds=0.1, restart_seconds=0.1)
    store.commit("a", [row("1")], [], NOW)
    lose_reply(store, done=done)
    connect = store.link._connect

    def away():
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(store.link, "_connect", away)
    with pytest.raises(LedgerError, match="cannot be reached"):
        store.commit("a", [row("2")], [], NOW)
    with pytest.raises(LedgerError, match="cannot be reached"):
        store.commit("a", [row("2")], [], NOW)
    monkeypatch.setattr(store.link, "_connect", connect)
    if not done:
        assert store.commit("a", [row("2")], [], NOW).duplicates == []
        return
    for _ in range(2):
        with pytest.raises(LedgerError, match="there after all"):
            store.commit("a", [row("2")], [], NOW)
    assert rows(postgres.open()) == 2


def test_a_connection_that_was_closed_meanwhile_is_opened_again(postgres):
    store = postgres.open()
    store.commit("a", [row("1")], [], NOW)
    kill_connection(postgres.where, store)
    store.commit("a", [row("2")], [], NOW)
    kill_connection(postgres.where, store)
    assert rows(store) == 2


def test_a_connection_that_is_cut_in_a_transaction_undoes_it(postgres):
    store = postgres.open()
    with pytest.raises(LedgerError) as caught, store.transaction() as link:  # noqa: PT012 - three steps of a transaction
        link.run("INSERT INTO feature (name, body) VALUES ('x', '{}')")
        kill_connection(postgres.where, store)
        link.run("INSERT INTO feature (name, body) VALUES ('y', '{}')")
    assert caught.value.hint
    assert store.definitions().features == {}


def test_a_process_that_is_stopped_in_a_transaction_does_not_hold_up_the_others(postgres):
    slow, other = postgres.open(), postgres.open(wait_seconds=60)
    slow.link.begin(write=True)
    slow.link.run("INSERT INTO feature (name, body) VALUES ('x', '{}')")
    slow.link.run(
        "SET LOCAL idle_in_transaction_session_timeout = 200"
    )  # last, so that it is stopped here on a slow machine too

    other.put_feature(Feature(name="blur"))  # waits until the server cuts the other off

    with pytest.raises(LedgerError):
        slow.link.commit()
    slow.link.rollback()
    assert list(slow.definitions().features) == ["blur"]


@pytest.mark.parametrize("seed", range(2))
def test_connections_cut_at_any_moment_leave_the_sums_exact(postgres, seed):
    rng = random.Random(seed)  # noqa: S311 - a seed, not a secret
    limit, cost = 400_000_000, 1_000_003
    with Ledger(postgres.open(), lease_usd=0.02) as ledger:
        ledger.set_budget(Budget(name="all", period="total", hard=limit))
        stop, has_cut = threading.Event(), threading.Event()
        cuts = []

        def cut():
            while not stop.wait(rng.uniform(0.01, 0.08)):
                connection = ledger.store.link._connection
                if rng.random() < 0.5:
                    lose_reply(ledger.store, done=rng.random() < 0.5)
                else:
                    with (
                        contextlib.suppress(psycopg.Error, AttributeError),  # it is just being opened
                        psycopg.connect(postgres.where.partition("?")[0], autocommit=True) as admin,
                    ):
                        admin.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
                cuts.append(1)
                has_cut.set()

        cutter = threading.Thread(target=cut)
        cutter.start()
        number = 0
        try:
            while number < 1000:
                if number % 50 == 25:  # a fast machine is through before the first cut: each stretch waits for one
                    assert has_cut.wait(30)
                    has_cut.clear()
                try:
                    hold = ledger.hold(who_of("blur"), cost)
                except BudgetError:
                    break
                except LedgerError:
                    continue
                number += 1
                ledger.post(hold, f"{number}", cost, wait=False)
        finally:
            stop.set()
            cutter.join(30)
        until_flushed(ledger)

        found = verify(ledger.store)
        assert len(cuts) >= 4
        assert ledger.duplicates == 0
        assert (found.rows, found.cost_nano) == (number, number * cost)
        assert number * cost + found.leased_nano <= limit
        assert not found.problems


def until_flushed(ledger):
    for _ in range(600):
        try:
            ledger.flush()
        except LedgerError:
            time.sleep(0.1)
        else:
            return
    ledger.flush()


# a server that goes away and comes back


@pytest.fixture(scope="module")
def own_server():
    """A server that may be stopped: the one that the other tests share may not."""
    if "REELWISE_TEST_POSTGRES" not in os.environ:
        pytest.skip(os.environ.get("REELWISE_TEST_POSTGRES_WHY", "no REELWISE_TEST_POSTGRES: scripts/with_postgres"))
    folder = f"/tmp/reelwise-own-{os.getpid()}"  # noqa: S108 - the server's user must be able to enter; its mode is 700
    script = str(ROOT / "scripts" / "postgres")
    begun = subprocess.run([script, "start", folder], capture_output=True, text=True, check=False, timeout=120)
    try:
        if begun.returncode:
            pytest.skip(f"no server can be started here: {begun.stderr[-200:]}")
        yield begun.stdout.strip(), lambda what: subprocess.run([script, what, folder], check=True, timeout=120)
    finally:
        subprocess.run([script, "remove", folder], check=False, timeout=60, capture_output=True)


def test_what_was_acknowledged_survives_a_crash_of_the_server_under_load(own_server, until):
    address, server = own_server
    store = open_postgres(f"{address}?schema=crash", wait_seconds=20)
    acknowledged = []
    with Ledger(store, lease_usd=0.01) as ledger:
        ledger.set_budget(Budget(name="all", period="total", hard=10**9))
        stop = threading.Event()

        def work(name):
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    hold = ledger.hold(who_of("blur"), 1000)
                except LedgerError:
                    time.sleep(0.05)
                    continue
                try:
                    ledger.post(hold, f"{name}-{number}", 1000)
                except LedgerError:
                    continue  # it stays queued
                acknowledged.append(f"{name}-{number}")

        threads = [threading.Thread(target=work, args=(f"w{at}",)) for at in range(3)]
        for one in threads:
            one.start()
        try:
            before = until(lambda: len(acknowledged))
            server("stop")
            server("again")
            more = len(acknowledged)
            until(lambda: len(acknowledged) > more)
        finally:
            stop.set()
        for one in threads:
            one.join(60)
        until_flushed(ledger)
        found = verify(store)

        assert 0 < before < len(acknowledged) <= found.rows
        assert found.cost_nano == 1000 * found.rows
        assert ledger.duplicates == 0
        assert not found.problems
        for one in acknowledged:  # each of them is there: none can be written again
            assert store.commit("x", [row(one)], [], NOW).duplicates == [0]


def test_without_the_server_no_call_is_let_through_for_long(own_server, monkeypatch, until):
    address, server = own_server
    store = open_postgres(f"{address}?schema=silence", wait_seconds=0.2, silence_seconds=100)
    now, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(postgres_watch, "time", SimpleNamespace(monotonic=lambda: now() + ahead[0]))
    with Ledger(
        store, lease_usd=1.0, thread=False
    ) as ledger:  # no thread that gives back what lies idle while the server stops
        before = store.generation()
        ledger.set_budget(Budget(name="all", period="total", hard=10**12))
        who = who_of("blur")
        ledger.void(ledger.hold(who, 1000))
        until(lambda: store.generation() != before)  # the budget just set is known everywhere
        ledger.void(ledger.hold(who, 1000))
        server("stop")
        try:
            ledger.void(ledger.hold(who, 1000))  # of what is leased
            ahead[0] = 101.0
            with pytest.raises(LedgerError, match="nothing heard") as caught:
                ledger.hold(who, 1000)
            assert "kill switch" in caught.value.hint
        finally:
            server("again")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                ledger.void(ledger.hold(who, 1000))
                break
            except LedgerError:
                time.sleep(0.05)
        ledger.post(ledger.hold(who, 1000), "1", 1000)
        assert not verify(store).problems


def test_a_child_process_leaves_its_parents_connection_alone(postgres):
    code = (
        "import os, sys\n"
        "from reelwise.ledger.postgres import open_postgres\n"
        "from reelwise.ledger.modes import Feature\n"
        "store = open_postgres(sys.argv[1])\n"
        "store.generation()\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit(0)\n"
        "os.waitpid(child, 0)\n"
        "number = store.link._connection.info.backend_pid\n"
        "store.put_feature(Feature(name='blur'))\n"
        "assert store.link._connection.info.backend_pid == number\n"
        "print('same connection')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, postgres.where], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "same connection\n", done.stderr
