# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of a model, or the kind of its files, says how it is opened."""

from hashlib import sha256

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.masks.models import registry
from cgc_addon.masks.models.fetch import RemoteFile
from cgc_addon.masks.models.known import KNOWN, KnownModel
from cgc_addon.masks.models.registry import open_model


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Let openers note what they get, and return the notes; the user's models are in tmp_path."""
    monkeypatch.setenv("CGC_MODELS", str(tmp_path))
    notes = []

    def noting(family):
        def open_files(files, threads):
            notes.append((family, [path.name for path in files], threads))
            return family

        return open_files

    families = (*registry.OPENERS, "painted")
    monkeypatch.setattr(registry, "OPENERS", {family: noting(family) for family in families})
    return notes


def put(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"abc")


def test_a_new_model_of_one_file_is_a_description_and_an_opener(tmp_path, opened, monkeypatch):
    file = RemoteFile("painted.onnx", "http://x/painted.onnx", 3, sha256(b"abc").hexdigest())
    new = KnownModel("painted", "Painted", "Tiny", "MIT", "painted", (file,))
    monkeypatch.setitem(KNOWN, "painted", new)
    put(tmp_path, "painted.onnx")
    for named in ("painted", str(tmp_path / "painted.onnx"), str(tmp_path)):
        assert open_model(named) == "painted"
    assert opened == [("painted", ["painted.onnx"], None)] * 3


def test_a_file_that_is_not_what_it_is_called_is_not_opened(tmp_path, opened, monkeypatch):
    file = RemoteFile("painted.onnx", "http://x/painted.onnx", 3, sha256(b"abd").hexdigest())
    new = KnownModel("painted", "Painted", "Tiny", "MIT", "painted", (file,))
    monkeypatch.setitem(KNOWN, "painted", new)
    put(tmp_path, "painted.onnx")
    with pytest.raises(CgcError, match=r"not the content of Painted; fetch it anew with `models"):
        open_model("painted")
    assert opened == []


def test_files_of_no_known_model_are_opened_by_their_kind(tmp_path, opened):
    put(tmp_path / "one", "mine.pth")
    put(tmp_path / "two", "encoder.onnx", "decoder.onnx")
    open_model(str(tmp_path / "one"), threads=3)
    open_model(str(tmp_path / "two" / "decoder.onnx"))
    assert opened == [
        ("segment-anything", ["mine.pth"], 3),
        ("mobilesam", ["encoder.onnx", "decoder.onnx"], None),
    ]
