# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations sample every labelled view and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cgc_addon.cgc.observations import (
    AnsweredView,
    at_every_level,
    finest_level,
    observe,
    sampled_fraction,
)
from cgc_addon.dataset.mask_answers import pack_masks
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import Interrupted
from cgc_addon.rasterize.blending import BlendingMatrix
from cgc_addon.rasterize.interface import Rendering


class OneGaussianPerPixel:
    """A backend in which Gaussian p alone, with weight 1/2, makes up pixel p."""

    device = torch.device("cpu")

    def __init__(self):
        self.asked = []

    def photos_together(self):
        return None

    def blending_weights(self, splat, view, pixels, *, minimum):
        self.asked.append((view.name, pixels, minimum))
        count = view.camera.width * view.camera.height
        return BlendingMatrix(
            np.arange(len(pixels) + 1),
            pixels.numpy().astype(np.int32),
            np.full(len(pixels), 0.5, np.float32),
            count,
        )


def view(name, width=20, height=10):
    return View(name, PinholeCamera(width, height, 9.0, 9.0, 10.0, 5.0), np.eye(4))


def test_labels_belong_to_the_pixels_drawn_and_views_without_masks_are_left_out():
    backend = OneGaussianPerPixel()
    labels = np.arange(200, dtype=np.int32).reshape(10, 20)
    empty = np.zeros((10, 20), np.int32)
    views = [view("a.png"), view("b.png"), view("c.png")]
    found = observe(backend, None, views, [labels, None, empty], fraction=0.3, seed=1)
    assert [name for name, *_ in backend.asked] == ["a.png"]
    (observation,) = found
    pixels = backend.asked[0][1]
    assert pixels.dtype == torch.int64
    assert len(np.unique(pixels)) == len(pixels) == 60
    np.testing.assert_array_equal(observation.labels, pixels)
    assert observation.pixel_area == pytest.approx(200 / 60)
    np.testing.assert_allclose(observation.coverage(), 0.5)
    np.testing.assert_allclose(observation.sparse().toarray(), 0.5 * np.eye(200)[pixels.numpy()])
    again = observe(backend, None, views, [labels, None, empty], fraction=0.3, seed=1)
    np.testing.assert_array_equal(again[0].labels, observation.labels)


def test_a_quarter_is_sampled_and_less_where_there_is_much():
    assert sampled_fraction([view("a")] * 3) == 0.25
    assert sampled_fraction([view("a", 1000, 1000)] * 20) == pytest.approx(0.1)
    assert sampled_fraction([]) == 0.25


def test_a_label_map_of_another_size_is_a_defect():
    with pytest.raises(ValueError, match=r"a\.png is 5×4, the view 20×10"):
        observe(OneGaussianPerPixel(), None, [view("a.png")], [np.ones((4, 5), np.int32)])


def test_it_stops_between_views():
    backend = OneGaussianPerPixel()
    ones = np.ones((10, 20), np.int32)
    with pytest.raises(Interrupted):
        observe(
            backend,
            None,
            [view("a"), view("b")],
            [ones, ones],
            should_stop=lambda: len(backend.asked) == 1,
        )


def test_maps_of_parts_are_views_of_their_own_besides_those_of_objects():
    backend = OneGaussianPerPixel()
    labels = np.ones((10, 20), np.int32)
    parts = np.arange(200, dtype=np.int32).reshape(10, 20)
    views = [view("a"), view("b"), view("c")]
    found = observe(
        backend, None, views, [labels, 2 * labels, 3 * labels], [parts, None, 0 * parts]
    )
    pixels = backend.asked[0][1].numpy()
    np.testing.assert_array_equal(found[0].parts, pixels)
    assert found[1].parts is None
    assert found[2].parts is None  # an empty one says nothing
    everything = at_every_level(found)
    assert len(everything) == 4
    np.testing.assert_array_equal(everything[0].labels, 1)
    np.testing.assert_array_equal(everything[3].labels, pixels)
    assert everything[3].blending is found[0].blending
    finest = finest_level(found)
    assert len(finest) == 3
    np.testing.assert_array_equal(finest[0].labels, pixels)
    np.testing.assert_array_equal(finest[1].labels, 2)


def test_a_map_of_parts_of_another_size_is_a_defect():
    ones = np.ones((10, 20), np.int32)
    with pytest.raises(ValueError, match=r"label map of a is 5×4"):
        observe(OneGaussianPerPixel(), None, [view("a")], [ones], [np.ones((4, 5), np.int32)])


def test_surfaces_are_looked_for_where_there_are_answers_unless_told_not():
    class WithDepth(OneGaussianPerPixel):
        def render(self, splat, view, *, sh_degree, depth):
            far, whole = torch.full((10, 20), 3.0), torch.ones(10, 20)
            return Rendering(torch.zeros(10, 20, 3), whole, None, far, {})

    corner = np.zeros((1, 10, 20), np.bool_)
    corner[0, :5, :5] = True
    answers = pack_masks(corner, np.ones(1), np.ones(1))
    cells = np.arange(200, dtype=np.int32).reshape(10, 20)
    given = [AnsweredView(answers, lambda: cells), None]
    views, maps = [view("a"), view("b")], [np.ones((10, 20), np.int32)] * 2
    found = observe(WithDepth(), None, views, maps, answers=given)
    np.testing.assert_allclose(found[0].surface.points[:, 2], 3.0)
    assert found[1].surface is None
    without = observe(OneGaussianPerPixel(), None, views, maps, answers=given, surfaces=False)
    assert without[0].surface is None
    np.testing.assert_array_equal(without[0].cells, found[0].cells)
    assert without[0].answers is answers
