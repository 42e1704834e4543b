# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations that earlier versions of this program wrote, as this one would have written them.

Each version is brought to the next one, so that a new version adds one function. What a migration
does not find is left out, and reading the result names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import CgcError

CONFIG_VERSION = 5
"""Raised whenever a saved configuration of before would be read wrongly."""


def migrated(values: Mapping[str, Any], version: Any, source: str) -> dict[str, Any]:
    """Return a configuration in the form of the present version.

    Args:
        values: of the file, but for its version.
        version: of the file.
        source: the file, for the message.

    Raises:
        CgcError: it is of no version that this program knows.
    """
    known = isinstance(version, int) and not isinstance(version, bool)
    if not known or not 1 <= version <= CONFIG_VERSION:
        raise CgcError(
            f"{source} was written by another version (configuration {version}, this program "
            f"reads up to {CONFIG_VERSION}); start the run anew in another folder."
        )
    found = dict(values)
    for earlier in range(version, CONFIG_VERSION):
        found = _NEXT[earlier](found)
    return found


def _from_1(values: dict[str, Any]) -> dict[str, Any]:
    """Version 1, of 0.1.0, had one group of features for all modes, and clustering among segments.

    A given geometry cannot be trained along with features. Joint training then meant to take the
    features of the given splat, or else to learn them on the frozen geometry.
    """
    features, segments = values.get("features"), values.get("segments")
    found = {**values, "init_features": False}
    if isinstance(features, dict):
        mode = features.get("mode")
        if mode == "joint" and values.get("init") is not None:
            mode, found["init_features"] = "frozen", True
        found["features"] = {"mode": mode, **_picked(features, _FEATURES_OF_1.get(str(mode), ()))}
    if isinstance(segments, dict):
        clustering = {
            **_picked(segments, ("minimum_samples",)),
            **_renamed(segments, "minimum_cluster", "minimum_cluster_size"),
            **_renamed(segments, "assign_cosine", "minimum_cosine"),
            "minimum_weight": 2.0,
            "maximum_points": 40_000,
        }
        kept = _picked(segments, ("vote", "granularity", "minimum_size"))
        found["segments"] = {"clustering": clustering, **kept}
    return found


def _from_2(values: dict[str, Any]) -> dict[str, Any]:
    """Version 2 knew label maps only, and one λ for photos of any size."""
    found, segments, features = dict(values), values.get("segments"), values.get("features")
    if isinstance(segments, dict):
        found["segments"] = {"evidence": "maps", **segments}
    if isinstance(features, dict) and features.get("mode") == "joint":
        found["features"] = {"reference_pixels": 0, **features}
    return found


def _from_3(values: dict[str, Any]) -> dict[str, Any]:
    """Version 3 started from sparse points, cleared no space and left nothing out."""
    found, geometry = dict(values), values.get("geometry")
    if isinstance(geometry, dict):
        found["geometry"] = {"surface_share": 0.0, "clear_every": 0, "dropout": 0.0, **geometry}
    return found


def _from_4(values: dict[str, Any]) -> dict[str, Any]:
    """Version 4 let Gaussians grow to any size."""
    found, geometry = dict(values), values.get("geometry")
    if isinstance(geometry, dict):
        found["geometry"] = {"size_limit": 0.0, **geometry}
    return found


_FEATURES_OF_1: Mapping[str, tuple[str, ...]] = {
    "frozen": (
        *("steps", "pixels_per_step", "reduction", "learning_rate", "learning_rate_end"),
        *("initial_scale", "spectral_start", "spatial", "lift"),
    ),
    "joint": (
        *("reduction", "learning_rate", "initial_scale", "contrastive_every"),
        *("contrastive_weight", "spatial", "spatial_every", "pull_weight", "push_weight"),
        *("move_geometry", "lift"),
    ),
}
"""What each mode used of the settings that version 1 kept."""

_NEXT = {1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4}
"""What brings a version to the one after it."""


def _picked(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _renamed(values: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new: values[old]} if old in values else {}
