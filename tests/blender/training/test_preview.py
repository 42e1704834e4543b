# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Matrix, Vector

from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.parts import root_of
from cgc_addon.blender.training import preview


def written(folder: Path, count: int, columns: int = 7) -> Path:
    values = np.arange(count * columns, dtype=np.float32).reshape(count, columns)
    np.save(folder / "preview.npy", values)
    return folder / "preview.npy"


def test_points_are_read_whole_and_never_more_than_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = preview.read_points(written(tmp_path, 10))
    assert points is not None
    assert points.shape == (10, 7)
    assert points[3, 2] == 23.0
    monkeypatch.setattr(preview, "MOST_POINTS", 4)
    points = preview.read_points(written(tmp_path, 10))
    assert points is not None
    assert points[:, 0].tolist() == [0.0, 21.0, 42.0, 63.0]


def test_a_file_that_is_no_preview_is_passed_over(tmp_path: Path) -> None:
    assert preview.read_points(tmp_path / "nothing.npy") is None
    assert preview.read_points(written(tmp_path, 3, columns=6)) is None
    (tmp_path / "preview.npy").write_bytes(b"\x93NUMPY torn")
    assert preview.read_points(tmp_path / "preview.npy") is None
    np.save(tmp_path / "preview.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert preview.read_points(tmp_path / "preview.npy") is None


def test_without_a_window_nothing_is_drawn(tmp_path: Path) -> None:
    preview.show(written(tmp_path, 10), 1, str(tmp_path))
    assert preview._shown.handle is None
    preview.hide()


def test_points_lie_where_the_imported_capture_does(write_capture: Callable[..., Path]) -> None:
    dataset = write_capture()
    import_colmap(bpy.context, dataset)
    (capture,) = [c for c in bpy.data.collections if c.cgc.kind == "CAPTURE"]
    root = root_of(capture)
    root.location = (1.0, 2.0, 3.0)
    bpy.context.view_layer.update()
    assert preview.placement(str(dataset)) == root.matrix_world


def test_points_of_a_capture_that_is_not_imported_stand_upright(tmp_path: Path) -> None:
    placed = preview.placement(str(tmp_path))
    down, forward = Vector((0.0, 1.0, 0.0)), Vector((0.0, 0.0, 1.0))  # of COLMAP's first camera
    assert placed @ down == Vector((0.0, 0.0, -1.0))
    assert placed @ forward == Vector((0.0, 1.0, 0.0))
    assert Matrix(placed).determinant() == pytest.approx(1.0)
