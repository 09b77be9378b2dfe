"""The error tree is the one its page draws, and every error can be shown."""

from __future__ import annotations

import inspect
import re

import pytest

from reelwise import errors
from reelwise.errors import DocumentError, ReelwiseError

LEAVES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ReelwiseError) and kind is not ReelwiseError
]


def test_the_docstring_draws_every_error_under_its_parent() -> None:
    drawn = re.findall(r"^ {4}([│├└─ ]*)(\w+Error)", inspect.getdoc(errors) or "", re.MULTILINE)
    parents: list[tuple[int, str]] = []
    pairs = {}
    for indent, name in drawn:
        while parents and parents[-1][0] >= len(indent):
            parents.pop()
        pairs[name] = parents[-1][1] if parents else "Exception"
        parents.append((len(indent), name))
    assert pairs == {kind.__name__: kind.__bases__[0].__name__ for kind in [ReelwiseError, *LEAVES]}


@pytest.mark.parametrize("kind", [ReelwiseError, *LEAVES])
def test_exit_codes_are_those_of_the_docstring(kind: type[ReelwiseError]) -> None:
    codes = dict(re.findall(r"(\w+Error) +exit (\d)", inspect.getdoc(errors) or ""))
    of = next(base for base in kind.__mro__ if base.__name__ in codes)
    assert kind.exit_code == int(codes[of.__name__])
    assert kind.__name__ in errors.__all__


def test_an_error_says_where_and_what_to_do() -> None:
    error = DocumentError("is wrong", where="a.yaml $.b", hint="write it right")
    assert str(error) == "a.yaml $.b: is wrong"
    assert (error.message, error.where, error.hint) == ("is wrong", "a.yaml $.b", "write it right")
    assert str(ReelwiseError("alone")) == "alone"
