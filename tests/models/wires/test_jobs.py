"""Batches, files, caches kept by name, and video jobs: handed in, looked at, collected, settled once."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reelwise.charge import charge
from reelwise.errors import AmbiguousError, InputError, RefusedError
from reelwise.models.anthropic_batch import AnthropicBatches
from reelwise.models.batches import BatchRow
from reelwise.models.films import Film
from reelwise.models.gemini_batch import GeminiBatches
from reelwise.models.gemini_caches import create_cache, delete_cache
from reelwise.models.gemini_files import delete_file, upload
from reelwise.models.google_videos import GoogleVideos
from reelwise.models.openai_batch import OpenAIBatches
from reelwise.models.video_jobs import VideoJobs
from reelwise.models.work import Clip, Picture, Text, Work, source
from reelwise.testing import png, sandbox

WIRES = {"openai": OpenAIBatches, "google": GeminiBatches, "anthropic": AnthropicBatches}
PROVIDERS = tuple(WIRES)


def rows(model, count=6):
    picture = Picture(source=source(png(640, 360)))
    return [
        BatchRow(name=f"run-{at}", work=Work(model=model, parts=(picture, Text(text=f"What is it, {at}?")))) for at in range(count)
    ]  # fmt: skip


def settled(outcomes, book):
    return sum(charge(one.answer.used.request(), book).nano for one in outcomes if one.answer is not None)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_batch_is_answered_later_at_the_batch_price(provider, ends, book):
    with sandbox({"day": "2026-11-28", "batch_seconds": 3600}) as box:
        end, model = ends(box)[provider]
        wire = WIRES[provider](end)
        job = wire.submit(rows(model), "run")
        assert job.state == "running"
        assert box.invoice.rows == ()
        box.desk.clock.ahead(3601)
        job = wire.look(job.id)
        found = {one.name: one for one in wire.outcomes(job)}
        again = list(wire.outcomes(wire.look(job.id)))
        plain = end.ask(rows(model)[0].work)

    assert job.state == "done"
    assert (job.total, job.succeeded, job.failed) == (6, 6, 0)
    assert set(found) == {f"run-{at}" for at in range(6)}
    assert all(one.answer.used.mode == "batch" for one in found.values())
    batch_nano = settled(found.values(), book)
    assert batch_nano == settled(again, book) == sum(row.nano for row in box.invoice.rows if row.kind == "batch")
    assert len([row for row in box.invoice.rows if row.kind == "batch"]) == 6
    single = charge(plain.used.request(), book).nano
    assert charge(found["run-0"].answer.used.request(), book).nano == pytest.approx(single / 2, rel=0.01)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_batch_that_fails_in_part_is_billed_in_part(provider, ends, book):
    with sandbox({"day": "2026-11-28", "batch_seconds": 1, "batch_done": 0.5, "seed": 4}) as box:
        end, model = ends(box)[provider]
        wire = WIRES[provider](end)
        job = wire.submit(rows(model, 20), "run")
        box.desk.clock.ahead(2)
        found = list(wire.outcomes(wire.look(job.id)))
    states = [one.state for one in found]

    assert len(found) == 20
    assert 0 < states.count("ok") < 20
    assert set(states) == {"ok", "error"}
    assert settled(found, book) == box.invoice.nano


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_batch_that_expires_keeps_what_was_answered(provider, ends, book):
    with sandbox({"day": "2026-11-28", "batch_seconds": 100_000, "batch_done": 0.5}) as box:
        end, model = ends(box)[provider]
        wire = WIRES[provider](end)
        job = wire.submit(rows(model, 20), "run")
        box.desk.clock.ahead(86_000)
        assert wire.look(job.id).state == "running"
        box.desk.clock.ahead(1000)
        job = wire.look(job.id)
        found = list(wire.outcomes(job))
    states = {one.state for one in found}

    assert job.state == "expired"
    assert states == {"ok", "expired"}
    assert settled(found, book) == box.invoice.nano > 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_cancelled_batch_is_not_billed(provider, ends):
    with sandbox({"batch_seconds": 60}) as box:
        end, model = ends(box)[provider]
        wire = WIRES[provider](end)
        job = wire.cancel(wire.submit(rows(model), "run").id)

    assert job.state == "cancelled"
    assert box.invoice.rows == ()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_job_whose_number_was_lost_is_found_again(provider, ends):
    with sandbox({"batch_seconds": 1}) as box:
        end, model = ends(box)[provider]
        wire = WIRES[provider](end)
        job = wire.submit(rows(model), "run")
        box.desk.clock.ahead(2)

        assert wire.find("run").id == job.id
        assert wire.find("other") is None


def test_large_gemini_batches_travel_in_a_file(ends, book):
    with sandbox({"day": "2026-11-28", "batch_seconds": 1}) as box:
        end, model = ends(box)["google"]
        wire = GeminiBatches(end, inline_max=100)
        job = wire.submit(rows(model), "run")
        box.desk.clock.ahead(2)
        found = list(wire.outcomes(wire.look(job.id)))

    assert [one.state for one in found] == ["ok"] * 6
    assert settled(found, book) == box.invoice.nano


def test_rows_of_a_batch_are_checked_before_anything_is_sent(ends, box):
    for provider, wire in WIRES.items():
        end, model = ends(box)[provider]
        for bad in ([], rows(model)[:1] * 2, [BatchRow(name="a b", work=rows(model)[0].work)]):
            with pytest.raises(InputError):
                wire(end).submit(bad, "run")
    with pytest.raises(InputError, match="2 models"):
        GeminiBatches(ends(box)["google"][0]).submit(
            [*rows("gemini-2.5-pro")[:1], *rows("gemini-2.5-flash")[1:2]], "run"
        )


def test_a_clip_goes_up_once_and_is_asked_about_twice(ends, box, book, drawn_clip):
    end, model = ends(box)["google"]
    sent = upload(end, source(drawn_clip), name="bay")
    inline = end.ask(Work(model=model, parts=(Clip(source=source(drawn_clip)), Text(text="What?"))))
    named = [end.ask(Work(model=model, parts=(Clip(source=sent), Text(text=text)))) for text in ("What?", "Why?")]
    delete_file(end, sent)
    delete_file(end, sent)

    assert named[0].used.request() == inline.used.request()
    assert sum(charge(one.used.request(), book).nano for one in (inline, *named)) == box.invoice.nano
    with pytest.raises(RefusedError):
        end.ask(Work(model=model, parts=(Clip(source=sent), Text(text="What?"))))


def test_a_cache_is_filled_kept_read_and_expires(ends, box, book, drawn_clip):
    end, _ = ends(box)["google"]
    model = "gemini-2.5-pro"
    clip = Clip(source=source(drawn_clip))
    kept = create_cache(end, Work(model=model, parts=(clip,)), 600)
    answers = [end.ask(Work(model=model, parts=(Text(text=f"Question {at}?"),), cache=kept.name)) for at in range(3)]
    nano = charge(kept.used.request(), book).nano + charge(kept.storage(), book).nano
    nano += sum(charge(one.used.request(), book).nano for one in answers)

    assert kept.tokens == answers[0].used.tokens_cached == 12 * 258 + kept.used.tokens_audio
    assert kept.storage().quantity == Fraction(kept.tokens, 6)
    assert answers[0].used.tokens_audio_cached == kept.used.tokens_audio > 0
    assert nano == box.invoice.nano
    box.desk.clock.ahead(601)
    with pytest.raises(RefusedError):
        end.ask(Work(model=model, parts=(Text(text="And now?"),), cache=kept.name))
    other = create_cache(end, Work(model=model, parts=(clip,)), 600)
    delete_cache(end, other)


def test_cached_sound_is_billed_at_its_own_price(ends, box, book, drawn_clip):
    end, _ = ends(box)["google"]
    parts = (Clip(source=source(drawn_clip)), Text(text="x" * 16_000))
    kept = create_cache(end, Work(model="gemini-3.5-flash-lite", parts=parts), 60)
    answer = end.ask(Work(model="gemini-3.5-flash-lite", parts=(Text(text="?"),), cache=kept.name))

    assert charge(answer.used.request(), book).nano == box.invoice.rows[-1].nano


VERTEX = "v1/projects/p/locations/here"
FILMS = {
    "openai": (VideoJobs, "openai/sora-2", 800_000_000),
    "google": (GoogleVideos, "google/veo-3.1-fast", 800_000_000),
}


@pytest.mark.parametrize("maker", FILMS)
def test_a_video_job_is_settled_once_from_its_first_final_state(maker, box, book, tmp_path):
    wire, model, _ = FILMS[maker]
    jobs, film = (
        wire(f"{box.url}/{'v1' if maker == 'openai' else VERTEX}"),
        Film(model=model, prompt="a cat", seconds=8),
    )
    job = jobs.create(film, identity="one")
    assert job.state == "running"
    assert job.used is None
    with pytest.raises(RefusedError):
        jobs.fetch(job, tmp_path / "cat.mp4")
    box.desk.clock.ahead(61)
    looked = [jobs.look(job.id, film) for _ in range(3)]

    assert {one.state for one in looked} == {"done"}
    assert len(box.invoice.rows) == 1
    assert charge(looked[0].used.request(), book).nano == box.invoice.nano == FILMS[maker][2]
    assert jobs.fetch(looked[0], tmp_path / "cat.mp4") == (tmp_path / "cat.mp4").stat().st_size
    box.desk.clock.ahead(180_000)
    with pytest.raises(RefusedError, match=r"expired|may not exist"):
        jobs.fetch(looked[0], tmp_path / "late.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["cat.mp4"]


@pytest.mark.parametrize("maker", FILMS)
def test_a_video_job_that_fails_is_not_billed(maker):
    with sandbox({"video_failed": 1.0, "video_seconds": 1}) as box:
        wire, model, _ = FILMS[maker]
        jobs, film = (
            wire(f"{box.url}/{'v1' if maker == 'openai' else VERTEX}"),
            Film(model=model, prompt="a cat", seconds=4),
        )
        job = jobs.create(film, identity="one")
        box.desk.clock.ahead(2)
        job = jobs.look(job.id, film)

    assert (job.state, job.used) == ("failed", None)
    assert "could not be made" in job.why
    assert box.invoice.rows == ()


def test_a_video_that_was_made_and_held_back_is_neither_called_billed_nor_free(box):
    jobs = GoogleVideos(f"{box.url}/{VERTEX}")
    film = Film(
        model="google/veo-3.1-lite", prompt="a cat, blocked by the safety filter", seconds=4, width=720, height=1280
    )
    job = jobs.create(film, identity="one")
    box.desk.clock.ahead(61)
    job = jobs.look(job.id, film)

    assert (job.state, job.refused, job.unsure) == ("failed", True, True)
    with pytest.raises(InputError, match="500x500"):
        jobs.create(Film(model="google/veo-3.1", prompt="a cat", seconds=4, width=500, height=500), identity="two")
    with pytest.raises(InputError, match="which project is billed"):
        GoogleVideos()
    with pytest.raises(InputError, match="shows nothing"):
        jobs.create(Film(model="google/veo-3.1", prompt=" ", seconds=4), identity="two")
    with pytest.raises(RefusedError) as gone:
        jobs.create(Film(model="veo-9", prompt="a cat", seconds=4), identity="two")
    assert gone.value.reason == "model"


def test_a_model_that_cannot_be_priced_for_a_batch_is_refused_by_the_sandbox(ends, box):
    end, _ = ends(box)["google"]
    wire = GeminiBatches(end)
    job = wire.submit(rows("gemini-3.5-flash"), "run")
    box.desk.clock.ahead(61)
    assert {one.state for one in wire.outcomes(wire.look(job.id))} == {"error"}


def test_an_ambiguous_submission_is_not_sent_again(ends):
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:
        requests = []

        def swallow():
            line, _ = server.accept()
            with line, line.makefile("rb") as reader:  # all of it: else the request was not out, and may be sent again
                heads = iter(reader.readline, b"\r\n")
                length = [int(one.partition(b":")[2]) for one in heads if one.lower().startswith(b"content-length:")]
                requests.append(reader.read(*length))

        thread = threading.Thread(target=swallow)
        thread.start()

        class Box:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"

        with pytest.raises(AmbiguousError):
            AnthropicBatches(ends(Box)["anthropic"][0]).submit(rows("claude-haiku-4-5")[:1], "run")
        thread.join()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody else came
            server.accept()
        assert len(requests) == 1
