# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import pytest
import torch

from cgc_addon.cgc.settings import NoFeatureSettings
from cgc_addon.splats.select import with_sh_degree
from cgc_addon.training.config import GeometrySettings
from cgc_addon.training.parameters import make_optimizers, to_parameters
from cgc_addon.training.rearranging import grow_harmonics, sort_along_curve

from ..tiny_dataset import tiny_gaussians

CPU = torch.device("cpu")


def make(degree: int):
    parameters = to_parameters(with_sh_degree(tiny_gaussians(), degree), degree, CPU)
    return parameters, make_optimizers(parameters, GeometrySettings(), NoFeatureSettings(), 1.0)


def step(parameters, optimizers, degree: int, seed: int) -> None:
    """Let Adam step on random gradients; harmonics beyond the degree have none."""
    generator = torch.Generator().manual_seed(seed)
    used = (degree + 1) ** 2 - 1
    for name, value in parameters.items():
        if name == "shN":
            gradient = torch.randn((len(value), 15, 3), generator=generator)
            gradient[:, used:] = 0.0
            value.grad = gradient[:, : value.shape[1]].contiguous()
        else:
            value.grad = torch.randn(value.shape, generator=generator)
        optimizers[name].step()


def test_harmonics_that_come_later_end_where_zeros_would_have():
    grown, whole = make(0), make(3)
    for number, degree in enumerate((0, 0, 1, 1, 2, 3)):
        grow_harmonics(*grown, degree)
        for each in (grown, whole):
            step(*each, degree, number)
    for name, value in whole[0].items():
        assert torch.equal(grown[0][name], value)
        moments = grown[1][name].state[grown[0][name]]
        for moment, expected in whole[1][name].state[value].items():
            assert torch.equal(moments[moment], expected)


def test_harmonics_that_are_there_are_not_taken_away():
    parameters, optimizers = make(2)
    before = parameters["shN"]
    grow_harmonics(parameters, optimizers, 1)
    assert parameters["shN"] is before


@pytest.mark.parametrize("stepped", [False, True])
def test_rows_and_their_moments_stay_together(stepped):
    parameters, optimizers = make(1)
    if stepped:
        step(parameters, optimizers, 1, 0)
    mark = parameters["opacities"].detach() + torch.arange(len(parameters["means"]))
    parameters["opacities"].data = mark.clone()
    before = {name: value.detach().clone() for name, value in parameters.items()}
    moments = {name: dict(optimizers[name].state.get(parameters[name], {})) for name in parameters}
    sort_along_curve(parameters, optimizers)
    order = torch.searchsorted(mark, parameters["opacities"].detach())
    for name, value in parameters.items():
        assert torch.equal(value, before[name][order])
        assert optimizers[name].param_groups[0]["params"][0] is value
        after = optimizers[name].state.get(value, {})
        assert set(after) == set(moments[name])
        for moment, values in moments[name].items():
            expected = values[order] if values.ndim else values
            assert torch.equal(after[moment], expected)


def test_neighbours_in_space_come_to_lie_side_by_side():
    parameters, optimizers = make(0)
    random = torch.randperm(len(parameters["means"]), generator=torch.Generator().manual_seed(0))
    for name in parameters:
        parameters[name].data = parameters[name].data[random]

    def jumps() -> float:
        means = parameters["means"].detach()
        return float((means[1:] - means[:-1]).norm(dim=1).mean())

    before = jumps()
    sort_along_curve(parameters, optimizers)
    assert jumps() < before / 2


def test_a_start_with_harmonics_keeps_them(tiny_dataset):
    """What a splat brings along is not cut off before its degree comes into use."""
    from cgc_addon.dataset.load import load_dataset
    from cgc_addon.rasterize.cpu import CpuBackend
    from cgc_addon.training.presets import preset
    from cgc_addon.training.trainer import Trainer

    start = with_sh_degree(tiny_gaussians(), 3)
    config = replace(preset("draft", steps=10), features=NoFeatureSettings())
    backend, dataset = CpuBackend(), load_dataset(tiny_dataset)
    assert Trainer(dataset, backend, config, start)._parameters["shN"].shape[1] == 0
    sh = start.sh.copy()
    sh[3, 7] = 0.1
    trainer = Trainer(dataset, backend, config, replace(start, sh=sh))
    assert trainer._parameters["shN"].shape[1] == 8
    assert trainer.gaussians().sh.shape[1] == 16
