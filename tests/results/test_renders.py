# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn of a splat agrees with the slow reference, and with what the files hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.rasterize import reference
from cgc_addon.results.render_folder import KINDS
from cgc_addon.results.renders import depth_picture, draw, render_views
from cgc_addon.training.parameters import splat_of


@pytest.fixture(scope="module")
def views(tiny_dataset):
    return load_dataset(tiny_dataset).scene.views[:2]


def test_every_kind_is_what_the_reference_says(true_splat, views, backend):
    splat = splat_of(true_splat, torch.device("cpu"))
    segments, features = torch.tensor(true_splat.segments), torch.tensor(true_splat.features)
    for view, drawn in zip(views, draw(true_splat, views, KINDS, backend), strict=True):
        expected = reference.render(splat, view, sh_degree=0, features=features, depth=True)
        assert drawn.view is view
        np.testing.assert_allclose(drawn.rgb, expected.rgb, atol=2e-5)
        np.testing.assert_allclose(drawn.features, expected.features, atol=2e-5)
        labels = reference.label_map(splat, view, segments)[0].numpy()
        assert (drawn.labels != labels).mean() < 0.002  # of two that weigh the same either may win
        alpha, depth = expected.alpha.numpy(), expected.depth.numpy()
        covered = alpha > 0.501
        np.testing.assert_allclose(drawn.depth[covered], depth[covered] / alpha[covered], rtol=1e-4)
        assert not drawn.depth[alpha < 0.499].any()


@pytest.mark.parametrize("what", KINDS)
def test_only_what_is_asked_for_is_drawn(true_splat, views, backend, what):
    drawn = next(draw(true_splat, views, (what,), backend))
    assert [kind for kind in KINDS if getattr(drawn, kind) is not None] == [what]


@pytest.mark.parametrize("what", ["labels", "features"])
def test_what_the_splat_lacks_cannot_be_drawn(true_splat, views, backend, what):
    bare = replace(true_splat, segments=None, features=None)
    with pytest.raises(CgcError, match="had no masks"):
        next(draw(bare, views, (what,), backend))


def test_files_hold_what_was_drawn(true_splat, views, backend, tmp_path):
    render_views(true_splat, views, KINDS, tmp_path, backend)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(KINDS)
    for view, drawn in zip(views, draw(true_splat, views, KINDS, backend), strict=True):
        with Image.open(tmp_path / "labels" / f"{view.stem}.png") as image:
            labels = np.array(image)
        assert labels.dtype == np.uint16
        np.testing.assert_array_equal(labels, drawn.labels)
        with Image.open(tmp_path / "rgb" / f"{view.stem}.png") as image:
            np.testing.assert_allclose(np.array(image) / 255, np.clip(drawn.rgb, 0, 1), atol=0.003)
        depth = np.load(tmp_path / "depth" / f"{view.stem}.npy")
        np.testing.assert_array_equal(depth, drawn.depth)
        kept = np.load(tmp_path / "features" / f"{view.stem}.npy")
        assert kept.dtype == np.float16
        np.testing.assert_allclose(kept, drawn.features, atol=1e-3)


def test_a_stop_leaves_whole_files(true_splat, views, backend, tmp_path):
    asked = iter([False, True])
    with pytest.raises(Interrupted):
        render_views(
            true_splat, views, ("rgb",), tmp_path, backend, should_stop=lambda: next(asked)
        )
    assert [path.name for path in (tmp_path / "rgb").iterdir()] == ["0000.png"]


def test_near_things_are_bright_and_empty_ones_black():
    depth = np.array([[1.0, 2.0], [4.0, 0.0]], np.float32)
    shown = depth_picture(depth).astype(int)
    assert shown[0, 0] > shown[0, 1] > shown[1, 0] > shown[1, 1] == 0
    assert not depth_picture(np.zeros((2, 2), np.float32)).any()
