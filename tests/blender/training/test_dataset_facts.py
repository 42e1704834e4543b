# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a dataset is what is on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.training.dataset_facts import inspect
from cgc_addon.errors import CgcError

SAMPLE = Path(__file__).resolve().parents[3] / "cgc_addon" / "sample"


def test_facts_of_a_broken_dataset_are_an_error(tmp_path):
    with pytest.raises(CgcError, match="not a folder"):
        inspect(tmp_path / "gone", None)
    shutil.copytree(SAMPLE / "sparse", tmp_path / "sparse")
    (tmp_path / "images").mkdir()
    with pytest.raises(CgcError, match="holds no photos"):
        inspect(tmp_path, None)
