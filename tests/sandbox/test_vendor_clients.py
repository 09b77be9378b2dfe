"""The vendors' own client packages against the sandbox, unchanged."""

from __future__ import annotations

import base64

import pytest

from reelwise.testing import png, sandbox

openai = pytest.importorskip("openai")
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
        "model": "claude-haiku-4-5",
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
    assert box.invoice.rows[0].nano - box.invoice.rows[1].nano == 2000 * (1250 - 100)


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
    config = genai.types.CreateCachedContentConfig(contents=["x" * 8000], ttl="300s")
    cache = gemini.caches.create(model="gemini-2.5-pro", config=config)
    asked = genai.types.GenerateContentConfig(cached_content=cache.name)
    found = gemini.models.generate_content(model="gemini-2.5-pro", contents="why?", config=asked)

    assert cache.usage_metadata.total_token_count == 2000
    assert found.usage_metadata.cached_content_token_count == 2000
    assert [row.kind for row in box.invoice.rows] == ["cache", "storage", "call"]
    assert box.invoice.rows[1].nano == round(2000 * 300 / 3600 * 4500)
    assert [one.name for one in gemini.caches.list()] == [cache.name]
    box.desk.clock.ahead(301)
    with pytest.raises(genai.errors.ClientError):
        gemini.models.generate_content(model="gemini-2.5-pro", contents="why?", config=asked)
