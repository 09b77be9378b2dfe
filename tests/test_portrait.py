from __future__ import annotations

import zipfile

import numpy as np
import pytest

from reelwise import portrait as drawing
from reelwise import video
from reelwise.errors import InputError, OutputError
from reelwise.portrait import cut_portrait, portrait_clip, portrait_file, portrait_frames

cv2 = pytest.importorskip("cv2")


def iou(mask, truth):
    """Of two masks that are (almost) empty it is 1."""
    if mask.mean() < 0.005 and truth.mean() < 0.005:
        return 1.0
    return (mask & truth).sum() / max(1, (mask | truth).sum())


@pytest.fixture(scope="module")
def cut(portrait):
    return cut_portrait(portrait)


def test_the_person_is_cut_out_and_nothing_else(cut):
    assert cut.picture.shape == (512, 512, 3)
    assert 0.4 < cut.alpha.mean() < 0.6
    assert cut.alpha[100, 225] == 1  # her face
    assert cut.alpha[450, 390] == 1  # the helmet
    assert cut.alpha[:300, :20].max() == 0  # the flag
    assert cut.alpha[:250, 380:].max() == 0  # the shuttle
    assert cut.picture[300, 150, 0] > 200  # RGB: the suit is orange


def test_she_sits_leaves_and_comes_back(cut):
    shares = [alpha.mean() for _, alpha in portrait_frames(cut, 20, width=160, height=90, fps=2)]

    assert 0.15 < shares[0] < 0.35
    assert max(shares) > 0.35  # leans in
    assert shares[17] == pytest.approx(max(shares), abs=0.01)
    assert min(shares) == shares[25] == 0  # is gone
    assert shares[-1] == pytest.approx(shares[0], abs=0.03)


def test_no_edge_of_the_picture_shows(cut):
    for _, alpha in portrait_frames(cut, 20, width=320, height=180, fps=3):
        lowest, above = alpha[-1].sum(), alpha[-12].sum()
        assert lowest >= 0.7 * above - 3  # down to the frame's edge, as a body is


def test_equal_arguments_give_equal_frames(cut):
    one, two = ([frame for frame, _ in portrait_frames(cut, 0.5, width=96, height=64)] for _ in range(2))

    assert len(one) == 15
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], one[1])  # there is grain


@pytest.mark.parametrize("variant", ["general", "landscape"])
def test_the_network_finds_her(cut, person_models, variant):
    from reelwise.models import PersonSegmentation

    model = PersonSegmentation(variant, folder=person_models)
    found = [
        iou(cv2.resize(model(frame), alpha.shape[::-1]) > 0.5, alpha > 0.5)
        for frame, alpha in portrait_frames(cut, 9, width=640, height=360, fps=2)
    ]

    assert np.mean(found) > 0.94
    assert min(found) > 0.8


def test_the_clip_is_written(portrait, person_models, tmp_path):
    path = portrait_clip(tmp_path / "new" / "clip.mp4", 1, width=160, height=90, fps=10, folder=person_models)

    info = video.probe(path)
    assert (info.width, info.height) == (160, 90)
    assert info.seconds == pytest.approx(1)
    first = next(portrait_frames(cut_portrait(portrait), 0.1, width=160, height=90, fps=10))[0]
    decoded = video.pictures(path, [0.0], long_side=160)[0][1]
    assert decoded.mean((0, 1)) == pytest.approx(first.mean((0, 1)), abs=3)  # the colours survive


def test_from_a_wheel_and_from_the_picture(portrait, tmp_path):
    wheel = tmp_path / "scikit_image.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("skimage/data/astronaut.png", portrait.read_bytes())

    for source in (wheel, portrait):
        assert portrait_file(source, folder=tmp_path / source.stem).read_bytes() == portrait.read_bytes()


def test_it_is_fetched_once_and_again_where_it_is_damaged(portrait, tmp_path, monkeypatch):
    fetched = []

    def fetch(wheel):
        fetched.append(wheel)
        return portrait.read_bytes()

    monkeypatch.setattr(drawing, "fetch_wheel", fetch)
    said = []
    first = portrait_file(folder=tmp_path, say=said.append)
    assert portrait_file(folder=tmp_path) == first
    assert len(fetched) == len(said) == 1
    first.write_bytes(b"")
    assert portrait_file(folder=tmp_path).read_bytes() == portrait.read_bytes()
    assert len(fetched) == 2


def test_another_picture_is_refused(tmp_path):
    (tmp_path / "other.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="not the portrait"):
        portrait_file(tmp_path / "other.png", folder=tmp_path)
    with pytest.raises(InputError, match="not the portrait"):
        cut_portrait(tmp_path / "other.png")


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"seconds": 1e6}, {"fps": 0}, {"width": 63}, {"height": 62}, {"width": 5000}]
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_fetched(tmp_path, monkeypatch, wrong):
    monkeypatch.setattr(drawing, "fetch_wheel", lambda _: pytest.fail("fetched"))
    with pytest.raises(InputError):
        portrait_clip(tmp_path / "clip.mp4", **wrong, folder=tmp_path)


def test_a_place_that_cannot_be_written_to(portrait, person_models, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        portrait_clip(tmp_path / "file" / "clip.mp4", 0.2, width=64, height=64, fps=10, folder=person_models)
    assert portrait.exists()
