# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of solving, as `solve.json` tells it, and what to do where little came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import CgcError
from ..files import read_json
from .colmap.database import MatchStatistics
from .colmap.sparse_models import SparseModel
from .photo_list import PhotoList

_ENOUGH = 0.8
"""Share of the photos below which a splat will have holes."""
_FEW_FEATURES = 100
_NAMED = 5
MORE_OVERLAP = (
    "take photos that overlap by two thirds with the one before, walking around the scene "
    "instead of only turning in place"
)


@dataclass(frozen=True)
class SolveReport:
    """What came of solving; the fields of solve.json."""

    dataset: str
    source: str
    photos: int
    """Photos that could be read, or frames chosen."""
    registered: int
    """Those that have a camera."""
    unregistered: tuple[str, ...]
    """Names in the dataset of the others, which are not in it."""
    left_out: tuple[tuple[str, str], ...]
    """Files that could not be read, and why."""
    points: int
    observations: int
    mean_reprojection_error: float
    """In px of the photos as solved."""
    mean_track_length: float
    """Number of photos that show a point."""
    components: tuple[dict[str, int], ...]
    """Photos and points of each model; the first is the dataset's."""
    cameras: tuple[dict[str, Any], ...]
    matched_pairs: int
    overlapping_pairs: int
    matching: str
    """How pairs were chosen: "exhaustive" or "sequential"."""
    seconds: dict[str, float]
    """Of each stage, over all calls."""
    versions: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return asdict(self)

    @staticmethod
    def read(path: Path) -> SolveReport | None:
        """Read a report, None if it is missing or damaged."""
        if not path.is_file():
            return None
        try:
            value = read_json(path)
            for name in ("unregistered", "components", "cameras"):
                value[name] = tuple(value[name])
            value["left_out"] = tuple((name, reason) for name, reason in value["left_out"])
            return SolveReport(**{k: v for k, v in value.items() if k not in _BESIDES})
        except (CgcError, TypeError, KeyError, ValueError, AttributeError):
            return None

    def sentence(self) -> str:
        """Return the outcome for people."""
        return (
            f"{self.dataset}: {self.registered} of {self.photos} photos placed, "
            f"{self.points:,} points, mean reprojection error "
            f"{self.mean_reprojection_error:.2f} px, {sum(self.seconds.values()):.0f} s."
        )

    def warnings(self) -> list[str]:
        """Return what the user should know, a sentence each."""
        told = []
        if self.unregistered:
            told.append(
                f"{len(self.unregistered)} of {self.photos} photos could not be placed and are "
                f"left out: {name_some(self.unregistered)}."
            )
        if len(self.components) > 1:
            others = sum(part["photos"] for part in self.components[1:])
            told.append(
                f"The photos fall into {len(self.components)} groups that do not overlap enough; "
                f"the largest is used, the other {others} placed photos are in models of their own "
                f"in {Path(self.dataset) / 'solve' / 'models'}. Photos between them would join "
                "them."
            )
        if self.registered < _ENOUGH * self.photos:
            told.append(
                f"Only {self.registered / self.photos:.0%} of the photos were placed; for a "
                f"complete scene {MORE_OVERLAP}, and leave out blurred ones."
            )
        return told


_BESIDES = frozenset({"settings", "fingerprint"})


def name_some(names: Sequence[str]) -> str:
    """Return the first names and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def make_report(
    *,
    dataset: Path,
    source: Path,
    photos: PhotoList,
    models: Sequence[SparseModel],
    matches: MatchStatistics,
    exhaustive: bool,
    seconds: dict[str, float],
    versions: dict[str, str],
) -> SolveReport:
    """Put the report together; `models` has the dataset's first."""
    best = models[0]
    placed = set(best.files)
    return SolveReport(
        dataset=str(dataset),
        source=str(source),
        photos=len(photos.photos),
        registered=len(best.files),
        unregistered=tuple(p.name for p in photos.photos if p.file not in placed),
        left_out=photos.left_out,
        points=best.points,
        observations=best.observations,
        mean_reprojection_error=round(best.reprojection_error, 4),
        mean_track_length=round(best.track_length, 3),
        components=tuple({"photos": len(m.files), "points": m.points} for m in models),
        cameras=best.cameras,
        matched_pairs=matches.pairs,
        overlapping_pairs=matches.overlapping,
        matching="exhaustive" if exhaustive else "sequential",
        seconds=seconds,
        versions=versions,
    )


def why_not_solved(source: Path, photos: int, matches: MatchStatistics) -> CgcError:
    """Return why no camera could be found, and what to do."""
    if matches.features < _FEW_FEATURES:
        return CgcError(
            f"{source}: half of the {photos} photos show fewer than {matches.features + 1} details "
            "that can be recognised; they are blurred, dark or blank: take sharp photos of "
            "surfaces with texture, or give larger ones with --max-size."
        )
    if not matches.overlapping:
        return CgcError(
            f"{source}: no two of the {photos} photos show the same things; {MORE_OVERLAP}."
        )
    return CgcError(
        f"{source}: {matches.overlapping} pairs of photos overlap, but none shows depth to start "
        f"from; {MORE_OVERLAP}."
    )
