"""A camera on 127.0.0.1 for tests: GStreamer's RTSP server sends a clip. Run with the system's Python, which has python3-gi.

    /usr/bin/python3 rtsp_server.py CLIP [--port N] [--drop SHARE]

Prints `ready PORT`; then takes one word a line: `stall`, `resume`, `quit`. Ends by itself when its input ends.
"""

from __future__ import annotations

import argparse
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - versions are required first


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("clip")
    parser.add_argument("--port", default="0")
    parser.add_argument("--drop", type=float, default=0.0)
    args = parser.parse_args()
    Gst.init(None)
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(args.port)
    demuxer = "matroskademux" if args.clip.endswith(".mkv") else "qtdemux"
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( filesrc location={args.clip} ! {demuxer} ! valve name=valve "
        f"! rtph264pay pt=96 mtu=1200 config-interval=1 ! identity name=pay0 drop-probability={args.drop} )"
    )
    factory.set_shared(False)
    valves = []

    def configured(_factory: object, media: object) -> None:
        valves.append(media.get_element().get_by_name("valve"))

    factory.connect("media-configure", configured)
    server.get_mount_points().add_factory("/camera", factory)
    if server.attach(None) == 0:
        sys.exit("cannot listen")

    def commands() -> None:
        for line in sys.stdin:
            word = line.strip()
            if word in {"stall", "resume"}:
                for valve in valves:
                    valve.set_property("drop", word == "stall")
            elif word == "quit":
                break
        loop.quit()

    threading.Thread(target=commands, daemon=True).start()
    print(f"ready {server.get_bound_port()}", flush=True)  # noqa: T201 - the tests read it
    loop.run()


if __name__ == "__main__":
    main()
