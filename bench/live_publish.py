"""Write the table and the charts of docs/live.md from bench/results/live.json.

python bench/keep.py live && python bench/live_publish.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- written by bench/live_publish.py -->", "<!-- end -->"
SHARE_MOST = 0.6
OURS = "reelwise, by quality"
COLOURS = {
    OURS: "#1b7f4b",
    "reelwise, by rate": "#7cc29c",
    "OBS plugin's gate, mask reused": "#1f6fb2",
    "the article's pseudo-code": "#b4532a",
    "fixed skip, mask reused": "#8a939c",
}
PLACES = {"webcam": "Webcam, eight clips", "hall": "Hall camera, people walk in and out"}


def points(result: dict[str, Any], place: str) -> list[dict[str, Any]]:
    return [
        {"policy": policy, "share": row["share"], "iou": row[key], "of": name}
        for policy, rows in result[place]["curves"].items()
        for row in rows
        if row["share"] <= SHARE_MOST
        for key, name in (("iou_mean", "mean"), ("iou_p5", "worst 5 % of frames"))
    ]


def panel(result: dict[str, Any], place: str, low: float) -> alt.LayerChart:
    rows = [row for row in points(result, place) if row["iou"] >= low]
    order = list(COLOURS)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("share:Q", title="frames inferred", axis=alt.Axis(format="%")).scale(domain=[0, SHARE_MOST]),
        y=alt.Y("iou:Q", title="IoU with the mask of every-frame inference").scale(domain=[low, 1], zero=False),
        color=alt.Color(
            "policy:N",
            title=None,
            sort=order,
            scale=alt.Scale(domain=order, range=list(COLOURS.values())),
            legend=alt.Legend(orient="bottom", columns=2, labelLimit=400, symbolType="stroke", symbolStrokeWidth=3),
        ),
        strokeDash=alt.StrokeDash("of:N", legend=None),
    )
    wanted = alt.Chart(alt.Data(values=[{"iou": 0.95}])).mark_rule(color="#555d66", strokeDash=[2, 3]).encode(y="iou:Q")
    return (base.mark_line(point=alt.OverlayMarkDef(size=18)) + wanted).properties(
        width=380, height=280, title=alt.Title(PLACES[place], subtitle="solid: mean; dashed: worst 5 % of frames")
    )


def draw(result: dict[str, Any]) -> str:
    chart = alt.hconcat(panel(result, "webcam", 0.8), panel(result, "hall", 0.6)).configure(
        font="Arial, Helvetica, Liberation Sans, sans-serif", background="#ffffff"
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg


def percent(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.1%}"


def default_words(web: dict[str, Any], hall: dict[str, Any]) -> str:
    return (
        f"With nothing set (quality 0.95): webcam {web['share']:.1%} of frames (clips from {web['share_lowest']:.1%} to "
        f"{web['share_highest']:.1%}), mean {web['iou_mean']:.3f}, p5 {web['iou_p5']:.3f}, p1 {web['iou_p1']:.3f}; hall "
        f"{hall['share']:.1%}, mean {hall['iou_mean']:.3f}, p5 {hall['iou_p5']:.3f}, {hall['frames_iou_0']} frames of IoU 0."
    )


def page(kept: dict[str, Any]) -> str:
    result = kept["result"]
    lines = [f"Measured {kept['day']} on {kept['on']}. Reference: {result['reference']} on every frame.", ""]
    lines += [
        "| policy | webcam: frames inferred for p5 >= 0.95 and mean >= 0.98 | hall: the same | webcam at 10 %: mean / p5 / p1, flicker | hall at 10 %: mean / p5, frames of IoU 0, flicker |",
        "|---|---|---|---|---|",
    ]
    for policy in COLOURS:
        web, hall = (result[place]["at_10_percent"][policy] for place in ("webcam", "hall"))
        needed = [percent(result[place]["share_needed"][policy]) for place in ("webcam", "hall")]
        lines.append(
            f"| {policy} | {needed[0]} | {needed[1]} "
            f"| {web['iou_mean']:.3f} / {web['iou_p5']:.3f} / {web['iou_p1']:.3f}, {web['flicker']:.3f} (at {web['share']:.1%}) "
            f"| {hall['iou_mean']:.3f} / {hall['iou_p5']:.3f}, {hall['frames_iou_0']}, {hall['flicker']:.3f} (at {hall['share']:.1%}) |"
        )
    web, hall = (result[place]["default"] for place in ("webcam", "hall"))
    skip, best = result["skip_path_ms_cpu_720p"], result["hall"]["best_in_hindsight"]
    worst = result["hall"]["best_p5_in_hindsight"]
    lines += [
        "",
        default_words(web, hall),
        f"The best 10 % of the hall's frames, chosen in hindsight with all answers known: for the mean {best['iou_mean']:.3f} / {best['iou_p5']:.3f}, for the worst frames {worst['iou_mean']:.3f} / {worst['iou_p5']:.3f}.",
        f"CPU of a carried frame at 720p within the loop, one thread: {skip['p50']:.2f} ms median, {skip['p95']:.2f} ms p95.",
        "",
        "![IoU against the share of frames inferred](img/live-quality.svg)",
    ]
    return "\n".join(lines)


def main() -> None:
    kept = json.loads((ROOT / "bench" / "results" / "live.json").read_text())
    (ROOT / "docs" / "img" / "live-quality.svg").write_text(draw(kept["result"]))
    path = ROOT / "docs" / "live.md"
    head, rest = path.read_text().split(BEGIN)
    path.write_text(f"{head}{BEGIN}\n{page(kept)}\n{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    main()
