"""Endpoints under load, on this machine: what is counted, from when latency counts, and whose limit it is."""

from __future__ import annotations

import socket
import time

import pytest

from reelwise.errors import EndpointError, InputError
from reelwise.models import load as driving
from reelwise.models.connection import Connection, endpoint_of
from reelwise.models.gauges import Gauges, read_metric
from reelwise.models.load import drive


@pytest.fixture
def closed_port():
    """A port that nobody listens on, and that nobody else gets meanwhile."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


def test_an_endpoint_that_keeps_up(server):
    found = drive(endpoint_of(f"{server}/fast"), [b"frame"], rate=40, seconds=1)

    assert (found.scheduled, found.answered, found.dropped, found.errors) == (40, 40, 0, {})
    assert (
        0 < found.frames_per_second.value <= 40 / 0.8 + 0.1
    )  # all of them in the part that counts, if they were held up before it
    assert found.frames_per_second.low <= found.frames_per_second.value <= found.frames_per_second.high
    # a busy machine may be late itself, and says so; else it kept up unless answers came after the end
    assert found.client_limit or found.kept_up or found.latency.latency_ms_max > 30


def test_several_frames_a_request(server):
    found = drive(endpoint_of(f"{server}/fast"), [b"frames"], rate=20, seconds=1, frames=8)

    assert 0 < found.frames_per_second.value <= 8 * 20 / 0.8 + 0.1
    assert found.frames_per_second.value * 0.8 % 8 == pytest.approx(0, abs=0.01)  # whole requests, in 0.8 s


def test_a_slow_answer_is_no_low_rate(server):
    """Open loop: at 40 a second, answers that take 100 ms overlap."""
    found = drive(endpoint_of(f"{server}/slow"), [b"frame"], rate=40, seconds=1)

    assert found.answered == 40
    assert found.in_flight_most >= 3
    assert found.service.latency_ms_p50 >= 100
    assert found.latency.latency_ms_p50 >= found.service.latency_ms_p50
    assert found.frames_per_second.value <= 40 / 0.8 + 0.1


def test_what_it_cannot_do_is_late_and_then_dropped(server):
    found = drive(endpoint_of(f"{server}/serial"), [b"frame"], rate=150, seconds=2, timeout=0.5, in_flight=4)

    assert not found.kept_up
    assert found.dropped > 50  # it answers 50 a second, or fewer: of 300, 125 at most
    assert found.answered + found.dropped + sum(found.errors.values()) == found.scheduled == 300
    assert found.frames_per_second.value < 60
    assert found.in_flight_most == 4


def test_latency_counts_from_when_a_request_was_due(server):
    """A stall of a second delays all requests that were due in it, not just the one that hit it."""
    found = drive(endpoint_of(f"{server}/stall"), [b"frame"], rate=50, seconds=3, in_flight=2)

    assert found.answered == 150
    assert found.latency.latency_ms_p95 > 500  # the 50 requests of that second waited half a second on average
    assert found.latency.latency_ms_max > 900
    assert found.service.latency_ms_p95 < 500  # a closed loop would have seen two slow answers


def test_failures_are_counted_by_what_went_wrong(server):
    found = drive(endpoint_of(f"{server}/some"), [b"frame"], rate=40, seconds=1)

    assert found.errors == {"HTTP 503": 10}
    assert found.answered == 30
    assert not found.kept_up


def test_it_stops_where_everything_fails(server):
    began = time.perf_counter()
    with pytest.raises(EndpointError, match="first 20 requests all failed: HTTP 404"):
        drive(endpoint_of(f"{server}/nowhere"), [b"frame"], rate=100, seconds=300)

    assert time.perf_counter() - began < 120


def test_a_client_that_cannot_keep_its_schedule_is_noticed(server, monkeypatch):
    sleep = time.sleep

    class SlowClock:
        perf_counter, process_time = staticmethod(time.perf_counter), staticmethod(time.process_time)

        @staticmethod
        def sleep(seconds):
            sleep(seconds + 0.05)

    monkeypatch.setattr(driving, "time", SlowClock)
    found = drive(endpoint_of(f"{server}/fast"), [b"frame"], rate=40, seconds=1)

    assert "late with its own schedule" in found.client_limit
    assert not found.kept_up


def test_a_client_that_is_busy_itself_is_noticed(server, monkeypatch):
    busy = iter((0.0, 100.0))
    monkeypatch.setattr(time, "process_time", lambda: next(busy))
    found = drive(endpoint_of(f"{server}/fast"), [b"frame"], rate=20, seconds=0.5)

    assert "busy" in found.client_limit or "late" in found.client_limit
    assert not found.kept_up


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0},
        {"rate": 1e6},
        {"rate": 1000, "seconds": 3600},
        {"rate": 1, "timeout": 0},
        {"rate": 1, "in_flight": 5000},
    ],
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        drive(endpoint_of("http://127.0.0.1:9/"), [b""], **wrong)


# one request


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("key", "HTTP 401: who are you?"),
        ("moved", "HTTP 301"),
        ("missing", "HTTP 404: no such path"),
        ("drip", "no answer in time"),
        ("cut", "closed the connection"),
        ("nonsense", "BadStatusLine"),
    ],
)
def test_a_first_request_that_fails_says_why(server, path, says):
    connection = Connection(endpoint_of(f"{server}/{path}"))
    with pytest.raises(EndpointError, match=says) as caught:
        connection.first(b"frame", 0.5 if path == "drip" else 60)

    assert caught.value.hint
    assert caught.value.exit_code == 4


def test_nobody_listens(closed_port):
    with pytest.raises(EndpointError, match="Connection refused") as caught:
        Connection(endpoint_of(f"http://127.0.0.1:{closed_port}/")).first(b"", 60)

    assert "does it run" in caught.value.hint


def test_a_name_that_nobody_knows(monkeypatch):
    def nobody(*_given, **_named):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(
        socket, "getaddrinfo", nobody
    )  # a name server that is slow, or not there, is not what this is about
    with pytest.raises(EndpointError, match="no address is known"):
        Connection(endpoint_of("http://no-such-host.invalid/")).first(b"", 5)


def test_headers_are_sent_and_connections_kept(server):
    connection = Connection(endpoint_of(f"{server}/key", {"X-Key": "secret"}))

    assert [connection.send(b"frame", 60).status for _ in range(3)] == [200, 200, 200]
    connection.close()
    connection = Connection(endpoint_of(f"{server}/chunked"))
    assert connection.send(b"", 60).body == b"mask"
    connection.close()


@pytest.mark.parametrize(
    "url",
    ["ftp://here/", "http://", "http://a:b@here/", "http://here:99999/", "nonsense", "http://he re/", "http://[::1/"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InputError):
        endpoint_of(url)


@pytest.mark.parametrize("header", [("", "x"), ("A:B", "x"), ("A", "x\r\nB: y"), ("Ä", "x")])
def test_what_is_no_header_is_refused(header):
    with pytest.raises(InputError):
        endpoint_of("http://127.0.0.1/", dict([header]))


def test_an_address_is_written_down_without_its_query():
    endpoint = endpoint_of("http://127.0.0.1:8/run?key=secret")

    assert endpoint.url == "http://127.0.0.1:8/run"
    assert endpoint.path == "/run?key=secret"
    assert endpoint.is_here


# gauges


def test_gauges_are_read_from_a_page(server):
    gauges = Gauges(nvidia=False, metrics=endpoint_of(f"{server}/metrics", method="GET"), metric="gpu_util")
    found = drive(endpoint_of(f"{server}/fast"), [b"frame"], rate=20, seconds=1, gauges=gauges)

    assert [(one.name, one.largest) for one in found.gauges] == [("gpu_util", 63.5)]
    assert found.notes == ()


def test_a_gauge_that_is_not_there_is_said_once(server):
    gauges = Gauges(nvidia=False, metrics=endpoint_of(f"{server}/metrics", method="GET"), metric="cpu_util")
    found = drive(endpoint_of(f"{server}/fast"), [b"frame"], rate=20, seconds=1, gauges=gauges)

    assert found.gauges == ()
    assert found.notes == ("the metrics page: no gauge cpu_util",)


def test_nvidia_smi_is_read_where_there_is_one(tmp_path, monkeypatch, until):
    monkeypatch.setattr("reelwise.models.gauges._ASK_SECONDS", 60.0)
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho '40, 1000'\necho '70, 500'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    gauges = Gauges(nvidia=True)
    gauges.start()
    until(lambda: len(gauges._seen) == 2)

    assert {one.name: one.largest for one in gauges.stop()} == {
        "gpu_utilisation_percent": 70,
        "gpu_memory_megabytes": 1500,
    }
    command.write_text("#!/bin/sh\necho broken\n")
    gauges = Gauges(nvidia=True)
    gauges.start()
    until(lambda: gauges.notes)
    assert gauges.stop() == ()
    assert gauges.notes == ["nvidia-smi says nothing"]


@pytest.mark.parametrize(
    ("page", "value"),
    [('a 1\na{x="y"} 3\nab 9\n', 3), ("", None), ("a NaN\n", None), ("a\n", None), ("a one\na 2 170\n", 2)],
)
def test_a_metrics_page(page, value):
    assert read_metric(page, "a") == value
