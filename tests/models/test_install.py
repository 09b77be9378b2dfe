from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import msgspec
import pytest

from reelwise.errors import InputError, MissingExtraError, OutputError
from reelwise.models import install, shelf
from reelwise.models.install import MEDIAPIPE, install_person_segmentation, networks_in
from reelwise.models.shelf import Installed, folder_of, installed, model_path, put, remove
from reelwise.models.wheel import fetch_wheel

WHEEL_NAME = "mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl"
FOLDER = "mediapipe/modules/selfie_segmentation/selfie_segmentation"


def some(variant="general", raw=b"network", converter=1):
    import hashlib

    sha256 = hashlib.sha256(raw).hexdigest()
    one = Installed(
        variant=variant, file=f"{variant}-{sha256[:16]}.onnx", sha256=sha256, made_from="0" * 64, converter=converter,
        source="a test", day="2026-11-28",
    )  # fmt: skip
    return {one: raw}


def run(*arguments, cache, code=0, **environment):
    import os

    done = subprocess.run(
        [sys.executable, "-m", "reelwise", "models", *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "REELWISE_CACHE": str(cache), **environment},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def wheel(tmp_path, wheel_networks):
    """A wheel with the real networks, as the package index has it, but for everything else in it."""
    path = tmp_path / WHEEL_NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{FOLDER}.tflite", wheel_networks["general"])
        file.writestr(f"{FOLDER}_landscape.tflite", wheel_networks["landscape"])
        file.writestr("mediapipe-0.10.21.dist-info/LICENSE", "the licence")
    return path


# the shelf


def test_what_is_put_on_the_shelf_is_found(tmp_path):
    (path,) = put(some(), {"NOTICE.txt": "thanks"}, tmp_path)

    assert model_path("general", tmp_path) == path
    assert path.read_bytes() == b"network"
    assert (folder_of(tmp_path) / "NOTICE.txt").read_text() == "thanks"
    assert [one.variant for one in installed(tmp_path)] == ["general"]
    with pytest.raises(InputError, match="landscape is not installed"):
        model_path("landscape", tmp_path)


def test_another_variant_stays_and_a_replaced_file_goes(tmp_path):
    (old,) = put(some(raw=b"old"), {}, tmp_path)
    (wide,) = put(some("landscape"), {}, tmp_path)
    (new,) = put(some(raw=b"new"), {}, tmp_path)

    assert not old.exists()
    assert (model_path("general", tmp_path), model_path("landscape", tmp_path)) == (new, wide)


@pytest.mark.parametrize("harm", [b"netw0rk", b"", None])
def test_a_damaged_file_is_noticed(tmp_path, harm):
    (path,) = put(some(), {}, tmp_path)
    if harm is None:
        path.unlink()
    else:
        path.write_bytes(harm)

    with pytest.raises(InputError, match="missing or damaged") as caught:
        model_path("general", tmp_path)
    assert caught.value.hint.endswith("--again")


@pytest.mark.parametrize("harm", ["", "[", '[{"variant": "general"}]', "\x00"])
def test_a_damaged_list_is_noticed_and_mended_by_installing_again(tmp_path, harm):
    put(some(), {}, tmp_path)
    (folder_of(tmp_path) / "installed.json").write_text(harm)

    with pytest.raises(InputError, match="list of installed models is damaged"):
        model_path("general", tmp_path)
    put(some(), {}, tmp_path)
    assert model_path("general", tmp_path).exists()


def test_an_installation_that_is_interrupted_changes_nothing(tmp_path, monkeypatch):
    put(some(raw=b"old"), {}, tmp_path)
    written = shelf.write_whole

    def full_disk(path, data):
        if path.name == "installed.json":
            raise OutputError("no space left", where=str(path))
        written(path, data)

    monkeypatch.setattr(shelf, "write_whole", full_disk)
    with pytest.raises(OutputError):
        put(some(raw=b"new"), {}, tmp_path)

    assert model_path("general", tmp_path).read_bytes() == b"old"


def test_removing_takes_what_is_ours_and_nothing_else(tmp_path):
    put(some(), {"NOTICE.txt": "thanks"}, tmp_path)
    other = folder_of(tmp_path) / "mine.onnx"
    other.write_bytes(b"mine")

    gone = remove(tmp_path)

    assert len(gone) == 3
    assert list(folder_of(tmp_path).iterdir()) == [other]
    assert remove(tmp_path) == ()
    assert installed(tmp_path) == ()


def test_the_cache_is_where_one_says(monkeypatch, tmp_path):
    monkeypatch.delenv("REELWISE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folder_of() == tmp_path / "xdg" / "reelwise" / "models" / "person-segmentation"
    monkeypatch.setenv("REELWISE_CACHE", str(tmp_path / "own"))
    assert folder_of() == tmp_path / "own" / "models" / "person-segmentation"
    assert folder_of(tmp_path / "given") == tmp_path / "given" / "models" / "person-segmentation"


def test_a_cache_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError) as caught:
        put(some(), {}, tmp_path / "file")

    assert "REELWISE_CACHE" in caught.value.hint


# fetching


def test_no_such_wheel_on_the_index(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(
        InputError, match=r"mediapipe==0.10.21: pip could not fetch it: No matching distribution"
    ) as caught:
        fetch_wheel(MEDIAPIPE)

    assert "pip download --no-deps" in caught.value.hint
    assert "--from FILE.whl" in caught.value.hint


def test_another_wheel_under_that_name(monkeypatch, tmp_path):
    with zipfile.ZipFile(tmp_path / WHEEL_NAME, "w") as file:
        file.writestr(
            "mediapipe-0.10.21.dist-info/METADATA", "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n"
        )
        file.writestr("mediapipe-0.10.21.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    with pytest.raises(InputError, match="its checksum is wrong"):
        fetch_wheel(MEDIAPIPE)


def test_a_python_without_pip(monkeypatch, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))

    with pytest.raises(InputError, match="has no pip") as caught:
        fetch_wheel(MEDIAPIPE)
    assert "ensurepip" in caught.value.hint


def test_a_python_that_cannot_be_run(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="pip cannot be run"):
        fetch_wheel(MEDIAPIPE)


def test_an_index_that_does_not_answer():
    with pytest.raises(InputError, match="did not fetch"):
        fetch_wheel(MEDIAPIPE, seconds=0.01)


# files that are given


def test_installing_from_a_wheel(wheel, tmp_path):
    files = install_person_segmentation([wheel], folder=tmp_path)

    assert [path.name.split("-")[0] for path in files] == ["general", "landscape"]
    assert (folder_of(tmp_path) / "LICENSE.txt").read_text() == "the licence"
    assert "Apache License, Version 2.0" in (folder_of(tmp_path) / "NOTICE.txt").read_text()
    assert all(one.source == WHEEL_NAME for one in installed(tmp_path))


def test_installing_from_one_network(wheel_networks, tmp_path):
    given = tmp_path / "selfie_segmentation_landscape.tflite"
    given.write_bytes(wheel_networks["landscape"])

    install_person_segmentation([given], folder=tmp_path)

    assert model_path("landscape", tmp_path).exists()
    with pytest.raises(InputError, match="general is not installed"):
        model_path("general", tmp_path)


def test_installing_twice_fetches_once(wheel, tmp_path, monkeypatch):
    first = install_person_segmentation([wheel], folder=tmp_path)
    monkeypatch.setattr(install, "fetch_wheel", lambda _: pytest.fail("fetched again"))

    assert install_person_segmentation(folder=tmp_path) == first


@pytest.mark.parametrize("why", ["damaged", "older rules", "one of two"])
def test_what_is_not_whole_is_installed_again(wheel, tmp_path, monkeypatch, why):
    first, _ = install_person_segmentation([wheel], folder=tmp_path)
    listed = folder_of(tmp_path) / "installed.json"
    if why == "damaged":
        first.write_bytes(b"")
    elif why == "older rules":
        listed.write_bytes(
            msgspec.json.encode([msgspec.structs.replace(one, converter=0) for one in installed(tmp_path)])
        )
    else:
        listed.write_bytes(msgspec.json.encode(installed(tmp_path)[:1]))
    monkeypatch.setattr(install, "fetch_wheel", lambda _: wheel.read_bytes())

    again = install_person_segmentation(folder=tmp_path)

    assert model_path("general", tmp_path) == again[0]
    assert model_path("landscape", tmp_path) == again[1]


def test_a_wheel_of_another_version_says_which_is_needed(tmp_path):
    path = tmp_path / "mediapipe-0.10.35.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mediapipe/__init__.py", "")
    with pytest.raises(InputError, match="holds no mediapipe/modules") as caught:
        install_person_segmentation([path], folder=tmp_path)

    assert "mediapipe==0.10.21" in caught.value.hint


def test_another_network_is_refused_by_its_checksum(tmp_path):
    path = tmp_path / "other.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(100))
    with pytest.raises(InputError, match="is not the network that is expected"):
        install_person_segmentation([path], folder=tmp_path)


def test_a_damaged_wheel_is_refused(wheel):
    raw = wheel.read_bytes()
    for harmed in (raw[: len(raw) // 2], raw[:5000] + b"\0" * 40_000 + raw[45_000:]):
        with pytest.raises(InputError, match=r"damaged wheel|is not the network"):
            networks_in(harmed, "wheel", {})


def test_a_member_that_unpacks_to_much_is_refused(tmp_path):
    path = tmp_path / "bomb.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{FOLDER}.tflite", bytes(50_000_000))
    with pytest.raises(InputError, match="is larger than"):
        networks_in(path.read_bytes(), "bomb", {})


def test_no_such_file_and_a_folder(tmp_path):
    for path in (tmp_path / "nowhere.whl", tmp_path):
        with pytest.raises(InputError) as caught:
            install_person_segmentation([path], folder=tmp_path)
        assert str(path) in str(caught.value)


def test_without_the_package_that_converts(wheel, tmp_path, monkeypatch):
    for name in ("tflite", "onnx"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            with pytest.raises(MissingExtraError, match=name) as caught:
                install_person_segmentation([wheel], folder=tmp_path)
        assert caught.value.hint == "pip install 'reelwise[live]'"
    assert installed(tmp_path) == ()


# the command


def test_the_command_installs_lists_and_removes(wheel, tmp_path):
    cache = tmp_path / "cache"

    done = run("install", "person-segmentation", "--from", str(wheel), "--json", cache=cache)
    assert [one["model"] for one in json.loads(done.stdout)["models"]] == [
        "person-segmentation:general",
        "person-segmentation:landscape",
    ]
    listed = json.loads(run("list", "--json", cache=cache).stdout)
    assert {one["state"] for one in listed["models"]} == {"ok"}
    assert run("path", cache=cache).stdout.strip() == listed["models"][0]["path"]
    assert run("path", "person-segmentation:landscape", cache=cache).stdout.strip() == listed["models"][1]["path"]
    (cache / "models" / "person-segmentation" / "NOTICE.txt").read_text()
    assert len(json.loads(run("remove", "person-segmentation", "--json", cache=cache).stdout)["removed"]) == 5
    assert "not installed" in run("path", cache=cache, code=2).stderr


def test_the_command_offline(tmp_path):
    said = run(
        "install",
        "person-segmentation",
        cache=tmp_path / "cache",
        code=2,
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(tmp_path),
    )

    assert "pip could not fetch" in said.stderr
    assert "--from FILE.whl" in said.stderr
    assert not said.stdout


def test_the_command_where_nothing_can_be_written(wheel, tmp_path):
    (tmp_path / "file").write_text("no folder")

    said = run("install", "person-segmentation", "--from", str(wheel), cache=tmp_path / "file", code=5)

    assert "REELWISE_CACHE" in said.stderr
