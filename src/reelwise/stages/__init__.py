"""The stages of a plan, one file each, in canonical order."""

from __future__ import annotations

from reelwise.stages.audio import Audio
from reelwise.stages.base import Stage
from reelwise.stages.call import Call
from reelwise.stages.crop import Crop
from reelwise.stages.escalate import Escalate
from reelwise.stages.gate import Gate
from reelwise.stages.keep import Keep
from reelwise.stages.pack import Pack
from reelwise.stages.prompt import Prompt
from reelwise.stages.reuse import Reuse
from reelwise.stages.route import Route
from reelwise.stages.sample import Sample
from reelwise.stages.scale import Scale
from reelwise.stages.send import Send

__all__ = [
    "AnyStage", "Audio", "Call", "Crop", "Escalate", "Gate", "Keep", "Pack", "Prompt", "Reuse", "Route", "Sample", "Scale", "Send",
    "Stage",
]  # fmt: skip

AnyStage = Keep | Gate | Reuse | Crop | Sample | Scale | Audio | Pack | Prompt | Send | Route | Call | Escalate
"""Every stage a plan may hold; in YAML the field `stage` says which."""
