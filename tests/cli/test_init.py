"""`reelwise init` writes a file that opens, prices and means what was answered."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from reelwise.case import CaseFile, load, make
from reelwise.cli.init import Answers, cli, workload_text
from reelwise.documents import decode, parse_yaml
from reelwise.errors import InputError, MediaError, OutputError, UnknownModelError
from reelwise.schemas import schema_of

CLIPS = Path(__file__).resolve().parents[2] / ".." / "shared" / "clips"


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=typed, catch_exceptions=False)


def test_without_questions_it_writes_defaults_and_says_so(tmp_path: Path) -> None:
    out = tmp_path / "workload.yaml"
    done = run("--yes", "--out", str(out))
    assert "placeholder" in done.stderr
    assert done.stdout == ""
    text = out.read_text()
    assert text.startswith("# yaml-language-server: $schema=")
    schema = Path(text.splitlines()[0].partition("$schema=")[2])
    assert json.loads(schema.read_text()) == schema_of("workload")
    assert "# a placeholder" in text
    case = load(out)
    assert case.workload.seconds_month == 1000 * 3600
    jsonschema.Draft202012Validator(schema_of("workload")).validate(yaml.safe_load(text))


def test_every_answer_is_an_option(tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    done = run(
        "--yes", "--out", str(out), "--feature", 'a "b": #c', "--task", "look", "--latency", "day", "--questions", "3",
        "--views", "2.5", "--duplicates", "1.5", "--prefix", "2000", "--question-tokens", "40", "--output-tokens", "300",
        "--load", "steady", "--peak-over-mean", "2", "--cameras", "12", "--hours-a-day", "24", "--model", "gpt-5.4",
        "--width", "640", "--height", "360", "--fps", "12.5", "--no-audio", "--json",
    )  # fmt: skip
    printed = json.loads(done.stdout)
    case = load(out)
    assert printed["path"] == str(out)
    assert printed["workload"]["demand"] == {"cameras": 12, "hours_a_day": 24}
    assert printed["naive_usd_month"] > 0
    job = case.workload
    assert (job.feature, job.task, job.latency, job.load, job.peak_over_mean) == (
        'a "b": #c',
        "look",
        "day",
        "steady",
        2,
    )
    assert (job.repetition.questions, job.repetition.views, job.repetition.duplicates) == (3, 2.5, 1.5)
    assert (job.prompt.prefix, job.prompt.question, job.prompt.output) == (2000, 40, 300)
    assert (job.source.width, job.source.height, job.source.fps, job.source.audio) == (640, 360, 12.5, False)
    assert job.source.always_on
    assert case.plan.stages[0].model == "gpt-5.4"  # type: ignore[union-attr]


def test_it_asks_the_four_questions_and_the_demand(tmp_path: Path) -> None:
    out = tmp_path / "asked.yaml"
    answers = ["clips", "day", "yes", "2", "", "", "1500", "no", "yes", "users", "500", "10", "90", ""]
    done = run("--out", str(out), typed="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.stderr
    for question in (
        "real-time?",
        "repeat?",
        "steady around the clock?",
        "spiky and unpredictable?",
        "How much a month",
    ):
        assert question in done.stderr
    job = load(out).workload
    assert (job.feature, job.latency, job.load, job.repetition.questions) == ("clips", "day", "spiky", 2)
    assert job.prompt.prefix == 1500
    assert (job.demand.users, job.demand.sessions, job.demand.seconds) == (500, 10, 90)


def test_it_asks_only_what_no_option_answers(tmp_path: Path) -> None:
    done = run(
        "--out", str(tmp_path / "a.yaml"), "--latency", "seconds", "--views", "4", "--load", "daily", "--hours", "20",
        typed="\n\n",
    )  # fmt: skip
    assert done.exit_code == 0
    assert "real-time" not in done.stderr
    assert "repeat" not in done.stderr
    assert "Name of the feature" in done.stderr


def test_questions_that_nobody_answers_are_no_crash(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not answered") as caught:
        run("--out", str(tmp_path / "a.yaml"), typed="")
    assert "--yes" in caught.value.hint
    assert not (tmp_path / "a.yaml").exists()


def test_it_never_overwrites_without_force(tmp_path: Path) -> None:
    out = tmp_path / "workload.yaml"
    out.write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        run("--yes", "--out", str(out))
    assert out.read_text() == "mine"
    assert run("--yes", "--out", str(out), "--force", "--hours", "5").exit_code == 0
    assert load(out).workload.demand.hours == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--hours", "5", "--cameras", "2"], "hours and by cameras"),
        (["--sessions", "5"], "goes with --users"),
        (["--hours-a-day", "5", "--hours", "3"], "goes with --cameras"),
    ],
)
def test_a_demand_in_two_forms_or_half_of_one_is_refused(tmp_path: Path, options: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        run("--yes", "--out", str(tmp_path / "a.yaml"), *options)


def test_a_model_without_a_price_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        run("--yes", "--out", str(tmp_path / "a.yaml"), "--model", "no-such-model")
    assert not (tmp_path / "a.yaml").exists()


@pytest.mark.parametrize("kind", ["understand", "transcribe", "generate", "segment"])
def test_every_kind_of_job_opens(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "a.yaml"
    assert run("--yes", "--out", str(out), "--kind", kind).exit_code == 0
    assert load(out).workload.kind == kind


def test_a_clip_gives_the_source(tmp_path: Path) -> None:
    from reelwise.video import draw_demo, probe

    clip = tmp_path / "yard.mp4"
    draw_demo(clip, width=320, height=180, fps=10, seconds=6.0)
    out = tmp_path / "a.yaml"
    assert run(str(clip), "--yes", "--out", str(out), "--hours", "10").exit_code == 0
    info, job = probe(clip), load(out).workload
    assert (job.source.width, job.source.height, job.source.fps) == (info.width, info.height, info.fps)
    assert job.source.audio == info.has_audio
    assert job.source.megabits_per_second == pytest.approx(clip.stat().st_size * 8 / info.seconds / 1e6, abs=0.001)
    assert job.lengths[0].seconds == pytest.approx(info.seconds, abs=0.001)
    assert "yard.mp4" in out.read_text()


def test_a_clip_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        run(str(tmp_path / "none.mp4"), "--yes", "--out", str(tmp_path / "a.yaml"))


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the shared clips are not here")
def test_a_real_clip_with_sound(tmp_path: Path) -> None:
    out = tmp_path / "a.yaml"
    assert run(str(CLIPS / "mdn_rabbit320.mp4"), "--yes", "--out", str(out)).exit_code == 0
    assert load(out).workload.source.width == 320


def test_the_schema_is_named_relative_within_a_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = tmp_path / ".venv" / "workload.json"
    monkeypatch.setattr("reelwise.cli.init_text.schema_path", lambda _: installed)
    text = workload_text(Answers(demand={"hours": 1}, model="gemini-2.5-pro"), tmp_path / "workload.yaml")
    assert text.splitlines()[0].endswith("$schema=.venv/workload.json")
    case = make(parse_yaml(text, where="text"), where="text")
    assert case.workload.demand.hours == 1
    decode(parse_yaml(text, where="text"), CaseFile, where="text")
