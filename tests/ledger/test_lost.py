"""What processes that died had leased: shown at once, settled by a person, exact."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from reelwise.cli.budget import cli as budget_cli
from reelwise.cli.ledger import cli as ledger_cli
from reelwise.errors import BudgetError, InputError
from reelwise.ledger import Budget, who_of
from reelwise.ledger.queries import budget_status
from reelwise.ledger.rolls import sums
from reelwise.ledger.settling import lost, settle_lost
from reelwise.ledger.verify import verify

WHO = who_of("blur", user="u1", tags={"team": "a"})


def die(ledger):
    ledger._closed = ledger._shut = True
    ledger.store.link._connection.close()


@pytest.fixture
def crashed(opened):
    """A process that died with 60 held in four budgets, and another that lives."""
    one, other = opened(lease_usd=0), opened(lease_usd=0)
    one.set_budget(Budget(name="all", hard=1000, period="total"))
    one.set_budget(Budget(name="user", hard=500, each=("user", "tag:team")))
    one.set_budget(Budget(name="roll", hard=500, period="day", rolling=True, match=(("feature", "blur"),)))
    one.set_budget(Budget(name="calls", hard=10, measure="calls"))
    one.post(one.hold(who_of("tag"), 30), "c1", 30)
    one.hold(WHO, 60)
    one.hold(who_of("tag"), 15)
    die(one)
    return other


def left(ledger):
    now = ledger.clock.now_ms()
    return {(one.budget, one.account): (one.posted, one.leased, one.lost) for one in budget_status(ledger.store, now)}


def test_looking_books_what_is_over_by_itself(crashed, clock):
    assert left(crashed)["all", "everything"] == (30, 75, 0)
    clock.on(12)
    (status,) = budget_status(crashed.store, clock.now_ms(), name="all")
    assert (status.silent, status.silent_seconds, status.leased) == (75, 12, 75)
    assert verify(crashed.store, clock.now_ms()).silent_seconds == 12
    clock.on(19)

    assert left(crashed)["all", "everything"] == (30, 0, 75)
    assert left(crashed)["roll", "feature=blur"] == (0, 0, 60)
    found = verify(crashed.store, clock.now_ms())
    assert (found.leased_nano, found.lost_nano, found.problems) == (0, 75 + 75 + 60, ())
    before = left(crashed)
    crashed.step()
    assert left(crashed) == before


def test_a_job_that_is_over_is_not_shown_as_held(ledger, clock):
    ledger.set_budget(Budget(name="all", hard=1000))
    ledger.hold_job("j", WHO, 10, timeout_seconds=5)
    clock.on(6)

    (status,) = budget_status(ledger.store, clock.now_ms())

    assert (status.pending, status.remaining) == (0, 1000)
    assert verify(ledger.store, clock.now_ms()).pending_nano == 0


def test_what_is_lost_is_let_go_of_when_a_person_says_so(crashed, clock):
    clock.on(31)
    crashed.step()
    with pytest.raises(BudgetError, match="settle-lost"):
        crashed.hold(WHO, 950)
    assert {one.budget for one in lost(crashed.store)} == {"all", "user", "roll", "calls"}
    with pytest.raises(InputError, match="no budget"):
        lost(crashed.store, "none")

    (done,) = settle_lost(crashed.store, lost(crashed.store, "all"), as_spent=False)

    assert (done.budget, done.amount) == ("all", 75)
    assert lost(crashed.store, "all") == []
    assert left(crashed)["all", "everything"] == (30, 0, 0)
    assert len(settle_lost(crashed.store, lost(crashed.store), as_spent=False)) == 4
    assert verify(crashed.store).problems == ()
    assert verify(crashed.store).lost_nano == 0


def test_what_is_lost_becomes_rows_when_it_was_spent_and_counts_once(crashed, clock, rows):
    clock.on(31)
    crashed.step()
    before = {key: posted + gone for key, (posted, _, gone) in left(crashed).items()}

    settle_lost(crashed.store, lost(crashed.store, "user"), as_spent=True)
    settle_lost(crashed.store, lost(crashed.store, "calls"), as_spent=True)

    after = left(crashed)
    assert after.pop(("roll", "feature=blur")) == (0, 0, 60)  # other labels: nobody can see that it is the same money
    assert before.pop(("roll", "feature=blur")) == 60
    assert {key: posted for key, (posted, _, _) in after.items()} == before
    assert all(gone == 0 for _, _, gone in after.values())
    assert sorted(cost for kind, cost in rows(crashed) if kind == "correction") == [0, 15, 60]
    found = verify(crashed.store)
    assert (found.problems, found.lost_nano, found.cost_nano) == ((), 60, 105)
    day = clock.now_ms() - clock.now_ms() % 86_400_000
    assert {one.label: one.cost_nano for one in sums(crashed.store, day, day + 86_400_000, by="user")} == {"u1": 60}
    settle_lost(crashed.store, lost(crashed.store), as_spent=False)
    assert verify(crashed.store).lost_nano == 0


@pytest.mark.parametrize("as_spent", [True, False])
def test_a_process_that_lives_after_all_settles_besides(opened, clock, as_spent):
    one, other = opened(lease_usd=0), opened(lease_usd=0)
    one.set_budget(Budget(name="all", hard=100))
    hold = one.hold(WHO, 60)
    clock.on(31)
    other.step()
    settle_lost(other.store, lost(other.store), as_spent=as_spent)

    one.post(hold, "c1", 50)

    assert left(other)["all", "everything"] == (50 + 60 * as_spent, 0, 0)
    assert verify(other.store).problems == ()


def test_the_command_shows_and_settles(crashed, clock, path, monkeypatch):
    from reelwise.ledger.clock import SystemClock

    monkeypatch.setattr(SystemClock, "now_ms", lambda _: clock.now_ms())

    def run(group, *arguments):
        result = CliRunner().invoke(group, [*arguments, "--ledger", str(path)])
        assert result.exit_code == 0, result.exception
        return result.output

    clock.on(10)
    assert "not heard of for 10 s" in run(budget_cli, "status")
    clock.on(25)
    crashed.step()
    shown = json.loads(run(ledger_cli, "settle-lost", "--json"))
    assert shown["state"] == "uncertain"
    assert {(one["budget"], one["amount"]) for one in shown["lost"]} >= {("all", 75), ("roll", 60), ("calls", 2)}
    assert left(crashed)["all", "everything"] == (30, 0, 75)

    run(ledger_cli, "settle-lost", "roll", "--as-spent")

    assert left(crashed)["roll", "feature=blur"] == (60, 0, 0)
    assert left(crashed)["all", "everything"] == (90, 0, 15)
    run(ledger_cli, "settle-lost", "all", "--release")
    assert left(crashed)["all", "everything"] == (90, 0, 0)
    unnamed = CliRunner().invoke(ledger_cli, ["settle-lost", "--as-spent", "--ledger", str(path)])
    assert isinstance(unnamed.exception, InputError)
    both = CliRunner().invoke(ledger_cli, ["settle-lost", "--as-spent", "--release", "--ledger", str(path)])
    assert isinstance(both.exception, InputError)
    assert verify(crashed.store).problems == ()
