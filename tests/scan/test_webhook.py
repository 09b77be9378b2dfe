"""The webhook: what it takes, what it refuses, what it bounds; joined with a live scan."""

from __future__ import annotations

import http.client
import json
import math
import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from reelwise.errors import InputError
from reelwise.scan.feeds import GrowingFile
from reelwise.scan.live import LiveScan
from reelwise.scan.sources import Listening
from reelwise.scan.webhook import Webhook, parse_event

NOW = 1_800_000_000.0


def iso(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@pytest.mark.parametrize(
    ("event", "span"),
    [
        ({"start": NOW - 5, "stop": NOW}, (NOW - 5, NOW)),
        ({"start": iso(NOW - 5), "duration": 2.5}, (NOW - 5, NOW - 2.5)),
        ({"start": "2027-01-15T09:00:00+01:00", "duration": 1}, (NOW, NOW + 1)),
        ({"start": "now"}, (NOW, None)),
        ({"stop": "now", "id": "door"}, (None, NOW)),
    ],
)
def test_events_that_are_taken(event, span):
    assert parse_event(json.dumps(event).encode(), NOW) == span


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"3", b"{}", b'{"start": "noon"}', b'{"start": "2027-01-15T08:00:00"}', b'{"start": true}',
        b'{"start": 5}', b'{"start": "now", "duration": -1}', b'{"start": "now", "duration": "2"}', b'{"duration": 3}',
        b'{"start": "now", "stop": "now"}', b'{"start": "now", "colour": 1}', b'{"start": NaN}', b'{"start": 1e999}',
        b'{"stop": "now", "duration": 2}', b'{"start": "now", "duration": Infinity}', b"[" * 100_000,
        json.dumps({"start": NOW + 3_600}).encode(), json.dumps({"start": NOW - 9e5}).encode(), b"\xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_event(body):
    with pytest.raises(InputError):
        parse_event(body, NOW)


@pytest.fixture
def hook():
    hook = Webhook("127.0.0.1", 0, token="open sesame")  # noqa: S106 - a test's
    yield hook
    hook.close()


def post(hook, body, path="/event", method="POST", **headers):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    sent = {"Content-Type": "application/json", "Authorization": "Bearer open sesame", **headers}
    connection = http.client.HTTPConnection(hook.host, hook.port, timeout=60)
    try:
        connection.request(method, path, body, {key.replace("_", "-"): value for key, value in sent.items() if value})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_events_arrive(hook):
    now = time.time()
    assert post(hook, {"start": now - 3, "stop": now - 1})[0] == 202
    assert post(hook, {"start": now - 1}, path="/")[0] == 202
    first = hook.take(now)
    assert first == [(now - 3, now - 1), (now - 1, math.inf)]
    assert post(hook, {"stop": now})[0] == 202
    assert hook.take(now) == [(now - 1, now)]
    assert hook.take(now) == []
    assert post(hook, {"start": now})[0] == 202
    assert hook.take(now) == [(now, math.inf)]
    assert hook.take(now + 601) == [(now, now + 600)]  # never ended


def test_what_is_refused(hook):
    event = {"start": "now", "duration": 1}
    assert post(hook, event, Authorization="Bearer open")[0] == 401
    assert post(hook, event, Authorization="")[0] == 401
    assert post(hook, event, path="/etc/passwd")[0] == 404
    assert post(hook, event, Content_Type="text/plain")[0] == 415
    assert post(hook, b"x" * 20_000)[0] == 413
    assert post(hook, event, method="GET")[0] == 501
    status, text = post(hook, {"start": "noon"})
    assert status == 400
    assert "ISO 8601" in text
    for length in ("-1", "1e3", "9" * 30):
        assert post(hook, b"", Content_Length=length)[0] in {411, 413}
    assert hook.take(time.time()) == []


def test_the_queue_is_bounded(hook):
    for _ in range(1_000):
        hook.put(1.0, 2.0)
    assert post(hook, {"start": "now", "duration": 1})[0] == 503
    assert hook.refused == 1
    assert len(hook.take(time.time())) == 1_000


def test_a_client_that_says_nothing_holds_nothing_up(hook):
    idle = [socket.create_connection((hook.host, hook.port)) for _ in range(5)]
    try:
        assert post(hook, {"start": "now", "duration": 1})[0] == 202
        flood = [socket.create_connection((hook.host, hook.port)) for _ in range(12)]
        for one in flood:
            one.close()
        # those that were over the limit are hung up on; the first ones are cut off after five seconds
        idle[0].settimeout(60)
        assert idle[0].recv(10) == b""
    finally:
        for one in idle:
            one.close()


def test_it_listens_on_this_machine_unless_there_is_a_secret():
    for host, token in (("0.0.0.0", ""), ("::", ""), ("example.org", ""), ("127.0.0.1", "short")):  # noqa: S104 - refused
        with pytest.raises(InputError):
            Webhook(host, 0, token=token)
    first = Webhook()
    try:
        with pytest.raises(InputError, match="cannot listen"):
            Webhook(first.host, 70_000)
    finally:
        first.close()


def test_a_live_scan_joins_what_the_webhook_takes(tmp_path, encode, until):
    clip = encode(tmp_path / "a.mkv", 12, gop=10, events=((4.0, 6.0),))
    hook = Webhook()
    scan = LiveScan(GrowingFile(clip, idle_seconds=4), listening=Listening(webhook=hook), warm_up_seconds=2)
    answers = []

    def door():
        # the file is read faster than it was recorded: its last picture, of second 12, came about now
        until(lambda: scan.receipt().seconds >= 12)
        now = time.time()
        answers.append(post(hook, {"start": now - 4.5, "stop": now - 3.0}, Authorization=""))

    caller = threading.Thread(target=door)
    caller.start()
    for _ in scan.run():
        pass
    caller.join()
    assert answers[0][0] == 202
    receipt = scan.receipt()
    assert [one.by[-1] for one in receipt.events] == ["luma", "webhook"]
    assert receipt.events[1].start_seconds == pytest.approx(8.4, abs=1.0)
    assert receipt.events[1].stop_seconds - receipt.events[1].start_seconds == pytest.approx(1.5, abs=0.1)
    with pytest.raises(OSError, match=r"refused|reset"):
        socket.create_connection((hook.host, hook.port), timeout=2)
