# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages after the geometry that are no trainings, as `StageState` keeps them.

Where they take long, with many photos or Gaussians, a kill must not cost them whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ..cgc.clusters.clustering import Clustering
from ..cgc.clusters.granularity import MergeTree
from ..cgc.features.lift import LiftedFeatures
from ..cgc.observations import Seen
from ..cgc.segmentation import Segmentation
from ..cgc.surface import Surface
from ..dataset.scene import View
from ..rasterize.blending import BlendingMatrix
from ..rasterize.interface import Backend, SplatTensors
from .stage_state import State


@dataclass
class Looking:
    """What views show at the pixels that are looked at, see `observations.observe`."""

    backend: Backend
    splat: SplatTensors
    seen: list[Seen] = field(default_factory=list)

    def state(self) -> State:
        """Return everything that `restore` needs; tensors are not copied."""
        tensors = {}
        for number, (blending, surface) in enumerate(self.seen):
            arrays = {
                "starts": blending.starts,
                "gaussians": blending.gaussians,
                "weights": blending.weights,
            }
            if surface is not None:
                arrays["surface.points"] = surface.points
                arrays["surface.normals"] = surface.normals
                arrays["surface.weights"] = surface.weights
            for name, array in arrays.items():
                tensors[f"{number}.{name}"] = torch.from_numpy(np.ascontiguousarray(array))
        return tensors, {"step": len(self.seen)}

    def restore(self, state: State) -> None:
        """Go on from a state of the same splat and views."""
        tensors, values = state
        count = len(self.splat.means)
        for number in range(int(values["step"])):
            found = {
                name.partition(".")[2]: tensor.numpy()
                for name, tensor in tensors.items()
                if name.startswith(f"{number}.")
            }
            blending = BlendingMatrix(found["starts"], found["gaussians"], found["weights"], count)
            surface = None
            if "surface.points" in found:
                surface = Surface(
                    found["surface.points"], found["surface.normals"], found["surface.weights"]
                )
            self.seen.append((blending, surface))

    def earlier(self, view: View) -> list[Seen]:
        """Return what was seen, to be multiplied as the backend does it.

        Args:
            view: any.
        """
        if not self.seen:
            return []
        pixel = torch.zeros(1, dtype=torch.int64, device=self.backend.device)
        products = self.backend.blending_weights(self.splat, view, pixel).products
        return [(replace(blending, products=products), surface) for blending, surface in self.seen]


@dataclass
class Finding:
    """Segments that are looked for, and found at once."""

    find: Callable[[], Segmentation]
    found: Segmentation | None = None

    def step(self, _pause: Callable[[], None]) -> None:
        """Find the segments, unless they were restored."""
        if self.found is None:
            self.found = self.find()

    def state(self) -> State:
        """Return everything that `restore` needs: nothing before they are found."""
        if self.found is None:
            return {}, {"step": 0}
        lifted, clustering, tree = self.found.lifted, self.found.clustering, self.found.tree
        arrays = {
            "features": lifted.features,
            "confidence": lifted.confidence,
            "weights": lifted.weights,
            "labels": clustering.labels,
            "prototypes": clustering.prototypes,
            "cosines": clustering.cosines,
            "merges": tree.merges,
            "heights": tree.heights,
        }
        tensors = {
            name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()
        }
        return tensors, {"step": 1, "count": tree.count, "fixed": tree.fixed}

    def restore(self, state: State) -> None:
        """Take what was found by an earlier call."""
        tensors, values = state
        if not values["step"]:
            return
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        self.found = Segmentation(
            LiftedFeatures(arrays["features"], arrays["confidence"], arrays["weights"]),
            Clustering(arrays["labels"], arrays["prototypes"], arrays["cosines"]),
            MergeTree(
                int(values["count"]), arrays["merges"], arrays["heights"], int(values["fixed"])
            ),
        )
