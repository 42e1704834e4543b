# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch

from cgc_addon.errors import CgcError
from cgc_addon.ranks import ALONE
from cgc_addon.training.ranks.alike import check_alike, check_equal


@dataclass
class Pair:
    """Two processes; what the other one says was said before."""

    said: object = None
    rank, size, local_size = 0, 2, 2

    def gather(self, value):
        other, self.said = self.said, value
        return [value, value if other is None else other]


def test_one_bit_is_enough_to_be_different() -> None:
    one = {"means": torch.nn.Parameter(torch.ones(5, 3)), "sh0": torch.nn.Parameter(torch.ones(5))}
    other = {name: torch.nn.Parameter(value.detach().clone()) for name, value in one.items()}
    ranks = Pair()
    check_equal(one, ranks)
    check_equal(other, ranks)
    with torch.no_grad():
        other["means"][3, 1] = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0))
    with pytest.raises(CgcError, match="no longer have the same Gaussians"):
        check_equal(other, ranks)
    check_equal(other, ALONE)


def capture(names: str = "ab", points: int = 3) -> SimpleNamespace:
    views = [SimpleNamespace(name=name, camera=(1, 2)) for name in names]
    return SimpleNamespace(scene=SimpleNamespace(views=views, points=[0] * points))


@pytest.mark.parametrize(
    ("dataset", "backend", "sentence"),
    [
        (capture("ac"), "cpu", "do not have the same dataset"),
        (capture(points=4), "cpu", "do not have the same dataset"),
        (capture(), "cuda", "Some processes draw with cpu and others with cuda; choose one"),
    ],
)
def test_what_is_not_alike_is_named(dataset, backend, sentence) -> None:
    ranks = Pair()
    check_alike(capture(), SimpleNamespace(name="cpu"), ranks)
    check_alike(capture(), SimpleNamespace(name="cpu"), ranks)
    with pytest.raises(CgcError, match=sentence):
        check_alike(dataset, SimpleNamespace(name=backend), ranks)
