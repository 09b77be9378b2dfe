"""Sentence encoders of the BERT kind (all-MiniLM-L6-v2, bge-small, e5-small) from a folder of weights; numpy, no other runtime."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import numpy as np
from msgspec import Struct

from reelwise.errors import InputError
from reelwise.models.tensors import read_file, read_tensors
from reelwise.models.wordpiece import read_wordpiece

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

__all__ = ["Bert"]

_SMALL: Final = 1_000_000
_PIECES_AT_ONCE: Final = 4096  # for a bounded memory
_PREFIXES: Final = ("", "bert.", "model.", "0.auto_model.")


class _Config(Struct, kw_only=True):
    """The part of config.json that is needed."""

    model_type: str = "bert"
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int = 512
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    position_embedding_type: str = "absolute"


class _Length(Struct):
    max_seq_length: int | None = None


class _Pooling(Struct):
    pooling_mode_cls_token: bool = False
    pooling_mode_mean_tokens: bool = True


class Bert:
    """Turns a text into a vector of length 1.

    Args:
        folder: with config.json, model.safetensors, and tokenizer.json or vocab.txt; 1_Pooling/config.json says whether the pieces'
            mean (the default) or the first piece is taken, sentence_bert_config.json how many pieces are read.

    Attributes:
        dimension: of a vector.
        sha256: of weights, vocabulary and settings.

    Raises:
        InputError: a file is missing or damaged, or it is of another kind.
    """

    def __init__(self, folder: Path) -> None:
        self._where = str(folder)
        config, raw = _read(folder / "config.json", _Config)
        length, raw_length = _read(folder / "sentence_bert_config.json", _Length, _Length())
        pooling, raw_pooling = _read(folder / "1_Pooling" / "config.json", _Pooling, _Pooling())
        self._check(config, pooling)
        self._config = config
        self._by: Literal["mean", "first"] = "first" if pooling.pooling_mode_cls_token else "mean"
        self._pieces, vocabulary = read_wordpiece(folder)
        tensors, own = read_tensors(folder / "model.safetensors")
        prefix = next((one for one in _PREFIXES if f"{one}embeddings.word_embeddings.weight" in tensors), "")
        self._weights = {
            name.removeprefix(prefix): value.astype(np.float32, copy=False)
            for name, value in tensors.items()
            if name.startswith(prefix) and value.dtype.kind == "f"
        }
        self._check_shapes()
        self._most = min(length.max_seq_length or config.max_position_embeddings, config.max_position_embeddings)
        self.dimension = config.hidden_size
        whole = hashlib.sha256(own.encode())
        for part in (vocabulary, raw, raw_length, raw_pooling):
            whole.update(hashlib.sha256(part).digest())
        self.sha256 = whole.hexdigest()

    def __call__(self, texts: Sequence[str]) -> Numbers:
        """Return a vector for each text, shape (n, dimension)."""
        first, last = self._pieces.first, self._pieces.last
        if first is None or last is None:
            raise InputError("its vocabulary has no [CLS] and [SEP]", where=self._where, hint="another folder")
        split = [[first, *self._pieces.split(text, self._most - 2), last] for text in texts]
        result = np.zeros((len(split), self.dimension), np.float32)
        # texts of like length together: little is padded
        order = sorted(range(len(split)), key=lambda number: len(split[number]))
        while order:
            longest = len(split[order[-1]])
            some = [order.pop() for _ in range(min(len(order), max(1, _PIECES_AT_ONCE // longest)))]
            result[some] = self._encode([split[number] for number in some], longest)
        return result

    def _encode(self, rows: Sequence[Sequence[int]], longest: int) -> Numbers:
        weights, eps = self._weights, np.float32(self._config.layer_norm_eps)
        numbers, there = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.float32)
        for number, row in enumerate(rows):
            numbers[number, : len(row)] = row
            there[number, : len(row)] = 1
        now: Numbers = (
            weights["embeddings.word_embeddings.weight"][numbers]
            + weights["embeddings.position_embeddings.weight"][:longest]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        now = self._normed(now, "embeddings.LayerNorm", eps)
        away = (there[:, None, None, :] - 1) * np.float32(1e9)
        for layer in range(self._config.num_hidden_layers):
            name = f"encoder.layer.{layer}."
            seen = self._attended(now, away, f"{name}attention.self.")
            now = self._normed(
                now + self._linear(seen, f"{name}attention.output.dense"), f"{name}attention.output.LayerNorm", eps
            )
            wide = _gelu(self._linear(now, f"{name}intermediate.dense"))
            now = self._normed(now + self._linear(wide, f"{name}output.dense"), f"{name}output.LayerNorm", eps)
        pooled = now[:, 0] if self._by == "first" else (now * there[..., None]).sum(1) / there.sum(1, keepdims=True)
        result: Numbers = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.float32(1e-9))
        return result

    def _attended(self, now: Numbers, away: Numbers, name: str) -> Numbers:
        rows, longest, size = now.shape
        heads = self._config.num_attention_heads
        query, key, value = (
            self._linear(now, name + one).reshape(rows, longest, heads, size // heads).transpose(0, 2, 1, 3)
            for one in ("query", "key", "value")
        )
        score = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(size // heads)) + away
        score = np.exp(score - score.max(axis=-1, keepdims=True))
        score /= score.sum(axis=-1, keepdims=True)
        result: Numbers = (score @ value).transpose(0, 2, 1, 3).reshape(rows, longest, size)
        return result

    def _linear(self, now: Numbers, name: str) -> Numbers:
        result: Numbers = now @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result

    def _normed(self, now: Numbers, name: str, eps: np.float32) -> Numbers:
        centred = now - now.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + eps)
        result: Numbers = centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result

    def _check(self, config: _Config, pooling: _Pooling) -> None:
        known = (
            config.model_type == "bert"
            and config.hidden_act == "gelu"
            and config.position_embedding_type == "absolute"
            and config.num_attention_heads > 0
            and config.hidden_size % config.num_attention_heads == 0
            and 0 < config.num_hidden_layers <= 48
            and config.max_position_embeddings >= 3
        )
        if not known:
            what = f"{config.model_type} with {config.hidden_act}"
            raise InputError(f"is of the kind {what}", where=self._where, hint="encoders of the kind bert are read")
        if not (pooling.pooling_mode_cls_token or pooling.pooling_mode_mean_tokens):
            raise InputError(
                "pools its pieces by neither mean nor first", where=self._where, hint="another folder is needed"
            )

    def _check_shapes(self) -> None:
        config, size = self._config, self._config.hidden_size
        wanted: dict[str, tuple[int | None, ...]] = {
            "embeddings.word_embeddings.weight": (None, size),
            "embeddings.position_embeddings.weight": (None, size),
            "embeddings.token_type_embeddings.weight": (None, size),
            "embeddings.LayerNorm.weight": (size,),
            "embeddings.LayerNorm.bias": (size,),
        }
        for layer in range(config.num_hidden_layers):
            name = f"encoder.layer.{layer}."
            for one in ("self.query", "self.key", "self.value", "output.dense"):
                wanted |= {f"{name}attention.{one}.weight": (size, size), f"{name}attention.{one}.bias": (size,)}
            wanted |= {f"{name}intermediate.dense.weight": (None, size), f"{name}output.dense.weight": (size, None)}
            wanted |= {f"{name}intermediate.dense.bias": (None,), f"{name}output.dense.bias": (size,)}
            for one in ("attention.output.LayerNorm", "output.LayerNorm"):
                wanted |= {f"{name}{one}.weight": (size,), f"{name}{one}.bias": (size,)}
        for name, shape in wanted.items():
            there = self._weights.get(name)
            if there is None or len(there.shape) != len(shape) or any(
                need is not None and need != has for need, has in zip(shape, there.shape, strict=True)
            ):  # fmt: skip
                raise InputError(f"{name} is missing or of another shape", where=self._where, hint="fetch it again")
        if (
            self._weights["embeddings.word_embeddings.weight"].shape[0] < self._pieces.size
            or self._weights["embeddings.position_embeddings.weight"].shape[0] < config.max_position_embeddings
        ):
            raise InputError("weights and vocabulary do not fit each other", where=self._where, hint="fetch it again")


def _gelu(value: Numbers) -> Numbers:
    """Return x * Phi(x); erf to 1.5e-7 (Abramowitz and Stegun 7.1.26), since numpy has none."""
    size = np.abs(value) * np.float32(np.sqrt(0.5))
    part = 1 / (1 + np.float32(0.3275911) * size)
    series = part * (
        np.float32(0.254829592)
        + part
        * (
            np.float32(-0.284496736)
            + part * (np.float32(1.421413741) + part * (np.float32(-1.453152027) + part * np.float32(1.061405429)))
        )
    )
    erf = np.copysign(1 - series * np.exp(-size * size), value)
    result: Numbers = np.float32(0.5) * value * (1 + erf)
    return result


def _read(path: Path, kind: type[Any], other: Any = None) -> tuple[Any, bytes]:
    if other is not None and not path.is_file():
        return other, b""
    raw = read_file(path, largest=_SMALL, hint="name a folder of a sentence encoder, as sentence-transformers saves it")
    try:
        return msgspec.json.decode(raw, type=kind), raw
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InputError(f"cannot be used: {error}", where=str(path), hint="fetch the folder again") from None
