"""Fakes for your own tests: a model provider on this machine."""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelwise.documents import decode
from reelwise.sandbox.scenario import Scenario
from reelwise.sandbox.server import Sandbox

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["png", "sandbox"]


def png(width: int, height: int, shade: int = 0) -> bytes:
    """Make a grey picture of any size, a few hundred bytes: for calls that are counted by size.

    Args:
        width: in pixels; height likewise.
        height: see width.
        shade: 0..255.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + bytes([shade]) * width
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(row * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@contextmanager
def sandbox(scenario: Scenario | dict[str, Any] | str | os.PathLike[str] | None = None) -> Iterator[Sandbox]:
    """Run a sandbox in this process, on a free port of this machine.

        with reelwise.testing.sandbox({"seed": 7, "output": {"tokens": 40}}) as box:
            client = openai.OpenAI(base_url=f"{box.url}/v1", api_key="any")
            ...
            assert box.invoice.nano == 1_234_567

    Args:
        scenario: what it does: a `reelwise.sandbox.Scenario`, its fields, a YAML file, or nothing.

    Raises:
        DocumentError: a field that cannot be.
    """
    if scenario is None:
        found = Scenario()
    elif isinstance(scenario, Scenario):
        found = scenario
    elif isinstance(scenario, dict):
        found = decode(scenario, Scenario, where="scenario")
    else:
        found = Scenario.load(Path(scenario))
    with Sandbox(found) as box:
        yield box
