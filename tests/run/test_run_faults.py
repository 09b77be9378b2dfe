"""What goes wrong in a run: holds are let go of, what is done is kept, and nothing is paid twice."""

from __future__ import annotations

import msgspec
import pytest

from reelwise.errors import BudgetError, InputError, RefusedError
from reelwise.ledger.queries import export
from reelwise.models.gemini import Gemini

CALL = {"stage": "call", "model": "gemini-2.5-flash"}


def run(open_session, plan, paths, **options):
    with open_session(plan, **options) as (session, job):
        result = session.run(job.case.plan, session.decoded(paths))
        return result, [row for page in export(session.ledger.store) for row in page], session.ledger.open_holds


def test_a_wrong_key_ends_the_run_and_holds_nothing(copies, write_plan, open_session):
    result, rows, held = run(open_session, write_plan(CALL), copies(6), scenario={"keys": ["right"]}, at_once=1)

    assert isinstance(result.stopped, RefusedError)
    assert result.stopped.reason == "key"
    assert len(result.outcomes) == 1  # the others were not even tried
    assert result.receipt.cost_nano == 0
    assert rows == []
    assert held == 0


def test_a_model_that_is_gone_ends_the_run(drawn_clip, write_plan, open_session, monkeypatch):
    monkeypatch.setattr("reelwise.models.gemini.model_path", lambda _: "/models/gemini-gone")
    result, rows, _ = run(open_session, write_plan(CALL), [drawn_clip])

    assert isinstance(result.stopped, RefusedError)
    assert result.stopped.reason == "model"
    assert rows == []


def test_refused_content_is_an_answer_and_is_billed_as_the_invoice_says(copies, write_plan, open_session):
    faults = [{"kind": "refused", "share": 1.0}]
    result, _, _ = run(open_session, write_plan(CALL), copies(2), scenario={"faults": faults})

    assert [one.status for one in result.results] == ["refused", "refused"]
    assert result.stopped is None
    assert result.receipt.reconciled.residual_nano == 0
    assert result.receipt.cost_nano > 0


def test_usage_that_is_missing_counts_all_that_was_held_and_is_said_loudly(drawn_clip, write_plan, open_session):
    result, rows, _ = run(
        open_session, write_plan(CALL), [drawn_clip], scenario={"faults": [{"kind": "no_usage", "share": 1.0}]}
    )
    held = result.receipt.reconciled

    assert result.receipt.unpriced[0][1] == "the answer says nothing of its usage"
    assert result.receipt.cost_nano == result.outcomes[0].held_nano > held.invoice_nano > 0
    assert held.residual_nano == 0
    assert held.ambiguous_calls == 1
    assert rows[0]["status"] == "ambiguous"


@pytest.mark.parametrize("kind", ["bad_json", "lost_reply", "cut_stream", "504"])
def test_answers_that_do_not_arrive_are_counted_once_and_not_asked_for_again(kind, copies, write_plan, open_session):
    paths = copies(6)
    for seed in range(20):  # which calls go wrong depends on the clip's bytes: another encoder, other calls
        out, faults = f"out{seed}", {"seed": seed, "faults": [{"kind": kind, "share": 0.5}]}
        result, _, _ = run(open_session, write_plan(CALL), paths, scenario=faults, out=out)
        bad = [one for one in result.outcomes if one.status in {"ambiguous", "unreadable"}]
        if 0 < len(bad) < 6:
            break
    held = result.receipt.reconciled

    assert 0 < len(bad) < 6
    assert all(one.cost_nano == one.held_nano for one in bad)
    assert held.residual_nano == 0
    assert held.ambiguous_calls == len(bad)
    assert held.invoice_nano == held.posted_nano + held.ambiguous_invoiced_nano
    again, _, _ = run(open_session, write_plan(CALL), paths, scenario=faults, out=out)
    assert again.receipt.cost_nano == result.receipt.cost_nano
    assert again.receipt.reconciled.invoice_nano == again.receipt.reconciled.residual_nano == 0


def test_calls_that_failed_unbilled_are_made_again_when_the_run_is_repeated(copies, write_plan, open_session):
    paths = copies(3)
    first, rows, _ = run(
        open_session, write_plan(CALL), paths, scenario={"faults": [{"kind": "500", "share": 1.0}]}, at_once=1
    )
    second, more, _ = run(open_session, write_plan(CALL), paths)

    assert [one.status for one in first.results] == ["failed"] * 3
    assert rows == []
    assert first.receipt.attempts <= 3 + 3  # the budget of retries
    assert [one.status for one in second.results] == ["ok"] * 3
    assert len(more) == 3
    assert second.receipt.reconciled.residual_nano == 0


def test_a_run_that_is_interrupted_goes_on_where_it_was(copies, write_plan, open_session, monkeypatch):
    paths = copies(4)
    real = Gemini.moderate
    made = []

    def interrupted(self, work):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(work.identity)
        return real(self, work)

    monkeypatch.setattr(Gemini, "moderate", interrupted)
    with open_session(write_plan(CALL), at_once=1) as (session, job), pytest.raises(KeyboardInterrupt):
        session.run(job.case.plan, session.decoded(paths))
    monkeypatch.setattr(Gemini, "moderate", real)
    result, rows, _ = run(open_session, write_plan(CALL), paths)
    answered = {one.identity for one in result.outcomes if one.status == "ok"}

    assert set(made) < answered
    assert [one.status for one in result.outcomes].count("ambiguous") == 1  # the call that was under way
    assert len({row["id_hash"] for row in rows}) == len(rows) == 4


def test_a_process_that_died_leaves_a_call_that_is_not_made_again(drawn_clip, write_plan, open_session, tmp_path):
    plan = write_plan(CALL)
    first, _, _ = run(open_session, plan, [drawn_clip])
    (path,) = (tmp_path / "out").glob("journal-*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:40])  # the end is missing, and half a line is there
    second, _, _ = run(open_session, plan, [drawn_clip])

    assert [one.status for one in second.outcomes] == ["ambiguous"]
    assert second.outcomes[0].cost_nano == first.outcomes[0].held_nano
    assert second.receipt.reconciled.invoice_nano == 0


def test_a_budget_ends_the_run_before_it_is_overspent_and_a_larger_one_goes_on(copies, write_plan, open_session):
    paths = copies(5)
    whole, _, _ = run(open_session, write_plan(CALL), paths, out="whole")
    cap = (whole.outcomes[0].held_nano * 2.5) / 1e9
    first, rows, _ = run(open_session, write_plan(CALL), paths, max_usd=cap, at_once=1)
    second, _, _ = run(open_session, write_plan(CALL), paths, max_usd=1.0)

    assert isinstance(first.stopped, BudgetError)
    assert 0 < sum(row["cost_nano"] for row in rows) <= cap * 1e9
    assert 0 < len(first.outcomes) < 5
    assert [one.status for one in second.results] == ["ok"] * 5
    assert second.receipt.cost_nano == whole.receipt.cost_nano


def test_a_journal_of_another_version_or_another_run_is_refused(drawn_clip, write_plan, open_session, tmp_path):
    plan = write_plan(CALL)
    run(open_session, plan, [drawn_clip])
    (path,) = (tmp_path / "out").glob("journal-*.jsonl")
    head, _, rest = path.read_bytes().partition(b"\n")
    other = msgspec.json.encode({**msgspec.json.decode(head), "journal": 99})
    for first, said in ((other, "version 99"), (b"not json", "no journal")):
        path.write_bytes(first + b"\n" + rest)
        with pytest.raises(InputError, match=said):
            run(open_session, plan, [drawn_clip])
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(head), "key": "other"}) + b"\n" + rest)
    with pytest.raises(InputError, match="of another run"):
        run(open_session, plan, [drawn_clip])
    path.write_bytes(head + b"\n" + rest.replace(b'"over"', b'"ovr', 1))
    with pytest.raises(InputError, match="is damaged"):
        run(open_session, plan, [drawn_clip])


def test_another_plan_in_the_same_folder_is_a_run_of_its_own(drawn_clip, write_plan, open_session, tmp_path):
    run(open_session, write_plan(CALL), [drawn_clip])
    other, _, _ = run(open_session, write_plan({**CALL, "detail": "low"}), [drawn_clip])

    assert other.receipt.requests == {"ok": 1}
    assert len(list((tmp_path / "out").glob("journal-*.jsonl"))) == 2


def test_five_failures_in_a_row_end_the_run(copies, write_plan, open_session):
    faults = {"faults": [{"kind": "503", "share": 1.0}]}
    result, rows, _ = run(open_session, write_plan(CALL), copies(8), scenario=faults, at_once=1)

    assert "failed one after another" in str(result.stopped)
    assert len(result.outcomes) == 5
    assert rows == []
