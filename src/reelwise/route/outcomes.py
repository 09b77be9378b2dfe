"""Outcomes: questions, how well a cheap and a dear model answered them, and what the cheap ones said."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from reelwise.documents import read_text
from reelwise.errors import DocumentError
from reelwise.route.text import ANSWER, BETWEEN, QUESTION, answer_row, between_row, final_answer, question_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from reelwise.route.learner import Table

__all__ = ["Columns", "Outcome", "Outcomes", "numbers_of", "read_outcomes", "table_of"]

_LARGEST: Final = 500_000_000
_ROWS_MOST: Final = 200_000
_FIELD_MOST: Final = 10_000_000
_TEXT: Final = ("text", "prompt", "question")
_CHEAP: Final = ("cheap", "cheap_correct", "weak")
_DEAR: Final = ("dear", "dear_correct", "strong")
_ANSWERS: Final = ("answer", "answer_2", "answer_3")
_WORDS: Final = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "right": 1.0, "wrong": 0.0}


class Columns(Struct, frozen=True, kw_only=True):
    """Names of columns; an empty one is looked for under its usual names.

    Attributes:
        text: the question.
        cheap, dear: how good either answer was: true or false, or 0..1. A name that no column has is a model's, and the usual
            names are looked for.
        answers: texts of what cheap models answered, the one that is served first.
        features: further numbers that are known before the call.
    """

    text: str = ""
    cheap: str = ""
    dear: str = ""
    answers: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


class Outcome(Struct, frozen=True, kw_only=True):
    """One row, see `Columns`."""

    text: str
    cheap: float
    dear: float
    answers: tuple[str, ...] = ()
    features: tuple[float, ...] = ()


class Outcomes(Struct, frozen=True, kw_only=True):
    """Rows of a file, under the names that their columns have.

    Attributes:
        rows: the outcomes.
        columns: as they were found.
        sha256: of the file.
    """

    rows: tuple[Outcome, ...]
    columns: Columns
    sha256: str


def read_outcomes(path: Path, columns: Columns | None = None, *, answers: bool = False) -> Outcomes:
    """Read a CSV file with a header, or a JSONL file.

    Args:
        path: of a name that ends in .jsonl or .ndjson, or of a CSV file.
        columns: their names, where they are not the usual ones.
        answers: whether the texts of cheap answers are needed.

    Raises:
        DocumentError: says which row and column cannot be used.
    """
    wanted = columns or Columns()
    content = read_text(path, largest=_LARGEST)
    where = str(path)
    rows = _jsonl(content, where) if path.suffix.lower() in {".jsonl", ".ndjson"} else _csv(content, where)
    if not rows:
        raise DocumentError("no rows", where=where, hint="give one row a question")
    if len(rows) > _ROWS_MOST:
        raise DocumentError(f"{len(rows):,} rows", where=where, hint=f"give at most {_ROWS_MOST:,}")
    head = rows[0]
    found = Columns(
        text=_found(head, wanted.text, _TEXT, where),
        cheap=_found(head, wanted.cheap if wanted.cheap in head else "", _CHEAP, where, wanted.cheap),
        dear=_found(head, wanted.dear if wanted.dear in head else "", _DEAR, where, wanted.dear),
        answers=wanted.answers or tuple(name for name in _ANSWERS if name in head) if answers else (),
        features=wanted.features,
    )
    if answers and not found.answers:
        raise DocumentError("no column with answers", where=where, hint="name it with --answer, or call it `answer`")
    for name in (*found.answers, *found.features):
        _found(head, name, (), where)
    return Outcomes(
        rows=tuple(_row(row, found, f"{where}, row {number}") for number, row in enumerate(rows, 1)),
        columns=found,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
    )


def _csv(content: str, where: str) -> list[dict[str, Any]]:
    csv.field_size_limit(_FIELD_MOST)
    try:
        return list(csv.DictReader(io.StringIO(content, newline=""), strict=True))
    except csv.Error as error:
        raise DocumentError(f"not CSV: {error}", where=where, hint="is it JSONL? call it .jsonl") from None


def _jsonl(content: str, where: str) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(msgspec.json.decode(line, type=dict[str, Any]))
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise DocumentError(
                f"not a JSON object: {error}", where=f"{where}, line {number}", hint="one object a line"
            ) from None
    return rows


def _found(head: Mapping[str, Any], name: str, usual: Sequence[str], where: str, model: str = "") -> str:
    for known in (name,) if name else usual:
        if known in head:
            return known
    asked = " or ".join(one for one in (name or model, *usual) if one)
    there = ", ".join(map(str, list(head)[:12]))
    raise DocumentError(f"no column {asked}", where=where, hint=f"there are: {there}")


def _row(row: Mapping[str, Any], columns: Columns, where: str) -> Outcome:
    text = row.get(columns.text)
    if not isinstance(text, str) or not text.strip():
        raise DocumentError(f"{columns.text} is empty", where=where, hint="leave the row out")
    said = tuple(row.get(name) for name in columns.answers)
    return Outcome(
        text=text,
        cheap=_quality(row.get(columns.cheap), columns.cheap, where),
        dear=_quality(row.get(columns.dear), columns.dear, where),
        answers=tuple("" if one is None else str(one) for one in said),
        features=tuple(_number(row.get(name), name, where) for name in columns.features),
    )


def _quality(value: Any, column: str, where: str) -> float:
    number = _number(_WORDS.get(value.strip().lower(), value) if isinstance(value, str) else value, column, where)
    if not 0 <= number <= 1:
        raise DocumentError(f"{column} is {value!r}", where=where, hint="write true or false, or a share from 0 to 1")
    return number


def _number(value: Any, column: str, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or abs(number) > 1e15:
        raise DocumentError(f"{column} is {value!r}", where=where, hint="write a number, or leave the row out")
    return number


def numbers_of(text: str, answers: Sequence[str], features: Sequence[float]) -> list[float]:
    """Return all numbers of a row: of the question, of each answer, and between each two texts."""
    row = question_row(text)
    for answer in answers:
        row += answer_row(answer)
        row += between_row(answer, text, one_final="", other_final="")[2:]
    finals = [final_answer(answer) for answer in answers]
    for other in range(1, len(answers)):
        row += between_row(answers[0], answers[other], one_final=finals[0], other_final=finals[other])
    return [*row, *features]


def width_of(answers: int, features: int) -> int:
    """Return how many numbers a row has."""
    return len(QUESTION) + answers * (len(ANSWER) + len(BETWEEN) - 2) + max(0, answers - 1) * len(BETWEEN) + features


def table_of(rows: Iterable[Outcome]) -> Table:
    """Turn rows into what is learned from."""
    import numpy as np

    from reelwise.route import grams
    from reelwise.route.learner import Table, stacked

    kept = list(rows)
    return Table(
        stacked([numbers_of(row.text, row.answers, row.features) for row in kept]),
        grams.hashed([(*row.answers, row.text) for row in kept]),
        np.array([row.cheap for row in kept]),
        np.array([row.dear for row in kept]),
    )
