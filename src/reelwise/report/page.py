"""The HTML shell of every page: one file, no script, nothing loaded from elsewhere, everything escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["Html", "bullets", "element", "escape", "fold", "join", "link", "page", "section", "table"]


class Html(str):
    """Text that is HTML already. `escape` leaves it as it is; every other string is escaped."""

    __slots__ = ()


def escape(value: object) -> Html:
    """Escape any value for text and quoted attributes; names of files that are no Unicode keep a mark in that place."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(str(value).encode("utf-8", "replace").decode(), quote=True))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Put values one after another, escaping those that are not HTML; `between` is HTML."""
    return Html(between.join(escape(part) for part in parts))


def element(tag: str, *parts: object, **attributes: object) -> Html:
    """Make an element. An attribute `class_` is written `class`, `aria_label` is `aria-label`; None leaves it out."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{written}>{join(parts)}</{tag}>")


def link(target: str) -> Html:
    """Make a link of a web address; any other text stays text."""
    if target.startswith(("https://", "http://")) and not any(char.isspace() for char in target):
        shown = target.split("://", 1)[1].rstrip("/")
        return element("a", shown, href=target, rel="noreferrer noopener")
    return escape(target)


def bullets(parts: Iterable[object]) -> Html:
    """Make a list, or nothing of nothing."""
    items = [element("li", part) for part in parts]
    return element("ul", *items) if items else Html("")


def section(name: str, heading: str, *parts: object) -> Html:
    """Make a section that can be linked to by its name."""
    return element("section", element("h2", heading), *parts, id=name)


def fold(summary: str, *parts: object) -> Html:
    """Make a part that a reader opens; it prints open or closed as it is."""
    return element("details", element("summary", summary), *parts)


def table(
    columns: Sequence[object], rows: Iterable[Sequence[object]], *, label: str, right: Collection[int] = ()
) -> Html:
    """Make a table in a box of its own, which scrolls sideways where the page is too narrow.

    Args:
        columns: headings.
        rows: one value a column; values that are not `Html` are escaped.
        label: what the table holds, for those who do not see it.
        right: columns of numbers, aligned right.
    """
    kinds = ["number" if index in right else None for index in range(len(columns))]
    head = join(element("th", name, scope="col", class_=kind) for name, kind in zip(columns, kinds, strict=True))
    body = join(
        element("tr", *(element("td", value, class_=kind) for value, kind in zip(row, kinds, strict=True)))
        for row in rows
    )
    inner = element("table", element("thead", element("tr", head)), element("tbody", body))
    return element("div", inner, class_="scroll", role="region", tabindex="0", aria_label=label)


def page(title: str, *parts: object, foot: object = "") -> str:
    """Make a whole document.

    Args:
        title: of the window; the body's own heading is the caller's.
        parts: the body.
        foot: small print at the end.

    Returns:
        HTML that holds all it needs: its policy forbids scripts and anything from another place.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        f"<main>\n{join(parts, chr(10))}\n</main>\n{element('footer', foot) if foot else ''}\n</body>\n</html>\n"
    )


_CSS = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1a1d21;--soft:#555d66;--line:#d8dde2;--wash:#f3f5f7;
--naive:#6b7683;--cut:#1f6fb2;--final:#1b7f4b;--kept:#cfe8d9;--warn:#8a4b00;--warnwash:#fff4e2;--link:#0b5cad}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e8eaed;--soft:#a9b1ba;--line:#3a4149;--wash:#1e2226;
--naive:#8a95a1;--cut:#5aa9e6;--final:#4cc38a;--kept:#24523b;--warn:#ffc680;--warnwash:#33270f;--link:#7fb8f0}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums}
main,footer{max-width:60rem;margin:0 auto;padding:1.5rem 1.25rem}
footer{color:var(--soft);font-size:.875rem;border-top:1px solid var(--line)}
h1{font-size:1.75rem;line-height:1.25;margin:.25rem 0 .75rem;text-wrap:balance}
h2{font-size:1.25rem;line-height:1.3;margin:2.75rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.75rem 0 .4rem}
h1,h2,h3,p,li,dd,figcaption,summary,code{overflow-wrap:anywhere}
p{margin:.5rem 0;max-width:46rem}
ul{margin:.5rem 0;padding-left:1.25rem;max-width:46rem}
li{margin:.25rem 0}
a{color:var(--link)}
.over{color:var(--soft);font-size:.9375rem;margin:0}
.lead{font-size:1.0625rem}
.soft,small,figcaption{color:var(--soft);font-size:.875rem}
small{display:block;line-height:1.35}
.note{background:var(--warnwash);border-left:4px solid var(--warn);padding:.6rem .9rem;margin:1rem 0;max-width:46rem}
.note ul,.note p{margin:.2rem 0}
.scroll{overflow-x:auto;margin:.75rem 0;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
th,td{padding:.45rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>td{border-bottom:0}
th{background:var(--wash);font-weight:600;font-size:.8125rem;line-height:1.3;vertical-align:bottom}
td.number,th.number{text-align:right}
td.number{white-space:nowrap}
td{min-width:5.5rem}
td.number{min-width:0}
td:last-child:not(.number){min-width:8rem}
td:first-child{min-width:12rem}
dl{display:grid;grid-template-columns:minmax(9rem,16rem) 1fr;gap:.35rem 1rem;margin:.75rem 0;max-width:46rem}
dt{color:var(--soft)}
dd{margin:0}
figure{margin:1rem 0}
figure svg{display:block;max-width:100%;height:auto;overflow:visible}
svg text{font-variant-numeric:tabular-nums}
.narrow{display:none}
.shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.75rem;margin:.75rem 0}
.shots figure{margin:0}
.shots img{display:block;width:100%;height:auto;border-radius:4px;border:1px solid var(--line);background:var(--wash)}
details{margin:.75rem 0}
summary{cursor:pointer;font-weight:600}
pre{background:var(--wash);border:1px solid var(--line);border-radius:6px;padding:.75rem;overflow-x:auto;
font:.875rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.bars{margin:1rem 0}
.bars p{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;max-width:none;margin:.6rem 0 .15rem}
.track{position:relative;height:1rem;background:var(--wash);border-radius:3px;overflow:hidden}
.track span{position:absolute;top:0;bottom:0;min-width:2px;background:var(--cut)}
.track .naive{background:var(--naive)}
.track .final,.track .kept{background:var(--final)}
@media (max-width:640px){main,footer{padding:1rem .875rem}h1{font-size:1.4rem}.wide{display:none}.narrow{display:block}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}td:first-child{min-width:7rem}th,td{padding:.4rem .5rem}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--wash:#f3f5f7;--naive:#6b7683;
--cut:#1f6fb2;--final:#1b7f4b;--kept:#cfe8d9;--warn:#8a4b00;--warnwash:#fff4e2;--link:#000}
body{font-size:10pt}main,footer{max-width:none;padding:0}.scroll{overflow:visible;border:0}table{font-size:8pt}
th,td{padding:.2rem .35rem}h2,h3{break-after:avoid}tr,figure,.note{break-inside:avoid}pre{white-space:pre-wrap}}
"""
