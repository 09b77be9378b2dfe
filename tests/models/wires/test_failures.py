"""What goes wrong on a line, and what it means for the bill."""

from __future__ import annotations

import logging
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from reelwise.billed import may_be_billed
from reelwise.errors import (
    AmbiguousError,
    AnswerError,
    BusyError,
    EndpointError,
    InputError,
    NotSentError,
    RefusedError,
)
from reelwise.models.attempts import Attempts
from reelwise.models.keys import Key, scrubbed
from reelwise.models.limiter import Limiter
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.work import Text, Work
from reelwise.sandbox import server as serving
from reelwise.testing import sandbox

WORK = Work(model="gpt-4o", parts=(Text(text="hi"),))
PROVIDERS = ("openai", "google", "anthropic")


def asked(model="gpt-4o", words="hi", **more):
    return Work(model=model, parts=(Text(text=words),), **more)


def faulty(kind, share=1.0, **more):
    return sandbox({"faults": [{"kind": kind, "share": share, **more}], "day": "2026-11-28"})


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("kind", "error"), [("429", BusyError), ("500", BusyError), ("503", BusyError)])
def test_busy_is_tried_again_within_the_budget_and_not_billed(provider, kind, error, ends):
    with faulty(kind, retry_after=0.01) as box:
        attempts = Attempts(reserve=2)
        end, model = ends(box, attempts=attempts, sleep=lambda _: None)[provider]
        with pytest.raises(error) as caught:
            end.ask(asked(model))

    assert caught.value.attempts == 3
    assert attempts.retries == 2
    assert attempts.denied == 1
    assert not may_be_billed(caught.value, (), ())
    assert box.invoice.rows == ()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("kind", "billed"), [("lost_request", 0), ("lost_reply", 1), ("504", 1), ("cut_stream", 1)])
def test_what_may_have_been_accepted_is_not_sent_again(provider, kind, billed, ends):
    with faulty(kind) as box:
        attempts = Attempts(reserve=10)
        end, model = ends(box, attempts=attempts)[provider]
        with pytest.raises(AmbiguousError) as caught:
            end.ask(asked(model))

    assert caught.value.attempts in {0, 1}
    assert attempts.retries == 0
    assert may_be_billed(caught.value, (), ())
    assert len(box.invoice.rows) == billed
    assert all(not row.delivered for row in box.invoice.rows)


def test_a_lost_reply_is_asked_for_again_where_the_endpoint_knows_calls_by_their_id():
    scenario = {"faults": [{"kind": "lost_reply", "share": 1.0}], "idempotent": True}
    with sandbox(scenario) as box:
        end = OpenAIChat(f"{box.url}/v1", idempotent=True, sleep=lambda _: None)
        answer = end.ask(asked())

    assert answer.attempts == 2
    assert len(box.invoice.rows) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_is_nonsense_is_billed(provider, ends):
    with faulty("bad_json") as box:
        end, model = ends(box)[provider]
        with pytest.raises(AnswerError, match="no JSON") as caught:
            end.ask(asked(model))

    assert may_be_billed(caught.value, (), ())
    assert box.invoice.nano > 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_missing_usage_is_unpriced_loudly_and_never_zero(provider, ends):
    with faulty("no_usage") as box:
        end, model = ends(box)[provider]
        answer = end.ask(asked(model))

    assert "says nothing of its usage" in answer.used.unpriced
    assert answer.text
    assert box.invoice.nano > 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_refused_content_is_an_answer_that_is_billed(provider, ends):
    with faulty("refused") as box:
        end, model = ends(box)[provider]
        answer = end.ask(asked(model))

    assert answer.finish == "refused"
    assert answer.used.tokens_input == 1
    assert box.invoice.rows[0].status == "refused"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream_whose_line_breaks_is_billed_for_what_came(provider, ends):
    with sandbox({"faults": [{"kind": "cut_stream", "share": 1.0}], "output": {"tokens": 200, "spread": 0}}) as box:
        end, model = ends(box)[provider]
        with pytest.raises(AnswerError) as caught, end.stream(asked(model)) as stream:
            list(stream)
    spent, row = caught.value.spent, box.invoice.rows[0]

    assert not spent.complete
    assert abs(spent.tokens_output - row.output) <= 0.05 * row.output
    assert stream.answer.text


def test_slow_bytes_end_at_the_deadline(monkeypatch):
    sleep = (
        time.sleep
    )  # twenty pieces in ten seconds instead of half of one: a busy machine, too, sees some of them in time
    monkeypatch.setattr(serving, "time", SimpleNamespace(sleep=lambda seconds: sleep(20 * seconds)))
    with faulty("slow") as box, pytest.raises(AmbiguousError, match="no time left"):
        OpenAIChat(f"{box.url}/v1").ask(asked(timeout_seconds=2))


def test_nobody_there_is_not_billed():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        end = OpenAIChat(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", sleep=lambda _: None)
        with pytest.raises(NotSentError) as caught:
            end.ask(asked())

    assert not may_be_billed(caught.value, (), ())


def test_a_line_that_breaks_before_the_request_is_out_is_not_billed(tmp_path):
    from reelwise.models.work import Picture, source

    path = tmp_path / "large.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40_000_000))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            line, _ = server.accept()
            line.recv(1000)
            line.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        end = OpenAIChat(f"http://127.0.0.1:{server.getsockname()[1]}/v1", attempts=Attempts(0, 0))
        with pytest.raises(NotSentError, match="before the request was out"):
            end.ask(Work(model="gpt-4o", parts=(Picture(source=source(path)), Text(text="?"))))
        thread.join()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_key_and_a_model_that_is_gone_are_refused(provider, ends):
    with sandbox({"keys": ["right"]}) as box:
        end, model = ends(box)[provider]
        with pytest.raises(RefusedError) as caught:
            end.ask(asked(model))
        assert caught.value.reason == "key"
        assert not may_be_billed(caught.value, (), ())
    with sandbox() as box, pytest.raises(RefusedError) as caught:
        ends(box)[provider][0].ask(asked("nothing-9"))
    assert caught.value.reason == "model"
    assert caught.value.attempts == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_keys_are_in_no_error_no_log_and_no_receipt(provider, ends, caplog, capsys):
    from wsgiref.simple_server import make_server

    secrets = ("sk-test-0123456789abcdef", "AIzaTest0123456789abcdef", "sk-ant-0123456789")

    def echo(_, start):
        said = "wrong key " + " ".join(secrets) + " " + secrets[0][:12] + "***"
        start("401 No", [("Content-Type", "application/json")])
        return [b'{"error": {"message": "' + said.encode() + b'"}}']

    caplog.set_level(logging.DEBUG)
    with make_server("127.0.0.1", 0, echo) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()

        class Box:
            url = f"http://127.0.0.1:{server.server_port}"

        end, model = ends(Box)[provider]
        with pytest.raises(EndpointError) as caught:
            end.ask(asked(model))
        thread.join()
    shown = f"{caught.value} {caught.value!r} {caught.value.hint} {end!r} {vars(end)} {end.key!r} {caplog.text}"

    assert "[key]" in str(caught.value)
    assert not any(secret in shown or secret[:12] in shown for secret in secrets)
    capsys.readouterr()
    with sandbox() as box:
        end, model = ends(box)[provider]
        answer = end.ask(asked(model))
    assert not any(secret in repr(answer) for secret in secrets)


def test_a_key_is_named_by_its_variable(monkeypatch):
    with pytest.raises(InputError) as caught:
        Key("sk-proj-abcdef123456")
    assert "abcdef" not in str(caught.value)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(RefusedError, match="no key") as refused:
        OpenAIChat("http://127.0.0.1:9/v1").ask(asked())
    assert refused.value.reason == "key"
    with pytest.raises(InputError, match="in the clear"):
        OpenAIChat("http://models.example/v1")
    assert scrubbed("Bearer abcdefghij and abcdefg", "abcdefghij") == "Bearer [key] and [key]"


def test_retries_are_a_share_of_all_calls_whoever_makes_them():
    attempts = Attempts(share=0.1, reserve=3)
    allowed = 0
    for _ in range(1000):
        attempts.call()
        allowed += sum(attempts.retry() for _ in range(4))

    assert attempts.attempts <= 1.1 * attempts.calls
    assert allowed == attempts.retries == 100


def test_the_limiter_keeps_to_its_limits_and_waits_no_longer_than_it_may():
    now, slept = [0.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    limiter = Limiter(60, 1000, clock=lambda: now[0], sleep=sleep, burst=0.1)
    for _ in range(20):
        limiter.take(0, 60)
    assert now[0] == pytest.approx(14.0)
    limiter.take(100, 60)
    with pytest.raises(BusyError, match="its limit has room in"):
        limiter.take(100, 4)
    limiter.pause(30)
    with pytest.raises(BusyError) as caught:
        limiter.take(0, 5)
    assert caught.value.retry_seconds == pytest.approx(30)


def test_a_limiter_spares_us_the_429s():
    with sandbox({"limits": {"requests_minute": 600}}) as box:
        end = OpenAIChat(f"{box.url}/v1", limiter=Limiter(600, burst=0.02), attempts=Attempts(0, 0))
        for at in range(30):
            end.ask(asked(words=f"hi {at}"))

    assert len(box.invoice.rows) == 30


def test_fallbacks_share_the_budget_and_never_follow_an_ambiguous_call(ends):
    from reelwise.models.fallback import Fallback

    with faulty("500", retry_after=0.0) as broken, sandbox() as good:
        attempts = Attempts(share=0.1, reserve=1000)
        calm = {"attempts": attempts, "sleep": lambda _: None}
        chain = Fallback(
            [(ends(broken, **calm)["openai"][0], "gpt-4o"), (ends(good, **calm)["google"][0], "gemini-2.5-flash")],
            attempts,
        )
        answer = chain.ask(asked())
        assert answer.used.provider == "google"
        assert (attempts.calls, attempts.retries) == (1, 4)
    with faulty("500") as broken, sandbox() as good:
        attempts = Attempts(share=0.1, reserve=0)
        chain = Fallback(
            [(end, model) for end, model in (ends(box, attempts=attempts)["openai"] for box in (broken, good))],
            attempts,
        )
        for at in range(20):
            with pytest.raises(BusyError):
                chain.ask(asked(words=f"{at}"))
            if attempts.denied > 20:
                break
        assert attempts.attempts <= 1.1 * attempts.calls
    with faulty("lost_reply") as broken, sandbox() as good:
        attempts = Attempts(reserve=10)
        chain = Fallback(
            [(end, model) for end, model in (ends(box, attempts=attempts)["openai"] for box in (broken, good))],
            attempts,
        )
        with pytest.raises(AmbiguousError):
            chain.ask(asked())
        assert good.invoice.rows == ()
    with faulty("refused") as box, pytest.raises(InputError, match="cannot embed"):
        Fallback([(ends(box)["openai"][0], "gpt-4o")], Attempts()).embed(asked())
