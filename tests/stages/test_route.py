"""A route splits items and loses none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelwise.evidence import Fact
from reelwise.facts import Entry, Facts
from reelwise.flow import Item, Out
from reelwise.plan import Plan, fold
from reelwise.stages import Call, Route
from reelwise.stages.asking import EASY

if TYPE_CHECKING:
    from collections.abc import Callable


@given(share=st.floats(0, 1), count=st.floats(0, 1e9))
def test_no_item_is_lost_and_none_is_made(expect: Callable[..., Any], share: float, count: float) -> None:
    one = Item(count=count, seconds=1.0, frames=1.0, width_px=10, height_px=10)
    (easy, hard), out = expect(Route(), one, route__easy_share=share)
    assert easy.count + hard.count == pytest.approx(count, rel=1e-12)
    assert (easy.lane, hard.lane) == ("easy", "main")
    assert easy.count == pytest.approx(count * share)
    assert not out.requests, "deciding costs nothing unless a router is named"


def test_a_router_reads_every_item_once_with_all_its_questions(expect: Callable[..., Any], item: Item) -> None:
    _, out = expect(Route(router="gpt-5-mini"), item, route__easy_share=0.9)
    (request,) = out.requests
    assert (request.count, request.tokens_text, request.tokens_output) == (120, 100 * 2 + EASY.tokens, EASY.output)
    assert request.stage == "route"


def test_each_class_of_users_may_have_its_own_share(item: Item) -> None:
    from msgspec.structs import replace

    entries = [Entry(name="route.easy_share", fact=Fact(value=0.5))]
    entries += [Entry(name="route.easy_share", source_class="free", fact=Fact(value=0.9, kind="measured"))]
    for name, share in (("free", 0.9), ("paying", 0.5)):
        out = Out(None, None)  # type: ignore[arg-type] - nothing is billed
        (easy, _) = Route().expect(replace(item, source_class=name), Facts(entries), out)
        assert easy.count == pytest.approx(item.count * share)


def test_draws_of_the_share_split_draw_by_draw(expect: Callable[..., Any], item: Item) -> None:
    shares = np.array([[0.1], [0.9]])
    (easy, hard), _ = expect(Route(), item, route__easy_share=shares)
    assert (easy.count + hard.count).tolist() == [[120.0], [120.0]]
    assert easy.count.tolist() == [[12.0], [108.0]]


def test_routes_in_a_row_still_lose_none(item: Item) -> None:
    plan = Plan(
        stages=(
            Route(), Route(to="harder", lane="main"), Call(model="gpt-5-mini", lane="easy"),
            Call(model="gpt-5", lane="main"), Call(model="gpt-5.4", lane="harder"),
        )
    )  # fmt: skip
    plan.check()
    facts = Facts([Entry(name="route.easy_share", fact=Fact(value=0.7))])
    cut = Plan(stages=plan.stages[:2])
    items = fold(cut, (item,), facts, Out(None, None))  # type: ignore[arg-type] - nothing is billed
    assert sum(float(one.count) for one in items) == pytest.approx(120)
    assert {one.lane for one in items} == {"easy", "main", "harder"}
