"""Deployments side by side: what each costs, which can do the job, and from which volume another one is cheaper."""

from __future__ import annotations

from reelwise.compare.result import BreakEven, Comparison, DutyCycle, Machines, Offer, Reach
from reelwise.compare.side_by_side import compare

__all__ = ["BreakEven", "Comparison", "DutyCycle", "Machines", "Offer", "Reach", "compare"]
