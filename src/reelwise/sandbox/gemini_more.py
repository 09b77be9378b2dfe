from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelwise.sandbox.exchange import Route

ROUTES: tuple[Route, ...] = ()
