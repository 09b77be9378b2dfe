"""The same run again: what was made before is told apart from what is made now, and two at once are not let in."""

from __future__ import annotations

import pytest

from reelwise.errors import InputError
from reelwise.run.journal import Journal

CALL = {"stage": "call", "model": "gemini-2.5-flash"}
MANY_PICTURES = [{"stage": "sample", "fps": 1.0}, {"stage": "call", "model": "gemini-2.5-flash-lite", "part": "images"}]


def test_a_second_process_in_the_same_folder_would_pay_twice_and_is_refused(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path, "key") as first:
        first.begin("a", "clip.mp4", 5)
        with pytest.raises(InputError, match="under way in this folder"):
            Journal(path, "key")
        first.begin("b", "clip.mp4", 6)
    with Journal(path, "key") as after:
        assert after.lost == {"a": ("clip.mp4", 5), "b": ("clip.mp4", 6)}


def test_calls_of_an_earlier_part_are_on_an_earlier_invoice(copies, write_plan, open_session):
    paths, plan = copies(3), write_plan(CALL)
    found = []
    for _ in range(2):
        with open_session(plan) as (session, job):
            found.append(session.run(job.case.plan, session.decoded(paths)).receipt)
    before, again = found

    assert (before.reconciled.earlier_calls, before.reconciled.invoice_nano) == (0, before.cost_nano)
    assert (again.reconciled.earlier_calls, again.reconciled.invoice_nano) == (3, 0)
    assert again.reconciled.earlier_nano == again.cost_nano == before.cost_nano
    assert again.reconciled.residual_nano == 0


def test_pictures_are_compared_with_text_where_one_of_two_vendors_does_not_tell_them_apart(
    copies, write_plan, open_session
):
    doubt = {"stage": "escalate", "second": "gpt-4o-mini", "to": "doubt"}
    stages = [*MANY_PICTURES, doubt, {**CALL, "lane": "doubt", "part": "images"}]
    with open_session(write_plan(*stages)) as (session, job):
        receipt = session.run(job.case.plan, session.decoded(copies(3))).receipt
    units = {side.unit: side for side in receipt.estimate}

    assert not {"tokens_image", "tokens_text"} & units.keys()
    assert units["tokens_text_and_image"].metered == pytest.approx(
        receipt.usage["tokens_text"] + receipt.usage["tokens_image"]
    )


def test_a_copy_of_an_upload_is_counted_once(drawn_clip, write_plan, open_session):
    kept = {"stage": "reuse", "duplicates": True, "views": True}
    with open_session(write_plan(kept, CALL)) as (session, job):
        result = session.run(job.case.plan, session.decoded([drawn_clip, drawn_clip]))

    assert result.receipt.requests == {"ok": 1, "cached": 1}
    assert (result.receipt.reused.uploads, result.receipt.reused.artefacts) == (1, 0)
