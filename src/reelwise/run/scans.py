"""Scans of clips, each made at most once for each method and mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelwise.scan import Scan
    from reelwise.scan.cascade import Method, Mode

__all__ = ["Scans"]


class Scans:
    """Scans files and remembers: an audit asks again for each plan, each half and each segment.

    It holds as many answers as there are clips, methods and modes.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Scan] = {}

    def __call__(self, path: str, *, mode: Mode = "exact", method: Method = "auto") -> Scan:
        """Scan a file, or say what scanning it has found.

        Raises:
            MediaError: it cannot be scanned.
        """
        from reelwise.scan import scan

        key = (path, mode, method)
        if key not in self._found:
            self._found[key] = scan(path, mode=mode, method=method)
        return self._found[key]
