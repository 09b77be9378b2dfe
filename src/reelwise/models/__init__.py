"""Models behind one protocol: vendors' APIs, vision services, and networks that run on your own machine.

They return what they used, and know no prices. Importing this package loads nothing heavy: each name is loaded from its file on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelwise.lazy import attribute

if TYPE_CHECKING:
    from reelwise.models.answer import Answer
    from reelwise.models.anthropic import Anthropic
    from reelwise.models.anthropic_batch import AnthropicBatches
    from reelwise.models.attempts import Attempts
    from reelwise.models.batches import BatchRow
    from reelwise.models.fallback import Fallback
    from reelwise.models.films import Film
    from reelwise.models.gemini import Gemini
    from reelwise.models.gemini_batch import GeminiBatches
    from reelwise.models.gemini_caches import create_cache
    from reelwise.models.gemini_files import upload
    from reelwise.models.google_videos import GoogleVideos
    from reelwise.models.install import install_person_segmentation
    from reelwise.models.limiter import Limiter
    from reelwise.models.local import LocalSegment
    from reelwise.models.masks import MaskNetwork
    from reelwise.models.openai_batch import OpenAIBatches
    from reelwise.models.openai_chat import OpenAIChat
    from reelwise.models.openai_embed import OpenAIEmbed
    from reelwise.models.openai_responses import OpenAIResponses
    from reelwise.models.openai_sound import OpenAISound
    from reelwise.models.people import People
    from reelwise.models.person import PersonSegmentation
    from reelwise.models.protocol import Model
    from reelwise.models.segment import SegmentModel
    from reelwise.models.shelf import model_path
    from reelwise.models.used import Used
    from reelwise.models.video_jobs import VideoJobs
    from reelwise.models.vision_image import VisionImage
    from reelwise.models.vision_minute import VisionMinute
    from reelwise.models.work import Clip, Picture, Sound, Text, Work, source

__all__ = [
    "Answer",
    "Anthropic",
    "AnthropicBatches",
    "Attempts",
    "BatchRow",
    "Clip",
    "Fallback",
    "Film",
    "Gemini",
    "GeminiBatches",
    "GoogleVideos",
    "Limiter",
    "LocalSegment",
    "MaskNetwork",
    "Model",
    "OpenAIBatches",
    "OpenAIChat",
    "OpenAIEmbed",
    "OpenAIResponses",
    "OpenAISound",
    "People",
    "PersonSegmentation",
    "Picture",
    "SegmentModel",
    "Sound",
    "Text",
    "Used",
    "VideoJobs",
    "VisionImage",
    "VisionMinute",
    "Work",
    "create_cache",
    "install_person_segmentation",
    "model_path",
    "source",
    "upload",
]

_HOME = {
    "Answer": "answer",
    "Anthropic": "anthropic",
    "AnthropicBatches": "anthropic_batch",
    "Attempts": "attempts",
    "BatchRow": "batches",
    "Clip": "work",
    "Fallback": "fallback",
    "Film": "films",
    "Gemini": "gemini",
    "GeminiBatches": "gemini_batch",
    "GoogleVideos": "google_videos",
    "Limiter": "limiter",
    "LocalSegment": "local",
    "MaskNetwork": "masks",
    "Model": "protocol",
    "OpenAIBatches": "openai_batch",
    "OpenAIChat": "openai_chat",
    "OpenAIEmbed": "openai_embed",
    "OpenAIResponses": "openai_responses",
    "OpenAISound": "openai_sound",
    "People": "people",
    "PersonSegmentation": "person",
    "Picture": "work",
    "SegmentModel": "segment",
    "Sound": "work",
    "Text": "work",
    "Used": "used",
    "VideoJobs": "video_jobs",
    "VisionImage": "vision_image",
    "VisionMinute": "vision_minute",
    "Work": "work",
    "create_cache": "gemini_caches",
    "install_person_segmentation": "install",
    "model_path": "shelf",
    "source": "work",
    "upload": "gemini_files",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOME, name)


def __dir__() -> list[str]:
    return __all__
