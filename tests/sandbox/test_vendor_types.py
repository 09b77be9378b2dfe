"""Every answer of the sandbox is read by the vendors' own types, strictly: their clients build objects without checking them."""

from __future__ import annotations

import base64
import http.client
import json

import pytest

from reelwise.testing import png, sandbox

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")
genai = pytest.importorskip("google.genai")

PICTURE = base64.b64encode(png(64, 64)).decode()
CONTENT = [
    {"type": "text", "text": "hi there"},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
]
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": CONTENT}]}
MESSAGE = {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "hi there"}]}
INPUT = {"model": "gpt-4o", "input": "hi there"}
PARTS = [{"text": "hi there"}, {"inlineData": {"mimeType": "image/png", "data": PICTURE}}]
GENERATE = {"contents": [{"role": "user", "parts": PARTS}]}


@pytest.fixture
def box():
    with sandbox({"day": "2026-11-28", "output": {"tokens": 20, "reasoning": 5}}) as found:
        yield found


def call(box, method, path, body=None, headers=None):
    line = http.client.HTTPConnection(box.url.rpartition("/")[2])
    line.request(method, path, body=None if body is None else json.dumps(body), headers=headers or {})
    reply = line.getresponse()
    data = reply.read()
    line.close()
    return reply.status, data


def answered(box, method, path, body=None, headers=None):
    status, data = call(box, method, path, body, headers)
    assert status == 200, data
    return json.loads(data)


def streamed(box, path, body):
    status, data = call(box, "POST", path, body)
    assert status == 200
    lines = [line[6:] for line in data.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def fits(kind, value):
    """Read a value as a vendor's model, and refuse fields that it does not know."""
    found = kind.model_validate(value)
    assert found.model_extra in (None, {}), kind
    return found


@pytest.mark.parametrize("more", [{}, {"logprobs": True}, {"service_tier": "priority"}, {"max_completion_tokens": 3}])
def test_chats(box, more):
    types = openai.types.chat
    fits(types.ChatCompletion, answered(box, "POST", "/v1/chat/completions", {**CHAT, **more}))
    chunks = streamed(
        box, "/v1/chat/completions", {**CHAT, **more, "stream": True, "stream_options": {"include_usage": True}}
    )
    assert [fits(types.ChatCompletionChunk, one) for one in chunks][
        -1
    ].usage.completion_tokens_details.reasoning_tokens >= 1


def test_responses(box):
    types = openai.types.responses
    fits(types.Response, answered(box, "POST", "/v1/responses", INPUT))
    kinds = {
        "response.created": types.ResponseCreatedEvent,
        "response.output_item.added": types.ResponseOutputItemAddedEvent,
        "response.content_part.added": types.ResponseContentPartAddedEvent,
        "response.output_text.delta": types.ResponseTextDeltaEvent,
        "response.output_text.done": types.ResponseTextDoneEvent,
        "response.completed": types.ResponseCompletedEvent,
    }
    found = streamed(box, "/v1/responses", {**INPUT, "stream": True})
    for one in found:
        fits(kinds[one["type"]], one)
    assert {one["type"] for one in found} == set(kinds)


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_files_batches_videos_and_vectors(box):
    types = openai.types
    rows = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": CHAT})
    form = f'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{rows}\r\n--x--\r\n'  # fmt: skip
    line = http.client.HTTPConnection(box.url.rpartition("/")[2])
    line.request("POST", "/v1/files", body=form, headers={"Content-Type": "multipart/form-data; boundary=x"})
    file = fits(types.FileObject, json.loads(line.getresponse().read()))
    line.close()
    batch = {
        "input_file_id": file.id,
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"a": "b"},
    }
    made = fits(types.Batch, answered(box, "POST", "/v1/batches", batch))
    video = fits(
        types.Video,
        answered(box, "POST", "/v1/videos", {"prompt": "a cat", "model": "sora-2", "seconds": "4", "size": "1280x720"}),
    )
    box.desk.clock.ahead(61)
    fits(types.Batch, answered(box, "GET", f"/v1/batches/{made.id}"))
    fits(types.Video, answered(box, "GET", f"/v1/videos/{video.id}"))
    fits(
        types.CreateEmbeddingResponse,
        answered(box, "POST", "/v1/embeddings", {"model": "text-embedding-3-small", "input": "a"}),
    )


def test_messages_and_their_batches(box):
    types = anthropic.types
    fits(types.Message, answered(box, "POST", "/v1/messages", MESSAGE))
    kinds = {
        "message_start": types.RawMessageStartEvent,
        "content_block_start": types.RawContentBlockStartEvent,
        "content_block_delta": types.RawContentBlockDeltaEvent,
        "content_block_stop": types.RawContentBlockStopEvent,
        "message_delta": types.RawMessageDeltaEvent,
        "message_stop": types.RawMessageStopEvent,
    }
    for one in streamed(box, "/v1/messages", {**MESSAGE, "stream": True}):
        kinds[one["type"]].model_validate(one)
    fits(
        types.MessageTokensCount,
        answered(box, "POST", "/v1/messages/count_tokens", {k: v for k, v in MESSAGE.items() if k != "max_tokens"}),
    )
    batch = {
        "requests": [
            {"custom_id": "a", "params": MESSAGE},
            {"custom_id": "b", "params": {**MESSAGE, "model": "claude-9"}},
        ]
    }
    made = fits(types.messages.MessageBatch, answered(box, "POST", "/v1/messages/batches", batch))
    box.desk.clock.ahead(61)
    fits(types.messages.MessageBatch, answered(box, "GET", f"/v1/messages/batches/{made.id}"))
    _, lines = call(box, "GET", f"/v1/messages/batches/{made.id}/results")
    results = [fits(types.messages.MessageBatchIndividualResponse, json.loads(line)) for line in lines.splitlines()]
    assert {one.result.type for one in results} == {"succeeded", "errored"}


def test_generated_content(box):
    types = genai.types
    google = {"x-goog-api-key": "any"}
    whole = answered(box, "POST", "/v1beta/models/gemini-2.5-flash:generateContent", GENERATE, google)
    found = types.GenerateContentResponse.model_validate(whole)  # forbids fields that it does not know
    assert found.usage_metadata.thoughts_token_count >= 1
    for one in streamed(box, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", GENERATE):
        types.GenerateContentResponse.model_validate(one)
    kept = {
        "model": "models/gemini-2.5-pro",
        "contents": [{"role": "user", "parts": [{"text": "x" * 10_000}]}],
        "ttl": "60s",
    }
    types.CachedContent.model_validate(answered(box, "POST", "/v1beta/cachedContents", kept, google))


def test_generated_video_and_its_operations(box):
    from google.genai import _operations_converters as converters

    place = "projects/p/locations/here/publishers/google/models"
    body = {"instances": [{"prompt": "a cat"}], "parameters": {"durationSeconds": 4, "resolution": "720p"}}
    model = f"/v1beta1/{place}/veo-3.1-fast-generate-001"
    made = answered(box, "POST", f"{model}:predictLongRunning", body)
    ask = {"operationName": made["name"]}
    looked = [made, answered(box, "POST", f"{model}:fetchPredictOperation", ask)]
    box.desk.clock.ahead(61)
    looked.append(answered(box, "POST", f"{model}:fetchPredictOperation", ask))
    read = [
        genai.types.GenerateVideosOperation.model_validate(converters._GenerateVideosOperation_from_vertex(one))
        for one in looked
    ]

    assert [one.done for one in read] == [None, None, True]
    assert read[-1].response.generated_videos[0].video.video_bytes[4:8] == b"ftyp"
    status, error = call(box, "POST", f"/v1/{place}/veo-9:predictLongRunning", body)
    assert status == 404
    assert set(json.loads(error)["error"]) == {"code", "message", "status"}


@pytest.mark.parametrize(("path", "body", "headers"), [
    ("/v1/chat/completions", {**CHAT, "model": "gpt-9"}, {}),
    ("/v1/messages", {**MESSAGE, "model": "claude-9"}, {}),
    ("/v1beta/models/gemini-9:generateContent", GENERATE, {"x-goog-api-key": "any"}),
])  # fmt: skip
def test_refusals_have_their_vendor_s_shape(box, path, body, headers):
    status, data = call(box, "POST", path, body, headers)
    error = json.loads(data)
    assert status == 404
    if path == "/v1/messages":
        fits(anthropic.types.ErrorResponse, error)
    elif "gemini" in path:
        assert set(error["error"]) == {"code", "message", "status"}
    else:
        fits(openai.types.shared.ErrorObject, error["error"])
        assert set(error["error"]) == {"message", "type", "param", "code"}
