# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of photos to compare: all with all, or those near each other in order."""

from __future__ import annotations

from collections.abc import Sequence

BLOCK = 16
"""Photos a side of a block of pairs: each photo of a block is read and indexed once, which takes as
long as comparing it with another one."""
NEIGHBOURS = 10
"""Photos that follow in order, each of which is compared."""

Pair = tuple[int, int]
"""Positions in order, the smaller first."""


def exhaustive_pairs(count: int) -> list[Pair]:
    """Return all pairs of `count` photos."""
    return [(i, j) for i in range(count) for j in range(i + 1, count)]


def sequential_pairs(count: int) -> list[Pair]:
    """Return pairs of photos that are near each other in order, or a power of two apart."""
    distances = [*range(1, NEIGHBOURS + 1)]
    step = 1 << NEIGHBOURS.bit_length()
    while step < count:
        distances.append(step)
        step *= 2
    return [(i, i + d) for d in distances for i in range(count - d)]


def in_blocks(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Return the pairs in blocks of few photos each, in an order that depends on nothing else."""
    blocks: dict[Pair, list[Pair]] = {}
    for i, j in sorted(set(pairs)):
        blocks.setdefault((i // BLOCK, j // BLOCK), []).append((i, j))
    return [blocks[key] for key in sorted(blocks)]
