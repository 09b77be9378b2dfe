"""APIs by the picture and by the minute, transcripts, responses, and a network on this machine."""

from __future__ import annotations

import math
import wave

import numpy as np
import pytest

from reelwise.charge import charge
from reelwise.errors import AnswerError, InputError, RefusedError
from reelwise.models.local import LocalSegment
from reelwise.models.openai_responses import OpenAIResponses
from reelwise.models.openai_sound import OpenAISound
from reelwise.models.vision_image import VisionImage
from reelwise.models.vision_minute import VisionMinute
from reelwise.models.work import Clip, Picture, Sound, Text, Work, source
from reelwise.testing import png


@pytest.fixture(autouse=True)
def google_keys(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "AIzaVision0123456789")
    monkeypatch.setenv("GOOGLE_ACCESS_TOKEN", "ya29.token0123456789")


def test_pictures_are_paid_by_the_piece_with_a_month_s_free_units(box, book):
    end = VisionImage(f"{box.url}/v1")
    position = {}
    total = 0
    for at in range(3):
        answer = end.detect(Work(model="google/vision/label", parts=(Picture(source=source(png(64, 64, at))),)))
        total += charge(answer.used.request(), book, position=position).nano
    objects = end.detect(Work(model="google/vision/object-localization", parts=(Picture(source=source(png(64, 64))),)))
    written = end.describe(Work(model="google/vision/text", parts=(Picture(source=source(png(64, 64))),)))

    assert total == box.invoice.nano == 0  # the first thousand a month are free
    assert len(answer.scores) == 3
    assert all(0 <= box_.left < box_.right <= 1 for box_ in objects.boxes)
    assert written.text
    for _ in range(998):
        end.detect(Work(model="google/vision/label", parts=(Picture(source=source(png(64, 64))),)))
    assert box.invoice.nano == 1_500_000
    after = {("google/vision/label", "image"): 1000}
    assert charge(answer.used.request(), book, position=after).nano == 1_500_000


def test_a_picture_that_cannot_be_read_and_a_card_that_is_not_sold(box):
    end = VisionImage(f"{box.url}/v1")
    with pytest.raises(AnswerError, match="could not read"):
        end.detect(Work(model="google/vision/label", parts=(Picture(source=source(b"\xff\xd8\xff nonsense")),)))
    with pytest.raises(InputError, match="sells no"):
        end.detect(Work(model="aws/rekognition/labels", parts=(Picture(source=source(png(8, 8))),)))


def test_video_is_paid_by_the_minute(box, book, drawn_clip):
    box.desk.clock.ahead(0)
    end = VisionMinute(f"{box.url}/v1", poll_seconds=0.05)
    found = []
    for sku, task in (("label", end.detect), ("shot", end.detect), ("explicit", end.moderate)):
        found.append(task(Work(model=f"google/video-intelligence/{sku}", parts=(Clip(source=source(drawn_clip)),))))

    assert all(one.used.seconds == pytest.approx(12, abs=0.2) for one in found)
    assert found[0].stretches[0].stop_seconds == pytest.approx(12, abs=0.2)
    assert len(found[1].stretches) == 2
    assert found[2].scores[0].label == "explicit"
    assert len(box.invoice.rows) == 3
    at_end = {("google/video-intelligence/label", "minute"): 1000}
    assert charge(found[0].used.request(), book, position=at_end).nano == round(found[0].used.seconds / 60 * 1e8)


def test_a_file_that_is_no_clip_is_refused(box, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"nothing")
    with pytest.raises(RefusedError):
        VisionMinute(f"{box.url}/v1").detect(
            Work(model="google/video-intelligence/label", parts=(Clip(source=source(path)),))
        )


def test_sound_is_paid_by_the_minute_and_goes_up_from_the_disk(box, book, tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 8000 * 7)
    answer = OpenAISound(f"{box.url}/v1").transcribe(Work(model="whisper-1", parts=(Sound(source=source(path)),)))

    assert answer.text.startswith("la la")
    assert answer.words[0].stop_seconds == pytest.approx(7)
    assert charge(answer.used.request(), book).nano == box.invoice.nano == 700_000


def test_responses_are_billed_as_chats_are(box, book, ends):
    end = OpenAIResponses(f"{box.url}/v1")
    work = Work(
        model="gpt-4o", parts=(Picture(source=source(png(1280, 720))), Text(text="What is it?")), system="Be short."
    )
    whole = end.ask(work)
    with end.stream(work) as stream:
        text = "".join(stream)
    moderated = end.moderate(Work(model="gpt-5-mini", parts=work.parts[:1], labels=("yes", "no"), mode="flex"))
    short = end.ask(Work(model="gpt-4o", parts=(Text(text="Go on."),), tokens_output=4))
    chat = ends(box)["openai"][0].ask(work)

    assert text == whole.text == stream.answer.text
    assert moderated.scores[0].label in {"yes", "no"}
    assert moderated.used.mode == "flex"
    assert (short.finish, short.used.tokens_output) == ("length", 4)
    assert chat.used.tokens_text == whole.used.tokens_text
    answers = (whole, stream.answer, moderated, short, chat)
    assert sum(charge(one.used.request(), book).nano for one in answers) == box.invoice.nano


def test_a_network_on_this_machine_is_a_model_too():
    class Bright:
        name = "bright"

        def __call__(self, frame):
            return (frame.mean(axis=2) / 255).astype(np.float32)

    end = LocalSegment(Bright(), decode=lambda _: np.full((4, 6, 3), 51, np.uint8))
    answer = end.segment(Work(model="bright", parts=(Picture(source=source(png(6, 4))),)))

    assert answer.mask.shape == (4, 6)
    assert math.isclose(answer.mask[0, 0], 0.2, rel_tol=1e-6)
    assert answer.used.provider == "local"
    with pytest.raises(InputError, match="cannot describe"):
        end.describe(Work(model="bright", parts=(Text(text="?"),)))


def test_person_segmentation_as_a_model(person_models):
    pytest.importorskip("cv2")
    from reelwise.models import PersonSegmentation

    end = LocalSegment(PersonSegmentation(folder=person_models))
    answer = end.segment(Work(model="person", parts=(Picture(source=source(png(320, 180))),)))

    assert answer.mask.shape == (256, 256)
    assert float(answer.mask.max()) <= 1.0


def test_vectors_of_text_and_of_what_is_shown(box, book, ends, drawn_clip):
    from reelwise.models.openai_embed import OpenAIEmbed

    texts = tuple(Text(text=text) for text in ("a dog on a street", "a dog on the street", "tax law of 1911"))
    words = OpenAIEmbed(f"{box.url}/v1", dimensions=64).embed(Work(model="text-embedding-3-small", parts=texts))
    near, far = (float(np.dot(words.vectors[0], words.vectors[at])) for at in (1, 2))
    shown = ends(box)["google"][0].embed(
        Work(model="gemini-embedding-2", parts=(Picture(source=source(png(64, 64))), Clip(source=source(drawn_clip)), texts[0]))
    )  # fmt: skip

    assert len(words.vectors[0]) == 64
    assert near > far + 0.2
    assert len(shown.vectors) == 3
    assert shown.used.tokens_image > 0
    assert shown.used.tokens_video > 0
    assert sum(charge(one.used.request(), book).nano for one in (words, shown)) == box.invoice.nano > 0
    with pytest.raises(InputError, match="text only"):
        OpenAIEmbed(f"{box.url}/v1").embed(
            Work(model="text-embedding-3-small", parts=(Picture(source=source(png(8, 8))),))
        )
