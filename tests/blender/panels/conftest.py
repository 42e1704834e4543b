# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels show: a dataset, a job that is made up, a capture with segments."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    import bpy

SAMPLE = Path(__file__).resolve().parents[3] / "cgc_addon" / "sample"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return a dataset of four photos, chosen in the scene."""
    import bpy

    folder = tmp_path / "desk"
    shutil.copytree(SAMPLE / "sparse", folder / "sparse")
    for name in ("images", "masks"):
        (folder / name).mkdir()
        for file in sorted((SAMPLE / name).iterdir())[:4]:
            shutil.copy(file, folder / name)
    bpy.context.scene.cgc.dataset = str(folder)
    return folder


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes panels believe in a job."""
    from cgc_addon.blender.jobs import registry as jobs
    from cgc_addon.blender.jobs.job import JobState

    def pretend(**values) -> None:
        state = JobState("Train Segmented Splat", ("train", "/x", "-o", "/y"))
        state = JobState(**{**vars(state), **values})
        monkeypatch.setattr(jobs, "current", lambda: state)
        monkeypatch.setattr(jobs, "running", lambda: not state.ended)

    return pretend


@pytest.fixture(autouse=True)
def nothing_kept(blender: None):
    from cgc_addon.blender.jobs import registry as jobs
    from cgc_addon.blender.training import dataset_facts

    yield
    jobs.keep_problem(None)
    jobs.keep_worker_report(None)
    dataset_facts.forget()


@pytest.fixture
def segmented() -> bpy.types.Collection:
    """Return a capture with two segments and some unassigned Gaussians."""
    import bpy

    from cgc_addon.blender.capture.parts import new_capture, part, root_of
    from cgc_addon.blender.segments.data import add_splat, new_segment
    from cgc_addon.splats.gaussians import Gaussians

    capture = new_capture(bpy.context.scene, "desk", None)
    random = np.random.default_rng(0)
    for identifier, count in ((1, 30), (2, 20), (0, 5)):
        gaussians = Gaussians(
            means=random.normal(size=(count, 3)).astype(np.float32),
            log_scales=np.full((count, 3), -3.0, np.float32),
            quats=np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
            logit_opacities=np.ones(count, np.float32),
            sh=np.zeros((count, 1, 3), np.float32),
            segments=np.full(count, identifier, np.int32),
        )
        if identifier:
            collection = new_segment(capture, identifier, f"Segment {identifier:03d}", (1, 0, 0))
        else:
            collection = part(capture, "UNASSIGNED", "Unassigned")
        index = np.arange(count, dtype=np.int32)
        add_splat(collection, root_of(capture), gaussians, index, index)
    return capture
