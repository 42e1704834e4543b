# SPDX-License-Identifier: GPL-3.0-or-later
"""A project of another program is named, with what to export; nothing else is taken for one."""

import zipfile
from pathlib import Path

import pytest

from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import CgcError

PROJECTS = {
    "polycam": ("keyframes/images/1.jpg", "", "is of Polycam, .*ns-process-data polycam`"),
    "record3d": ("metadata.json", "{}", "is of Record3D, .*ns-process-data record3d`"),
    "odm": ("opensfm/reconstruction.json", "[]", "is of OpenDroneMap, .*ns-process-data odm`"),
    "metashape": (
        "cameras.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<document version="2.0.0">',
        "is of Metashape, .* export the cameras as COLMAP",
    ),
    "realityscan": (
        "registration.csv",
        "#name,x,y,alt,heading,pitch,roll\n",
        "is of RealityScan or RealityCapture, .* COLMAP text",
    ),
    "meshroom": ("cameras.sfm", "{}", "is of Meshroom"),
}


@pytest.mark.parametrize("project", PROJECTS)
def test_a_project_is_named_with_what_to_export(tmp_path, project) -> None:
    file, text, sentence = PROJECTS[project]
    (tmp_path / "rgb").mkdir()
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    with pytest.raises(CgcError, match=sentence):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("file", "text"),
    [("notes.xml", "<svg/>"), ("a.csv", "name,price\n"), ("rgb.txt", ""), ("b.xml/c", "<document")],
)
def test_other_files_are_no_project(tmp_path, file, text) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    with pytest.raises(CgcError, match="holds no COLMAP model"):
        load_dataset(tmp_path)


def test_a_capture_that_is_packed_must_be_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "desk.ZIP"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("images/1.jpg", "")
    with pytest.raises(CgcError, match=r"desk\.ZIP is an archive; unpack it"):
        load_dataset(archive)
