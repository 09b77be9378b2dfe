"""Where installed networks lie: a folder of files named by their checksum, and a list of them that is written last."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec
from msgspec import Struct

from reelwise.documents import write_whole
from reelwise.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "INSTALL",
    "MODEL",
    "VARIANTS",
    "Installed",
    "Variant",
    "cache_folder",
    "check_variant",
    "drop",
    "folder_of",
    "installed",
    "model_path",
    "put",
    "remove",
]

MODEL: Final = "person-segmentation"
INSTALL: Final = f"reelwise models install {MODEL}"

Variant = Literal["general", "landscape"]
VARIANTS: Final[tuple[Variant, ...]] = get_args(Variant)

_LIST = "installed.json"
_LARGEST = 64_000_000


class Installed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network of the shelf.

    Attributes:
        variant: general or landscape.
        file: its name in the folder.
        sha256: of that file.
        made_from: sha256 of the network it was converted from.
        converter: the number of the converter's rules it was made by.
        source: where that network came from, in words.
        day: when it was installed, ISO.
    """

    variant: Variant
    file: str
    sha256: str
    made_from: str
    converter: int
    source: str
    day: str


def cache_folder(folder: Path | None = None) -> Path:
    """Return where what was fetched is kept: `folder`, $REELWISE_CACHE, or `reelwise` in the user's cache.

    Raises:
        InputError: none is named, and nobody knows where the user's home is.
    """
    if folder is not None:
        return folder
    own, shared = os.environ.get("REELWISE_CACHE"), os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(own) if own else (Path(shared) if shared else Path.home() / ".cache") / "reelwise"
    except RuntimeError:  # no home directory
        raise InputError(
            "nobody knows where your home is", where="models", hint="export REELWISE_CACHE=/a/folder"
        ) from None


def folder_of(folder: Path | None = None) -> Path:
    """Return the model's folder: `models/person-segmentation` in the cache."""
    return cache_folder(folder) / "models" / MODEL


def check_variant(variant: str) -> Variant:
    """Return the variant, or raise `InputError` where there is none of that name."""
    if variant not in VARIANTS:
        raise InputError(f"no variant {variant!r:.40}", where=MODEL, hint=f"known: {', '.join(VARIANTS)}")
    return variant


def installed(folder: Path | None = None) -> tuple[Installed, ...]:
    """List what is installed; nothing where the folder is not there. Files are not checked here.

    Raises:
        InputError: the list cannot be read, or is damaged.
    """
    listed = folder_of(folder) / _LIST
    try:
        return msgspec.json.decode(listed.read_bytes(), type=tuple[Installed, ...])
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", where=str(listed), hint="check its permissions") from None
    except (msgspec.DecodeError, ValueError):
        raise InputError(
            "the list of installed models is damaged", where=str(listed), hint=f"install again: {INSTALL} --again"
        ) from None


def model_path(variant: str = "general", folder: Path | None = None) -> Path:
    """Return the file of an installed network, after its checksum was compared (1 ms).

    Args:
        variant: general (256x256) or landscape (144x256).
        folder: in place of $REELWISE_CACHE or the user's cache.

    Raises:
        InputError: no such variant, not installed, or damaged; the hint is the command that mends it.
    """
    wanted = check_variant(variant)
    home = folder_of(folder)
    for one in installed(folder):
        if one.variant == wanted:
            path = home / one.file
            if _sha256(path) != one.sha256:
                raise InputError(
                    f"the {wanted} network is missing or damaged",
                    where=str(path),
                    hint=f"install again: {INSTALL} --again",
                )
            return path
    raise InputError(
        f"the network {MODEL}:{wanted} is not installed",
        where=str(home),
        hint=f"{INSTALL} (fetches 36 MB once; without a network: --from FILE)",
    )


def put(networks: dict[Installed, bytes], texts: dict[str, str], folder: Path | None = None) -> tuple[Path, ...]:
    """Put networks on the shelf: each file whole, the list last, so that an interrupted installation changes nothing.

    Args:
        networks: each with the bytes of its file; other variants that are there stay.
        texts: notices and licences, by file name.
        folder: in place of the user's cache.

    Raises:
        OutputError: the folder cannot be written to.
    """
    home = folder_of(folder)
    try:
        before = installed(folder)
    except InputError:  # a damaged list is what installing again mends
        before = ()
    kept = tuple(one for one in before if one.variant not in {new.variant for new in networks})
    try:
        for name, text in texts.items():
            write_whole(home / name, text)
        for one, raw in networks.items():
            write_whole(home / one.file, raw)
        listed = sorted((*kept, *networks), key=lambda one: one.variant)
        write_whole(home / _LIST, msgspec.json.format(msgspec.json.encode(listed), indent=2))
    except OutputError as error:
        raise OutputError(
            error.message,
            where=error.where,
            hint="name a folder that can be written to: export REELWISE_CACHE=/a/folder",
        ) from None
    drop(home, {one.file for one in before} - {one.file for one in listed})
    return tuple(home / one.file for one in networks)


def remove(folder: Path | None = None) -> tuple[Path, ...]:
    """Take the model off the shelf: the list first, then its files. Files that are not ours stay.

    Raises:
        OutputError: the folder cannot be written to.
    """
    home = folder_of(folder)
    if not home.is_dir():
        return ()
    ours = sorted(path for path in home.iterdir() if path.name.split("-")[0] in VARIANTS or path.suffix == ".txt")
    return drop(home, [_LIST, *(path.name for path in ours)])


def drop(home: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Remove files of a folder, and return those that were there.

    Raises:
        OutputError: one cannot be removed.
    """
    gone = []
    for name in names:
        path = home / name
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise OutputError(
                f"cannot remove: {error.strerror}", where=str(path), hint="check the folder's permissions"
            ) from None
        gone.append(path)
    return tuple(gone)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError:
        return ""
    return hashlib.sha256(raw).hexdigest()
