"""`reelwise live`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import types
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from click.testing import CliRunner

from reelwise.cli import COMMANDS, main
from reelwise.cli.live import cli
from reelwise.errors import EndpointError, GateError, InputError, MediaError, OutputError, StreamError
from reelwise.live import webcam
from reelwise.video import probe
from reelwise.video.writer import Recording

if TYPE_CHECKING:
    from pathlib import Path

MODEL = """
import numpy as np

def box(frame):
    return (frame[::2, ::2, 0] > 128).astype(np.float32)

def nan(frame):
    return np.full((8, 8), np.nan)

def broken(frame):
    raise ConnectionError("no route")

class Counted:
    calls = 0
    def __call__(self, frame):
        Counted.calls += 1
        return box(frame)

number = 3
"""


def frame_of(index, height=72, width=128):
    frame = np.full((height, width, 3), 60, np.uint8)
    at = 10 + index // 3
    frame[18:54, at : at + 36] = (220, 180, 160)
    return frame


def drawn(path: Path, frames: int) -> Path:
    recording = Recording(path, fps=20)
    for index in range(frames):
        recording.write(frame_of(index % 200), index / 20)
    recording.close()
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return drawn(tmp_path_factory.mktemp("live") / "box.mp4", 80)


@pytest.fixture(autouse=True)
def model(tmp_path, monkeypatch):
    (tmp_path / "drawn_model.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "drawn_model", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return "drawn_model:box"


def run(*arguments):
    return CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)


def test_it_is_among_the_commands():
    assert "live" in COMMANDS


def test_a_clip_as_json(clip, model, tmp_path):
    out = tmp_path / "out.mp4"
    done = run(clip, "--model", model, "--price", "0.001", "--verify", "--out", out, "--json")
    found = json.loads(done.stdout)
    assert found["frames"] == 80
    assert 0 < found["inferences"] < 80
    assert found["inference_share"] == pytest.approx(found["inferences"] / 80, abs=1e-5)
    assert set(found["iou"]) >= {"mean", "p5", "p1", "min"}
    assert found["skip_path_ms"]["p50"] > 0
    assert found["cost_usd"] == pytest.approx(found["inferences"] / 1000)
    assert found["cost_usd_every_frame"] == pytest.approx(0.08)
    assert found["mode"] == "full"
    assert found["outputs"] == [str(out)]
    assert probe(out).frames == 80


def test_a_clip_in_words(clip, model):
    text = run(clip, "--model", model, "--price", "0.001").stdout
    assert "80 frames of 128x72" in text
    assert "every frame sent: 0.08 USD" in text
    assert "not verified (--verify)" in text
    assert "the source ended" in text


@pytest.mark.parametrize(("mode", "calls"), [("max", 80), ("basic", 0), ("off", 0)])
def test_modes(clip, mode, calls):
    found = json.loads(run(clip, "--model", "drawn_model:Counted", "--mode", mode, "--json").stdout)
    assert found["inferences"] == calls
    assert sys.modules["drawn_model"].Counted.calls == calls
    assert found["mode"] == mode


def test_a_mode_that_is_set_from_afar(clip, tmp_path):
    setting = tmp_path / "mode.txt"
    setting.write_text("off\n")
    found = json.loads(run(clip, "--model", "drawn_model:Counted", "--mode-file", setting, "--json").stdout)
    assert sys.modules["drawn_model"].Counted.calls == 0
    assert found["mode_changes"][0]["cause"] == "remote"


def test_a_target_in_money(clip, model):
    found = json.loads(run(clip, "--model", model, "--price", "0.001", "--usd-an-hour", "3.6", "--json").stdout)
    assert found["cost_usd_hour_most"] == 3.6
    assert found["target"] == "3.6 USD an hour"
    found = json.loads(run(clip, "--model", model, "--inferences-a-minute", "60", "--json").stdout)
    assert 3 <= found["inferences"] <= 14


def test_masks_and_a_picture(clip, model, tmp_path):
    picture, masks = tmp_path / "run.svg", tmp_path / "masks.npz"
    run(clip, "--model", model, "--masks", masks, "--picture", picture, "--background", "#00ff00")
    assert np.load(masks)["masks"].shape[0] == 80
    svg = picture.read_text()
    assert svg.count("<image") == 18
    assert "inferences for 80 frames" in svg


def test_a_picture_that_cannot_be_written_does_not_take_the_report_with_it(clip, model, capsys):
    with pytest.raises(OutputError, match="cannot write"):
        cli.main([str(clip), "--model", model, "--picture", f"{clip}/run.svg"], standalone_mode=False)
    assert "80 frames of 128x72" in capsys.readouterr().out


def test_a_pipe(clip, model):
    command = [sys.executable, "-m", "reelwise", "live", clip, "--model", model, "--out", "-", "--pipe", "rgb24"]
    done = subprocess.run(command, capture_output=True, timeout=300, check=True)
    assert len(done.stdout) == 80 * 72 * 128 * 3
    assert b"the source ended" in done.stderr


def test_a_pipe_whose_reader_has_seen_enough_ends_without_an_error(clip, model, started):
    command = [
        sys.executable,
        "-m",
        "reelwise",
        "live",
        clip,
        "--model",
        model,
        "--out",
        "-",
        "--pipe",
        "rgb24",
        "--realtime",
    ]
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert len(process.stdout.read(72 * 128 * 3)) == 72 * 128 * 3
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(120) == 0
    assert b"nobody reads" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_whole_outputs_and_exit_code_130(model, tmp_path, number, started):
    clip = drawn(tmp_path / "long.mp4", 1200)  # a minute
    out, masks = tmp_path / "out.mp4", tmp_path / "masks"
    command = [
        sys.executable, "-m", "reelwise", "live", clip, "--model", model, "--realtime", "--out", out, "--masks", masks, "--json",
    ]  # fmt: skip
    restored = (lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) if number == signal.SIGINT else None
    with started(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=restored
    ) as process:  # fmt: skip
        for line in process.stderr:
            if "first mask" in line:
                break
        time.sleep(1.0)
        process.send_signal(number)
        said, _ = process.communicate(timeout=120)
    found = json.loads(said)
    assert process.returncode == 130
    assert found["ended"] == "interrupted"
    assert 2 <= found["frames"] < 1200
    assert probe(out).frames == found["frames"]
    assert len(list(masks.glob("*.png"))) == found["frames"]
    assert (masks / "masks.csv").exists()


def test_a_call_that_never_ends_does_not_keep_the_command_from_its_exit_code(clip, model, tmp_path):
    (tmp_path / "stuck_model.py").write_text("import time\ndef box(frame):\n    time.sleep(60)\n")
    command = [
        sys.executable, "-m", "reelwise", "live", clip, "--model", "stuck_model:box", "--fallback", model,
        "--model-timeout", "0.05",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=55, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert "its calls do not come back" in done.stderr
    assert "the source ended" in done.stdout


def test_a_file_that_grows(clip, model, tmp_path):
    growing = tmp_path / "growing.ts"
    with av.open(str(clip)) as source, av.open(str(growing), "w", format="mpegts") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    found = json.loads(run(growing, "--follow", "--idle", "0.3", "--model", model, "--json").stdout)
    assert found["frames"] >= 78
    assert "did not grow" in found["ended"] or found["ended"] == "the source ended"


def test_a_virtual_camera(clip, model, monkeypatch):
    sent = []

    class Camera:
        device = "/dev/video9"

        def __init__(self, width, height, fps, device):
            self.width, self.height, self.fps = width, height, fps
            assert device == "/dev/video9"

        send = staticmethod(sent.append)

        def close(self):
            sent.append("closed")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", types.SimpleNamespace(Camera=Camera))
    run(clip, "--model", model, "--virtual-camera", "/dev/video9")
    assert len(sent) == 81
    assert sent[-1] == "closed"


def test_a_ledger_holds_and_settles(clip, tmp_path):
    from reelwise.ledger import Budget, Ledger
    from reelwise.ledger.queries import last_rows

    where = tmp_path / "money.db"
    with Ledger(where) as ledger:
        ledger.set_budget(Budget(name="all", hard=4_000_000))
    done = run(
        clip, "--model", "drawn_model:Counted", "--mode", "max", "--price", "0.001", "--ledger", where, "--feature", "blur",
        "--user", "u1", "--json",
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["cost_nano"] == 4_000_000
    assert sys.modules["drawn_model"].Counted.calls == 4
    with Ledger(where) as ledger:
        rows = [one for one in last_rows(ledger.store, 100) if one["kind"] == "call"]
    assert [(one["feature"], one["user"], one["cost_nano"]) for one in rows] == [("blur", "u1", 1_000_000)] * 4


def test_a_budget_of_nothing_is_exit_code_3(clip, model, tmp_path):
    from reelwise.ledger import Budget, Ledger

    where = tmp_path / "money.db"
    with Ledger(where) as ledger:
        ledger.set_budget(Budget(name="all", hard=1))
    with pytest.raises(GateError, match="no inference was let through") as caught:
        run(clip, "--model", model, "--price", "0.001", "--ledger", where)
    assert caught.value.exit_code == 3


# bad input


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((), InputError, "name a source"),
        (("{clip}", "--demo"), InputError, "brings its own"),
        (("nowhere.mp4",), MediaError, "no such file"),
        (("http://127.0.0.1/x.mp4",), InputError, "is no source"),
        (("{clip}", "--background", "#12"), InputError, "no background"),
        (("{clip}", "--model", "nosuch"), InputError, "no model"),
        (("{clip}", "--model", "nosuch:f"), InputError, "cannot import"),
        (("{clip}", "--model", "drawn_model:nothing"), InputError, "no function"),
        (("{clip}", "--model", "drawn_model:number"), InputError, "no function"),
        (("{clip}", "--model", "nosuch.onnx"), InputError, "no such file"),
        (("{clip}", "--model", "person-segmentation:fast"), InputError, "no variant"),
        (("{clip}", "--usd-an-hour", "1"), InputError, "need a price"),
        (("{clip}", "--price", "cheap"), InputError, "no amount of dollars"),
        (("{clip}", "--quality", "2"), InputError, "a quality is an IoU"),
        (("{clip}", "--json", "--out", "-"), InputError, "both need standard output"),
        (("{clip}", "--out", "x.gif"), InputError, "no video"),
        (("{clip}", "--out", "x.mp4", "--background", "nowhere.png"), InputError, "no background"),
        (("{clip}", "--picture", "x.jpg"), InputError, "a picture is"),
        (("{clip}", "--masks", "x.gif"), InputError, "no masks"),
        (("{clip}", "--header", "nothing"), InputError, "is no header"),
        (("{clip}", "--header", "A: $NO_SUCH_VARIABLE"), InputError, "not set"),
        (("rtsp://127.0.0.1:9/x", "--follow"), InputError, "for files"),
        (("webcam", "--realtime"), InputError, "for files"),
        (("webcam:973",), StreamError, "no such camera|cannot be opened|permission"),
        (("rtsp://127.0.0.1:9/x", "--timeout", "1"), StreamError, "cannot be opened"),
        (("{clip}", "--masks", "{folder}"), OutputError, "no empty folder"),
        (("{clip}", "--out", "{clip}/x.mp4"), OutputError, "cannot write"),
        (("{clip}", "--out", "{clip.parent}/../{clip.parent.name}/{clip.name}"), InputError, "is what is read, too"),
        (("{clip}", "--masks", "{clip}"), InputError, "is what is read, too"),
        (("{clip}", "--out", "x.mkv", "--masks", "x.mkv"), InputError, "is the file of --out, too"),
    ],
)
def test_bad_input_is_an_error_that_says_what(  # noqa: PLR0917 - the case, and three fixtures
    arguments, error, said, clip, model, tmp_path
):
    given = [one.format(clip=clip, folder=tmp_path) for one in arguments]
    named = given if "--model" in given else [*given, "--model", model]
    with pytest.raises(error, match=said):
        run(*named)


@pytest.mark.parametrize(
    ("given", "option", "said"),
    [
        (("--price", "cheap"), "--price", "no amount of dollars"),
        (("--price", "-1"), "--price", "less than nothing"),
        (("--quality", "2"), "--quality", "a quality is an IoU"),
        (("--price", "0.7", "--usd-an-hour", "0.5"), "--usd-an-hour", "one call costs more"),
        (("--inferences-a-minute", "0"), "--inferences-a-minute", "0 inferences a minute"),
        (("--price", "1", "--usd-an-hour", "1", "--inferences-a-minute", "3"), "--usd-an-hour", "at once"),
        (("--fps", "0.1", "--baseline", "0", "--max-age", "5"), "--max-age", "no mask older than 5 s"),
    ],
)
def test_an_error_names_the_option_and_not_the_argument_behind_it(given, option, said, clip, model):
    with pytest.raises(InputError, match=said) as caught:
        run(clip, "--model", model, *given)
    assert caught.value.where.endswith(option)


@pytest.mark.parametrize("name", ["nan", "broken"])
def test_a_model_that_never_answers_is_exit_code_4_after_the_report(clip, name):
    with pytest.raises(EndpointError, match=r"no mask came from it in \d+ calls: ") as caught:
        run(clip, "--model", f"drawn_model:{name}")
    assert caught.value.exit_code == 4
    done = CliRunner().invoke(cli, [str(clip), "--model", f"drawn_model:{name}", "--json"])
    found = json.loads(done.stdout)
    assert found["frames"] == 80
    assert sum(found["failures"].values()) <= 8
    assert found["mode"] == "basic"
    assert "basic: 3 failures in a row" in done.stderr


def test_an_endpoint_that_cannot_be_reached_falls_back_to_the_device(clip, model):
    done = run(clip, "--model", "http://127.0.0.1:9/x", "--fallback", model, "--price", "0.001", "--json")
    found = json.loads(done.stdout)
    assert found["device_inferences"] > 0
    assert found["cost_usd"] == 0


def test_a_camera_that_is_unplugged_in_the_middle_is_said_and_exit_code_4(model, monkeypatch, tmp_path):
    class Camera:
        fps = 20.0

        def __init__(self):
            self.left = 10

        def read(self):
            time.sleep(0.01)
            self.left -= 1
            return frame_of(self.left) if self.left >= 0 else None

        def gone(self):
            return "it was unplugged" if self.left < 0 else ""

        def close(self):
            pass

    cameras = [Camera()]

    def open_(_index):
        if not cameras:
            raise StreamError("there is no such camera", where="/dev/video0")
        return cameras.pop()

    monkeypatch.setattr(webcam, "open_device", open_)
    monkeypatch.setattr(webcam, "_BACKOFF_SECONDS", 0.01)
    out = tmp_path / "out.mp4"
    done = CliRunner().invoke(
        cli, ["webcam", "--model", model, "--out", str(out), "--reconnects", "2", "--json"], catch_exceptions=True
    )
    assert isinstance(done.exception, StreamError)
    assert done.exception.exit_code == 4
    assert "unplugged" in done.stderr
    found = json.loads(done.stdout)
    assert found["reconnects"] >= 1
    assert probe(out).frames == found["frames"] > 0


def test_exit_codes_of_the_command(clip, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["reelwise"])
    with pytest.raises(SystemExit) as caught:
        main(["live", str(clip), "--model", "nosuch"])
    assert caught.value.code == 2
    assert "hint:  person-segmentation" in capsys.readouterr().err


# the embedded network


def test_the_embedded_network_on_a_clip(person_models, shared_clips, monkeypatch):
    monkeypatch.setenv("REELWISE_CACHE", str(person_models))
    done = run(shared_clips / "intel_asl_again.mkv", "--verify", "--price", "0.001", "--json")
    found = json.loads(done.stdout)
    assert found["model"] == "person-segmentation:general"
    assert found["inference_share"] < 0.5
    assert found["iou"]["mean"] > 0.97
    assert found["first_mask_seconds"] is not None


def test_a_model_that_is_not_installed_says_how_to_install_it(clip, monkeypatch, tmp_path):
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("REELWISE_CACHE", str(tmp_path / "empty"))
    with pytest.raises(InputError) as caught:
        run(clip)
    assert "reelwise models install person-segmentation" in caught.value.hint
