# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the method: how features are learned, and how they become segments.

The standard library alone: the command line and Blender read them without torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..choices import Choice

FeatureMode = Literal["frozen", "joint", "off"]

FEATURE_MODES: tuple[Choice[FeatureMode], ...] = (
    Choice("frozen", "Frozen Geometry", "Learn features once colour and shape are trained"),
    Choice("joint", "Joint", "Learn features along with colour and shape, as in the paper"),
    Choice("off", "Off", "Train colour and shape only; nothing is separated"),
)
"""When features are learned; each has settings of its own, see `FeatureSettings`."""

Reduction = Literal["mean", "square-root", "area-weighted"]

REDUCTIONS: tuple[Choice[Reduction], ...] = (
    Choice("mean", "Mean", "Every segment counts the same, as printed in the paper"),
    Choice("square-root", "Square Root", "Segments count by the root of their area"),
    Choice("area-weighted", "Area", "Segments count by their area, as in the released code"),
)
"""How much a segment of n pixels counts: as much as any other, as √n, or as n."""

SpatialLoss = Literal["off", "released", "true-neighbours"]

SPATIAL_LOSSES: tuple[Choice[SpatialLoss], ...] = (
    Choice("off", "Off", "Neighbours are not made alike"),
    Choice("released", "Released", "As in the released code"),
    Choice("true-neighbours", "True Neighbours", "As printed in the paper"),
)
"""Whether and how neighbours are made alike."""

Evidence = Literal["maps", "answers"]

EVIDENCE: tuple[Choice[Evidence], ...] = (
    Choice("maps", "Label Maps", "Objects are what the label maps show together"),
    Choice(
        "answers",
        "All Answers",
        "Everything that the mask model answered counts, too, where it made the label maps",
    ),
)
"""What says which clusters are one object."""

DEFAULT_GRANULARITY = 0.5
"""Cuts at q ≈ 0.28: parts of one object joined, touching objects apart."""

MINIMUM_SIZE = 10
"""Gaussians; smaller segments are dropped."""


@dataclass(frozen=True)
class FrozenFeatureSettings:
    """Features are learned once the geometry is trained, on cached blending weights.

    The defaults are measured; see the documentation of the method.
    """

    mode: Literal["frozen"] = field(default="frozen", init=False)
    steps: int = 400
    pixels_per_step: int = 4_096
    reduction: Reduction = "area-weighted"
    learning_rate: float = 0.02
    learning_rate_end: float = 0.002
    initial_scale: float = 0.01
    """Standard deviation of the random start: small, so that none of it is left in the end."""
    spectral_start: bool = False
    """Start from the masks' spectral signatures instead, times `initial_scale`."""
    spatial: SpatialLoss = "off"
    lift: bool = True
    """Replace each feature by the weighted mean of what was rendered through it."""


@dataclass(frozen=True)
class JointFeatureSettings:
    """Features are learned along with the geometry, as in the paper."""

    mode: Literal["joint"] = field(default="joint", init=False)
    reduction: Reduction = "area-weighted"
    learning_rate: float = 0.02
    initial_scale: float = 0.01
    """The random start is uniform between minus and plus this."""
    contrastive_every: int = 50
    """Steps between two contrastive losses."""
    contrastive_weight: float = 1e-6
    """λ; with `mean` reduction it multiplies a mean, with `area-weighted` a sum."""
    reference_pixels: int = 0
    """Pixels of the photos that λ is for, others are weighed in proportion; 0: any photo's."""
    spatial: SpatialLoss = "off"
    spatial_every: int = 100
    """Steps between two spatial losses."""
    pull_weight: float = 0.05
    push_weight: float = 0.15
    move_geometry: bool = True
    """Gradients of the features reach the geometry, as in the released code."""
    lift: bool = True
    """Replace each feature by the weighted mean of what was rendered through it."""


@dataclass(frozen=True)
class NoFeatureSettings:
    """No features are learned, and the splat is not separated into objects."""

    mode: Literal["off"] = field(default="off", init=False)


FeatureSettings = FrozenFeatureSettings | JointFeatureSettings | NoFeatureSettings
"""`mode` tells which; what a mode does not use, its settings do not have."""


@dataclass(frozen=True)
class ClusteringSettings:
    """How Gaussians are grouped by their features."""

    minimum_cluster_size: int = 10
    """Gaussians; small objects own only some dozens, so leave it small: merging comes after."""
    minimum_samples: int = 5
    minimum_weight: float = 2.0
    """Gaussians that make up fewer pixels in all views together do not form groups."""
    minimum_cosine: float = 0.5
    """A Gaussian farther than this from every prototype belongs to none."""
    maximum_points: int = 40_000
    """Of more Gaussians a random sample forms the groups: the time grows with the square."""


@dataclass(frozen=True)
class SegmentSettings:
    """Clusters of features become segments."""

    clustering: ClusteringSettings = field(default_factory=ClusteringSettings)
    evidence: Evidence = "answers"
    """What says which clusters are one object; without answers or votes, label maps do."""
    vote: bool = True
    """Let the masks decide which segment the Gaussians at its border belong to."""
    granularity: float = DEFAULT_GRANULARITY
    """0 = parts … 1 = whole objects: where the tree of merged clusters is cut."""
    minimum_size: int = MINIMUM_SIZE
    """Segments of fewer Gaussians are dissolved."""

    @property
    def asks_answers(self) -> bool:
        """Whether all that a mask model answered counts, where it is known."""
        return self.evidence == "answers" and self.vote
