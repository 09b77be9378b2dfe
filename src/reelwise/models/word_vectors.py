"""Vectors of words or word pieces, averaged over a text: GloVe or word2vec as text, and model2vec's folders. Less than a millisecond a text."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from reelwise.errors import InputError
from reelwise.models.tensors import read_file, read_tensors
from reelwise.models.wordpiece import read_wordpiece

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

__all__ = ["PieceVectors", "WordVectors"]

_LARGEST: Final = 1_500_000_000
_WORDS_MOST: Final = 400_000  # the first ones are the most frequent
_TOKENS_MOST: Final = 4000  # of a text
_PIECES_MOST: Final = 512
_SIZES: Final = range(2, 2001)
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*|[^\w\s]")
_HINT: Final = "each line is a word and its numbers, as GloVe and word2vec write them"


class WordVectors:
    """The mean of the vectors of a text's words, in small letters; zeros where none is known.

    Args:
        path: a text file: a word and its numbers a line; word2vec's first line of two numbers is passed over. The first 400,000
            words are read.

    Attributes:
        dimension: of a vector.
        sha256: of the file.

    Raises:
        InputError: missing, too large, or a line that is no vector of the same size.
    """

    def __init__(self, path: Path) -> None:
        raw = read_file(path, largest=_LARGEST, hint="name a text file of word vectors")
        self.sha256 = hashlib.sha256(raw).hexdigest()
        lines = raw.split(b"\n", _WORDS_MOST + 1)[: _WORDS_MOST + 1]
        begin = 1 if len(lines[0].split()) == 2 else 0
        self._numbers: dict[str, int] = {}
        rows: list[Numbers] = []
        self.dimension = len(lines[begin].split()) - 1 if len(lines) > begin else 0
        if self.dimension not in _SIZES:
            raise InputError("holds no vectors of words", where=f"{path}, line {begin + 1}", hint=_HINT)
        for number, line in enumerate(lines[begin : begin + _WORDS_MOST], begin + 1):
            if not line.strip():
                continue
            parts = line.rstrip().rsplit(b" ", self.dimension)
            try:
                row = np.array(parts[1:], dtype=np.float32)
            except ValueError:
                row = np.empty(0, np.float32)
            if len(row) != self.dimension or not np.isfinite(row).all():
                raise InputError(
                    f"is no word with {self.dimension} numbers", where=f"{path}, line {number}", hint=_HINT
                )
            if self._numbers.setdefault(parts[0].decode("utf-8", "replace"), len(rows)) == len(rows):
                rows.append(row)
        self._vectors = np.stack(rows)

    def __call__(self, texts: Sequence[str]) -> Numbers:
        """Return a vector for each text, shape (n, dimension)."""
        result = np.zeros((len(texts), self.dimension), np.float32)
        for number, text in enumerate(texts):
            words = (
                found.group() for found, _ in zip(_TOKEN.finditer(text.lower()), range(_TOKENS_MOST), strict=False)
            )
            known = [self._numbers[word] for word in words if word in self._numbers]
            if known:
                result[number] = self._vectors[known].mean(axis=0)
        return result


class PieceVectors:
    """A static model as model2vec saves it: the mean of the vectors of a text's word pieces.

    Args:
        folder: with model.safetensors (`embeddings`, and `weights` and `mapping` where there are some), tokenizer.json of the kind
            WordPiece, and config.json.

    Attributes:
        dimension: of a vector.
        sha256: of weights, vocabulary and settings.

    Raises:
        InputError: a file is missing or damaged, or it is of another kind.
    """

    def __init__(self, folder: Path) -> None:
        where = str(folder)
        raw = read_file(folder / "config.json", largest=1_000_000, hint="a folder that model2vec saved")
        try:
            settings = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise InputError("is no JSON object", where=f"{where}/config.json", hint="fetch the folder again") from None
        self._norm = bool(settings.get("normalize", True))
        self._pieces, vocabulary = read_wordpiece(folder)
        tensors, own = read_tensors(folder / "model.safetensors")
        vectors = tensors.get("embeddings")
        if vectors is None or len(vectors.shape) != 2:
            raise InputError("holds no `embeddings`", where=where, hint="a folder that model2vec saved")
        self._vectors = vectors.astype(np.float32)
        place = tensors.get("mapping")
        self._place = np.arange(len(vectors)) if place is None else place.astype(np.int64)
        weight = tensors.get("weights")
        self._weight = np.ones(len(self._place), np.float32) if weight is None else weight.astype(np.float32)
        fits = (
            self._place.ndim == self._weight.ndim == 1
            and min(len(self._place), len(self._weight)) >= self._pieces.size
            and int(self._place.min()) >= 0
            and int(self._place.max()) < len(vectors)
        )
        if not fits:
            raise InputError("vectors and vocabulary do not fit each other", where=where, hint="fetch it again")
        self.dimension = int(vectors.shape[1])
        whole = hashlib.sha256(own.encode())
        for part in (vocabulary, raw):
            whole.update(hashlib.sha256(part).digest())
        self.sha256 = whole.hexdigest()

    def __call__(self, texts: Sequence[str]) -> Numbers:
        """Return a vector for each text, shape (n, dimension)."""
        result = np.zeros((len(texts), self.dimension), np.float32)
        for number, text in enumerate(texts):
            known = [one for one in self._pieces.split(text, _PIECES_MOST) if one != self._pieces.unknown]
            if known:
                mean = (self._vectors[self._place[known]] * self._weight[known, None]).mean(axis=0)
                result[number] = mean / max(float(np.linalg.norm(mean)), 1e-9) if self._norm else mean
        return result
