# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects found in a scene, and the file segments.json that lists them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import read_json, write_json
from ..splats.gaussians import FEATURE_DIMENSION
from ..srgb import linear_from_srgb

FORMAT_VERSION = 2
READABLE_VERSIONS = (1, FORMAT_VERSION)
"""Version 1, of 0.1.0, did not tell where the merge tree was cut."""


@dataclass(frozen=True)
class Segment:
    """One object."""

    id: int
    """≥ 1, as in label renders and in the `segment` property of the splat."""
    name: str
    color: tuple[int, int, int]
    """sRGB, 0..255."""
    count: int
    """Gaussians that belong to it."""
    mean_feature: tuple[float, ...]
    """(16,) direction of length 1; all 0 where no features are known."""
    pinned: bool = False
    """Made by hand: another granularity leaves it as it is."""


@dataclass(frozen=True)
class Cut:
    """Where a merge tree was cut, see `MergeTree.labels`."""

    granularity: float
    """0 = parts … 1 = whole objects."""
    minimum_size: int
    """Gaussians that a segment needs, ≥ 1."""


@dataclass(frozen=True)
class Segments:
    """All objects of a scene, in the order of their ids."""

    segments: tuple[Segment, ...]
    cut: Cut | None = None
    """How they came out of the merge tree; None where they did not, or nobody knows any more."""
    edited: bool = False
    """Whether Gaussians were given to segments by hand since, so that clusters may be torn."""

    def __len__(self) -> int:
        return len(self.segments)

    def __getitem__(self, identifier: int) -> Segment:
        """Return the segment with this id.

        Raises:
            KeyError: there is none.
        """
        for segment in self.segments:
            if segment.id == identifier:
                return segment
        raise KeyError(identifier)

    def palette(self) -> NDArray[np.uint8]:
        """Return the colour of each id (highest id + 1, 3), sRGB; id 0 and missing ones black."""
        highest = max((segment.id for segment in self.segments), default=0)
        colors = np.zeros((highest + 1, 3), np.uint8)
        for segment in self.segments:
            colors[segment.id] = segment.color
        return colors


def describe_segments(
    labels: NDArray[np.int32], features: NDArray[np.floating], cut: Cut | None = None
) -> Segments:
    """List the objects that labelled Gaussians form.

    Args:
        labels: (N,) segment of each Gaussian, 1 to K without gaps, 0 = none.
        features: (N, D) any length.
        cut: how they came out of a merge tree, if they did.

    Example:
        >>> features = np.array([[2.0, 0.0], [9.0, 9.0], [0.0, 1.0], [4.0, 0.0]])
        >>> found = describe_segments(np.array([1, 0, 2, 1], np.int32), features)
        >>> [(one.name, one.count, one.mean_feature) for one in found.segments]
        [('Segment 001', 2, (1.0, 0.0)), ('Segment 002', 1, (0.0, 1.0))]
    """
    counts = np.bincount(labels, minlength=1)
    colors = distinct_colors(len(counts) - 1).tolist()
    described = []
    for identifier in range(1, len(counts)):
        inside = labels == identifier
        described.append(
            Segment(
                identifier,
                automatic_name(identifier),
                tuple(colors[identifier - 1]),
                int(counts[identifier]),
                _mean_direction(features[inside]),
            )
        )
    return Segments(tuple(described), cut)


def describe_edited(
    labels: NDArray[np.int32], features: NDArray[np.floating] | None, known: Segments
) -> Segments:
    """Describe segments anew that Gaussians were given to by hand.

    Args:
        labels: (N,) segment of each Gaussian, 0 = none; ids may have gaps.
        features: (N, 16) any length, None where none are known.
        known: names, colours, and what is pinned, of each of the labels; what no Gaussian belongs
            to is left out.

    Raises:
        KeyError: a label is not among those that are known.
    """
    described = []
    for identifier in np.unique(labels[labels > 0]):
        inside = labels == identifier
        mean = (0.0,) * FEATURE_DIMENSION if features is None else _mean_direction(features[inside])
        segment = known[int(identifier)]
        described.append(replace(segment, count=int(inside.sum()), mean_feature=mean))
    return Segments(tuple(described), known.cut, edited=True)


def named_segments(labels: NDArray[np.int32], known: Segments | None = None) -> Segments:
    """List the segments of a splat with the names and colours that they are known by.

    Args:
        labels: (N,) segment of each Gaussian, 0 = none; ids may have gaps.
        known: those that have names already; what no Gaussian belongs to stays, with count 0.

    Returns:
        All of `known` and of `labels`, counted anew; new ones with automatic names and colours.
    """
    counts = np.bincount(labels, minlength=1)
    listed = {segment.id: segment for segment in known.segments} if known else {}
    present = [int(identifier) for identifier in np.flatnonzero(counts) if identifier > 0]
    colors = distinct_colors(max(present, default=0)).tolist()
    nothing = (0.0,) * FEATURE_DIMENSION
    for identifier in present:
        if identifier not in listed:
            color = tuple(colors[identifier - 1])
            listed[identifier] = Segment(identifier, automatic_name(identifier), color, 0, nothing)
    together = tuple(
        replace(listed[identifier], count=int(counts[identifier : identifier + 1].sum()))
        for identifier in sorted(listed)
    )
    return replace(known or Segments(()), segments=together)


def _mean_direction(features: NDArray[np.floating]) -> tuple[float, ...]:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    mean = (features / np.maximum(lengths, 1e-30)).mean(axis=0)
    mean = mean / max(float(np.linalg.norm(mean)), 1e-30)
    return tuple(round(float(value), 6) for value in mean)


def automatic_name(identifier: int) -> str:
    """Return what a segment is called before a person names it.

    Example:
        >>> automatic_name(7)
        'Segment 007'
    """
    return f"Segment {identifier:03d}"


def distinct_colors(count: int) -> NDArray[np.uint8]:
    """Return colours that are as far from each other as they can be, and from black and white.

    Each one is the colour farthest from all before it, as the eye sees distance (Oklab, Ottosson
    2020). So the first ones differ most, and more segments never change the colours of the others.

    Args:
        count: K.

    Returns:
        (K, 3) sRGB. After the first 600 they repeat.
    """
    steps = np.linspace(0, 255, 11).round()
    candidates = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    places = _oklab(candidates / 255)
    chroma = np.linalg.norm(places[:, 1:], axis=1)
    readable = (places[:, 0] > 0.4) & (places[:, 0] < 0.93) & (chroma > 0.06)
    candidates, places = candidates[readable], places[readable]
    taken = _oklab(np.array([[0.0, 0, 0], [0.5, 0.5, 0.5], [1, 1, 1]]))
    distances = np.linalg.norm(places[:, None] - taken[None], axis=2).min(axis=1)
    order = []
    for _ in range(min(count, 600, len(candidates))):
        order.append(int(distances.argmax()))
        distances = np.minimum(distances, np.linalg.norm(places - places[order[-1]], axis=1))
    return candidates[np.resize(np.array(order, np.int64), count)].astype(np.uint8)


def _oklab(colors: NDArray[np.floating]) -> NDArray[np.float64]:
    cones = linear_from_srgb(colors) @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    lab = np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
    return np.asarray(lab, np.float64)


def write_segments(path: Path, segments: Segments) -> None:
    """Write segments.json, whole or not at all.

    Raises:
        CgcError: it cannot be written.
    """
    write_json(
        path,
        {
            "version": FORMAT_VERSION,
            **({} if segments.cut is None else asdict(segments.cut)),
            **({"edited": True} if segments.edited else {}),
            "segments": [
                {
                    "id": segment.id,
                    "name": segment.name,
                    "color": list(segment.color),
                    "count": segment.count,
                    "mean_feature": list(segment.mean_feature),
                    **({"pinned": True} if segment.pinned else {}),
                }
                for segment in segments.segments
            ],
        },
    )


def read_segments(path: Path) -> Segments:
    """Read segments.json.

    Raises:
        CgcError: it is missing, or not what `write_segments` writes; the sentence says where.
    """
    content = read_json(path)
    cure = "run `segment` again to write it anew."
    if not isinstance(content, dict) or not isinstance(content.get("segments"), list):
        raise CgcError(f'{path} has no list "segments"; {cure}')
    if content.get("version") not in READABLE_VERSIONS:
        raise CgcError(
            f"{path} has version {content.get('version')!r}, this program reads up to "
            f"{FORMAT_VERSION}; {cure}"
        )
    problem = _problem_of_cut(content)
    if not isinstance(content.get("edited", False), bool):
        problem = '"edited" is neither true nor false'
    if problem:
        raise CgcError(f"{path}: {problem}; {cure}")
    segments = []
    for place, entry in enumerate(content["segments"]):
        problem = _problem(entry)
        if problem:
            raise CgcError(f"{path}, segment number {place + 1}: {problem}; {cure}")
        segments.append(
            Segment(
                entry["id"],
                entry["name"],
                (entry["color"][0], entry["color"][1], entry["color"][2]),
                entry["count"],
                tuple(float(value) for value in entry["mean_feature"]),
                entry.get("pinned", False),
            )
        )
    segments.sort(key=lambda segment: segment.id)
    for earlier, later in pairwise(segments):
        if earlier.id == later.id:
            raise CgcError(f"{path}: id {later.id} occurs twice; {cure}")
    cut = None
    if "granularity" in content:
        cut = Cut(float(content["granularity"]), content["minimum_size"])
    return Segments(tuple(segments), cut, content.get("edited", False))


def _problem_of_cut(content: dict[str, Any]) -> str | None:
    """Return what is wrong with where the tree was cut, which may be missing as a whole."""
    if "granularity" not in content and "minimum_size" not in content:
        return None
    granularity: Any = content.get("granularity")
    if not _is_finite(granularity) or not 0 <= granularity <= 1:
        return '"granularity" is not a number from 0 to 1'
    if not _is_integer(content.get("minimum_size"), 1, 2**31 - 1):
        return '"minimum_size" is not a whole number ≥ 1'
    return None


def _problem(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "it is not an object"
    color, feature = entry.get("color"), entry.get("mean_feature")
    if not _is_integer(entry.get("id"), 1, 65_535):
        return '"id" is not a whole number from 1 to 65535'
    if not isinstance(entry.get("name"), str) or not entry["name"]:
        return '"name" is not a text'
    if not _is_integer(entry.get("count"), 0, 2**31 - 1):
        return '"count" is not a whole number ≥ 0'
    if not (isinstance(color, list) and len(color) == 3 and all(map(_is_byte, color))):
        return '"color" is not three whole numbers from 0 to 255'
    if not (isinstance(feature, list) and len(feature) == FEATURE_DIMENSION):
        return f'"mean_feature" is not {FEATURE_DIMENSION} numbers'
    if not isinstance(entry.get("pinned", False), bool):
        return '"pinned" is neither true nor false'
    if not all(_is_finite(value) for value in feature):
        return '"mean_feature" holds something that is not a finite number'
    return None


def _is_integer(value: Any, lowest: int, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def _is_byte(value: Any) -> bool:
    return _is_integer(value, 0, 255)


def _is_finite(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floating-point numbers
        return False
