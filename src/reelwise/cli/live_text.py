"""A live run's report in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.cli.output import money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelwise.live.receipt import LiveReceipt, Timing
    from reelwise.live.report import LiveReport

__all__ = ["lines_of"]

_CHANGES = 5
_WIDE = 11


def lines_of(report: LiveReport) -> Iterator[str]:
    """Write a report, line by line: what was done, what it cost, how good it was, how long it took, what went wrong."""
    receipt = report.receipt
    yield (
        f"{report.source}: {receipt.frames:,} frames of {report.width}x{report.height} in {receipt.seconds:,.1f} s; "
        f"{receipt.inferences:,} inferences, {receipt.inference_share:.1%} of the frames"
    )
    yield ""
    yield _line("Model", _model(receipt))
    yield _line("Cost", _cost(receipt))
    if receipt.usd_per_call and receipt.iou is not None:
        yield _line("", f"beside that --verify asked about {receipt.iou.frames:,} frames, off the books")
    yield _line("Quality", _quality(receipt))
    yield _line("Time", _time(report))
    yield _line("Modes", _modes(receipt))
    for change in receipt.mode_changes[-_CHANGES:]:
        yield _line("", f"{change.seconds:,.1f} s: {change.old} -> {change.new}, {change.reason}")
    if losses := _losses(report):
        yield _line("Losses", losses)
    for one in report.outputs:
        yield _line("Written", one)
    yield _line("Ended", report.ended)
    for one in receipt.notes:
        yield f"Note: {one}"


def _line(name: str, said: str) -> str:
    return f"{name:<{_WIDE}}{said}"


def _model(receipt: LiveReceipt) -> str:
    why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(receipt.reasons.items(), key=lambda one: -one[1]))
    device = f"; {receipt.device}: {receipt.device_inferences:,} inferences on this device" if receipt.device else ""
    return f"{receipt.model}; held: {receipt.target}; asked by: {why or 'nothing'}{device}"


def _cost(receipt: LiveReceipt) -> str:
    if not receipt.usd_per_call:
        return "no price was given (--price USD a call)"
    said = f"{money(receipt.cost_usd)} USD; every frame sent: {money(receipt.cost_usd_every_frame)} USD"
    if receipt.cost_usd > 0:
        times = f"{receipt.cost_usd_every_frame / receipt.cost_usd:.3g}"
        said += f", {times} times as much" if times != "1" else ", the same"
    if receipt.cost_usd_hour_most is not None:
        said += f"; at most {money(receipt.cost_usd_hour_most)} USD in any hour"
    return said


def _quality(receipt: LiveReceipt) -> str:
    if receipt.iou is not None:
        iou = receipt.iou
        return (
            f"IoU {iou.mean:.3f} on average, {iou.p5:.3f} for the worst 5 %, {iou.p1:.3f} for the worst 1 %, "
            f"{iou.min:.3f} at least, against the model on every frame"
        )
    if receipt.iou_refresh is not None:
        refresh = receipt.iou_refresh
        return (
            f"not verified (--verify); when an inference came the carried mask overlapped with it by {refresh.mean:.3f} "
            f"on average (IoU)"
        )
    return "not verified (--verify)"


def _time(report: LiveReport) -> str:
    receipt = report.receipt
    parts = [f"{_ms(receipt.skip_path_ms)} of CPU for a frame that was carried"] if receipt.skip_path_ms.mean else []
    if receipt.answers:
        parts.append(f"{_ms(receipt.model_ms)} for an inference")
    parts.append(f"{'apart: ' if parts else ''}{_ms(report.read_ms)} reading")
    if report.compose_ms.mean:
        parts.append(f"{_ms(report.compose_ms)} background")
    if report.write_ms.mean:
        parts.append(f"{_ms(report.write_ms)} writing")
    if report.first_mask_seconds is not None:
        parts.append(f"first mask after {report.first_mask_seconds:.2f} s")
    return ", ".join(parts)


def _ms(timing: Timing) -> str:
    return f"{timing.mean:.3g} ms" if timing.mean < 1000 else f"{timing.mean / 1000:.3g} s"


def _modes(receipt: LiveReceipt) -> str:
    said = ", ".join(f"{mode} {seconds:,.1f} s" for mode, seconds in receipt.mode_seconds.items() if seconds)
    return said or receipt.mode


def _losses(report: LiveReport) -> str:
    receipt = report.receipt
    failures = ", ".join(f"{count:,} {kind}" for kind, count in receipt.failures.items())
    too_fast, under_way = "dropped, come too fast", "asked for an inference while one was under way"
    stalled = f"({receipt.stall_seconds:,.1f} s)"
    counted = (
        (receipt.dropped, f"frame {too_fast}", f"frames {too_fast}"),
        (receipt.waited, f"frame {under_way}", f"frames {under_way}"),
        (receipt.frames_blank, "frame without a mask that may be shown", "frames without a mask that may be shown"),
        (receipt.frames_black, "of them black", "of them black"),
        (receipt.size_changes, "change of size", "changes of size"),
        (receipt.stalls, f"stall {stalled}", f"stalls {stalled}"),
        (report.reconnects, "time opened again", "times opened again"),
        (receipt.denied, "inference denied by a budget", "inferences denied by a budget"),
        (receipt.retries, "retry", "retries"),
    )
    parts = [f"{count:,} {one if count == 1 else many}" for count, one, many in counted if count]
    if failures:
        parts.append(f"failed inferences: {failures}")
    return "; ".join(parts)
