"""OpenAI's embeddings, of text."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from reelwise.errors import AnswerError, InputError
from reelwise.models.answer import Answer
from reelwise.models.body import json_body
from reelwise.models.endpoint import Endpoint
from reelwise.models.used import Used, read_usage
from reelwise.models.work import Text, Work

__all__ = ["OpenAIEmbed"]


class _Request(Struct, kw_only=True):
    model: str
    input: list[str]
    encoding_format: str = "float"
    dimensions: int | UnsetType = UNSET


class _Vector(Struct):
    index: int
    embedding: list[float]


class _Reply(Struct):
    model: str
    data: list[_Vector]


class OpenAIEmbed(Endpoint):
    """OpenAI's embeddings, and servers that speak them; see `Endpoint` for the arguments.

    Args:
        dimensions: of a vector; None is the model's own number.
        rest: see `Endpoint`.
    """

    provider = "openai"
    can = frozenset({"embed"})
    variable = "OPENAI_API_KEY"
    address = "https://api.openai.com/v1"

    def __init__(self, url: str = "", key: str | None = None, *, dimensions: int | None = None, **rest: Any) -> None:
        super().__init__(url, key, **rest)
        self._dimensions = dimensions

    def embed(self, work: Work) -> Answer:
        """Make a vector of each text, in their order.

        Raises:
            InputError: something else than text.
            EndpointError: see `reelwise.models.protocol.Model`.
        """
        work.check()
        texts = [part.text for part in work.parts if isinstance(part, Text)]
        if len(texts) != len(work.parts) or not all(texts):
            raise InputError("takes text only, and some of it", where=self.name, hint="Text parts")
        request = _Request(model=work.model, input=texts, dimensions=self._dimensions or UNSET)
        sent = self.send(
            "POST", "/embeddings", body=json_body(request), seconds=work.timeout_seconds, tokens=work.tokens_expected,
            identity=work.identity,
        )  # fmt: skip
        reply, raw = self.json(sent, _Reply)
        used = self._read(raw, work.model)
        vectors = {one.index: tuple(one.embedding) for one in reply.data}
        if sorted(vectors) != list(range(len(texts))):
            error = AnswerError("its vectors are not those of the texts", where=self.name, reason="schema")
            error.spent = used
            raise error
        ordered = tuple(vectors[at] for at in range(len(texts)))
        return self.note(Answer(used=used, vectors=ordered), sent, work.tokens_expected)

    def _read(self, raw: dict[str, Any], model: str = "") -> Used:
        used = read_usage(raw, provider="openai", flavor="embeddings", model=model)
        # without its vendor's name in front the model is not found among the prices
        return msgspec.structs.replace(used, model=f"openai:{used.model.removeprefix('openai:')}")
