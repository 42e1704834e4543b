# SPDX-License-Identifier: GPL-3.0-or-later
"""The three ready-made configurations: a quick look, the everyday run, and the paper's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..cgc.features.variants import Reduction, SpatialLoss
from ..errors import CgcError
from ..rasterize.backends import AUTO
from .config import (
    DensifySettings,
    EdgeSettings,
    FeatureMode,
    FeatureSettings,
    GeometrySettings,
    LearningRates,
    SegmentSettings,
    TrainingConfig,
)

PRESETS = ("draft", "standard", "paper")


def preset(name: str, *, steps: int | None = None) -> TrainingConfig:
    """Return a preset, its schedules stretched to `steps` geometry steps where that is given.

    Raises:
        CgcError: no such preset, or fewer than one step.
    """
    if steps is not None and steps < 1:
        raise CgcError(f"{steps} training steps are too few; give 1 or more.")
    if name == "draft":
        return _short("draft", steps or 600, cap=20_000, edge_steps=0)
    if name == "standard":
        return _short("standard", steps or 3_500, cap=60_000, edge_steps=350)
    if name == "paper":
        return _paper(steps or 30_000)
    raise CgcError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")


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
) -> TrainingConfig:
    """Return a preset with what the user chose in place of its own; None leaves it as it is.

    Raises:
        CgcError: no such preset, or fewer than one step.
    """
    config = preset(name, steps=steps)
    densify, segments = config.geometry.densify, config.segments
    if max_gaussians is not None:
        densify = replace(densify, cap=max_gaussians)
    if granularity is not None:
        segments = replace(segments, granularity=granularity)
    chosen: dict[str, Any] = {"mode": features, "reduction": reduction, "spatial": spatial}
    return replace(
        config,
        seed=seed,
        backend=backend,
        max_size=max_size,
        test_every=test_every,
        init=str(init.resolve()) if init else None,
        geometry=replace(config.geometry, densify=densify),
        features=replace(
            config.features, **{key: value for key, value in chosen.items() if value is not None}
        ),
        segments=segments,
    )


def _short(name: str, steps: int, *, cap: int, edge_steps: int) -> TrainingConfig:
    """Geometry in few steps, coarse to fine; features afterwards on the frozen geometry."""
    return TrainingConfig(
        preset=name,
        geometry=GeometrySettings(
            steps=steps,
            sh_degree_every=max(1, steps // 5),
            levels=((0.2, 2), (0.5, 1), (1.0, 0)),
            far_points=5_000,
            far_steps=True,
            rates=LearningRates(means_start=1.6e-4, means_end=3.2e-6),
            densify=DensifySettings(
                start=max(1, steps // 10),
                stop=int(steps * 0.7),
                every=max(1, min(100, steps // 20)),
                reset_opacity_every=0,
                prune_scale=1e9,
                cap=cap,
            ),
        ),
        features=FeatureSettings(mode="frozen"),
        edges=EdgeSettings(steps=edge_steps),
    )


def _paper(steps: int) -> TrainingConfig:
    """Joint training with the released hyper-parameters; shorter runs shrink the schedules."""
    share = min(1.0, steps / 30_000)

    def scaled(count: int) -> int:
        return max(1, round(count * share))

    return TrainingConfig(
        preset="paper",
        geometry=GeometrySettings(
            steps=steps,
            sh_degree_every=scaled(1_000),
            densify=DensifySettings(
                start=scaled(500),
                stop=scaled(15_000),
                reset_opacity_every=scaled(3_000),
                cap=1_000_000,
            ),
        ),
        features=FeatureSettings(
            mode="joint",
            spatial="released",
            learning_rate=2.5e-3,
            learning_rate_end=2.5e-3,
            initial_scale=1.77,
            lift=False,
        ),
        segments=SegmentSettings(vote=False),
    )
