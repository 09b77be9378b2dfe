"""Turn the counts of an adaptive run into its receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.live.receipt import LiveReceipt
from reelwise.live.tally import overlap_of, timing_of
from reelwise.live.target import exact_nano, plain_usd
from reelwise.units import NANO

if TYPE_CHECKING:
    from fractions import Fraction

    from reelwise.live.engine import Engine
    from reelwise.live.target import Target

__all__ = ["receipt_of"]


def receipt_of(engine: Engine, *, model: str, device: str, target: Target, price: Fraction) -> LiveReceipt:
    """Make the receipt as of now.

    Args:
        engine: what was counted.
        model: the main model's name.
        device: the name of the model on the device; empty for none.
        target: what was to be held.
        price: nano-dollars a call.
    """
    tally, main = engine.tally, engine.main
    device_lane = engine.device
    inferences = main.calls - main.revoked - tally.denied
    on_device = device_lane.calls - device_lane.revoked if device_lane is not None else 0
    hour = None
    if target.usd_an_hour is not None:
        hour = float(exact_nano(target.usd_an_hour, "usd_an_hour") // price * price / NANO)
    return LiveReceipt(
        model=model,
        device=device,
        target=target.said,
        mode=engine.modes.now.mode,
        seconds=round(tally.last - (tally.first or 0.0), 3),
        frames=tally.frames,
        inferences=inferences,
        inference_share=round(inferences / tally.frames, 5) if tally.frames else 0.0,
        answers=tally.answers,
        device_inferences=on_device,
        reasons=dict(tally.reasons),
        usd_per_call=plain_usd(price) if price else "",
        cost_usd=main.books.nano / NANO,
        cost_nano=main.books.nano,
        cost_usd_every_frame=float(price * tally.frames / NANO),
        cost_usd_hour_most=hour,
        retries=main.health.retries,
        timeouts=tally.failures["timeout"],
        failures=dict(tally.failures),
        failure_last=tally.failure_last,
        denied=tally.denied,
        revoked=main.revoked,
        waited=tally.waited,
        dropped=tally.dropped,
        frames_blank=tally.frames_blank,
        frames_black=tally.frames_black,
        size_changes=tally.size_changes,
        stalls=engine.time.gaps,
        stall_seconds=round(engine.time.gap_seconds, 3),
        age_seconds_most=round(tally.age_seconds_most, 3),
        behind_most=tally.behind_most,
        iou=overlap_of(tally.verified),
        iou_refresh=overlap_of(tally.refresh),
        threshold=round(engine.pace.threshold, 4),
        skip_path_ms=timing_of(tally.skip_path),
        carried_ms=timing_of(tally.carried),
        inferred_ms=timing_of(tally.inferred),
        model_ms=timing_of(tally.model),
        mode_changes=tuple(engine.modes.changes),
        mode_changes_count=engine.modes.count,
        mode_seconds={mode: round(seconds, 3) for mode, seconds in engine.modes.seconds.items()},
        first_mask_seconds=None if tally.first_mask_seconds is None else round(tally.first_mask_seconds, 4),
        moments=tally.moments,
        notes=tally.notes,
    )
