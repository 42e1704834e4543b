# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample is copied once, whole, to where runs may be written beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.install import sample_operator
from cgc_addon.errors import CgcError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        bpy.utils, "extension_path_user", lambda _package, *, path, create: str(tmp_path)
    )
    return tmp_path


def test_it_is_imported_with_its_cameras(home: Path) -> None:
    assert bpy.ops.cgc.open_sample() == {"FINISHED"}
    assert Path(bpy.context.scene.cgc.dataset) == home / "desk"
    assert len([item for item in bpy.data.objects if item.cgc.kind == "CAMERA"]) == 40
    assert [path.name for path in home.iterdir()] == ["desk"]


def test_a_copy_that_is_there_stays(home: Path) -> None:
    (home / "desk").mkdir()
    (home / "desk" / "mine").write_text("kept")
    assert sample_operator.sample_copy() == home / "desk"
    assert (home / "desk" / "mine").read_text() == "kept"


def test_a_full_disk_leaves_no_half_of_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_source: Path, target: Path) -> None:
        target.mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sample_operator.shutil, "copytree", fail)
    with pytest.raises(CgcError, match=r"could not be copied to .*: No space left on device"):
        sample_operator.sample_copy()
    assert list(home.iterdir()) == []
