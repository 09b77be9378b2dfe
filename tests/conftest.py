"""Fixtures that several folders share."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more about the machine than about the code. And every commit is held against the same examples: which
# ones are drawn must not decide whether a change gets in. REELWISE_SEARCH=1, as in `make nightly`, looks for new ones.
settings.register_profile(
    "reelwise",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not os.environ.get("REELWISE_SEARCH"),
)
settings.load_profile("reelwise")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def until():
    """Wait for what must come, however slow the machine is: `until(condition)`; its last answer is returned."""

    def wait(condition, seconds=60.0, every=0.005):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"it did not come about within {seconds:g} s")
            time.sleep(every)
        return found

    return wait


@pytest.fixture(scope="session")
def drawn_clip(tmp_path_factory) -> Path:
    """A small loading bay, drawn once a worker: 12 s, 320x180, 10 frames a second, with sound."""
    from reelwise import video

    path = tmp_path_factory.mktemp("clip") / "bay.mp4"
    video.draw_demo(path, seconds=12, width=320, height=180, fps=10)
    return path


@pytest.fixture(scope="session")
def started():
    """Start a process that is killed in the end, whatever happened: a test that fails does not wait for it for ever."""

    @contextlib.contextmanager
    def start(command, **options):
        with subprocess.Popen(command, **options) as process:
            try:
                yield process
            finally:
                process.kill()

    return start


RTSP_PYTHON = "/usr/bin/python3"  # the one that Debian's python3-gi is built for
RTSP_PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert all(Gst.ElementFactory.find(one) for one in ('qtdemux', 'rtph264pay', 'rtpbin', 'udpsrc'))"
)


@pytest.fixture(scope="session")
def rtsp(started):
    """Start a camera on this machine: `rtsp(clip, *options)` is a context that gives its address and a way to tell it what to do."""
    missing = "needs gir1.2-gst-rtsp-server-1.0, python3-gi and gstreamer1.0-plugins-good; .ci/run installs them"
    done = None
    with contextlib.suppress(OSError):
        done = subprocess.run([RTSP_PYTHON, "-c", RTSP_PROBE], capture_output=True, timeout=120, check=False)
    if done is None or done.returncode:
        if os.environ.get("REELWISE_NEED_RTSP"):
            pytest.fail(missing)
        pytest.skip(missing)

    @contextlib.contextmanager
    def start(clip, *options):
        with started(
            [RTSP_PYTHON, ROOT / "tests" / "scan" / "rtsp_server.py", clip, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as process:  # fmt: skip

            def say(word):
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(word + "\n")
                    process.stdin.flush()

            word, port = process.stdout.readline().split()
            assert word == "ready"
            yield f"rtsp://127.0.0.1:{port}/camera", say

    return start


@pytest.fixture
def shared_clips() -> Path:
    """The folder of real clips beside the checkout, where there is one."""
    folder = ROOT.parent / "shared" / "clips"
    if not folder.is_dir():
        pytest.skip("no real clips beside this checkout (../shared/clips)")
    return folder


@contextlib.contextmanager
def alone(folder):
    """Let one worker at a time fetch into a folder; the others find it there then."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        with contextlib.suppress(ImportError):  # on Windows each fetches for itself
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def person_models() -> Path:
    """A cache with the person-segmentation networks, installed once a checkout; set REELWISE_CACHE to it, or pass it as `folder`."""
    pytest.importorskip("onnxruntime")
    from reelwise.errors import InputError
    from reelwise.models import install_person_segmentation

    folder = ROOT / "build" / "test-models"
    try:
        with alone(folder):
            install_person_segmentation(folder=folder)
    except InputError as error:
        if os.environ.get("REELWISE_NEED_MODELS"):
            raise
        pytest.skip(f"the person-segmentation network cannot be installed here: {error.message}")
    return folder


@pytest.fixture(scope="session")
def portrait(person_models) -> Path:
    """The portrait that a person is cut out of, fetched once a checkout."""
    from reelwise.errors import InputError
    from reelwise.portrait import portrait_file

    try:
        with alone(person_models):
            return portrait_file(folder=person_models)
    except InputError as error:
        if os.environ.get("REELWISE_NEED_MODELS"):
            raise
        pytest.skip(f"the portrait cannot be fetched here: {error.message}")


@pytest.fixture(scope="session")
def person_clip(portrait, person_models, tmp_path_factory) -> Path:
    """A person who sits, leaves after 11 s and comes back after 14.3 s: 20 s, 480x270, 10 frames a second."""
    from reelwise.portrait import portrait_clip

    path = tmp_path_factory.mktemp("person") / "person.mp4"
    assert portrait.exists()
    return portrait_clip(path, 20, width=480, height=270, fps=10, folder=person_models)


@pytest.fixture
def installed_person(person_models, monkeypatch) -> Path:
    """The person-segmentation network, where the commands look for it."""
    monkeypatch.setenv("REELWISE_CACHE", str(person_models))
    return person_models
