"""Open an export: find its header, tell its format, read its rows."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import msgspec

from reelwise.bills.formats import FORMATS, Format, Row, plain
from reelwise.documents import read_text
from reelwise.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reelwise.bills.line import BillLine

__all__ = ["read_bill", "read_bill_format"]

_LARGEST = 300_000_000
_MOST_LINES = 5_000_000
_HEADER_WITHIN = 60
_DELIMITERS = ",;\t"


def read_bill(path: Path, *, usd_per_unit: float | None = None) -> list[BillLine]:
    """Read a bill or usage export; the format is told by its columns.

    FOCUS 1.0 to 1.2, AWS Cost and Usage Report, Google Cloud billing export, OpenAI and Anthropic costs or usage; as CSV, or
    as JSON lines with the same names. Usage without money is priced at the list price of its day.

    Args:
        path: the file.
        usd_per_unit: what one unit of the bill's currency is in USD, where it is in another one.

    Raises:
        DocumentError: no file, no format that is known, no line with an amount, or a cell that is no number.
    """
    return read_bill_format(path, usd_per_unit=usd_per_unit)[0]


def read_bill_format(path: Path, *, usd_per_unit: float | None = None) -> tuple[list[BillLine], str]:
    """Read a bill and name its format; see `read_bill`."""
    text = read_text(path, largest=_LARGEST).removeprefix("\ufeff")
    if not text.strip():
        raise DocumentError("is empty", where=str(path), hint="export the bill again")
    json_lines = text.lstrip().startswith("{")
    form, rows = (_json_rows if json_lines else _csv_rows)(text, str(path), usd_per_unit)
    lines: list[BillLine] = []
    for row in rows:
        lines.extend(form.read(row))
        if len(lines) > _MOST_LINES:
            raise DocumentError(f"more than {_MOST_LINES:,} lines", where=str(path), hint="export one month")
    if not lines:
        raise DocumentError(f"no line of this {form.name} has an amount", where=str(path), hint="widen the dates")
    return _listed(lines), form.name


def _format_of(names: set[str]) -> Format | None:
    return next((form for form in FORMATS if form.fits(names)), None)


def _unknown(path: str, header: list[str]) -> DocumentError:
    looked = "; ".join(f"{form.name}: {form.says()}" for form in FORMATS)
    seen = ", ".join(header[:12]) or "nothing"
    return DocumentError(
        f"no format of a bill that is known; its columns are {seen}", where=path, hint=f"looked for {looked}"
    )


def _json_rows(text: str, path: str, usd_per_unit: float | None) -> tuple[Format, Iterator[Row]]:
    documents: list[dict[str, object]] = []
    for index, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            raise DocumentError("not JSON", where=f"{path}, line {index}", hint="one object a line") from None
        if not isinstance(value, dict):
            raise DocumentError("not a JSON object", where=f"{path}, line {index}", hint="one object a line")
        documents.append(value)
    names = [name for document in documents[:_HEADER_WITHIN] for name in document]
    form = _format_of({plain(name) for name in names})
    if form is None:
        raise _unknown(path, list(dict.fromkeys(names)))
    return form, (
        Row(
            {plain(name): _cell(value) for name, value in document.items()},
            f"{path}, line {index}",
            comma=False,
            usd_per_unit=usd_per_unit,
        )
        for index, document in enumerate(documents, 1)
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, (dict, list, bool)) else str(value)


def _csv_rows(text: str, path: str, usd_per_unit: float | None) -> tuple[Format, Iterator[Row]]:
    """Find the header within the first lines (some exports begin with a preamble), then read what follows."""
    first: list[str] = []
    for delimiter in _DELIMITERS:
        table = _cells(text, delimiter, path)
        preamble: dict[str, str] = {}
        for number, cells in table:
            if number > _HEADER_WITHIN:
                break
            first = first if len(first) >= len(cells) else cells
            form = _format_of({plain(cell) for cell in cells}) if len(cells) > 1 else None
            if form is not None:
                header = [plain(cell) for cell in cells]
                rate = usd_per_unit or _rate_of(preamble)
                return form, _rows(table, header, path, preamble, rate, comma=delimiter == ";")
            if len(cells) > 1:
                preamble[plain(cells[0])] = cells[1].strip()
    raise _unknown(path, first)


def _cells(text: str, delimiter: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """Read the cells of each line, with its number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise DocumentError(f"not CSV: {error}", where=where, hint="export it again") from None


def _rate_of(preamble: dict[str, str]) -> float | None:
    """Google writes how many units of the bill's currency one USD is."""
    try:
        rate = float(preamble.get("currencyexchangerate", ""))
    except ValueError:
        return None
    return 1 / rate if rate > 0 else None


def _rows(
    table: Iterator[tuple[int, list[str]]],
    header: list[str],
    path: str,
    preamble: dict[str, str],
    usd_per_unit: float | None,
    *,
    comma: bool,
) -> Iterator[Row]:
    above = {"currency": preamble["currency"]} if "currency" in preamble and "currency" not in header else {}
    for number, cells in table:
        if any(cells):
            named = {**above, **dict(zip(header, cells, strict=False))}
            yield Row(named, f"{path}, line {number}", comma=comma, usd_per_unit=usd_per_unit)


def _listed(lines: list[BillLine]) -> list[BillLine]:
    """Price usage that came without money, at the list price of its day; what has no price stays without an amount."""
    if not any(line.is_listed for line in lines):
        return lines
    import datetime as dt

    from reelwise.errors import InputError
    from reelwise.rates import Book

    books: dict[str, Book] = {}
    priced = []
    for line in lines:
        if not line.is_listed:
            priced.append(line)
            continue
        day = line.start or dt.datetime.now(tz=dt.UTC).date().isoformat()
        book = books.setdefault(day, Book.load(dt.date.fromisoformat(day)))
        try:
            language = book.language(
                line.model, line.mode if line.mode in {"batch", "flex", "priority"} else "standard"
            )
        except InputError:
            priced.append(line)
            continue
        rate = language.bands[0].get(line.kind)
        usd = None if rate is None else float(rate.usd) * (line.quantity or 0.0)
        priced.append(msgspec.structs.replace(line, usd=usd))
    return priced
