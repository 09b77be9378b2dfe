"""Calls on a line where everything goes wrong: who is billed twice, how often calls are sent, what cut streams are settled at. Prints JSON.

    python bench/run_faults.py [--calls 100000] [--quick] [--json]

A sandbox in a process of its own answers calls of three vendors, whole and streamed, and loses requests and replies, cuts streams, answers
429, 500, 503 and 504, nonsense, and answers without usage. The caller settles each call by what it can know: by the usage of its answer, as
ambiguous, or not at all. Afterwards the sandbox's invoice is read, row by row, by the id of the call.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from reelwise.charge import charge
from reelwise.errors import AmbiguousError, AnswerError, EndpointError
from reelwise.models.anthropic import Anthropic
from reelwise.models.attempts import Attempts
from reelwise.models.gemini import Gemini
from reelwise.models.openai_chat import OpenAIChat
from reelwise.models.work import Picture, Text, Work, source
from reelwise.rates import Book
from reelwise.testing import png

DAY = "2026-11-28"
FAULTS = {
    "429": 0.02, "500": 0.01, "503": 0.005, "504": 0.005, "lost_request": 0.005, "lost_reply": 0.01, "cut_stream": 0.01,
    "no_usage": 0.002, "bad_json": 0.002, "refused": 0.005,
}  # fmt: skip
THREADS = 48
STREAMED, CUT = 0.15, 0.3  # of the calls; of the streams, by the caller
MODELS = ("gpt-4o", "gemini-2.5-flash", "claude-haiku-4-5")


class Bench:
    """All calls, and what the caller made of them."""

    def __init__(self, url: str) -> None:
        self.attempts = Attempts()
        common: dict[str, Any] = {"attempts": self.attempts}
        self.ends = (OpenAIChat(f"{url}/v1", **common), Gemini(f"{url}/v1beta", **common), Anthropic(url, **common))
        self.book = Book.load(dt.date.fromisoformat(DAY))
        self.picture = Picture(source=source(png(640, 360)))
        self.inputs = [
            end.ask(self._work(model, "input", "0000000")).used for end, model in zip(self.ends, MODELS, strict=True)
        ]

    def _work(self, model: str, name: str, words: str) -> Work:
        return Work(
            model=model, parts=(self.picture, Text(text=f"What is it, {words}?")), identity=name, timeout_seconds=60
        )

    def one(self, number: int) -> dict[str, Any]:
        """Make one call and settle it."""
        at = number % len(self.ends)
        name = f"call-{number:07d}"
        work = self._work(MODELS[at], name, f"{number:07d}")
        streamed = (number * 2_654_435_761) % 2**32 / 2**32
        found: dict[str, Any] = {"name": name, "streamed": streamed < STREAMED, "nano": 0}
        try:
            if streamed < STREAMED:
                answer = self._streamed(at, work, cut=streamed < STREAMED * CUT, after=3 + number % 20)
            else:
                answer = self.ends[at].ask(work)
            return self._settled(found, answer.used, at)
        except AnswerError as error:
            if error.spent is None:
                return {**found, "state": "ambiguous"}
            return self._settled(found, error.spent, at)
        except AmbiguousError:
            return {**found, "state": "ambiguous"}
        except EndpointError:
            return {**found, "state": "not billed"}

    def _streamed(self, at: int, work: Work, *, cut: bool, after: int) -> Any:
        with self.ends[at].stream(work) as stream:
            for piece, _ in enumerate(stream):
                if cut and piece >= after:
                    break
        return stream.answer

    def _settled(self, found: dict[str, Any], used: Any, at: int) -> dict[str, Any]:
        if used.unpriced:
            return {**found, "state": "ambiguous"}
        if not used.input_known:  # a stream without its usage: the input is what equal calls said
            known = self.inputs[at]
            used = msgspec.structs.replace(used, tokens_text=known.tokens_text, tokens_image=known.tokens_image)
        state = "posted" if used.complete else "cut"
        return {**found, "state": state, "nano": charge(used.request(model=MODELS[at]), self.book).nano}


def compare(calls: list[dict[str, Any]], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Hold what the caller made of its calls against the invoice."""
    billed: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        billed.setdefault(row.get("identity", ""), []).append(row)
    exact = wrong = 0
    cuts: list[float] = []
    ambiguous = Counter()
    undelivered_nano = ambiguous_nano = 0
    for call in calls:
        mine = billed.get(call["name"], [])
        nano = sum(row.get("nano", 0) for row in mine)
        if call["state"] == "posted":
            exact, wrong = (exact + 1, wrong) if nano == call["nano"] else (exact, wrong + 1)
        elif call["state"] == "cut":
            cuts.append(abs(call["nano"] - nano) / nano if nano else 1.0)
        elif call["state"] == "ambiguous":
            ambiguous["billed" if mine else "not billed"] += 1
            ambiguous_nano += nano
        elif mine:
            wrong += 1
        undelivered_nano += (
            sum(row.get("nano", 0) for row in mine if not row.get("delivered", True)) if call["state"] != "cut" else 0
        )
    cuts.sort()
    return {
        "double_charges": sum(len(mine) > 1 for name, mine in billed.items() if name.startswith("call-")),
        "posted_exact": exact,
        "posted_or_voided_wrong": wrong,
        "ambiguous": dict(ambiguous),
        "ambiguous_nano_on_the_invoice": ambiguous_nano,
        "undelivered_nano_on_the_invoice": undelivered_nano,
        "cut_streams": len(cuts),
        "cut_streams_off_by_more_than_5_percent": sum(one > 0.05 for one in cuts),
        "cut_streams_error": {"median": cuts[len(cuts) // 2] if cuts else None, "max": cuts[-1] if cuts else None},
    }


def run(count: int) -> dict[str, Any]:
    os.environ.update(
        OPENAI_API_KEY="sk-bench-000000", GEMINI_API_KEY="AIzaBench000000", ANTHROPIC_API_KEY="sk-ant-bench00"
    )
    scenario = {
        "seed": 11, "day": DAY, "output": {"tokens": 60, "spread": 0.3}, "latency": {"tokens_second": 300, "streams_only": True},
        "faults": [{"kind": kind, "share": share, "retry_after": 0.01} for kind, share in FAULTS.items()],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path, invoice = Path(folder) / "scenario.yaml", Path(folder) / "invoice.jsonl"
        path.write_text(json.dumps(scenario))
        command = [
            sys.executable,
            "-m",
            "reelwise",
            "sandbox",
            "--scenario",
            str(path),
            "--port",
            "0",
            "--invoice",
            str(invoice),
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
            url = (server.stderr or sys.stdin).readline().split()[1]
            try:
                bench = Bench(url)
                began = time.perf_counter()
                with ThreadPoolExecutor(THREADS) as pool:
                    calls = list(pool.map(bench.one, range(count), chunksize=64))
                seconds = time.perf_counter() - began
                time.sleep(0.5)
            finally:
                server.terminate()
        rows = [json.loads(line) for line in invoice.read_text().splitlines()]
    attempts = bench.attempts
    return {
        "calls": count,
        "faults": FAULTS,
        "states": dict(Counter(call["state"] for call in calls)),
        "attempts": attempts.attempts - len(MODELS),
        "attempts_to_calls": (attempts.attempts - len(MODELS)) / count,
        "retries_denied": attempts.denied,
        **compare(calls, rows),
        "calls_a_second": round(count / seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="2,000 calls")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(json.dumps(run(2_000 if options.quick else options.calls), indent=2))


if __name__ == "__main__":
    main()
