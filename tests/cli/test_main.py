"""The command line as a whole: what starts fast, what exits how."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reelwise.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "av", "genai_prices", "yaml", "rich", "altair", "pydantic")


def run(*arguments, cwd=None, **more):
    command = [sys.executable, "-m", "reelwise", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False, **more)


def loaded(code):
    code += f"\nimport sys; print(','.join(m for m in {HEAVY!r} if m in sys.modules))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


class TestImports:
    def test_the_package_loads_nothing_heavy(self):
        assert loaded("import reelwise") == ""

    def test_help_loads_nothing_heavy(self):
        code = "import io, contextlib\nfrom reelwise.cli import cli\nwith contextlib.redirect_stdout(io.StringIO()):\n    cli.main(['--help'], standalone_mode=False)"

        assert loaded(code) == ""

    def test_pricing_a_plan_loads_no_av(self):
        code = "from pathlib import Path\nfrom reelwise.case import load\nfrom reelwise.stack import stack\n"
        code += f"stack(load(Path({str(ROOT / 'examples' / 'moderation.yaml')!r})))"

        assert "av" not in loaded(code).split(",")


class TestExit:
    def test_every_command_has_help(self, capsys):
        for name in COMMANDS:
            with pytest.raises(SystemExit) as stopped:
                main([name, "--help"])
            assert stopped.value.code == 0
            assert "Usage" in capsys.readouterr().out

    def test_unknown_command_is_bad_input(self):
        assert run("nonsense").returncode == 2

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (("--set", "demand.hours=-1"), "demand.hours"),
            (("--set", "demand.hours=.nan"), "finite"),
            (("--set", "nonsense=1"), "unknown field"),
            (("--set", "model=gemini-99", "--set", "plan=null"), "gemini-99"),
            (("--set", "demand.hours"), "not a setting"),
            (("--day", "yesterday"), "no day"),
            (("--plan", "missing.yaml"), "no such file"),
            (("--rates", "missing.yaml"), "no such file"),
        ],
    )
    def test_bad_input_says_what_where_and_what_to_do(self, change, words):
        result = run("price", ROOT / "examples" / "moderation.yaml", *change)

        assert result.returncode == 2, result.stderr
        assert words in result.stderr
        assert "hint:" in result.stderr
        assert "Traceback" not in result.stderr
        assert result.stdout == ""

    def test_interrupted_in_the_middle(self, tmp_path, until, started):
        """Ctrl-C while a clip is drawn and decoded: 130, a word, no traceback, no half-written report."""
        command = [sys.executable, "-m", "reelwise", "audit", "--demo", "--out", str(tmp_path / "out")]
        restored = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731 - a background shell ignores it
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with started(command, preexec_fn=restored, **pipes) as process:
            until(lambda: list(tmp_path.glob("out/*")), seconds=120)
            process.send_signal(signal.SIGINT)  # at once: a fast machine is through in a few seconds
            _, errors = process.communicate(timeout=120)

        assert process.returncode == 130
        assert "interrupted" in errors
        assert "Traceback" not in errors
        assert not list(tmp_path.glob("out/report.html"))

    def test_output_that_cannot_be_written(self, tmp_path, drawn_clip):
        (tmp_path / "file").write_text("in the way")
        result = run("audit", drawn_clip, "--out", tmp_path / "file" / "out")

        assert result.returncode == 5, result.stderr
        assert "Traceback" not in result.stderr

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_behind_standard_output(self):
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-m", "reelwise", "levers", "--json"]
            result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

        assert result.returncode == 5
        assert "Traceback" not in result.stderr

    def test_a_closed_pipe_is_no_error(self):
        first = subprocess.Popen(
            [sys.executable, "-m", "reelwise", "rates", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert first.stdout is not None
        first.stdout.close()
        _, errors = first.communicate(timeout=60)

        assert b"Traceback" not in errors
        assert first.returncode == 0


class TestAudit:
    def test_writes_report_and_prints_one_json_document(self, drawn_clip, tmp_path):
        result = run("audit", drawn_clip, "--out", tmp_path / "out", "--json", cwd=tmp_path)
        found = json.loads(result.stdout)

        assert result.returncode == 0, result.stderr
        assert {"clips", "stages", "stack", "holdout_error", "report"} <= set(found)
        assert {"path", "seconds", "frames"} <= set(found["clips"][0])
        assert {"stage", "frames_in", "frames_out", "cpu_seconds"} <= set(found["stages"][0])
        assert (tmp_path / "out" / "report.html").is_file()
        assert (tmp_path / "out" / "audit.json").is_file()
        assert list((tmp_path / "evidence").glob("*.yaml"))

    def test_bad_clips(self, tmp_path):
        empty = tmp_path / "empty.mp4"
        empty.write_bytes(b"")
        for path in (tmp_path / "missing.mp4", empty, tmp_path):
            result = run("audit", path, "--out", tmp_path / "out")

            assert result.returncode == 2, result.stderr
            assert "hint:" in result.stderr

    def test_needs_something_to_audit(self):
        assert run("audit").returncode == 2


class TestPriceAndStack:
    def test_keys_of_price(self):
        result = run("price", ROOT / "examples" / "moderation-today.yaml", "--json")
        found = json.loads(result.stdout)

        assert {
            "total_usd_month", "per", "line_items", "evidence_share", "band", "feasible", "why", "latency_ms",
        } <= set(found)  # fmt: skip
        assert {"frame", "minute", "hour", "session", "user"} <= set(found["per"])
        assert {"unit", "quantity", "rate_usd", "amount_usd", "evidence"} <= set(found["line_items"][0])
        assert sum(line["amount_usd"] for line in found["line_items"]) == pytest.approx(found["total_usd_month"])

    def test_stack_of_the_article(self):
        result = run("stack", ROOT / "examples" / "moderation.yaml", "--json")
        found = json.loads(result.stdout)

        assert found["naive_usd_month"] == pytest.approx(135_000)
        assert [round(step["total_usd_month"], 2) for step in found["steps"][:3]] == [45_000, 9_360, 4_680]

    def test_set_changes_any_field(self):
        half = json.loads(
            run("price", ROOT / "examples" / "moderation.yaml", "--set", "demand.hours=25000", "--json").stdout
        )

        assert half["total_usd_month"] == pytest.approx(67_500)

    def test_explain_says_where_the_price_is_from(self):
        text = run("price", ROOT / "examples" / "moderation-today.yaml", "--explain").stdout

        assert "price of gemini" in text
        assert "genai-prices" in text

    def test_search_under_a_floor_leaves_unknown_quality_out(self):
        result = run("search", ROOT / "examples" / "ott.yaml", "--quality-floor", "0.9", "--json")
        found = json.loads(result.stdout)

        assert found["best"]["quality"] >= 0.9
        assert {name for name, _ in found["best"]["levers"]} <= {
            "batch_api",
            "prompt_cache",
            "explicit_cache",
            "flex",
            "precompute",
        }


def test_version():
    assert run("--version").stdout.startswith("reelwise, version ")


def test_no_colour_or_control_codes_in_a_pipe():
    text = run("stack", ROOT / "examples" / "moderation.yaml", env={**os.environ, "TERM": "xterm-256color"}).stdout

    assert "\x1b" not in text
