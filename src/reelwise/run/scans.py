"""Scans of clips, each made at most once for each method and mode."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelwise.scan import Scan
    from reelwise.scan.cascade import Method, Mode
    from reelwise.video import Track

__all__ = ["Scans"]

_CUT_SECONDS = 2.0


class Scans:
    """Scans files and remembers: an audit asks again for each plan, each half and each segment.

    It holds as many answers as there are clips, methods and modes.

    Args:
        tracks: the clips. Of one that was not decoded to its end no more is scanned than was decoded.
    """

    def __init__(self, tracks: Iterable[Track] = ()) -> None:
        self._found: dict[tuple[str, str, str], Scan] = {}
        self._heads = {t.info.path: t.seconds for t in tracks if t.info.seconds > t.seconds + _CUT_SECONDS}

    def __call__(self, path: str, *, mode: Mode = "exact", method: Method = "auto") -> Scan:
        """Scan a file, or say what scanning it has found.

        Raises:
            MediaError: it cannot be scanned.
        """
        from reelwise.scan import scan

        key = (path, mode, method)
        if key not in self._found:
            if path in self._heads:
                self._found[key] = _head(path, self._heads[path], mode, method)
            else:
                self._found[key] = scan(path, mode=mode, method=method)
        return self._found[key]


def _head(path: str, seconds: float, mode: Mode, method: Method) -> Scan:
    """Scan the first seconds of a file, in a copy of them that is thrown away."""
    from reelwise.scan import scan
    from reelwise.video.writer import copy_head

    with tempfile.TemporaryDirectory(prefix="reelwise-") as folder:
        part = Path(folder) / "head.mkv"
        copy_head(path, seconds, part)
        return replace(scan(part, mode=mode, method=method), path=path)
