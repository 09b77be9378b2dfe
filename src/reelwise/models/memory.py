"""How much memory this process holds."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["memory_megabytes"]


def memory_megabytes(*, peak: bool = False) -> float:
    """Return the resident memory of this process in megabytes, now or at most; where the system does not say, at most."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(wanted):
                return round(int(line.split()[1]) / 1024, 1)
    except OSError:
        pass  # no Linux
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
