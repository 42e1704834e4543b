# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cgc.observations import AnsweredView, observe
from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.mask_answers import pack_masks
from cgc_addon.errors import CgcError
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.splats.initialise import gaussians_from_points
from cgc_addon.splats.ply import write_ply
from cgc_addon.training import memory
from cgc_addon.training.memory import available_memory, estimate, refuse_if_too_large
from cgc_addon.training.parameters import splat_of
from cgc_addon.training.presets import configure, preset

from ..benchmarks.memory import SAMPLE, Shape, made, measured_in_a_process
from ..tiny_dataset import tiny_gaussians

SMALL = {
    "gaussians": 8_000,
    "views": 48,
    "masked": 48,
    "answered": 24,
    "width": 480,
    "height": 360,
    "photo_cache": 2**30,
}


def test_more_of_anything_never_needs_less():
    config = preset("standard")
    base = estimate(config, **SMALL).total
    for name in ("views", "masked", "answered", "width", "height"):
        assert estimate(config, **{**SMALL, name: SMALL[name] * 4}).total >= base
    larger = replace(
        config,
        geometry=replace(config.geometry, densify=replace(config.geometry.densify, cap=5_000_000)),
    )
    assert estimate(larger, **SMALL).total > base + 5_000_000 * 59 * 4 * 3


def test_photos_are_estimated_at_no_less_than_their_blending_weights_take(tiny_dataset):
    """Features are learned on these: an index and a weight for each Gaussian in each pixel."""
    backend, views = CpuBackend(), load_dataset(tiny_dataset).scene.views
    splat = splat_of(tiny_gaussians(), backend.device)
    labels = [np.ones((36, 48), np.int32)] * len(views)
    seen = observe(backend, splat, views, labels, seed=0)
    taken = sum(one.blending.weights.nbytes + one.blending.gaussians.nbytes for one in seen)
    size = {"gaussians": 440, "width": 48, "height": 36, "photo_cache": 0}
    few, twice = (
        estimate(preset("standard"), views=count, masked=count, answered=0, **size).weights
        for count in (len(views), 2 * len(views))
    )
    assert taken <= twice - few <= 6 * taken


def test_answers_are_estimated_at_what_they_take(tiny_dataset):
    """Cells of sampled pixels and what these show; those of others are gone with their view."""
    backend, views = CpuBackend(), load_dataset(tiny_dataset).scene.views
    labels = [np.ones((36, 48), np.int32)] * len(views)
    masks = pack_masks(np.ones((1, 36, 48), np.bool_), np.ones(1), np.ones(1))
    cells = np.zeros((36, 48), np.int32)
    answered = [AnsweredView(masks, lambda: cells) for _ in views]
    splat = splat_of(tiny_gaussians(), backend.device)
    seen = observe(backend, splat, views, labels, answers=answered, seed=0)
    taken = 0
    for one in seen:
        assert one.cells is not None
        assert one.surface is not None
        taken += one.cells.nbytes + sum(values.nbytes for values in vars(one.surface).values())
    size = {"gaussians": 440, "width": 48, "height": 36, "photo_cache": 0}
    size |= {"views": len(views), "masked": len(views)}
    standard, maps = preset("standard"), configure("standard", evidence="maps")
    without = estimate(standard, answered=0, **size).weights
    assert estimate(standard, answered=len(views), **size).weights - without == pytest.approx(
        taken, rel=0.1
    )
    assert estimate(maps, answered=len(views), **size).weights == without


def test_surfaces_take_memory_for_the_views_that_are_looked_at_together():
    size = {"gaussians": 440, "width": 48, "height": 36, "photo_cache": 0, "views": 9, "masked": 9}
    none, one, two, many = (
        estimate(preset("standard"), answered=answered, **size).rasterizer
        for answered in (0, 1, 2, 9)
    )
    assert none < one < two == many


def test_a_capture_without_masks_needs_nothing_for_them():
    config, none = preset("standard"), {"masked": 0, "answered": 0}
    need = estimate(config, **{**SMALL, **none})
    assert need.weights == need.edges == 0
    assert need.photos == 48 * 480 * 360 * 4


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 2**30)


@pytest.mark.parametrize(
    ("changed", "gaussians", "size", "advice"),
    [
        ({"cap": 50_000_000}, 8_000, 1, "lower --max-gaussians, or"),
        ({"cap": 50_000}, 8_000, 200, "lower --max-size, or"),
        # The splat of --init is as large as it is, whatever the options say.
        ({"cap": 50_000, "init": "splat.ply"}, 20_000_000, 1, "free; close other programs"),
    ],
)
def test_a_refusal_names_what_would_help(
    tiny_dataset, little_memory, changed, gaussians, size, advice
):
    dataset = load_dataset(tiny_dataset)
    view = dataset.scene.views[0]
    camera = replace(view.camera, width=48 * size, height=36 * size)
    scene = replace(dataset.scene, views=(replace(view, camera=camera),))
    dataset = replace(dataset, scene=scene, train=(0,))
    config = replace(preset("standard"), init=changed.get("init"))
    densify = replace(config.geometry.densify, cap=changed["cap"])
    config = replace(config, geometry=replace(config.geometry, densify=densify))
    with pytest.raises(CgcError, match=advice):
        memory.check_memory(config, dataset, gaussians)


def test_a_run_that_fits_or_an_unknown_machine_is_let_through():
    need = estimate(preset("draft"), **SMALL)
    refuse_if_too_large(need, 8 * 2**30, {})
    refuse_if_too_large(need, None, {})
    assert "GiB" in need.sentence()


def test_this_machine_has_some_memory():
    available = available_memory()
    assert available is None or available > 2**28


def test_processes_of_one_machine_share_its_memory():
    need = estimate(preset("draft"), **SMALL)
    refuse_if_too_large(need, 2 * need.total, {}, processes=2)
    with pytest.raises(CgcError, match="are free for 3 processes; start fewer, or close other"):
        refuse_if_too_large(need, 2 * need.total, {}, processes=3)


@pytest.fixture(scope="module")
def like_a_run(tmp_path_factory):
    """A splat as dense as a trained one: nearly opaque where things are."""
    folder, scene = tmp_path_factory.mktemp("run"), load_dataset(SAMPLE).scene
    gaussians = gaussians_from_points(scene.points, scene.point_colors, opacity=0.9)
    write_ply(folder / "splat.ply", gaussians)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads memory in /proc")
@pytest.mark.parametrize("masks", ["none", "answers"])
def test_a_run_needs_within_a_tenth_what_it_says(like_a_run, masks):
    """In a process of its own; with 60,000 Gaussians, less than half of it is the program."""
    shape = Shape(16, 640, 60_000, masks)
    with made(shape) as capture:
        found = measured_in_a_process(capture, shape, like_a_run)
    assert found.most == pytest.approx(found.said, rel=0.1)
