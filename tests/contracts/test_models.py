"""What every kind of model keeps to, whatever it speaks: see `reelwise.models.protocol.Model`."""

from __future__ import annotations

import datetime as dt
import wave

import pytest

from reelwise.billed import may_be_billed
from reelwise.charge import charge
from reelwise.errors import AmbiguousError, AnswerError, BusyError, InputError, RefusedError
from reelwise.models import (
    Anthropic,
    Film,
    Gemini,
    GoogleVideos,
    OpenAIChat,
    OpenAIEmbed,
    OpenAIResponses,
    OpenAISound,
    VideoJobs,
    VisionImage,
    VisionMinute,
)
from reelwise.models.protocol import TASKS
from reelwise.models.work import Clip, Picture, Sound, Text, Work, source
from reelwise.rates import Book
from reelwise.testing import png, sandbox

DAY = "2026-11-28"
VERTEX = "v1/projects/p/locations/here"
CALM = {"sleep": lambda _: None}
KEYS = ("OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GOOGLE_ACCESS_TOKEN")


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for name in KEYS:
        monkeypatch.setenv(name, "right-0123456789")


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * 3))
    return path


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory):
    from reelwise import video

    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    video.draw_demo(path, seconds=2, width=64, height=36, fps=10)
    return path


def works(sound, clip):
    """A task that each kind can do, and the work for it."""
    picture, words = Picture(source=source(png(64, 64))), Text(text="What is it?")
    return {
        "openai": ("ask", "gpt-4o", (picture, words)),
        "responses": ("ask", "gpt-4o", (picture, words)),
        "gemini": ("ask", "gemini-2.5-flash", (picture, words)),
        "anthropic": ("ask", "claude-haiku-4-5", (picture, words)),
        "embed": ("embed", "text-embedding-3-small", (words,)),
        "sound": ("transcribe", "openai/whisper-1", (Sound(source=source(sound)),)),
        "image": ("detect", "google/vision/label", (picture, picture)),
        "minute": ("detect", "google/video-intelligence/label", (Clip(source=source(clip)),)),
    }


WIRES = {
    "openai": (OpenAIChat, "/v1"), "responses": (OpenAIResponses, "/v1"), "gemini": (Gemini, "/v1beta"), "anthropic": (Anthropic, ""),
    "embed": (OpenAIEmbed, "/v1"), "sound": (OpenAISound, "/v1"), "image": (VisionImage, "/v1"), "minute": (VisionMinute, "/v1"),
}  # fmt: skip
KINDS = list(WIRES)


@pytest.fixture
def opened(sound, small_clip):
    """Open a kind at a sandbox: the endpoint, and a function that does its work."""

    def make(kind, box, **options):
        wire, path = WIRES[kind]
        more = {"poll_seconds": 0.02} if kind == "minute" else {}
        end = wire(f"{box.url}{path}", **{**CALM, **more, **options})
        task, model, parts = works(sound, small_clip)[kind]
        work = Work(model=model, parts=parts, identity=f"call-{kind}")
        return end, task, work

    return make


def faulty(kind, **more):
    return sandbox(
        {"day": DAY, "video_seconds": 0.05, "faults": [{"kind": kind, "share": 1.0, "retry_after": 0.0}], **more}
    )


def full(box):
    """Let the month's free units be used up, so that whatever is billed costs something."""
    box.begin_month({"google/vision/label": 1000, "google/video-intelligence/label": 1000})
    return {("google/vision/label", "image"): 1000, ("google/video-intelligence/label", "minute"): 1000}


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_used_is_what_the_invoice_says(kind, opened):
    with sandbox({"day": DAY, "video_seconds": 0.05}) as box:
        position = full(box)
        end, task, work = opened(kind, box)
        answer = getattr(end, task)(work)
    book = Book.load(dt.date.fromisoformat(DAY))

    assert not answer.used.unpriced
    assert charge(answer.used.request(), book, position=position).nano == box.invoice.nano > 0
    assert {row.identity for row in box.invoice.rows} <= {work.identity}
    assert answer.attempts == 1
    assert answer.latency_ms > 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_cannot_do_it_refuses_before_anything_is_sent(kind, opened):
    with sandbox({"day": DAY}) as box:
        end, task, work = opened(kind, box)
        assert task in end.can <= set(TASKS)
        for other in sorted(set(TASKS) - end.can):
            with pytest.raises(InputError, match=f"cannot {other}"):
                getattr(end, other)(work)
        assert box.invoice.rows == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variable", ["missing", "wrong"])
def test_a_wrong_key_is_named_and_costs_nothing(kind, variable, opened, monkeypatch):
    with sandbox({"day": DAY, "keys": ["another"]}) as box:
        end, task, work = opened(kind, box)
        if variable == "missing":
            monkeypatch.delenv(end.key.variable)
        with pytest.raises(RefusedError) as caught:
            getattr(end, task)(work)
        assert box.invoice.rows == ()

    assert caught.value.reason == "key"
    assert "right-0123456789" not in f"{caught.value} {caught.value.hint}"
    assert not may_be_billed(caught.value, (), ())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "embed"])
class TestFaults:
    """What goes wrong, alike for all kinds; the sandbox's vectors know no faults."""

    @pytest.mark.parametrize("fault", ["429", "500", "503"])
    def test_busy_is_tried_again_within_the_budget_and_not_billed(self, kind, fault, opened):
        with faulty(fault) as box:
            end, task, work = opened(kind, box)
            with pytest.raises(BusyError) as caught:
                getattr(end, task)(work)
            assert box.invoice.rows == ()

        assert caught.value.attempts > 1
        assert not may_be_billed(caught.value, (), ())

    @pytest.mark.parametrize(("fault", "billed"), [("lost_request", False), ("lost_reply", True), ("504", True)])
    def test_what_may_have_been_accepted_is_not_sent_again(self, kind, fault, billed, opened):
        with faulty(fault) as box:
            end, task, work = opened(kind, box)
            with pytest.raises(AmbiguousError) as caught:
                getattr(end, task)(work)

        assert caught.value.attempts in {0, 1}
        assert may_be_billed(caught.value, (), ())
        assert bool(box.invoice.rows) is billed
        assert all(not row.delivered for row in box.invoice.rows)

    def test_an_answer_that_is_no_json_is_billed(self, kind, opened):
        with faulty("bad_json") as box:
            end, task, work = opened(kind, box)
            with pytest.raises(AnswerError, match="no JSON") as caught:
                getattr(end, task)(work)

        assert may_be_billed(caught.value, (), ())
        assert box.invoice.rows

    def test_missing_usage_is_unpriced_and_never_zero(self, kind, opened):
        with faulty("no_usage") as box:
            end, task, work = opened(kind, box)
            answer = getattr(end, task)(work)
        if kind == "image":  # what it is billed by is how many pictures were sent: nothing can be missing
            assert answer.used.images == 2
        else:
            assert answer.used.unpriced
            assert not answer.used.input_known

    def test_content_that_is_refused_is_said(self, kind, opened):
        with faulty("refused") as box:
            end, task, work = opened(kind, box)
            if kind in {"sound", "image", "minute"}:
                with pytest.raises(RefusedError) as caught:
                    getattr(end, task)(work)
                assert caught.value.reason == "content"
                assert box.invoice.rows == ()
            else:
                assert getattr(end, task)(work).finish == "refused"


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_gone_is_said(kind, opened):
    with sandbox({"day": DAY}) as box:
        end, task, work = opened(kind, box)
        gone = Work(model="nothing-9", parts=work.parts)
        with pytest.raises((RefusedError, InputError)) as caught:
            getattr(end, task)(gone)

    assert getattr(caught.value, "reason", "model") == "model"


@pytest.mark.parametrize("wire", [VideoJobs, GoogleVideos])
def test_who_generates_video_keeps_to_the_same(wire):
    path, model = ("/v1", "openai/sora-2") if wire is VideoJobs else (f"/{VERTEX}", "google/veo-3.1-fast")
    film = Film(model=model, prompt="a cat", seconds=4)
    with sandbox({"day": DAY, "keys": ["another"]}) as box, pytest.raises(RefusedError) as refused:
        wire(f"{box.url}{path}").create(film, identity="one")
    assert refused.value.reason == "key"
    for fault, error in (
        ("429", BusyError),
        ("lost_reply", AmbiguousError),
        ("504", AmbiguousError),
        ("refused", RefusedError),
    ):
        with faulty(fault) as box, pytest.raises(error):
            wire(f"{box.url}{path}", **CALM).create(film, identity="one")
    assert model in wire.sells
    assert all(isinstance(one, int) for one in wire.lengths)
