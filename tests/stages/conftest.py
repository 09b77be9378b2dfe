"""One class of items, and what a stage makes of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from reelwise.evidence import Fact
from reelwise.facts import Entry, Facts
from reelwise.flow import Item, Out
from reelwise.rates import Book

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelwise.stages import Stage

DAY = dt.date(2026, 11, 22)
BOOK = Book.load(DAY)


@pytest.fixture(scope="session")
def expect() -> Callable[..., tuple[tuple[Item, ...], Out]]:
    """Call with a stage, an item and facts by name; returns the items it makes and what it would bill."""

    def run(stage: Stage, item: Item, **known: Any) -> tuple[tuple[Item, ...], Out]:
        decode = Entry(name="decode.cpu_seconds_per_second", fact=Fact(value=0.03))
        look = [
            Entry(name=f"scan.{method}.exact.cpu_share", fact=Fact(value=0.4 if method == "auto" else 0.1))
            for method in ("auto", "packets")
        ]
        entries = {name.replace("__", "."): value for name, value in known.items()}
        facts = Facts([decode, *look, *(Entry(name=name, fact=Fact(value=0.5)) for name in entries)])
        for entry in facts.entries[3:]:
            facts = facts.fixed(entry, entries[entry.name])
        out = Out(BOOK, DAY)
        return stage.expect(item, facts, out), out

    return run


@pytest.fixture
def item() -> Item:
    return Item(
        count=120.0, seconds=60.0, frames=1800.0, audio_seconds=60.0, megabytes=30.0, width_px=1920, height_px=1080,
        tokens_prefix=2000.0, tokens_prompt=100.0, tokens_output=300.0, questions=2.0, views=3.0, duplicates=4.0,
        footage="doors",
    )  # fmt: skip
