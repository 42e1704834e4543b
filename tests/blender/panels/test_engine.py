# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel Engine and the box in the preferences, in every state."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.install import facts
from cgc_addon.blender.install.facts import EngineFacts
from cgc_addon.blender.panels.engine import CGC_PT_engine
from cgc_addon.blender.panels.engine_box import draw_engine_box
from cgc_addon.installation.engine import Engine
from cgc_addon.installation.lock import parse_lock, this_python
from cgc_addon.installation.places import engine_home

from ...tiny_engine import document_of
from ..recorded_layout import RecordedLayout, drawn

MODEL = frozenset({"mobilesam"})


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    home = engine_home(tmp_path, this_python(), "cpu")
    lock = parse_lock(document_of([]), "test")
    return Engine(home, home.folder / "python-1", lock, 1_640_000_000, 1.0)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes panels believe in what was seen."""

    def pretend(**values) -> None:
        nothing = EngineFacts(None, "", False, False, False, MODEL)
        found = EngineFacts(**{**vars(nothing), **values})
        monkeypatch.setattr(facts, "facts_now", lambda: found)

    yield pretend
    facts.keep_check(None)


def box():
    layout = RecordedLayout()
    draw_engine_box(layout, bpy.context)  # pyright: ignore
    return layout.record


def said(record) -> str:
    return " ".join(record.texts)


def test_where_nothing_can_train_both_offer_the_engine(seen) -> None:
    seen(missing=True)
    panel = drawn(CGC_PT_engine)
    assert "not installed yet" in panel.text.replace("not  installed", "not installed")
    assert panel.operators == ["cgc.install_engine_dialog"]
    assert box().operators == ["cgc.install_engine_dialog"]


def test_an_engine_that_is_well_needs_no_panel(seen, engine: Engine) -> None:
    seen(engine=engine)
    assert drawn(CGC_PT_engine).texts == []
    record = box()
    assert f"Python {this_python()}, build CPU, 1.6 GB" in record.texts
    assert record.operators == [
        *("cgc.check_engine", "cgc.install_engine_dialog", "cgc.remove_engine")
    ]


def test_what_a_check_found_is_shown_with_repair(seen, engine: Engine) -> None:
    seen(engine=engine)
    found = {"problems": [f"package{number} is missing." for number in range(9)], "notes": []}
    facts.keep_check({**found, "packages": {}, "free": None})
    record = box()
    assert "cgc.repair_engine" in record.operators
    assert "package0 is missing." in said(record)
    assert "and 3 more" in said(record)
    facts.keep_check({"problems": [], "notes": ["It compiles."], "packages": {"a": "1"}, "free": 5})
    record = box()
    assert "cgc.repair_engine" not in record.operators
    assert "All 1 packages are whole and load; 0 MB free" in said(record)
    assert "It compiles." in said(record)


def test_an_engine_whose_python_is_gone_is_offered_for_repair(seen, engine: Engine) -> None:
    seen(engine=engine, problem="The engine was made with a Python that is gone.")
    panel = drawn(CGC_PT_engine)
    assert "is gone" in panel.text
    assert panel.operators == ["cgc.repair_engine", "preferences.addon_show"]
    assert "cgc.repair_engine" in box().operators


def test_another_lock_is_offered_as_an_update(seen, engine: Engine) -> None:
    seen(engine=engine, update=True)
    assert "cgc.update_engine" in box().operators


def test_a_python_of_the_users_needs_no_engine(seen) -> None:
    seen()
    assert drawn(CGC_PT_engine).texts == []
    assert "the Python below does its work" in " ".join(said(box()).split())


def test_the_mask_model_is_offered_once_there_is_an_engine(seen, engine: Engine) -> None:
    seen(engine=engine, models=frozenset())
    assert "cgc.download_mask_model" in box().operators
    seen(missing=True, models=frozenset())
    assert "cgc.download_mask_model" not in box().operators


def test_progress_is_shown_in_both(job, seen) -> None:
    seen(missing=True)
    job(
        arguments=("install-engine",), title="Install Engine", overall=0.25, seconds_left=80.0,
        stage="Downloading torch (MB)", done=120, total=480,
    )  # fmt: skip
    panel = drawn(CGC_PT_engine)
    assert panel.progress == [(0.25, "25%  ·  80 s left")]
    assert "Downloading torch (MB)  ·  120 / 480" in panel.text
    assert panel.operators == ["cgc.cancel_training"]
    assert box().progress == panel.progress
