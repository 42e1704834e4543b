# SPDX-License-Identifier: GPL-3.0-or-later
"""A mask model is named by its file where it is on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import mask_models
from cgc_addon.masks.models.known import KNOWN
from cgc_addon.masks.models.weights import VARIABLE


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder of models in which there are none yet."""
    folder = tmp_path / "models"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def put_model(folder: Path, name: str) -> None:
    """Write files that have the size of a model's, and take no room."""
    for path, file in zip(KNOWN[name].paths(folder), KNOWN[name].files, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.truncate(file.size)


def test_a_model_that_is_here_is_named_by_its_file(no_models: Path) -> None:
    assert mask_models.model_argument("mobilesam") == "mobilesam"
    assert mask_models.present_models() == frozenset()
    put_model(no_models, "mobilesam")
    assert mask_models.present_models() == {"mobilesam"}
    path = Path(mask_models.model_argument("default"))
    assert path == KNOWN["mobilesam"].paths(no_models)[0]
    assert mask_models.model_argument("none") == "none"
