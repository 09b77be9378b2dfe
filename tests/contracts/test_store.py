"""What every store of the ledger must do, SQLite in a file and in memory and PostgreSQL alike."""

from __future__ import annotations

import random
import threading
from collections import Counter

import msgspec
import pytest

import reelwise.ledger.verify as verifying
from reelwise.errors import AlreadySettledError, LedgerError, LedgerLockedError
from reelwise.ledger.accounts import ROLLING
from reelwise.ledger.budgets import Budget
from reelwise.ledger.events import ONE_CALL, Event, Units, What, Who
from reelwise.ledger.jobs import Job, Part
from reelwise.ledger.modes import Feature
from reelwise.ledger.notices import Notice
from reelwise.ledger.rolls import fold, series, sums
from reelwise.ledger.store import Committed, Denied, Granted, Move, Want
from reelwise.ledger.verify import verify

NOW = 1_800_000_000_000
TTL = 30_000
DAY = NOW - NOW % 86_400_000
WHO = Who(feature="blur", user="u1")


def want(number, budget, need, *, best=None, account="", bucket=DAY):
    return Want(number, budget, account, bucket, need, best if best is not None else need)


def row(identity, cost=0, *, at_ms=NOW, who=WHO, units=ONE_CALL, **what):
    return Event(id=identity, at_ms=at_ms, who=who, what=What(**what), units=units, cost_nano=cost)


def post(number, posted, *, overrun=0, release=None, bucket=DAY, lease_bucket=None, account="", told=False):
    """What a batch moves: as much comes off the lease as was posted from it, unless said otherwise."""
    off = posted - overrun if release is None else release
    return Move(number, account, bucket, bucket if lease_bucket is None else lease_bucket, posted, overrun, off, told)


def slots(store):
    names = ("budget", "account", "bucket", "posted", "overrun", "leased", "pending", "lost")
    with store.transaction(write=False) as link:
        found = link.rows(f"SELECT {', '.join(names)} FROM slot ORDER BY budget, account, bucket")  # noqa: S608 - names above
    return [dict(zip(names, one, strict=True)) for one in found]


def slot(store, number, account="", bucket=DAY):
    return next(
        one for one in slots(store) if (one["budget"], one["account"], one["bucket"]) == (number, account, bucket)
    )


def rows(store):
    with store.transaction(write=False) as link:
        return int(link.rows("SELECT COUNT(*) FROM event")[0][0])


def job_of(name, parts, amount, expires_ms=NOW + 60_000):
    return Job(name=name, who=WHO, amount=amount, calls=1, frames=0, at_ms=NOW, expires_ms=expires_ms, parts=parts)


# definitions


def test_what_is_set_is_read_back_by_all(stores):
    one, other = stores.open(), stores.open()
    budget = Budget(name="a", match=(("feature", "b%u?\"l'r"),), each=("user",), period="hour", hard=10**15, soft=7)
    feature = Feature(name="blür 🎬", ladders={"free": ("full", "off")}, modes={"full": {"fps": 2}}, reason="100 % ?")

    number = one.put_budget(budget, NOW)
    one.put_feature(feature)

    found = other.definitions()
    assert found.budgets == {number: budget}
    assert found.features == {feature.name: feature}


def test_each_change_moves_the_generation_everywhere(stores):
    one, other = stores.open(), stores.open()
    seen = [wait_for_change(other, -1)]
    number = one.put_budget(Budget(name="a", hard=100), NOW)
    seen.append(wait_for_change(other, seen[-1]))
    one.put_feature(Feature(name="blur", killed=True))
    seen.append(wait_for_change(other, seen[-1]))
    one.drop_budget("a", NOW)
    seen.append(wait_for_change(other, seen[-1]))

    assert len(set(seen)) == 4
    assert number not in other.definitions().budgets


def wait_for_change(store, before):
    pause = threading.Event()
    for _ in range(12_000):
        if store.generation() != before:
            return store.generation()
        pause.wait(0.005)
    pytest.fail("the generation did not move within a minute")


def test_a_change_that_is_undone_is_not_told(stores):
    store = stores.open()
    before = store.generation()

    with pytest.raises(LedgerError), store.transaction() as link:  # noqa: PT012 - a transaction of two statements
        link.moved()
        link.run("UPDATE no_such_table SET x = 1")
    threading.Event().wait(0.4 if stores.kind == "postgres" else 0)

    assert store.generation() == before


def test_a_budget_put_in_mid_window_counts_what_was_spent(stores):
    store = stores.open()
    yesterday = DAY - 1
    store.commit("a", [row("1", 70, at_ms=yesterday), row("2", 5), row("3", 6)], [], NOW)

    number = store.put_budget(Budget(name="day", hard=100), NOW)
    per_user = store.put_budget(Budget(name="users", each=("user",), period="month", hard=100), NOW)

    assert slot(store, number)["posted"] == 11
    month = [one for one in slots(store) if one["budget"] == per_user]
    assert [(one["account"], one["posted"]) for one in month] == [("u1", 81)]
    assert store.lease("a", [want(number, Budget(name="day", hard=100), 90)], NOW, TTL) == Denied(
        0, 89, False, False, 0
    )


def test_a_changed_limit_keeps_the_account_and_a_changed_scope_starts_another(stores):
    store = stores.open()
    first = store.put_budget(Budget(name="a", hard=100), NOW)
    store.commit("x", [row("1", 60)], [post(first, 60, overrun=60)], NOW)

    assert store.put_budget(Budget(name="a", hard=50), NOW) == first
    assert store.lease("x", [want(first, Budget(name="a", hard=50), 1)], NOW, TTL).remaining == -10
    second = store.put_budget(Budget(name="a", each=("user",), hard=50), NOW)

    assert second != first
    assert list(store.definitions().budgets) == [second]
    assert slot(store, second, "u1")["posted"] == 60
    assert store.drop_budget("a", NOW)
    assert not store.drop_budget("a", NOW)


# leases


def test_all_that_is_wanted_is_granted_or_nothing(stores):
    store = stores.open()
    wide, narrow = Budget(name="wide", hard=1000), Budget(name="narrow", hard=10)
    first, second = store.put_budget(wide, NOW), store.put_budget(narrow, NOW)

    answer = store.lease("a", [want(first, wide, 11), want(second, narrow, 11)], NOW, TTL)

    assert answer == Denied(1, 10, False, False, 0)
    assert [one["leased"] for one in slots(store)] == [0, 0]
    assert store.lease("a", [want(first, wide, 10), want(second, narrow, 10)], NOW, TTL) == [
        Granted(10, 0, False),
        Granted(10, 0, False),  # it was asked for in vain, but by nobody whom others could help
    ]


def test_a_lease_is_a_share_of_what_remains_but_never_less_than_needed(stores):
    store = stores.open()
    budget = Budget(name="a", hard=800)
    number = store.put_budget(budget, NOW)

    assert store.lease("a", [want(number, budget, 1, best=1000)], NOW, TTL)[0].amount == 100
    assert store.lease("b", [want(number, budget, 1, best=1000)], NOW, TTL)[0].amount == 700 // 16
    assert store.lease("c", [want(number, budget, 500, best=1000)], NOW, TTL)[0].amount == 500


def test_a_lease_is_called_back_and_given(stores):
    one, other = stores.open(), stores.open()
    budget = Budget(name="a", hard=100)
    number = one.put_budget(budget, NOW)
    one.lease("one", [want(number, budget, 90)], NOW, TTL)

    assert one.called_back("one") == []
    answer = other.lease("other", [want(number, budget, 20)], NOW, TTL)
    assert answer == Denied(0, 10, True, True, 0, 90)
    assert one.called_back("one") == [(number, "", DAY)]

    one.commit("one", [], [post(number, 0, release=90, told=True)], NOW)
    assert one.called_back("one") == []
    assert other.lease("other", [want(number, budget, 20)], NOW, TTL) == [Granted(20, 0, True)]
    answer = one.lease("one", [want(number, budget, 81)], NOW, TTL)
    assert answer == Denied(
        0, 80, False, True, 0, 20
    )  # the other was told, with its grant: nobody is called back twice


def test_what_a_dead_owner_had_is_lost_and_comes_off_when_it_settles_late(stores):
    store = stores.open()
    budget = Budget(name="a", hard=100)
    number = store.put_budget(budget, NOW)
    store.lease("dead", [want(number, budget, 60)], NOW, TTL)
    store.lease("alive", [want(number, budget, 10)], NOW, TTL)
    store.renew("alive", NOW + TTL, TTL)

    assert store.reap(NOW + TTL) == 0
    assert store.reap(NOW + TTL + 1) == 1
    assert store.reap(NOW + TTL + 1) == 0
    assert slot(store, number) | {"leased": 10, "lost": 60} == slot(store, number)
    assert store.lease("alive", [want(number, budget, 31)], NOW, TTL) == Denied(0, 30, False, False, 60)
    assert verify(store).lost_nano == 60

    # it was only asleep: 25 were spent, 35 are given back, in two goes, with a new lease between
    store.commit("dead", [row("1", 25)], [post(number, 25)], NOW)
    assert slot(store, number) | {"posted": 25, "lost": 35} == slot(store, number)
    store.lease("dead", [want(number, budget, 5)], NOW, TTL)
    store.commit("dead", [], [post(number, 0, release=40)], NOW)
    assert slot(store, number) | {"posted": 25, "leased": 10, "lost": 0} == slot(store, number)
    with pytest.raises(LedgerError, match="to free of a lease"):
        store.commit("dead", [], [post(number, 0, release=1)], NOW)
    assert not verify(store).problems


def test_an_account_is_at_ease_again_some_seconds_after_the_last_denial(stores):
    store = stores.open()
    budget = Budget(name="a", hard=800)
    number = store.put_budget(budget, NOW)
    store.lease("one", [want(number, budget, 10)], NOW, TTL)
    assert store.lease("two", [want(number, budget, 795)], NOW, TTL).others  # if the first gave back its lease

    assert store.lease("two", [want(number, budget, 1, best=100)], NOW + 4_000, TTL) == [Granted(1, 0, True)]
    assert store.lease("two", [want(number, budget, 1, best=100)], NOW + 7_000, TTL) == [Granted(49, 0, False)]
    assert store.called_back("two") == []


def test_what_can_never_fit_calls_nothing_back(stores):
    store = stores.open()
    budget = Budget(name="a", hard=800)
    number = store.put_budget(budget, NOW)
    store.lease("one", [want(number, budget, 10)], NOW, TTL)

    assert not store.lease("two", [want(number, budget, 801)], NOW, TTL).others

    assert store.called_back("one") == []
    assert store.lease("one", [want(number, budget, 1, best=800)], NOW, TTL)[0].amount == 98


def test_what_is_lost_of_a_rolling_budget_leaves_with_its_window(stores):
    store = stores.open()
    budget = Budget(name="a", period="hour", rolling=True, hard=100)
    number = store.put_budget(budget, NOW)
    store.lease("dead", [want(number, budget, 60, bucket=ROLLING)], NOW, TTL)
    store.reap(NOW + 10 * TTL)
    some = want(number, budget, 41, bucket=ROLLING)

    answer = store.lease("alive", [some], NOW + 10 * TTL, TTL)
    assert (answer.remaining, answer.lost) == (40, 60)
    frees = store.frees_ms(some, 1, NOW + 10 * TTL)
    assert NOW + TTL + 3_600_000 <= frees <= NOW + TTL + 3_720_000
    assert store.frees_ms(some, 61, NOW + 10 * TTL) is None
    assert isinstance(store.lease("alive", [some], frees - 1, TTL), Denied)
    assert store.lease("alive", [some], frees, TTL)[0].amount == 41
    assert not verify(store).problems


@pytest.mark.parametrize("renews", [True, False])
def test_what_was_lost_of_a_rolling_budget_comes_off_when_its_owner_settles_late(stores, renews):
    store = stores.open()
    budget = Budget(name="a", period="hour", rolling=True, hard=100)
    number = store.put_budget(budget, NOW)
    part = NOW - NOW % 60_000
    wanted = [want(number, budget, 30, bucket=ROLLING)]
    for at in (0, 2 * TTL):  # lost twice, in two parts of the window
        store.lease("slept", wanted, NOW + at, TTL)
        store.reap(NOW + at + TTL + 60_000)
    assert verify(store).lost_nano == 60
    if renews:
        store.renew("slept", NOW + 10 * TTL, TTL)
        assert (verify(store).lost_nano, verify(store).leased_nano) == (0, 60)

    store.commit("slept", [row("1", 45)], [post(number, 45, bucket=part, lease_bucket=ROLLING)], NOW + 10 * TTL)

    found = verify(store)
    assert (found.lost_nano + found.leased_nano, found.problems) == (15, ())
    assert store.lease("x", [want(number, budget, 41, bucket=ROLLING)], NOW + 10 * TTL, TTL).remaining == 40


def test_a_rolling_window_counts_what_is_in_it(stores):
    store = stores.open()
    budget = Budget(name="a", period="minute", rolling=True, hard=100)
    number = store.put_budget(budget, NOW)
    part = NOW - NOW % 1000

    store.lease("a", [want(number, budget, 70, bucket=ROLLING)], NOW, TTL)
    done = store.commit("a", [row("1", 70)], [post(number, 70, bucket=part, lease_bucket=ROLLING)], NOW)
    assert done == Committed([], {}) or done.spent == {(number, "", ROLLING): 70}
    assert store.lease("a", [want(number, budget, 31, bucket=ROLLING)], NOW + 59_999, TTL).remaining == 30
    assert store.lease("a", [want(number, budget, 31, bucket=ROLLING)], NOW + 62_000, TTL)[0].amount == 31
    assert not verify(store).problems


@pytest.mark.parametrize("seed", range(6))
def test_no_limit_is_ever_exceeded_and_nothing_is_refused_that_fits(stores, seed):
    """Random leases, posts, jobs, deaths and late returns of four owners, each step held against the balances."""
    Walk(stores, random.Random(seed)).run(50)  # noqa: S311 - a seed, not a secret


class Walk:
    """A random walk over a store, with what the owners remember."""

    def __init__(self, stores, rng):
        self.rng = rng
        self.stores = [stores.open(), stores.open()]
        self.budgets = {}
        for number in range(3):
            budget = Budget(name=f"b{number}", period="day", hard=rng.choice([50, 1000, 10**12]))
            self.budgets[self.stores[0].put_budget(budget, NOW)] = budget
        self.free = Counter()  # by owner and budget: leased, or lost since, and not settled
        self.jobs = []
        self.now = NOW
        self.ids = 0
        self.cost = 0

    def run(self, steps):
        for _ in range(steps):
            step = self.rng.choice(
                [self.lease, self.lease, self.settle, self.settle, self.place, self.close, self.wait]
            )
            step(self.rng.choice(self.stores))
            self.check()
        found = verify(self.stores[0])
        assert not found.problems
        assert (found.rows, found.cost_nano) == (self.ids, self.cost)

    def check(self):
        for one in slots(self.stores[0]):
            used = one["posted"] - one["overrun"] + one["leased"] + one["pending"] + one["lost"]
            assert 0 <= used <= self.budgets[one["budget"]].hard
            assert min(one["leased"], one["pending"], one["lost"], one["posted"]) >= 0

    def remaining(self, number):
        one = next((one for one in slots(self.stores[0]) if one["budget"] == number), None)
        hard = self.budgets[number].hard
        return hard - sum(one[name] for name in ("posted", "leased", "pending", "lost")) if one else hard

    def wants(self):
        chosen = self.rng.sample(sorted(self.budgets), self.rng.randint(1, 3))
        need = self.rng.choice([0, 1, 7, 40, 600, 10**11])
        return [want(number, self.budgets[number], need, best=need * 3) for number in chosen]

    def lease(self, store):
        owner, wants = self.rng.choice("abcd"), self.wants()
        fits = all(one.need <= self.remaining(one.budget_id) for one in wants)
        answer = store.lease(owner, wants, self.now, TTL)
        assert fits == (not isinstance(answer, Denied))
        if fits:
            for one, granted in zip(wants, answer, strict=True):
                assert granted.amount >= one.need
                self.free[owner, one.budget_id] += granted.amount
        else:
            assert answer.remaining == self.remaining(wants[answer.place_index].budget_id)

    def settle(self, store):
        """Post and give back, on every budget at once: a cost counts in all of them."""
        owner = self.rng.choice("abcd")
        cost = self.rng.choice([0, 1, 5, 90])
        moves = []
        for number in self.budgets:
            have = self.free[owner, number]
            inside = min(cost, have)
            back = self.rng.choice([0, have - inside, (have - inside) // 2])
            self.free[owner, number] -= inside + back
            moves.append(post(number, cost, overrun=cost - inside, release=inside + back, told=self.rng.random() < 0.3))
        self.ids += 1
        self.cost += cost
        assert store.commit(owner, [row(f"{self.ids}", cost)], moves, self.now).duplicates == []

    def place(self, store):
        wants = [one._replace(need=self.rng.choice([1, 10, 500])) for one in self.wants()]
        fits = all(one.need <= self.remaining(one.budget_id) for one in wants)
        parts = tuple(Part(one.budget_id, "", DAY, DAY, one.need) for one in wants)
        job = job_of(f"j{len(self.jobs)}", parts, 0, expires_ms=self.now + self.rng.choice([5_000, 500_000]))
        assert (store.place(job, wants) is None) == fits
        self.jobs.append((job, fits))

    def close(self, store):
        if not self.jobs:
            return
        job, placed = self.rng.choice(self.jobs)
        found = store.job(job.name)
        assert (found is not None) == placed
        if found is None:
            return
        state = self.rng.choice(["posted", "void"])
        was = found.state
        if was in ("posted", "void"):
            assert not store.settle(msgspec.structs.replace(found, state="pending"), state, [], [])
            return
        assert store.settle(found, state, [], [])
        assert store.job(job.name).state == state

    def wait(self, store):
        self.now += self.rng.choice([10, 10_000, 40_000])
        for owner in self.rng.sample("abcd", 2):
            store.renew(owner, self.now, TTL)
        store.reap(self.now)


# rows


def test_a_batch_with_rows_that_are_there_already_writes_nothing(stores):
    store = stores.open()
    budget = Budget(name="a", hard=100)
    number = store.put_budget(budget, NOW)
    store.definitions()
    store.lease("a", [want(number, budget, 50)], NOW, TTL)
    assert store.commit("a", [row("1", 5)], [post(number, 5)], NOW) == Committed([], {(number, "", DAY): 5})
    before = slots(store)

    new = Who(feature="new", user="nobody yet", tags=(("team", "x"),))
    done = store.commit("a", [row("2", 5, who=new), row("1", 5), row("3", 5), row("2", 5)], [post(number, 20)], NOW)

    assert done == Committed([1, 3], {})
    assert slots(store) == before
    assert rows(store) == 1
    done = store.commit("a", [row("2", 5, who=new), row("3", 5)], [post(number, 10)], NOW)
    assert done == Committed([], {(number, "", DAY): 15})
    assert [(one.label, one.cost_nano) for one in sums(store, NOW, NOW + 1, by="tag:team")] == [("x", 5)]
    assert not verify(store).problems


def test_of_two_that_write_the_same_row_at_once_one_is_told(stores):
    opened = [stores.open() for _ in range(4)]
    number = opened[0].put_budget(Budget(name="a", soft=10**9), NOW)
    start = threading.Barrier(4)
    refused = []

    def write(store):
        start.wait()
        for at in range(25):
            done = store.commit("x", [row(f"{at}", 3)], [post(number, 3, overrun=3)], NOW)
            refused.append(len(done.duplicates))

    run_all([threading.Thread(target=write, args=(one,)) for one in opened])

    assert sum(refused) == 75
    assert rows(opened[0]) == 25
    assert slot(opened[0], number)["posted"] == 75


def run_all(threads):
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not any(one.is_alive() for one in threads)


def test_large_amounts_and_odd_labels_are_kept_as_they_are(stores):
    store = stores.open()
    who = Who(feature="50 % ?", user="O'Neil \\ ü 🎬", tags=(("a_b", "%"), ("axb", "?")))
    units = Units(calls=1, frames=2**40, bytes=2**62, video_ms=3_600_000)
    store.commit("a", [row("1", 2**62 - 1, who=who, units=units, model="m'; --"), row("2", 1, who=who)], [], NOW)

    whole = sums(store, NOW, NOW + 1)[0]
    assert (whole.cost_nano, whole.frames, whole.events) == (2**62, 2**40, 2)
    fold(store)
    assert sums(store, NOW, NOW + 1)[0] == whole
    assert [one.label for one in sums(store, NOW, NOW + 1, by="user")] == [who.user]
    assert {one.label for one in sums(store, NOW, NOW + 1, by="model")} == {"m'; --", ""} or rows(store) == 2
    correction = row("3", -(2**40), who=who, kind="correction")
    store.commit("a", [correction], [], NOW)
    assert sums(store, NOW, NOW + 1)[0].cost_nano == 2**62 - 2**40


@pytest.mark.parametrize("seed", range(3))
def test_sums_are_those_of_the_rows_wherever_folding_stopped(stores, seed):
    rng = random.Random(seed)  # noqa: S311 - a seed, not a secret
    store = stores.open()
    people = [Who(feature=f, user=u, tags=(("team", f"{u}{f}"),)) for f in ("blur", "find") for u in ("u1", "u2", "")]
    events = [
        row(
            f"{number}",
            rng.randrange(10**12),
            at_ms=DAY + rng.randrange(3 * 86_400_000),
            who=rng.choice(people),
            model=rng.choice(["m1", "m2"]),
            outcome=rng.choice(["", "found"]),
        )
        for number in range(300)
    ]
    for at in range(0, 300, 50):
        store.commit("a", events[at : at + 50], [], NOW)
        if rng.random() < 0.7:
            fold(store, most=rng.randrange(1, 80))

    for by in ("", "feature", "user", "model", "outcome", "tag:team"):
        first = DAY + 3_600_000 * rng.randrange(30)
        stop = first + 3_600_000 * rng.randrange(1, 40)
        should = Counter()
        for one in events:
            if first <= one.at_ms < stop:
                label = {"": "", "model": one.what.model, "outcome": one.what.outcome}.get(by)
                label = one.who.label(by) if label is None else label
                if label or not by:
                    should[label] += one.cost_nano
        assert {one.label: one.cost_nano for one in sums(store, first, stop, by=by)} == dict(should)
    days = {one.label: one.cost_nano for one in series(store, DAY, DAY + 3 * 86_400_000, "day")}
    by_day = Counter()
    for one in events:
        by_day[str(one.at_ms - one.at_ms % 86_400_000)] += one.cost_nano
    assert days == dict(by_day)
    assert not verify(store).problems


@pytest.mark.parametrize(
    ("what", "statement"),
    [
        ("posted", "UPDATE slot SET posted = posted + 1"),
        ("posted", "UPDATE event SET cost = cost - 1"),
        ("posted", "DELETE FROM event"),
        ("leased", "UPDATE slot SET leased = leased - 1"),
        ("leased", "DELETE FROM lease"),
        ("lost", "UPDATE slot SET lost = 5"),
        ("pending", "UPDATE slot SET pending = 0"),
        ("sums by minute: cost", "UPDATE roll SET cost = cost + 1 WHERE grain = 1"),
        ("sums by day: events", "UPDATE roll SET events = events + 1 WHERE grain = 3"),
    ],
)
def test_verify_finds_a_balance_that_somebody_changed(stores, what, statement):
    store = stores.open()
    budget = Budget(name="a", hard=1000)
    number = store.put_budget(budget, NOW)
    store.lease("a", [want(number, budget, 100)], NOW, TTL)
    store.commit("a", [row("1", 70)], [post(number, 70)], NOW)
    store.place(job_of("j", (Part(number, "", DAY, DAY, 9),), 9), [want(number, budget, 9)])
    assert not verify(store).problems

    with store.transaction() as link:
        link.run(statement)

    assert what in {one.what for one in verify(store).problems}


def test_verifying_keeps_nobody_waiting(shared_stores, monkeypatch):
    one, other = shared_stores.open(), shared_stores.open(wait_seconds=0.2)
    one.put_budget(Budget(name="a", hard=1000), NOW)
    number = one.put_budget(Budget(name="b", hard=1000), NOW)
    written = []

    def meanwhile(*given):
        other.commit("x", [row(f"{len(written)}", 5)], [post(number, 5, overrun=5)], NOW)
        written.append(1)
        return spent(*given)

    spent = verifying.spent_in
    monkeypatch.setattr(verifying, "spent_in", meanwhile)

    assert not verify(one).problems
    assert len(written) == 2


# jobs


def test_a_job_is_settled_once(stores):
    store = stores.open()
    budget = Budget(name="a", hard=100)
    number = store.put_budget(budget, NOW)
    parts = (Part(number, "", DAY, DAY, 60),)
    job = job_of("j", parts, 60)

    assert store.place(job, [want(number, budget, 60)]) is None
    assert store.job("j") == job
    assert store.jobs() == [job]
    with pytest.raises(AlreadySettledError):
        store.place(job, [want(number, budget, 1)])
    answer = store.place(job_of("k", parts, 60), [want(number, budget, 60)])
    assert answer == Denied(0, 40, False, False, 0, 60)
    assert store.job("k") is None

    assert store.settle(job, "posted", [row("job/j", 50)], [post(number, 50, release=0)])
    assert not store.settle(job, "posted", [row("job/j2", 50)], [post(number, 50, release=0)])
    assert not store.settle(job, "void", [], [])
    assert slot(store, number) | {"posted": 50, "pending": 0} == slot(store, number)
    assert rows(store) == 1
    assert store.jobs() == []
    assert not verify(store).problems


def test_a_job_whose_row_is_there_already_stays_as_it_was(stores):
    store = stores.open()
    budget = Budget(name="a", hard=100)
    number = store.put_budget(budget, NOW)
    job = job_of("j", (Part(number, "", DAY, DAY, 60),), 60)
    store.place(job, [want(number, budget, 60)])
    store.commit("a", [row("job/j", 1)], [post(number, 1, overrun=1)], NOW)

    with pytest.raises(AlreadySettledError):
        store.settle(job, "posted", [row("job/j", 50)], [post(number, 50, release=0)])

    assert store.job("j").state == "pending"
    assert slot(store, number) | {"posted": 1, "pending": 60} == slot(store, number)


def test_an_expired_job_frees_its_hold_and_is_posted_late_once(stores):
    store = stores.open()
    budget = Budget(name="a", hard=100)
    number = store.put_budget(budget, NOW)
    store.place(job_of("j", (Part(number, "", DAY, DAY, 60),), 60), [want(number, budget, 60)])

    assert store.reap(NOW + 60_000) == 0
    assert store.reap(NOW + 60_001) == 1
    assert store.reap(NOW + 60_001) == 0
    found = store.job("j")
    assert (found.state, slot(store, number)["pending"]) == ("expired", 0)
    assert store.settle(found, "posted", [row("job/j", 50, kind="late")], [post(number, 50, overrun=50, release=0)])
    assert not store.settle(found, "posted", [row("other", 50)], [])
    assert slot(store, number) | {"posted": 50, "overrun": 50, "pending": 0} == slot(store, number)
    assert not verify(store).problems


def test_of_many_that_settle_a_job_at_once_one_does(stores):
    opened = [stores.open() for _ in range(4)]
    budget = Budget(name="a", hard=10_000)
    number = opened[0].put_budget(budget, NOW)
    jobs = [job_of(f"j{at}", (Part(number, "", DAY, DAY, 10),), 10) for at in range(15)]
    for one in jobs:
        opened[0].place(one, [want(number, budget, 10)])
    start = threading.Barrier(4)
    done = []

    def settle(at, store):
        start.wait()
        for job in jobs:
            state = "posted" if at % 2 else "void"
            events = [row(f"{job.name}/{at}", 10)] if at % 2 else []
            moves = [post(number, 10, release=0)] if at % 2 else []
            if store.settle(job, state, events, moves):
                done.append(job.name)

    run_all([threading.Thread(target=settle, args=(at, one)) for at, one in enumerate(opened)])

    assert sorted(done) == sorted(one.name for one in jobs)
    assert slot(opened[0], number)["pending"] == 0
    assert slot(opened[0], number)["posted"] == 10 * rows(opened[0])
    assert not verify(opened[0]).problems


# the rest


def test_a_notice_is_given_once(stores):
    one, other = stores.open(), stores.open()
    notice = Notice(at_ms=NOW, kind="level", budget="a", account="b", bucket=DAY, level=50, text="half")

    assert one.note(notice)
    assert not other.note(notice)
    assert other.note(msgspec.structs.replace(notice, level=80))


def test_an_error_in_a_transaction_undoes_all_of_it(stores):
    store = stores.open()
    number = store.put_budget(Budget(name="a", hard=100), NOW)
    new = Who(feature="never kept")

    with pytest.raises(LedgerError):
        store.commit("a", [row("1", 5, who=new)], [post(number, 5, overrun=5), post(number, 0, release=3)], NOW)

    assert rows(store) == 0
    with store.transaction(write=False) as link:
        assert link.rows("SELECT COUNT(*) FROM who")[0][0] == 0
    store.commit("a", [row("1", 5, who=new)], [post(number, 5, overrun=5)], NOW)
    assert [one.label for one in sums(store, NOW, NOW + 1, by="feature")] == ["never kept"]


def test_a_statement_that_cannot_be_is_an_error_of_the_house(stores):
    store = stores.open()
    with pytest.raises(LedgerError) as caught, store.transaction() as link:
        link.run("UPDATE no_such_table SET x = 1")
    assert caught.value.hint
    assert rows(store) == 0


def test_opening_again_changes_nothing(shared_stores):
    store = shared_stores.open()
    number = store.put_budget(Budget(name="a", hard=100), NOW)
    store.commit("a", [row("1", 5)], [post(number, 5, overrun=5)], NOW)
    before = slots(store)

    again = shared_stores.open()

    assert slots(again) == before
    assert rows(again) == 1


def test_many_may_make_the_ledger_at_once(shared_stores):
    start = threading.Barrier(4)
    opened, failed = [], []

    def make():
        start.wait()
        try:
            opened.append(shared_stores.open())
        except LedgerError as error:
            failed.append(error)

    run_all([threading.Thread(target=make) for _ in range(4)])

    assert not failed
    for one in opened:
        one.put_feature(Feature(name="blur"))


def test_a_newer_schema_is_refused(shared_stores):
    store = shared_stores.open()
    with store.transaction() as link:
        link.run("UPDATE meta SET value = ? WHERE name = ?", ("99", "schema"))

    with pytest.raises(LedgerError, match="schema 99") as caught:
        shared_stores.open()
    assert "newer reelwise" in caught.value.hint


def test_waiting_for_a_writer_is_bounded(shared_stores):
    one, other = shared_stores.open(), shared_stores.open(wait_seconds=0.2)
    with one.transaction() as link:
        link.run("UPDATE meta SET value = value")
        with pytest.raises(LedgerLockedError) as caught:
            other.put_feature(Feature(name="blur"))
        assert caught.value.hint
        assert other.definitions().features == {}  # reading needs no lock
    other.put_feature(Feature(name="blur"))
    assert list(one.definitions().features) == ["blur"]


def test_a_closed_store_says_so(stores):
    store = stores.open()
    store.close()
    with pytest.raises(LedgerError) as caught:
        store.put_feature(Feature(name="blur"))
    assert caught.value.hint
    store.close()
