# SPDX-License-Identifier: GPL-3.0-or-later
"""What may only be read is read; where something is to be written, one sentence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..without_privileges import cgc, read_only, writable


@pytest.fixture(scope="module")
def dataset(tiny_dataset, tmp_path_factory) -> Iterator[Path]:
    folder = shutil.copytree(tiny_dataset, tmp_path_factory.mktemp("data") / "capture")
    yield read_only(folder)
    writable(folder)


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory) -> Iterator[Path]:
    """A run that is read-only itself, trained on photos that are."""
    run = tmp_path_factory.mktemp("runs") / "run"
    done = cgc(
        "train", dataset, "-o", run, "--preset", "draft", "--steps", "20", "--backend", "cpu"
    )
    assert done.returncode == 0, done.stderr
    yield read_only(run)
    writable(run)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_photos_that_may_only_be_read_are_trained(trained, dataset) -> None:
    assert (trained / "splat.ply").is_file()
    assert not [path for path in dataset.rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "RUN", "-o", "NEW/a.spz"),
        ("render", "RUN", "-o", "NEW/pictures", "--backend", "cpu"),
        ("undistort", "DATA", "-o", "NEW/copy"),
        ("pick", "RUN", "--view", "0003.png", "--at", "24,18", "--backend", "cpu"),
    ],
)
def test_what_is_only_read_may_be_read_only(trained, dataset, tmp_path, arguments) -> None:
    places = {"RUN": trained, "DATA": dataset}
    before = files(trained)
    done = cgc(*(places.get(one, one.replace("NEW", str(tmp_path))) for one in arguments))
    assert done.returncode == 0, done.stderr
    assert files(trained) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "DATA", "-o", "HERE/run", "--steps", "5"),
        ("train", "DATA", "-o", "RUN", "--resume"),
        ("segment", "RUN", "--granularity", "0"),
        ("evaluate", "RUN", "DATA", "--backend", "cpu"),
        ("export", "RUN", "-o", "HERE/a.ply"),
        ("render", "RUN", "-o", "HERE/pictures", "--backend", "cpu"),
        ("undistort", "DATA", "-o", "HERE/copy"),
        ("masks", "DATA", "--import", "DATA/gt", "--overwrite"),
        ("solve", "DATA/images", "-o", "HERE/solved"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(trained, dataset, tmp_path, arguments) -> None:
    here = tmp_path / "here"
    here.mkdir()
    read_only(here)
    before = files(trained)
    named = [
        one.replace("HERE", str(here)).replace("DATA", str(dataset)) if one != "RUN" else trained
        for one in arguments
    ]
    done = cgc(*named)
    writable(here)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("cgc: ")]
    assert "could not be written" in sentence
    assert "permission" in sentence.lower()
    assert files(here) == []
    assert files(trained) == before
