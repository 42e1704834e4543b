# SPDX-License-Identifier: GPL-3.0-or-later
"""What all processes must have alike: the capture, the way of drawing, and in the end each bit."""

from __future__ import annotations

import torch

from ...dataset.load import Dataset
from ...errors import CgcError
from ...ranks import Ranks
from ...rasterize.interface import Backend
from ..parameters import Parameters


def check_alike(dataset: Dataset, backend: Backend, ranks: Ranks) -> None:
    """Check that all processes have the same capture and draw in the same way.

    Raises:
        CgcError: they have not.
    """
    cameras = tuple((view.name, view.camera) for view in dataset.scene.views)
    found = ranks.gather((backend.name, cameras, len(dataset.scene.points)))
    if any(each != found[0] for each in found):
        names = sorted({name for name, _, _ in found})
        raise CgcError(
            f"Some processes draw with {' and others with '.join(names)}; choose one by --backend."
            if len(names) > 1
            else "The processes do not have the same dataset; give all machines the same files."
        )


def check_equal(parameters: Parameters, ranks: Ranks) -> None:
    """Check that all processes have the same Gaussians, to the bit.

    Raises:
        CgcError: they have not.
    """
    if ranks.size == 1:
        return
    sums = {
        name: (len(value), int(value.detach().view(torch.int32).sum(dtype=torch.int64)))
        for name, value in parameters.items()
    }
    found = ranks.gather(sums)
    if any(each != found[0] for each in found):
        raise CgcError(
            "The processes no longer have the same Gaussians, as their processors or cards "
            "calculate differently; let machines of one kind train together, with the same "
            "packages, and go on with --resume."
        )
