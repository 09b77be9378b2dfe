"""Chats against the sandbox: what they answer, and that what they used is what the sandbox bills, to the nano-dollar."""

from __future__ import annotations

import math

import msgspec
import pytest

from reelwise.charge import charge
from reelwise.errors import AnswerError, InputError
from reelwise.models.work import Clip, Picture, Sound, Text, Work, source
from reelwise.testing import png, sandbox

PROVIDERS = ("openai", "google", "anthropic")


def shown(model, words="What is it?", **more):
    return Work(model=model, parts=(Picture(source=source(png(1280, 720))), Text(text=words)), **more)


def settled(answer, book):
    assert not answer.used.unpriced
    return charge(answer.used.request(), book).nano


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_task_is_billed_to_the_nano_dollar(provider, box, book, ends):
    end, model = ends(box)[provider]
    total = settled(end.ask(shown(model)), book)
    total += settled(end.describe(msgspec.structs.replace(shown(model), parts=shown(model).parts[:1])), book)
    moderated = end.moderate(shown(model, labels=("violence", "sport", "nothing")))
    total += settled(moderated, book)
    with end.stream(shown(model, "And now?")) as stream:
        text = "".join(stream)
    total += settled(stream.answer, book)

    assert moderated.scores[0].label in {"violence", "sport", "nothing"}
    assert 0 <= moderated.confidence <= 1
    assert stream.answer.text == text
    assert stream.answer.finish == "stop"
    assert stream.answer.used.complete
    assert [row.status for row in box.invoice.rows] == ["ok"] * 4
    assert total == box.invoice.nano > 0


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-3.8-flash", "gemini-2.5-flash", "gemini-3-flash-preview"])
def test_a_native_clip_with_sound_a_rate_and_a_stretch(model, box, book, drawn_clip, ends):
    end, _ = ends(box)["google"]
    clip = source(drawn_clip)
    works = [
        Work(model=model, parts=(Clip(source=clip), Text(text="What happens?"))),
        Work(model=model, parts=(Clip(source=clip, fps=0.5, start_seconds=2, stop_seconds=8, detail="low"), Text(text="And here?"))),
        Work(model=model, parts=(Clip(source=clip, detail="low"), Picture(source=source(png(640, 480)), detail="high"), Text(text="Same?"))),
    ]  # fmt: skip
    answers = [end.ask(work) for work in works]

    assert sum(settled(answer, book) for answer in answers) == box.invoice.nano
    whole, part, _ = (answer.used for answer in answers)
    frame, low, second = (258, 66, 32) if "2.5" in model else (70, 70, 25)
    assert whole.tokens_video == 12 * frame
    assert whole.tokens_audio == pytest.approx(12 * second, abs=2)
    assert part.tokens_video == 3 * low
    assert end.count_tokens(works[0]) == whole.tokens_input


def test_sound_alone_is_sent_where_it_is_taken(box, book, tmp_path, drawn_clip, ends):
    import wave

    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 8000 * 3)
    end, model = ends(box)["google"]
    answer = end.transcribe(Work(model=model, parts=(Sound(source=source(path)),)))

    assert answer.used.tokens_audio == 96
    assert settled(answer, book) == box.invoice.nano
    with pytest.raises(InputError, match="pictures and text only"):
        ends(box)["anthropic"][0].ask(
            Work(model="claude-haiku-4-5", parts=(Sound(source=source(path)), Text(text="?")))
        )
    with pytest.raises(InputError, match="takes no video"):
        ends(box)["openai"][0].ask(Work(model="gpt-4o", parts=(Clip(source=source(drawn_clip)), Text(text="?"))))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream_that_we_cut_off_is_billed_for_what_came(provider, book, ends, until):
    with sandbox(
        {"output": {"tokens": 200, "spread": 0.0}, "latency": {"tokens_second": 400}, "day": "2026-11-28"}
    ) as box:
        end, model = ends(box)[provider]
        for count in range(
            1, 11
        ):  # where this machine stands still for a moment, the vendor gets ahead: then once more
            with end.stream(shown(model)) as stream:
                for at, _ in enumerate(stream):
                    if at == (40 if provider == "openai" else 8):
                        break
            until(lambda count=count: len(box.invoice.rows) == count)
            row = box.invoice.rows[-1]
            if abs(stream.answer.used.tokens_output - row.output) <= 2 and row.status == "cut":
                break

    assert stream.answer.finish == "cut"
    assert row.status == "cut"
    assert not row.delivered
    assert 20 < row.output < 150
    used = stream.answer.used
    assert used.complete is False
    assert used.input_known is (provider != "openai")
    assert abs(used.tokens_output - row.output) <= max(2, math.ceil(0.05 * row.output))
    if used.input_known:
        assert abs(settled(stream.answer, book) - row.nano) <= 0.05 * row.nano


def test_structured_answers_follow_their_schema(box, ends):
    schema = {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": ["a", "b"]}, "confidence": {"type": "number"}, "seen": {"type": "boolean"}},
        "required": ["label", "confidence", "seen"], "additionalProperties": False,
    }  # fmt: skip
    for end, model in ends(box).values():
        found = end.ask(shown(model, schema=msgspec.json.encode(schema))).json()
        assert found["label"] in {"a", "b"}
        assert 0 <= found["confidence"] <= 1
        assert isinstance(found["seen"], bool)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_cut_at_its_maximum_is_no_json_and_billed(provider, box, ends):
    end, model = ends(box)[provider]
    with pytest.raises(AnswerError, match="reached its maximum") as caught:
        end.moderate(shown(model, labels=("yes", "no"), tokens_output=3))

    assert caught.value.billed
    assert caught.value.spent.tokens_output == 3
    assert box.invoice.rows[0].output == 3


def test_the_same_call_gets_the_same_answer_and_a_seed_another(box, ends):
    end, model = ends(box)["openai"]
    texts = {end.ask(shown(model)).text for _ in range(3)}
    seeded = {end.ask(shown(model, seed=seed)).text for seed in range(5)}

    assert len(texts) == 1
    assert len(seeded) > 1


def test_confidence_is_read_from_probabilities(box, ends):
    for provider in ("openai", "google"):
        end, model = ends(box)[provider]
        answer = end.ask(shown(model, confidence=True))
        row = box.invoice.rows[-1]
        assert answer.confidence == pytest.approx(math.exp(math.log(answer.confidence)))
        assert 0 < answer.confidence <= 1
        assert row.output == answer.used.tokens_output


def test_what_an_endpoint_cannot_do_is_refused_before_anything_is_sent(box, ends):
    end, model = ends(box)["anthropic"]
    with pytest.raises(InputError, match="cannot segment"):
        end.segment(shown(model))
    with pytest.raises(InputError, match="has no mode flex"):
        end.ask(shown(model, mode="flex"))
    with pytest.raises(InputError, match="nothing is asked"):
        end.ask(Work(model=model, parts=(Picture(source=source(png(8, 8))),)))
    assert box.invoice.rows == ()


@pytest.mark.parametrize(
    "named", ["openai gpt-5-mini flex", "openai gpt-4o priority", "anthropic claude-opus-5-5 fast"]
)
def test_a_call_is_settled_on_the_tier_that_the_answer_names(named, box, book, ends):
    provider, model, mode = named.split()
    end, _ = ends(box)[provider]
    answer = end.ask(shown(model, mode=mode))

    assert answer.used.mode == mode
    assert settled(answer, book) == box.invoice.nano
    plain = end.ask(shown(model))
    assert settled(plain, book) != settled(answer, book)
