from __future__ import annotations

import json

import pytest

from reelwise.errors import DocumentError
from reelwise.route.outcomes import Columns, read_outcomes


def test_csv_and_jsonl_say_the_same(tmp_path):
    (tmp_path / "a.csv").write_text('prompt,weak,strong,size\n"Two, lines\nof text?",True,0,3\nother?,no,0.5,4\n')
    rows = [
        {"text": "Two, lines\nof text?", "cheap": True, "dear": 0, "size": 3},
        {"text": "other?", "cheap": "no", "dear": 0.5, "size": 4},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    columns = Columns(features=("size",))

    assert read_outcomes(tmp_path / "a.csv", columns).rows == read_outcomes(tmp_path / "a.jsonl", columns).rows


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,cheap,dear\n", "no rows"),
        ("text,cheap\na,1\n", "no column dear"),
        ("text,cheap,dear\na,maybe,1\n", "cheap is 'maybe'"),
        ("text,cheap,dear\na,2,1\n", "cheap is"),
        ("text,cheap,dear\na,nan,1\n", "cheap is"),
        ("text,cheap,dear\n ,1,1\n", "text is empty"),
        ("text,cheap,dear\na,1\n", "dear is None"),
    ],
)
def test_bad_rows_are_named(tmp_path, content, said):
    path = tmp_path / "rows.csv"
    path.write_text(content)

    with pytest.raises(DocumentError, match=said):
        read_outcomes(path)


def test_a_line_that_is_no_object_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "cheap": 1, "dear": 1}\n[1]\n')

    with pytest.raises(DocumentError) as caught:
        read_outcomes(path)

    assert caught.value.where.endswith("line 2")


def test_a_cascade_needs_answers(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,cheap,dear\na,1,1\n")

    with pytest.raises(DocumentError, match="no column with answers"):
        read_outcomes(path, answers=True)


def test_a_model_may_be_named_whose_column_has_the_usual_name(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,cheap,dear\na,1,0\n")

    columns = read_outcomes(path, Columns(cheap="gpt-4o-mini")).columns

    assert (columns.cheap, columns.dear) == ("cheap", "dear")
