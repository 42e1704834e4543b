# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts correct masks by their numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.masks.label_png import read_label_png

from .quarter_masks import quarters


def file_of(dataset: Path, name: str = "0000", level: str = "masks") -> np.ndarray:
    return read_label_png(dataset / level / f"{name}.png").labels


def test_scripts_correct_by_number(masked: Path) -> None:
    assert bpy.ops.cgc.mark_mask_wrong(ids="1") == {"FINISHED"}
    assert bpy.ops.cgc.merge_masks(ids="3, 2") == {"FINISHED"}
    assert set(np.unique(file_of(masked))) == {0, 3}
    assert bpy.ops.cgc.undo_mask_correction() == {"FINISHED"}
    assert set(np.unique(file_of(masked))) == {0, 2, 3}
    assert bpy.ops.cgc.restore_masks() == {"FINISHED"}
    assert np.array_equal(file_of(masked), quarters())
    with pytest.raises(RuntimeError, match="no numbers"):
        bpy.ops.cgc.merge_masks(ids="a b")
    with pytest.raises(RuntimeError, match="two masks or more"):
        bpy.ops.cgc.merge_masks(ids="3")
    with pytest.raises(RuntimeError, match="with the mouse"):
        bpy.ops.cgc.review_masks()
