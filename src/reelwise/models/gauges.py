"""How busy a machine is while it is measured: what nvidia-smi says here, or a gauge of a metrics page."""

from __future__ import annotations

import math
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

from msgspec import Struct

from reelwise.models.connection import Connection

if TYPE_CHECKING:
    from reelwise.models.connection import Endpoint

__all__ = ["Gauge", "Gauges", "read_metric"]

_EVERY_SECONDS = 1.0
_ASK_SECONDS = 2.0
_SAMPLES_MAX = 3_600
_NVIDIA = "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"


class Gauge(Struct, frozen=True, kw_only=True):
    """What a gauge showed: its mean and largest value, in its own unit, over some samples."""

    name: str
    mean: float
    largest: float
    samples: int


class Gauges:
    """Reads gauges once a second in a thread of its own, from `start` to `stop`.

    Args:
        nvidia: whether to ask nvidia-smi; nothing where it is not there.
        metrics: a page in Prometheus' text format.
        metric: the name of the gauge on it.
    """

    def __init__(self, *, nvidia: bool, metrics: Endpoint | None = None, metric: str = "") -> None:
        self._command = shutil.which("nvidia-smi") if nvidia else None
        self._page = Connection(metrics) if metrics is not None else None
        self._metric = metric
        self._seen: dict[str, list[float]] = {}
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.notes: list[str] = []

    def start(self) -> None:
        """Begin to read, where there is anything to read."""
        if self._command is not None or self._page is not None:
            self._thread = threading.Thread(target=self._run, daemon=True, name="gauges")
            self._thread.start()

    def stop(self) -> tuple[Gauge, ...]:
        """Stop and return what was seen."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=2 * _ASK_SECONDS + 1)
        return tuple(
            Gauge(name=name, mean=round(sum(seen) / len(seen), 3), largest=max(seen), samples=len(seen))
            for name, seen in self._seen.items()
        )

    def _run(self) -> None:
        for _ in range(_SAMPLES_MAX):
            if self._command is not None:
                self._ask_nvidia(self._command)
            if self._page is not None:
                self._ask_page(self._page)
            if self._over.wait(_EVERY_SECONDS):
                break
        if self._page is not None:
            self._page.close()

    def _ask_nvidia(self, command: str) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command
                [command, *_NVIDIA], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
            )
            rows = [[float(one) for one in line.split(",")] for line in done.stdout.strip().splitlines()]
            busy, held = max(row[0] for row in rows), sum(row[1] for row in rows)
        except (IndexError, OSError, subprocess.SubprocessError, ValueError):
            self.notes.append("nvidia-smi says nothing")
            self._command = None
            return
        self._see("gpu_utilisation_percent", busy)
        self._see("gpu_memory_megabytes", held)

    def _ask_page(self, page: Connection) -> None:
        answer = page.send(b"", _ASK_SECONDS)
        value = None if answer.trouble else read_metric(answer.body.decode("utf-8", "replace"), self._metric)
        if value is None:
            self.notes.append(f"the metrics page: {answer.trouble or f'no gauge {self._metric}'}")
            page.close()
            self._page = None
            return
        self._see(self._metric, value)

    def _see(self, name: str, value: float) -> None:
        self._seen.setdefault(name, []).append(value)


def read_metric(page: str, name: str) -> float | None:
    """Return the largest value of a gauge on a page in Prometheus' text format; None where it has none."""
    found = []
    for line in page.splitlines():
        head, _, tail = line.partition("}") if "{" in line else line.partition(" ")
        if head.partition("{")[0].strip() != name:
            continue
        try:
            value = float(tail.split()[0])
        except (IndexError, ValueError):
            continue
        if math.isfinite(value):
            found.append(value)
    return max(found, default=None)
