"""Typing commands."""

from __future__ import annotations

import json

import pytest

from reelwise.cli import main


@pytest.fixture
def told(capsys):
    """Type a command; return what it printed, decoded where that is JSON, and what it said besides."""

    def tell(*words, code=0):
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert stopped.value.code == code, err
        return (json.loads(out) if "--json" in words else out), err

    return tell
