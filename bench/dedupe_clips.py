"""Copies of clips, changed as uploads are: the transforms of bench/dedupe.py, made with ffmpeg and kept in a folder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TRANSFORMS: dict[str, str] = {
    "reencode": "null",
    "240p": "scale=-2:240",
    "gray": "hue=s=0",
    "brightness": "eq=brightness=0.12:contrast=1.1",
    "10fps": "fps=10",
    "crop10": "crop=trunc(iw*0.45)*2:trunc(ih*0.45)*2",
    "crop20": "crop=trunc(iw*0.4)*2:trunc(ih*0.4)*2",
    "letterbox": "pad=iw:trunc(ih*2/3)*2:0:(oh-ih)/2",
    "pillarbox": "pad=trunc(iw*2/3)*2:ih:(ow-iw)/2:0",
    "logo": "drawbox=x=iw*0.76:y=ih*0.05:w=iw*0.2:h=ih*0.14:color=white@0.85:t=fill",
    "crop20-off-centre": "crop=trunc(iw*0.4)*2:trunc(ih*0.4)*2:iw*0.04:ih*0.16",
    "all-at-once": "crop=trunc(iw*0.45)*2:trunc(ih*0.45)*2,eq=brightness=0.06,scale=-2:240,pad=iw:trunc(ih*2/3)*2:0:(oh-ih)/2",
}
"""Name of each transform and its ffmpeg filter; all but 'reencode' are encoded at CRF 26, that and the last at CRF 34."""

_HARD = ("reencode", "all-at-once")
SECONDS_MAX = 40


def ffmpeg() -> str:
    return shutil.which("ffmpeg") or sys.exit("ffmpeg is not installed: it makes the copies")


def transformed(clip: Path, name: str, folder: Path) -> Path:
    """Make one copy, once; at most SECONDS_MAX seconds of it."""
    recipe = TRANSFORMS[name]
    digest = hashlib.sha256(f"{clip.name} {clip.stat().st_size} {recipe} {SECONDS_MAX}".encode()).hexdigest()[:10]
    out = folder / f"{clip.stem}--{name}--{digest}.mp4"
    if out.is_file():
        return out
    folder.mkdir(parents=True, exist_ok=True)
    part = out.with_suffix(".part.mp4")
    crf = "34" if name in _HARD else "26"
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
    command = [
        ffmpeg(),
        "-v",
        "error",
        "-nostdin",
        "-y",
        "-threads",
        "1",
        "-i",
        str(clip),
        "-t",
        str(SECONDS_MAX),
        "-an",
    ]
    command += ["-vf", f"{recipe},{even}", "-c:v", "libx264", "-preset", "superfast", "-crf", crf]
    subprocess.run([*command, "-pix_fmt", "yuv420p", "-threads", "1", str(part)], check=True)
    part.rename(out)
    return out
