"""Split text into the word pieces that BERT-like encoders know: words in small letters, then the longest pieces of each."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

import msgspec

from reelwise.errors import InputError
from reelwise.models.tensors import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["WordPiece", "read_wordpiece"]

_LARGEST: Final = 100_000_000
_LETTERS_MOST: Final = 100  # of a word; longer ones are unknown
_TEXT_MOST: Final = 100_000  # letters of a text that are read
_CJK: Final = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class WordPiece:
    """A vocabulary and its rule.

    Args:
        vocabulary: the number of each piece; pieces inside a word begin with ##.
        lower: small letters, without accents.
        where: what errors call it.

    Attributes:
        unknown: the number of [UNK].
        first: of [CLS], or None; `last` of [SEP].
    """

    def __init__(self, vocabulary: Mapping[str, int], *, lower: bool = True, where: str = "vocabulary") -> None:
        if "[UNK]" not in vocabulary:
            raise InputError("has no piece [UNK]", where=where, hint="a WordPiece vocabulary is needed")
        self._numbers, self._lower = vocabulary, lower
        self.unknown = vocabulary["[UNK]"]
        self.first, self.last = vocabulary.get("[CLS]"), vocabulary.get("[SEP]")
        self.size = max(vocabulary.values()) + 1

    def split(self, text: str, most: int) -> list[int]:
        """Return the numbers of the first `most` pieces, without [CLS] and [SEP]."""
        found: list[int] = []
        for word in _words(text[:_TEXT_MOST], lower=self._lower):
            found += self._pieces(word)
            if len(found) >= most:
                return found[:most]
        return found

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LETTERS_MOST:
            return [self.unknown]
        pieces, start = [], 0
        while start < len(word):
            mark = "##" if start else ""
            for stop in range(len(word), start, -1):
                number = self._numbers.get(mark + word[start:stop])
                if number is not None:
                    break
            else:
                return [self.unknown]
            pieces.append(number)
            start = stop
        return pieces


def _words(text: str, *, lower: bool) -> Iterator[str]:
    letters: list[str] = []
    for letter in text:
        kind = unicodedata.category(letter)
        if letter in "\t\n\r" or kind == "Zs":
            letters.append(" ")
        elif letter not in "\x00\ufffd" and kind not in {"Cc", "Cf", "Co", "Cs", "Cn"}:
            code = ord(letter)
            letters.append(f" {letter} " if any(low <= code <= high for low, high in _CJK) else letter)
    clean = "".join(letters)
    if lower:
        clean = "".join(one for one in unicodedata.normalize("NFD", clean) if unicodedata.category(one) != "Mn").lower()
    word = ""
    for letter in clean:
        if letter.isspace() or _is_mark(letter):
            if word:
                yield word
            word = ""
            if not letter.isspace():
                yield letter
        else:
            word += letter
    if word:
        yield word


def _is_mark(letter: str) -> bool:
    return (letter.isascii() and not letter.isalnum() and letter > " ") or unicodedata.category(letter).startswith("P")


def read_wordpiece(folder: Path) -> tuple[WordPiece, bytes]:
    """Read the vocabulary of a model's folder: tokenizer.json, or vocab.txt with tokenizer_config.json.

    Returns:
        The rule, and the bytes that it was read from.

    Raises:
        InputError: neither is there, it is damaged, or of another kind than WordPiece.
    """
    listed = folder / "tokenizer.json"
    hint = "name a folder with tokenizer.json or vocab.txt"
    if not listed.is_file():
        raw = read_file(folder / "vocab.txt", largest=_LARGEST, hint=hint)
        lines = raw.decode("utf-8", "replace").splitlines()
        return WordPiece(
            {piece: number for number, piece in enumerate(lines)}, lower=_lower(folder), where=str(folder)
        ), raw
    raw = read_file(listed, largest=_LARGEST, hint=hint)
    try:
        plain: Any = msgspec.json.decode(raw)
        model = plain["model"]
        # files of old releases leave the type out
        kind = model.get("type", "WordPiece" if "[UNK]" in model["vocab"] else "")
        if kind != "WordPiece":
            raise InputError(
                f"splits text by {kind}", where=str(listed), hint="a model with a WordPiece tokenizer is needed"
            )
        numbers = {str(piece): int(number) for piece, number in model["vocab"].items()}
        lower = bool((plain.get("normalizer") or {}).get("lowercase", True))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise InputError("is no tokenizer that is known", where=str(listed), hint=hint) from None
    return WordPiece(numbers, lower=lower, where=str(listed)), raw


def _lower(folder: Path) -> bool:
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return True
    try:
        plain = msgspec.json.decode(read_file(path, largest=_LARGEST, hint="check the folder"), type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise InputError("is no JSON object", where=str(path), hint="fetch the file again") from None
    return bool(plain.get("do_lower_case", True))
