"""The sandbox as a service: its invoice, its scenario, its limits, and that a wrong price is found."""

from __future__ import annotations

import ast
import contextlib
import http.client
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelwise.charge import charge
from reelwise.errors import DocumentError, OutputError
from reelwise.models.gemini import Gemini
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.work import Picture, Text, Work, source
from reelwise.rates import Book
from reelwise.requests import Request
from reelwise.sandbox import Sandbox, Scenario
from reelwise.sandbox.prices import Prices, Tally
from reelwise.testing import png, sandbox

DAY = "2026-11-28"


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaTest0123456789")


@pytest.fixture
def book():
    import datetime as dt

    return Book.load(dt.date.fromisoformat(DAY))


def run(box, book, count=10):
    end = OpenAIChat(f"{box.url}/v1")
    works = [
        Work(model="gpt-4o", parts=(Picture(source=source(png(640, 360))), Text(text=f"{at}?"))) for at in range(count)
    ]
    return sum(charge(end.ask(work).used.request(), book).nano for work in works)


def test_a_run_reconciles_and_a_wrong_price_shows_as_a_residual(book):
    with sandbox({"day": DAY}) as box:
        assert run(box, book) - box.invoice.nano == 0
    with sandbox({"day": DAY, "prices": {"gpt-4o": {"output": 10.01}}}) as box:
        residual = run(box, book) - box.invoice.nano
        output = sum(row.output for row in box.invoice.rows)
    assert residual == -output * 10
    assert residual != 0


def test_the_invoice_is_served_and_written(book, tmp_path):
    with Sandbox(Scenario(day=DAY), invoice=tmp_path / "invoice.jsonl") as box:
        spent = run(box, book, 3)
        with contextlib.closing(http.client.HTTPConnection(box.url.rpartition("/")[2])) as line:
            line.request("GET", "/invoice")
            found = json.load(line.getresponse())
        written = [json.loads(line) for line in (tmp_path / "invoice.jsonl").read_text().splitlines()]

    assert found["total_nano"] == spent == sum(row["nano"] for row in written)
    assert found["by_model"] == {"gpt-4o/standard": {"calls": 3, "nano": spent}}
    assert [row["id"] for row in found["rows"]] == [row["id"] for row in written]


MODELS = [
    "gpt-4o",
    "gpt-5-mini",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-3.8-flash",
    "gemini-4-argon",
    "claude-haiku-4-5",
    "claude-haiku-5-5",
]
TOKENS = st.integers(0, 400_000)


@settings(max_examples=200, deadline=None)
@given(
    model=st.sampled_from(MODELS),
    mode=st.sampled_from(["standard", "batch"]),
    day=st.sampled_from([DAY, "2026-12-02", "2027-01-02"]),
    tokens=st.tuples(*[TOKENS] * 5),
    written=st.tuples(TOKENS, TOKENS),
)
def test_two_price_books_agree_to_the_nano_dollar(model, mode, day, tokens, written):
    import datetime as dt

    when = dt.date.fromisoformat(day)
    text, video, audio, cached, output = tokens
    heard = min(audio, cached)
    short, hour = (
        written if "claude" in model else (0, 0)
    )  # who else keeps prefixes has one time, and no price of it here
    tally = Tally(
        text=text + 1,
        video=video,
        audio=audio,
        cached=cached,
        audio_cached=heard,
        output=output,
        write=short,
        write_1h=hour,
    )
    request = Request(
        model=model, count=1, mode=mode, tokens_text=text + 1, tokens_video=video, tokens_audio=audio, tokens_cached=cached,
        tokens_audio_cached=heard, tokens_output=output, tokens_cache_write=short, tokens_cache_write_1h=hour,
    )  # fmt: skip

    assert Prices().nano(model, mode, when, tally) == charge(request, Book.load(when)).nano


def test_prices_have_days_and_modes_that_are_not_sold_are_refused():
    import datetime as dt

    prices, tally = Prices(), Tally(text=1_000_000)
    assert prices.nano("gemini-3.8-flash", "standard", dt.date(2026, 12, 31), tally) == 750_000_000
    assert prices.nano("gemini-3.8-flash", "standard", dt.date(2027, 1, 1), tally) == 1_500_000_000
    assert not prices.offers("gemini-3.7-flash", "batch", dt.date(2026, 12, 31))


def test_answers_depend_on_skill_and_difficulty():
    scenario = {
        "seed": 5,
        "models": [{"match": "mini", "skill": 0.35}, {"match": "gpt-4o", "skill": 0.9}],
        "answers": [{"match": "colour", "labels": ["red", "green", "blue"]}],
        "latency": {"first_ms": 0.1},
    }
    with sandbox(scenario) as box:
        end = OpenAIChat(f"{box.url}/v1")
        for model in ("gpt-4o-mini", "gpt-4o"):
            for at in range(60):
                end.ask(Work(model=model, parts=(Picture(source=source(png(16, 16, at))), Text(text="Which colour?"))))
        rows = box.invoice.rows
    right = {model: [row.right for row in rows if row.model == model] for model in ("gpt-4o-mini", "gpt-4o")}
    hard = [row.difficulty for row in rows]

    assert sum(right["gpt-4o-mini"]) < sum(right["gpt-4o"]) - 10
    assert hard[:60] == hard[60:]
    assert len({row.label for row in rows}) == 3
    doubtful = [row.confidence for row in rows if not row.right]
    sure = [row.confidence for row in rows if row.right]
    assert sum(doubtful) / len(doubtful) < sum(sure) / len(sure)


def test_limits_answer_429_and_say_when():
    from reelwise.errors import BusyError
    from reelwise.models.attempts import Attempts

    with sandbox({"limits": {"tokens_minute": 2000}}) as box:
        end = OpenAIChat(f"{box.url}/v1", attempts=Attempts(0, 0))
        work = Work(model="gpt-4o", parts=(Picture(source=source(png(1280, 720))), Text(text="?")))
        end.ask(work)
        with pytest.raises(BusyError) as caught:
            end.ask(work)

    assert caught.value.status == 429
    assert 0 < caught.value.retry_seconds <= 60


@pytest.mark.parametrize(
    ("scenario", "where"),
    [({"faults": [{"kind": "500", "share": 2}]}, "share"), ({"day": "soon"}, "day"), ({"answers": [{"match": "("}]}, "match"), ({"colour": 1}, "colour"), ({"needs": [{"match": "x", "share": 2}]}, "needs[0].share"), ({"needs": [{"match": "(", "share": 1}]}, "match")],
)  # fmt: skip
def test_a_scenario_that_cannot_be_is_refused(scenario, where):
    with pytest.raises(DocumentError) as caught, sandbox(scenario):
        pass
    assert where in f"{caught.value}"


def test_only_words_that_are_needed_change_answers_and_always_the_same_ones():
    scenario = {"needs": [{"match": "mast", "share": 0.4}], "output": {"tokens": 5}}
    answers = {}
    with sandbox(scenario) as box:
        end = OpenAIChat(f"{box.url}/v1")
        prompts = {"whole": "A mast. Be kind.", "reworded": "Be very kind. A mast!", "without": "Be kind.", "again": ""}
        for name, system in prompts.items():
            answers[name] = [
                end.moderate(
                    Work(
                        model="gpt-4o", labels=("a", "b", "c"), system=system,
                        parts=(Picture(source=source(png(64 + at, 64))), Text(text="Which?")),
                    )
                )
                for at in range(60)
            ]  # fmt: skip
    said = {name: [one.scores[0].label for one in found] for name, found in answers.items()}
    changed = [a != b for a, b in zip(said["whole"], said["without"], strict=True)]

    assert said["whole"] == said["reworded"]
    assert said["without"] == said["again"]
    assert 12 <= sum(changed) <= 36


@pytest.mark.parametrize(
    ("provider", "more", "said"),
    [
        ("anthropic", {"minimum": 0}, "'minimum' is not supported"),
        ("openai", {"maxLength": 5}, "'maxLength' is not supported"),
    ],
)
def test_schemas_are_refused_as_their_vendor_does(provider, more, said, monkeypatch):
    from reelwise.errors import RefusedError
    from reelwise.models.anthropic import Anthropic

    monkeypatch.setenv("ANY_KEY", "any")
    schema = {"type": "object", "properties": {"n": {"type": "string", **more}}, "required": ["n"]}
    closed = {**schema, "additionalProperties": False}
    with sandbox() as box:
        model = {"openai": "gpt-4o", "anthropic": "claude-haiku-4-5"}[provider]
        end = OpenAIChat(f"{box.url}/v1") if provider == "openai" else Anthropic(box.url, "ANY_KEY")
        for sent, why in ((closed, said), (schema, "'additionalProperties' must be false")):
            if sent is schema:
                sent["properties"]["n"] = {"type": "string"}
            with pytest.raises(RefusedError, match=why):
                end.ask(Work(model=model, parts=(Text(text="?"),), schema=json.dumps(sent).encode()))
        assert not box.invoice.rows


def test_a_port_that_is_taken_is_said():
    with sandbox() as box, pytest.raises(OutputError, match="cannot listen"):
        Sandbox(port=int(box.url.rpartition(":")[2]))


def test_nonsense_on_the_line_is_refused_and_the_sandbox_goes_on():
    with sandbox() as box:
        for path, body in (
            ("/v1/chat/completions", b"{"),
            ("/v1/chat/completions", b'{"model": "gpt-4o", "messages": "no"}'),
            ("/v1beta/models/gemini-2.5-pro:generateContent", b'{"contents": [{"parts": [{"inlineData": {"data": "!", "mimeType": "image/png"}}]}]}'),
            ("/v1/messages", b'{"model": "claude-haiku-4-5", "messages": [], "max_tokens": 0}'),
            ("/nowhere", b""),
        ):  # fmt: skip
            with contextlib.closing(http.client.HTTPConnection(box.url.rpartition("/")[2])) as line:
                line.request("POST", path, body=body)
                reply = line.getresponse()
                assert 400 <= reply.status < 500
                assert b"error" in reply.read()
        assert Gemini(f"{box.url}/v1beta").ask(Work(model="gemini-2.5-pro", parts=(Text(text="hi"),))).text


def test_the_command_serves_and_prints_one_document(tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("seed: 3\nday: 2026-11-28\noutput: {tokens: 20}\n")
    command = [
        sys.executable,
        "-m",
        "reelwise",
        "sandbox",
        "--scenario",
        str(scenario),
        "--port",
        "0",
        "--seconds",
        "0.2",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)

    assert found["total_nano"] == 0
    assert found["url"].startswith("http://127.0.0.1:")
    assert "2026-11-28" in done.stderr
    scenario.write_text("faults: [{kind: fire, share: 1}]\n")
    bad = subprocess.run(command, capture_output=True, text=True, check=False)
    assert bad.returncode == 2
    assert "faults" in bad.stderr


def test_the_sandbox_imports_none_of_what_it_checks():
    folder = Path(__file__).resolve().parents[2] / "src" / "reelwise" / "sandbox"
    found = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    assert {name.split(".")[1] for name in found if name.startswith("reelwise.")} == {
        "sandbox",
        "errors",
        "documents",
        "lazy",
    }


def test_scenarios_are_written_as_they_are_read(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("seed: 3\nfaults: [{kind: '429', share: 0.1, retry_after: 1}]\n")
    found = Scenario.load(path)
    assert found.faults[0].kind == "429"
    assert msgspec.json.decode(msgspec.json.encode(found), type=Scenario) == found


def test_files_go_away_after_two_days_and_a_month_may_begin_anywhere():
    from fractions import Fraction

    from reelwise.sandbox.errors import GoneError
    from reelwise.sandbox.store import Stored

    with sandbox() as box:
        path = box.desk.store.new_path()
        path.write_bytes(b"a")
        box.desk.store.add("files/a", Stored(path=path, size=1, until=box.desk.clock.now() + 10))
        assert box.desk.store.file("files/a").size == 1
        box.desk.clock.ahead(11)
        with pytest.raises(GoneError, match="may not exist"):
            box.desk.store.file("files/a")
        box.begin_month({"google/vision/label": 999})
        assert box.desk.before("google/vision/label", Fraction(2)) == 999
        assert box.desk.before("google/vision/label", Fraction(2)) == 1001
