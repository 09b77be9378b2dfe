"""Install the person-segmentation network: out of a wheel on the user's own package index, which is not installed itself.

MediaPipe 0.10.21 is the last release whose wheel holds the two networks, 250 kB each. They are taken out by their checksums,
converted and put on the shelf. Nothing of MediaPipe runs.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from reelwise.errors import InputError
from reelwise.models.convert import CONVERTER, to_onnx
from reelwise.models.shelf import INSTALL, MODEL, Installed, Variant, installed, model_path, put
from reelwise.models.wheel import Wheel, fetch_wheel, member, read_bytes, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["MEDIAPIPE", "NETWORKS", "install_person_segmentation", "networks_in"]

MEDIAPIPE: Final = Wheel(
    requirement="mediapipe==0.10.21",
    python="3.12",
    platform="manylinux_2_28_x86_64",
    sha256="956eb1ebc275c629e61b085b2cab89c3a5b9e93bad1bb107348d98dafb5a4bb5",
    megabytes=36,
    install=INSTALL,
)
NETWORKS: Final[dict[str, Variant]] = {
    "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c": "general",
    "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd": "landscape",
}
"""sha256 of each .tflite file."""

_LARGEST_NETWORK = 1_000_000
_MEMBER = "mediapipe/modules/selfie_segmentation/selfie_segmentation"
_LICENCE = "mediapipe-0.10.21.dist-info/LICENSE"

NOTICE: Final = f"""\
Person segmentation networks of MediaPipe ("selfie segmentation", general and landscape).

Copyright The MediaPipe Authors. Licensed under the Apache License, Version 2.0:
https://www.apache.org/licenses/LICENSE-2.0

Taken from the Python wheel {MEDIAPIPE.requirement.replace("==", " ")} (https://github.com/google-ai-edge/mediapipe),
files {_MEMBER}.tflite and {_MEMBER}_landscape.tflite.

Changed: reelwise converted them from TensorFlow Lite to ONNX, widening 16-bit weights to 32 bits. The weights have the same
values, and the networks compute the same.
"""


def install_person_segmentation(
    sources: Sequence[Path] = (),
    *,
    folder: Path | None = None,
    again: bool = False,
    say: Callable[[str], None] | None = None,
) -> tuple[Path, ...]:
    """Install the networks and return their files; what is installed and whole is left as it is.

    Args:
        sources: a wheel of mediapipe 0.10.21 or .tflite files that are here already; empty to fetch the wheel with pip.
        folder: in place of $REELWISE_CACHE or the user's cache.
        again: also where they are installed.
        say: is told what takes time.

    Raises:
        MissingExtraError: the packages that convert are not installed.
        InputError: no network and no file, no pip, a wrong checksum, a file that is neither; the hint says what to do.
        OutputError: the cache cannot be written to.
    """
    if not again and not sources and (there := _whole(folder)):
        return there
    tell = say or (lambda _: None)
    texts = {"NOTICE.txt": NOTICE}
    found: dict[Variant, tuple[bytes, str]] = {}
    if sources:
        for source in sources:
            found |= networks_in(read_bytes(source, MEDIAPIPE), source.name, texts)
    else:
        tell(f"fetching {MEDIAPIPE.requirement} with pip: {MEDIAPIPE.megabytes} MB, once; it is not installed")
        found = networks_in(fetch_wheel(MEDIAPIPE), f"the wheel {MEDIAPIPE.requirement}", texts)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    made: dict[Installed, bytes] = {}
    for variant, (raw, name) in found.items():
        tell(f"converting the {variant} network")
        converted = to_onnx(raw, where=name, name=f"{MODEL}-{variant}")
        own = sha256(converted)
        one = Installed(
            variant=variant, file=f"{variant}-{own[:16]}.onnx", sha256=own, made_from=sha256(raw),
            converter=CONVERTER, source=name, day=today,
        )  # fmt: skip
        made[one] = converted
    return put(made, texts, folder)


def _whole(folder: Path | None) -> tuple[Path, ...]:
    """Return the files of both networks if they are installed by this converter and undamaged, else nothing."""
    try:
        known = {one.variant for one in installed(folder) if one.converter == CONVERTER}
        return tuple(model_path(one, folder) for one in NETWORKS.values()) if len(known) == len(NETWORKS) else ()
    except InputError:
        return ()


def networks_in(raw: bytes, name: str, texts: dict[str, str]) -> dict[Variant, tuple[bytes, str]]:
    """Take the networks out of a wheel, or recognise a .tflite file as one of them, each by its checksum.

    Args:
        raw: the file.
        name: what errors and the list of installed models call it.
        texts: gets the licence that the wheel holds.

    Returns:
        The bytes and where they came from, by variant.

    Raises:
        InputError: it holds neither network, or another version of one.
    """
    if not raw.startswith(b"PK"):
        return {_variant(raw, name): (raw, name)}
    found: dict[Variant, tuple[bytes, str]] = {}
    for end in ("", "_landscape"):
        network = member(raw, f"{_MEMBER}{end}.tflite", MEDIAPIPE, name=name, largest=_LARGEST_NETWORK)
        found[_variant(network, name)] = (network, name)
    licence = member(raw, _LICENCE, MEDIAPIPE, name=name, largest=_LARGEST_NETWORK)
    texts["LICENSE.txt"] = licence.decode("utf-8", "replace")
    return found


def _variant(raw: bytes, name: str) -> Variant:
    own = sha256(raw)
    if own not in NETWORKS:
        raise InputError(
            f"a file with the checksum {own[:16]}... is not the network that is expected",
            where=name,
            hint=f"give the wheel {MEDIAPIPE.requirement}, or a .tflite file out of it: {MEDIAPIPE.by_hand}",
        )
    return NETWORKS[own]
