"""A comparison as one page: the answer first, then prices, charts, break-evens, machines, and where the numbers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelwise.report.compare_text import (
    MACHINES,
    OPTIONS,
    PAIRS,
    UNITS,
    heading,
    machine_rows,
    notes,
    option_row,
    pair_cells,
    pairs,
    refusals,
    sentences,
)  # fmt: skip
from reelwise.report.numbers import money, percent, quantity
from reelwise.report.page import Html, bullets, element, fold, page, section, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.compare import Comparison, Offer
    from reelwise.report.compare_charts import ComparisonDrawn

__all__ = ["comparison_page"]


def comparison_page(found: Comparison, drawn: ComparisonDrawn | None) -> str:
    """Write the page; without charts it says how to get them."""
    able = [one for one in found.options if one.feasible]
    parts = [
        element("p", "Deployments side by side", class_="over"),
        element("h1", heading(found)),
        *(element("p", _code(text), class_="lead" if at == 0 else None) for at, text in enumerate(sentences(found))),
        section("able", "Can do the job", _options(able)) if able else "",
        section("not", "Cannot do the job", bullets(refusals(found))) if len(able) < len(found.options) else "",
        *_charts(drawn),
        _break_evens(found),
        _machines(able),
        section("basis", "What it rests on", bullets(notes(able)), *(_basis(one) for one in found.options)),
    ]
    foot = f"reelwise compare, prices of {found.day}. `reelwise price --option NAME` prices any of these line by line."
    return page(f"{found.feature}: deployments side by side", *parts, foot=foot)


def _code(text: str) -> Html:
    """Turn names in backticks into emphasis."""
    pieces = text.split("`")
    return Html(
        "".join(
            str(element("strong", piece)) if at % 2 else str(element("span", piece)) for at, piece in enumerate(pieces)
        )
    )


def _options(able: Iterable[Offer]) -> Html:
    return table(
        OPTIONS, [option_row(one) for one in able], label="options that can do the job", right=range(2, len(OPTIONS))
    )


def _charts(drawn: ComparisonDrawn | None) -> list[Html]:
    if drawn is None:
        return [element("p", "Charts need the extra: pip install 'reelwise[report]'", class_="note")]
    caption = "Dashed lines, and names with a star, cannot do the job."
    found = [section("volume", "By volume", element("figure", drawn.volume, element("figcaption", caption)))]
    if drawn.sampling is not None:
        found.append(
            section("sampling", "By sampling rate", element("figure", drawn.sampling, element("figcaption", caption)))
        )
    return found


def _break_evens(found: Comparison) -> Html:
    parts: list[object] = []
    axes = (("volume", found.volume, UNITS[found.unit]), ("sampling", None, "frames a second, at this volume"))
    for axis, near, unit in axes:
        rows = pairs((one for one in found.break_even if one.axis == axis), near)
        if rows:
            cells = [pair_cells(row) for row in rows]
            parts += [
                element("h3", f"By {axis}: {unit}"),
                table(PAIRS, cells, label=f"break-even by {axis}", right=(3, 4)),
            ]
    if not parts:
        return Html("")
    parts.append(
        element(
            "p",
            "A star: one of the two cannot do the job. In brackets: the break-even with machines as slow and as fast as the facts "
            "allow. Busy: how busy rented machines are there. Several times: whole machines make the bills change places at each step.",
            class_="soft",
        )
    )
    return section("even", "Where two options change places", *parts)


def _machines(able: Iterable[Offer]) -> Html:
    rows = machine_rows(able)
    if not rows:
        return Html("")
    return section(
        "machines", "Machines: what is paid, and what for", table(MACHINES, rows, label="machines", right=range(1, 7))
    )


def _basis(one: Offer) -> Html:
    """Show what an option's price is made of."""
    lines = [(sku, unit, quantity(amount), money(usd)) for sku, unit, amount, usd in one.line_items]
    parts: list[object] = []
    if lines:
        parts.append(table(("billed", "unit", "quantity", "USD a month"), lines, label=one.name, right=(2, 3)))
    shares = ", ".join(f"{percent(share)} {name}" for name, share in one.evidence_share.items() if share > 0.0005)
    if shares:
        parts.append(element("p", f"Quantities are {shares}."))
    parts += [
        element(
            "p",
            f"{swing.fact} {swing.low:g} to {swing.high:g} ({swing.kind}): {money(swing.usd_low)} to {money(swing.usd_high)} USD",
        )
        for swing in one.moves
    ]
    if one.quality is not None:
        parts.append(element("p", f"Quality {one.quality:g}."))
    parts += [element("p", text) for text in one.why]
    return fold(one.name, *parts)
