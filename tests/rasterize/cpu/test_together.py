# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos side by side, and the steps after them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numba
import numpy as np
import pytest
import torch

from cgc_addon.rasterize.cpu import CpuBackend, together
from cgc_addon.rasterize.cpu.simd import LANES
from cgc_addon.rasterize.cpu.together import KernelsTogether, can_draw_together

two_threads = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS < 2,  # type: ignore[attr-defined]
    reason="needs two threads",
)


@pytest.fixture
def side_by_side():
    return KernelsTogether([CpuBackend(1), CpuBackend(1)], 1)


@pytest.mark.parametrize("count", [3, LANES, 5 * LANES + 3, 70 * LANES + 1])
@pytest.mark.parametrize("photos", [1, 2, 3])
def test_steps_are_those_of_pytorchs_adam(side_by_side, count, photos):
    random = torch.Generator().manual_seed(count + photos)
    found = torch.randn(count, generator=random)
    moments = torch.zeros(count), torch.zeros(count)
    expected = torch.nn.Parameter(found.clone())
    optimizer = torch.optim.Adam([expected], eps=1e-15, betas=(0.9, 0.999))
    for done in range(0, 4 * photos, photos):
        gradients = [torch.randn(count, generator=random) * 1e-3 for _ in range(photos)]
        gradients[0][:2] = 0.0
        rates = [1e-2 / (1 + done + photo) for photo in range(photos)]
        side_by_side.adam_steps(found, moments, gradients, rates, (0.9, 0.999), done)
        for gradient, rate in zip(gradients, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate
            expected.grad = gradient
            optimizer.step()
    state = optimizer.state[expected]
    torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(moments[0], state["exp_avg"], rtol=1e-5, atol=1e-10)
    torch.testing.assert_close(moments[1], state["exp_avg_sq"], rtol=1e-5, atol=1e-14)


def test_ways_are_multiplied_by_lengths(side_by_side):
    means, gradient = torch.randn(50, 3), torch.randn(50, 3)
    lengths = torch.rand(50, 3) + 1.0

    def after(lengths):
        found = means.clone()
        moments = torch.zeros(50, 3), torch.zeros(50, 3)
        side_by_side.adam_steps(
            found, moments, [gradient] * 2, [1e-2] * 2, (0.9, 0.999), 0, lengths
        )
        return found - means

    torch.testing.assert_close(after(lengths), after(None) * lengths, rtol=1e-3, atol=1e-6)


def test_what_never_had_a_gradient_stays(side_by_side):
    found, nothing = torch.randn(100), torch.zeros(100)
    before = found.clone()
    moments = torch.zeros(100), torch.zeros(100)
    side_by_side.adam_steps(found, moments, [nothing, nothing], [1.0, 1.0], (0.9, 0.999), 0)
    assert torch.equal(found, before)


def test_lengths_grow_with_the_distance_from_the_extent_on(side_by_side):
    means, center = 3.0 * torch.randn(333, 3), torch.randn(3)
    found = side_by_side.lengths_by_distance(means, center, 2.0)
    distances = np.linalg.norm(means.numpy() - center.numpy(), axis=1)
    expected = np.repeat(np.maximum(1.0, distances / 2.0)[:, None], 3, axis=1)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


def test_two_photos_are_looked_at_at_the_same_time_by_a_backend_each(side_by_side):
    both = threading.Barrier(2, timeout=20)

    def look(backend, photo):
        both.wait()  # one after the other, nobody would ever come
        return photo, backend, torch.get_num_threads()

    before = torch.get_num_threads()
    (first, one, threads), (second, other, _) = side_by_side.each(look, ["a", "b"])
    assert (first, second) == ("a", "b")
    assert one is not other
    assert threads == 1
    assert torch.get_num_threads() == before
    assert [found[0] for found in side_by_side.each(lambda _backend, photo: photo, ["c"])] == ["c"]


@pytest.mark.parametrize("failing", ["a", "b"])
def test_where_one_fails_nothing_goes_on(side_by_side, failing):
    ended = []

    def look(_backend, photo):
        if photo == failing:
            raise MemoryError(photo)
        time.sleep(0.05)
        ended.append(photo)

    with pytest.raises(MemoryError, match=failing):
        side_by_side.each(look, ["a", "b"])
    assert len(ended) == 1


def test_numbas_own_threads_take_one_caller(monkeypatch):
    monkeypatch.setattr(together, "threading_layer", lambda: "workqueue")
    assert not can_draw_together(2)
    monkeypatch.setattr(together, "threading_layer", lambda: "omp")
    assert can_draw_together(2)
    assert not can_draw_together(1)


@two_threads
def test_pictures_and_gradients_are_those_of_one_after_the_other(make_splat, make_view):
    splat, views = (
        make_splat(200, 0, dtype=torch.float32),
        [make_view(64, 48), make_view(64, 48, seed=1)],
    )

    def look(backend, view):
        leaf = splat.means.clone().requires_grad_()
        rgb = backend.render(replace(splat, means=leaf), view).rgb
        loss = backend.photometric_loss(rgb, torch.full_like(rgb, 0.5).detach())
        loss.backward()
        return rgb.detach(), leaf.grad

    beside = CpuBackend(2).photos_together()
    after = KernelsTogether([CpuBackend(1)], 1)
    for _ in range(20):
        for one, other in zip(beside.each(look, views), after.each(look, views), strict=True):
            assert torch.equal(one[0], other[0])
            assert torch.equal(one[1], other[1])
