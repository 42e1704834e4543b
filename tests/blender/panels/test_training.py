# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Training": what an earlier run left behind."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.panels.training import CGC_PT_training
from cgc_addon.blender.training.dataset_facts import look

from ..recorded_layout import drawn


def test_a_run_that_is_there_is_offered(dataset):
    run = dataset.with_name("desk_run")
    run.mkdir()
    (run / "config.json").write_text("{}")
    look(bpy.context.scene)
    assert "cgc.resume_training" in drawn(CGC_PT_training).operators
    (run / "segments.json").write_text("{}")
    look(bpy.context.scene)
    assert "cgc.import_run" in drawn(CGC_PT_training).operators
