# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
import torch

from cgc_addon.cgc.settings import NoFeatureSettings
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.training.config import DensifySettings, GeometrySettings
from cgc_addon.training.densification import Densifier
from cgc_addon.training.parameters import make_optimizers, to_parameters

COUNT = 40


@pytest.fixture
def parameters():
    random = np.random.default_rng(0)
    return to_parameters(
        Gaussians(
            means=random.normal(size=(COUNT, 3)).astype(np.float32),
            log_scales=np.full((COUNT, 3), -5.0, np.float32),
            quats=np.tile(np.array([1, 0, 0, 0], np.float32), (COUNT, 1)),
            logit_opacities=np.zeros(COUNT, np.float32),
            sh=np.zeros((COUNT, 16, 3), np.float32),
        ),
        3,
        torch.device("cpu"),
    )


def refine(parameters, settings, gradients, step=100, **more):
    """Show one view with the given image-plane gradients (N,), then refine at `step`."""
    optimizers = make_optimizers(parameters, GeometrySettings(), NoFeatureSettings(), 1.0)
    densifier = Densifier(settings, 1.0, 0)
    means2d = torch.zeros((1, COUNT, 2), requires_grad=True)
    info = {
        "means2d": means2d * 1.0,
        "radii": torch.ones((1, COUNT, 2), dtype=torch.int32),
        "width": 2,
        "height": 2,
        "n_cameras": 1,
        "gaussian_ids": None,
    }
    densifier.before_backward(parameters, optimizers, step, info)
    (info["means2d"][0, :, 0] * torch.as_tensor(gradients, dtype=torch.float32)).sum().backward()
    for optimizer in optimizers.values():
        optimizer.step()
    densifier.after_backward(step, info)
    densifier.after_step(parameters, optimizers, step, info, **more)
    return optimizers


SETTINGS = DensifySettings(start=50, stop=1_000, every=100, gradient=0.5, cap=1_000)


def test_gaussians_with_large_gradients_are_cloned(parameters):
    refine(parameters, SETTINGS, np.where(np.arange(COUNT) < 7, 1.0, 0.1))
    assert len(parameters["means"]) == COUNT + 7


@pytest.mark.parametrize("room", [0, 1, 5, 6, 7, 100])
def test_the_cap_is_never_passed_and_the_largest_come_first(parameters, room):
    gradients = np.full(COUNT, 0.1)
    gradients[:7] = 1.0 + np.arange(7)
    before = parameters["means"].detach().clone()
    refine(parameters, replace(SETTINGS, cap=COUNT + room), gradients)
    grown = min(room, 7)
    assert len(parameters["means"]) == COUNT + grown
    copies = {tuple(row) for row in parameters["means"][COUNT:].tolist()}
    assert copies == {tuple(row) for row in before[7 - grown : 7].tolist()}


def test_all_parameters_and_moments_grow_together(parameters):
    optimizers = refine(parameters, SETTINGS, np.ones(COUNT))
    for name, value in parameters.items():
        assert len(value) == 2 * COUNT
        assert optimizers[name].param_groups[0]["params"][0] is value


def test_nothing_happens_between_refinements_or_after_the_stop(parameters):
    refine(parameters, SETTINGS, np.ones(COUNT), step=101)
    refine(parameters, SETTINGS, np.ones(COUNT), step=1_100)
    assert len(parameters["means"]) == COUNT


@pytest.mark.parametrize(("step", "kept"), [(999, True), (1_000, False)])
def test_gradients_are_kept_only_as_long_as_they_are_needed(parameters, step, kept):
    optimizers = make_optimizers(parameters, GeometrySettings(), NoFeatureSettings(), 1.0)
    means2d = torch.zeros((1, COUNT, 2), requires_grad=True) * 1.0
    Densifier(SETTINGS, 1.0, 0).before_backward(parameters, optimizers, step, {"means2d": means2d})
    assert means2d.retains_grad is kept


def test_opacities_are_reset_when_it_is_time(parameters):
    parameters["opacities"].data += 4.0
    refine(parameters, replace(SETTINGS, reset_opacity_every=200), np.zeros(COUNT), step=200)
    assert torch.sigmoid(parameters["opacities"]).max() <= 2 * SETTINGS.prune_opacity + 1e-6


@pytest.mark.parametrize(("step", "grown"), [(96, 0), (97, 7), (100, 7), (101, 0), (1_000, 0)])
def test_a_step_of_several_photos_refines_when_it_is_time_for_one_of_them(parameters, step, grown):
    refine(parameters, SETTINGS, np.where(np.arange(COUNT) < 7, 1.0, 0.1), step, batch=4)
    assert len(parameters["means"]) == COUNT + grown


class TwiceAsMuch:
    """Two processes that see the same."""

    rank, size, local_size = 0, 2, 2

    def sum(self, tensors):
        for tensor in tensors:
            tensor.mul_(2)


def test_views_of_all_processes_count(parameters):
    optimizers = make_optimizers(parameters, GeometrySettings(), NoFeatureSettings(), 1.0)
    densifier = Densifier(SETTINGS, 1.0, 0)
    for step in (10, 12):
        means2d = torch.zeros((1, COUNT, 2), requires_grad=True)
        means2d.grad = torch.full((1, COUNT, 2), 3.0)
        seen = torch.ones((1, COUNT, 2), dtype=torch.int32)
        seen[:, :5] = 0
        info = {"means2d": means2d, "radii": seen, "width": 2, "height": 2, "n_cameras": 1}
        info["gaussian_ids"] = None
        densifier.after_backward(step, info)
        densifier.after_step(parameters, optimizers, step, info, ranks=TwiceAsMuch(), batch=2)
    assert densifier.state["count"].tolist() == [0.0] * 5 + [4.0] * (COUNT - 5)
    expected = [0.0] * 5 + [4 * np.sqrt(18)] * (COUNT - 5)
    assert densifier.state["grad2d"].tolist() == pytest.approx(expected)
