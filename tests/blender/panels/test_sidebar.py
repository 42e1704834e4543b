# SPDX-License-Identifier: GPL-3.0-or-later
"""Every panel, in every state: it can be drawn, and says what there is and what comes next."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import new_capture, part, segment_collections
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.common.interpreter import Interpreter
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import JobState, Phase
from cgc_addon.blender.jobs.worker_report import WorkerReport
from cgc_addon.blender.panels.dataset import CGC_PT_dataset
from cgc_addon.blender.panels.layout import wrapped
from cgc_addon.blender.panels.output import CGC_PT_export, CGC_PT_render_masks
from cgc_addon.blender.panels.photo_masks import CGC_PT_photo_masks
from cgc_addon.blender.panels.segments import CGC_PT_segments
from cgc_addon.blender.panels.sidebar import CLASSES
from cgc_addon.blender.panels.training import CGC_PT_training
from cgc_addon.blender.training import dataset_facts
from cgc_addon.blender.training.dataset_facts import inspect, look
from cgc_addon.errors import CgcError

SAMPLE = Path(__file__).resolve().parents[3] / "cgc_addon" / "sample"
PANELS = [cls for cls in CLASSES if issubclass(cls, bpy.types.Panel)]


ICONS = frozenset(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())


class RecordedLayout:
    """Stands in for `UILayout`; rows, columns and boxes note into the same record."""

    def __init__(self, record: SimpleNamespace | None = None) -> None:
        empty = SimpleNamespace(texts=[], operators=[], properties=[], progress=[], lists=[])
        self.record = record or empty
        self.enabled = True

    def _inside(self, **_options: Any) -> RecordedLayout:
        return RecordedLayout(self.record)

    row = column = box = split = grid_flow = column_flow = _inside

    def separator(self, **_options: Any) -> None:
        pass

    def label(self, *, text: str = "", icon: str = "NONE") -> None:
        assert icon in ICONS, icon
        self.record.texts.append(text)

    def progress(self, *, text: str = "", factor: float = 0.0, **_options: Any) -> None:
        assert 0.0 <= factor <= 1.0
        self.record.progress.append((factor, text))

    def prop(self, data: Any, name: str, *, icon: str = "NONE", **_options: Any) -> None:
        assert icon in ICONS, icon
        assert name in data.bl_rna.properties, f"{data} has no {name}"
        getattr(data, name)
        self.record.properties.append(name)

    def operator(self, idname: str, *, text: str = "", icon: str = "NONE", **_options: Any) -> Any:
        assert icon in ICONS, icon
        module, name = idname.split(".")
        known = getattr(getattr(bpy.ops, module), name).get_rna_type().properties
        self.record.operators.append(idname)
        self.record.texts.append(text)
        return _Options(known)

    def menu(self, name: str, *, text: str = "", icon: str = "NONE") -> None:
        assert icon in ICONS, icon
        assert hasattr(bpy.types, name), name

    def template_list(self, kind: str, *arguments: Any, **_options: Any) -> None:
        assert hasattr(bpy.types, kind), kind
        _, data, name, active, active_name = arguments
        getattr(active, active_name)
        self.record.lists.append((kind, getattr(data, name)))


class _Options:
    """Takes values for the options that an operator has."""

    def __init__(self, known: Any) -> None:
        object.__setattr__(self, "_known", known)

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in self._known, f"there is no option {name}"


def drawn(panel: type) -> SimpleNamespace:
    """Return what a panel draws now; nothing where its poll says no."""
    layout = RecordedLayout()
    context = bpy.context
    if not hasattr(panel, "poll") or panel.poll(context):
        panel.draw(SimpleNamespace(layout=layout), context)
    return SimpleNamespace(**vars(layout.record), text=" ".join(layout.record.texts))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return a dataset of four photos, chosen in the scene."""
    folder = tmp_path / "desk"
    shutil.copytree(SAMPLE / "sparse", folder / "sparse")
    for name in ("images", "masks"):
        (folder / name).mkdir()
        for file in sorted((SAMPLE / name).iterdir())[:4]:
            shutil.copy(file, folder / name)
    of_scene(bpy.context.scene).dataset = str(folder)
    return folder


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes panels believe in a job."""

    def pretend(**values) -> None:
        state = JobState("Train Segmented Splat", ("train", "/x", "-o", "/y"))
        state = JobState(**{**vars(state), **values})
        monkeypatch.setattr(jobs, "current", lambda: state)
        monkeypatch.setattr(jobs, "running", lambda: not state.ended)

    return pretend


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    jobs.keep_problem(None)
    jobs.keep_worker_report(None)
    dataset_facts.forget()


@pytest.fixture
def segmented() -> bpy.types.Collection:
    """Return a capture with two segments and some unassigned Gaussians."""
    from cgc_addon.blender.capture.parts import root_of
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


def test_an_empty_scene_says_where_to_begin():
    for panel in PANELS:
        drawn(panel)
    assert "Choose the folder of a capture" in drawn(CGC_PT_dataset).text
    assert "Needs a dataset" in drawn(CGC_PT_training).text
    assert "No segments yet" in drawn(CGC_PT_segments).text


def test_before_the_first_look_at_the_disk(dataset):
    for panel in PANELS:
        drawn(panel)
    assert "Looking" in drawn(CGC_PT_dataset).text


def test_dataset_found_then_imported(dataset):
    look(bpy.context.scene)
    before = drawn(CGC_PT_dataset)
    assert "4 photos" in before.text
    assert "cgc.import_colmap" in before.operators
    assert "4 of 4 photos have label maps" in drawn(CGC_PT_photo_masks).text
    assert bpy.ops.cgc.import_colmap(filepath=str(dataset)) == {"FINISHED"}
    after = drawn(CGC_PT_dataset)
    assert "4 photos, 40 cameras in the scene" in after.text
    assert "cgc.camera_view" in after.operators
    assert "cgc.import_colmap" not in after.operators


def test_without_masks_it_says_what_that_means(dataset):
    shutil.rmtree(dataset / "masks")
    look(bpy.context.scene)
    assert "will not be separated" in drawn(CGC_PT_photo_masks).text
    assert "not separated" in drawn(CGC_PT_training).text


def test_some_label_maps_missing_and_some_of_no_photo(dataset):
    maps = sorted((dataset / "masks").iterdir())
    maps[0].rename(dataset / "masks" / "other.png")
    look(bpy.context.scene)
    text = drawn(CGC_PT_photo_masks).text
    assert "3 of 4 photos" in text
    assert "In masks/, belonging to no photo: 1." in text


def test_a_folder_that_is_no_dataset(tmp_path):
    of_scene(bpy.context.scene).dataset = str(tmp_path)
    look(bpy.context.scene)
    for panel in PANELS:
        drawn(panel)
    assert "holds no COLMAP model" in drawn(CGC_PT_dataset).text
    assert "cgc.import_colmap" not in drawn(CGC_PT_dataset).operators


def test_a_run_that_is_there_is_offered(dataset):
    run = dataset.with_name("desk_run")
    run.mkdir()
    (run / "config.json").write_text("{}")
    look(bpy.context.scene)
    assert "cgc.resume_training" in drawn(CGC_PT_training).operators
    (run / "segments.json").write_text("{}")
    look(bpy.context.scene)
    assert "cgc.import_run" in drawn(CGC_PT_training).operators


def test_training_shows_how_far_it_is(dataset, job):
    look(bpy.context.scene)
    job(
        stage="Geometry",
        done=300,
        total=600,
        numbers={"loss": 0.0123, "psnr": 24.56, "gaussians": 12345.0, "steps_per_second": 20.0},
        seconds=61.0,
        seconds_left=30.0,
        notes=("Drawing on the CPU.",),
    )
    shown = drawn(CGC_PT_training)
    assert shown.progress == [(0.5, "Geometry  ·  300 / 600  ·  30 s left")]
    for text in ("24.6 dB", "loss 0.0123", "12,345 Gaussians", "20.0 steps/s", "61 s so far"):
        assert text in shown.text
    assert {"cgc.pause_training", "cgc.stop_training", "cgc.cancel_training"} <= set(
        shown.operators
    )
    assert "cgc.train" not in shown.operators
    for panel in PANELS:
        drawn(panel)


@pytest.mark.parametrize(
    ("phase", "said"),
    [(Phase.PAUSED, "Paused"), (Phase.STOPPING, "Ending"), (Phase.CANCELLING, "Ending")],
)
def test_phases_are_said(job, phase, said):
    job(phase=phase, stage="Geometry")
    assert drawn(CGC_PT_training).progress[0][1].startswith(said)


def test_another_job_is_named(dataset, job):
    look(bpy.context.scene)
    job(title="Render Masks", arguments=("render",), stage="Rendering", done=1, total=3)
    assert "Render Masks is running" in drawn(CGC_PT_training).text
    shown = drawn(CGC_PT_render_masks)
    assert shown.progress
    assert shown.operators == ["cgc.cancel_training"]


def test_the_folder_just_written_can_be_opened(job, tmp_path):
    of_scene(bpy.context.scene).mask_folder = str(tmp_path)
    done = {"title": "Render Masks", "arguments": ("render",), "phase": Phase.DONE}
    job(**done, result={"folder": str(tmp_path)})
    assert "wm.path_open" in drawn(CGC_PT_render_masks).operators
    job(**done, result={"folder": "/elsewhere"})
    assert "wm.path_open" not in drawn(CGC_PT_render_masks).operators


def test_failure_stays_until_it_is_dismissed(dataset, monkeypatch):
    monkeypatch.setenv("CGC_PYTHON", "/nowhere/python")
    with pytest.raises(RuntimeError):
        bpy.ops.cgc.train()
    shown = drawn(CGC_PT_training)
    assert "/nowhere/python" in shown.text
    assert "cgc.dismiss_problem" in shown.operators
    assert bpy.ops.cgc.dismiss_problem() == {"FINISHED"}
    assert "/nowhere/python" not in drawn(CGC_PT_training).text


def test_worker_without_packages_leads_to_the_preferences():
    chosen = Interpreter(Path("/usr/bin/python3"), "named in the preferences", False)
    jobs.keep_worker_report(WorkerReport(chosen, python="3.11", packages={"torch": None}))
    shown = drawn(CGC_PT_training)
    assert "lacks torch" in shown.text
    assert "preferences.addon_show" in shown.operators


def test_a_python_without_the_engine_leads_to_the_preferences():
    sentence = "The Python at /usr/bin/python3 lacks the package 'torch'; choose another."
    jobs.keep_problem(jobs.Problem("CGC_OT_train", sentence))
    assert "preferences.addon_show" in drawn(CGC_PT_training).operators


def test_segments_are_counted(segmented):
    shown = drawn(CGC_PT_segments)
    assert "2 segments of 50 Gaussians, 5 are in none." in shown.text
    assert shown.lists[0][0] == "CGC_UL_segments"
    for panel in PANELS:
        drawn(panel)


def test_hidden_in_the_viewport_only_is_said(segmented):
    bpy.context.view_layer.update()
    first = segment_collections(segmented)[0]
    first.objects[0].hide_set(True)
    assert "so in masks: Segment 001" in " ".join(drawn(CGC_PT_render_masks).texts)
    of_collection(first).shown = False
    assert "so in masks" not in drawn(CGC_PT_render_masks).text


@pytest.mark.parametrize(
    ("sentence", "lines"),
    [
        ("", []),
        ("one two", ["one two"]),
        ("one two three", ["one two", "three"]),
        ("a /long/path/to/a/file.png is", ["a", "/long/", "path/to/", "a/", "file.png", "is"]),
        ("x abcdefghijkl", ["x", "abcdefgh", "ijkl"]),
    ],
)
def test_sentences_are_wrapped_at_words(sentence, lines):
    assert wrapped(sentence, 8, len) == lines


def test_export_offers_three_ways():
    assert drawn(CGC_PT_export).operators == ["cgc.export_ply"] * 3


def test_facts_of_a_broken_dataset_are_an_error(tmp_path):
    with pytest.raises(CgcError, match="not a folder"):
        inspect(tmp_path / "gone", None)
    shutil.copytree(SAMPLE / "sparse", tmp_path / "sparse")
    (tmp_path / "images").mkdir()
    with pytest.raises(CgcError, match="holds no photos"):
        inspect(tmp_path, None)


def test_photos_are_where_an_empty_scene_begins(job):
    assert "cgc.from_photos" in drawn(CGC_PT_dataset).operators
    arguments = ("from-photos", "/photos", "-o", "/desk_dataset", "--run", "/run")
    job(title="Splat from Photos", arguments=arguments, stage="Matching", done=3, total=9,
        overall=0.25, seconds_left=90.0)  # fmt: skip
    running = drawn(CGC_PT_dataset)
    assert running.progress == [(0.25, "25%  ·  2 min left")]
    assert "Matching  ·  3 / 9" in running.text
    assert {"cgc.pause_training", "cgc.stop_training", "cgc.cancel_training"} <= set(
        running.operators
    )
    assert "cgc.from_photos" not in running.operators


def test_what_photos_began_can_be_resumed(job):
    arguments = ("from-photos", "/photos", "-o", "/desk_dataset", "--run", "/run")
    job(arguments=arguments, phase=Phase.FAILED, error="No.")
    after = drawn(CGC_PT_dataset)
    assert "desk_dataset was begun from photos" in after.text
    assert "cgc.resume_from_photos" in after.operators
    of_scene(bpy.context.scene).dataset = "/another"
    assert "cgc.resume_from_photos" not in drawn(CGC_PT_dataset).operators
    of_scene(bpy.context.scene).dataset = ""
    job(arguments=arguments, phase=Phase.DONE)
    assert "cgc.resume_from_photos" not in drawn(CGC_PT_dataset).operators


def test_weights_that_are_missing_can_be_downloaded(dataset, monkeypatch, tmp_path):
    monkeypatch.setenv("CGC_MODELS", str(tmp_path))
    for file in (dataset / "masks").iterdir():
        file.unlink()
    look(bpy.context.scene)
    panel = drawn(CGC_PT_photo_masks)
    assert "MobileSAM is not on this machine" in panel.text
    assert "Download MobileSAM (45 MB)" in panel.text
    assert {"cgc.make_masks", "cgc.import_masks"} <= set(panel.operators)
    sentence = "The weights are missing; fetch them with `models --download vit_b` (375 MB)."
    jobs.keep_problem(jobs.Problem("CGC_OT_make_masks", sentence))
    assert "Download SAM ViT-B (375 MB)" in drawn(CGC_PT_photo_masks).text


def test_masks_that_are_all_there_are_not_made_again_by_accident(dataset):
    look(bpy.context.scene)
    assert "Make Masks Anew…" in drawn(CGC_PT_photo_masks).text
    next((dataset / "masks").iterdir()).unlink()
    look(bpy.context.scene)
    assert "Make Masks Anew…" not in drawn(CGC_PT_photo_masks).text
