"""Killed in the middle of adding: what was acknowledged is there, and all of it; the rest is there whole or not at all."""

from __future__ import annotations

import sys
import time
from subprocess import PIPE, Popen

import numpy as np
import pytest

from reelwise.duplicates import Fingerprint, Index, seen

_CHILD = """
import sys
import numpy as np
from reelwise.duplicates import Fingerprint, Index

with Index(sys.argv[1]) as index:
    for number in range(100_000):
        rng = np.random.default_rng(number)
        pictures = rng.integers(0, 256, (480, 24, 24), dtype=np.uint8)
        index.add(Fingerprint(pictures=pictures, rate=8, seconds=60.0), str(number))
        print(number, flush=True)
"""


def made(number: int) -> Fingerprint:
    pictures = np.random.default_rng(number).integers(0, 256, (480, 24, 24), dtype=np.uint8)
    return Fingerprint(pictures=pictures, rate=8, seconds=60.0)


@pytest.mark.parametrize("wait", [0.0, 0.013])
def test_kill_minus_nine(tmp_path, wait):
    path = tmp_path / "i.db"
    with Popen([sys.executable, "-c", _CHILD, str(path)], stdout=PIPE, text=True) as child:
        acknowledged = [int(child.stdout.readline()) for _ in range(5)]
        time.sleep(wait)
        child.kill()
        acknowledged += [int(line) for line in child.stdout.read().split("\n")[:-1] if line]

    with Index(path) as index:
        assert index.clips in {len(acknowledged), len(acknowledged) + 1}
        for number in range(index.clips):
            print_ = made(number)
            assert index.has(print_)
            block = index._store.pictures(number + 1, 0, 60)
            assert np.array_equal(block, print_.each_second())
        assert seen(index, made(3)).matches[0].clip == "3"
        assert not index.add(made(acknowledged[-1]), "again")
        assert index.add(made(999_999), "after the crash")
