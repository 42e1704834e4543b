# SPDX-License-Identifier: GPL-3.0-or-later
"""No character is a reason to fail, whatever code page the output is redirected in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def called(arguments, encoding, folder) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "cgc_addon", *arguments],
        capture_output=True, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding, "CGC_MODELS": str(folder)},
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "utf-8"])
def test_names_of_any_script_can_be_printed(tmp_path, encoding):
    done = called(["models"], encoding, tmp_path / "写真 ü")
    assert (done.returncode, done.stderr) == (0, b"")
    first = done.stdout.decode(encoding).splitlines()[0]
    assert first.encode("ascii", "backslashreplace").decode().count("\\u5199\\u771f") == 1


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_so_can_help_and_failures(tmp_path, encoding):
    assert called(["train", "--help"], encoding, tmp_path).returncode == 0
    done = called(["segment", str(tmp_path / "写真")], encoding, tmp_path)
    assert done.returncode == 1
    assert b"\\u5199\\u771f does not exist; train first" in done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16"])
def test_what_machines_read_is_utf8(tmp_path, encoding):
    folder = tmp_path / "写真"
    done = called(["models", "--json"], encoding, folder)
    assert json.loads(done.stdout.decode("utf-8"))["folder"] == str(folder)


@pytest.mark.skipif(os.name != "posix", reason="names there are UTF-16")
def test_a_name_that_is_no_text_can_be_printed(tmp_path):
    done = called(["models"], "utf-8", tmp_path / "photo\udcff")
    assert done.returncode == 0
    assert b"photo\\udcff" in done.stdout
