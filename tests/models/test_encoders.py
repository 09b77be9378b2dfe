from __future__ import annotations

import json
import math

import numpy as np
import pytest

from reelwise.errors import InputError
from reelwise.models.bert import Bert
from reelwise.models.tensors import read_tensors, tensor_names
from reelwise.models.word_vectors import PieceVectors, WordVectors
from reelwise.models.wordpiece import WordPiece, read_wordpiece

from .encoders import PIECES, write_bert, write_tensors, write_tokenizer, write_words


def pieces():
    return WordPiece({piece: number for number, piece in enumerate(PIECES)})


def named(numbers):
    return [PIECES[number] for number in numbers]


def test_words_are_split_into_the_longest_known_pieces():
    assert named(pieces().split("The man falls?", 99)) == ["the", "man", "fall", "##s", "?"]
    assert named(pieces().split("FALLING ab!", 99)) == ["fall", "##ing", "a", "##b", "[UNK]"]


def test_accents_controls_and_long_words_are_read_as_bert_reads_them():
    split = pieces().split

    assert named(split("mán\u200b the\x07 m\u0301an", 99)) == ["man", "the", "man"]
    assert named(split("a日a", 99)) == ["a", "日", "a"]  # ideographs stand alone
    assert named(split("a" * 101, 99)) == ["[UNK]"]
    assert split("the man", 1) == [PIECES.index("the")]


def reference(arrays, text, *, size=8, layers=2, heads=2, first=False):
    """The same network, one text and one piece at a time, in doubles."""
    numbers = [2, *pieces().split(text, 30), 3]

    def norm(rows, name):
        out = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + 1e-12)
        return out * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]

    def linear(rows, name):
        return rows @ arrays[f"{name}.weight"].T.astype(float) + arrays[f"{name}.bias"]

    now = arrays["embeddings.word_embeddings.weight"][numbers].astype(float)
    now = now + arrays["embeddings.position_embeddings.weight"][: len(numbers)]
    now = norm(now + arrays["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(layers):
        name = f"encoder.layer.{layer}."
        query, key, value = (linear(now, f"{name}attention.self.{one}") for one in ("query", "key", "value"))
        seen = np.zeros_like(now)
        wide = size // heads
        for head in range(heads):
            at = slice(head * wide, (head + 1) * wide)
            for row in range(len(numbers)):
                score = np.exp([query[row, at] @ key[other, at] / math.sqrt(wide) for other in range(len(numbers))])
                seen[row, at] = (score / score.sum()) @ value[:, at]
        now = norm(now + linear(seen, f"{name}attention.output.dense"), f"{name}attention.output.LayerNorm")
        inner = linear(now, f"{name}intermediate.dense")
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        now = norm(now + linear(inner, f"{name}output.dense"), f"{name}output.LayerNorm")
    pooled = now[0] if first else now.mean(0)
    return pooled / np.linalg.norm(pooled)


@pytest.mark.parametrize("first", [False, True])
def test_an_encoder_computes_what_the_network_is(tmp_path, first):
    arrays = write_bert(tmp_path)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(
        json.dumps({"pooling_mode_cls_token": first, "pooling_mode_mean_tokens": not first})
    )
    texts = ["the man falls", "why?", "", "a dog " * 40]
    found = Bert(tmp_path)(texts)

    assert found.shape == (4, 8)
    for text, row in zip(texts, found, strict=True):
        assert np.abs(row - reference(arrays, text, first=first)).max() < 1e-5


def test_what_stands_beside_a_text_does_not_change_its_vector(tmp_path):
    write_bert(tmp_path)
    model = Bert(tmp_path)

    assert np.allclose(model(["why?", "the man falls " * 8])[0], model(["why?"])[0], atol=1e-6)


def test_another_weight_vocabulary_or_setting_is_another_checksum(tmp_path):
    write_bert(tmp_path / "a")
    write_bert(tmp_path / "b", seed=1)
    write_bert(tmp_path / "c")
    (tmp_path / "c" / "sentence_bert_config.json").write_text('{"max_seq_length": 9}')
    write_bert(tmp_path / "d")
    write_tokenizer(tmp_path / "d", ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "dog"))

    assert len({Bert(tmp_path / name).sha256 for name in "abcd"}) == 4
    write_bert(tmp_path / "e")
    assert Bert(tmp_path / "a").sha256 == Bert(tmp_path / "e").sha256


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ({"model_type": "roberta"}, "kind roberta"),
        ({"hidden_size": 16}, "another shape"),
        ({"num_hidden_layers": 3}, "encoder.layer.2"),
        ({"num_attention_heads": 3}, "kind"),
        ({"max_position_embeddings": 64}, "do not fit"),
    ],
)
def test_a_folder_that_is_no_such_encoder_is_refused(tmp_path, harm, says):
    write_bert(tmp_path, **harm)
    with pytest.raises(InputError, match=says):
        Bert(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_or_damaged_file_is_named(tmp_path, name):
    write_bert(tmp_path)
    (tmp_path / name).write_bytes(b"\xff" * 20)
    with pytest.raises(InputError) as caught:
        Bert(tmp_path)
    assert name in caught.value.where
    (tmp_path / name).unlink()
    with pytest.raises(InputError):
        Bert(tmp_path)


def test_tensors_outside_the_file_are_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    write_tensors(path, {"a": np.arange(6, dtype=np.float32).reshape(2, 3)})
    assert tensor_names(path) == {"a"}
    assert read_tensors(path)[0]["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match="does not lie in the file"):
        read_tensors(path)
    path.write_bytes(path.read_bytes().replace(b"F32", b"XYZ"))
    with pytest.raises(InputError, match="type XYZ"):
        read_tensors(path)


def test_a_tokenizer_of_another_kind_is_refused_and_vocab_txt_does_as_well(tmp_path):
    write_tokenizer(tmp_path, kind="Unigram")
    with pytest.raises(InputError, match="Unigram"):
        read_wordpiece(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    split = read_wordpiece(tmp_path)[0].split

    assert named(split("the The", 9)) == ["the", "[UNK]"]


@pytest.mark.parametrize("head", [False, True])
def test_words_are_averaged(tmp_path, head):
    path = tmp_path / "words.txt"
    vectors = write_words(path, head=head)
    model = WordVectors(path)
    found = model(["The man FALLS, unknown", "unknown"])

    assert model.dimension == 4
    assert np.allclose(found[0], np.mean([vectors[one] for one in ("the", "man", "falls")], axis=0), atol=1e-6)
    assert not found[1].any()


@pytest.mark.parametrize(
    ("text", "line"), [("the 1 2 3\nman 1 2\n", "line 2"), ("the 1 2 3\nman 1 nan 2\n", "line 2"), ("hello\n", "line 1"), ("", "line 1")]
)  # fmt: skip
def test_a_line_that_is_no_vector_is_named(tmp_path, text, line):
    path = tmp_path / "words.txt"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        WordVectors(path)
    assert caught.value.where.endswith(line)


def test_a_static_model_averages_pieces_by_weight_and_leaves_unknown_ones_out(tmp_path):
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 1, (5, 3)).astype(np.float32)
    mapping = rng.integers(0, 5, len(PIECES))
    weights = rng.random(len(PIECES)).astype(np.float32)
    write_tensors(tmp_path / "model.safetensors", {"embeddings": vectors, "mapping": mapping, "weights": weights})
    write_tokenizer(tmp_path)
    (tmp_path / "config.json").write_text('{"normalize": true}')
    found = PieceVectors(tmp_path)(["man xyz falls", "xyz"])
    known = [PIECES.index(one) for one in ("man", "fall", "##s")]
    mean = (vectors[mapping[known]] * weights[known, None]).mean(0)

    assert np.allclose(found[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert not found[1].any()
    write_tensors(tmp_path / "model.safetensors", {"embeddings": vectors})
    with pytest.raises(InputError, match="do not fit"):
        PieceVectors(tmp_path)
