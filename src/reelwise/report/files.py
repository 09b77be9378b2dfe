"""Write a report: the page, the picture of the waterfall and the figures, each whole or not at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reelwise.documents import write_whole
from reelwise.errors import MissingExtraError, OutputError
from reelwise.report import charts
from reelwise.report.audit_page import audit_page

if TYPE_CHECKING:
    from reelwise.run.result import AuditResult

from pathlib import Path

__all__ = ["HTML", "JSON", "PNG", "ReportFiles", "document", "write_report"]

HTML, PNG, JSON = "report.html", "waterfall.png", "audit.json"


class ReportFiles(Struct, frozen=True, kw_only=True):
    """What was written; `png` is None where the extra `report` is not installed."""

    html: Path
    png: Path | None
    json: Path


def document(result: AuditResult, report: Path | None = None) -> dict[str, Any]:
    """Turn a result into plain values for JSON.

    Everything is there but the thumbnails. A factor that is infinite (nothing left to pay) is null.

    Args:
        result: what the audit found.
        report: where its page is, for the key `report`.
    """
    plain: dict[str, Any] = _clean(msgspec.to_builtins(result))
    for lever in plain["levers"]:
        for moment in lever["lost"]:
            del moment["jpeg"]
    plain["report"] = None if report is None else _clean(str(report))
    return plain


def _clean(value: Any) -> Any:
    """Replace what JSON cannot hold: numbers that are not finite, and bytes of file names that are no text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


def write_report(result: AuditResult, folder: Path) -> ReportFiles:
    """Write report.html, waterfall.png (with the extra `report`) and audit.json.

    Raises:
        OutputError: the folder cannot be made, is read-only or full.
    """
    try:
        drawn = charts.draw(result)
    except MissingExtraError:
        drawn = None
    html, png, figures = folder / HTML, folder / PNG, folder / JSON
    plain = msgspec.json.format(msgspec.json.encode(document(result, html)), indent=2)
    page = audit_page(result, drawn)
    write_whole(figures, plain)
    if drawn is None:
        _remove(png)
    else:
        write_whole(png, drawn.png)
    write_whole(html, page)
    return ReportFiles(html=html, png=png if drawn else None, json=figures)


def _remove(stale: Path) -> None:
    """Take away the picture of an earlier audit: beside the new page it would tell another story."""
    try:
        stale.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot remove: {error.strerror}", where=str(stale), hint="name another place with --out"
        ) from None
