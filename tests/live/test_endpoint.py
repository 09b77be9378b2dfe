"""A model behind HTTP, on a server of our own: answers, errors, silence, nonsense."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time as system_time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from reelwise.billed import may_be_billed
from reelwise.errors import EndpointError, InputError, RefusedError, UnreachableError
from reelwise.live import Adaptive, Limits
from reelwise.live.endpoint import HttpModel
from reelwise.live.masks import iou

from .conftest import blob, mask_of, rising


def png(mask):
    return cv2.imencode(".png", (mask * 255).astype(np.uint8))[1].tobytes()


class Server:
    """Answers as it is told: `answer` is (status, media type, body) or a function of the frame; it counts requests."""

    def __init__(self):
        self.requests, self.seen, self.headers, self.hung_up = 0, [], [], 0
        self.answer = lambda frame: (200, "image/png", png(mask_of(frame)))
        self.hang = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self):
                server.requests += 1
                data = self.rfile.read(int(self.headers["Content-Length"]))
                server.headers.append(dict(self.headers))
                frame = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
                server.seen.append(frame.shape)
                answer = server.answer(frame) if callable(server.answer) else server.answer
                if answer is None:
                    server.hang.wait(60)
                    self.close_connection = True
                    return
                status, media, body = answer
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Http(ThreadingHTTPServer):
            def shutdown_request(self, request):
                super().shutdown_request(request)
                server.hung_up += 1

        self.http = Http(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/segment"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.hang.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(5)


@pytest.fixture
def server():
    one = Server()
    yield one
    one.close()


@pytest.fixture
def model(server):
    one = HttpModel(server.url, timeout_seconds=30.0, headers={"Authorization": "Bearer secret"})
    yield one
    one.close()


def test_a_png_comes_back(server, model):
    assert iou(model(blob(3)), mask_of(blob(3))) > 0.95
    model(blob(4))
    assert server.requests == 2
    assert server.headers[0]["Authorization"] == "Bearer secret"
    assert server.headers[0]["Content-Type"] == "image/jpeg"
    assert server.seen[0] == (72, 128, 3)
    assert model.name == server.url
    assert "secret" not in model.name


@pytest.mark.parametrize(
    "body",
    [
        {"mask": mask_of(blob(0)).tolist()},
        {"mask": base64.b64encode(png(mask_of(blob(0)))).decode()},
    ],
)
def test_json_comes_back(server, model, body):
    server.answer = (200, "application/json", json.dumps(body).encode())
    found = np.asarray(model(blob(0)), np.float32)
    assert iou(found / max(1.0, float(found.max())), mask_of(blob(0))) > 0.99


def test_an_alpha_channel_is_the_mask(server, model):
    picture = np.zeros((36, 64, 4), np.uint8)
    picture[..., 3] = mask_of(blob(0)) * 255
    server.answer = (200, "image/png", cv2.imencode(".png", picture)[1].tobytes())
    assert np.array_equal(model(blob(0)), mask_of(blob(0)))


def test_a_picture_that_is_nearly_black_is_a_mask_of_nearly_nothing(server, model):
    """Its largest value is 1 of 255: taken for 0..1 it would show the room."""
    server.answer = (200, "image/png", cv2.imencode(".png", np.eye(36, 64, dtype=np.uint8))[1].tobytes())
    assert model(blob(0)).max() < 0.01


def test_frames_are_scaled_down_before_they_are_sent(server):
    small = HttpModel(server.url, long_side=32)
    small(blob(0))
    small.close()
    assert server.seen == [(18, 32, 3)]


@pytest.mark.parametrize("status", [301, 400, 401, 429, 500, 503])
def test_a_refusal_says_its_status_and_is_billed_only_where_it_may_be(server, model, status):
    server.answer = (status, "text/plain", b"quota is used up\nmore")
    with pytest.raises(EndpointError, match=f"{status}: quota is used up") as caught:
        model(blob(0))
    assert caught.value.status == status
    assert caught.value.exit_code == 4
    assert isinstance(caught.value, RefusedError) is (400 <= status < 500)
    assert may_be_billed(caught.value, (), (UnreachableError,)) is not (400 <= status < 500)
    assert server.requests == 1  # nothing is sent a second time


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("image/png", b"no picture"),
        ("image/png", b""),
        ("text/html", b"<html>hello</html>"),
        ("application/json", b"{}"),
        ("application/json", b"[1, 2"),
        ("application/json", b'{"mask": {"a": 1}}'),
        ("application/json", b'{"mask": [[0, 1], [0]]}'),
        ("application/json", b'{"mask": "%%%"}'),
        ("application/json", b'{"mask": "aGVsbG8="}'),
        ("application/json", b"\xff\xfe"),
        ("application/json", b"[" * 100_000),
    ],
)
def test_nonsense_is_an_error(server, model, media, body):
    server.answer = (200, media, body)
    with pytest.raises(EndpointError, match="answered"):
        model(blob(0))


def test_no_answer_in_time(server):
    slow = HttpModel(server.url, timeout_seconds=0.2)
    server.answer = None
    began = system_time.monotonic()
    with pytest.raises(EndpointError, match="no answer in time"):
        slow(blob(0))
    assert system_time.monotonic() - began < 30  # the server hangs for a minute
    slow.close()


def test_an_answer_that_drips_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stop = threading.Event()

        def drip():
            with listening.accept()[0] as peer:
                peer.recv(65_536)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not stop.wait(0.05):
                    try:
                        peer.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        model = HttpModel(f"http://127.0.0.1:{listening.getsockname()[1]}/", timeout_seconds=0.4)
        began = system_time.monotonic()
        with pytest.raises(EndpointError):
            model(blob(0))
        assert system_time.monotonic() - began < 30  # at twenty bytes a second it would be 50
        stop.set()
        thread.join(5)
        model.close()


def test_unreachable_is_not_billed():
    with socket.socket() as taken:  # nobody else gets its port meanwhile, and it does not listen
        taken.bind(("127.0.0.1", 0))
        model = HttpModel(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(UnreachableError, match="cannot be reached") as caught:
            model(blob(0))
    assert not may_be_billed(caught.value, (), (UnreachableError,))


def test_a_server_that_closes_kept_connections_costs_no_failure(server, model, until):
    model(blob(0))
    before, server.http.RequestHandlerClass.protocol_version = (
        server.http.RequestHandlerClass.protocol_version,
        "HTTP/1.0",
    )
    model(blob(0))  # this one is closed after its answer
    until(lambda: server.hung_up == 1)
    model(blob(0))
    server.http.RequestHandlerClass.protocol_version = before
    assert server.requests == 3


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "http://u:p@host/", "not an address", "http://host:99999/"])
def test_no_address(url):
    with pytest.raises(InputError):
        HttpModel(url)


def test_no_such_size():
    with pytest.raises(InputError, match="long side"):
        HttpModel("http://host/", long_side=5)


# through the loop


def test_an_endpoint_that_is_down_is_basic_mode_and_comes_back(server):
    limits = Limits(wait_seconds=None, probe_seconds=0.5, probe_seconds_max=1.0)
    model = HttpModel(server.url, timeout_seconds=30.0)
    adaptive = Adaptive(model, usd_per_call="0.001", carrier=rising(100), limits=limits)
    good = server.answer
    frames = 0

    def play(seconds):
        nonlocal frames
        answer = None
        for _ in range(int(seconds * 10)):
            answer = adaptive.look(blob(0), frames / 10)
            frames += 1
        return answer

    assert play(1).kind == "inferred"
    server.answer = (500, "text/plain", b"down")
    before = server.requests
    play(20)
    assert server.requests - before < 30
    assert adaptive.mode == "basic"
    server.answer = good
    assert play(5).kind == "inferred"
    receipt = adaptive.close()
    model.close()
    assert [one.new for one in receipt.mode_changes] == ["basic", "full"]
    assert "HTTP 500: down" in receipt.mode_changes[0].reason
    assert receipt.cost_nano == receipt.inferences * 10**6  # a 500 may have been billed


def test_an_endpoint_that_is_not_there_costs_nothing(server):
    model = HttpModel(server.url, timeout_seconds=30.0)
    server.close()
    adaptive = Adaptive(model, usd_per_call="0.001", carrier=rising(100), limits=Limits(wait_seconds=None))
    for index in range(100):
        adaptive.look(blob(0), index / 10)
    receipt = adaptive.close()
    model.close()
    assert receipt.cost_nano == 0
    assert receipt.failures["raised"] <= 8
    assert receipt.frames_blank == 100
