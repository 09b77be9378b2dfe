"""Plans drawn from all settings, faults drawn with them, the process killed and the run taken up again: what holds of money holds of all of them."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from contextlib import nullcontext

import pytest
import yaml

from reelwise import video
from reelwise.errors import InputError
from reelwise.ledger.queries import export
from reelwise.run.job import read_job
from reelwise.run.journal import Journal
from reelwise.run.session import Session
from reelwise.sandbox import Sandbox, Scenario
from reelwise.sandbox.scenario import Fault

CHEAP = ("gemini-2.5-flash-lite", "gemini-2.5-flash", "gpt-4o-mini", "claude-haiku-4-5")
DEAR = ("gemini-2.5-pro", "gpt-4o")
KINDS = ("429", "500", "503", "504", "lost_reply", "cut_stream", "bad_json", "no_usage", "refused")
NARROW = "Answer for {{clip}}."
ASKS = (
    {"task": "moderate", "policy": "You watch a loading bay.", "labels": ["quiet", "busy", "unusual"], "output_most": 60},
    {"task": "ask", "policy": "Look closely. " * 800, "questions": ["What moves?", "What is moving?", "Is it dark?"], "output_most": 80},
    {"task": "describe", "policy": [{"name": "own", "text": NARROW}], "output_most": 50},
    {"task": "ask", "questions": ["How many {{clip}}?", "Who?"], "answer": [{"name": "people", "type": "integer"}], "output_most": 60},
)  # fmt: skip


class KilledError(KeyboardInterrupt):
    """The process is gone."""


def drawn(dice):
    """Draw a plan, what is asked, and what goes wrong."""
    stages = []
    if dice.random() < 0.6:
        parts = {
            name: True for name in ("views", "duplicates", "answers", "questions", "frames") if dice.random() < 0.4
        }
        stages.append({"stage": "reuse", **parts, "explore": dice.choice([0.0, 0.5])})
    stages.append({"stage": "sample", "fps": dice.choice([0.5, 1.0])})
    if dice.random() < 0.3:
        stages.append({"stage": "pack", "columns": 2, "rows": 2})
    if dice.random() < 0.3:
        stages.append({"stage": "prompt", "prefix": 40})
    lanes = [None]
    if dice.random() < 0.4:
        how = dice.choice([{"rule": "price"}, {"rule": "difficulty"}, {"router": dice.choice(CHEAP)}])
        stages.append({"stage": "route", **how})
        lanes = ["easy", "main"]
    stages += [{"stage": "call", **({"lane": lane} if lane else {}), **call(dice, CHEAP)} for lane in lanes]
    if dice.random() < 0.7:
        how = dice.choice(
            [
                {"sure": 0.8},
                {"samples": 3, "agree": 0.6},
                {"second": dice.choice(CHEAP)},
                {"verifier": dice.choice(CHEAP)},
            ]
        )
        stages.append({"stage": "escalate", **({"lane": "easy"} if len(lanes) == 2 else {}), **how})
        stages.append({"stage": "call", "lane": "doubt", **call(dice, DEAR)})
    faults = []
    if dice.random() < 0.6:
        faults = [{"kind": kind, "share": dice.choice([0.05, 0.15])} for kind in dice.sample(KINDS, 2)]
    return stages, dice.choice(ASKS), faults


def call(dice, models):
    """Draw a call of one of some models."""
    model = dice.choice(models)
    caches = ["none", "prefix", "explicit"] if model == "gemini-2.5-pro" else ["none", "prefix"]
    modes = ["standard", "standard", "batch"]
    return {
        "model": model, "mode": dice.choice(modes), "cache": dice.choice(caches), "ask": dice.choice(["each", "once"]),
        "chunk": dice.choice(["none", "none", 2]), "part": dice.choice(["auto", "images"]),
    }  # fmt: skip


class Shared(Session):
    """A session that does not close its sandbox."""

    def _opened(self):
        return nullcontext(self._scenario)


class Story:
    """One drawn run, taken up again until it is over."""

    def __init__(self, seed, folder, clips, box):
        self.box, self.seed = box, seed
        self.dice = random.Random(f"story {seed}")  # noqa: S311 - no secret
        self.folder, self.clips = folder, clips
        self.stages, ask, faults = drawn(self.dice)
        self.at_once = self.dice.choice([1, 1, 4])
        folder.mkdir()
        self.path = folder / "plan.yaml"
        self.path.write_text(
            yaml.safe_dump(
                {"feature": "bay", "latency": "day", "day": "2026-11-22", "plan": {"stages": self.stages}, "ask": ask}
            )
        )
        self.faults, self.invoiced, self.rows = faults, [], []

    def scenario(self, *, calm):
        faults = tuple(Fault(**one) for one in self.faults) if not calm else ()
        return Scenario(
            seed=self.seed, day="2026-11-22", batch_seconds=0.02, batch_done=0.7 if faults else 1.0, faults=faults
        )

    def part(self, *, calm=True, max_usd=None, killed_at=None):
        """Run a part of it; None where it was killed."""
        job = read_job(self.path)
        self.box.desk.scenario = self.scenario(calm=calm)
        with Shared(
            job, sandbox=True, scenario=self.box, out=self.folder / "out", at_once=self.at_once, max_usd=max_usd
        ) as session:
            with pytest.MonkeyPatch.context() as patch:
                if killed_at is not None:
                    patch.setattr(Journal, "_write", dying(Journal._write, killed_at))
                try:
                    result = session.run(job.case.plan, session.decoded(self.clips))
                except KilledError:
                    result = None
            self.rows = [row for page in export(session.ledger.store) for row in page]
            self.held, self.jobs = session.ledger.open_holds, session.ledger.jobs()
        self.invoiced += self.box.invoice.rows
        return result


def dying(write, after):
    """Let so many lines be written, and no more."""
    left = [after]

    def dies(self, line):
        if left[0] <= 0:
            raise KilledError
        left[0] -= 1
        write(self, line)

    return dies


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Three small clips, a copy of one with other bytes, and one again."""
    folder = tmp_path_factory.mktemp("drawn")
    paths = [folder / f"bay{number}.mp4" for number in range(3)]
    for number, path in enumerate(paths):
        video.draw_demo(path, seconds=3 + number, width=64, height=36, fps=4, seed=number)
    again = folder / "again.mp4"
    shutil.copy(paths[0], again)
    with again.open("ab") as file:
        file.write(b"\0\0\0\x0cfree1234")
    return [*paths, again, paths[1]]


def check(story, result, *, calm):
    """Hold a run that is over to what holds of every run."""
    receipt, rows = result.receipt, story.rows
    assert Counter(one.identity for one in result.outcomes).most_common(1)[0][1] == 1, "an outcome stands twice"
    assert len({row["id_hash"] for row in rows}) == len(rows)
    bills = Counter(
        (row.identity or row.id, row.kind)
        for row in story.invoiced
        if row.nano and row.kind not in {"cache", "storage"}
    )
    assert not bills or max(bills.values()) == 1, f"charged twice: {bills.most_common(2)}"
    lost = sum(one.cost_nano for one in result.outcomes if one.reason == "lost")
    known = receipt.cost_nano - lost
    posted = sum(row["cost_nano"] for row in rows)
    if not lost:
        assert posted == known, f"ledger {posted}, receipt {known}"
    assert posted <= receipt.cost_nano
    invoice = sum(row.nano for row in story.invoiced)
    unsure = [one for one in result.outcomes if one.status == "ambiguous" or one.unpriced]
    if calm:
        assert not unsure
        assert invoice == receipt.cost_nano
    if not unsure:
        assert invoice == receipt.cost_nano, f"invoice {invoice}, receipt {receipt.cost_nano}"
    assert invoice <= receipt.cost_nano
    if calm:
        assert receipt.reconciled.residual_nano == 0, receipt.reconciled.differences
    assert len(result.results) == len(story.clips)
    assert all(one.status for one in result.results)
    if calm:
        assert {one.status for one in result.results} <= {"ok"}, [(one.status, one.why) for one in result.results]
    assert sum(round(one.cost_usd * 1e9) for one in result.results) <= receipt.cost_nano + 5
    assert story.held == 0
    assert not story.jobs


def finished(story, parts):
    """Run so many parts as it is drawn, and calm ones until there is nothing left to do."""
    for _ in range(parts):
        result = story.part(calm=not story.faults)
    for _ in range(8):
        if result is not None and result.stopped is None and not any(one.status == "failed" for one in result.results):
            return result
        result = story.part()
    return result


def tell(seed, folder, clips, *, at_once=None):
    """Run a drawn plan whole; then again, with too little money, killed thrice, and to its end. What it cost; None where it is refused."""
    with Sandbox() as box:
        story = Story(seed, folder / f"{seed}", clips, box)
        story.at_once = at_once or story.at_once
        try:
            whole = finished(story, 1)
        except InputError as error:
            if "$.stages" not in str(error.where):
                raise
            return None
        assert whole.stopped is None, whole.stopped
        check(story, whole, calm=not story.faults)
    with Sandbox() as box:
        other, most = Story(seed, folder / f"{seed}-killed", clips, box), round(whole.receipt.cost_nano * 0.7)
        other.at_once = story.at_once
        first = other.part(max_usd=most / 1e9, calm=not other.faults)
        assert first.receipt.cost_nano <= most
        for _ in range(3):
            other.part(killed_at=other.dice.randrange(1, 30), calm=not other.faults)
        result = finished(other, 1)
        assert result.stopped is None, result.stopped
        check(other, result, calm=False)
    return whole.receipt.cost_nano


@pytest.mark.parametrize("seed", [7, 113, 207])
def test_what_holds_of_money_holds_of_any_plan(seed, clips, tmp_path, monkeypatch):
    """More of them: `for seed in range(...): tell(seed, folder, clips)`."""
    monkeypatch.setattr("reelwise.run.journal.secrets.token_hex", lambda _: f"{seed:012x}")

    assert tell(seed, tmp_path, [clips[0], clips[1], clips[3]], at_once=1)
