# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import doctest

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.training import batch
from cgc_addon.training.batch import betas_of, multiple_within, rate_factor


@given(st.integers(0, 10_000), st.integers(1, 300), st.integers(1, 300))
def test_what_is_due_for_one_photo_of_a_step_is_due_for_the_step(step, batch, every) -> None:
    due = [photo for photo in range(step, step + batch) if photo % every == 0]
    assert multiple_within(step, batch, every) == (due[0] if due else None)


def test_single_photos_train_as_ever() -> None:
    assert rate_factor(1) == 1.0
    assert betas_of(1) == (0.9, 0.999)


@pytest.mark.parametrize("batch", [2, 4, 16])
def test_a_step_goes_as_far_as_the_steps_of_its_single_photos(batch) -> None:
    """Gradients that know nothing of each other, one a photo, move a parameter at random."""
    photos, parameters, rate = 1_024, 4_000, 1e-3
    gradients = torch.randn((photos, parameters), generator=torch.Generator().manual_seed(0))

    def moved(count: int) -> torch.Tensor:
        value = torch.nn.Parameter(torch.zeros(parameters))
        adam = torch.optim.Adam([value], lr=rate * rate_factor(count), betas=betas_of(count))
        for step in range(0, photos, count):
            value.grad = gradients[step : step + count].mean(dim=0)
            adam.step()
        return value.detach()

    assert moved(batch).std().item() == pytest.approx(moved(1).std().item(), rel=0.1)


def test_the_examples_run() -> None:
    assert doctest.testmod(batch).failed == 0
