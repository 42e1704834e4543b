# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.cgc.observations import observe
from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import CgcError
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.training.memory import available_memory, estimate, refuse_if_too_large
from cgc_addon.training.parameters import splat_of
from cgc_addon.training.presets import preset

from ..tiny_dataset import tiny_gaussians

SMALL = {"gaussians": 8_000, "views": 48, "width": 480, "height": 360, "photo_cache": 2**30}


def test_more_of_anything_never_needs_less():
    config = preset("standard")
    base = estimate(config, **SMALL).total
    for name in ("views", "width", "height"):
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
        estimate(preset("standard"), views=count * len(views), **size).weights for count in (1, 2)
    )
    assert taken <= twice - few <= 6 * taken


def test_a_run_that_cannot_fit_is_refused_with_what_to_lower():
    need = estimate(preset("paper"), **{**SMALL, "gaussians": 50_000_000})
    with pytest.raises(CgcError, match=r"GiB are free; lower --max-gaussians"):
        refuse_if_too_large(need, 8 * 2**30)


def test_a_run_that_fits_or_an_unknown_machine_is_let_through():
    need = estimate(preset("draft"), **SMALL)
    refuse_if_too_large(need, 8 * 2**30)
    refuse_if_too_large(need, None)
    assert "GiB" in need.sentence()


def test_this_machine_has_some_memory():
    available = available_memory()
    assert available is None or available > 2**28
