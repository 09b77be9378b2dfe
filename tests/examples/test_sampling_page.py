"""The plans that docs/sampling.md shows are plans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reelwise.documents import decode, parse_yaml
from reelwise.plan import Plan

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "sampling.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_plan_on_the_page_is_one(block: str) -> None:
    tree = parse_yaml(block, where="docs/sampling.md")
    stages = tree["stages"] if isinstance(tree, dict) else [*tree, {"stage": "call", "model": "gpt-4o"}]
    decode({"stages": stages}, Plan, where="docs/sampling.md").check()


def test_there_are_plans() -> None:
    assert len(BLOCKS) == 3
