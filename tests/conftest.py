"""Fixtures that several folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# how long an example takes says more about the machine than about the code
settings.register_profile("reelwise", deadline=None)
settings.load_profile("reelwise")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def drawn_clip(tmp_path_factory) -> Path:
    """A small loading bay, drawn once a worker: 12 s, 320x180, 10 frames a second, with sound."""
    from reelwise import video

    path = tmp_path_factory.mktemp("clip") / "bay.mp4"
    video.draw_demo(path, seconds=12, width=320, height=180, fps=10)
    return path


@pytest.fixture
def shared_clips() -> Path:
    """The folder of real clips beside the checkout, where there is one."""
    folder = ROOT.parent / "shared" / "clips"
    if not folder.is_dir():
        pytest.skip("no real clips beside this checkout (../shared/clips)")
    return folder


@pytest.fixture(scope="session")
def person_models() -> Path:
    """A cache with the person-segmentation networks, installed once a checkout; set REELWISE_CACHE to it, or pass it as `folder`."""
    pytest.importorskip("onnxruntime")
    from reelwise.errors import InputError
    from reelwise.models import install_person_segmentation

    folder = ROOT / "build" / "test-models"
    try:
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
