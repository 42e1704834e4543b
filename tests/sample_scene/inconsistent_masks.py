# SPDX-License-Identifier: GPL-3.0-or-later
"""Label maps with the flaws of automatic segmentation, made from exact ids.

Segment Anything looks at every photo alone. Its ids mean nothing in the next photo, it misses
objects, splits them into parts, merges neighbours, and its edges are off by a pixel or two. This
module does that to exact maps, by a noise level and a seed, with numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LabelMap = NDArray[np.uint16]
"""(H, W); 0 = unlabelled or background."""
Mask = NDArray[np.bool_]
"""(H, W); true inside one segment."""

PARTS_PER_OBJECT = 10
"""A part's number is 10 × object id + 1 to 9; object id 0 are pieces of the surroundings."""


@dataclass(frozen=True)
class MaskNoise:
    """How wrong the label maps of a capture are."""

    missing: float
    """Share of the objects in a view that have no mask at all."""
    split: float
    """Share that is split into parts, or into halves where there are none."""
    merged: float
    """Share that is merged with a touching neighbour, where there is one."""
    wobble: float
    """Edges wander by up to this many pixels, with as many again for thicker or thinner masks."""
    pits: float
    """Small holes per 1000 pixels of mask."""
    background: float
    """Share of the views in which the surroundings are labelled too, in a few chunks."""
    smallest: int
    """Masks of fewer pixels are left out."""

    @classmethod
    def at_level(cls, level: float) -> MaskNoise:
        """Return the noise of a level: 0 none, 1 like Segment Anything, 2 twice as bad.

        Raises:
            ValueError: the level is not from 0 to 3.
        """
        if not 0 <= level <= 3:
            raise ValueError(f"The noise level is {level}; give a number from 0 to 3.")
        return cls(
            missing=0.08 * level,
            split=0.22 * level,
            merged=0.08 * level,
            wobble=1.0 * level,
            pits=0.6 * level,
            background=0.7 * min(level, 1.0),
            smallest=12 if level > 0 else 0,
        )


@dataclass(frozen=True)
class MaskReport:
    """What was done to the objects of one view; ids are those of the exact map."""

    visible: tuple[int, ...]
    missing: tuple[int, ...]
    split: tuple[int, ...]
    merged: tuple[tuple[int, int], ...]
    background_chunks: int


def inconsistent_masks(
    objects: NDArray[np.uint16],
    parts: NDArray[np.uint16] | None = None,
    *,
    noise: MaskNoise,
    seed: int = 0,
) -> tuple[NDArray[np.uint16], list[MaskReport]]:
    """Spoil the exact ids of every view of a capture.

    A view's result depends on the seed and the view's position only, not on the other views.

    Args:
        objects: (V, H, W) exact ids, 0 = background.
        parts: (V, H, W) part numbers, see PARTS_PER_OBJECT; without them objects split in halves
            and the background is one surface.
        noise: how wrong the result is to be.
        seed: repeats a run exactly.

    Returns:
        Label maps (V, H, W), ids 1 to the number of masks in random order, 0 = unlabelled; and
        one report a view.
    """
    maps, reports = [], []
    for view in range(len(objects)):
        generator = np.random.default_rng([seed, view])
        view_parts = None if parts is None else parts[view]
        label_map, report = inconsistent_label_map(objects[view], view_parts, noise, generator)
        maps.append(label_map)
        reports.append(report)
    return np.stack(maps), reports


def inconsistent_label_map(
    objects: LabelMap, parts: LabelMap | None, noise: MaskNoise, generator: np.random.Generator
) -> tuple[LabelMap, MaskReport]:
    """Spoil the exact ids (H, W) of one view; see `inconsistent_masks`."""
    if parts is None:
        parts = (objects * PARTS_PER_OBJECT + 1).astype(np.uint16)
    chunks: list[Mask] = []
    if generator.random() < noise.background:
        chunks = _background_chunks(objects, parts, generator)
    masks, report = _object_masks(objects, parts, noise, generator)
    order = generator.permutation(len(masks))
    # Objects are painted over the surroundings, and among themselves in any order.
    painted = np.zeros(objects.shape, dtype=np.uint16)
    for number, mask in enumerate([*chunks, *(masks[k] for k in order)], start=1):
        painted[_spoiled(mask, noise, generator)] = number
    ids, inverse, counts = np.unique(painted, return_inverse=True, return_counts=True)
    kept = (ids > 0) & (counts >= noise.smallest)
    new_ids = np.zeros(len(ids), dtype=np.uint16)
    new_ids[kept] = 1 + generator.permutation(int(kept.sum()))
    label_map = new_ids[inverse.reshape(objects.shape)]
    return label_map, MaskReport(**report, background_chunks=len(chunks))


def spoil_dataset(dataset: Path, level: float, seed: int = 0) -> list[MaskReport]:
    """Write `dataset`/masks anew at a noise level, from its exact gt/ and, where it has it, parts/.

    Args:
        dataset: folder with gt/<stem>.png and optionally parts/<stem>.png, uint16.
        level: see `MaskNoise.at_level`.
        seed: repeats a run exactly.

    Returns:
        One report a view, in name order.
    """
    paths = sorted((dataset / "gt").glob("*.png"))
    objects = np.stack([read_label_map(path) for path in paths])
    parts = None
    if (dataset / "parts").is_dir():
        parts = np.stack([read_label_map(dataset / "parts" / path.name) for path in paths])
    maps, reports = inconsistent_masks(objects, parts, noise=MaskNoise.at_level(level), seed=seed)
    for path, label_map in zip(paths, maps, strict=True):
        write_label_map(dataset / "masks" / path.name, label_map)
    return reports


def read_label_map(path: Path) -> LabelMap:
    """Read a grey PNG of 8 or 16 bits as ids (H, W)."""
    with Image.open(path) as image:
        return np.asarray(image).astype(np.uint16)


def write_label_map(path: Path, label_map: LabelMap) -> None:
    """Write ids (H, W) as a grey 16-bit PNG; missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(label_map.astype(np.uint16)).save(path, optimize=True)


def _object_masks(
    objects: LabelMap, parts: LabelMap, noise: MaskNoise, generator: np.random.Generator
) -> tuple[list[Mask], dict[str, tuple]]:
    """Return the exact masks of one view after missing, splitting, merging; and what was done."""
    visible = [int(k) for k in np.unique(objects) if k > 0]
    missing, split, merged = [], [], []
    whole: list[int] = []
    masks: list[Mask] = []
    to_merge: list[int] = []
    for object_id, chance in zip(visible, generator.random(len(visible)), strict=True):
        if chance < noise.missing:
            missing.append(object_id)
        elif chance < noise.missing + noise.split:
            split.append(object_id)
            masks += _pieces(objects == object_id, parts, generator)
        else:
            whole.append(object_id)
            if chance < noise.missing + noise.split + noise.merged:
                to_merge.append(object_id)
    free = set(whole)
    for object_id in to_merge:
        neighbours = sorted(_touching(objects, object_id) & (free - {object_id}))
        if object_id in free and neighbours:
            other = int(generator.choice(neighbours))
            merged.append((object_id, other))
            masks.append((objects == object_id) | (objects == other))
            free -= {object_id, other}
    masks += [objects == object_id for object_id in sorted(free)]
    report = {
        "visible": tuple(visible),
        "missing": tuple(missing),
        "split": tuple(split),
        "merged": tuple(merged),
    }
    return masks, report


def _pieces(mask: Mask, parts: LabelMap, generator: np.random.Generator) -> list[Mask]:
    """Cut an object into its visible parts, or by a line if it shows only one of any size."""
    numbers, counts = np.unique(parts[mask], return_counts=True)
    large = numbers[counts >= max(8, 0.03 * counts.sum())]
    if len(large) < 2:
        half = _side_of_line(mask, generator)
        return [mask & half, mask & ~half]
    main = numbers[np.argmax(counts)]
    pieces = [mask & (parts == number) for number in large if number != main]
    # What is too small for a mask of its own goes with the largest part.
    return [mask & ~np.logical_or.reduce(pieces), *pieces]


def _background_chunks(
    objects: LabelMap, parts: LabelMap, generator: np.random.Generator
) -> list[Mask]:
    """Return some surfaces of the surroundings, some of them cut by a line."""
    chunks: list[Mask] = []
    background = objects == 0
    for number in np.unique(parts[background]):
        surface = background & (parts == number)
        if generator.random() < 0.3:
            continue
        pieces = [surface]
        while len(pieces) < 4 and generator.random() < 0.35:
            largest = max(range(len(pieces)), key=lambda k: int(pieces[k].sum()))
            piece = pieces.pop(largest)
            half = _side_of_line(piece, generator)
            pieces += [piece & half, piece & ~half]
        chunks += [piece for piece in pieces if piece.any()]
    return chunks


def _side_of_line(mask: Mask, generator: np.random.Generator) -> Mask:
    """Return one side (H, W) of a random line through about the middle of `mask`."""
    rows, columns = np.nonzero(mask)
    angle = generator.uniform(0, np.pi)
    along = np.cos(angle) * columns + np.sin(angle) * rows
    cut = np.quantile(along, generator.uniform(0.35, 0.65))
    y, x = np.indices(mask.shape)
    return np.cos(angle) * x + np.sin(angle) * y > cut


def _touching(objects: LabelMap, object_id: int) -> set[int]:
    """Return the ids that border on `object_id` in the image."""
    near = _grown(objects == object_id, 1)
    return {int(k) for k in np.unique(objects[near])} - {0, object_id}


def _spoiled(mask: Mask, noise: MaskNoise, generator: np.random.Generator) -> Mask:
    """Give one mask a wandering, ragged edge, make it thicker or thinner, and pit it."""
    if noise.wobble > 0:
        mask = _warped(mask, noise.wobble, generator)
        steps = int(generator.integers(0, int(np.ceil(noise.wobble)) + 1))
        mask = _grown(mask, steps) if generator.random() < 0.5 else ~_grown(~mask, steps)
    if noise.pits > 0:
        mask = mask.copy()
        rows, columns = np.nonzero(mask)
        for _ in range(generator.poisson(noise.pits * len(rows) / 1000)):
            k = int(generator.integers(len(rows)))
            top, left = max(rows[k] - 1, 0), max(columns[k] - 1, 0)
            pit = generator.random((3, 3)) < 0.7
            window = mask[top : top + 3, left : left + 3]
            window &= ~pit[: window.shape[0], : window.shape[1]]
    return mask


def _warped(mask: Mask, reach: float, generator: np.random.Generator) -> Mask:
    """Look every pixel up at a place up to `reach` pixels off: smooth waves and a little jitter."""
    height, width = mask.shape
    places = []
    for index, size in zip(np.indices(mask.shape), (height, width), strict=True):
        waves = _smooth_noise(height, width, 9.0, generator)
        jitter = generator.uniform(-1, 1, mask.shape)
        shift = np.rint(reach * (0.6 * waves + 0.4 * jitter)).astype(int)
        places.append(np.clip(index + shift, 0, size - 1))
    return mask[places[0], places[1]]


def _smooth_noise(
    height: int, width: int, spacing: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return noise (H, W) from -1 to 1, linear between random values `spacing` pixels apart."""
    knots = generator.uniform(-1, 1, (int(height / spacing) + 2, int(width / spacing) + 2))
    y, x = np.arange(height) / spacing, np.arange(width) / spacing
    row, column = y.astype(int), x.astype(int)
    down, right = (y - row)[:, None], (x - column)[None, :]
    upper = knots[row][:, column] * (1 - right) + knots[row][:, column + 1] * right
    lower = knots[row + 1][:, column] * (1 - right) + knots[row + 1][:, column + 1] * right
    return upper * (1 - down) + lower * down


def _grown(mask: Mask, steps: int) -> Mask:
    """Return `mask` and all pixels within `steps` moves to one of the four neighbours."""
    for _ in range(steps):
        padded = np.pad(mask, 1)
        mask = mask | padded[2:, 1:-1] | padded[:-2, 1:-1] | padded[1:-1, 2:] | padded[1:-1, :-2]
    return mask
