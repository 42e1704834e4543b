# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Training": what an earlier run left behind."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.panels.training import CGC_PT_training
from cgc_addon.blender.training.dataset_facts import look
from cgc_addon.blender.training.operators import TrainingOperator

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


def test_when_training_has_ended_the_panel_knows_at_once(dataset):
    run = dataset.with_name("desk_run")
    run.mkdir()
    (run / "config.json").write_text("{}")
    look(bpy.context.scene)
    assert "is not finished" in drawn(CGC_PT_training).text
    (run / "segments.json").write_text("{}")
    TrainingOperator().ended(bpy.context)
    assert "is not finished" not in drawn(CGC_PT_training).text


def test_a_dataset_that_was_not_looked_at_yet_is_not_said_to_be_missing(dataset):
    assert "Looking" in drawn(CGC_PT_training).text
    assert "Needs a dataset" not in drawn(CGC_PT_training).text
