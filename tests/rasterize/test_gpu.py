# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a card can show: `pytest -m gpu`."""

from __future__ import annotations

import sys
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.rasterize.interface import SplatTensors

pytestmark = pytest.mark.gpu

MEGAPIXEL = {"width": 1200, "height": 834}


@pytest.fixture
def large(make_splat) -> SplatTensors:
    """Return 100 000 Gaussians whose alphas stay under every backend's cap."""
    splat = make_splat(100_000, dtype=torch.float32)
    return replace(splat, opacities=splat.opacities.clamp(max=0.98), scales=2 * splat.scales)


def _peak_bytes(run) -> int:
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def test_card_and_processor_agree(cuda_backend, large, make_view, as_dtype):
    view = make_view(400, 300)
    results = []
    for backend in (cuda_backend, CpuBackend()):
        splat = as_dtype(large, device=backend.device)
        features = torch.linspace(-1, 1, 16, device=backend.device).repeat(len(splat.means), 1)
        features.requires_grad_()
        drawn = backend.render(splat, view, features=features, depth=True)
        loss = backend.photometric_loss(drawn.rgb, torch.full_like(drawn.rgb.detach(), 0.5))
        (loss + drawn.features.square().mean() + drawn.depth.mean()).backward()
        outputs = [drawn.rgb, drawn.alpha, drawn.features, drawn.depth]
        gradients = [getattr(splat, field.name).grad for field in fields(splat)]
        results.append([value.detach().cpu() for value in [*outputs, *gradients, features.grad]])
    for index, (ours, theirs) in enumerate(zip(*results, strict=True)):
        # A few rays end one Gaussian earlier on one of them.
        difference = (ours - theirs).norm() / theirs.norm()
        assert difference < 1e-2, index
    images = [image for image, *_ in results]
    assert (images[0] - images[1]).abs().median() < 1e-4


def test_a_short_training_converges(cuda_backend, make_splat, make_view, as_dtype):
    truth = as_dtype(make_splat(3000), grad=False, dtype=torch.float32, device="cuda")
    views = [make_view(320, 240, seed) for seed in range(6)]
    with torch.no_grad():
        photos = [cuda_backend.render(truth, view).rgb.clamp(0, 1) for view in views]
    splat = as_dtype(replace(truth, sh0=0 * truth.sh0, shN=0 * truth.shN))
    optimizer = torch.optim.Adam([splat.sh0, splat.shN], lr=0.02, fused=True)
    losses = []
    for step in range(200):
        drawn = cuda_backend.render(splat, views[step % 6])
        loss = cuda_backend.photometric_loss(drawn.rgb, photos[step % 6])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-6:]) < 0.2 * np.mean(losses[:6])


def test_memory_does_not_grow_with_labels_or_pixels(cuda_backend, large, make_view, as_dtype):
    splat, view = as_dtype(large, grad=False, device="cuda"), make_view(**MEGAPIXEL)
    generator = torch.Generator().manual_seed(0)
    peaks = []
    for count in (40, 1000):
        labels = torch.randint(0, count, (100_000,), generator=generator, dtype=torch.int32)
        peaks.append(_peak_bytes(lambda x=labels: cuda_backend.render_labels(splat, view, x)))
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 2**30
    pixels = torch.arange(MEGAPIXEL["width"] * MEGAPIXEL["height"])
    assert _peak_bytes(lambda: cuda_backend.blending_weights(splat, view, pixels)) < 2**31


@pytest.mark.parametrize("count", [20, 200])
def test_time_of_a_label_map(cuda_backend, large, make_view, as_dtype, capsys, count):
    splat, view = as_dtype(large, grad=False, device="cuda"), make_view(**MEGAPIXEL)
    labels = torch.arange(100_000, dtype=torch.int32).remainder(count).cuda()
    found, _ = cuda_backend.render_labels(splat, view, labels)
    assert len(found.unique()) > count // 2
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(10):
        cuda_backend.render_labels(splat, view, labels)
    end.record()
    torch.cuda.synchronize()
    with capsys.disabled():
        sys.stdout.write(
            f"\nlabel map, 1 MP, 100 000 Gaussians, {count} labels: "
            f"{start.elapsed_time(end) / 10:.1f} ms\n"
        )
