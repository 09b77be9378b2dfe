"""What one picture costs by a plan."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from reelwise.errors import InputError
from reelwise.flow import Item, Out
from reelwise.stages import Call

if TYPE_CHECKING:
    from reelwise.run.job import Job

__all__ = ["picture_usd"]


def picture_usd(job: Job) -> Decimal:
    """Say what one picture costs by the plan's first call that can be priced so: what a live loop pays for an inference.

    Raises:
        InputError: none of its calls takes a picture.
    """
    source = job.case.workload.source
    item = Item(count=1.0, seconds=1.0, frames=1.0, width_px=source.width, height_px=source.height, sampled=True,
                tokens_prefix=float(job.script.prefix_tokens), tokens_prompt=job.script.question_tokens(),
                tokens_output=job.script.output_expected or 1.0)  # fmt: skip
    for call in job.case.plan.of(Call):
        out = Out(job.case.book, job.case.book.day)
        call.expect(item, job.case.facts, out)
        usd = sum(
            (Decimal(str(usage.quantity)) * Decimal(str(float(rate.usd)))
             for request in out.requests for usage, rate in job.case.book.price_request(request)), Decimal(0),
        )  # fmt: skip
        if usd > 0:
            return usd.quantize(Decimal("0.000000001"))
    raise InputError(
        "none of its calls takes a picture",
        where=job.case.where,
        hint="say what one costs: usd_per_call in a scenario, --price",
    )
