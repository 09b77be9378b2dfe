"""The vendors' own client packages against the sandbox, unchanged."""

from __future__ import annotations

import base64

import pytest

from reelwise.testing import png, sandbox

openai = pytest.importorskip("openai")
pydantic = pytest.importorskip("pydantic")
anthropic = pytest.importorskip("anthropic")
genai = pytest.importorskip("google.genai")

PICTURE = base64.b64encode(png(1280, 720)).decode()
SHOWN = [
    {"type": "text", "text": "hi there"},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
]


@pytest.fixture
def box():
    with sandbox({"seed": 1, "day": "2026-11-28"}) as found:
        yield found


@pytest.fixture
def chatgpt(box):
    with openai.OpenAI(base_url=f"{box.url}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(box):
    with anthropic.Anthropic(base_url=box.url, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def gemini(box):
    with genai.Client(api_key="any", http_options=genai.types.HttpOptions(base_url=box.url)) as client:
        yield client


def test_openai_chats_whole_and_streamed(chatgpt, box):
    whole = chatgpt.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": SHOWN}])
    chunks = list(
        chatgpt.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": SHOWN}], stream=True, stream_options={"include_usage": True}
        )
    )  # fmt: skip

    assert whole.usage.prompt_tokens == 1105 + 2
    assert whole.service_tier == "default"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len(box.invoice.rows) == 2


def test_openai_errors_are_its_own(chatgpt):
    with pytest.raises(openai.NotFoundError) as gone:
        chatgpt.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "hi"}])
    assert gone.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        chatgpt.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}]
        )  # fmt: skip


def test_anthropic_messages_whole_streamed_and_counted(claude, box):
    content = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}},
        {"type": "text", "text": "hi there"},
    ]
    asked = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": content}]}
    whole = claude.messages.create(max_tokens=500, **asked)
    with claude.messages.stream(max_tokens=500, **asked) as stream:
        text = "".join(stream.text_stream)
        last = stream.get_final_message()

    assert whole.usage.input_tokens == 1196 + 2 == claude.messages.count_tokens(**asked).input_tokens
    assert text == whole.content[0].text
    assert last.usage.output_tokens == whole.usage.output_tokens
    assert len(box.invoice.rows) == 2


def test_anthropic_caches_what_is_marked(claude, box):
    asked = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 20,
        "system": [{"type": "text", "text": "x" * 8000, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "why?"}],
    }
    first, second = (claude.messages.create(**asked).usage for _ in range(2))
    box.desk.clock.ahead(301)
    third = claude.messages.create(**asked).usage

    assert (first.cache_creation_input_tokens, first.cache_read_input_tokens) == (2000, 0)
    assert (second.cache_creation_input_tokens, second.cache_read_input_tokens) == (0, 2000)
    assert (third.cache_creation_input_tokens, third.cache_read_input_tokens) == (2000, 0)
    assert box.invoice.rows[0].nano - box.invoice.rows[1].nano == 2000 * (3750 - 300)


def test_gemini_generates_streams_and_counts(gemini, box):
    part = genai.types.Part.from_bytes(data=png(640, 480), mime_type="image/png")
    whole = gemini.models.generate_content(model="gemini-2.5-flash", contents=[part, "hi there"])
    text = "".join(
        chunk.text or "" for chunk in gemini.models.generate_content_stream(model="gemini-2.5-flash", contents=[part, "hi there"])
    )  # fmt: skip
    counted = gemini.models.count_tokens(model="gemini-2.5-flash", contents=[part, "hi there"])

    assert whole.usage_metadata.prompt_token_count == 1032 + 2 == counted.total_tokens
    assert text == whole.text
    assert len(box.invoice.rows) == 2


def test_gemini_sees_a_clip(gemini, drawn_clip):
    part = genai.types.Part(
        inline_data=genai.types.Blob(data=drawn_clip.read_bytes(), mime_type="video/mp4"),
        video_metadata=genai.types.VideoMetadata(fps=0.5, start_offset="2s", end_offset="8s"),
    )
    config = genai.types.GenerateContentConfig(media_resolution="MEDIA_RESOLUTION_LOW", max_output_tokens=5)
    found = gemini.models.generate_content(model="gemini-2.5-flash", contents=[part, "hi"], config=config)
    kinds = {one.modality.value: one.token_count for one in found.usage_metadata.prompt_tokens_details}

    assert kinds["VIDEO"] == 3 * 66
    assert kinds["AUDIO"] == 6 * 32
    assert found.candidates[0].finish_reason.value == "MAX_TOKENS"


def test_gemini_keeps_a_cache(gemini, box):
    config = genai.types.CreateCachedContentConfig(contents=["x" * 10_000], ttl="300s")
    cache = gemini.caches.create(model="gemini-2.5-pro", config=config)
    asked = genai.types.GenerateContentConfig(cached_content=cache.name)
    found = gemini.models.generate_content(model="gemini-2.5-pro", contents="why?", config=asked)

    assert cache.usage_metadata.total_token_count == 2500
    assert found.usage_metadata.cached_content_token_count == 2500
    assert [row.kind for row in box.invoice.rows] == ["cache", "storage", "call"]
    assert box.invoice.rows[1].nano == round(2500 * 300 / 3600 * 4500)
    assert [one.name for one in gemini.caches.list()] == [cache.name]
    box.desk.clock.ahead(301)
    with pytest.raises(genai.errors.ClientError):
        gemini.models.generate_content(model="gemini-2.5-pro", contents="why?", config=asked)


def test_openai_responses_whole_and_streamed(chatgpt, box):
    content = [
        {"type": "input_text", "text": "hi there"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PICTURE}", "detail": "auto"},
    ]
    asked = {"model": "gpt-4o", "input": [{"role": "user", "content": content}]}
    whole = chatgpt.responses.create(**asked)
    with chatgpt.responses.stream(**asked) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        last = stream.get_final_response()

    assert whole.usage.input_tokens == 1105 + 2
    assert text == whole.output_text == last.output_text
    assert len(box.invoice.rows) == 2


def test_openai_batches(chatgpt, box, tmp_path):
    import json

    path = tmp_path / "rows.jsonl"
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": SHOWN}]}
    lines = [{"custom_id": f"r{at}", "method": "POST", "url": "/v1/chat/completions", "body": body} for at in range(3)]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    with path.open("rb") as file:
        uploaded = chatgpt.files.create(file=file, purpose="batch")
    batch = chatgpt.batches.create(input_file_id=uploaded.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert batch.status == "in_progress"
    box.desk.clock.ahead(61)
    batch = chatgpt.batches.retrieve(batch.id)
    rows = [json.loads(line) for line in chatgpt.files.content(batch.output_file_id).text.splitlines()]

    assert batch.status == "completed"
    assert batch.request_counts.completed == 3
    assert {row["custom_id"] for row in rows} == {"r0", "r1", "r2"}
    assert openai.types.chat.ChatCompletion.model_validate(rows[0]["response"]["body"]).usage.prompt_tokens == 1107
    assert [one.id for one in chatgpt.batches.list()] == [batch.id]
    assert chatgpt.files.delete(uploaded.id).deleted


# its package says that OpenAI shuts this API down on 2026-09-24; what speaks it goes on
@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_openai_videos_and_transcripts(chatgpt, box, drawn_clip):
    video = chatgpt.videos.create(model="sora-2", prompt="a cat", seconds="4", size="1280x720")
    assert video.status in {"queued", "in_progress"}
    box.desk.clock.ahead(61)
    assert chatgpt.videos.retrieve(video.id).status == "completed"
    assert len(chatgpt.videos.download_content(video.id).read()) > 100
    with drawn_clip.open("rb") as file:
        said = chatgpt.audio.transcriptions.create(model="whisper-1", file=file)
    assert said.text
    assert [row.sku for row in box.invoice.rows] == ["openai/sora-2", "openai/whisper-1"]


def test_anthropic_batches(claude, box):
    params = {"model": "claude-haiku-4-5", "max_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}
    batch = claude.messages.batches.create(requests=[{"custom_id": f"r{at}", "params": params} for at in range(3)])
    assert batch.processing_status == "in_progress"
    box.desk.clock.ahead(61)
    batch = claude.messages.batches.retrieve(batch.id)
    rows = list(claude.messages.batches.results(batch.id))

    assert batch.processing_status == "ended"
    assert batch.request_counts.succeeded == 3
    assert {row.custom_id for row in rows} == {"r0", "r1", "r2"}
    assert rows[0].result.message.usage.service_tier == "batch"


def test_gemini_files_and_batches(gemini, box, drawn_clip):
    file = gemini.files.upload(file=str(drawn_clip))
    found = gemini.models.generate_content(model="gemini-2.5-flash", contents=[file, "hi"])
    batch = gemini.batches.create(
        model="gemini-2.5-flash", src=[genai.types.InlinedRequest(contents=f"hi {at}", metadata={"key": str(at)}) for at in range(3)]
    )  # fmt: skip
    assert batch.state.value == "JOB_STATE_RUNNING"
    box.desk.clock.ahead(61)
    batch = gemini.batches.get(name=batch.name)

    assert found.usage_metadata.prompt_token_count > 12 * 258
    assert batch.state.value == "JOB_STATE_SUCCEEDED"
    assert len(batch.dest.inlined_responses) == 3
    assert batch.dest.inlined_responses[0].response.usage_metadata.prompt_token_count == 1
    gemini.files.delete(name=file.name)


def adapter(params):
    """Made here: pydantic looks names up where it is called from."""
    return pydantic.TypeAdapter(params)


REQUESTS = ("openai", "responses", "anthropic", "google")


@pytest.mark.parametrize("wire", REQUESTS)
def test_our_requests_are_what_the_vendors_types_say(wire, drawn_clip):
    """Each body that we send is read by the vendor's own parameter types."""
    import msgspec

    from reelwise.models.anthropic import Anthropic
    from reelwise.models.gemini_wire import generate_request
    from reelwise.models.openai_chat import OpenAIChat
    from reelwise.models.openai_responses import OpenAIResponses
    from reelwise.models.work import Clip, Picture, Text, Work, source

    schema = b'{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}'
    picture, text = Picture(source=source(png(8, 8))), Text(text="hi", keep=True)
    named = {
        "openai": ("gpt-4o", {"seed": 1, "temperature": 0.5, "confidence": True, "cache_key": "k", "mode": "priority"}),
        "responses": ("gpt-4o", {"cache_key": "k", "mode": "flex", "temperature": 0.5}),
        "anthropic": ("claude-opus-5-5", {"system_keep": True, "keep_hour": True, "mode": "fast"}),
        "google": ("gemini-3.8-flash", {"seed": 1, "temperature": 0.5, "cache": "cachedContents/x", "mode": "flex"}),
    }
    model, more = named[wire]
    parts = (
        (picture, Clip(source=source(drawn_clip), fps=0.5, stop_seconds=3, detail="low"), text)
        if wire == "google"
        else (picture, text)
    )
    work = Work(model=model, parts=parts, system="Be short.", schema=schema, tokens_output=9, **more)
    makers = {
        "openai": lambda: OpenAIChat("http://127.0.0.1/v1").request(work),
        "responses": lambda: OpenAIResponses("http://127.0.0.1/v1").request(work),
        "anthropic": lambda: Anthropic("http://127.0.0.1").request(work),
        "google": lambda: generate_request(work, name="gemini"),
    }
    request, inliner = makers[wire]()
    body = msgspec.json.decode(
        b"".join(p if isinstance(p, bytes) else b"".join(p.chunks()) for p in inliner.pieces(request))
    )
    if wire == "google":
        types = genai.types
        types.GenerationConfig.model_validate(body["generationConfig"])
        contents = [types.Content.model_validate(one) for one in body["contents"]]
        assert contents[0].parts[1].video_metadata.fps == 0.5
        assert contents[0].parts[1].inline_data.data == drawn_clip.read_bytes()
        assert set(body) <= {"contents", "systemInstruction", "generationConfig", "cachedContent", "serviceTier"}
        return
    params = {
        "openai": openai.types.chat.completion_create_params.CompletionCreateParamsNonStreaming,
        "responses": openai.types.responses.response_create_params.ResponseCreateParamsNonStreaming,
        "anthropic": anthropic.types.message_create_params.MessageCreateParamsNonStreaming,
    }[wire]
    assert adapter(params).validate_python(body)
    assert set(body) <= set(params.__annotations__) | {
        k for base in params.__orig_bases__ for k in getattr(base, "__annotations__", {})
    }


def test_embeddings_of_openai_and_gemini(chatgpt, gemini, box):
    found = chatgpt.embeddings.create(model="text-embedding-3-small", input=["one", "two words"])
    assert [len(one.embedding) for one in found.data] == [256, 256]
    assert found.usage.prompt_tokens == 1 + 3
    vectors = gemini.models.embed_content(model="gemini-embedding-2", contents="one").embeddings
    assert len(vectors[0].values) == 256
    assert len(box.invoice.rows) == 2


@pytest.fixture
def vertex(box):
    credentials = pytest.importorskip("google.oauth2.credentials").Credentials(token="any")  # noqa: S106 - any will do
    options = genai.types.HttpOptions(base_url=box.url)
    with genai.Client(
        enterprise=True, project="p", location="here", credentials=credentials, http_options=options
    ) as client:
        yield client


def video_of(client, shape="16:9"):
    types = genai.types
    config = types.GenerateVideosConfig(duration_seconds=4, resolution="720p", aspect_ratio=shape, number_of_videos=1)
    return client.models.generate_videos(
        model="veo-3.1-fast-generate-001", source=types.GenerateVideosSource(prompt="a cat"), config=config
    )


def test_google_generates_video(vertex, box):
    operation = video_of(vertex, "9:16")
    assert not vertex.operations.get(operation).done
    box.desk.clock.ahead(61)
    operation = vertex.operations.get(operation)

    assert operation.done
    assert operation.response.generated_videos[0].video.video_bytes[4:8] == b"ftyp"
    assert box.invoice.nano == 400_000_000


def test_our_requests_for_video_are_those_of_the_vendor_s_client(vertex, box, monkeypatch):
    import json

    from reelwise.models import Film, GoogleVideos
    from reelwise.sandbox.exchange import Exchange

    seen = []
    real = Exchange.body

    def body(self, *given):
        found = real(self, *given)
        seen.append((self.path.split("/projects/")[-1], json.loads(found)))
        return found

    monkeypatch.setattr(Exchange, "body", body)
    monkeypatch.setenv("GOOGLE_ACCESS_TOKEN", "any")
    operation = video_of(vertex)
    vertex.operations.get(operation)
    film = Film(model="google/veo-3.1-fast", prompt="a cat", seconds=4)
    end = GoogleVideos(f"{box.url}/v1/projects/p/locations/here")
    job = end.create(film, identity="one")
    end.look(job.id, film)

    assert seen[0] == seen[2]
    assert seen[1][0] == seen[3][0]
    assert seen[1][1].keys() == seen[3][1].keys() == {"operationName"}
