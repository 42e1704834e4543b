# SPDX-License-Identifier: GPL-3.0-or-later
"""The CUDA adapter calls gsplat 1.5 as it wants to be called; no card is needed to see that."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import gsplat
import pytest
import torch

from cgc_addon.rasterize.cuda import backend
from cgc_addon.rasterize.cuda.backend import CudaBackend

SOURCES = Path(gsplat.__file__).parent / "cuda"
CALLED = (
    "fully_fused_projection",
    "isect_tiles",
    "isect_offset_encode",
    "rasterize_to_pixels",
    "rasterize_to_indices_in_range",
    "spherical_harmonics",
)


@pytest.fixture
def recorded(emulated_gsplat, monkeypatch):
    """Return the list to which every call of gsplat is added, bound to its real signature."""
    calls: list[tuple[str, dict[str, object]]] = []

    def record(name: str) -> None:
        real = getattr(gsplat, name)
        signature = inspect.signature(real)

        def call(*args: object, **kwargs: object) -> object:
            calls.append((name, signature.bind(*args, **kwargs).arguments))
            return real(*args, **kwargs)

        monkeypatch.setattr(gsplat, name, call)

    for name in CALLED:
        record(name)
    return calls


def _count(calls: list, name: str) -> int:
    return sum(called == name for called, _ in calls)


def test_a_view_is_projected_and_sorted_once(recorded, make_splat, make_view):
    splat = make_splat(30, dtype=torch.float32)
    features = torch.rand(30, 16)
    CudaBackend("cpu").render(splat, make_view(), features=features, depth=True)
    assert _count(recorded, "fully_fused_projection") == 1
    assert _count(recorded, "isect_tiles") == 1
    passes = [call["colors"].shape[-1] for name, call in recorded if name == "rasterize_to_pixels"]
    assert passes == [4, 16]  # colours with depth, features: both compiled, nothing is padded
    (projection,) = (call for name, call in recorded if name == "fully_fused_projection")
    assert projection["packed"] is False
    assert projection["eps2d"] == 0.3
    assert projection["opacities"] is splat.opacities


@pytest.mark.parametrize("count", [1, 16, 19, 32, 33, 70])
def test_features_of_any_number_are_drawn(emulated_gsplat, make_splat, make_view, count):
    splat, view = make_splat(10, dtype=torch.float32), make_view(20, 20)
    features = torch.rand(10, count)
    drawn = CudaBackend("cpu").render(splat, view, features=features).features
    single = CudaBackend("cpu").render(splat, view, features=features[:, -1:]).features
    assert drawn.shape == (20, 20, count)
    torch.testing.assert_close(drawn[..., -1:], single)


def test_many_labels_are_blended_some_at_a_time(recorded, make_splat, make_view):
    splat, view = make_splat(100, dtype=torch.float32), make_view(20, 20)
    labels = torch.arange(100, dtype=torch.int32) + 5
    CudaBackend("cpu").render_labels(splat, view, labels)
    passes = [call["colors"].shape[-1] for name, call in recorded if name == "rasterize_to_pixels"]
    assert len(passes) > 1
    assert max(passes) <= 32
    assert _count(recorded, "isect_tiles") == 1


def test_many_pixels_are_weighed_some_at_a_time(recorded, make_splat, make_view, monkeypatch):
    splat, view = make_splat(30, dtype=torch.float32), make_view(20, 15)
    pixels = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    whole = CudaBackend("cpu").blending_weights(splat, view, pixels)
    monkeypatch.setattr(backend, "PIXELS_AT_ONCE", 64)
    parts = CudaBackend("cpu").blending_weights(splat, view, pixels)
    assert _count(recorded, "rasterize_to_indices_in_range") == 1 + 5
    assert (whole.starts == parts.starts).all()
    assert (whole.gaussians == parts.gaussians).all()
    assert abs(whole.weights - parts.weights).max() < 1e-6


def test_only_pixels_with_a_limit_are_weighed(recorded, make_splat, make_view, monkeypatch):
    splat, view = make_splat(30, dtype=torch.float32), make_view(20, 15)
    limits = torch.full((15, 20), torch.inf)
    CudaBackend("cpu").render_split(splat, view, limits)
    assert _count(recorded, "rasterize_to_indices_in_range") == 0
    limits[:5] = 3.0
    whole = CudaBackend("cpu").render_split(splat, view, limits)
    monkeypatch.setattr(backend, "PIXELS_AT_ONCE", 64)
    parts = CudaBackend("cpu").render_split(splat, view, limits)
    assert _count(recorded, "rasterize_to_indices_in_range") == 1 + 2
    torch.testing.assert_close(parts.front_rgb, whole.front_rgb)


def test_operations_take_as_many_arguments_as_the_compiled_ones(emulated_gsplat):
    header = (SOURCES / "include" / "Ops.h").read_text()
    header = re.sub(r"//.*", "", header)
    for name, function in emulated_gsplat.items():
        (declaration,) = re.findall(rf"\b{name}\((.*?)\);", header, re.DOTALL)
        assert declaration.count(",") + 1 == len(inspect.signature(function).parameters), name
