# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a splat while a person corrects them, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...splats.neighbours import nearest_within
from ..clusters.granularity import MergeTree
from ..segments import Segments
from .apply import correct
from .parts import part_of
from .records import Correction
from .shapes import shape_of

APART_POINTS = 64
"""Of what a part is split from; as many as say where that is."""
_MOSTLY = 0.5


class Correcting:
    """Owns the list of corrections, and which object each Gaussian is of meanwhile.

    Objects go by the ids that they had at first; of joined ones each id means all of them.
    """

    def __init__(
        self,
        means: NDArray[np.floating],
        found: NDArray[np.int32],
        tree: MergeTree,
        labels: NDArray[np.int32],
        segments: Segments,
        corrections: Sequence[Correction] = (),
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """Begin.

        Args:
            means: (N, 3) scene units.
            found: (N,) clusters as training found them, 0 = none.
            tree: of these.
            labels: (N,) object of each Gaussian now, 0 = none.
            segments: what these are called.
            corrections: that were made before.
            say: takes sentences on what contradicts earlier corrections.
        """
        self.corrections = list(corrections)
        self.labels = labels.copy()
        self._means, self._found, self._tree, self._say = means, found, tree, say
        self._names = {one.id: one.name for one in segments.segments}
        self._now = {one.id: one.id for one in segments.segments}
        self._members = correct(found, tree, means, corrections).members

    def members(self, identifier: int) -> NDArray[np.bool_]:
        """Return which Gaussians (N,) are of an object.

        Raises:
            CgcError: there is no such object.
        """
        if identifier not in self._now or not (chosen := self.labels == self._id(identifier)).any():
            listed = ", ".join(str(one) for one in sorted(self._now)[:20])
            raise CgcError(
                f"There is no object {identifier} in this run; there are {listed or 'none'}."
            )
        return chosen

    def join(self, first: int, second: int) -> None:
        """Make two objects one.

        Raises:
            CgcError: one of them does not exist, or they are one already.
        """
        one, other = self.members(first), self.members(second)
        if self._id(first) == self._id(second):
            raise CgcError(f"{first} and {second} are one object already; name two.")
        together = one | other
        words = f"{self._called(first)} and {self._called(second)}"
        self.labels[other] = self._id(first)
        self._now[self._id(second)] = self._id(first)
        self._keep(Correction("join", f"join {words}", shape_of(self._means, together)), together)

    def part(self, identifier: int, weights: NDArray[np.floating]) -> NDArray[np.bool_] | None:
        """Return the part of an object that the merge tree has at a place.

        Args:
            identifier: of the object.
            weights: (N,) by how much each Gaussian makes up what is seen there.

        Returns:
            (N,), None where the tree does not take the object apart there.

        Raises:
            CgcError: there is no such object.
        """
        chosen = self.members(identifier)
        clusters = self._found[chosen]
        shown = np.bincount(clusters, weights[chosen], self._tree.count + 1)
        shown[0] = 0
        if not shown.any():
            return None
        inside = part_of(self._tree, clusters, int(shown.argmax()))
        if inside is None:
            return None
        part = np.zeros(len(chosen), bool)
        part[chosen] = inside
        return part

    def split(self, identifier: int, part: NDArray[np.bool_], where: str) -> int:
        """Make a part (N,) of an object one of its own.

        Args:
            identifier: of the object.
            part: (N,) some of its Gaussians, not all.
            where: the place that was pointed at, for people.

        Returns:
            The id that the part goes by meanwhile.

        Raises:
            CgcError: there is no such object, or nothing would be left of it.
        """
        chosen = self.members(identifier)
        part = part & chosen
        rest = self._means[chosen & ~part]
        if not part.any() or not len(rest):
            raise CgcError(
                f"{self._called(identifier)} cannot be parted at {where}: what is there is "
                + ("all of it." if part.any() else "none of it.")
            )
        step = -(-len(rest) // APART_POINTS)
        text = f"split {self._called(identifier)} at {where}"
        shape = shape_of(self._means, part)
        apart = rest[::step].astype(np.float32)
        self._keep(Correction("split", text, shape, apart=apart), part)
        return self._new_object(part)

    def add(self, members: NDArray[np.bool_], text: str, name: str | None = None) -> int:
        """Make some Gaussians (N,) an object, whatever they belonged to.

        Returns:
            The id that it goes by meanwhile.

        Raises:
            CgcError: they are none.
        """
        if not members.any():
            raise CgcError(f"Nothing was found for {text!r}; point at the middle of a thing.")
        self._keep(Correction("object", text, shape_of(self._means, members), name), members)
        return self._new_object(members)

    def _new_object(self, members: NDArray[np.bool_]) -> int:
        number = max(self._now, default=0) + 1
        self._now[number] = number
        self._names[number] = f"of correction {len(self.corrections)}"
        self.labels[members] = number
        return number

    def _id(self, identifier: int) -> int:
        while self._now[identifier] != identifier:
            identifier = self._now[identifier]
        return identifier

    def _called(self, identifier: int) -> str:
        return f"{identifier} ({self._names[identifier]})"

    def _keep(self, made: Correction, members: NDArray[np.bool_]) -> None:
        """Add a correction, and say which earlier ones it contradicts."""
        for number, earlier in enumerate(self.corrections, start=1):
            own = self._members == number
            common = int((own & members).sum())
            if not common:
                continue
            undone = earlier.kind == "split" and common == own.sum() and self._has(
                members, earlier.apart
            )  # fmt: skip
            if undone or common < own.sum() or earlier.kind == "unassign":
                self._say(
                    f"Correction {len(self.corrections) + 1} ({made.text}) contradicts correction "
                    f"{number} ({earlier.text}); the later one counts."
                )
        self.corrections.append(made)
        self._members[members] = len(self.corrections)

    def _has(self, members: NDArray[np.bool_], points: NDArray[np.float32]) -> bool:
        """Return whether most of some points (Q, 3) are where Gaussians (N,) are that are meant."""
        if not len(points):
            return False
        spread = float(np.ptp(self._means, axis=0).max())
        nearest = nearest_within(self._means, points, max(spread / 1000, 1e-12))
        return bool((members[nearest] & (nearest >= 0)).mean() > _MOSTLY)


def without(corrections: Sequence[Correction], numbers: Sequence[int]) -> list[Correction]:
    """Return corrections but for some.

    Args:
        corrections: all of them.
        numbers: from 1 on.

    Raises:
        CgcError: one of them does not exist.
    """
    for number in numbers:
        if not 1 <= number <= len(corrections):
            raise CgcError(
                f"There is no correction {number}; this run has "
                + (f"1 to {len(corrections)}." if corrections else "none.")
            )
    return [one for number, one in enumerate(corrections, start=1) if number not in numbers]
