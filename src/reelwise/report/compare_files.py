"""Write a comparison to a folder: the page, the charts and the figures, each whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from reelwise.documents import write_whole
from reelwise.errors import MissingExtraError
from reelwise.report.compare_charts import draw_comparison
from reelwise.report.compare_page import comparison_page
from reelwise.report.compare_text import record

if TYPE_CHECKING:
    from pathlib import Path

    from reelwise.compare import Comparison

__all__ = ["write_comparison"]


def write_comparison(found: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write compare.html, compare.json and, with the extra `report`, volume and sampling as SVG and PNG.

    Raises:
        OutputError: the folder cannot be made, is read-only or full.
    """
    try:
        drawn = draw_comparison(found)
    except MissingExtraError:
        drawn = None
    files: dict[str, str | bytes | None] = {
        "compare.json": msgspec.json.format(msgspec.json.encode(record(found, curves=True)), indent=2).decode(),
    }
    if drawn is not None:
        files |= {
            "volume.svg": drawn.volume_svg, "volume.png": drawn.volume_png, "sampling.svg": drawn.sampling_svg,
            "sampling.png": drawn.sampling_png,
        }  # fmt: skip
    files["compare.html"] = comparison_page(found, drawn)
    written = []
    for name, data in files.items():
        if data is not None:
            write_whole(folder / name, data)
            written.append(folder / name)
    return tuple(written)
