"""Install the person-segmentation network: out of a wheel on the user's own package index, which is not installed itself.

MediaPipe 0.10.21 is the last release whose wheel holds the two networks, 250 kB each. The wheel is fetched by version and
checksum with the running Python's pip, so that an index, a proxy or a mirror that is set up for pip is used; the networks are
taken out by their own checksums, converted and put on the shelf. Nothing of MediaPipe runs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reelwise.errors import InputError
from reelwise.models.convert import CONVERTER, to_onnx
from reelwise.models.shelf import INSTALL, MODEL, Installed, Variant, installed, model_path, put

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["NETWORKS", "WHEEL", "WHEEL_SHA256", "fetch_wheel", "install_person_segmentation", "networks_in"]

WHEEL: Final = "mediapipe==0.10.21"
WHEEL_SHA256: Final = "956eb1ebc275c629e61b085b2cab89c3a5b9e93bad1bb107348d98dafb5a4bb5"
"""Of the wheel for CPython 3.12 on Linux; the wheels for other systems hold the same networks."""
NETWORKS: Final[dict[str, Variant]] = {
    "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c": "general",
    "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd": "landscape",
}
"""sha256 of each .tflite file; see docs/decisions for where they come from."""

_FOR = ("--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64")
_BY_HAND = f"pip download {' '.join(_FOR)} {WHEEL}"
_MINUTES = 15
_LARGEST_WHEEL = 200_000_000
_LARGEST_NETWORK = 1_000_000
_MEMBER = "mediapipe/modules/selfie_segmentation/selfie_segmentation"
_LICENCE = "mediapipe-0.10.21.dist-info/LICENSE"

NOTICE: Final = f"""\
Person segmentation networks of MediaPipe ("selfie segmentation", general and landscape).

Copyright The MediaPipe Authors. Licensed under the Apache License, Version 2.0:
https://www.apache.org/licenses/LICENSE-2.0

Taken from the Python wheel {WHEEL.replace("==", " ")} (https://github.com/google-ai-edge/mediapipe),
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
            found |= networks_in(_bytes(source), source.name, texts)
    else:
        tell(f"fetching {WHEEL} with pip: 36 MB, once; it is not installed")
        found = networks_in(fetch_wheel(), f"the wheel {WHEEL}", texts)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    made: dict[Installed, bytes] = {}
    for variant, (raw, source_name) in found.items():
        tell(f"converting the {variant} network")
        converted = to_onnx(raw, where=source_name, name=f"{MODEL}-{variant}")
        sha256 = hashlib.sha256(converted).hexdigest()
        one = Installed(
            variant=variant, file=f"{variant}-{sha256[:16]}.onnx", sha256=sha256, made_from=_sha256(raw),
            converter=CONVERTER, source=source_name, day=today,
        )  # fmt: skip
        made[one] = converted
    return put(made, texts, folder)


def _whole(folder: Path | None) -> tuple[Path, ...]:
    """Return the files of both networks if they are installed by this converter and undamaged, else nothing."""
    try:
        known = {one.variant for one in installed(folder) if one.converter == CONVERTER}
        return (
            tuple(model_path(variant, folder) for variant in NETWORKS.values()) if len(known) == len(NETWORKS) else ()
        )
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
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as wheel:
            for end in ("", "_landscape"):
                network = _member(wheel, f"{_MEMBER}{end}.tflite", name)
                found[_variant(network, name)] = (network, name)
            texts["LICENSE.txt"] = _member(wheel, _LICENCE, name).decode("utf-8", "replace")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"a damaged wheel: {error}", where=name, hint=f"fetch it again: {_BY_HAND}") from None
    return found


def _member(wheel: zipfile.ZipFile, member: str, name: str) -> bytes:
    try:
        with wheel.open(member) as file:
            raw = file.read(_LARGEST_NETWORK + 1)
    except KeyError:
        raise InputError(
            f"holds no {member}",
            where=name,
            hint=f"only {WHEEL} is known to hold the networks: {_BY_HAND}",
        ) from None
    if len(raw) > _LARGEST_NETWORK:
        raise InputError(
            f"{member} is larger than {_LARGEST_NETWORK:,} bytes", where=name, hint=f"fetch it: {_BY_HAND}"
        )
    return raw


def _variant(raw: bytes, name: str) -> Variant:
    sha256 = _sha256(raw)
    if sha256 not in NETWORKS:
        raise InputError(
            f"a file with the checksum {sha256[:16]}... is not the network that is expected",
            where=name,
            hint=f"give the wheel {WHEEL}, or a selfie_segmentation .tflite file out of it: {_BY_HAND}",
        )
    return NETWORKS[sha256]


def fetch_wheel(seconds: float = _MINUTES * 60) -> bytes:
    """Fetch the wheel with the running Python's pip into a folder that is gone afterwards, and return its bytes.

    Args:
        seconds: how long pip may take.

    Raises:
        InputError: no pip here, no index in reach, no such wheel on it, or another checksum.
    """
    with tempfile.TemporaryDirectory(prefix="reelwise-") as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes",
            "--retries", "2", *_FOR, "--dest", folder, "--requirement", str(wanted),
        ]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command
                command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise InputError(
                f"pip did not fetch {WHEEL} within {seconds:,.0f} s", where=MODEL, hint=_elsewhere()
            ) from None
        except OSError as error:
            raise InputError(f"pip cannot be run: {error.strerror}", where=MODEL, hint=_elsewhere()) from None
        files = list(Path(folder).glob("*.whl"))
        if done.returncode or len(files) != 1:
            raise _refused(done.stderr)
        return _bytes(files[0])


def _refused(said: str) -> InputError:
    """Say in one sentence why pip fetched nothing."""
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    if "No module named pip" in said:
        return InputError(
            "this Python has no pip to fetch the model with",
            where=MODEL,
            hint=f"python -m ensurepip (or: uv pip install pip), then {INSTALL}; or {_elsewhere()}",
        )
    if "DO NOT MATCH THE HASHES" in said:
        return InputError(
            f"your package index has another file under {WHEEL}: its checksum is wrong", where=MODEL, hint=_elsewhere()
        )
    why = errors[-1] if errors else (said.strip().splitlines() or ["it said nothing"])[-1]
    return InputError(f"pip could not fetch {WHEEL}: {why:.300}", where=MODEL, hint=_elsewhere())


def _elsewhere() -> str:
    return f"offline? where there is a network: {_BY_HAND}; then here: {INSTALL} --from FILE.whl"


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_WHEEL + 1)
    except OSError as error:
        raise InputError(
            error.strerror or "cannot be read", where=str(path), hint=f"name the wheel of {WHEEL}, or a .tflite file"
        ) from None
    if len(raw) > _LARGEST_WHEEL:
        raise InputError(f"larger than {_LARGEST_WHEEL:,} bytes", where=str(path), hint=f"name the wheel of {WHEEL}")
    return raw


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
