from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.ledger import Budget, Ledger, who_of
from reelwise.ledger.queries import last_rows
from reelwise.ledger.verify import verify
from reelwise.run.audit import audit, decode_clips
from reelwise.run.record import record

if TYPE_CHECKING:
    from pathlib import Path


def test_an_audit_is_recorded_once_and_counts_in_no_budget(drawn_clip: Path) -> None:
    result = audit(decode_clips([drawn_clip]), levers=["sample_frames", "drop_audio"])
    (cost,) = result.costs
    with Ledger(":memory:", thread=False) as ledger:
        ledger.set_budget(Budget(name="all", hard=1, period="total"))
        assert record(result, ledger) == (1, 0)
        assert record(result, ledger) == (0, 1)
        (row,) = last_rows(ledger.store, 9)

        assert (row["kind"], row["feature"], row["tags"]) == ("estimate", "audit", {"clip": "bay.mp4"})
        assert row["cost_nano"] == round(cost.usd_final * 1e9)
        assert row["cost_nano"] + row["avoided_nano"] == round(cost.usd_naive * 1e9)
        assert 0 < cost.usd_final < cost.usd_naive
        assert row["tokens_video"] == cost.units["tokens_video"] > 0
        assert ledger.remaining(who_of("audit")) == {"all": 1}
        found = verify(ledger.store)
        assert (found.cost_nano, found.problems) == (0, ())


def test_clips_sum_to_what_the_levers_say(drawn_clip: Path) -> None:
    result = audit(decode_clips([drawn_clip]), levers=["sample_frames"])
    (lever,) = result.levers
    (cost,) = result.costs

    assert abs(cost.usd_naive - lever.usd_clips_without) < 1e-9
    assert abs(cost.usd_final - lever.usd_clips_with) < 1e-9
