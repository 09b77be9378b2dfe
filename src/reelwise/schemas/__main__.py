"""Rewrite the committed schemas."""

from __future__ import annotations

from reelwise.schemas import write_all

if __name__ == "__main__":
    write_all()
