# SPDX-License-Identifier: GPL-3.0-or-later
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.masks.models import weights
from cgc_addon.masks.models.fetch import RemoteFile
from cgc_addon.masks.models.known import KNOWN, KnownModel
from cgc_addon.masks.models.registry import open_model
from cgc_addon.masks.models.weights import (
    Weights,
    check_content,
    download_weights,
    find_weights,
    models_folder,
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's own folder of models, empty."""
    monkeypatch.setenv("CGC_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def pair(monkeypatch):
    """A model of two small files in place of MobileSAM."""
    files = (
        RemoteFile("encoder.onnx", "http://x/encoder.onnx", 3, "0" * 64),
        RemoteFile("sam.onnx", "http://x/sam.onnx", 4, "0" * 64),
    )
    model = KnownModel("mobilesam", "MobileSAM", "Small", "MIT", "mobilesam", files)
    monkeypatch.setitem(KNOWN, "mobilesam", model)
    return model


def put(folder: Path, *names: str, content: bytes = b"abc") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(content)
    return [folder / name for name in names]


def test_the_folder_is_the_variable_s_or_the_user_s(folder, monkeypatch):
    assert models_folder() == folder
    monkeypatch.setenv("CGC_MODELS", "~/models")
    assert models_folder() == Path.home() / "models"
    monkeypatch.setenv("CGC_MODELS", " ")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert models_folder() == Path("/data/cgc/models")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert models_folder() == Path.home() / ".local/share/cgc/models"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert models_folder() == Path.home() / "Library/Application Support/cgc/models"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert models_folder() == Path("/local/cgc/models")


def test_a_name_is_found_in_the_given_folders_then_in_the_user_s(folder, pair, tmp_path):
    own = [*put(folder / "mobilesam", "encoder.onnx"), *put(folder / "mobilesam", "sam.onnx")]
    own[1].write_bytes(b"abcd")
    assert find_weights("mobilesam") == Weights("mobilesam", tuple(own))
    assert find_weights("mobilesam", (tmp_path / "none",)).files == tuple(own)
    other = put(tmp_path / "other" / "mobilesam", "encoder.onnx", "sam.onnx")
    found = find_weights("mobilesam", (tmp_path / "other",))
    assert found.files == tuple(own)  # the other sam.onnx is too short
    other[1].write_bytes(b"abcd")
    assert find_weights("mobilesam", (tmp_path / "other",)).files == tuple(other)


@pytest.mark.parametrize("name", list(KNOWN))
def test_what_is_not_there_is_told_with_the_command_that_gets_it(name, folder):
    with pytest.raises(CgcError) as caught:
        find_weights(name)
    assert f"models --download {name}" in str(caught.value)
    assert str(folder) in str(caught.value)
    assert KNOWN[name].label in str(caught.value)


def test_a_file_of_the_wrong_size_is_named(folder):
    put(folder, "sam_vit_b_01ec64.pth")
    with pytest.raises(CgcError, match=r"sam_vit_b_01ec64\.pth has 3 bytes instead of 375,042,383"):
        find_weights("vit_b")


def test_a_path_is_a_checkpoint_a_folder_or_one_of_a_pair(tmp_path):
    (checkpoint,) = put(tmp_path / "a", "mine.pth")
    for path in (checkpoint, tmp_path / "a"):
        assert find_weights(str(path)) == Weights("segment-anything", (checkpoint,))
    encoder, decoder = put(tmp_path / "b", "my.Encoder.onnx", "decoder.onnx")
    for path in (tmp_path / "b", encoder, decoder):
        assert find_weights(str(path)) == Weights("mobilesam", (encoder, decoder))
    third, fourth = put(tmp_path / "b", "other-encoder.onnx", "other-decoder.onnx")
    for path in (tmp_path / "b", encoder):
        with pytest.raises(CgcError, match="does not hold one ONNX encoder and one decoder"):
            find_weights(str(path))
    third.unlink()
    assert find_weights(str(fourth)).files == (encoder, fourth)


def test_a_folder_of_models_holds_a_known_one(folder, pair):
    put(folder / "mobilesam", "encoder.onnx")
    put(folder / "mobilesam", "sam.onnx", content=b"abcd")
    assert find_weights(str(folder)).files == pair.paths(folder)
    assert find_weights(str(folder / "mobilesam")).files == pair.paths(folder)


@pytest.mark.parametrize(
    ("names", "asked", "words"),
    [
        ([], "mobilsam", "neither a mask model nor a file; choose of mobilesam, vit_b"),
        ([], ".", "does not hold one ONNX encoder and one decoder but 0 and 0"),
        (["a.pth", "b.pth"], ".", "holds 2 checkpoints"),
        (["encoder.onnx"], ".", "but 1 and 0"),
        (["encoder.onnx"], "encoder.onnx", "but 1 and 0"),
        (["sam.onnx"], "sam.onnx", "but 0 and 1"),
        (["photo.jpg"], "photo.jpg", "is no mask model"),
        (["sam.safetensors"], "sam.safetensors", "is no mask model"),
    ],
)
def test_wrong_things_are_one_sentence(names, asked, words, tmp_path, monkeypatch):
    put(tmp_path / "here", *names)
    monkeypatch.chdir(tmp_path / "here")
    for find in (find_weights, open_model):
        with pytest.raises(CgcError) as caught:
            find(asked)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def test_all_files_of_a_model_are_fetched_to_where_they_are_found(folder, pair, monkeypatch):
    def fetch(file, home, *, report, should_stop):
        (path,) = put(home, file.name, content=b"x" * file.size)
        return path

    monkeypatch.setattr(weights, "fetch", fetch)
    assert download_weights("mobilesam") == find_weights("mobilesam").files == pair.paths(folder)
    other = folder.parent / "other"
    assert download_weights("mobilesam", other) == pair.paths(other)


def test_a_file_of_a_known_model_must_hold_what_that_model_does(tmp_path, monkeypatch):
    (sound,) = put(tmp_path / "a", "known.pth", content=b"weights")
    file = RemoteFile("known.pth", "", 7, hashlib.sha256(b"weights").hexdigest())
    known = replace(next(iter(KNOWN.values())), name="known", label="The Known", files=(file,))
    monkeypatch.setattr(weights, "KNOWN", {"known": known})
    check_content(Weights("segment-anything", (sound,)))
    (other,) = put(tmp_path / "b", "mine.pth", content=b"WEIGHTS")
    check_content(Weights("segment-anything", (other,)))  # claims to be nothing known
    (harmed,) = put(tmp_path / "c", "known.pth", content=b"weighTs")
    with pytest.raises(CgcError) as caught:
        check_content(Weights("segment-anything", (harmed,)))
    assert str(caught.value).startswith(
        f"{harmed} is damaged: it has not the content of The Known; fetch it anew with "
        "`models --download known`"
    )
    harmed.unlink()
    with pytest.raises(CgcError, match=r"known\.pth could not be read: No such file"):
        check_content(Weights("segment-anything", (harmed,)))


def test_an_unknown_name_is_not_fetched():
    with pytest.raises(CgcError, match="no mask model 'sam2'; choose of mobilesam, vit_b"):
        download_weights("sam2")


def test_the_weights_on_this_machine_are_what_is_promised(mobilesam_files):
    for path, file in zip(mobilesam_files, KNOWN["mobilesam"].files, strict=True):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
