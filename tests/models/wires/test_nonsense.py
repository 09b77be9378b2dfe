"""Whatever an endpoint answers, a call ends in an answer or in an error that says whether it is billed; never in anything else."""

from __future__ import annotations

import copy
import http.server
import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelwise.errors import EndpointError
from reelwise.models.anthropic import Anthropic
from reelwise.models.attempts import Attempts
from reelwise.models.gemini import Gemini
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.openai_responses import OpenAIResponses
from reelwise.models.work import Text, Work

CHAT = {"id": "a", "object": "chat.completion", "model": "gpt-4o", "service_tier": "default",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop", "logprobs": {"content": [{"logprob": -0.1}]}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 1}}}  # fmt: skip
MESSAGE = {"id": "a", "type": "message", "model": "claude-haiku-4-5", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn",
           "usage": {"input_tokens": 9, "output_tokens": 2, "cache_creation_input_tokens": 4, "cache_read_input_tokens": 1, "service_tier": "standard",
                     "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 0}}}  # fmt: skip
GENERATED = {"candidates": [{"content": {"parts": [{"text": "hi"}], "role": "model"}, "finishReason": "STOP", "avgLogprobs": -0.2}], "modelVersion": "gemini-2.5-flash", "responseId": "a",
             "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 11, "cachedContentTokenCount": 3,
                               "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}], "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 3}]}}  # fmt: skip
RESPONSE = {"id": "a", "model": "gpt-4o", "status": "completed", "service_tier": "flex", "incomplete_details": None,
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}],
            "usage": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 1}}}  # fmt: skip
CHUNKS = {
    "openai": [{"id": "a", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "hi"}}]}, {"id": "a", "choices": [], "usage": CHAT["usage"]}],
    "anthropic": [{"type": "message_start", "message": {**MESSAGE, "content": []}}, {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
                  {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}, {"type": "message_stop"}],
    "google": [GENERATED],
    "responses": [{"type": "response.output_text.delta", "delta": "hi"}, {"type": "response.completed", "response": RESPONSE}],
}  # fmt: skip
WHOLE = {"openai": CHAT, "anthropic": MESSAGE, "google": GENERATED, "responses": RESPONSE}
MODELS = {"openai": "gpt-4o", "anthropic": "claude-haiku-4-5", "google": "gemini-2.5-flash", "responses": "gpt-4o"}
WORDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**12),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([{}]),
)


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def mutated(data, value):
    value = copy.deepcopy(value)
    where = data.draw(st.sampled_from([one for one in places(value) if one]))
    target = value
    for key in where[:-1]:
        target = target[key]
    if data.draw(st.booleans()) and isinstance(target, dict):
        del target[where[-1]]
    else:
        target[where[-1]] = data.draw(WORDS)
    return value


class Server(http.server.ThreadingHTTPServer):
    body = b""
    stream = False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with Server(("127.0.0.1", 0), Handler) as found:
        found.daemon_threads = True
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def wires(server):
    url = f"http://127.0.0.1:{server.server_port}"
    calm = {"key": "", "attempts": Attempts(0.0, 0)}
    return {
        "openai": OpenAIChat(url, **calm),
        "anthropic": Anthropic(url, **calm),
        "google": Gemini(url, **calm),
        "responses": OpenAIResponses(url, **calm),
    }


def held_to(call):
    """An answer with non-negative counts, or an error of an endpoint."""
    try:
        used = call().used
    except EndpointError as wrong:
        error = wrong
    else:
        error = None
    if error is not None:
        assert error.billed
        return
    counts = [getattr(used, name) for name in used.__struct_fields__ if name.startswith("tokens_")]
    assert min(counts) >= 0
    assert used.unpriced or used.tokens_input + used.tokens_output >= 0


@pytest.mark.parametrize("wire", WHOLE)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_answers_that_are_nearly_right(wire, wires, server, data):
    server.body = json.dumps(mutated(data, WHOLE[wire])).encode()
    held_to(lambda: wires[wire].ask(Work(model=MODELS[wire], parts=(Text(text="?"),))))


@pytest.mark.parametrize("wire", CHUNKS)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_streams_that_are_nearly_right(wire, wires, server, data):
    chunks = copy.deepcopy(CHUNKS[wire])
    at = data.draw(st.integers(0, len(chunks) - 1))
    chunks[at] = mutated(data, chunks[at])
    end = [b"data: [DONE]\n\n"] if wire == "openai" else []
    server.body = b"".join([*(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks), *end])

    def streamed():
        with wires[wire].stream(Work(model=MODELS[wire], parts=(Text(text="?"),))) as stream:
            list(stream)
        return stream.answer

    held_to(streamed)


@pytest.mark.parametrize("wire", WHOLE)
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff\xfe", b"1" * 1000, b'{"error": {}}'])
def test_answers_that_are_no_answers(wire, body, wires, server):
    server.body = body
    work = Work(model=MODELS[wire], parts=(Text(text="?"),))
    if wire == "google" and body.startswith(b'{"error'):  # all of its fields may be missing: then its usage is unpriced
        assert wires[wire].ask(work).used.unpriced
        return
    with pytest.raises(EndpointError) as caught:
        wires[wire].ask(work)
    assert caught.value.billed
