"""A sandbox, endpoints that point at it, and pictures of any size."""

from __future__ import annotations

import datetime as dt

import pytest

from reelwise.models.anthropic import Anthropic
from reelwise.models.gemini import Gemini
from reelwise.models.openai_chat import OpenAIChat
from reelwise.testing import sandbox

KEYS = {
    "OPENAI_API_KEY": "sk-test-0123456789abcdef",
    "GEMINI_API_KEY": "AIzaTest0123456789abcdef",
    "ANTHROPIC_API_KEY": "sk-ant-0123456789",
    "GOOGLE_ACCESS_TOKEN": "ya29.token0123456789",
}


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def box():
    with sandbox({"seed": 3, "day": "2026-11-28", "output": {"tokens": 40}}) as found:
        yield found


@pytest.fixture
def book():
    from reelwise.rates import Book

    return Book.load(dt.date(2026, 11, 28))


@pytest.fixture
def ends():
    """A function that makes every chat at a sandbox, with a model that it sells."""

    def make(box, **options):
        return {
            "openai": (OpenAIChat(f"{box.url}/v1", **options), "gpt-4o"),
            "google": (Gemini(f"{box.url}/v1beta", **options), "gemini-2.5-flash"),
            "anthropic": (Anthropic(box.url, **options), "claude-haiku-4-5"),
        }

    return make
