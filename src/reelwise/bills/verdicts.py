"""What a bill and the list prices alone can say about a lever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.errors import InputError

if TYPE_CHECKING:
    from reelwise.bills.line import BillLine
    from reelwise.rates import Book

__all__ = ["Judgement", "cliff", "downscale", "machine", "mode", "prompt_cache", "route", "unsplit"]

Judgement = tuple[bool, str, float | None]


def mode(wanted: str, line: BillLine, book: Book) -> Judgement:
    """Judge billing in another mode: the list prices say by how much."""
    if line.mode in {"batch", "flex"}:
        return False, f"is billed as {line.mode} already", None
    if not line.model:
        return True, "if the answer may wait; the bill does not say which model, so no price is compared", None
    unit = line.kind if line.kind.startswith("tokens_") else ""
    try:
        before = book.rate(line.model, unit)
        after = book.rate(line.model, unit, mode=wanted)
    except InputError:
        return False, f"no {wanted} price is known for {line.model}", None
    factor = float(before.usd) / float(after.usd) if float(after.usd) > 0 else None
    if factor is None or factor <= 1:
        return False, f"the {wanted} price of this unit is no lower on {line.model}", None
    wait = "a day" if wanted == "batch" else "minutes, and be refused"
    return True, f"if the answer may wait {wait}: {factor:.3g}x cheaper by list price", factor


def machine(wanted: str, line: BillLine) -> Judgement:
    """Judge another way of paying for machines."""
    if line.mode == wanted:
        return False, f"is billed as {wanted} already", None
    if wanted == "spot":
        return True, "if the work can stop and go on; not for live calls", None
    if line.mode == "spot":
        return False, "is billed as spot, which is cheaper than a commitment and not committed", None
    return True, "for the machines that run around the clock in any case", None


def route(line: BillLine, book: Book) -> Judgement:
    """Judge a cheaper model of the same maker, by price of this unit (tokens a picture may differ)."""
    from reelwise.levers.smaller_model.siblings import cheaper_sibling

    small = cheaper_sibling(line.model) if line.model else None
    if line.model and small is None:
        return False, f"no cheaper model of the same maker is known beside {line.model}", None
    if small is None:
        return True, "if part of the work is easy; the bill does not say which model", None
    try:
        ratio = float(book.rate(line.model, line.kind).usd) / float(book.rate(small, line.kind).usd)
    except InputError:
        return True, f"if part of the work is easy: to {small}", None
    if ratio <= 1:
        return False, f"{small} is no cheaper for this unit", None
    return True, f"for the easy share, which is to be measured: {small} costs {ratio:.3g}x less a token", None


def cliff(line: BillLine, book: Book) -> Judgement:
    """Judge splitting calls, where the model has a long-context price."""
    if not line.model:
        return False, "the bill does not say which model", None
    try:
        limit = book.cliff(line.model)
    except InputError:
        limit = None
    if limit is None:
        return False, f"{line.model} has no long-context price", None
    return (
        True,
        f"for calls above {limit:,} tokens: the whole call is dearer there; the bill does not say how many are",
        None,
    )


def prompt_cache(line: BillLine, cached: dict[str, float]) -> Judgement:
    """Judge caching the prefix, by the share that is read from a cache already."""
    share = cached.get(line.model)
    if share is None:
        return True, "if calls share a prefix of 1,024 tokens or more", None
    if share > 0.8:
        return False, f"{share:.0%} of this model's input is read from a cache already", None
    return True, f"if calls share a prefix of 1,024 tokens or more; {share:.0%} is read from a cache today", None


def unsplit(line: BillLine, split: frozenset[str]) -> Judgement:
    """Judge a lever on pictures where the bill may not tell text from pictures."""
    if line.model in split:
        return False, "this bill counts pictures, video and sound of this model apart: this is text", None
    return True, "if frames are in it: this bill does not tell text from pictures", None


_FRAME = (1920, 1080)


def downscale(line: BillLine, book: Book) -> Judgement:
    """Judge smaller pictures, by the model's token rule."""
    from reelwise.tokens import rule_for

    if line.kind != "tokens_video" or not line.model:
        return True, "if the answer survives a smaller picture; whether it saves depends on the token rule", None
    try:
        rule = rule_for(line.model, book.day)
    except InputError:
        return True, f"no token rule is known for {line.model}: count a request at both sizes", None
    if "low" not in rule.details:
        return False, f"{line.model} bills a frame of video the same at every level", None
    usual, low = (float(rule.video(*_FRAME, 1.0, 1.0, level)) for level in (rule.detail_default, "low"))
    if low >= usual:
        return (
            False,
            f"{line.model} counts {usual:g} tokens a frame at its default and {low:g} at low: nothing saved",
            None,
        )
    return True, f"low counts {low:g} tokens a frame in place of {usual:g}, if calls are at the default today", None
