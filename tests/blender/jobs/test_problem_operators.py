# SPDX-License-Identifier: GPL-3.0-or-later
"""The message of a job that failed can be taken away."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.jobs import registry as jobs


def test_a_message_that_was_dismissed_is_gone() -> None:
    jobs.keep_problem(jobs.Problem("CGC_OT_train", "The disk is full."))
    assert bpy.ops.cgc.copy_problem() == {"FINISHED"}
    assert jobs.problem() is not None  # copying keeps it
    assert bpy.ops.cgc.dismiss_problem() == {"FINISHED"}
    assert jobs.problem() is None
    assert bpy.ops.cgc.copy_problem() == {"FINISHED"}  # nothing, which is no error
