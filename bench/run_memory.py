"""Memory while large files go up: eight at once, of several sizes, by three ways. Prints JSON.

    python bench/run_memory.py [--quick] [--json]

Each row is measured in a process of its own: its memory before, and its peak while the files go up. The sandbox that takes them runs in another.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from reelwise.errors import EndpointError
from reelwise.models.body import multipart
from reelwise.models.gemini import Gemini
from reelwise.models.gemini_files import upload
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.work import Clip, Text, Work, source

AT_ONCE = 8
WAYS = ("gemini file", "openai form", "gemini inline")
_MB = 1_000_000


def peak_mb() -> float:
    """Peak resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MB


def send(url: str, way: str, path: Path) -> None:
    if way == "gemini file":
        with Gemini(f"{url}/v1beta") as end:
            upload(end, source(path))
    elif way == "openai form":
        with OpenAIChat(f"{url}/v1") as chat:
            body = multipart([("purpose", "batch")], "file", path.name, source(path))
            chat.send("POST", "/files", body=body, seconds=600).reply.read()
    else:
        with Gemini(f"{url}/v1beta") as end:
            try:  # it is no clip, and too large to be taken: refused once all of it was sent
                end.ask(Work(model="gemini-2.5-flash", parts=(Clip(source=source(path)), Text(text="?"))))
            except EndpointError as error:
                if not error.status:
                    raise


def measured(url: str, way: str, megabytes: int) -> dict[str, Any]:
    """Send the files of one size up, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.mp4"
        with path.open("wb") as file:
            file.truncate(megabytes * _MB)
        send(url, way, _small(Path(folder)))
        before = peak_mb()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: send(url, way, path), range(AT_ONCE)))
        after = peak_mb()
    return {
        "way": way,
        "at_once": AT_ONCE,
        "file_mb": megabytes,
        "peak_mb_before": round(before, 1),
        "grew_mb": round(after - before, 1),
    }


def _small(folder: Path) -> Path:
    path = folder / "small.mp4"
    path.write_bytes(bytes(100_000))
    return path


def run(sizes: tuple[int, ...]) -> dict[str, Any]:
    rows = []
    for way in WAYS:
        for size in sizes:
            # a sandbox of its own each time: it keeps what goes up on disk
            command = [sys.executable, "-m", "reelwise", "sandbox", "--port", "0"]
            with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
                url = (server.stderr or sys.stdin).readline().split()[1]
                try:
                    answer = subprocess.run(
                        [sys.executable, __file__, "--one", url, way, str(size)], check=True, stdout=subprocess.PIPE, text=True
                    ).stdout  # fmt: skip
                finally:
                    server.send_signal(2)
            rows.append(json.loads(answer))
    growth = {way: [row["grew_mb"] for row in rows if row["way"] == way] for way in WAYS}
    return {
        "rows": rows,
        "grew_mb_by_size": {way: dict(zip(map(str, sizes), grown, strict=True)) for way, grown in growth.items()},
        "largest_growth_over_bytes_in_flight": max(
            row["grew_mb"] / (AT_ONCE * row["file_mb"]) for row in rows if row["file_mb"] == sizes[-1]
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2 and 20 MB")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=3, metavar=("URL", "WAY", "MB"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.update(OPENAI_API_KEY="sk-bench-000000", GEMINI_API_KEY="AIzaBench000000")
    if options.one:
        url, way, size = options.one
        print(json.dumps(measured(url, way, int(size))))
        return
    print(json.dumps(run((2, 20) if options.quick else (20, 200)), indent=2))


if __name__ == "__main__":
    main()
