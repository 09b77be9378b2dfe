"""Kinds of endpoints: what each can be sent and asked, so that a plan that asks for something else is refused before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from reelwise.stages import Call

__all__ = ["KINDS", "SENT", "Kind", "Trait", "card_kind", "sends"]

Kind = Literal[
    "openai", "responses", "gemini", "anthropic", "cloud_vision", "video_intelligence", "openai_sound", "openai_videos",
    "google_videos", "local",
]  # fmt: skip

_ASKED = frozenset({"describe", "ask", "moderate", "transcribe"})


class Trait(Struct, frozen=True, kw_only=True):
    """What a kind of endpoint takes.

    Attributes:
        path: of its API, under the address of a sandbox.
        tasks: what it can be asked to do.
        parts: what it can be sent: images, video, audio; generate is sent nothing but words.
        alone: it takes no words: instructions and questions are not sent.
        what: what it is, for messages.
    """

    path: str
    tasks: frozenset[str] = _ASKED
    parts: frozenset[str] = frozenset({"images"})
    alone: bool = False
    what: str = "a chat"


KINDS: dict[str, Trait] = {
    "openai": Trait(path="/v1", parts=frozenset({"images", "audio"})),
    "responses": Trait(path="/v1"),
    "gemini": Trait(path="/v1beta", parts=frozenset({"images", "video", "audio"})),
    "anthropic": Trait(path=""),
    "cloud_vision": Trait(
        path="/v1", tasks=frozenset({"detect", "describe"}), alone=True, what="it looks for one thing in pictures"
    ),
    "video_intelligence": Trait(
        path="/v1", tasks=frozenset({"detect"}), parts=frozenset({"video"}), alone=True, what="it looks for one thing in clips",
    ),
    "openai_sound": Trait(
        path="/v1", tasks=frozenset({"transcribe"}), parts=frozenset({"audio"}), alone=True, what="it writes down what is said",
    ),
    "openai_videos": Trait(path="/v1", parts=frozenset({"generate"}), what="it generates video"),
    "google_videos": Trait(path="/v1/projects/sandbox/locations/here", parts=frozenset({"generate"}), what="it generates video"),
    "local": Trait(path="", tasks=frozenset({"segment"}), alone=True, what="it separates foreground from background"),
}  # fmt: skip
SENT = {"images": "pictures", "video": "video", "audio": "sound", "generate": "nothing but words"}


def card_kind(model: str) -> Kind | None:
    """Say who answers for a rate card that is no language model; None where no wire here does."""
    from reelwise.models.google_videos import GoogleVideos
    from reelwise.models.openai_sound import OpenAISound
    from reelwise.models.video_jobs import VideoJobs
    from reelwise.models.vision_image import VisionImage
    from reelwise.models.vision_minute import VisionMinute

    wires: tuple[tuple[Kind, type], ...] = (
        ("cloud_vision", VisionImage), ("video_intelligence", VisionMinute), ("openai_sound", OpenAISound),
        ("openai_videos", VideoJobs), ("google_videos", GoogleVideos),
    )  # fmt: skip
    return next((kind for kind, wire in wires if model in wire.sells), None)  # type: ignore[attr-defined]


def sends(call: Call, kind: Kind, *, by_rule: bool) -> str:
    """Say what a call sends: images, video, audio or generate; empty where the model's token rule and the item decide.

    Args:
        call: the stage.
        kind: of its endpoint.
        by_rule: it is a language model with a token rule of its own, and no host's.
    """
    if call.part != "auto":
        return call.part
    if by_rule:
        return ""
    return "video" if kind == "video_intelligence" else "images"
