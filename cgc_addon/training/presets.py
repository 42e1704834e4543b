# SPDX-License-Identifier: GPL-3.0-or-later
"""The three ready-made configurations: a quick look, the everyday run, and the paper's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..cgc.settings import (
    Evidence,
    FeatureMode,
    FeatureSettings,
    FrozenFeatureSettings,
    JointFeatureSettings,
    NoFeatureSettings,
    Reduction,
    SegmentSettings,
    SpatialLoss,
)
from ..errors import CgcError
from ..rasterize.backends import AUTO
from .config import (
    DensifySettings,
    EdgeSettings,
    GeometrySettings,
    LearningRates,
    TrainingConfig,
)


@dataclass(frozen=True)
class Preset:
    """A ready-made configuration."""

    name: str
    label: str
    sentence: str
    """What it is good for, without a full stop."""
    make: Callable[[int | None, FeatureMode | None], TrainingConfig]
    """By geometry steps and mode of the features; None is as the preset has it."""


def preset(
    name: str, *, steps: int | None = None, features: FeatureMode | None = None
) -> TrainingConfig:
    """Return the configuration of a preset.

    Args:
        name: of `PRESETS`.
        steps: geometry steps, which schedules are stretched to; None as the preset has it.
        features: when they are learned; None as the preset has it.

    Raises:
        CgcError: no such preset, or fewer than one step.
    """
    if steps is not None and steps < 1:
        raise CgcError(f"{steps} training steps are too few; give 1 or more.")
    if name not in PRESETS:
        raise CgcError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name].make(steps, features)


def configure(
    name: str,
    *,
    steps: int | None = None,
    max_gaussians: int | None = None,
    max_size: int | None = None,
    test_every: int | None = None,
    seed: int = 0,
    backend: str = AUTO,
    init: Path | None = None,
    features: FeatureMode | None = None,
    reduction: Reduction | None = None,
    spatial: SpatialLoss | None = None,
    granularity: float | None = None,
    evidence: Evidence | None = None,
) -> TrainingConfig:
    """Return a preset with what the user chose in place of its own; None leaves it as it is.

    The geometry of `init` cannot be trained along with features. Where these would be joint, those
    of `init` are taken, or else they are learned on its frozen geometry.

    Raises:
        CgcError: no such preset, or fewer than one step.
    """
    config = preset(name, steps=steps, features=features)
    init_features = init is not None and config.features.mode == "joint"
    if init_features:
        config = preset(name, steps=steps, features="frozen")
    chosen: dict[str, Any] = {"reduction": reduction, "spatial": spatial}
    chosen = {key: value for key, value in chosen.items() if value is not None}
    if config.features.mode != "off":
        config = replace(config, features=replace(config.features, **chosen))
    densify, segments = config.geometry.densify, config.segments
    if max_gaussians is not None:
        densify = replace(densify, cap=max_gaussians)
    if granularity is not None:
        segments = replace(segments, granularity=granularity)
    if evidence is not None:
        segments = replace(segments, evidence=evidence)
    return replace(
        config,
        seed=seed,
        backend=backend,
        max_size=max_size,
        test_every=test_every,
        init=str(init.resolve()) if init else None,
        init_features=init_features,
        geometry=replace(config.geometry, densify=densify),
        segments=segments,
    )


def _draft(steps: int | None, features: FeatureMode | None) -> TrainingConfig:
    return _short("draft", steps or 600, features, cap=20_000, edge_steps=0)


def _standard(steps: int | None, features: FeatureMode | None) -> TrainingConfig:
    return _short("standard", steps or 1_400, features, cap=60_000, edge_steps=140)


_SHORT_RATES = LearningRates(
    means_start=3.2e-4,
    means_end=6.4e-6,
    scales=4e-2,
    quats=2e-3,
    opacities=1e-1,
    sh0=7.5e-3,
    sh_rest=2.5e-4,
)
"""Those of 3DGS are for 30,000 steps; with a twentieth of them each has to reach farther."""


def _short(
    name: str, steps: int, features: FeatureMode | None, *, cap: int, edge_steps: int
) -> TrainingConfig:
    """Geometry in few steps, coarse to fine; features afterwards on the frozen geometry."""
    return TrainingConfig(
        preset=name,
        geometry=GeometrySettings(
            steps=steps,
            sh_degree_every=max(1, steps // 5),
            levels=((0.2, 2), (0.5, 1), (1.0, 0)),
            far_points=5_000,
            far_steps=True,
            surface_share=0.25,
            clear_every=max(1, min(100, steps // 20)),
            dropout=0.2,
            size_limit=0.1,
            rates=_SHORT_RATES,
            densify=DensifySettings(
                start=max(1, steps // 10),
                stop=int(steps * 0.7),
                every=max(1, min(100, steps // 20)),
                reset_opacity_every=0,
                prune_scale=1e9,
                cap=cap,
            ),
        ),
        features=_of_mode(features or "frozen", FrozenFeatureSettings(), JointFeatureSettings()),
        edges=EdgeSettings(steps=edge_steps),
    )


PAPER_PIXELS = 988 * 731
"""Of a photo in the scenes of the paper (LERF-Mask)."""


def _paper(steps: int | None, features: FeatureMode | None) -> TrainingConfig:
    """Joint training with the released hyper-parameters; shorter runs shrink the schedules."""
    steps = steps or 30_000
    share = min(1.0, steps / 30_000)

    def scaled(count: int) -> int:
        return max(1, round(count * share))

    return TrainingConfig(
        preset="paper",
        geometry=GeometrySettings(
            steps=steps,
            sh_degree_every=scaled(1_000),
            clear_every=scaled(500),
            densify=DensifySettings(
                start=scaled(500),
                stop=scaled(15_000),
                reset_opacity_every=scaled(3_000),
                cap=1_000_000,
            ),
        ),
        features=_of_mode(
            features or "joint",
            FrozenFeatureSettings(
                learning_rate=2.5e-3,
                learning_rate_end=2.5e-3,
                initial_scale=1.77,
                spatial="released",
                lift=False,
            ),
            JointFeatureSettings(
                learning_rate=2.5e-3,
                initial_scale=1.77,
                contrastive_every=scaled(50),
                reference_pixels=PAPER_PIXELS,
                spatial="released",
                spatial_every=2 * scaled(50),
                lift=False,
            ),
        ),
        segments=SegmentSettings(evidence="maps", vote=False),
    )


def _of_mode(
    mode: FeatureMode, frozen: FrozenFeatureSettings, joint: JointFeatureSettings
) -> FeatureSettings:
    return {"frozen": frozen, "joint": joint, "off": NoFeatureSettings()}[mode]


_ALL = (
    Preset("draft", "Draft", "Under a minute, for a first look", _draft),
    Preset("standard", "Standard", "The best result that some minutes can give", _standard),
    Preset(
        "paper",
        "Paper",
        "The schedule of the paper, 30,000 steps; wants a graphics card",
        _paper,
    ),
)
PRESETS = {each.name: each for each in _ALL}
"""By name, the quickest first."""
DEFAULT_PRESET = "standard"
