"""The house rules that no linter checks."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src" / "reelwise").rglob("*.py"))
MODULE_LINES = 400
FUNCTION_LINES = 70


def trees():
    for path in SOURCES:
        yield path, path.read_text(encoding="utf-8"), ast.parse(path.read_text(encoding="utf-8"))


def test_modules_are_short_enough_to_read():
    long = [f"{p.relative_to(ROOT)} {text.count(chr(10))}" for p, text, _ in trees() if text.count("\n") > MODULE_LINES]

    assert not long


def test_functions_are_short_enough_to_read():
    found = set()
    for path, _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > FUNCTION_LINES:
                found.add(f"{path.relative_to(ROOT / 'src' / 'reelwise')}:{node.name}")

    assert not found


def test_no_broad_except_and_no_global():
    found = []
    for path, _, tree in trees():
        for node in ast.walk(tree):
            broad = (
                isinstance(node, ast.ExceptHandler)
                and (node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"})
                and not (
                    isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                )  # tidies up and lets it pass
            )
            if broad or isinstance(node, ast.Global):
                found.append(f"{path.name}:{node.lineno}")

    assert not found


def test_no_package_index_address_in_any_file():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - git from PATH
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = []
    for name in listed.stdout.split():
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".sh", ""}:
            text = path.read_text(encoding="utf-8", errors="ignore")
            if re.search(r"https?://[^\s\"']+/(simple|packages)/", text):
                found.append(name)

    assert not found


def test_every_pin_is_plain():
    lines = (ROOT / "constraints.txt").read_text().split()

    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line) for line in lines)
