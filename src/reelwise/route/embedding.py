"""A small text embedding beside the router's own features: what it is, where it comes from, and that it is the same again.

Local ones are opened here. One behind an endpoint costs money: who opens it holds for its calls and meters them (`reelwise.run.embedding`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec import Struct

from reelwise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "INSTALLED",
    "Embedded",
    "Embedding",
    "EmbeddingFacts",
    "LocalEmbedding",
    "check_same",
    "is_endpoint",
    "open_embedding",
]

INSTALLED: Final = "text-encoder"
"""Stands for the encoder that `reelwise models install text-encoder` puts in the cache."""
_ENDPOINTS: Final = ("openai:", "gemini:")
_HINT: Final = (
    f"{INSTALLED} (reelwise models install {INSTALLED}), a folder of a sentence encoder or of model2vec, a text file of word"
    " vectors, openai:MODEL or gemini:MODEL"
)


class EmbeddingFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which embedding a file was trained with.

    Attributes:
        name: what opens it again: text-encoder, a path (as it was given, or beside the file), openai:MODEL or gemini:MODEL.
        dimension: numbers in a vector.
        sha256: of its files; empty for an endpoint's, which has none to look at.
    """

    name: str
    dimension: int
    sha256: str


class Embedded(Struct, frozen=True):
    """Vectors of some texts.

    Attributes:
        vectors: shape (n, dimension).
        nano: what making them cost, nano-USD.
    """

    vectors: Floats
    nano: int = 0


class Embedding(Protocol):
    """What turns texts into vectors. The same text has the same vector."""

    @property
    def facts(self) -> EmbeddingFacts:
        """Which one it is."""

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Return a vector for each text, in their order.

        Raises:
            BudgetError: a budget said no.
            EndpointError: it did not answer.
        """


class LocalEmbedding:
    """An embedding that runs here, for nothing. It is only read, so threads may share it.

    Args:
        name: see `EmbeddingFacts`.
        model: makes the vectors; see `reelwise.models.bert` and `reelwise.models.word_vectors`.
    """

    def __init__(self, name: str, model: Any) -> None:
        self._model = model
        self._facts = EmbeddingFacts(name=name, dimension=model.dimension, sha256=model.sha256)

    @property
    def facts(self) -> EmbeddingFacts:
        """Which one it is."""
        return self._facts

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Return a vector for each text, in their order."""
        return Embedded(self._model(texts).astype(float))


def is_endpoint(name: str) -> bool:
    """Say whether it is one that costs money."""
    return name.startswith(_ENDPOINTS)


def open_embedding(name: str, near: Path | None = None) -> LocalEmbedding:
    """Open an embedding that runs here.

    Args:
        name: text-encoder, a folder or a file.
        near: a folder that a relative path is looked for in, too.

    Raises:
        InputError: not installed, no such file, not one that can be read, or an endpoint's.
    """
    if is_endpoint(name):
        raise InputError(
            "costs money, so it is not opened unasked", where=name, hint="give it: Router.load(path, embedding=...)"
        )
    if name == INSTALLED:
        from reelwise.models.bert import Bert
        from reelwise.models.text_encoder import encoder_folder

        return LocalEmbedding(name, Bert(encoder_folder()))
    path = Path(name)
    if near is not None and not path.exists() and not path.is_absolute():
        path = near / path
    if not path.exists():
        raise InputError("no such embedding", where=name, hint=f"give {_HINT}")
    return LocalEmbedding(name, _read(path))


def _read(path: Path) -> Any:
    if not path.is_dir():
        from reelwise.models.word_vectors import WordVectors

        return WordVectors(path)
    if (path / "modules.json").is_file() or (path / "1_Pooling").is_dir() or not _is_static(path):
        from reelwise.models.bert import Bert

        return Bert(path)
    from reelwise.models.word_vectors import PieceVectors

    return PieceVectors(path)


def _is_static(path: Path) -> bool:
    from reelwise.models.tensors import tensor_names

    return "embeddings" in tensor_names(path / "model.safetensors")


def check_same(trained: EmbeddingFacts | None, found: EmbeddingFacts | None, where: str) -> None:
    """Refuse another embedding than the one that a file was trained with.

    Raises:
        InputError: it is another, or one of them is missing.
    """
    if trained is None and found is None:
        return
    if trained is None or found is None:
        has, needs = ("none", trained) if trained else (found.name if found else "", None)
        raise InputError(
            f"was trained with the embedding {needs.name}, and is given {has}" if needs else f"was trained without {has}",
            where=where, hint="open it with the embedding that it was trained with, or train it again",
        )  # fmt: skip
    same = trained.sha256 == found.sha256 if trained.sha256 or found.sha256 else trained.name == found.name
    if not same or trained.dimension != found.dimension:
        raise InputError(
            f"was trained with another embedding: {_said(trained)}; this is {_said(found)}",
            where=where, hint="give that one, or train it again with this one",
        )  # fmt: skip


def _said(facts: EmbeddingFacts) -> str:
    return f"{facts.name}, {facts.dimension} numbers{f', {facts.sha256[:12]}' if facts.sha256 else ''}"
