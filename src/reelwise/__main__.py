"""`python -m reelwise` is the command `reelwise`."""

from __future__ import annotations

from reelwise.cli import main

main()
