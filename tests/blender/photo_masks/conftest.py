# SPDX-License-Identifier: GPL-3.0-or-later
"""A dataset in the scene whose photos have masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .quarter_masks import quarters, save


@pytest.fixture
def masked(write_capture: Callable[..., Path]) -> Iterator[Path]:
    """Return a dataset of four photos, two of them with masks, imported into the scene."""
    import bpy

    from cgc_addon.blender.photo_masks import review

    folder = write_capture()
    for name in ("0000", "0001"):
        save(folder / "masks" / f"{name}.png", quarters())
    assert bpy.ops.cgc.import_colmap(filepath=str(folder)) == {"FINISHED"}
    yield folder
    review.forget()
