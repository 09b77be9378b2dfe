"""Which endpoint answers for which model: vendors by their prices' provider, your own by name, or a sandbox for all of them."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from reelwise.errors import DocumentError, InputError
from reelwise.run.kinds import KINDS, Kind, card_kind

if TYPE_CHECKING:
    from reelwise.models.attempts import Attempts
    from reelwise.rates import Book

__all__ = ["Endpoints", "Place"]

_KIND_OF = {"openai": "openai", "google": "gemini", "anthropic": "anthropic"}
_HOST = "host:"
_PERSON = "person-segmentation"
_SANDBOX_POLL_SECONDS = 0.05


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint of your own, or your limits at a vendor.

    Attributes:
        match: a pattern that the model's name must fit, or the host's; the first place that does counts.
        kind: what it speaks: openai (chat completions: vLLM, SGLang and routers do), responses, gemini, anthropic, openai_sound (Whisper, and
            servers that speak it), cloud_vision, video_intelligence, openai_videos, google_videos; or local: a network on this machine.
        model: the model's name there, where that is another; a host has none of its own. Of kind local: person-segmentation, or
            person-segmentation:landscape.
        url: its address; empty is the vendor's.
        key: the variable of the environment that holds its key; null is the vendor's own, empty for none.
        video: it takes clips as `video_url`, as vLLM and SGLang do.
        idempotent: it knows a call by its id, and answers it once however often it is sent.
        requests_minute, tokens_minute: its limits under this key.
    """

    match: str
    kind: Kind
    model: str = ""
    url: str = ""
    key: str | None = None
    video: bool = False
    idempotent: bool = False
    requests_minute: Annotated[float, Meta(gt=0)] | None = None
    tokens_minute: Annotated[float, Meta(gt=0)] | None = None

    def check(self, where: str) -> None:
        """Refuse a pattern that is none.

        Raises:
            DocumentError: it is none.
        """
        try:
            re.compile(self.match)
        except re.error as error:
            raise DocumentError(f"{self.match!r:.40} is no pattern: {error}", where=where, hint="a name does") from None


class Endpoints:
    """Opens an endpoint once for each kind and place, all with one budget of retries.

    Args:
        book: says who sells a model.
        attempts: the budget of retries.
        places: your own, looked at first.
        sandbox: the address of a sandbox that stands in for all vendors; empty for none.
        idempotent: whether that sandbox knows a call by its id.
    """

    def __init__(
        self,
        book: Book,
        attempts: Attempts,
        *,
        places: tuple[Place, ...] = (),
        sandbox: str = "",
        idempotent: bool = False,
    ) -> None:
        self._book, self._attempts, self._places = book, attempts, places
        self._sandbox, self._idempotent = sandbox, idempotent
        self._open: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()

    def kind_of(self, model: str) -> Kind:
        """Say what the model's endpoint speaks; a host's is named `host:NAME`.

        Raises:
            InputError: nobody that is known here sells it by these means, or a host without an address.
        """
        place = self._place(model)
        if place is not None:
            return place.kind
        if model.startswith(_HOST):
            name = model.removeprefix(_HOST)
            raise InputError(
                f"the host `{name}` has no address here", where=model,
                hint=f"name one under `endpoints`: {{match: {name}, kind: openai, model: ..., url: ...}}, or kind: local",
            )  # fmt: skip
        language = self._book.is_language_model(model)
        provider = self._book.language(model).provider if language else ""
        kind = _KIND_OF.get(provider) if language else card_kind(model)
        if kind is None:
            raise InputError(
                f"no endpoint is known for it{f' ({provider})' if provider else ''}", where=model,
                hint="name one under `endpoints`: {match, kind: openai, url}",
            )  # fmt: skip
        return kind  # type: ignore[return-value]

    def takes_video(self, model: str) -> bool:
        """Say whether the model's endpoint takes clips although what it speaks does not say so."""
        place = self._place(model)
        return place is not None and place.video

    def name_of(self, model: str) -> str:
        """Return the model's name at its endpoint.

        Raises:
            InputError: a host's, and nobody says which model it serves.
        """
        place = self._place(model)
        name = place.model if place is not None else ""
        if not name and model.startswith(_HOST) and self.kind_of(model) != "local":
            raise InputError(
                "which model it serves is not said", where=model, hint="model: qwen2.5-vl-7b, say, under `endpoints`"
            )
        return name or model

    def of(self, model: str) -> Any:
        """Return the endpoint of a model, a `reelwise.models.endpoint.Endpoint`.

        Raises:
            InputError: see `kind_of`; or an address that cannot be.
        """
        kind, place = self.kind_of(model), self._place(model)
        own = model.startswith(_HOST)
        key = (kind, place, own)
        with self._lock:
            if key not in self._open:
                self._open[key] = self._opened(kind, place, own=own)
            return self._open[key]

    def embedding(self, name: str) -> Any:
        """Return the endpoint of a router's embedding.

        Args:
            name: openai:MODEL or gemini:MODEL.

        Raises:
            InputError: neither.
        """
        from reelwise.run.embedding import endpoint_of

        key = ("embedding", name)
        url, more = "", dict[str, Any]()
        if self._sandbox:
            url = f"{self._sandbox}{KINDS[name.partition(':')[0]].path}"
            more = {"idempotent": self._idempotent, "name": "sandbox embedding"}
        with self._lock:
            if key not in self._open:
                self._open[key] = endpoint_of(
                    name, url=url, key="" if self._sandbox else None, attempts=self._attempts, **more
                )
            return self._open[key]

    def marks(self, model: str) -> str:
        """Say in a word who answers for a model: what one endpoint answered is not another's answer, nor a sandbox's a vendor's."""
        place, own = self._place(model), model.startswith(_HOST)
        who = model if own else "sandbox" if self._sandbox else ""
        return "|".join((self.kind_of(model), who, place.url if place and (own or not self._sandbox) else ""))

    def _place(self, model: str) -> Place | None:
        name = model.removeprefix(_HOST)
        return next((one for one in self._places if re.fullmatch(one.match, name)), None)

    def _opened(self, kind: Kind, place: Place | None, *, own: bool) -> Any:
        from reelwise.models.limiter import Limiter

        if kind == "local":
            return _network(place.model if place is not None else "")
        more: dict[str, Any] = {"attempts": self._attempts}
        url, key = "", None
        if place is not None:
            url, key = place.url, place.key
            more["idempotent"] = place.idempotent
            more["limiter"] = Limiter(place.requests_minute, place.tokens_minute, name=place.url or kind)
        if own and not url:
            raise InputError(
                "a host needs an address", where=place.match if place else kind, hint="url: http://127.0.0.1:8000/v1"
            )
        if self._sandbox and not own:  # a host is yours: no sandbox stands in for it
            url, key = f"{self._sandbox}{KINDS[kind].path}", ""
            more["idempotent"] = self._idempotent
            more["name"] = f"sandbox {kind}"
            if kind == "video_intelligence":
                more["poll_seconds"] = _SANDBOX_POLL_SECONDS
        elif own:
            key, more["name"] = key or "", place.match if place is not None else ""
        if kind == "openai" and place is not None:
            more["video"] = place.video
        return _wire(kind)(url, key, **more)

    def close(self) -> None:
        """Close all of them."""
        for endpoint in self._open.values():
            endpoint.close()


def _wire(kind: Kind) -> Any:
    from reelwise import models

    names = {
        "openai": "OpenAIChat", "responses": "OpenAIResponses", "gemini": "Gemini", "anthropic": "Anthropic",
        "cloud_vision": "VisionImage", "video_intelligence": "VisionMinute", "openai_sound": "OpenAISound",
        "openai_videos": "VideoJobs", "google_videos": "GoogleVideos",
    }  # fmt: skip
    return getattr(models, names[kind])


def _network(name: str) -> Any:
    """Open a network on this machine.

    Raises:
        InputError: no such network, or it is not installed.
        MissingExtraError: what runs it is not.
    """
    from reelwise.models.local import LocalSegment
    from reelwise.models.person import PersonSegmentation

    head, _, variant = (name or _PERSON).partition(":")
    if head != _PERSON:
        raise InputError(f"{name!r:.60} is no network that is known here", where="endpoints", hint=f"model: {_PERSON}")
    return LocalSegment(PersonSegmentation(variant or "general"))
