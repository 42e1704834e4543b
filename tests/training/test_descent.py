# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps after several photos: each as Adam's own, in the order of the photos."""

import pytest
import torch

from cgc_addon.cgc.settings import NoFeatureSettings
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.training.config import GeometrySettings
from cgc_addon.training.descent import descend, gradients_of, leaves_of
from cgc_addon.training.parameters import make_optimizers, to_parameters

from ..tiny_dataset import tiny_gaussians


@pytest.fixture
def parameters():
    return to_parameters(tiny_gaussians(), 1, torch.device("cpu"))


def optimizers_of(parameters):
    return make_optimizers(parameters, GeometrySettings(), NoFeatureSettings(), 1.0)


def test_leaves_are_the_same_numbers_with_gradients_of_their_own(parameters):
    one, other = leaves_of(parameters), leaves_of(parameters)
    (one["means"].sum() * 2.0).backward()
    assert one["means"].data_ptr() == parameters["means"].data_ptr()
    assert gradients_of(one)["means"] is not None
    assert gradients_of(one)["sh0"] is None
    assert gradients_of(other)["means"] is parameters["means"].grad is None


def test_it_goes_where_single_steps_go(parameters):
    single = {
        name: torch.nn.Parameter(value.detach().clone()) for name, value in parameters.items()
    }
    photos = [{name: torch.randn_like(value) for name, value in single.items()} for _ in range(4)]
    photos[1]["shN"] = photos[2]["sh0"] = photos[3]["sh0"] = None
    optimizers, others = optimizers_of(single), optimizers_of(parameters)
    rates = [1e-3, 8e-4, 6e-4, 4e-4]
    for photo, rate in zip(photos, rates, strict=True):
        optimizers["means"].param_groups[0]["lr"] = rate
        for name, optimizer in optimizers.items():
            single[name].grad = photo[name]
            optimizer.step()
    together = CpuBackend(1).photos_together()
    for pair in (0, 2):
        halves = photos[pair : pair + 2], rates[pair : pair + 2]
        descend(together, parameters, others, *halves)
    for name, value in parameters.items():
        torch.testing.assert_close(value, single[name], rtol=1e-4, atol=1e-6)
        state, other = optimizers[name].state[single[name]], others[name].state[value]
        assert set(state) == set(other)
        assert int(state["step"]) == int(other["step"])
        torch.testing.assert_close(state["exp_avg_sq"], other["exp_avg_sq"], rtol=1e-4, atol=1e-9)
