"""The picture of a scan holds what the scan says, and is drawn for any file."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET  # our own output
from itertools import pairwise
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from reelwise.cli.scan import cli
from reelwise.errors import InputError, MissingExtraError
from reelwise.report.strip import check_picture, draw_strip
from reelwise.scan import Event, Scan, Spent, Stretch

if TYPE_CHECKING:
    from pathlib import Path

THUMB = (1.0, 16 / 9, b"\xff\xd8\xff\xd9")
SVG = "{http://www.w3.org/2000/svg}"


def scanned(
    seconds: float = 120.0, events: tuple[tuple[float, float], ...] = ((10, 20), (60, 66)), **more: object
) -> Scan:
    stretches = [Stretch(start_seconds=0, stop_seconds=seconds, method="packets", why="quiet, as this signal says")]
    stretches += [
        Stretch(start_seconds=a, stop_seconds=b, method="luma", why="a candidate, decoded") for a, b in events
    ]
    settings: dict[str, object] = {
        "path": "/a/b/yard.mp4", "mode": "exact", "method": "packets", "why": "they tell", "codec": "h264", "seconds": seconds,
        "frames": 3000, "events": tuple(Event(start_seconds=a, stop_seconds=b) for a, b in events),
        "kept_share": sum(b - a for a, b in events) / seconds, "frames_decoded_share": 0.1, "realtime_factor": 100.0,
        "cpu_seconds": 1.25, "signals": (Spent(signal="packets", cpu_seconds=1.25, frames_decoded=0),),
        "stretches": tuple(stretches), "separable": True, "bound_seconds": 2.0, "blind_seconds": 0.0, "bound_share": 0.1,
        "notes": (),
    }  # fmt: skip
    return Scan(**(settings | more))  # type: ignore[arg-type]


def drawn(scan: Scan, thumbs: int = 9) -> tuple[ET.Element, str]:
    curve = [(second, 0.05 if 10 <= second < 20 else 0.0) for second in range(int(scan.seconds) + 1)]
    svg = draw_strip(scan, curve, [(index * scan.seconds / 9, *THUMB[1:]) for index in range(thumbs)])
    root = ET.fromstring(svg)  # noqa: S314 - our own output
    return root, " | ".join(node.text or "" for node in root.iter(f"{SVG}text"))


def test_it_says_what_was_kept_by_which_signal_and_why() -> None:
    root, words = drawn(scanned())
    assert "yard.mp4: 2 events in 2:00, 13% of the time is kept" in words
    assert "Method: packets, because they tell." in words
    assert "judged by packet sizes: quiet, as this signal says" in words
    assert "judged by decoded pictures: a candidate, decoded" in words
    assert "1.25 s of CPU for 120.0 s of footage; 10% of 3,000 pictures were decoded" in words
    kept = [node for node in root.iter(f"{SVG}rect") if node.get("fill") == "#cfe8d9"]
    (first, second, _legend) = [(float(node.get("x", 0)), float(node.get("width", 0))) for node in kept]
    assert second[0] - first[0] == pytest.approx(1064 * 50 / 120, abs=0.2)
    assert (first[1], second[1]) == (pytest.approx(1064 / 12, abs=0.1), pytest.approx(1064 / 20, abs=0.1))
    assert sum(node.get("stroke") == "#1b7f4b" for node in root.iter(f"{SVG}rect")) == 1, "the picture within an event"
    assert len(list(root.iter(f"{SVG}image"))) == 9


@pytest.mark.parametrize("seconds", [0.4, 3.0, 59.0, 3600.0, 90_000.0, 4_000_000.0])
def test_any_length_has_an_axis_of_a_few_round_times(seconds: float) -> None:
    _, words = drawn(scanned(seconds, ()))
    clocks = re.findall(r"\d+:\d\d(?:[:.]\d+)*", words)
    assert 2 <= len(clocks) <= 15


def test_all_stays_within_the_picture_and_nothing_is_written_over_another_thing() -> None:
    many = tuple((second, second + 0.4) for second in range(1, 119))
    root, _ = drawn(scanned(events=many))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    lines: dict[float, list[tuple[float, float]]] = {}
    for node in root.iter(f"{SVG}text"):
        x, y, size = (float(node.get(name, 0)) for name in ("x", "y", "font-size"))
        assert 0 < y < height
        wide = 0.55 * size * len(node.text or "")
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[node.get("text-anchor", "start")]
        assert left >= -1
        assert left + wide <= width + 1
        lines.setdefault(y, []).append((left, left + wide))
    for spans in lines.values():
        spans.sort()
        assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_names_and_reasons_are_text_and_not_markup() -> None:
    _, words = drawn(scanned(path='/a/<b>&"c".mp4', why="a < b & c; " + "x" * 900))
    assert '<b>&"c".mp4: 2 events' in words
    assert "a < b & c" in words


def test_nothing_found_and_no_pictures() -> None:
    _, words = drawn(scanned(events=()), thumbs=0)
    assert "0 events in 2:00, 0% of the time is kept" in words


def test_a_file_is_drawn(drawn_clip: Path, tmp_path: Path) -> None:
    for name in ("a.svg", "b.PNG"):
        done = CliRunner().invoke(
            cli, [str(drawn_clip), "--json", "--picture", str(tmp_path / "new" / name)], catch_exceptions=False
        )
        assert json.loads(done.stdout)["events"]
    root = ET.parse(tmp_path / "new" / "a.svg").getroot()  # noqa: S314 - our own output
    assert len(list(root.iter(f"{SVG}image"))) == 9
    assert (tmp_path / "new" / "a.svg").stat().st_size < 150_000
    assert (tmp_path / "new" / "b.PNG").read_bytes()[:4] == b"\x89PNG"


def test_what_cannot_be_drawn_is_refused_before_the_work(
    drawn_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"\.svg or \.png"):
        check_picture(tmp_path / "a.jpg")
    done = CliRunner().invoke(cli, [str(drawn_clip.parent), "--picture", "a.svg"], standalone_mode=False)
    assert isinstance(done.exception, click.UsageError)
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(MissingExtraError, match="vl-convert"):
        check_picture(tmp_path / "a.png")
    check_picture(tmp_path / "a.svg")
