# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernels of the photometric loss promise beside its value, see `test_ssim` above."""

from __future__ import annotations

import numba
import pytest
import torch

from cgc_addon.rasterize import ssim as plain
from cgc_addon.rasterize.cpu.ssim import photometric_loss


@pytest.mark.parametrize("level", [0.0, 0.3, 0.7, 1.0])
def test_a_nearly_flat_picture_loses_no_precision(level):
    photo = torch.full((40, 50, 3), level)
    generator = torch.Generator().manual_seed(0)
    rgb = (photo + 0.01 * torch.randn(photo.shape, generator=generator)).requires_grad_()
    loss = photometric_loss(rgb, photo, 1.0)
    loss.backward()
    exact = rgb.detach().double().requires_grad_()
    expected = plain.photometric_loss(exact, photo.double(), 1.0)
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    assert (rgb.grad - exact.grad).norm() < 1e-4 * exact.grad.norm()


def test_the_result_does_not_depend_on_the_threads():
    generator = torch.Generator().manual_seed(3)
    photo = torch.rand(45, 61, 3, generator=generator)
    rgb = photo + 0.1 * torch.randn(45, 61, 3, generator=generator)
    before = numba.get_num_threads()
    results = []
    for threads in {1, before}:
        numba.set_num_threads(threads)
        rgb = rgb.detach().requires_grad_()
        loss = photometric_loss(rgb, photo, 0.2)
        loss.backward()
        results.append((loss.item(), rgb.grad))
    numba.set_num_threads(before)
    assert all(loss == results[0][0] and (grad == results[0][1]).all() for loss, grad in results)
