# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians hang together, over however many others in between.

Millions of pairs are asked, mostly of what hangs together already: so they stand in memory as in
space, along a curve, and cells that are all of one piece are left out.

NumPy alone, as what is made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..splats.morton import morton_codes
from ..splats.rotations import matrices

_PAIRS_AT_ONCE = 1 << 15
"""What is computed of them stays in a processor's cache."""
_ALONG_CURVE = 4
"""Gaussians after each one on the curve that are tried first: most hang together by that."""
_SAMPLES = 3
"""Gaussians of each cell that are tried then: mostly all of a cell hang together already."""
_HALF_BITS = 21
"""Of a cell's number along an axis: three times as many fit 64 bits."""


def pieces(
    means: NDArray[np.floating],
    scales: NDArray[np.floating],
    quats: NDArray[np.floating],
    groups: NDArray[np.integer] | None = None,
    *,
    reach: float,
) -> NDArray[np.int64]:
    """Return the piece (N,) of each Gaussian, named after the first one in it.

    Two of them overlap where, on the line through their means, these are no farther apart than
    `reach` times the sum of the two standard deviations along it.

    Args:
        means: (N, 3) scene units.
        scales: (N, 3) standard deviations along their axes, scene units.
        quats: (N, 4) wxyz, any length.
        groups: (N,) Gaussians of different groups never overlap; one group if None.
        reach: standard deviations.
    """
    count = len(means)
    means = np.asarray(means, np.float64)
    groups = np.zeros(count, np.int64) if groups is None else groups
    # The smallest are compared as if they were larger, so that cells can be counted.
    smallest = max(float(np.abs(means).max(initial=0.0)) * 2.0**-40, 1e-30)
    radii = reach * np.max(scales, axis=1, initial=0.0)
    levels = np.ceil(np.log2(np.maximum(radii, smallest))).astype(np.int64)
    finest = int(levels.min()) if count else 0
    # Those of a coarser level are these without their last bits.
    cells = np.floor(means / 2.0 ** (finest + 1)).astype(np.int64) + (1 << 2 * _HALF_BITS - 1)
    # In this order those of a cell of any level stand in a row, and are read from one place.
    order = np.lexsort((*_along_curve(cells), groups))
    levels, cells, groups = levels[order], cells[order].T.copy(), groups[order]
    joined = _Joined(
        means[order].T.copy(),
        radii[order],
        _covariances(scales, quats, order, reach),
        groups,
        np.arange(count),
    )
    for step in range(1, 1 + _ALONG_CURVE):
        for begin in range(0, count - step, _PAIRS_AT_ONCE):
            first = np.arange(begin, min(begin + _PAIRS_AT_ONCE, count - step))
            joined.overlap(first, first + step)
    # From the largest to the smallest: what a large one holds together is one piece by the time
    # the small ones in it are looked at, and need not be compared with each other.
    for level in np.unique(levels)[::-1]:
        joined.settle()
        at_most = np.flatnonzero(levels <= level)
        shift = min(int(level) - finest, 2 * _HALF_BITS)
        _join_level(joined, at_most, levels[at_most] == level, cells[:, at_most] >> shift)
    joined.settle()
    lowest = np.full(count, count)
    np.minimum.at(lowest, joined.root, order)
    named = np.empty(count, np.int64)
    named[order] = lowest[joined.root]
    return named


@dataclass(eq=False)
class _Joined:
    """N Gaussians in the order of the curve, and what of them hangs together so far."""

    means: NDArray[np.float64]
    """(3, N) scene units."""
    radii: NDArray[np.float64]
    """(N,) beyond which none reaches."""
    covariances: NDArray[np.float64]
    """(6, N) xx, yy, zz, xy, xz, yz of what they reach to."""
    groups: NDArray[np.integer]
    root: NDArray[np.int64]
    """(N,) another one of the same piece, before it in the order, or itself."""

    def roots(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the first Gaussian of the piece of each one chosen (P,)."""
        root = self.root[chosen]
        while not np.array_equal(above := self.root[root], root):
            root = above
        return root

    def settle(self) -> None:
        """Let each one know the first of its piece at once."""
        while not np.array_equal(above := self.root[self.root], self.root):
            self.root = above

    def overlap(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        """Join the pieces of pairs (P,) that overlap."""
        one, other = self.roots(first), self.roots(second)
        apart = np.flatnonzero((one != other) & (self.groups[first] == self.groups[second]))
        first, second = first[apart], second[apart]
        line = self.means[:, second] - self.means[:, first]
        distance = (line * line).sum(axis=0)
        near = np.flatnonzero(distance <= (self.radii[first] + self.radii[second]) ** 2)
        line = line[:, near]
        extent = self._extent(first[near], line) + self._extent(second[near], line)
        touch = near[distance[near] <= extent]
        one, other = one[apart[touch]], other[apart[touch]]
        while len(one):
            later, earlier = np.maximum(one, other), np.minimum(one, other)
            self.root[later] = earlier  # of several the last one counts, and the others come again
            one, other = self.roots(later), self.roots(earlier)
            left = one != other
            one, other = one[left], other[left]

    def _extent(self, chosen: NDArray[np.int64], line: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far those chosen (P,) reach along lines (3, P), times the lengths of these."""
        x, y, z = line
        xx, yy, zz, xy, xz, yz = self.covariances[:, chosen]
        square = x * x * xx + y * y * yy + z * z * zz + 2 * (x * y * xy + x * z * xz + y * z * yz)
        return np.sqrt(np.maximum(square, 0.0))


@dataclass(frozen=True, eq=False)
class _ByCell:
    """Some Gaussians, told by the cells that they are in."""

    places: NDArray[np.int64]
    """(P,) of the Gaussians among all, cell after cell."""
    starts: NDArray[np.int64]
    """(C,) where in `places` those of each cell begin."""
    counts: NDArray[np.int64]
    """(C,) how many each cell has."""

    def pairs(
        self, first: NDArray[np.int64], cell: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield each of `first` (Q,) with every Gaussian in its cell (Q,), in portions."""
        starts, counts = self.starts[cell], self.counts[cell]
        ends = np.cumsum(counts)
        begin = 0
        while begin < len(counts):
            before = int(ends[begin] - counts[begin])
            end = max(begin + 1, int(np.searchsorted(ends, before + _PAIRS_AT_ONCE, side="right")))
            some = counts[begin:end]
            shift = np.repeat(starts[begin:end] - (ends[begin:end] - some - before), some)
            yield np.repeat(first[begin:end], some), self.places[np.arange(len(shift)) + shift]
            begin = end


def _join_level(
    joined: _Joined,
    inside: NDArray[np.int64],
    large: NDArray[np.bool_],
    cells: NDArray[np.int64],
) -> None:
    """Join what overlaps the Gaussians of a level.

    Args:
        joined: all of them, settled.
        inside: (M,) places of those of this level or a smaller one.
        large: (M,) which are of this level.
        cells: (3, M) numbers of cells along the axes, twice as wide as any of them reaches.
    """
    root, groups = joined.root[inside], joined.groups[inside]
    begins = np.ones(len(inside), np.bool_)
    begins[1:] = (cells[:, 1:] != cells[:, :-1]).any(axis=0) | (groups[1:] != groups[:-1])
    starts = np.flatnonzero(begins)
    cell = np.cumsum(begins) - 1

    def by_cell(chosen: NDArray[np.bool_]) -> _ByCell:
        counts = np.bincount(cell[chosen], minlength=len(starts))
        return _ByCell(inside[chosen], np.cumsum(counts) - counts, counts)

    # In each cell, those of one piece, the largest of all, are told from the rest.
    sizes = np.bincount(joined.root)
    main = np.maximum.reduceat(sizes[root] * len(sizes) + root, starts) % len(sizes)
    of_main = root == main[cell]
    mains, rest, larges = by_cell(of_main), by_cell(~of_main), by_cell(large)
    first, place = _to_compare(joined.root, larges, rest, main, cells[:, starts], groups[starts])

    def apart() -> NDArray[np.int64]:
        return np.flatnonzero(joined.roots(first) != joined.roots(main[place]))

    for sample in range(_SAMPLES):
        left = apart()
        for begin in range(0, len(left), _PAIRS_AT_ONCE):
            some = left[begin : begin + _PAIRS_AT_ONCE]
            there = place[some]
            tried = mains.starts[there] + sample * mains.counts[there] // _SAMPLES
            joined.overlap(first[some], mains.places[tried])
    for pairs in rest.pairs(first, place):
        joined.overlap(*pairs)
    left = apart()
    for pairs in mains.pairs(first[left], place[left]):
        joined.overlap(*pairs)


def _to_compare(
    root: NDArray[np.int64],
    larges: _ByCell,
    rest: _ByCell,
    main: NDArray[np.int64],
    cells: NDArray[np.int64],
    groups: NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return large Gaussians (Q,) and cells (Q,) around each that hold any of another piece.

    Args:
        root: (N,) of each Gaussian, the first one of its piece.
        larges: the large ones.
        rest: those that are not of the main piece of their cell.
        main: (C,) the first Gaussian of that piece.
        cells: (3, C) numbers of the cells.
        groups: (C,) theirs.
    """
    keys = _keys(cells, groups)
    sorted_cells = np.argsort(keys)
    known = keys[sorted_cells]
    owners = np.flatnonzero(larges.counts)
    roots, begins = root[larges.places], larges.starts[owners]
    one = roots[begins]
    alike = (one == np.maximum.reduceat(roots, begins)) & (
        one == np.minimum.reduceat(roots, begins)
    )
    owner, around = [], []
    for offset in np.ndindex(3, 3, 3):
        wanted = _keys(cells[:, owners] + np.array(offset)[:, None] - 1, groups[owners])
        nearest = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        there = np.flatnonzero(known[nearest] == wanted)
        near = sorted_cells[nearest[there]]
        new = ~alike[there] | (rest.counts[near] > 0) | (main[near] != one[there])
        owner.append(owners[there[new]])
        around.append(near[new])
    first, place = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for near, large in larges.pairs(np.concatenate(around), np.concatenate(owner)):
        new = (rest.counts[near] > 0) | (main[near] != root[large])
        first.append(large[new])
        place.append(near[new])
    return np.concatenate(first), np.concatenate(place)


def _covariances(
    scales: NDArray[np.floating],
    quats: NDArray[np.floating],
    order: NDArray[np.intp],
    reach: float,
) -> NDArray[np.float64]:
    """Return xx, yy, zz, xy, xz, yz (6, N) of Gaussians in an order (N,), `reach` times as far."""
    found = np.empty((6, len(order)))
    rows, columns = np.array([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]).T
    for begin in range(0, len(order), _PAIRS_AT_ONCE):
        some = order[begin : begin + _PAIRS_AT_ONCE]
        axes = matrices(quats[some]) * (reach * np.asarray(scales[some], np.float64))[:, None, :]
        full = axes @ axes.transpose(0, 2, 1)
        found[:, begin : begin + _PAIRS_AT_ONCE] = full[:, rows, columns].T
    return found


def _along_curve(cells: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the lower and the upper half of the Morton codes (N,) of cells (N, 3)."""
    lower, upper = cells & (1 << _HALF_BITS) - 1, cells >> _HALF_BITS
    return morton_codes(lower), morton_codes(upper)


def _keys(cells: NDArray[np.int64], groups: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Return a number (N,) for each cell (3, N) and group; two share one hardly ever."""
    factors = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5)
    mixed = groups.astype(np.uint64) * np.uint64(factors[3])
    for numbers, factor in zip(cells, factors, strict=False):
        mixed ^= numbers.astype(np.uint64) * np.uint64(factor)
    return mixed
