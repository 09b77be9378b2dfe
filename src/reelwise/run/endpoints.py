"""Which endpoint answers for which model: vendors by their prices' provider, your own by name, or a sandbox for all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct

from reelwise.errors import DocumentError, InputError

if TYPE_CHECKING:
    from reelwise.models.attempts import Attempts
    from reelwise.rates import Book

__all__ = ["Endpoints", "Place"]

Kind = Literal["openai", "gemini", "anthropic"]

_KIND_OF = {"openai": "openai", "google": "gemini", "anthropic": "anthropic"}
_PATHS: dict[str, str] = {"openai": "/v1", "gemini": "/v1beta", "anthropic": ""}


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint of your own, or your limits at a vendor.

    Attributes:
        match: a pattern that the model's name must fit; the first place that does counts.
        kind: what it speaks: openai (chat completions: vLLM, SGLang and routers do), gemini or anthropic.
        url: its address; empty is the vendor's.
        key: the variable of the environment that holds its key; null is the vendor's own, empty for none.
        video: it takes clips as `video_url`, as vLLM and SGLang do.
        idempotent: it knows a call by its id, and answers it once however often it is sent.
        requests_minute, tokens_minute: its limits under this key.
    """

    match: str
    kind: Kind
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

    def kind_of(self, model: str) -> Kind:
        """Say what the model's endpoint speaks.

        Raises:
            InputError: nobody that is known here sells it by these means.
        """
        place = self._place(model)
        if place is not None:
            return place.kind
        provider = self._book.language(model).provider if self._book.is_language_model(model) else ""
        kind = _KIND_OF.get(provider)
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

    def of(self, model: str) -> Any:
        """Return the endpoint of a model, a `reelwise.models.endpoint.Endpoint`.

        Raises:
            InputError: see `kind_of`; or an address that cannot be.
        """
        kind, place = self.kind_of(model), self._place(model)
        key = (kind, place)
        if key not in self._open:
            self._open[key] = self._opened(kind, place)
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
        if key not in self._open:
            url, more = "", {}
            if self._sandbox:
                url = f"{self._sandbox}{_PATHS[name.partition(':')[0]]}"
                more = {"idempotent": self._idempotent, "name": "sandbox embedding"}
            self._open[key] = endpoint_of(
                name, url=url, key="" if self._sandbox else None, attempts=self._attempts, **more
            )
        return self._open[key]

    def _place(self, model: str) -> Place | None:
        return next((one for one in self._places if re.fullmatch(one.match, model)), None)

    def _opened(self, kind: Kind, place: Place | None) -> Any:
        from reelwise.models.anthropic import Anthropic
        from reelwise.models.gemini import Gemini
        from reelwise.models.limiter import Limiter
        from reelwise.models.openai_chat import OpenAIChat

        more: dict[str, Any] = {"attempts": self._attempts}
        url, key = "", None
        if place is not None:
            url, key = place.url, place.key
            more["idempotent"] = place.idempotent
            more["limiter"] = Limiter(place.requests_minute, place.tokens_minute, name=place.url or kind)
        if self._sandbox:
            url, key = f"{self._sandbox}{_PATHS[kind]}", ""
            more["idempotent"] = self._idempotent
            more["name"] = f"sandbox {kind}"
        if kind == "openai":
            return OpenAIChat(url, key, video=place.video if place is not None else False, **more)
        return (Gemini if kind == "gemini" else Anthropic)(url, key, **more)

    def close(self) -> None:
        """Close all of them."""
        for endpoint in self._open.values():
            endpoint.close()
