"""Calls under a hold: what is held, posted and let go of when the line breaks, against the sandbox's invoice."""

from __future__ import annotations

import pytest

import reelwise
from reelwise.charge import Ask, charge, hold
from reelwise.errors import EndpointError
from reelwise.ledger import Ledger
from reelwise.ledger.queries import last_rows
from reelwise.models.attempts import Attempts
from reelwise.models.work import Picture, Text, Work, source
from reelwise.testing import png, sandbox

PICTURE = Picture(source=source(png(640, 360)))
FAULTS = [
    {"kind": kind, "share": 0.06, "retry_after": 0.0}
    for kind in ("429", "503", "lost_request", "lost_reply", "504", "bad_json", "no_usage")
]


@pytest.mark.parametrize("provider", ["openai", "google", "anthropic"])
def test_the_ledger_and_the_invoice_differ_by_the_ambiguous_rows_alone(provider, ends, book):
    with sandbox({"faults": FAULTS, "day": "2026-11-28", "seed": 8}) as box, Ledger(":memory:", thread=False) as ledger:
        end, model = ends(box, attempts=Attempts(0.0, 0))[provider]
        ask = Ask(model=model, stills=((640, 360),), text_bytes=40, tokens_output=500)
        held = hold(ask, book).nano
        exact = ambiguous = 0
        for at in range(120):
            work = Work(model=model, parts=(PICTURE, Text(text=f"What is it, {at}?")), tokens_output=500)
            try:
                with reelwise.meter("describe", hold_nano=held, ledger=ledger) as call:
                    used = end.ask(work).used
                    if used.unpriced:  # nothing is told: all that is held is posted
                        ambiguous += 1
                    else:
                        spent = charge(used.request(), book).nano
                        call.cost(nano=spent)
                        exact += spent
                        assert spent <= held
            except EndpointError as error:
                ambiguous += error.billed
        ledger.flush()
        kept = last_rows(ledger.store, 1000)
        open_holds = ledger.open_holds
        rows = box.invoice.rows
    undelivered = [row for row in rows if not row.delivered]

    assert exact == sum(row.nano for row in rows if row.delivered) > 0
    assert ambiguous >= len(undelivered) > 0
    assert sum(row["cost_nano"] for row in kept) == exact + ambiguous * held
    assert sum(row["cost_nano"] for row in kept) >= sum(row.nano for row in rows)
    assert open_holds == 0
