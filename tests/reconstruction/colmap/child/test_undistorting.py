# SPDX-License-Identifier: GPL-3.0-or-later
"""A solved model becomes photos and cameras without distortion."""

from __future__ import annotations

import shutil

import pycolmap
import pytest

from cgc_addon.files import write_json
from cgc_addon.reconstruction.colmap.child.undistorting import STAGE
from cgc_addon.reconstruction.colmap.process import run_stage


@pytest.fixture(autouse=True)
def mapped(made_up, tmp_path):
    """A model of the photos, in the folder `models/0`."""
    run_stage(
        "mapping",
        {"database": str(made_up / "database.db"), "photos": str(made_up / "photos"),
         "output": str(tmp_path / "models"), "threads": 1, "seed": 0},
        tmp_path / "log.txt",
    )  # fmt: skip


def test_photos_and_model_get_their_names_in_the_dataset(made_up, tmp_path):
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "rest").touch()
    files = sorted(path.name for path in (made_up / "photos").iterdir())
    names = {file: f"day 1/{number}.png" for number, file in enumerate(files)}
    told = []
    result = run_stage(
        "undistorting",
        {"model": str(tmp_path / "models" / "0"), "photos": str(made_up / "photos"),
         "output": str(tmp_path / "output"), "names": names, "threads": 1},
        tmp_path / "log.txt",
        report=told.append,
    )  # fmt: skip
    assert result == {"photos": 6}
    images = tmp_path / "output" / "images"
    written = {path.relative_to(images).as_posix() for path in images.rglob("*.png")}
    assert written == set(names.values())
    assert [path.name for path in images.iterdir()] == ["day 1"]
    assert not (tmp_path / "output" / "rest").exists()
    model = pycolmap.Reconstruction(tmp_path / "output" / "sparse")
    assert {image.name for image in model.images.values()} == set(names.values())
    assert {camera.model.name for camera in model.cameras.values()} == {"PINHOLE"}
    assert (told[-1].stage, told[-1].done, told[-1].total) == (STAGE, 6, 6)


def test_further_pictures_of_some_photos_are_undistorted_alike(made_up, tmp_path):
    files = sorted(path.name for path in (made_up / "photos").iterdir())
    (tmp_path / "opacities").mkdir()
    for name in files[:2]:
        shutil.copy(made_up / "photos" / name, tmp_path / "opacities" / name)
    run_stage(
        "undistorting",
        {"model": str(tmp_path / "models" / "0"), "photos": str(made_up / "photos"),
         "output": str(tmp_path / "output"), "names": {name: name for name in files}, "threads": 1,
         "opacities": str(tmp_path / "opacities")},
        tmp_path / "log.txt",
    )  # fmt: skip
    images, opacities = tmp_path / "output" / "images", tmp_path / "output" / "opacities"
    assert sorted(path.name for path in images.iterdir()) == files
    assert sorted(path.name for path in opacities.iterdir()) == files[:2]
    for name in files[:2]:
        assert (opacities / name).read_bytes() == (images / name).read_bytes()
    assert pycolmap.Reconstruction(tmp_path / "output" / "sparse").num_reg_images() == 6
    assert not (tmp_path / "output" / "reduced").exists()


def test_what_a_killed_call_has_written_is_kept(made_up, tmp_path):
    files = sorted(path.name for path in (made_up / "photos").iterdir())

    def undistorted(output, report=lambda _progress: None):
        arguments = {
            "model": str(tmp_path / "models" / "0"), "photos": str(made_up / "photos"),
            "output": str(output), "names": {file: f"in/{file}" for file in files}, "threads": 1,
        }  # fmt: skip
        run_stage("undistorting", arguments, tmp_path / "log.txt", report=report)

    undistorted(tmp_path / "whole")
    killed = tmp_path / "killed"  # four are whole, the fifth is not, and one has its name already
    (killed / "images" / "in").mkdir(parents=True)
    for number, file in enumerate(files[:5]):
        whole = tmp_path / "whole" / "images" / "in" / file
        target = killed / "images" / ("in" if number == 0 else "") / file
        target.write_bytes(whole.read_bytes()[: 100 if number == 4 else None])
    write_json(killed / "written.json", {"files": files[:4]})
    before = (killed / "images" / files[1]).stat().st_mtime_ns
    told = []
    undistorted(killed, told.append)
    assert told[0].done == 3
    assert (killed / "images" / "in" / files[1]).stat().st_mtime_ns == before
    written = {path.name for path in killed.iterdir()}
    assert written == {path.name for path in (tmp_path / "whole").iterdir()}
    for folder in ("images/in", "sparse"):
        for path in (tmp_path / "whole" / folder).iterdir():
            assert (killed / folder / path.name).read_bytes() == path.read_bytes(), path.name
