"""Whatever comes in, the sandbox answers: bodies that are nearly right are refused with a status of their own, never a broken line."""

from __future__ import annotations

import base64
import copy
import http.client
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelwise.testing import png, sandbox

PICTURE = base64.b64encode(png(16, 16)).decode()
SCHEMA = {"type": "object", "properties": {"label": {"enum": ["a", "b"]}, "n": {"type": "integer", "minimum": 1}}}
BODIES = {
    "/v1/chat/completions": {
        "model": "gpt-4o", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}", "detail": "low"}}]}],
        "max_completion_tokens": 5, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}, "service_tier": "auto",
    },
    "/v1/responses": {"model": "gpt-4o", "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}], "text": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "/v1/embeddings": {"model": "text-embedding-3-small", "input": ["hi"], "dimensions": 4},
    "/v1/messages": {
        "model": "claude-haiku-4-5", "max_tokens": 5, "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}]}], "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    },
    "/v1/messages/batches": {"requests": [{"custom_id": "a", "params": {"model": "claude-haiku-4-5", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}}]},
    "/v1beta/models/gemini-2.5-flash:generateContent": {
        "contents": [{"role": "user", "parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png", "data": PICTURE}}]}],
        "generationConfig": {"maxOutputTokens": 5, "responseJsonSchema": SCHEMA, "mediaResolution": "MEDIA_RESOLUTION_LOW"}, "systemInstruction": {"parts": [{"text": "x"}]},
    },
    "/v1beta/models/gemini-2.5-flash:batchGenerateContent": {"batch": {"displayName": "x", "inputConfig": {"requests": {"requests": [{"request": {"contents": [{"parts": [{"text": "hi"}]}]}, "metadata": {"key": "1"}}]}}}},
    "/v1beta/cachedContents": {"model": "models/gemini-2.5-pro", "contents": [{"parts": [{"text": "x" * 5000}]}], "ttl": "60s"},
    "/v1/images:annotate": {"requests": [{"image": {"content": PICTURE}, "features": [{"type": "LABEL_DETECTION"}]}]},
    "/v1/videos": {"model": "sora-2", "prompt": "x", "seconds": "4", "size": "1280x720"},
}  # fmt: skip
WORDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
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


@pytest.fixture(scope="module")
def line():
    with sandbox({"output": {"tokens": 5}}) as box:
        found = http.client.HTTPConnection(box.url.rpartition("/")[2], timeout=20)
        yield found
        found.close()


@pytest.mark.parametrize("path", BODIES)
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_bodies_that_are_nearly_right(path, line, data):
    body = copy.deepcopy(BODIES[path])
    where = data.draw(st.sampled_from([one for one in places(body) if one]))
    value = data.draw(WORDS)
    target = body
    for key in where[:-1]:
        target = target[key]
    if data.draw(st.booleans()) and isinstance(target, dict):
        del target[where[-1]]
    else:
        target[where[-1]] = value
    line.request("POST", path, body=json.dumps(body))
    reply = line.getresponse()
    reply.read()

    assert reply.status == 200 or 400 <= reply.status < 500, body


@pytest.mark.parametrize("headers", [{"Content-Length": "many"}, {"Transfer-Encoding": "chunked"}])
def test_broken_heads(headers):
    with sandbox() as box:
        found = http.client.HTTPConnection(box.url.rpartition("/")[2], timeout=20)
        found.putrequest("POST", "/v1/messages")
        for name, value in headers.items():
            found.putheader(name, value)
        found.endheaders(b"zz\r\n")
        assert found.getresponse().status == 400
        found.close()
