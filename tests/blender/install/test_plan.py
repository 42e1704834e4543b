# SPDX-License-Identifier: GPL-3.0-or-later
"""What the dialog says before anything is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.install import base, plan
from cgc_addon.blender.install.base import Base
from cgc_addon.blender.install.install_operators import draw_plan
from cgc_addon.blender.install.plan import BuildPlan, EnginePlan
from cgc_addon.errors import CgcError
from cgc_addon.installation.lock import this_python

from ..recorded_layout import RecordedLayout

GB = 10**9


def a_plan(**changes) -> EnginePlan:
    builds = (BuildPlan("cpu", GB // 2, 2 * GB), BuildPlan("cuda", 3 * GB, 6 * GB))
    own = Base(Path("/blender/python"), "3.11", True)
    return replace(EnginePlan(own, Path("/data/cgc-engine"), builds, False, 5 * GB), **changes)


def text_of(planned: EnginePlan, build: str) -> str:
    layout = RecordedLayout()
    draw_plan(layout, planned, build)  # pyright: ignore
    return "\n".join(layout.record.texts)


def test_place_sizes_and_room_are_said() -> None:
    text = text_of(a_plan(), "auto")
    assert "/data/cgc-engine/py3.11-cpu" in text
    assert "500 MB to download, 2.0 GB on the disk" in text
    assert "5.0 GB are free there" in text
    assert "CPU (no NVIDIA driver answers)" in text


def test_a_driver_makes_it_cuda_and_too_little_room_is_said() -> None:
    text = text_of(a_plan(nvidia=True), "auto")
    assert "/data/cgc-engine/py3.11-cuda" in text
    assert "Not enough room: 9.0 GB are needed meanwhile, 5.0 GB are free" in text
    assert "CUDA (an NVIDIA driver answers)" in text
    assert a_plan(nvidia=True).has_room("cpu")


def test_what_cannot_be_had_is_not_planned() -> None:
    planned = a_plan(nvidia=True, builds=(BuildPlan("cpu", GB, GB),))
    assert planned.build("auto").name == planned.build("cuda").name == "cpu"


def test_offline_is_said_with_both_ways_out() -> None:
    layout = RecordedLayout()
    draw_plan(layout, a_plan(), "cpu")  # pyright: ignore
    assert "Blender may not go online." in layout.record.texts
    assert layout.record.operators == [
        "extensions.userpref_allow_online",
        "cgc.install_engine_archive",
    ]


def test_sizes_come_from_the_locks(engines: Path, locks: Path) -> None:
    planned = plan.plan_engine()
    assert [build.name for build in planned.builds] == ["cpu", "cuda"]
    assert planned.builds[0].installed == 100_000
    assert planned.base.own
    assert planned.engines == engines


def test_another_python_does_where_blenders_has_no_lock(
    locks: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import sys

    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / f"python{this_python()}"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(base, "this_python", lambda: "3.99")
    found = base.find_base()
    assert (found.program, found.python, found.own) == (program, this_python(), False)
    program.write_text("#!/bin/sh\nexit 127\n")
    with pytest.raises(CgcError, match=r"has Python 3\.99, for which there is no engine; install"):
        base.find_base()
