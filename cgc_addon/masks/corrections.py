# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections of a label map by hand: what a person changed, apart from the map itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Correction:
    """Masks that become another one, or none."""

    ids: tuple[int, ...]
    """Above 0."""
    into: int
    """The mask that they become part of; 0: they are wrong, nobody knows what is there."""


def removal(ids: Iterable[int]) -> Correction:
    """Return the correction that takes masks away."""
    return Correction(tuple(ids), 0)


def merge(ids: Sequence[int]) -> Correction:
    """Return the correction that makes several masks one, that of the first."""
    return Correction(tuple(ids[1:]), ids[0])


def corrected(
    labels: NDArray[np.unsignedinteger], corrections: Iterable[Correction]
) -> NDArray[np.unsignedinteger]:
    """Return a label map after corrections, one after the other.

    Args:
        labels: (H, W) ids, 0 = unlabelled; left as it is.
        corrections: the earliest first.

    Returns:
        (H, W) of the same type. No id appears that was not there, but for 0.
    """
    table = np.arange(int(labels.max(initial=0)) + 1, dtype=labels.dtype)
    for correction in corrections:
        into = correction.into if correction.into < len(table) else 0
        table[np.isin(table, [one for one in correction.ids if one > 0])] = into
    return table[labels]


def masks_of(labels: NDArray[np.unsignedinteger]) -> dict[int, int]:
    """Return the size in pixels of each mask of a label map (H, W)."""
    counts = np.bincount(labels.reshape(-1), minlength=1)
    return {int(one): int(counts[one]) for one in np.flatnonzero(counts) if one}


def corrections_to_json(corrections: Iterable[Correction]) -> list[dict[str, Any]]:
    """Return plain values."""
    return [{"ids": list(one.ids), "into": one.into} for one in corrections]


def corrections_from_json(value: Any) -> tuple[Correction, ...] | None:
    """Return corrections from what `corrections_to_json` made; None where it is something else."""
    if not isinstance(value, list):
        return None
    found = []
    for entry in value:
        ids = entry.get("ids") if isinstance(entry, dict) else None
        if not isinstance(ids, list) or not all(_is_id(one) for one in [*ids, entry.get("into")]):
            return None
        found.append(Correction(tuple(ids), entry["into"]))
    return tuple(found)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 65535
