"""Reelwise: what a video-AI feature costs, and what each way of cutting that bill is worth on your own footage."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
