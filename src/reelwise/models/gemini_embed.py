"""Gemini's embeddings: of text, pictures, clips and sound in one space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.errors import AnswerError
from reelwise.models.answer import Answer
from reelwise.models.body import json_body
from reelwise.models.gemini_wire import generate_request

if TYPE_CHECKING:
    from reelwise.models.gemini import Gemini
    from reelwise.models.work import Work

__all__ = ["embed"]


class _Vector(Struct):
    values: list[float]


class EmbedReply(Struct, rename="camel"):
    """The part of an answer that is needed."""

    embeddings: list[_Vector]
    usage_metadata: dict[str, Any] | None = None


def embed(gemini: Gemini, work: Work, path: str) -> tuple[Answer, Any]:
    """Make a vector of each part of a work, in their order.

    Args:
        gemini: the endpoint.
        work: its parts.
        path: of the model.

    Returns:
        The answer, and how it was sent.

    Raises:
        EndpointError, InputError: see `reelwise.models.protocol.Model`.
    """
    from reelwise.models.gemini import read_generated

    request, inliner = generate_request(work, name=gemini.name)
    name = f"models/{work.model.removeprefix('models/')}"
    rows = [{"model": name, "content": {"parts": [part]}} for part in msgspec.to_builtins(request.contents[0].parts)]
    sent = gemini.send(
        "POST", f"{path}:batchEmbedContents", body=json_body({"requests": rows}, inliner), seconds=work.timeout_seconds,
        tokens=work.tokens_expected, identity=work.identity,
    )  # fmt: skip
    reply, raw = gemini.json(sent, EmbedReply)
    used = read_generated(raw, work.model, None)
    if len(reply.embeddings) != len(rows):
        error = AnswerError("its vectors are not those of the parts", where=gemini.name, reason="schema")
        error.spent = used
        raise error
    return Answer(used=used, vectors=tuple(tuple(one.values) for one in reply.embeddings)), sent
