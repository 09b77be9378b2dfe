"""Embeddings of OpenAI and Gemini: texts that share words lie near each other, equal bytes at one place."""

from __future__ import annotations

import base64
import math
import random
import re
import struct
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reelwise.sandbox.asked import Asked, Piece, text_piece
from reelwise.sandbox.drawing import Drawn, hashed
from reelwise.sandbox.errors import BadRequestError
from reelwise.sandbox.exchange import Exchange, Reply, answered
from reelwise.sandbox.gemini import Content, GenerateBody, asked_of, usage
from reelwise.sandbox.vendors import read_google

if TYPE_CHECKING:
    from reelwise.sandbox.exchange import Route

__all__ = ["ROUTES"]

_SIZE = 256
_SIZE_MAX = 4096
_ROWS_MAX = 2048


def _vector(text: str, data: bytes, seed: int, size: int) -> list[float]:
    words = re.findall(r"\w+", text.lower()) or [data.hex()]
    total = [0.0] * size
    for word in words[:2000]:
        chance = random.Random(hashed(seed, "word", word))  # noqa: S311 - no secret
        total = [value + chance.gauss(0, 1) for value in total]
    length = math.sqrt(sum(value * value for value in total)) or 1.0
    return [round(value / length, 6) for value in total]


class _Body(Struct):
    model: str
    input: str | list[str]
    dimensions: int | None = None
    encoding_format: str | None = None


def _openai(exchange: Exchange) -> Reply:
    desk = exchange.desk
    body = exchange.json(_Body)
    texts = [body.input] if isinstance(body.input, str) else body.input
    size = body.dimensions or _SIZE
    if not 1 <= len(texts) <= _ROWS_MAX or not all(texts) or not 1 <= size <= _SIZE_MAX:
        raise BadRequestError("'input' must be one or more texts, and none of them empty")
    asked = Asked(
        maker="openai", model=desk.prices.model(body.model), named=body.model, pieces=[text_piece(text) for text in texts],
        prompt="", key=exchange.key, identity=exchange.headers.get("idempotency-key", ""), most=0,
    )  # fmt: skip
    served = desk.serve(asked)
    served.drawn, served.tally.output, served.tally.reasoning = Drawn(text=""), 0, 0
    rows: list[dict[str, Any]] = []
    for at, text in enumerate(texts):
        vector: Any = _vector(text, b"", desk.scenario.seed, size)
        if body.encoding_format == "base64":
            vector = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
        rows.append({"object": "embedding", "index": at, "embedding": vector})
    used = {"prompt_tokens": served.tally.input, "total_tokens": served.tally.input}
    return answered(desk, served, {"object": "list", "model": body.model, "data": rows, "usage": used}, {}, "usage")


class _One(Struct, rename="camel"):
    content: Content
    output_dimensionality: int | None = None


class _Many(Struct):
    requests: list[_One]


def _gemini(exchange: Exchange, model: str) -> Reply:
    desk = exchange.desk
    rows = read_google(exchange.body(), _Many).requests
    if not 1 <= len(rows) <= _ROWS_MAX:
        raise BadRequestError("requests: 1 to 2,048")
    identity = exchange.headers.get("idempotency-key", "")
    each = [asked_of(desk, model, GenerateBody(contents=[one.content]), key=exchange.key) for one in rows]
    pieces: list[Piece] = [piece for one in each for piece in one.pieces]
    asked = each[0]
    asked.pieces, asked.identity, asked.most = pieces, identity, 0
    served = desk.serve(asked)
    served.drawn, served.tally.output, served.tally.reasoning = Drawn(text=""), 0, 0
    vectors = [
        {
            "values": _vector(
                one.prompt,
                b"".join(p.digest for p in one.pieces),
                desk.scenario.seed,
                row.output_dimensionality or _SIZE,
            )
        }
        for one, row in zip(each, rows, strict=True)
    ]
    return answered(
        desk, served, {"embeddings": vectors, "usageMetadata": usage(asked, served.tally)}, {}, "usageMetadata"
    )  # fmt: skip


ROUTES: tuple[Route, ...] = (
    ("POST", r"/v1/embeddings", _openai),
    ("POST", r"/v1(?:beta|alpha)?/models/(?P<model>[^/:]+):batchEmbedContents", _gemini),
)
