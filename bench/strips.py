"""Draw the pictures of docs/scan.md.  Run: python bench/strips.py.

The project's own clip, five minutes of a loading bay in which something happens four times, is encoded twice: as a recorder
does that saves bits where nothing moves, and at a constant rate, which drowns movement in noise. Takes about a minute.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import av

from reelwise.report.strip import write_strip
from reelwise.scan import scan
from reelwise.video import draw_demo

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "img"
ENCODINGS = {
    "scan-quality": {"preset": "medium", "crf": "30", "g": "120"},
    "scan-constant-rate": {
        "preset": "medium", "b": "600k", "maxrate": "600k", "minrate": "600k", "bufsize": "600k", "g": "120",
        "nal-hrd": "cbr",
    },
}  # fmt: skip


def encode(source: Path, target: Path, options: dict[str, str]) -> None:
    """Encode the pictures of a clip again, on one thread so that equal input gives equal bytes."""
    with av.open(str(source)) as read, av.open(str(target), "w") as out:
        stream = out.add_stream("libx264", rate=12, options=options)
        first = read.streams.video[0]
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, "yuv420p"
        stream.codec_context.thread_count = 1
        for index, frame in enumerate(read.decode(video=0)):
            frame.pts, frame.time_base = index, Fraction(1, 12)
            frame.pict_type = av.video.frame.PictureType.NONE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def main() -> None:
    """Draw both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "drawn.mp4"
        draw_demo(drawn, seconds=300, width=640, height=360, fps=12)
        for name, options in ENCODINGS.items():
            clip = Path(folder) / f"{name}.mp4"
            encode(drawn, clip, options)
            result = scan(clip)
            write_strip(result, IMAGES / f"{name}.svg")
            print(f"{name}: {len(result.events)} events by {result.method}, {result.kept_share:.1%} kept")


if __name__ == "__main__":
    main()
