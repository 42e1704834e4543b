# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of different exposure are trained on as one scene of mean exposure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from cgc_addon.dataset.load import load_dataset
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.splats.initialise import first_gaussians
from cgc_addon.training.exposure import as_exposed
from cgc_addon.training.presets import preset
from cgc_addon.training.trainer import Trainer


def test_each_view_has_its_gain_and_gradients_pass(tiny_dataset) -> None:
    scene = load_dataset(tiny_dataset).scene
    rgb = torch.full((2, 2, 3), 0.5, requires_grad=True)
    assert as_exposed(rgb, scene, 0) is rgb
    gains = np.ones(len(scene.views), np.float32)
    gains[1] = 2.0
    shown = as_exposed(rgb, replace(scene, gains=gains), 1)
    assert shown[0, 0].tolist() == [1.0, 1.0, 1.0]
    shown.sum().backward()
    assert rgb.grad is not None
    assert rgb.grad[0, 0].tolist() == [2.0, 2.0, 2.0]


def test_a_scene_comes_out_darker_where_all_photos_are_said_to_be_bright(tiny_dataset) -> None:
    dataset = load_dataset(tiny_dataset)
    config = preset("draft", steps=120, features="off")

    def brightness(gain: float) -> float:
        gains = np.full(len(dataset.scene.views), gain, np.float32)
        told = replace(dataset, scene=replace(dataset.scene, gains=gains))
        backend = CpuBackend()
        start = first_gaussians(dataset.scene, None, sh_degree=1)
        trainer = Trainer(told, backend, config, start)
        trainer.run()
        from cgc_addon.training.parameters import splat_of

        drawn = backend.render(splat_of(trainer.gaussians(), backend.device), dataset.store.view(0))
        return float(drawn.rgb.mean())

    assert 1.5 < brightness(1.0) / brightness(2.0) < 2.5
