# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that decides a run, as frozen dataclasses that go to config.json and back."""

from __future__ import annotations

import types
import typing
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Literal

from ..cgc.features.variants import Reduction, SpatialLoss
from ..errors import CgcError
from ..rasterize.backends import AUTO, backend_names

CONFIG_VERSION = 1
"""Raised whenever a saved configuration of before would be read wrongly."""

FeatureMode = Literal["frozen", "joint", "off"]


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
    rates: LearningRates = field(default_factory=LearningRates)
    densify: DensifySettings = field(default_factory=DensifySettings)


@dataclass(frozen=True)
class FeatureSettings:
    """CGC's losses: contrastive clustering and spatial similarity."""

    mode: FeatureMode = "frozen"
    """frozen: after the geometry, on cached blending weights. joint: as in the paper. off."""
    reduction: Reduction = "area-weighted"
    steps: int = 400
    """Feature steps (frozen mode only)."""
    pixels_per_step: int = 4_096
    learning_rate: float = 0.02
    learning_rate_end: float = 0.002
    initial_scale: float = 0.01
    """Size of the zero-mean random start."""
    spectral_start: bool = False
    contrastive_every: int = 50
    """Joint mode: steps between two contrastive losses."""
    contrastive_weight: float = 1e-6
    """Joint mode: λ; with `mean` reduction it multiplies a mean, with `area-weighted` a sum."""
    spatial: SpatialLoss = "off"
    spatial_every: int = 100
    pull_weight: float = 0.05
    push_weight: float = 0.15
    move_geometry: bool = True
    """Joint mode: gradients of the features reach the geometry, as in the released code."""
    lift: bool = True
    """Replace each feature by the weighted mean of what was rendered through it."""


@dataclass(frozen=True)
class SegmentSettings:
    """Clusters of features become segments."""

    minimum_cluster: int = 10
    minimum_samples: int = 5
    assign_cosine: float = 0.5
    """Gaussians less similar than this to every cluster stay unassigned."""
    granularity: float = 0.5
    """0 = parts … 1 = whole objects: where the tree of merged clusters is cut."""
    minimum_size: int = 10
    """Segments of fewer Gaussians are dissolved."""
    vote: bool = True
    """Let the masks decide which segment the Gaussians at its border belong to."""


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
    """A splat (.ply, .splat, .spz) whose geometry is kept: only features are learned."""
    geometry: GeometrySettings = field(default_factory=GeometrySettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    edges: EdgeSettings = field(default_factory=EdgeSettings)


def to_json(config: TrainingConfig) -> dict[str, Any]:
    """Return plain values for config.json."""
    return {"version": CONFIG_VERSION, **asdict(config)}


def from_json(value: Any, source: str) -> TrainingConfig:
    """Read what `to_json` gave.

    Args:
        value: parsed JSON.
        source: file the value came from, for the message.

    Raises:
        CgcError: another version, unknown or missing keys, or values of another type.
    """
    if not isinstance(value, dict):
        raise CgcError(f"{source} does not hold a run configuration; start the run anew.")
    values = dict(value)
    version = values.pop("version", None)
    if version != CONFIG_VERSION:
        raise CgcError(
            f"{source} was written by another version (configuration {version}, this program "
            f"reads {CONFIG_VERSION}); start the run anew in another folder."
        )
    backend = values.get("backend", AUTO)
    if backend not in backend_names():
        raise _wrong(source, "backend", " or ".join(backend_names()), backend)
    return _read(TrainingConfig, values, source, "")


def _read(kind: object, value: Any, source: str, place: str) -> Any:
    """Return `value` as `kind`, a dataclass, tuple, Literal, union or scalar type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, dict):
            raise _wrong(source, place, "a group of settings", value)
        hints = typing.get_type_hints(kind)
        known = {item.name for item in fields(kind)}
        if unknown := sorted(set(value) - known):
            raise CgcError(f"{source}: unknown setting {place}{unknown[0]}; remove it.")
        if missing := sorted(known - set(value)):
            raise CgcError(f"{source}: setting {place}{missing[0]} is missing.")
        return kind(
            **{name: _read(hints[name], value[name], source, f"{place}{name}.") for name in known}
        )
    if origin is Literal:
        if value not in arguments:
            raise _wrong(source, place, " or ".join(map(str, arguments)), value)
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        rest = [argument for argument in arguments if argument is not type(None)]
        return _read(rest[0], value, source, place)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise _wrong(source, place, "a list", value)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_read(arguments[0], item, source, place) for item in value)
        if len(value) != len(arguments):
            raise _wrong(source, place, f"{len(arguments)} values", value)
        return tuple(
            _read(each, item, source, place) for each, item in zip(arguments, value, strict=True)
        )
    assert isinstance(kind, type)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(source, place, kind.__name__, value)
    return value


def _wrong(source: str, place: str, wanted: str, value: Any) -> CgcError:
    return CgcError(f"{source}: setting {place.rstrip('.')} must be {wanted}, not {value!r}.")
