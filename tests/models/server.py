"""A small endpoint of the tests' own, on this machine, in a process of its own: each path behaves in its way."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ONE = threading.Lock()
COUNT = {"stall": 0, "some": 0, "turn": 0}
MANY = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = self.path.partition("?")[0].strip("/")
        getattr(self, f"on_{name}", self.on_missing)()

    do_GET = do_POST  # noqa: N815 - as the server calls it

    def say(self, status=200, body=b"{}", headers=()):
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def on_fast(self):
        self.say()

    def on_slow(self):
        time.sleep(0.1)
        self.say()

    def on_serial(self):
        """50 a second at most: one request at a time, 20 ms each."""
        with ONE:
            time.sleep(0.02)
        self.say()

    def on_stall(self):
        """Answers at once, but for one second of standing still, in which nobody is answered."""
        with MANY:
            COUNT["stall"] += 1
            if COUNT["stall"] == 40:
                time.sleep(1)
        self.say()

    def on_some(self):
        """Fails every fourth request."""
        with MANY:
            COUNT["some"] += 1
            bad = COUNT["some"] % 4 == 0
        self.say(503 if bad else 200)

    def on_turn(self):
        """Answers the first two requests and refuses all others."""
        with MANY:
            COUNT["turn"] += 1
            good = COUNT["turn"] <= 2
        self.say(200 if good else 500)

    def on_key(self):
        self.say(200 if self.headers.get("X-Key") == "secret" else 401, b"who are you?")

    def on_moved(self):
        self.say(301, b"", [("Location", "/fast")])

    def on_drip(self):
        """Never comes to an end."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b".")
            time.sleep(0.05)

    def on_cut(self):
        self.close_connection = True

    def on_nonsense(self):
        self.wfile.write(b"\x00\x01 nonsense\r\n\r\n")
        self.close_connection = True

    def on_chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"4\r\nmask\r\n0\r\n\r\n")

    def on_metrics(self):
        self.say(
            200, b'# HELP gpu busy\ngpu_util{gpu="0",model="a b"} 41\ngpu_util{gpu="1"} 63.5 1700000000\nother 3\n'
        )

    def on_missing(self):
        self.say(404, b"no such path")

    def log_message(self, *_):
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *_):
        """Connections that the other side closed are expected."""


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)  # noqa: T201 - the test reads it
    server.serve_forever()
