"""What a call costs, to the nano-dollar: before it, at most (`hold`), and after it (`charge`).

book = Book.load(datetime.date(2026, 11, 23))
held = hold(Ask(model="gemini-2.5-pro", media=media_of("clip.mp4"), text_bytes=120, tokens_output=500), book)
spent = charge(Request(model="gemini-2.5-pro", count=1, tokens_video=9_288, tokens_text=40, tokens_output=212), book)
"""

from __future__ import annotations

from reelwise.charge.ask import Ask
from reelwise.charge.bounds import bounds_of
from reelwise.charge.cost import Charge, Part, charge
from reelwise.charge.holds import Hold, hold
from reelwise.charge.media import Media, media_of
from reelwise.charge.position import Position
from reelwise.charge.standing import kept, machine_seconds

__all__ = [
    "Ask",
    "Charge",
    "Hold",
    "Media",
    "Part",
    "Position",
    "bounds_of",
    "charge",
    "hold",
    "kept",
    "machine_seconds",
    "media_of",
]
