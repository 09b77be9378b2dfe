"""Video that is generated: asked for once, looked at until it is there, settled once, whatever ends early."""

from __future__ import annotations

import pytest

from reelwise.errors import BusyError, EndpointError, OutputError
from reelwise.ledger.queries import export
from reelwise.models.google_videos import GoogleVideos
from reelwise.models.video_jobs import VideoJobs

WIRES = {"openai/sora-2": VideoJobs, "google/veo-3.1-fast": GoogleVideos}
MODELS = list(WIRES)
ASK = {"task": "describe", "questions": ["A red kite over green hills."]}
QUICK = {"video_seconds": 0.2}
COSTS = {"openai/sora-2": 4 * 0.10e9, "google/veo-3.1-fast": 4 * 0.10e9}


def plan_of(write_plan, model, ask=ASK, **more):
    resolution = "720p" if model.startswith("google") else ""
    return write_plan({"stage": "call", "model": model, "part": "generate", "resolution": resolution, **more}, ask=ask)


@pytest.fixture
def short(tmp_path):
    """Clips of three seconds: the shortest video that any model makes is of four."""
    from reelwise import video

    def make(count=1, seconds=3):
        paths = [tmp_path / f"short{number}.mp4" for number in range(count)]
        for number, path in enumerate(paths):
            video.draw_demo(path, seconds=seconds, width=160, height=90, fps=10, seed=number)
        return paths

    return make


@pytest.fixture
def created(monkeypatch):
    """Note what is asked for."""
    asked = []
    for wire in WIRES.values():
        real = wire.create
        monkeypatch.setattr(
            wire,
            "create",
            lambda self, film, *, identity, real=real: asked.append(film) or real(self, film, identity=identity),
        )
    return asked


def rows_of(session):
    return [row for page in export(session.ledger.store) for row in page]


@pytest.mark.parametrize("model", MODELS)
def test_a_video_is_made_billed_by_its_seconds_and_fetched(model, short, write_plan, open_session, created):
    with open_session(plan_of(write_plan, model), scenario=QUICK) as (session, job):
        result = session.run(job.case.plan, session.decoded(short(2)))
        rows = rows_of(session)
        assert not session.ledger.jobs()
    receipt = result.receipt

    assert [one.status for one in result.results] == ["ok", "ok"]
    assert [film.seconds for film in created] == [4, 4]
    assert receipt.cost_nano == 2 * COSTS[model] == receipt.reconciled.invoice_nano
    assert receipt.reconciled.residual_nano == 0
    assert {side.unit: side.error for side in receipt.estimate} == {"usd": 0, "calls": 0, "seconds_output": 0}
    assert [row["cost_nano"] for row in rows] == [COSTS[model]] * 2
    for one in result.results:
        (finding,) = one.findings
        (path,) = finding.files
        assert (finding.task, finding.model) == ("generate", model)
        with open(path, "rb") as file:  # noqa: PTH123 - as whoever reads the receipt does
            assert file.read(8)[4:] == b"ftyp"
        assert one.answers == ()


@pytest.mark.parametrize("model", MODELS)
def test_a_video_that_fails_is_not_billed_and_is_asked_for_again(model, short, write_plan, open_session, created):
    paths, plan = short(), plan_of(write_plan, model)
    found = []
    for failing in (1.0, 0.0):
        with open_session(plan, scenario={**QUICK, "video_failed": failing}) as (session, job):
            found.append(session.run(job.case.plan, session.decoded(paths)))
            assert not session.ledger.jobs()
    first, second = found

    assert (first.results[0].status, first.outcomes[0].reason) == ("failed", "failed")
    assert first.receipt.cost_nano == first.receipt.reconciled.invoice_nano == 0
    assert second.results[0].status == "ok"
    assert second.receipt.cost_nano == COSTS[model]
    assert len(created) == 2


@pytest.mark.parametrize("model", MODELS)
def test_a_run_that_gives_up_waiting_goes_on_with_the_same_job(model, short, write_plan, open_session, created):
    with open_session(plan_of(write_plan, model), scenario={"video_seconds": 60.0}) as (session, job):
        tracks = session.decoded(short())
        session._waits = session._waits.__class__(seconds=0.3)
        first = session.run(job.case.plan, tracks)
        held = session.ledger.jobs()
        session.box.desk.clock.ahead(61)
        second = session.run(job.case.plan, tracks)

    assert isinstance(first.stopped, BusyError)
    assert len(held) == 1
    assert second.results[0].status == "ok"
    assert second.receipt.cost_nano == COSTS[model]
    assert len(created) == 1


@pytest.mark.parametrize("case", [(model, when) for model in MODELS for when in ("look", "fetch")])
def test_after_a_crash_the_same_job_is_looked_at_and_posted_once(case, short, write_plan, open_session, monkeypatch):
    model, when = case
    crashed, created = [], []
    create = WIRES[model].create
    monkeypatch.setattr(
        WIRES[model],
        "create",
        lambda self, film, *, identity: created.append(film) or create(self, film, identity=identity),
    )
    real = getattr(WIRES[model], when)

    def dies(self, *given, **more):
        if not crashed:
            crashed.append(when)
            raise KeyboardInterrupt
        return real(self, *given, **more)

    monkeypatch.setattr(WIRES[model], when, dies)
    with open_session(plan_of(write_plan, model), scenario=QUICK) as (session, job):
        tracks = session.decoded(short())
        with pytest.raises(KeyboardInterrupt):
            session.run(job.case.plan, tracks)
        result = session.run(job.case.plan, tracks)
        rows = rows_of(session)

    assert result.results[0].status == "ok"
    assert len(created) == 1
    assert [row["cost_nano"] for row in rows] == [COSTS[model]]


@pytest.mark.parametrize("model", MODELS)
def test_a_job_that_was_asked_for_when_the_run_ended_is_counted_as_held_and_not_asked_for_again(
    model, short, write_plan, open_session, monkeypatch
):
    asked = []
    real = WIRES[model].create

    def dies(self, film, *, identity):
        asked.append(identity)
        real(self, film, identity=identity)
        raise KeyboardInterrupt

    monkeypatch.setattr(WIRES[model], "create", dies)
    with open_session(plan_of(write_plan, model), scenario=QUICK) as (session, job):
        tracks = session.decoded(short())
        with pytest.raises(KeyboardInterrupt):
            session.run(job.case.plan, tracks)
        result = session.run(job.case.plan, tracks)
        rows = rows_of(session)
    (one,) = result.outcomes

    assert (one.status, one.reason) == ("ambiguous", "lost")
    assert len(asked) == 1
    assert one.cost_nano == one.held_nano == rows[0]["cost_nano"] > 0


SPOILT = {"lost_reply": ("ambiguous", "lost"), "bad_json": ("ambiguous", "json"), "429": ("failed", "limit"), "refused": ("refused", "content")}  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fault", SPOILT)
def test_what_goes_wrong_with_a_job_is_named_and_counted(fault, model, short, write_plan, open_session):
    scenario = {**QUICK, "faults": [{"kind": fault, "share": 1.0, "retry_after": 0.001}]}
    with open_session(plan_of(write_plan, model), scenario=scenario) as (session, job):
        result = session.run(job.case.plan, session.decoded(short()))
        assert not session.ledger.jobs()
    (one,) = result.outcomes

    assert (one.status, one.reason) == SPOILT[fault]
    assert result.receipt.reconciled.residual_nano == 0
    assert one.cost_nano == (one.held_nano if one.status == "ambiguous" else 0)


def test_nonsense_of_its_length_is_unpriced_and_content_that_was_held_back_is_doubtful(short, write_plan, open_session):
    paths = short()
    scenario = {**QUICK, "faults": [{"kind": "no_usage", "share": 1.0}]}
    with open_session(plan_of(write_plan, "openai/sora-2"), scenario=scenario, out="a") as (session, job):
        nonsense = session.run(job.case.plan, session.decoded(paths)).outcomes[0]
    blocked = {"task": "describe", "questions": ["A scene that is blocked by the safety filter."]}
    with open_session(plan_of(write_plan, "google/veo-3.1-fast", blocked), scenario=QUICK, out="b") as (session, job):
        held_back = session.run(job.case.plan, session.decoded(paths)).outcomes[0]

    assert "of its length" in nonsense.unpriced
    assert (held_back.status, held_back.reason) == ("ambiguous", "content")
    assert held_back.cost_nano == held_back.held_nano > 0


def test_a_video_that_expired_before_it_was_fetched_is_billed_and_said(short, write_plan, open_session, monkeypatch):
    real = VideoJobs.fetch

    def late(self, job, file, **more):
        session.box.desk.clock.ahead(7200)
        return real(self, job, file, **more)

    monkeypatch.setattr(VideoJobs, "fetch", late)
    with open_session(plan_of(write_plan, "openai/sora-2"), scenario=QUICK) as (session, job):
        result = session.run(job.case.plan, session.decoded(short()))
    (one,) = result.outcomes

    assert (one.status, one.reason) == ("unreadable", "expired")
    assert one.cost_nano == result.receipt.reconciled.invoice_nano == COSTS["openai/sora-2"]


def test_a_video_that_cannot_be_written_is_fetched_when_the_run_goes_on(
    short, write_plan, open_session, created, tmp_path
):
    with open_session(plan_of(write_plan, "openai/sora-2"), scenario=QUICK) as (session, job):
        tracks = session.decoded(short())
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "videos").write_text("in the way")
        first = session.run(job.case.plan, tracks)
        (tmp_path / "out" / "videos").unlink()
        second = session.run(job.case.plan, tracks)
        rows = rows_of(session)

    assert isinstance(first.stopped, OutputError)
    assert second.results[0].status == "ok"
    assert len(created) == len(rows) == 1


def test_what_no_model_makes_breaks_that_item_alone_and_a_cap_ends_the_run(short, write_plan, open_session, created):
    right = short(2)[1]
    (long,) = short(seconds=20)
    with open_session(plan_of(write_plan, "openai/sora-2"), scenario=QUICK) as (session, job):
        result = session.run(job.case.plan, session.decoded([long, right]))
    with open_session(plan_of(write_plan, "openai/sora-2"), scenario=QUICK, out="cap", max_usd=0.3) as (session, job):
        capped = session.run(job.case.plan, session.decoded([right]))

    assert [one.status for one in result.results] == ["broken", "ok"]
    assert "makes no video of 20 s" in result.results[0].why
    assert "0.4" in str(capped.stopped)
    assert capped.receipt.cost_nano == 0
    assert len(created) == 1


@pytest.mark.parametrize("model", MODELS)
def test_a_wrong_key_ends_the_run(model, short, write_plan, open_session):
    with open_session(plan_of(write_plan, model), scenario={"keys": ["another"]}) as (session, job):
        result = session.run(job.case.plan, session.decoded(short()))
        assert not session.ledger.jobs()

    assert isinstance(result.stopped, EndpointError)
    assert result.stopped.reason == "key"


@pytest.mark.parametrize(
    ("settings", "said"), [({"resolution": "1792x1024"}, "not sold at"), ({"resolution": "500p"}, "not sold at")]
)
def test_a_size_that_is_another_card_s_is_said(settings, said, short, write_plan, open_session):
    plan = write_plan({"stage": "call", "model": "openai/sora-2", "part": "generate", **settings}, ask=ASK)
    with open_session(plan, scenario=QUICK) as (session, job):
        result = session.run(job.case.plan, session.decoded(short()))

    assert said in result.results[0].why
