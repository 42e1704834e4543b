# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that decides a run, as frozen dataclasses; `config_json` keeps them in config.json."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..cgc.settings import FeatureSettings, FrozenFeatureSettings, SegmentSettings
from ..rasterize.backends import AUTO

HIGHEST_SEED = 2**32 - 1
"""What scikit-learn takes at most."""


@dataclass(frozen=True)
class LearningRates:
    """Adam's step sizes, as in 3DGS (Kerbl et al. 2023)."""

    means_start: float = 1.6e-4
    """Times the scene extent."""
    means_end: float = 1.6e-6
    """Times the scene extent; reached exponentially at the last step."""
    scales: float = 5e-3
    quats: float = 1e-3
    opacities: float = 5e-2
    sh0: float = 2.5e-3
    sh_rest: float = 2.5e-3 / 20.0


@dataclass(frozen=True)
class DensifySettings:
    """Cloning, splitting and pruning by gsplat's DefaultStrategy, under a cap."""

    start: int = 500
    stop: int = 15_000
    every: int = 100
    gradient: float = 2e-4
    """Image-plane gradient above which a Gaussian is cloned or split."""
    clone_below: float = 0.01
    """Gaussians smaller than this times the extent are cloned, larger ones split."""
    prune_opacity: float = 0.005
    prune_scale: float = 0.1
    """Gaussians larger than this times the extent are pruned once opacities were reset."""
    reset_opacity_every: int = 3_000
    """0 = never."""
    cap: int = 1_000_000
    """No more Gaussians than this; those with the largest gradients come first."""


@dataclass(frozen=True)
class GeometrySettings:
    """Photometric training: colour and shape of the Gaussians."""

    steps: int = 30_000
    dssim_weight: float = 0.2
    sh_degree: int = 3
    sh_degree_every: int = 1_000
    """One more degree of spherical harmonics every so many steps."""
    levels: tuple[tuple[float, int], ...] = ((1.0, 0),)
    """(until this share of the steps, halvings of the photo): coarse to fine."""
    far_points: int = 0
    """Gaussians put on a far sphere at the start, for what lies at infinity."""
    far_steps: bool = False
    """Let means beyond the extent move in proportion to their distance."""
    size_limit: float = 0.0
    """Of a Gaussian's scales, times the extent, beyond it times its distance; 0 = none."""
    surface_share: float = 0.0
    """Of the cap: so many Gaussians at most start on surfaces that photos agree on; 0 = none."""
    clear_every: int = 0
    """Steps after which Gaussians that float before the cameras are dropped; 0 = never."""
    dropout: float = 0.0
    """Share of Gaussians left out of a step in the end, where photos are few."""
    rates: LearningRates = field(default_factory=LearningRates)
    densify: DensifySettings = field(default_factory=DensifySettings)


@dataclass(frozen=True)
class EdgeSettings:
    """The last steps: Gaussians that straddle segments are split, and edges sharpened."""

    steps: int = 0
    """0 = leave the geometry as photos alone made it."""
    weight: float = 0.5
    """Of the pixels made of the wrong segment, beside the photometric loss."""
    rates: LearningRates = field(
        default_factory=lambda: LearningRates(
            means_start=3e-5,
            means_end=3e-5,
            scales=7.5e-3,
            quats=1.5e-3,
            opacities=2e-2,
            sh0=1e-3,
            sh_rest=5e-5,
        )
    )
    """Constant; of `means`, the end counts."""


@dataclass(frozen=True)
class TrainingConfig:
    """All it takes to repeat a run, beside the dataset itself."""

    preset: str = "paper"
    seed: int = 0
    backend: str = AUTO
    """One of `rasterize.backends.backend_names`."""
    max_size: int | None = None
    """Longest side of the photos, px; None = as they are."""
    test_every: int | None = None
    """Every so many-th photo in name order is held out; None = none."""
    init: str | None = None
    """A splat (.ply, .splat, .spz, .sog) whose geometry is kept: only features are learned."""
    init_features: bool = False
    """Take the features of that splat as they are, if it has any."""
    geometry: GeometrySettings = field(default_factory=GeometrySettings)
    features: FeatureSettings = field(default_factory=FrozenFeatureSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    edges: EdgeSettings = field(default_factory=EdgeSettings)
