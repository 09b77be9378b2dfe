"""Small models that tests draw themselves, in the formats that are read."""

from __future__ import annotations

import json
import struct

import numpy as np

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "man", "fall", "##s", "##ing", "dog", "why", "?", "a", "##b", "日")
_TYPES = {"float32": "F32", "float16": "F16", "int64": "I64", "int8": "I8"}


def write_tensors(path, arrays):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        raw = array.tobytes()
        header[name] = {
            "dtype": _TYPES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_tokenizer(folder, pieces=PIECES, kind="WordPiece"):
    model = {"type": kind, "vocab": {piece: number for number, piece in enumerate(pieces)}}
    (folder / "tokenizer.json").write_text(json.dumps({"model": model, "normalizer": {"lowercase": True}}))


def write_bert(folder, *, size=8, layers=2, heads=2, seed=0, **config):
    """An encoder of the BERT kind with drawn weights; returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)

    def drawn(*shape):
        return rng.normal(0, 0.4, shape).astype(np.float32)

    arrays = {
        "embeddings.word_embeddings.weight": drawn(len(PIECES), size),
        "embeddings.position_embeddings.weight": drawn(32, size),
        "embeddings.token_type_embeddings.weight": drawn(2, size),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(layers):
        name = f"encoder.layer.{layer}."
        for one in ("self.query", "self.key", "self.value", "output.dense"):
            arrays[f"{name}attention.{one}.weight"] = drawn(size, size)
            arrays[f"{name}attention.{one}.bias"] = drawn(size)
        arrays[f"{name}intermediate.dense.weight"], arrays[f"{name}output.dense.weight"] = (
            drawn(2 * size, size),
            drawn(size, 2 * size),
        )
        arrays[f"{name}intermediate.dense.bias"], arrays[f"{name}output.dense.bias"] = drawn(2 * size), drawn(size)
        norms += [f"{name}attention.output.LayerNorm", f"{name}output.LayerNorm"]
    for one in norms:
        arrays[f"{one}.weight"], arrays[f"{one}.bias"] = 1 + drawn(size), drawn(size)
    write_tensors(folder / "model.safetensors", arrays)
    settings = {
        "model_type": "bert", "hidden_size": size, "num_hidden_layers": layers, "num_attention_heads": heads,
        "max_position_embeddings": 32, "hidden_act": "gelu", **config,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings))
    write_tokenizer(folder)
    return arrays


def write_words(path, words=("the", "man", "falls", "dog"), size=4, *, head=False, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(0, 1, (len(words), size)).round(4)
    lines = [f"{len(words)} {size}"] if head else []
    lines += [f"{word} {' '.join(map(str, row))}" for word, row in zip(words, vectors, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return dict(zip(words, vectors, strict=True))
